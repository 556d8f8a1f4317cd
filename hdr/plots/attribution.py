"""Attribution images: orange supports the prediction, blue opposes it, white is neutral."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from html import escape

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.plots.colours import DIVERGING, MARKS, MUTED
from hdr.plots.html_images import png
from hdr.types import Images

FRAME, PEN = 112, 9.0
"""Side of the drawn pictures and width of the pen in them, in SVG user units."""

LEAST = 0.25
"""Evidence is coloured fully at its strongest, or at this much where all of it is weaker, in nats of log-odds."""

_BOX = 80


def heat(image: Images, evidence: NDArray[np.float64], side: int, alt: str) -> str:
    """Return a digit overlaid with the attribution of each pixel.

    Args:
        image: uint8 (28, 28).
        evidence: float64 (28, 28), above 0 for the answer, below 0 against it, in nats.
        side: width in CSS pixels.
        alt: the alternative text.
    """
    share = np.abs(evidence) / _strongest(evidence)
    # Ink without evidence stays white as it was, paper with evidence glows: so the digit is still to be seen.
    light = np.maximum(image / 255, share)[..., None]
    rgb = np.rint(DIVERGING[_index(evidence, _strongest(evidence))] * light).astype(np.uint8)
    large = cv2.resize(rgb, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    return _image(base64.b64encode(png(large)).decode(), "png", side, alt)


def strokes(lines: Sequence[NDArray[np.float64]], evidence: Sequence[float], side: int, alt: str) -> str:
    """Return a drawing whose segments are coloured by attribution.

    Args:
        lines: float64 (points, 2) of x, y in pixels of the drawing, in any scale.
        evidence: of each line, in nats.
        side: width in CSS pixels.
        alt: the alternative text.
    """
    strongest = _strongest(np.array(evidence))
    place = _placing(lines)
    colours = [DIVERGING[_index(np.array(e), strongest)] for e in evidence]
    drawn = "".join(_line(place(line), _hex(c)) for line, c in zip(lines, colours, strict=True))
    return _drawn(drawn, side, alt)


def change(
    lines: Sequence[NDArray[np.float64]],
    removed: Sequence[NDArray[np.float64]],
    added: Sequence[NDArray[np.float64]],
    side: int,
    alt: str,
) -> str:
    """Return a drawing with the strokes to remove (dashed) and to add (yellow).

    Args:
        lines, removed, added: float64 (points, 2) each, in pixels of the drawing.
        side: width in CSS pixels.
        alt: the alternative text.
    """
    place = _placing([*lines, *added])
    drawn = "".join(_line(place(line), MUTED) for line in lines)
    drawn += "".join(_line(place(line), "#000", 6.0) for line in removed)
    drawn += "".join(_line(place(line), MARKS[1], 2.5, 'stroke-dasharray="5 5"') for line in removed)
    drawn += "".join(_line(place(line), MARKS[2]) for line in added)
    return _drawn(drawn, side, alt)


def _strongest(evidence: NDArray[np.float64]) -> float:
    return max(LEAST, float(np.abs(evidence).max(initial=0)))


def _index(evidence: NDArray[np.float64], strongest: float) -> NDArray[np.int64]:
    return np.clip(np.rint(128 + 127 * evidence / strongest), 0, 255).astype(np.int64)


def _placing(lines: Sequence[NDArray[np.float64]]) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    points = np.concatenate(list(lines))
    low, high = points.min(axis=0), points.max(axis=0)
    scale = _BOX / max(float((high - low).max()), 1e-6)
    if (high - low).max() < 2:
        # A dot stays one.
        scale = 1.0
    return lambda line: (line - (low + high) / 2) * scale + FRAME / 2


def _line(points: NDArray[np.float64], colour: str, width: float = PEN, more: str = "") -> str:
    if len(points) == 1:
        points = np.repeat(points, 2, axis=0)
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    look = f'stroke="{colour}" stroke-width="{width}" fill="none" stroke-linecap="round" stroke-linejoin="round"'
    return f'<polyline points="{text}" {look} {more}/>'


def _drawn(content: str, side: int, alt: str) -> str:
    text = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {FRAME} {FRAME}">{content}</svg>'
    return _image(base64.b64encode(text.encode()).decode(), "svg+xml", side, alt)


def _image(data: str, kind: str, side: int, alt: str) -> str:
    style = f"width:{side}px;aspect-ratio:1/1"
    return f'<img class="hdr-digit" style="{style}" alt="{escape(alt)}" src="data:image/{kind};base64,{data}">'


def _hex(colour: NDArray[np.uint8]) -> str:
    return "#" + "".join(f"{c:02x}" for c in colour.tolist())
