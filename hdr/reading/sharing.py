"""A drawing as text that is short enough for a link.

The points are thinned (Douglas and Peucker) and rounded to a grid; what is kept of each is its distance from the one
before, as whole numbers of one or two bytes; all bytes are written as base64 in the letters that addresses allow.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.catalogue import shorten
from hdr.preprocessing.size_normalisation import MAX_POINTS
from hdr.types import HdrError, Strokes

MOST_CHARACTERS = 4_000
"""Longest text that is written or read; browsers, servers and messengers all take addresses of that length."""

FINENESS = ((0.25, 4), (0.05, 16), (0.0, 64))
"""How far a thinned line may be from the drawn one, in pixels, with how many points of the grid there are per pixel:
what is tried first, and what where that is not good enough. Small drawings get less and more, in proportion."""

FARTHEST = 100_000
"""Points have to be nearer than this to the corner of the canvas, in pixels."""

_LARGE = 240
# A drawing of so many pixels is as large as most are on the canvas; a smaller one gets a finer grid in proportion.
_FINEST = 256
# Most points of the grid per pixel.
_VERSION = 1
_MOST_BYTES_OF_A_NUMBER = 5


class LinkError(HdrError):
    """A drawing cannot be written into a link, or a link holds none."""


def to_text(strokes: Strokes, same: Callable[[Strokes], bool] | None = None) -> str:
    """Write a drawing as text of letters, digits, "-" and "_" only.

    Args:
        strokes: in pixels, y down, at least one point in all; empty strokes are left out.
        same: tells of the drawing as it will come out whether it is as good as this one, such as by reading both. Where
            it is not, it is written more finely, as long as it fits.

    Returns:
        At most `MOST_CHARACTERS`; a digit takes about 140.

    Raises:
        LinkError: there is nothing to write, too much, or it lies too far away.

    Source: Douglas and Peucker, Algorithms for the reduction of the number of points required to represent a digitized
    line (1973); cv2.approxPolyDP.
    """
    strokes = [s for s in strokes if len(s)]
    if not strokes:
        raise LinkError("There is nothing to share: the drawing has no points.")
    points = np.concatenate(strokes)
    if len(points) > MAX_POINTS or not (np.abs(points) < FARTHEST).all():
        raise LinkError(f"A drawing to share has at most {MAX_POINTS:,} points, all within {FARTHEST:,} pixels.")
    texts: list[str] = []
    for tolerance, grid in FINENESS:
        text = _written(strokes, points, tolerance, grid)
        if len(text) > MOST_CHARACTERS:
            break
        texts.append(text)
        if same is None or same(from_text(text)):
            break
    if not texts:
        raise LinkError(
            f"The drawing is too long for a link: {len(text):,} characters, and {MOST_CHARACTERS:,} are allowed. Draw "
            "less, or download it instead."
        )
    return texts[-1]


def from_text(text: str) -> Strokes:
    """Read a drawing that `to_text` wrote. The text may come from anybody.

    Returns:
        At least one stroke, each a float64 (points, 2) array of x, y in pixels with at least one point.

    Raises:
        LinkError: it is not such a text, or not all of it.
    """
    content = _bytes(text)
    numbers = _numbers(content)
    grid = next(numbers, 0)
    if not 1 <= grid <= _FINEST:
        raise LinkError("The link's drawing is damaged: its grid is not one that is written.")
    strokes: Strokes = []
    last = np.zeros(2, np.int64)
    for count in numbers:
        # Every point takes two bytes or more, so that a count cannot promise more than there is.
        if not 1 <= count <= len(content):
            raise LinkError("The link's drawing is damaged: a stroke has more points than there are, or none.")
        coded = np.array([value for _, value in zip(range(2 * count), numbers, strict=False)], np.int64)
        if len(coded) < 2 * count:
            raise LinkError("The link's drawing is damaged: a stroke ends too early.")
        steps = np.where(coded % 2, -(coded + 1) // 2, coded // 2).reshape(-1, 2)
        placed = last + np.cumsum(steps, axis=0)
        if (np.abs(placed) > FARTHEST * grid).any():
            raise LinkError(f"The link's drawing has points farther than {FARTHEST:,} pixels away.")
        strokes.append(placed / grid)
        last = placed[-1]
    if not strokes:
        raise LinkError("The link's drawing is damaged: it has no strokes.")
    return strokes


def _written(strokes: Strokes, points: NDArray[np.float64], tolerance: float, grid: int) -> str:
    # A dot has no extent; its place is all that there is to it.
    extent = max(float(np.ptp(points, axis=0).max()), 1.0)
    grid = min(_FINEST, grid * max(1, int(np.ceil(_LARGE / extent))))
    tolerance *= min(1.0, extent / _LARGE)
    content = bytearray([_VERSION])
    _append(content, grid)
    last = np.zeros(2, np.int64)
    for stroke in strokes:
        kept = np.rint(_thinned(stroke, tolerance) * grid).astype(np.int64)
        _append(content, len(kept))
        for step in np.diff(kept, axis=0, prepend=last[None]).ravel().tolist():
            # Small numbers of either sign are to be small numbers without one: 0, -1, 1, -2 become 0, 1, 2, 3.
            _append(content, 2 * step if step >= 0 else -2 * step - 1)
        last = kept[-1]
    content += _check(content)
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _thinned(stroke: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    # OpenCV takes float32, in which a point far from the corner would lose its fractions.
    local = (stroke - stroke[0]).astype(np.float32)
    if len(local) < 3:
        return stroke
    # A line that ends where it began is closed to OpenCV, which then begins it elsewhere: it is thinned in two parts.
    turn = int((local**2).sum(axis=1).argmax()) if (local[0] == local[-1]).all() else len(local) - 1
    if turn == 0:
        return stroke[:1]
    parts = [cv2.approxPolyDP(part[:, None], tolerance, False)[:, 0] for part in (local[: turn + 1], local[turn:])]
    return np.concatenate([parts[0], parts[1][1:]]).astype(np.float64) + stroke[0]


def _append(content: bytearray, value: int) -> None:
    """Seven bits a byte, the lowest first; the eighth says that more follow (LEB128)."""
    while value >= 128:
        content.append(value % 128 + 128)
        value //= 128
    content.append(value)


def _numbers(content: bytes) -> Iterator[int]:
    value, bits = 0, 0
    for byte in content:
        value |= (byte & 127) << bits
        bits += 7
        if byte < 128:
            yield value
            value, bits = 0, 0
        elif bits >= 7 * _MOST_BYTES_OF_A_NUMBER:
            raise LinkError("The link's drawing is damaged: a number in it has no end.")
    if bits:
        raise LinkError("The link's drawing is damaged: it ends within a number.")


def _bytes(text: str) -> bytes:
    """The numbers' bytes, when version and check are right."""
    if not isinstance(text, str) or not 0 < len(text) <= MOST_CHARACTERS:
        raise LinkError(f"A link's drawing is 1 to {MOST_CHARACTERS:,} characters of text.")
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise LinkError(f"A link's drawing is made of letters, digits, - and _, not {shorten(text)!r}.") from None
    if content[:1] != bytes([_VERSION]):
        raise LinkError(f"The link's drawing, {shorten(text)!r}, is none that this version can read.")
    if _check(content[:-2]) != content[-2:]:
        raise LinkError("The link's drawing is damaged or was cut off: ask for the whole link.")
    return content[1:-2]


def _check(content: bytes | bytearray) -> bytes:
    # Messengers cut long addresses off, and half a digit would be read as another one.
    return (zlib.crc32(content) & 0xFFFF).to_bytes(2, "big")
