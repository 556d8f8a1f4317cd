"""A page to digits: ink, lines, pieces, hypotheses, and the most probable reading."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hdr.reading.ink_parting import part_lines
from hdr.reading.lines import find_lines
from hdr.reading.paper import to_sheet
from hdr.reading.ready import on_pages
from hdr.types import Classifier, DigitReading, Reading, Stage


def read_page(grey: NDArray[np.uint8], model: Classifier, judges: Classifier | None = None) -> Reading:
    """Read all digits of a picture.

    Args:
        grey: uint8 (h, w), a photo or scan in either polarity, on plain, lined or squared paper.
        model: what reads.
        judges: what decides which pieces of ink make up a digit; the model itself where none is given.

    Returns:
        At most `MOST_DIGITS` digits, line by line from left to right, with their boxes in pixels of the picture and
        their stages; those of the page are in the reading. None where the picture is blank.
    """
    model, judges = on_pages(model), on_pages(judges or model)
    sheet = to_sheet(grey)
    lines = find_lines(sheet.ink, turn=sheet.turned is None)
    parted = part_lines(lines, judges)
    parts = [(line, part) for line, parts in zip(lines, parted, strict=False) for part in parts]
    if not parts:
        return Reading((), stages=sheet.stages)
    images = np.stack([part.image for _, part in parts])
    found = np.asarray(model.predict_proba(images), np.float64)
    if judges is model:
        # What was cut from its neighbours is read better in its surroundings.
        found = np.stack(
            [part.judged.probabilities[0] if part.cut else p for (_, part), p in zip(parts, found, strict=True)]
        )
    digits = []
    for (line, part), p in zip(parts, found, strict=True):
        stages = (Stage("captured", part.image), *model.stages(part.image))
        digits.append(
            DigitReading(int(p.argmax()), p, box_of(part.points, (line.matrix, sheet.matrix), grey.shape), stages)
        )
    return Reading(tuple(digits), tuple(len(parts) for parts in parted if parts), sheet.stages)


def box_of(
    points: NDArray[np.float64], ways: Sequence[NDArray[np.float64]], shape: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """The box of a part in the picture: around its pixels, since a turned box would be too large.

    Args:
        points: float64 (n, 2), x and y in the line.
        ways: matrices (2, 3), one after the other, from the line to the picture.
        shape: height and width of the picture.
    """
    for matrix in ways:
        points = points @ matrix[:, :2].T + matrix[:, 2]
    limit = (shape[1] - 1, shape[0] - 1)
    low = np.clip(np.floor(points.min(axis=0)), 0, limit).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)), 0, limit).astype(int)
    return int(low[0]), int(low[1]), int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1
