"""Many digits as points in a plane, coloured by class."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hdr.plots.colours import DIGITS
from hdr.plots.theme import plain
from hdr.types import CLASSES, Labels

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


_CLASS_COLOURS = {
    "colorscale": [[(d + side) / CLASSES, colour] for d, colour in enumerate(DIGITS) for side in (0, 1)],
    "cmin": -0.5,
    "cmax": CLASSES - 0.5,
    "showscale": False,
}

TAG = 20
"""Width of a class's tag in pixels."""

ROOM = {"l": 72, "b": 56}
"""Pixels beside and below the points, for the axes. Plotly would measure what they need only after it has drawn all
points, and then draw them all again."""


def medians(points: NDArray[np.floating], labels: Labels) -> dict[int, tuple[float, float]]:
    """The middle of each class that is there: the medians of x and y of float (n, 2)."""
    middles = {d: np.median(points[labels == d], axis=0) for d in range(CLASSES) if (labels == d).any()}
    return {d: (float(x), float(y)) for d, (x, y) in middles.items()}


def spread(points: NDArray[np.floating], distinct: int = 40) -> NDArray[np.float64]:
    """Move points a little along axes that have few values, such as counts, so that they do not cover each other.

    Args:
        points: float (n, 2).
        distinct: an axis with more values than that is left as it is.

    Returns:
        float64 (n, 2), always the same for the same points; nothing is moved by more than a third of the smallest gap.
    """
    out = np.array(points, dtype=np.float64)
    random = np.random.default_rng(0)
    for axis in range(2):
        values = np.unique(out[:, axis])
        if 1 < len(values) <= distinct:
            out[:, axis] += random.uniform(-1, 1, len(out)) * np.diff(values).min() / 3
    return out


def places(middles: dict[int, tuple[float, float]], extent: tuple[float, float]) -> dict[int, int]:
    """Where several classes have nearly one middle: 0 for the first of them, 1 for the next, and so on.

    Args:
        middles: of `medians`.
        extent: the lengths of both axes; nearer than a twentieth of these is the same place.
    """
    found: dict[int, int] = {}
    for d, (x, y) in middles.items():
        near = [e for e in found if max(abs(x - middles[e][0]) / extent[0], abs(y - middles[e][1]) / extent[1]) < 0.05]
        found[d] = len(near)
    return found


def figure(
    points: NDArray[np.floating],
    labels: Labels,
    axes: Sequence[str],
    marked: int | None = None,
    height: int = 520,
) -> Figure:
    """Draw digits as points, with the class written at the middle of its points.

    Args:
        points: float (n, 2).
        labels: uint8 (n,).
        axes: the titles of x and y; empty where the axes mean nothing, as with t-SNE: then they have no numbers, and
            both one scale.
        marked: the point that is marked until the user clicks another one.
        height: in pixels.
    """
    from plotly.graph_objects import Figure, Scatter

    values = "".join(f"<br>{_short(name)}: %{{customdata[{i}]:.4g}}" for i, name in enumerate(axes, 1))
    shown = spread(points)
    drawing = Figure(
        Scatter(
            x=shown[:, 0],
            y=shown[:, 1],
            mode="markers",
            customdata=np.column_stack([labels, points]),
            # Numbers and a colour scale: plotly takes 40 ms to validate two thousand colour strings.
            marker={**_CLASS_COLOURS, "color": labels, "size": 6, "opacity": 0.75},
            selectedpoints=[] if marked is None else [marked],
            selected={"marker": {"size": 17, "opacity": 1}},
            # Plotly would fade all others; one of two thousand should not put out the rest.
            unselected={"marker": {"size": 6, "opacity": 0.75}},
            hovertemplate=f"a %{{customdata[0]}}{values}<extra></extra>",
        )
    )
    middles = medians(points, labels)
    extent = np.maximum(np.ptp(points, axis=0), 1e-12)
    tags = [
        {"x": middles[d][0], "y": middles[d][1], "xshift": TAG * place, "text": f"<b>{d}</b>", **_tag(d)}
        for d, place in places(middles, (float(extent[0]), float(extent[1]))).items()
    ]
    # All at once: for each tag that is added by itself, plotly looks at those before it again.
    plain(drawing, height).update_layout(annotations=tags, margin=ROOM if axes else {})
    # Dragging would move the points instead of the page, on a phone.
    drawing.update_xaxes(title=axes[0] if axes else "", fixedrange=True, automargin=False)
    drawing.update_yaxes(title=axes[1] if axes else "", fixedrange=True, automargin=False)
    if not axes:
        drawing.update_xaxes(showticklabels=False, showgrid=False)
        drawing.update_yaxes(showticklabels=False, showgrid=False, scaleanchor="x")
    return drawing


def _short(text: str) -> str:
    return escape(text if len(text) <= 40 else text[:39] + "…")


def _tag(d: int) -> dict[str, Any]:
    # Dark on white, framed in the class's colour: it reads on a cloud of that colour, in both themes.
    style = {"color": "#1C2430", "size": 13}
    frame = {"bgcolor": "rgba(255, 255, 255, 0.92)", "bordercolor": DIGITS[d], "borderwidth": 2, "borderpad": 2}
    return {"showarrow": False, "font": style, **frame}
