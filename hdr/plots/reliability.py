"""Whether a model is right as often as it says: accuracy against confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hdr.plots.colours import ACCENT, MUTED
from hdr.plots.theme import plain

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def floor(*shares: NDArray[np.floating]) -> float:
    """Where axes that are to show all these shares, 0 to 1, begin, in percent: the multiple of 10 below the lowest,
    and at most 90."""
    return min(float(np.floor(min(float(s.min()) for s in shares) * 10) * 10), 90.0)


def figure(
    confidence: NDArray[np.floating],
    accuracy: NDArray[np.floating],
    low: NDArray[np.floating],
    high: NDArray[np.floating],
    count: NDArray[np.integer],
    start: float,
    colour: str = ACCENT,
    height: int = 320,
) -> Figure:
    """Draw groups of digits as points; on the line, confidence and accuracy agree. Below it the model is too sure.

    Args:
        confidence, accuracy: float (k,), of each group, 0 to 1.
        low, high: float (k,), the interval of the accuracy.
        count: int (k,), digits in each group.
        start: where both axes begin, in percent; the same for figures that are compared.
        colour: of the points.
        height: in pixels.
    """
    from plotly.graph_objects import Figure, Scatter

    x, y = confidence * 100, accuracy * 100
    drawing = Figure(
        [
            Scatter(
                x=[start, 100],
                y=[start, 100],
                mode="lines",
                line={"color": MUTED, "width": 1.5, "dash": "dot"},
                hoverinfo="skip",
            ),
            Scatter(
                x=x,
                y=y,
                mode="markers+lines",
                line={"color": colour, "width": 1},
                marker={"size": 8, "color": colour},
                error_y={
                    "array": high * 100 - y,
                    "arrayminus": y - low * 100,
                    "symmetric": False,
                    "thickness": 1,
                    "width": 0,
                    "color": colour,
                },
                customdata=count,
                hovertemplate="says %{x:.2f} %, is right in %{y:.2f} %<br>%{customdata} digits<extra></extra>",
            ),
        ]
    )
    margin = (100 - start) * 0.03
    drawing.update_xaxes(title="confidence, %", range=[start - margin, 100 + margin])
    drawing.update_yaxes(title="accuracy, %", range=[min(start, float(low.min()) * 100) - margin, 100 + margin])
    return plain(drawing, height)
