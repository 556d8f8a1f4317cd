"""Blots of ink become lines of writing, each turned level and brought to one height."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

TALL = 80
"""Height in pixels of the digits of a line that was brought to its own size."""

SMALLEST = 0.1
"""Blots that are smaller than this share of the digits' height are dirt."""

LOWEST = 7
"""Digits that are less than this high in pixels cannot be told from dirt."""

BODY = 0.45
"""A blot that is at least so tall, as a share of the digits' height, shows where a line runs; smaller ones are
parts of digits, commas and dots."""

FARTHEST = 2.5
"""Widest gap between neighbours in a line, in heights of digits."""

STEEPEST = 12.0
"""Degrees by which a line may rise or fall and be turned level."""

MOST_BLOTS = 400
"""Most blots of a page that are looked at; the largest are taken."""

MARGIN = 8
"""Empty pixels around a line."""

_LONGEST = 9_000
_INK = 100


@dataclass(frozen=True)
class Line:
    """A line of writing.

    Attributes:
        ink: uint8 (h, w), its own ink only, its digits about `TALL` pixels high.
        matrix: float64 (2, 3), from a point x, y of `ink` to one of the sheet.
    """

    ink: NDArray[np.uint8]
    matrix: NDArray[np.float64]


def find_lines(ink: NDArray[np.uint8], turn: bool = True) -> list[Line]:
    """Find the lines of writing, from top to bottom.

    Args:
        ink: uint8 (h, w), ink 255 on 0.
        turn: whether lines that rise or fall are turned level.

    Returns:
        Lines; none where there is no ink, or nothing but dirt, frames and shadows.
    """
    if ink.size == 0 or not ink.any():
        return []
    _, labels, stats, _ = cv2.connectedComponentsWithStats((ink > _INK).astype(np.uint8), connectivity=8)
    known = np.flatnonzero(_are_writing(stats, ink.shape))
    if len(known) == 0:
        return []
    known = known[np.argsort(-stats[known, 2:4].max(axis=1), kind="stable")][:MOST_BLOTS]
    tall = usual_height(stats[known, 3])
    if tall < LOWEST:
        return []
    known = known[stats[known, 2:4].max(axis=1) >= SMALLEST * tall]
    bodies = known[stats[known, 3] >= BODY * tall]
    rows = in_rows(stats[bodies, :4].astype(np.float64), tall)
    rest = known[~np.isin(known, bodies)]
    lines = []
    for row in rows:
        own = bodies[row]
        near = [k for k in rest if _belongs(stats[k], stats[own], tall)]
        rest = rest[~np.isin(rest, near)]
        lines.append(_line(ink, labels, stats, np.array([*own, *near]), own, turn))
    return lines


def usual_height(heights: NDArray) -> float:
    """The height of digits among heights of blots: the median, where each counts by its square, so dirt does not."""
    order = np.sort(heights.astype(np.float64))
    weights = np.cumsum(order**2)
    return float(order[np.searchsorted(weights, weights[-1] / 2)])


