"""The capture rule: whatever a digit comes from, it becomes a picture as MNIST has them.

The digit's longer side is scaled to 20 pixels and its centre of mass is put into the middle of 28x28 (LeCun et al.,
Gradient-based learning applied to document recognition, 1998, section III). A drawing is scaled as points and drawn
anew with MNIST's pen, so that its size does not change its thickness.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.catalogue import shorten
from hdr.types import SIDE, HdrError, Images, Strokes

BOX = 20
"""Longer side of a captured digit, in pixels."""

PEN = 2.1
"""Width of the pen in pixels of the result. Drawn with it, strokes come out as wide as MNIST's: ink divided by the
length of the skeleton is 2.8 px for both (median over digits)."""

FINE = 8
"""Sub-pixels per pixel and side while drawing, for smooth edges and a centre that is right to an eighth of a pixel."""

MIDDLE = 14
"""The pixel, counted from 0, in which MNIST's centres of mass lie: 14.0 on average over the published files."""

_SIDE = SIDE * FINE

MAX_POINTS = 20_000
"""Most points that a drawing may have."""


class CaptureError(HdrError):
    """Something is not a drawing or a picture that can be captured."""


def parse_strokes(data: object) -> Strokes:
    """Check strokes that come from outside: lists of [x, y] points in pixels, y down.

    Returns:
        Strokes with at least one point each; empty ones are dropped.

    Raises:
        CaptureError: it is not a list of lists of pairs of finite numbers, or it is too long.
    """
    if not isinstance(data, list) or not all(isinstance(s, list) for s in data):
        raise CaptureError(f"Strokes are a list of strokes, each a list of [x, y] points, not {shorten(data)!r}.")
    if sum(map(len, data)) > MAX_POINTS:
        raise CaptureError(f"The drawing has {sum(map(len, data))} points; at most {MAX_POINTS} are allowed.")
    strokes = []
    for stroke in data:
        if not all(map(_is_point, stroke)):
            raise CaptureError(f"A stroke is a list of [x, y] points with finite numbers, not {shorten(stroke)!r}.")
        if stroke:
            strokes.append(np.array(stroke, dtype=np.float64))
    return strokes


def _is_point(data: object) -> bool:
    # Checked before numpy sees it, which reads "3" and True as numbers and stumbles over whole ones of 400 digits.
    return (
        isinstance(data, (list, tuple))
        and len(data) == 2
        and all(isinstance(v, (int, float)) and not isinstance(v, bool) and abs(v) < 1e6 for v in data)
    )


def stroke_box(strokes: Strokes) -> tuple[int, int, int, int]:
    """The box around all points: x, y, width, height in pixels, rounded outwards."""
    points = np.concatenate(strokes)
    (x0, y0), (x1, y1) = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
    return int(x0), int(y0), int(x1 - x0) + 1, int(y1 - y0) + 1


def from_strokes(strokes: Strokes, pen: float = PEN) -> Images:
    """Draw strokes as MNIST would have them.

    Args:
        strokes: at least one stroke of at least one point, in pixels of any size, y down.
        pen: width of the pen, in pixels of the result.

    Returns:
        uint8 (28, 28), ink 255 on 0.
    """
    if not strokes:
        raise CaptureError("There are no strokes to draw.")
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    extent = (high - low).max()
    # A touch that hardly moved is a dot: it must not be blown up into a line.
    scale = (BOX - pen) / extent if extent >= 2 else 1.0
    offset = _SIDE / 2 - (low + high) / 2 * scale * FINE
    canvas = np.zeros((_SIDE, _SIDE), np.uint8)
    width = max(1, round(pen * FINE))
    for stroke in strokes:
        # 4 bits below the pixel: cv2 draws at sixteenths of a sub-pixel.
        line = np.rint((stroke * scale * FINE + offset - 0.5) * 16).astype(np.int32)
        drawn = np.repeat(line, 2, axis=0) if len(line) == 1 else line
        cv2.polylines(canvas, [drawn], False, 255, width, cv2.LINE_AA, 4)
    return _finish(canvas)


def from_pixels(images: Images, ink: float = 0.2) -> Images:
    """Bring pictures of one digit each into MNIST's frame.

    Args:
        images: uint8 (n, h, w) of any size, ink 255 on 0.
        ink: pixels above this share of the brightest one count as the digit, 0 to 1.

    Returns:
        uint8 (n, 28, 28); blank where a picture is blank.
    """
    out = np.zeros((len(images), SIDE, SIDE), np.uint8)
    for image, captured in zip(images, out, strict=True):
        # Whole grey values are above a fraction where they are above the whole number below it.
        least = int(np.floor(float(image.max(initial=0)) * ink))
        x, y, w, h = cv2.boundingRect((image > least).view(np.uint8)) if image.size else (0, 0, 0, 0)
        if w == 0:
            continue
        digit = image[y : y + h, x : x + w]
        scale = BOX * FINE / max(w, h)
        size = (max(1, round(w * scale)), max(1, round(h * scale)))
        digit = cv2.resize(digit, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        canvas = np.zeros((_SIDE, _SIDE), np.uint8)
        left, top = (_SIDE - size[0]) // 2, (_SIDE - size[1]) // 2
        canvas[top : top + size[1], left : left + size[0]] = digit
        captured[...] = _finish(canvas)
    return out


def _finish(canvas: NDArray[np.uint8]) -> Images:
    """Put the centre of mass into the middle, and take the mean of every 8 by 8 sub-pixels."""
    found = cv2.moments(canvas)
    if found["m00"] > 0:
        middle = (MIDDLE + 0.5) * FINE - 0.5
        dx, dy = (int(np.rint(middle - found[name] / found["m00"])) for name in ("m10", "m01"))
        moved = np.zeros_like(canvas)
        moved[max(dy, 0) : _SIDE + min(dy, 0), max(dx, 0) : _SIDE + min(dx, 0)] = canvas[
            max(-dy, 0) : _SIDE + min(-dy, 0), max(-dx, 0) : _SIDE + min(-dx, 0)
        ]
        canvas = moved
    # Sums of 64 grey values are exact in 32 bits, and so is their sixty-fourth.
    small = cv2.resize(canvas.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.rint(small).astype(np.uint8)
