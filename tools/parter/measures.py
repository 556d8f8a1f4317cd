"""How well the parter does on made lines of digits that it never saw, and the temperature that makes it honest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from hdr.reading.windows import Windows
from tools.parter import samples
from tools.parter.network import Parter, tensor
from tools.reader import data
from tools.reader.measures import calibration_error, temperature

CHUNKS = 3
"""Chunks of 4,096 samples that choose the temperature, and as many more that measure."""

FIRST = 1_000_000
"""Number of the first of them: training never gets so far."""


def unseen(material: data.Material, first: int) -> samples.Chunk:
    """Samples made of MNIST's validation digits and of the held-out writers'."""
    own = replace(material, images=material.val_images, labels=material.val_labels, pen=material.held_out)
    made = [samples.make(FIRST + first + i, material=own) for i in range(CHUNKS)]
    return np.concatenate([w for w, _ in made]), np.concatenate([c for _, c in made])


@torch.no_grad()
def scores(net: Parter, windows: Windows, batch: int = 500) -> NDArray[np.float64]:
    """Scores (n, 11) before any temperature."""
    parts = [net.eval()(tensor(windows[i : i + batch])) for i in range(0, len(windows), batch)]
    return torch.cat(parts).double().numpy()


def chosen_temperature(net: Parter, material: data.Material) -> float:
    """The temperature with the least negative log likelihood."""
    windows, classes = unseen(material, 0)
    return temperature(scores(net, windows), classes.astype(np.uint8))


def measure(content: bytes, material: data.Material) -> dict[str, Any]:
    """Shares, 0 to 1, on samples that nothing was chosen by.

    Args:
        content: the file.
        material: the digits.
    """
    windows, classes = unseen(material, CHUNKS)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    parts = [session.run(None, {"windows": windows[i : i + 500]})[0] for i in range(0, len(windows), 500)]
    said = np.concatenate(parts)
    digits = classes != samples.NONE
    return {
        "digits": int(digits.sum()),
        "others": int((~digits).sum()),
        "taken_for_digits": round(float((said[digits, samples.NONE] < 0.5).mean()), 4),
        "read_right": round(float((said[digits, : samples.NONE].argmax(axis=1) == classes[digits]).mean()), 4),
        "others_refused": round(float((said[~digits, samples.NONE] >= 0.5).mean()), 4),
        "ece": round(calibration_error(said, classes.astype(np.uint8)), 5),
    }
