"""The confusion matrix: which digit was called what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hdr.plots.colours import ACCENT
from hdr.plots.theme import plain

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def mistakes(matrix: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """The shares of each class that were called wrongly: float64 (10, 10) in percent, NaN for right calls."""
    counts = np.asarray(matrix, dtype=np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) * 100
    np.fill_diagonal(shares, np.nan)
    return shares


def figure(
    matrix: Sequence[Sequence[int]], height: int = 400, chosen: tuple[int, int] | None = None, clickable: bool = False
) -> Figure:
    """Draw a confusion matrix. Only mistakes have colour: the diagonal, being far larger, would drown them.

    Args:
        matrix: 10 x 10 counts, a row for each true class.
        height: in pixels.
        chosen: a cell to frame: true class and predicted class.
        clickable: whether a cell can be selected; its point then has the true class as y and the other as x.
    """
    from plotly.graph_objects import Figure, Heatmap, Scatter

    counts, shares = np.asarray(matrix), mistakes(matrix)
    classes = [str(d) for d in range(len(counts))]
    rows, columns = np.indices(counts.shape)
    text = np.where((counts > 0) & ~np.eye(len(counts), dtype=bool), counts.astype(str), "")
    # Never quite opaque, so that the theme's own colour of text can be read on it.
    scale = [[0, "rgba(217, 130, 43, 0.04)"], [1, "rgba(217, 130, 43, 0.8)"]]
    drawing = Figure(
        Heatmap(
            z=shares,
            x=classes,
            y=classes,
            text=text,
            colorscale=scale,
            zmin=0,
            zmax=max(2.0, float(np.nanmax(shares, initial=0.0))),
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate="a %{y} called %{x}: %{text}<extra></extra>",
            hoverongaps=False,
        )
    )
    # Plotly would choose the colour of a heat map's own text by the cell alone, as if there were no dark theme.
    drawing.add_trace(
        Scatter(
            x=[classes[c] for c in columns.ravel()],
            y=[classes[r] for r in rows.ravel()],
            text=text.ravel(),
            mode="text",
            hoverinfo="skip",
        )
    )
    for d, right in enumerate(counts.diagonal()):
        drawing.add_annotation(x=d, y=d, text=f"<b>{right}</b>", showarrow=False, font={"size": 12})
    if clickable:
        _add_targets(drawing, counts)
    if chosen is not None:
        y, x = chosen
        drawing.add_shape(
            type="rect", x0=x - 0.5, x1=x + 0.5, y0=y - 0.5, y1=y + 0.5, line={"color": ACCENT, "width": 2.5}
        )
    last = len(counts) - 0.5
    drawing.update_xaxes(title="called", side="bottom", type="category", showgrid=False, range=[-0.5, last])
    drawing.update_yaxes(title="is really", type="category", showgrid=False, range=[last, -0.5])
    return plain(drawing, height)


def _add_targets(drawing: Figure, counts: NDArray[np.int64]) -> None:
    # Plotly cannot select the cells of a heat map, so each has an invisible point.
    from plotly.graph_objects import Scatter

    rows, columns = np.indices(counts.shape)
    classes = [str(d) for d in range(len(counts))]
    drawing.update_traces(hoverinfo="skip", hovertemplate=None, selector={"type": "heatmap"})
    drawing.add_trace(
        Scatter(
            x=[classes[c] for c in columns.ravel()],
            y=[classes[r] for r in rows.ravel()],
            mode="markers",
            marker={"symbol": "square", "size": 30, "color": "rgba(0, 0, 0, 0)"},
            selected={"marker": {"opacity": 0}},
            unselected={"marker": {"opacity": 0}},
            customdata=counts.ravel(),
            hovertemplate="a %{y} called %{x}: %{customdata}<extra></extra>",
        )
    )
    # Zooming would take a finger that means to scroll.
    drawing.update_xaxes(fixedrange=True).update_yaxes(fixedrange=True)
