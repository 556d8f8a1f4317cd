"""The confusion matrix: which digit was called what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hdr.plots.colours import SECOND
from hdr.plots.style import plain

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def mistakes(matrix: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """The shares of each class that were called wrongly: float64 (10, 10) in percent, NaN for right calls."""
    counts = np.asarray(matrix, dtype=np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) * 100
    np.fill_diagonal(shares, np.nan)
    return shares


def figure(matrix: Sequence[Sequence[int]], height: int = 400) -> Figure:
    """Draw a confusion matrix. Only mistakes have colour: the diagonal, being far larger, would drown them.

    Args:
        matrix: 10 x 10 counts, a row for each true class.
        height: in pixels.
    """
    from plotly.graph_objects import Figure, Heatmap

    counts, shares = np.asarray(matrix), mistakes(matrix)
    classes = [str(d) for d in range(len(counts))]
    scale = [[0, "rgba(217, 130, 43, 0.04)"], [1, SECOND]]
    drawing = Figure(
        Heatmap(
            z=shares,
            x=classes,
            y=classes,
            text=np.where((counts > 0) & ~np.eye(len(counts), dtype=bool), counts.astype(str), ""),
            texttemplate="%{text}",
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
    for d, right in enumerate(counts.diagonal()):
        drawing.add_annotation(x=d, y=d, text=f"<b>{right}</b>", showarrow=False, font={"size": 12})
    drawing.update_xaxes(title="called", side="bottom", type="category", showgrid=False)
    drawing.update_yaxes(title="is really", autorange="reversed", type="category", showgrid=False)
    return plain(drawing, height)
