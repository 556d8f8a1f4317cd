"""How accurate a model is on the digits that it dares to answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hdr.plots.colours import ACCENT, SECOND
from hdr.plots.theme import plain

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_POINTS = 400
LEAST = 0.02
"""Smallest share of answered digits that is drawn: of a handful, the accuracy says nothing."""


def thinned(answered: NDArray[np.floating]) -> NDArray[np.int64]:
    """Which points of a curve to draw, int64: about evenly spread over the share answered, the last one with them."""
    wanted = np.linspace(min(LEAST, float(answered[-1])), float(answered[-1]), MOST_POINTS)
    return np.unique(np.searchsorted(answered, wanted - 1e-12).clip(0, len(answered) - 1))


def figure(
    answered: NDArray[np.floating],
    accuracy: NDArray[np.floating],
    threshold: NDArray[np.floating],
    chosen: tuple[float, float] | None,
    height: int = 300,
) -> Figure:
    """Draw accuracy against the share of digits that are answered.

    Args:
        answered: float (k,), ascending, 0 to 1.
        accuracy: float (k,), of the answers, 0 to 1.
        threshold: float (k,), the confidence from which on the model answers.
        chosen: share answered and accuracy at one threshold, to mark; None where nothing is answered.
        height: in pixels.
    """
    from plotly.graph_objects import Figure, Scatter

    rows = thinned(answered)
    drawing = Figure(
        Scatter(
            x=answered[rows] * 100,
            y=accuracy[rows] * 100,
            mode="lines",
            line={"color": ACCENT, "width": 2},
            customdata=threshold[rows] * 100,
            hovertemplate="sure by %{customdata:.2f} % or more:<br>%{x:.2f} % answered, %{y:.2f} % of them right"
            "<extra></extra>",
        )
    )
    if chosen:
        x, y = chosen
        drawing.add_trace(
            Scatter(x=[x * 100], y=[y * 100], mode="markers", marker={"size": 11, "color": SECOND}, hoverinfo="skip")
        )
    drawing.update_xaxes(title="digits answered, %", range=[0, 102])
    drawing.update_yaxes(title="accuracy of the answers, %")
    return plain(drawing, height)
