"""Lined and squared paper: where its lines run, and how to take them off without cutting the strokes across them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

STEEPEST = 8.0
"""Degrees up to which paper may be turned for its lines to be found."""

COVERED, COVERED_ALONE = 0.7, 0.85
"""A line of the ruling is to be seen along this share of the page; where it is the only one, along the second share.
The bar of a large 7 is shorter."""

MOST_LINES = 120
"""Most lines that are taken off in a direction."""

_COARSE = 500
_STRIPS = 12
_BAND = 6
# Rows to both sides of a line that are looked at.


@dataclass(frozen=True)
class Ruling:
    """Lines of a page that was turned until they lie level.

    Attributes:
        matrix: float64 (2, 3), from the turned page to the page as it was.
        angle: degrees by which it was turned.
        shape: height and width of the turned page.
        across: rows of each line that runs from left to right, float64 (lines, w).
        down: columns of each line that runs from top to bottom, float64 (lines, h).
    """

    matrix: NDArray[np.float64]
    angle: float
    shape: tuple[int, int]
    across: NDArray[np.float64]
    down: NDArray[np.float64]


def find_ruling(contrast: NDArray[np.float32], noise: float, full: float) -> Ruling | None:
    """Find the lines that paper is printed with, or None where it is plain.

    The page is turned by small angles; where its sums over rows and over columns are most jagged, lines lie level. A
    line counts where it stands out from both its sides along most of the page, which no row of digits does.

    Args:
        contrast: float32 (h, w), how far each pixel differs from the paper towards ink.
        noise: standard deviation of the paper.
        full: contrast of a full stroke.
    """
    if min(contrast.shape) < 40:
        return None
    capped = np.clip(contrast, 0, max(0.35 * full, 3 * noise))
    angle = _level_angle(capped)
    matrix, shape = _turning(contrast.shape, angle)
    level = _turn(capped, matrix, shape)
    inside = _turn(np.ones_like(capped), matrix, shape) > 0.99
    across = _lines(level, inside, noise, full)
    down = _lines(np.ascontiguousarray(level.T), np.ascontiguousarray(inside.T), noise, full)
    if len(across) + len(down) == 0:
        return None
    return Ruling(matrix, angle, shape, across, down)


def _turning(shape: tuple[int, ...], angle: float) -> tuple[NDArray[np.float64], tuple[int, int]]:
    h, w = shape
    turn = cv2.getRotationMatrix2D((0, 0), angle, 1.0)
    corners = np.array([[0, 0], [w, 0], [0, h], [w, h]]) @ turn[:, :2].T
    turn[:, 2] = -corners.min(axis=0)
    size = np.ceil(np.ptp(corners, axis=0)).astype(int)
    return cv2.invertAffineTransform(turn), (int(size[1]), int(size[0]))


def _turn(picture: NDArray[np.float32], matrix: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float32]:
    return cv2.warpAffine(picture, matrix, shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def _level_angle(capped: NDArray[np.float32]) -> float:
    scale = min(1.0, _COARSE / max(capped.shape))
    small = cv2.resize(capped, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    angles = np.arange(-STEEPEST, STEEPEST + 0.01, 0.5)
    best = angles[np.argmax([_jaggedness(small, a) for a in angles])]
    for step in (0.2, 0.08):
        angles = best + np.arange(-2, 3) * step
        best = angles[np.argmax([_jaggedness(small, a) for a in angles])]
    return float(best)


def _jaggedness(picture: NDArray[np.float32], angle: float) -> float:
    matrix, shape = _turning(picture.shape, angle)
    turned = _turn(picture, matrix, shape)
    # The corners of a turned page are cut off; what is left is as large for all angles.
    dy, dx = (int(0.07 * s) for s in shape)
    turned = turned[dy : shape[0] - dy, dx : shape[1] - dx]
    return float(sum(np.square(np.diff(turned.mean(axis=axis), 2)).sum() for axis in (0, 1)))


def _lines(level: NDArray[np.float32], inside: NDArray[np.bool_], noise: float, full: float) -> NDArray[np.float64]:
    """Rows of level lines, float64 (lines, w)."""
    seen = np.maximum(inside.sum(axis=1), 1)
    profile = level.sum(axis=1) / seen * (seen > 0.4 * level.shape[1])
    around = cv2.blur(profile[:, None].astype(np.float32), (1, 4 * _BAND + 1))[:, 0]
    rise = profile - around
    peaks = np.flatnonzero((rise[1:-1] >= rise[:-2]) & (rise[1:-1] > rise[2:])) + 1
    peaks = peaks[rise[peaks] > max(0.1 * noise, 0.02 * full)]
    peaks = peaks[np.argsort(-rise[peaks])][: 2 * MOST_LINES]
    found: list[NDArray[np.float64]] = []
    shares: list[float] = []
    for row in peaks.tolist():
        path = _follow(level, row)
        share = _seen_share(level, inside, path, noise, full)
        if share >= COVERED and all(np.abs(path - other).min() > 3 for other in found):
            found.append(path)
            shares.append(share)
    if not found or (len(found) == 1 and shares[0] < COVERED_ALONE):
        return np.empty((0, level.shape[1]))
    return np.array(found[:MOST_LINES])


def _follow(level: NDArray[np.float32], row: int) -> NDArray[np.float64]:
    """The line's rows over all columns: paper bends a little, so it is looked for strip by strip."""
    h, w = level.shape
    low, high = max(0, row - _BAND), min(h, row + _BAND + 1)
    edges = np.linspace(0, w, _STRIPS + 1).astype(int)
    middles = (edges[:-1] + edges[1:]) / 2
    band = np.add.reduceat(level[low:high], edges[:-1], axis=1) / np.maximum(np.diff(edges), 1)
    band = band - np.median(band, axis=0)
    places, strengths = low + band.argmax(axis=0), band.max(axis=0)
    # Far from where the whole line is, a strip has found something else.
    weights = np.maximum(strengths, 0) / (1 + ((places - row) / 2.0) ** 2)
    if np.count_nonzero(weights) < 4:
        return np.full(w, float(row))
    fitted = np.polynomial.Polynomial.fit(middles, places, 2, w=np.sqrt(weights))
    return np.clip(fitted(np.arange(w)), low, high - 1)


