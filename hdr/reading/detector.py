"""Where a grey page has digits and marks: one network looks at the picture at several sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.reading.network_file import load as load_network
from hdr.types import CLASSES

FILE = Path(__file__).with_name("detector.onnx")
"""Where the network's file lies."""

KINDS = ("digit", "point", "dash", "slash", "colon", "other")
"""Kinds that the network finds: a digit, and marks that are no digits. A comma is a point."""

AROUND = 97
"""Pixels across which light and contrast are evened out, as the network sees the picture."""

LEAST_CONTRAST = 5.0
"""Grey levels below which differences are grain."""

STRIDE, UNIT = 4, 24.0
"""Pixels of the picture for each place of the network's output, and the side of a box whose logarithm is 0."""

SMALLEST, LARGEST = 18.0, 56.0
"""Heights of digits that the network finds, in pixels that it gets."""

MOST_AT_ONCE = 600_000
"""Pixels of the largest picture that is looked at as a whole. Small digits are looked for again in the
enlarged picture."""

SURE, UNSURE = 0.5, 0.33
"""The least score of a find: by itself, and beside digits of about its height."""

SLASH_LESS = 0.3
"""A slash needs a score higher by this than a digit at the same place: most slashes are ones that lean."""


@dataclass(frozen=True, eq=False)
class Found:
    """A digit or a mark.

    Attributes:
        kind: one of `KINDS`.
        box: float64 (4,) of x, y, width, height in pixels of the picture.
        score: 0 to 1, how sure it is that it is there.
        probabilities: float64 (10,), which digit it is, given that it is one.
    """

    kind: str
    box: NDArray[np.float64]
    score: float
    probabilities: NDArray[np.float64]

    @property
    def label(self) -> int:
        """The most probable digit."""
        return int(self.probabilities.argmax())


