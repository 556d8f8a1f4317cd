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

from hdr.formatting import format_number, format_percent
from hdr.plots.colours import ACCENT, CYCLIC, DIGITS, DIVERGING, MARKS, MUTED, SECOND
from hdr.types import CLASSES, Drawing, Images, Mark


def png(image: NDArray[np.uint8]) -> bytes:
    """Encode a picture: uint8 (h, w) or RGB (h, w, 3)."""
    bgr = image if image.ndim == 2 else image[:, :, ::-1]
    return cv2.imencode(".png", bgr)[1].tobytes()


TABLES = {"signed": DIVERGING, "angle": CYCLIC}
"""The colours of pictures whose values are no intensities, by how they are displayed: uint8 (256, 3)."""


def coloured(image: NDArray[np.uint8], display: str = "intensity") -> NDArray[np.uint8]:
    """Give a picture the colours that its values call for: grey for intensities, see `TABLES` for others."""
    return TABLES[display][image] if display in TABLES else image


MOST_SHOWN = 640
"""Longest side, in pixels, of a picture that is sent to a browser: a photo is averaged down to it."""


def shrunk(image: NDArray[np.uint8], side: int = MOST_SHOWN) -> NDArray[np.uint8]:
    """A picture whose longer side is at most `side` pixels; smaller ones are returned as they are."""
    h, w = image.shape
    if max(h, w) <= side:
        return image
    size = (max(1, round(w * side / max(h, w))), max(1, round(h * side / max(h, w))))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def difference(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the change between two pictures as a signed picture: 128 for no change, 255 for brighter by 255."""
    change = after.astype(np.int16) - before.astype(np.int16)
    return (128 + np.trunc(change / 255 * 127)).astype(np.uint8)


def digit(image: NDArray[np.uint8], side: int, alt: str, display: str = "intensity", dim: bool = False) -> str:
    """A digit in its frame, `side` CSS pixels wide, enlarged without blur.

    Args:
        image: uint8 (h, w).
        side: width; for whole pixels a multiple of the image's width.
        alt: the alternative text.
        display: how its values are shown; see `hdr.types.Stage`.
        dim: whether to fade it, as for steps that are switched off.
    """
    # Twice the width: screens of phones and laptops have two pixels for each.
    uri = base64.b64encode(png(coloured(shrunk(image, max(2 * side, 64)), display))).decode()
    style = f"width:{side}px;aspect-ratio:{image.shape[1]}/{image.shape[0]}"
    kind = "hdr-digit hdr-dim" if dim else "hdr-digit"
    return f'<img class="{kind}" style="{style}" alt="{escape(alt)}" src="data:image/png;base64,{uri}">'


def histogram(image: NDArray[np.uint8], width: int, height: int = 36, bins: int = 32) -> str:
    """How often each grey value occurs, as a strip of bars from black to white."""
    style = f"width:{width}px;height:{height}px"
    uri = histogram_uri(image, bins=bins)
    return f'<img class="hdr-histogram" style="{style}" alt="Histogram of grey values" src="{uri}">'


def histogram_uri(image: NDArray[np.uint8], threshold: tuple[float, float] | None = None, bins: int = 32) -> str:
    """The bars of a histogram as a picture's address.

    Heights are the square roots of the counts: most pixels are paper, which on a linear scale would hide the others.

    Args:
        image: uint8 (h, w).
        threshold: the lowest and the highest threshold that a step applies to this picture, drawn as a line or a band.
        bins: number of bars; a divisor of 256.
    """
    counts = np.sqrt(np.bincount(image.ravel() // (256 // bins), minlength=bins))
    top = max(counts.max(), 1)
    drawn = "".join(
        f'<rect x="{i}" y="{1 - c / top:.3f}" width="0.85" height="{c / top:.3f}"/>' for i, c in enumerate(counts) if c
    )
    line = ""
    if threshold is not None:
        # A threshold t parts the values up to t from those above it.
        low, high = (np.clip((t + 1) / 256, 0, 1) * bins for t in threshold)
        line = f'<rect x="{low - 0.12:.2f}" y="0" width="{high - low + 0.24:.2f}" height="1" fill="{SECOND}"/>'
        line = line if high - low < 0.5 else line.replace("/>", ' fill-opacity="0.45"/>')
    return _svg(f'<g fill="{MUTED}">{drawn}</g>{line}', bins, 1)


def _svg(content: str, width: int, height: int) -> str:
    # As an image, not inline: Streamlit strips inline SVG from HTML.
    text = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" preserveAspectRatio="none">'
    return "data:image/svg+xml;base64," + base64.b64encode((text + content + "</svg>").encode()).decode()


LABELLED = 120
"""Width, in CSS pixels, from which on marks have their labels."""


def drawing(shown: Drawing, side: int) -> str:
    """A picture with marks on it, `side` CSS pixels wide."""
    image = shrunk(shown.image)
    h, w = shown.image.shape
    uri = base64.b64encode(png(coloured(image, shown.display))).decode()
    # Line widths are fixed on the screen, independent of the picture's size; text would be too small on a thumbnail.
    unit = max(h, w) / 28 * max(1.0, 140 / side)
    marks = "".join(_mark(mark, unit, side >= LABELLED) for mark in shown.marks)
    # The middle of the first pixel is (0, 0) for marks, and half a pixel into the picture.
    content = (
        f'<image href="data:image/png;base64,{uri}" width="{w}" height="{h}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated"/><g transform="translate(0.5 0.5)">{marks}</g>'
    )
    style = f"width:{side}px;aspect-ratio:{w}/{h}"
    return f'<img class="hdr-digit" style="{style}" alt="{escape(shown.title)}" src="{_svg(content, w, h)}">'


def _mark(mark: Mark, unit: float, labelled: bool) -> str:
    colour = MARKS[mark.series % len(MARKS)]
    look = f'stroke="{colour}" stroke-opacity="{mark.strength:.2f}" stroke-width="{0.32 * unit:.3f}" fill="none"'
    points = " ".join(f"{x:.2f},{y:.2f}" for x, y in mark.points)
    if mark.kind == "points":
        # A dark rim keeps a dot visible on ink and on paper.
        dots = f'r="{0.62 * unit:.3f}" fill="{colour}" stroke="#000" stroke-width="{0.18 * unit:.3f}"'
        dots += f' opacity="{mark.strength:.2f}"'
        drawn = "".join(f'<circle cx="{x:.2f}" cy="{y:.2f}" {dots}/>' for x, y in mark.points)
    elif mark.kind == "box":
        (x0, y0), (x1, y1) = np.sort(mark.points, axis=0)
        drawn = f'<rect x="{x0:.2f}" y="{y0:.2f}" width="{x1 - x0:.2f}" height="{y1 - y0:.2f}" {look}/>'
    else:
        tag = "polygon" if mark.kind == "area" else "polyline"
        drawn = f'<{tag} points="{points}" stroke-linecap="round" stroke-linejoin="round" {look}/>'
    if mark.label and labelled and len(mark.points):
        x, y = mark.points[0]
        drawn += (
            f'<text x="{x + 0.9 * unit:.2f}" y="{y - 0.7 * unit:.2f}" font-size="{2 * unit:.2f}" fill="{colour}" '
            f'font-family="sans-serif">{escape(mark.label)}</text>'
        )
    return drawn


def bars(probabilities: Sequence[float] | NDArray[np.floating] | None) -> str:
    """Ten bars, one for each class, the most probable one in its class's colour; None keeps the space."""
    values = [0.0] * CLASSES if probabilities is None else [float(p) for p in probabilities]
    best = -1 if probabilities is None else int(np.argmax(values))
    rows = []
    for d, p in enumerate(values):
        colour = f"background:{DIGITS[d]}" if d == best else ""
        shown = "" if probabilities is None else format_percent(p, 1)
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


def values(names: Sequence[str], numbers: NDArray[np.float32]) -> str:
    """A few numbers with their names, in columns."""
    rows = "".join(
        f'<div class="hdr-number"><span>{escape(name)}</span><span>{format_number(value)}</span></div>'
        for name, value in zip(names, numbers.tolist(), strict=True)
    )
    return f'<div class="hdr-numbers">{rows}</div>'


def signature(numbers: NDArray[np.float32], height: int = 72) -> str:
    """Many numbers as bars from their zero, as wide as there is room."""
    low, high = min(0.0, float(numbers.min(initial=0))), max(0.0, float(numbers.max(initial=0)))
    span = (high - low) or 1.0
    drawn = "".join(
        f"M{i + 0.5} {high / span:.3f}V{(high - value) / span:.3f}" for i, value in enumerate(numbers.tolist()) if value
    )
    path = f'<path d="{drawn}" stroke="{ACCENT}" stroke-width="0.9" fill="none"/>'
    style = f"width:100%;height:{height}px"
    picture = _svg(path, len(numbers), 1)
    return f'<img class="hdr-histogram" style="{style}" alt="All numbers as bars" src="{picture}">'