def _band(picture: NDArray[np.float32], path: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    offsets = np.arange(-_BAND, _BAND + 1)
    rows = np.clip(np.rint(path).astype(np.int64) + offsets[:, None], 0, picture.shape[0] - 1)
    return rows, np.broadcast_to(np.arange(picture.shape[1]), rows.shape)


def _seen_share(
    level: NDArray[np.float32], inside: NDArray[np.bool_], path: NDArray[np.float64], noise: float, full: float
) -> float:
    rows, columns = _band(level, path)
    # Along the line grain averages out.
    band = cv2.blur(level[rows, columns], (15, 1))
    line, beside = band[_BAND - 1 : _BAND + 2].max(axis=0), np.maximum(band[:2].mean(axis=0), band[-2:].mean(axis=0))
    known = inside[rows[_BAND], columns[_BAND]] & (beside < 0.2 * full + noise)
    if known.sum() < 0.35 * len(path):
        return 0.0
    return float((line - beside > max(0.35 * noise, 0.03 * full))[known].mean())


def without_ruling(contrast: NDArray[np.float32], ruling: Ruling, noise: float, full: float) -> NDArray[np.float32]:
    """The turned page without its lines.

    Along a line its own contrast is the median; what exceeds that is ink and stays. Where a stroke comes in above a
    line and goes out below it, it is closed between.

    Returns:
        float32 of the ruling's shape, as `contrast`.
    """
    out = _turn(contrast, ruling.matrix, ruling.shape)
    for path in ruling.across:
        _erase(out, path, noise, full)
    turned = np.ascontiguousarray(out.T)
    for path in ruling.down:
        _erase(turned, path, noise, full)
    return np.ascontiguousarray(turned.T)


def _erase(page: NDArray[np.float32], path: NDArray[np.float64], noise: float, full: float) -> None:
    rows, columns = _band(page, path)
    band = page[rows, columns]
    edges = np.linspace(0, band.shape[1], _STRIPS + 1).astype(int)
    parts = [np.percentile(band[:, a:b], 45, axis=1) for a, b in pairwise(edges) if b > a]
    middles = [(a + b) / 2 for a, b in pairwise(edges) if b > a]
    # A strip that is full of ink must not raise the line's own contrast.
    own = np.minimum(np.array(parts), np.percentile(parts, 75, axis=0) * 1.3 + 1).T
    own = np.array([np.interp(np.arange(band.shape[1]), middles, row) for row in own])
    peak = max(float(own[_BAND - 1 : _BAND + 2].mean(axis=1).max()), 1e-3)
    hit = np.flatnonzero(own.mean(axis=1) > 0.2 * peak)
    hit = hit[np.abs(hit - _BAND) <= 4]
    if len(hit) == 0:
        return
    first, last = int(hit.min()), int(hit.max())
    inner = band[first : last + 1]
    # The lens and unevenness leave a soft rim beside the line.
    ink = inner - own[first : last + 1] > max(3 * noise, 0.22 * full)
    kept = np.where(ink, inner, 0)
    above = band[max(first - 2, 0) : first].max(axis=0, initial=0)
    below = band[last + 1 : last + 3].max(axis=0, initial=0)
    page[rows[first : last + 1], columns[first : last + 1]] = np.maximum(kept, _bridge(above, below, last - first + 1))


def _bridge(above: NDArray[np.float32], below: NDArray[np.float32], height: int) -> NDArray[np.float32]:
    """Ink between two rows `height` rows apart, where a stroke leads straight or askew from one to the other."""
    out = np.zeros((height, len(above)), np.float32)
    places = np.arange(len(above))
    for lean in range(-height - 1, height + 2):
        # Column x of the middle lies between x - lean / 2 above and x + lean / 2 below.
        reach = np.minimum(_shifted(above, -(lean // 2)), _shifted(below, lean - lean // 2))
        for row in range(height):
            shift = round(lean * ((row + 1) / (height + 1) - 0.5))
            target = places + shift
            held = (target >= 0) & (target < len(above))
            out[row, target[held]] = np.maximum(out[row, target[held]], reach[held])
    return out


def _shifted(values: NDArray[np.float32], by: int) -> NDArray[np.float32]:
    out = np.zeros_like(values)
    if by >= 0:
        out[: len(values) - by] = values[by:]
    else:
        out[-by:] = values[:by]
    return out
