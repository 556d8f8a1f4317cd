"""What the extractors' drawings share: marks on a digit, and values as pictures."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hdr.types import Mark

HELPING = 0.35
"""How strongly helping lines, such as those between zones, are drawn."""


def points(xy: ArrayLike, series: int = 0, label: str = "") -> Mark:
    """A dot at each of (n, 2) points x, y."""
    return Mark("points", _pairs(xy), series, label=label)


def line(xy: ArrayLike, series: int = 0, strength: float = 1.0, label: str = "") -> Mark:
    """A line through (n, 2) points x, y."""
    return Mark("line", _pairs(xy), series, strength, label)


def area(xy: ArrayLike, series: int = 0, label: str = "") -> Mark:
    """A closed line through (n, 2) points x, y."""
    return Mark("area", _pairs(xy), series, label=label)


def box(x: float, y: float, width: float, height: float, series: int = 0, label: str = "") -> Mark:
    """A box around whole pixels: x, y of its first pixel, and its size in pixels."""
    corners = [(x - 0.5, y - 0.5), (x + width - 0.5, y + height - 0.5)]
    return Mark("box", _pairs(corners), series, label=label)


def ellipse(centre: tuple[float, float], half: tuple[float, float], angle: float, series: int = 0) -> Mark:
    """An ellipse.

    Args:
        centre: x, y.
        half: half its axes, in pixels.
        angle: of the first axis, in radians from x towards y.
        series: its colour.
    """
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    along, aside = half[0] * np.cos(turn), half[1] * np.sin(turn)
    c, s = math.cos(angle), math.sin(angle)
    return area(np.stack([centre[0] + along * c - aside * s, centre[1] + along * s + aside * c], axis=1), series)


def grid(shape: tuple[int, ...], zones: int) -> tuple[Mark, ...]:
    """The lines between zones, where there are several."""
    h, w = shape
    # A zone begins at the first pixel i with i * zones // side equal to its number.
    rows, columns = ({-(-k * side // zones) - 0.5 for k in range(1, zones)} for side in (h, w))
    down = [line([(x, -0.5), (x, h - 0.5)], strength=HELPING) for x in sorted(columns)]
    return (*down, *(line([(-0.5, y), (w - 0.5, y)], strength=HELPING) for y in sorted(rows)))


def outlines(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """The outer outlines of what is True in (h, w): float (n, 2) of x, y through the outermost pixels' middles."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [np.asarray(c, np.float64).reshape(-1, 2) for c in found]


def as_brightness(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Values from 0 up as a picture, the highest white: uint8 of the same shape."""
    top = float(values.max(initial=0))
    shown: NDArray[Any] = np.rint(np.clip(values, 0, None) * (255 / top if top > 0 else 0))
    return shown.astype(np.uint8)


def as_signed(values: NDArray[Any], limit: float) -> NDArray[np.uint8]:
    """Values from -limit to limit as a signed picture, 128 for 0; what lies beyond is cut off."""
    share = np.clip(values / limit, -1, 1) if limit > 0 else np.zeros(values.shape)
    return np.rint(128 + 127 * share).astype(np.uint8)


def as_angle(radians: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Directions as a picture: 0 to 255 for 0 to 360 degrees."""
    shown: NDArray[np.floating] = np.floor(np.mod(radians, 2 * np.pi) * (255.999 / (2 * np.pi)))
    return shown.astype(np.uint8)


def mosaic(pictures: NDArray[np.uint8], empty: int = 0) -> NDArray[np.uint8]:
    """Pictures (n, h, w) side by side in full rows where that is not too wide; else places left over are `empty`."""
    n, h, w = pictures.shape
    least = math.ceil(math.sqrt(n))
    across = next((k for k in range(least, 2 * least) if n % k == 0), least)
    down = math.ceil(n / across)
    out = np.full((down * across, h, w), empty, np.uint8)
    out[:n] = pictures
    return out.reshape(down, across, h, w).swapaxes(1, 2).reshape(down * h, across * w)


def counted(number: int, noun: str) -> str:
    """ "1 corner", "2 corners"."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _pairs(xy: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(xy, np.float64).reshape(-1, 2)
