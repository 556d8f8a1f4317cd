"""Digits that were found, with a box and a label each, on the drawing or the photo in which they were."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from hdr.plots.colours import DIGITS
from hdr.plots.html_images import png, shrunk

PLATE = "#1c2430"
"""Behind the words: some of the digits' colours are too bright to write on."""

MOST_SHOWN = 1_000
"""Longest side, in pixels, of a photo under its boxes."""


@dataclass(frozen=True)
class Found:
    """A digit that was found.

    Attributes:
        box: x, y, width, height in pixels of the source.
        label: the predicted class, 0 to 9.
        words: the text above its box.
        doubted: whether it may be none.
    """

    box: tuple[int, int, int, int]
    label: int
    words: str
    doubted: bool = False


def on_paper(
    size: tuple[int, int], lines: Sequence[NDArray[np.float64]], pen: float, ink: str, found: Sequence[Found], alt: str
) -> str:
    """A drawing with its digits boxed, as wide as there is room.

    Args:
        size: width and height of the canvas.
        lines: its strokes, float64 (points, 2) of x, y in pixels of the canvas.
        pen, ink: width in pixels and colour of the pen.
        found: the digits.
        alt: the alternative text.
    """
    look = f'stroke="{ink}" stroke-width="{pen}" fill="none" stroke-linecap="round" stroke-linejoin="round"'
    drawn = "".join(f'<polyline points="{_points(line)}" {look}/>' for line in lines)
    return _picture(f'<rect width="100%" height="100%" fill="#fff"/>{drawn}', size, pen / 2, found, alt)


def on_photo(grey: NDArray[np.uint8], found: Sequence[Found], alt: str) -> str:
    """A photo, uint8 (h, w), with its digits boxed, as wide as there is room."""
    h, w = grey.shape
    uri = base64.b64encode(png(shrunk(grey, MOST_SHOWN))).decode()
    return _picture(f'<image href="data:image/png;base64,{uri}" width="{w}" height="{h}"/>', (w, h), 2, found, alt)


def _picture(content: str, size: tuple[int, int], margin: float, found: Sequence[Found], alt: str) -> str:
    # Line widths and text have a fixed size on the screen, independent of the size of the source.
    w, h = size
    unit = max(w, h) / 720
    content += "".join(_box(one, margin, unit, w) for one in found)
    text = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}">{content}</svg>'
    data = base64.b64encode(text.encode()).decode()
    look = f'class="hdr-paper" style="aspect-ratio:{w}/{h}"'
    return f'<img {look} alt="{escape(alt)}" src="data:image/svg+xml;base64,{data}">'


def _box(one: Found, margin: float, unit: float, width: int) -> str:
    left, top, wide, tall = one.box
    x, y, w, h = left - margin, top - margin, wide + 2 * margin, tall + 2 * margin
    colour = DIGITS[one.label]
    dashes = f'stroke-dasharray="{6 * unit:.1f} {5 * unit:.1f}"' if one.doubted else ""
    box = f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="{3 * unit:.1f}" fill="none" '
    box += f'stroke="{colour}" stroke-width="{2.5 * unit:.1f}" {dashes}/>'
    # Over its box, or in it where there is no room above.
    size, length = 15 * unit, (len(one.words) * 8.4 + 8) * unit
    at, down = min(max(0.0, x), max(0.0, width - length)), y - 20 * unit if y >= 20 * unit else max(0.0, y)
    plate = f'<rect x="{at:.1f}" y="{down:.1f}" width="{length:.1f}" height="{19 * unit:.1f}" fill="{PLATE}"/>'
    look = f'font-size="{size:.1f}" font-family="sans-serif" fill="#fff" font-weight="600"'
    words = f'<text x="{at + 4 * unit:.1f}" y="{down + 14.5 * unit:.1f}" {look}>{escape(one.words)}</text>'
    return box + plate + words


def _points(line: NDArray[np.float64]) -> str:
    line = np.repeat(line, 2, axis=0) if len(line) == 1 else line
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in line)
