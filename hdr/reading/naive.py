"""The naive reading: the whole canvas or picture made 28x28, with nothing done to the digit in it.

Most digit demos do this, and that is why they take a 7 for a 2. It is here so that people see what `capture` is worth.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.types import SIDE, Images, Strokes

_FINE = 16
# cv2 draws at sixteenths of a pixel.


def from_strokes(strokes: Strokes, size: tuple[int, int], pen: float) -> Images:
    """Draw the strokes where and as wide as they are on the canvas, and make that small.

    Args:
        strokes: in pixels of the canvas, y down.
        size: width and height of the canvas, in pixels.
        pen: width of the pen, in pixels of the canvas.

    Returns:
        uint8 (28, 28), ink 255 on 0; blank without strokes.
    """
    width, height = size
    canvas = np.zeros((height, width), np.uint8)
    for stroke in strokes:
        # A stroke far outside is drawn outside; its numbers must only fit cv2's.
        line = np.rint(np.clip(stroke, -1e6, 1e6) * _FINE).astype(np.int32)
        if len(line):
            drawn = np.repeat(line, 2, axis=0) if len(line) == 1 else line
            cv2.polylines(canvas, [drawn], False, 255, max(1, round(pen)), cv2.LINE_AA, 4)
    return _small(canvas)


def from_picture(grey: NDArray[np.uint8]) -> Images:
    """Make a picture small, dark on light turned round first, for no classifier can do without that.

    Args:
        grey: uint8 (h, w), 255 white.

    Returns:
        uint8 (28, 28), ink bright on dark; a picture that is not square is squashed.
    """
    return _small(255 - grey if grey.mean() > 127 else grey)


def _small(picture: NDArray[np.uint8]) -> Images:
    return cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