def _are_writing(stats: NDArray[np.int32], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    h, w = shape
    x, y, wide, high, area = stats.T
    share = area / np.maximum(wide * high, 1)
    across, down = (x == 0) & (wide == w), (y == 0) & (high == h)
    # From edge to edge run frames, folds and the shadow of the camera.
    found = ~((across | down) & ((share < 0.12) | (share > 0.6)) | (across & down & (len(stats) > 2)))
    found &= np.maximum(wide, high) >= 3
    found[0] = False
    return found


def in_rows(boxes: NDArray[np.float64], tall: float) -> list[NDArray[np.int64]]:
    """Boxes that stand beside each other, from top to bottom.

    Args:
        boxes: float64 (n, 4) of x, y, width, height.
        tall: height of digits.

    Returns:
        For each row the indices of its boxes, from left to right.
    """
    from scipy.sparse.csgraph import connected_components

    x, y, w, h = boxes.T
    overlap = np.minimum.outer(y + h, y + h) - np.maximum.outer(y, y)
    gap = np.maximum.outer(x, x) - np.minimum.outer(x + w, x + w)
    beside = (overlap >= 0.4 * np.minimum.outer(h, h)) & (gap <= FARTHEST * tall)
    count, groups = connected_components(beside, directed=False)
    found = [np.flatnonzero(groups == g) for g in range(count)]
    found.sort(key=lambda row: float(np.mean(y[row] + h[row] / 2)))
    rows: list[NDArray[np.int64]] = []
    for row in found:
        middle, before = _middle(boxes, row), _middle(boxes, rows[-1]) if rows else -np.inf
        # What stands apart to the side, at the same height, goes on with the row.
        if abs(middle - before) < 0.4 * tall and _apart(boxes, rows[-1], row):
            rows[-1] = np.concatenate([rows[-1], row])
        else:
            rows.append(row)
    return [row[np.argsort(x[row] + w[row] / 2, kind="stable")] for row in rows]


def _middle(boxes: NDArray[np.float64], row: NDArray[np.int64]) -> float:
    return float(np.mean(boxes[row, 1] + boxes[row, 3] / 2))


def _apart(boxes: NDArray[np.float64], one: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    ends = [(boxes[row, 0].min(), (boxes[row, 0] + boxes[row, 2]).max()) for row in (one, other)]
    return bool(ends[0][1] <= ends[1][0] or ends[1][1] <= ends[0][0])


def _belongs(blot: NDArray[np.int32], bodies: NDArray[np.int32], tall: float) -> bool:
    """Whether a small blot stands within reach of a line's bodies: over, under or between them."""
    x, y, w, h = (float(v) for v in blot[:4])
    gaps = np.maximum(bodies[:, 0], x) - np.minimum(bodies[:, 0] + bodies[:, 2], x + w)
    falls = np.maximum(bodies[:, 1], y) - np.minimum(bodies[:, 1] + bodies[:, 3], y + h)
    return bool(((gaps <= 0.5 * tall) & (falls <= 0.3 * tall)).any())


def _line(
    ink: NDArray[np.uint8],
    labels: NDArray[np.int32],
    stats: NDArray[np.int32],
    blots: NDArray[np.int64],
    bodies: NDArray[np.int64],
    turn: bool,
) -> Line:
    low = stats[blots, :2].min(axis=0)
    high = (stats[blots, :2] + stats[blots, 2:4]).max(axis=0)
    own = np.zeros(len(stats), np.uint8)
    own[blots] = 1
    part = np.s_[max(low[1] - 2, 0) : high[1] + 2, max(low[0] - 2, 0) : high[0] + 2]
    # The soft edges of strokes are below the level at which blots are found.
    picture = ink[part] * cv2.dilate(own[labels[part]], np.ones((3, 3), np.uint8))
    origin = np.array([part[1].start, part[0].start], np.float64)
    tall = usual_height(stats[bodies, 3])
    scale = min(TALL / tall, _LONGEST / max(picture.shape))
    angle = _slope(stats[bodies], tall) if turn else 0.0
    if scale < 0.7:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 / scale)
    to_line = cv2.getRotationMatrix2D((0, 0), float(np.degrees(angle)), scale)
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * picture.shape[::-1] @ to_line[:, :2].T
    to_line[:, 2] = MARGIN - corners.min(axis=0)
    size = np.ceil(np.ptp(corners, axis=0)).astype(int) + 2 * MARGIN
    level = cv2.warpAffine(picture, to_line, (int(size[0]), int(size[1])), flags=cv2.INTER_LINEAR)
    back = cv2.invertAffineTransform(to_line)
    back[:, 2] += origin
    return Line(level, back)


def _slope(bodies: NDArray[np.int32], tall: float) -> float:
    """By how much a line falls to the right, in radians: the median over all pairs (Theil and Sen)."""
    x = bodies[:, 0] + bodies[:, 2] / 2
    first, second = np.triu_indices(len(bodies), 1)
    far = np.abs(x[second] - x[first]) > 0.5 * tall
    if len(bodies) < 3 or not far.any():
        return 0.0
    first, second = first[far], second[far]
    run = x[second] - x[first]
    feet, middles = bodies[:, 1] + bodies[:, 3], bodies[:, 1] + bodies[:, 3] / 2
    slopes = [np.median((v[second] - v[first]) / run) for v in (feet, middles)]
    limit = np.radians(STEEPEST)
    return float(np.clip(np.arctan(np.mean(slopes)), -limit, limit))
