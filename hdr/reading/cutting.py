"""A picture that holds several digits is cut into them: by the blots of ink that hang together."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.preprocessing.size_normalisation import BOX
from hdr.types import SIDE, Images

MOST_DIGITS = 60
"""Most digits that are cut out of one picture; the largest blots are taken."""

SMALLEST_SHARE = 0.2
"""Blots less tall and less wide than this share of the tallest one are dirt, commas or dots."""

WIDEST_GAP, TALLEST_WHOLE = 0.2, 1.4
"""A blot over another is a part of the same digit, as the bar of many a 5 is, where there is at most this gap between
them and both together are at most so tall, as shares of the tallest blot: else it stands in another line."""

Box = tuple[int, int, int, int]


def find_digits(ink: NDArray[np.uint8]) -> list[Box]:
    """Where the digits are, line by line from left to right.

    Args:
        ink: uint8 (h, w), ink bright on dark; grey pictures are parted by Otsu's threshold.

    Returns:
        Boxes of x, y, width, height in pixels; none where the picture is blank or full.
    """
    if ink.size == 0 or ink.min() == ink.max():
        return []
    _, mask = cv2.threshold(ink, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    found: list[Box] = [(x, y, w, h) for x, y, w, h in stats[1:, :4].tolist()]
    # A blot from edge to edge is a frame or a shadow, not a digit.
    h, w = ink.shape
    found = [b for b in found if not (b[2] == w and b[3] == h)]
    tallest = max((b[3] for b in found), default=0)
    kept = [b for b in found if max(b[2], b[3]) >= SMALLEST_SHARE * tallest and max(b[2], b[3]) >= 3]
    kept = sorted(kept, key=lambda b: -max(b[2], b[3]))[:MOST_DIGITS]
    return _in_reading_order(_joined(kept, tallest))


def _joined(parts: list[Box], tallest: int) -> list[Box]:
    waiting = list(parts)
    digits: list[Box] = []
    while waiting:
        part = waiting.pop()
        for digit in digits:
            x, y = min(part[0], digit[0]), min(part[1], digit[1])
            w, h = max(part[0] + part[2], digit[0] + digit[2]) - x, max(part[1] + part[3], digit[1] + digit[3]) - y
            beneath, gap = part[2] + digit[2] - w, h - part[3] - digit[3]
            near = gap <= WIDEST_GAP * tallest and h <= TALLEST_WHOLE * tallest
            if near and beneath >= min(part[2], digit[2]) / 2:
                digits.remove(digit)
                waiting.append((x, y, w, h))
                break
        else:
            digits.append(part)
    return digits


def _in_reading_order(found: list[Box]) -> list[Box]:
    lines: list[list[Box]] = []
    for box in sorted(found, key=_middle):
        # Of one line are two of which one has its middle beside the other: a dash stands beside a digit, not below it.
        last = lines[-1][-1] if lines else None
        if last and (_beside(last, box) or _beside(box, last)):
            lines[-1].append(box)
        else:
            lines.append([box])
    return [box for line in lines for box in sorted(line)]


def _middle(box: Box) -> float:
    return box[1] + box[3] / 2


def _beside(one: Box, other: Box) -> bool:
    return other[1] <= _middle(one) <= other[1] + other[3]


def cut(image: NDArray[np.uint8], boxes: list[Box]) -> Images:
    """Cut digits out, each into a frame of MNIST's proportions: its longer side takes 20 of 28 pixels.

    Args:
        image: uint8 (h, w).
        boxes: as `find_digits` gives them.

    Returns:
        uint8 (n, 28, 28).
    """
    out = np.zeros((len(boxes), SIDE, SIDE), np.uint8)
    for target, (x, y, w, h) in zip(out, boxes, strict=True):
        # Only what is in the box: beside a narrow 1, its neighbours would stand in the frame too.
        scale = max(w, h) / BOX
        margin = int(np.ceil(scale))
        digit = cv2.copyMakeBorder(image[y : y + h, x : x + w], *(margin,) * 4, cv2.BORDER_CONSTANT)
        # Thin strokes would be lost where pixels are skipped: they are spread out first.
        source = (
            cv2.GaussianBlur(digit, (0, 0), (scale - 1) / 2, borderType=cv2.BORDER_CONSTANT) if scale > 2 else digit
        )
        left, top = ((size + 2 * margin - SIDE * scale + scale - 1) / 2 for size in (w, h))
        matrix = np.array([[scale, 0, left], [0, scale, top]])
        cv2.warpAffine(source, matrix, (SIDE, SIDE), target, cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return out