class Detector:
    """The network. One may be shared by all threads.

    Attributes:
        metadata: the metadata of the file.
    """

    def __init__(self, session: Any, metadata: Mapping[str, Any]) -> None:
        self._session = session
        self.metadata = MappingProxyType(dict(metadata))

    def find(self, grey: NDArray[np.uint8]) -> list[Found]:
        """Everything on a page, the surest first.

        Args:
            grey: uint8 (h, w), at least one pixel.
        """
        area, side = grey.size, min(grey.shape)
        scale = min(1.0, (MOST_AT_ONCE / area) ** 0.5)
        found: list[Found] = []
        at = scale
        while True:
            found += self._at(grey, at)
            if side * at < 1.5 * LARGEST:
                break
            at /= 2
        heights = [f.box[3] for f in apart(found) if f.kind == "digit"]
        small = not heights or float(np.median(heights)) * scale < 1.5 * SMALLEST
        if small and area * scale * scale <= MOST_AT_ONCE:
            found += self._at(grey, 2 * scale)
        return apart(found)

    def _at(self, grey: NDArray[np.uint8], scale: float) -> list[Found]:
        h, w = (max(1, round(v * scale)) for v in grey.shape)
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        picture = cv2.resize(grey, (w, h), interpolation=way) if (h, w) != grey.shape else grey
        size = np.array([grey.shape[1] / w, grey.shape[0] / h] * 2)
        return [replace(one, box=one.box * size) for one in self._run(evened(picture))]

    def at_once(self, picture: NDArray[np.float32]) -> list[Found]:
        """Everything on an evened picture, seen at its own size only, the surest first."""
        return apart(self._run(picture))

    def _run(self, picture: NDArray[np.float32]) -> list[Found]:
        h, w = picture.shape
        room = np.zeros((1, 1, -(-h // 16) * 16, -(-w // 16) * 16), np.float32)
        room[0, 0, :h, :w] = picture
        peaks, rest = self._session.run(["peaks", "rest"], {"evened": room})
        kinds, rows, columns = np.nonzero(peaks[0] >= UNSURE)
        if not len(kinds):
            return []
        rest = rest[0][:, rows, columns].astype(np.float64)
        digits = np.exp(rest[:CLASSES] - rest[:CLASSES].max(axis=0))
        digits /= digits.sum(axis=0)
        dx, dy, wide, high = rest[CLASSES:]
        wide, high = (UNIT * np.exp(np.clip(v, -4, 3)) for v in (wide, high))
        x, y = (columns + 0.5 + dx) * STRIDE - wide / 2, (rows + 0.5 + dy) * STRIDE - high / 2
        scores = peaks[0][kinds, rows, columns]
        boxes = np.stack([x, y, wide, high], axis=1)
        return [
            Found(KINDS[k], box, float(score), p)
            for k, box, score, p in zip(kinds, boxes, scores, digits.T, strict=True)
        ]


@lru_cache(maxsize=1)
def load(path: Path = FILE) -> Detector:
    """The network, read from its file once.

    Raises:
        ReaderError: the file is missing, damaged or not what it should be.
    """
    return load_network(path, Detector)


def evened(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Grey with even light and contrast: 0 is the level around a place, 1 the usual difference from it.

    Args:
        grey: uint8 (h, w), as large as the network gets it.

    Returns:
        float32 (h, w), -4 to 4.
    """
    x = grey.astype(np.float32)
    size = (AROUND, AROUND)
    mean = cv2.boxFilter(x, -1, size, borderType=cv2.BORDER_REFLECT)
    square = cv2.boxFilter(x * x, -1, size, borderType=cv2.BORDER_REFLECT)
    spread = np.sqrt(np.maximum(square - mean * mean, 0))
    return np.clip((x - mean) / (spread + LEAST_CONTRAST), -4, 4)


def apart(found: Sequence[Found]) -> list[Found]:
    """Of those that are at the same place, the surest; unsure ones only where a row has room for them.

    Args:
        found: in any order, with scores of at least `UNSURE`.

    Returns:
        The surest first.
    """
    kept: list[Found] = []
    for one in sorted(found, key=lambda f: -(f.score - SLASH_LESS * (f.kind == "slash"))):
        if any(_same(one, other) for other in kept):
            continue
        if one.score >= SURE or (one.kind == "digit" and any(_beside(one, other) for other in kept)):
            kept.append(one)
    digits = [one for one in kept if one.kind == "digit"]
    if not digits:
        return kept
    surest = digits[:3]
    score, height = np.median([one.score for one in surest]), np.median([one.box[3] for one in surest])

    def grain(one: Found) -> bool:
        """Whether it is a small and unsure digit that is in no row: such ones are seen in the grain of paper."""
        unlikely = one.kind == "digit" and one.score < 0.8 * score and one.box[3] < 0.6 * height
        return unlikely and not any(o is not one and o.score > 0.6 and _beside(one, o) for o in digits)

    return [one for one in kept if not grain(one)]


def _beside(one: Found, other: Found) -> bool:
    """Whether both can be neighbours in a row: digits of about one height, at one level."""
    away = abs(one.box[0] + one.box[2] / 2 - other.box[0] - other.box[2] / 2)
    near = away < 2.2 * max(one.box[3], other.box[3])
    alike = 0.55 < one.box[3] / other.box[3] < 1.8
    return bool(other.kind == "digit" and near and alike and _level(one, other) > SAME_ROW)


def _same(one: Found, other: Found) -> bool:
    low = np.maximum(one.box[:2], other.box[:2])
    high = np.minimum(one.box[:2] + one.box[2:], other.box[:2] + other.box[2:])
    shared = float(np.prod(np.maximum(high - low, 0)))
    areas = [float(np.prod(f.box[2:])) for f in (one, other)]
    if shared > 0.45 * (sum(areas) - shared):
        return True
    # A point may be under the arm of a 7; a smaller digit within a larger one is a part of it.
    return shared > 0.65 * min(areas) and {one.kind, other.kind} != {"point", "digit"}


SAME_ROW = 0.35
"""Two digits of a row share at least this part of the height of the lower digit."""


def in_rows(found: Sequence[Found]) -> list[list[Found]]:
    """Digits in reading order, row by row; marks among them where they are.

    A row's next digit overlaps its last one in height.
    """
    rows: list[list[Found]] = []
    for one in sorted(found, key=lambda f: f.box[0] + f.box[2] / 2):
        if one.kind != "digit":
            continue
        fits = [(_level(row[-1], one), k) for k, row in enumerate(rows)]
        best, k = max(fits, default=(0.0, -1))
        if best > SAME_ROW:
            rows[k].append(one)
        else:
            rows.append([one])
    rows.sort(key=lambda row: float(np.mean([f.box[1] + f.box[3] / 2 for f in row])))
    return rows


def _level(one: Found, other: Found) -> float:
    """How much of the lower of two boxes' heights both share."""
    low, high = max(one.box[1], other.box[1]), min(one.box[1] + one.box[3], other.box[1] + other.box[3])
    return float((high - low) / min(one.box[3], other.box[3]))
