"""The colours of the app, declared once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DIGITS = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#EE8833", "#7A68C4", "#44AA99", "#8C6D4F")
"""One colour for each class, 0 to 9; the first six are Paul Tol's bright scheme, which colour-blind eyes tell apart."""

ACCENT = "#3E86D0"
"""The first of two curves; legible on light and dark, as all colours here."""

SECOND = "#D9822B"
"""The second of two curves."""

MUTED = "#8A94A3"
"""For references and baselines; legible on light and dark."""

MARKS = ("#FFA24A", "#5CC8F2", "#F2DE5C", "#F58AB8")
"""Overlays on digits, by series; all contrast with black and with white."""

_RGB_OF_XYZ = np.array(
    [[3.240479, -0.969256, 0.055648], [-1.53715, 1.875991, -0.204043], [-0.498535, 0.041556, 1.057311]]
)
_BLUE, _WHITE, _ORANGE = (33, 102, 172), (250, 250, 250), (217, 110, 30)


def _circle() -> NDArray[np.uint8]:
    turn = (np.arange(256) - 1) / 255 * 2 * np.pi
    # Equally bright all around, so that no direction looks stronger than another. With more colour than this a screen
    # cannot show the blues, and they would jump where directions do not.
    colours = _srgb(74.0, 40 * np.cos(turn), 40 * np.sin(turn))
    colours[0] = 0
    return colours


def _srgb(lightness: float, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Colours of CIE L*a*b* (D65) as sRGB, uint8 (n, 3), as OpenCV's, whose tables for it take 6 MB. Source: CIE 15."""
    y = np.full(len(a), (lightness + 16) / 116)
    roots = np.stack([y + a / 500, y, y - b / 200], axis=-1)
    xyz = np.where(roots > 6 / 29, roots**3, (roots - 4 / 29) * 3 * (6 / 29) ** 2) * (0.950456, 1.0, 1.088754)
    linear = np.clip(xyz @ _RGB_OF_XYZ, 0, 1)
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(rgb * 255).astype(np.uint8)


def _scale() -> NDArray[np.uint8]:
    ends = np.array([_BLUE, _WHITE, _ORANGE], dtype=float)
    at = np.linspace(0, 2, 256)
    return np.stack([np.interp(at, [0, 1, 2], ends[:, c]) for c in range(3)], axis=1).astype(np.uint8)


DIVERGING = _scale()
"""uint8 (256, 3): blue for the lowest, white for 128, orange for the highest value of a signed picture."""

CYCLIC = _circle()
"""uint8 (256, 3): a colour for each direction, once round the circle from 1 to 255; black for 0, no direction."""
