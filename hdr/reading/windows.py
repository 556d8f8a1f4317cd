"""What stands around a piece of a line: windows with the piece's own ink, and with everybody else's."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.reading.lines import TALL
from hdr.reading.splitting import Atoms
from hdr.types import Strokes

HEIGHT, WIDTH = 32, 48
"""A window's size in pixels."""

PEN = 2.4
"""Width of the pen with which strokes are drawn into a window, in its pixels."""

FINE = 4
"""Pixels of a line per pixel of a window: digits, 80 pixels high in a line, are 20 high in a window."""

_TO_BEGIN = 12
# What it takes to begin a stroke, in points.

Windows = NDArray[np.uint8]
"""uint8 (n, 2, 32, 48): the piece's own ink and that around it, 255 on 0, the piece in the middle."""


def windows(ink: NDArray[np.uint8], atoms: Atoms, spans: NDArray[np.int64]) -> Windows:
    """Windows of a line, one around each run of atoms.

    Args:
        ink: uint8 (h, w), a line as `hdr.reading.lines` gives it.
        atoms: its pieces.
        spans: int64 (n, 2), the first atom and the one after the last.
    """
    half = np.array([WIDTH, HEIGHT]) * FINE // 2
    ink = cv2.copyMakeBorder(ink, half[1], half[1], half[0], half[0], cv2.BORDER_CONSTANT)
    labels = cv2.copyMakeBorder(atoms.labels, half[1], half[1], half[0], half[0], cv2.BORDER_CONSTANT)
    out = np.empty((len(spans), HEIGHT, WIDTH, 2), np.uint8)
    for window, (first, after) in zip(out, spans.tolist(), strict=True):
        low = atoms.boxes[first:after, :2].min(axis=0)
        x, y = ((low + atoms.boxes[first:after, 2:].max(axis=0)) // 2).tolist()
        part = np.s_[y : y + 2 * half[1], x : x + 2 * half[0]]
        own = cv2.inRange(labels[part], first + 1, after)
        inked = ink[part]
        mine = cv2.bitwise_and(inked, own)
        both = cv2.merge([mine, inked - mine])
        cv2.resize(both, (WIDTH, HEIGHT), dst=window, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(out.transpose(0, 3, 1, 2))


def stroke_windows(strokes: Strokes, tall: float, spans: NDArray[np.int64]) -> Windows:
    """Windows of a line of strokes, one around each run of them.

    Args:
        strokes: of one line, in their order; any unit, y down.
        tall: the height of the line's digits, in the same unit.
        spans: int64 (n, 2), the first stroke and the one after the last.
    """
    size = np.array([WIDTH, HEIGHT]) * FINE
    lines = [s * (TALL / tall) for s in strokes]
    lows, highs = np.array([s.min(axis=0) for s in lines]), np.array([s.max(axis=0) for s in lines])
    out = np.empty((len(spans), HEIGHT, WIDTH, 2), np.uint8)
    for window, (first, after) in zip(out, spans.tolist(), strict=True):
        corner = (lows[first:after].min(axis=0) + highs[first:after].max(axis=0)) / 2 - size / 2
        near = np.flatnonzero((highs >= corner).all(axis=1) & (lows <= corner + size).all(axis=1)).tolist()
        own = _drawn([lines[k] for k in range(first, after)], corner, size)
        others = _drawn([lines[k] for k in near if not first <= k < after], corner, size)
        both = cv2.merge([own, cv2.min(others, 255 - own)])
        cv2.resize(both, (WIDTH, HEIGHT), dst=window, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(out.transpose(0, 3, 1, 2))


def points_to_draw(strokes: Strokes, tall: float, spans: NDArray[np.int64]) -> int:
    """About how many points the windows of a line of strokes take: each stroke is drawn anew for every run it is near.

    Args:
        strokes, tall, spans: as `stroke_windows` takes them.
    """
    half = np.array([WIDTH, HEIGHT]) * FINE * tall / TALL / 2
    counts = np.array([len(s) + _TO_BEGIN for s in strokes])
    lows, highs = np.array([s.min(axis=0) for s in strokes]), np.array([s.max(axis=0) for s in strokes])
    total = 0
    for first, after in spans.tolist():
        middle = (lows[first:after].min(axis=0) + highs[first:after].max(axis=0)) / 2
        near = (highs >= middle - half).all(axis=1) & (lows <= middle + half).all(axis=1)
        near[first:after] = True
        total += int(counts[near].sum())
    return total


def _drawn(lines: Strokes, corner: NDArray[np.float64], size: NDArray[np.int64]) -> NDArray[np.uint8]:
    canvas = np.zeros((int(size[1]), int(size[0])), np.uint8)
    for line in lines:
        # Sixteenths of a pixel; what runs far out of the window is cut off there.
        points = np.rint(np.clip(line - corner, -4 * size, 4 * size) * 16).astype(np.int32)
        points = np.repeat(points, 2, axis=0) if len(points) == 1 else points
        cv2.polylines(canvas, [points], False, 255, round(PEN * FINE), cv2.LINE_AA, 4)
    return canvas
