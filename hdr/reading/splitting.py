"""A line of writing becomes atoms: pieces of ink that are never parted, of which digits are put together.

Where digits may touch, more cuts are offered than are right; which of them hold is decided later, by how well the
pieces between them read (Casey and Lecolinet, A survey of methods and strategies in character segmentation, 1996).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.reading.lines import SMALLEST, TALL

NARROWEST = 0.33
"""A blot that is narrower than this share of the digits' height is never cut."""

DEEPEST = 6.0
"""Most ink that a cut may go through, in widths of a stroke."""

_REACHES, _STEP, _EDGE = (5, 12), 4, 6
# Cuts may stray so far from upright: those that may stray far all run together where there is least ink, those that may
# not stay where they were begun. They are sought every so many pixels, and not nearer to the edge of a blot.

_NEAREST = 4.0
_MOST = 20
# Least mean distance between two cuts in pixels, and most cuts in a piece that is as wide as digits are high.

_INK = 100


@dataclass(frozen=True)
class Atoms:
    """The pieces of a line, from left to right.

    Attributes:
        labels: int32 (h, w): 0 is paper, k + 1 is atom k.
        boxes: int64 (n, 4) of x0, y0, x1, y1, the last two exclusive.
        blots: int64 (n,), which blot each atom is of; a blot's atoms follow each other.
        cuts: float64 (n,), ink that the cut before each atom goes through, in widths of a stroke; 0 where there is
            nothing to cut.
    """

    labels: NDArray[np.int32]
    boxes: NDArray[np.int64]
    blots: NDArray[np.int64]
    cuts: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.boxes)


def to_atoms(ink: NDArray[np.uint8]) -> Atoms:
    """Cut a line wherever digits may touch.

    Args:
        ink: uint8 (h, w), a line as `hdr.reading.lines` gives it.
    """
    count, blots, stats, _ = cv2.connectedComponentsWithStats((ink > _INK).astype(np.uint8), connectivity=8)
    order = [k for k in range(1, count) if stats[k, 2:4].max() >= SMALLEST * TALL * 0.8]
    order.sort(key=lambda k: stats[k, 0] + stats[k, 2] / 2)
    pen = _pen(ink)
    labels = np.zeros(ink.shape, np.int32)
    owners: list[int] = []
    depths: list[float] = []
    for number, k in enumerate(order):
        x, y, w, h = (int(v) for v in stats[k, :4])
        own = blots[y : y + h, x : x + w] == k
        index = np.zeros((h, w), np.int32)
        cuts = [0.0]
        if w >= NARROWEST * TALL:
            index, cuts = _cut(np.where(own, ink[y : y + h, x : x + w], 0), pen)
        part = labels[y : y + h, x : x + w]
        part[own] = (index + 1 + len(owners))[own]
        owners += [number] * len(cuts)
        depths += cuts
    return Atoms(labels, _boxes(labels, len(owners)), np.array(owners, np.int64), np.array(depths))


def _pen(ink: NDArray[np.uint8]) -> float:
    """The width of strokes in pixels: in a bar, the mean distance from the edge is a quarter of it."""
    mask = (ink > _INK).astype(np.uint8)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 3)[mask > 0]
    return max(2.0, 4 * float(inside.mean()) - 1) if inside.size else 2.0


def _boxes(labels: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    rows, columns = np.nonzero(labels)
    atoms = labels[rows, columns] - 1
    low, high = np.full((count, 2), np.iinfo(np.int64).max), np.zeros((count, 2), np.int64)
    points = np.stack([columns, rows], axis=1)
    np.minimum.at(low, atoms, points)
    np.maximum.at(high, atoms, points + 1)
    return np.concatenate([np.minimum(low, high), high], axis=1)


def _cut(blot: NDArray[np.uint8], pen: float) -> tuple[NDArray[np.int32], list[float]]:
    """Which atom each pixel is of, int32 (h, w) from 0, and for each atom how deep the cut before it is."""
    found = [_seams(blot, reach) for reach in _REACHES]
    paths, depths = np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found]) / pen
    chosen: list[int] = []
    most = int(3 + _MOST * blot.shape[1] / TALL)
    for k in np.argsort(depths, kind="stable").tolist():
        if depths[k] > DEEPEST or len(chosen) >= most:
            break
        # Two cuts may run together for a while, but there must be something between them.
        if (np.abs(paths[chosen] - paths[k]).mean(axis=1) > _NEAREST).all():
            chosen.append(k)
    chosen.sort(key=lambda k: paths[k].mean())
    index = np.zeros(blot.shape, np.int32)
    columns, kept = np.arange(blot.shape[1]), [0.0]
    edge = np.full(blot.shape[0], -1)
    whole = np.count_nonzero(blot)
    for k in chosen:
        path = np.maximum(paths[k], edge)
        right = columns > path[:, None]
        piece = np.count_nonzero(blot[(index == len(kept) - 1) & ~right])
        if piece < 0.02 * whole or np.count_nonzero(blot[right]) < 0.02 * whole:
            continue
        index[right] = len(kept)
        kept.append(float(depths[k]))
        edge = path
    return index, kept


def _seams(blot: NDArray[np.uint8], reach: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Ways from top to bottom that go through least ink, one near each of many columns (dynamic programming).

    Returns:
        Columns int64 (ways, h), the last ones left of each way, and the ink that each goes through, in pixels.
    """
    h, w = blot.shape
    starts = np.arange(_EDGE, w - _EDGE, _STEP)
    if len(starts) == 0:
        return np.zeros((0, h), np.int64), np.zeros(0)
    cost = np.pad(blot.astype(np.float32) / 255, ((0, 0), (reach, reach)), constant_values=3)
    # Each way has a window of its own: (ways, window).
    windows = starts[:, None] + np.arange(2 * reach + 1)
    strip = cost[:, windows]
    straight = strip + 0.02
    # A slanted step is longer.
    slanted = straight * np.float32(1.3)
    # At either end of a window stands what no way goes through.
    total = np.full((h, len(starts), windows.shape[1] + 2), 1e6, np.float32)
    came = np.zeros(strip.shape, np.int8)
    total[0, :, 1:-1] = straight[0]
    for row in range(1, h):
        left, above, right = total[row - 1, :, :-2] + 0.02, total[row - 1, :, 1:-1], total[row - 1, :, 2:] + 0.02
        least = np.minimum(left, above)
        from_left, from_right = left <= above, right < least
        came[row] = np.where(from_right, 1, -from_left.view(np.int8))
        total[row, :, 1:-1] = np.minimum(least, right) + np.where(came[row] == 0, straight[row], slanted[row])
    paths = np.empty((len(starts), h), np.int64)
    ways = np.arange(len(starts))
    place = total[-1, :, 1:-1].argmin(axis=1)
    for row in range(h - 1, -1, -1):
        paths[:, row] = place
        place = place + came[row, ways, place]
    ink = np.take_along_axis(strip, paths.T[:, :, None], axis=2)[:, :, 0].sum(axis=0)
    return paths + starts[:, None] - reach, ink.astype(np.float64)
