"""The colours of the app, declared once."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

DIGITS = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#EE8833", "#7A68C4", "#44AA99", "#8C6D4F")
"""One colour for each class, 0 to 9; the first six are Paul Tol's bright scheme, which colour-blind eyes tell apart."""

ACCENT = "#3E86D0"
"""The first of two curves; legible on light and dark, as all colours here."""

SECOND = "#D9822B"
"""The second of two curves."""

MUTED = "#8A94A3"
"""Whatever is there for comparison only; legible on light and dark."""

MARKS = ("#FFA24A", "#5CC8F2", "#F2DE5C", "#F58AB8")
"""What is drawn onto a digit, by series; all stand out from black and from white."""

_BLUE, _WHITE, _ORANGE = (33, 102, 172), (250, 250, 250), (217, 110, 30)


def _circle() -> NDArray[np.uint8]:
    turn = (np.arange(256) - 1) / 255 * 2 * np.pi
    # Equally bright all around, so that no direction looks stronger than another. With more colour than this a screen
    # cannot show the blues, and they would jump where directions do not.
    a, b = 40 * np.cos(turn), 40 * np.sin(turn)
    lab = np.stack([np.full(256, 74.0), a, b], axis=-1).astype(np.float32)[None]
    colours = np.rint(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)[0] * 255).astype(np.uint8)
    colours[0] = 0
    return colours


def _scale() -> NDArray[np.uint8]:
    ends = np.array([_BLUE, _WHITE, _ORANGE], dtype=float)
    at = np.linspace(0, 2, 256)
    return np.stack([np.interp(at, [0, 1, 2], ends[:, c]) for c in range(3)], axis=1).astype(np.uint8)


DIVERGING = _scale()
"""uint8 (256, 3): blue for the lowest, white for 128, orange for the highest value of a signed picture."""

CYCLIC = _circle()
"""uint8 (256, 3): a colour for each direction, once round the circle from 1 to 255; black for 0, no direction."""
