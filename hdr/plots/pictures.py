"""Small pictures as HTML: one look for a digit everywhere, crisp at every size and in both themes.

Nothing here takes text from visitors except through `html.escape`.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.plots.colours import DIGITS, DIVERGING, MUTED
from hdr.types import CLASSES, Images

SPACE = "\u202f"
"""Between a number and its unit, and between thousands: narrow, and no line breaks at it."""


def png(image: NDArray[np.uint8]) -> bytes:
    """Encode a picture: uint8 (h, w) or RGB (h, w, 3)."""
    bgr = image if image.ndim == 2 else image[:, :, ::-1]
    return cv2.imencode(".png", bgr)[1].tobytes()


def coloured(image: NDArray[np.uint8], display: str = "intensity") -> NDArray[np.uint8]:
    """Give a picture the colours that its values call for: grey for intensities, blue to orange for signed ones."""
    return DIVERGING[image] if display == "signed" else image


def difference(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What changed from one picture to the next, as a signed picture: 128 for nothing, 255 for brighter by 255."""
    change = after.astype(np.int16) - before.astype(np.int16)
    return (128 + np.trunc(change / 255 * 127)).astype(np.uint8)


def digit(image: NDArray[np.uint8], side: int, alt: str, display: str = "intensity", dim: bool = False) -> str:
    """A digit in its frame, `side` CSS pixels wide, enlarged without blur.

    Args:
        image: uint8 (h, w).
        side: width; for whole pixels a multiple of the image's width.
        alt: what it shows, in words.
        display: how its values are shown; see `hdr.types.Stage`.
        dim: whether to fade it, for what is switched off.
    """
    uri = base64.b64encode(png(coloured(image, display))).decode()
    style = f"width:{side}px;aspect-ratio:{image.shape[1]}/{image.shape[0]}"
    kind = "hdr-digit hdr-dim" if dim else "hdr-digit"
    return f'<img class="{kind}" style="{style}" alt="{escape(alt)}" src="data:image/png;base64,{uri}">'


def histogram(image: NDArray[np.uint8], width: int, height: int = 36, bins: int = 32) -> str:
    """How often each grey value occurs, as a strip of bars from black to white.

    Heights follow the square root of the counts: paper is so much of a digit that on a straight scale nothing else
    would be seen.
    """
    counts = np.sqrt(np.bincount(image.ravel() // (256 // bins), minlength=bins))
    top = max(counts.max(), 1)
    drawn = "".join(
        f'<rect x="{i}" y="{1 - c / top:.3f}" width="0.85" height="{c / top:.3f}"/>' for i, c in enumerate(counts) if c
    )
    picture = _svg(f'<g fill="{MUTED}">{drawn}</g>', bins, 1)
    style = f"width:{width}px;height:{height}px"
    return f'<img class="hdr-histogram" style="{style}" alt="Histogram of grey values" src="{picture}">'


def _svg(content: str, width: int, height: int) -> str:
    # As an image, not inline: Streamlit takes inline drawings out of what it shows.
    text = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" preserveAspectRatio="none">'
    return "data:image/svg+xml;base64," + base64.b64encode((text + content + "</svg>").encode()).decode()


def orientations(cells: NDArray[np.float32], side: int, alt: str) -> str:
    """Histograms of oriented gradients as strokes: in each cell a line along every direction, bright where strong.

    Args:
        cells: float (rows, columns, directions), directions of the gradient from 0 to 180 degrees.
        side: width in CSS pixels.
        alt: what it shows, in words.
    """
    rows, columns, count = cells.shape
    strength = cells / max(float(cells.max()), 1e-9)
    lines = []
    for r, c, k in np.argwhere(strength > 0.08):
        # A stroke runs across its gradient.
        turn = np.deg2rad((k + 0.5) * 180 / count + 90)
        dx, dy = 0.46 * np.cos(turn), 0.46 * np.sin(turn)
        x, y = c + 0.5, r + 0.5
        lines.append(
            f'<line x1="{x - dx:.2f}" y1="{y - dy:.2f}" x2="{x + dx:.2f}" y2="{y + dy:.2f}" '
            f'stroke-opacity="{strength[r, c, k]:.2f}"/>'
        )
    strokes = f'<g stroke="#fff" stroke-width="0.09" stroke-linecap="round">{"".join(lines)}</g>'
    picture = _svg(strokes, columns, rows)
    return f'<img class="hdr-digit" style="width:{side}px;height:{side}px" alt="{escape(alt)}" src="{picture}">'


def bars(probabilities: Sequence[float] | NDArray[np.float64] | None) -> str:
    """Ten bars, one for each class, the most probable one in its class's colour; None keeps the space."""
    values = [0.0] * CLASSES if probabilities is None else [float(p) for p in probabilities]
    best = -1 if probabilities is None else int(np.argmax(values))
    rows = []
    for d, p in enumerate(values):
        colour = f"background:{DIGITS[d]}" if d == best else ""
        shown = "" if probabilities is None else percent(p, 1)
        rows.append(
            f'<div class="hdr-bar{" hdr-best" if d == best else ""}"><span class="hdr-label">{d}</span>'
            f'<span class="hdr-track"><span class="hdr-fill" style="width:{p * 100:.1f}%;{colour}"></span></span>'
            f'<span class="hdr-value">{shown}</span></div>'
        )
    return f'<div class="hdr-bars">{"".join(rows)}</div>'


def sheet(images: Images, captions: Sequence[str], side: int = 56) -> str:
    """Many digits in rows that wrap, each with a caption of its own."""
    cells = "".join(
        f"<figure>{digit(image, side, caption)}<figcaption>{escape(caption)}</figcaption></figure>"
        for image, caption in zip(images, captions, strict=True)
    )
    return f'<div class="hdr-sheet">{cells}</div>'


def percent(share: float, digits: int = 2) -> str:
    """A share as ``98.92 %``. What is not quite all or nothing is never rounded to it."""
    value = share * 100
    step = 10.0**-digits
    if share < 1 and value > 100 - step / 2:
        value = 100 - step
    if 0 < value < step / 2:
        return f"<{step:.{digits}f}{SPACE}%"
    return f"{value:.{digits}f}{SPACE}%"


def count(number: int) -> str:
    """A count with thin spaces: 60 000."""
    return f"{number:,}".replace(",", SPACE)


def duration(seconds: float) -> str:
    """A time with two significant digits and its unit: 0.42 ms, 3.1 s, 2.5 min."""
    ranges = ((1e-3, 1e6, "µs"), (1, 1e3, "ms"), (100, 1, "s"), (6000, 1 / 60, "min"), (float("inf"), 1 / 3600, "h"))
    factor, unit = next((factor, unit) for limit, factor, unit in ranges if seconds < limit)
    value = seconds * factor
    return f"{value:.0f}{SPACE}{unit}" if value >= 9.95 else f"{value:.1f}{SPACE}{unit}"
