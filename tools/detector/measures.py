"""How well the detector does on made pieces of pages whose digits it never saw."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from hdr.reading.detector import Detector
from hdr.types import CLASSES
from tools.detector import samples
from tools.detector.digits import kept_back

SAMPLES = 2_000

SEED = 1_000_000
"""The seed of the measuring samples: no chunk for training has it."""

SAME = 0.5
"""Intersection over union from which on a box is the right one."""


def measure(content: bytes, n: int = SAMPLES) -> dict[str, Any]:
    """Shares, 0 to 1, of digits and marks found, of digits read right, and of digits found where there are none.

    Args:
        content: the network's file.
        n: how many samples.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    detector = Detector(onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"]), {})
    random = np.random.default_rng(SEED)
    digits = marks = found_digits = found_marks = right = false = 0
    for _ in range(n):
        image, boxes = samples.make(random, kept_back())
        found = detector.at_once((image.astype(np.float32) - np.float32(128)) / np.float32(31))
        for kind, *box in boxes.tolist():
            if kind < 0:
                continue
            hits = [f for f in found if share(f.box, np.array(box)) > SAME]
            found = [f for f in found if f not in hits]
            if kind == samples.IGNORED:
                continue
            if kind < CLASSES:
                hit = [f for f in hits if f.kind == "digit"]
                digits, found_digits = digits + 1, found_digits + bool(hit)
                right += bool(hit) and hit[0].label == kind
            else:
                marks, found_marks = marks + 1, found_marks + any(f.kind != "digit" for f in hits)
        false += sum(f.kind == "digit" for f in found)
    return {
        "samples": n,
        "digits": digits,
        "marks": marks,
        "digits_found": round(found_digits / digits, 4),
        "digits_read": round(right / digits, 4),
        "marks_found": round(found_marks / marks, 4),
        "false_digits": round(false / digits, 4),
    }


def share(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Intersection over union of two boxes of x, y, width and height."""
    high = np.minimum(one[:2] + one[2:], other[:2] + other[2:])
    shared = float(np.prod(np.maximum(high - np.maximum(one[:2], other[:2]), 0)))
    return shared / (float(np.prod(one[2:]) + np.prod(other[2:])) - shared)
