"""How much of the variance the first principal components hold together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hdr.plots.colours import ACCENT, MUTED, SECOND
from hdr.plots.theme import plain

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def cumulative(ratio: NDArray[np.floating]) -> NDArray[np.float64]:
    """The share of the variance, in percent, that none, one, two, ... components hold: float64 (k + 1,)."""
    return np.concatenate([[0.0], np.cumsum(ratio, dtype=np.float64) * 100])


def figure(ratio: NDArray[np.floating], chosen: int, share: float = 0.9, height: int = 260) -> Figure:
    """Draw the share of the variance against the number of components.

    Args:
        ratio: float (k,), each component's share of the whole variance.
        chosen: a number of components to mark.
        share: where to read off how many are needed.
        height: in pixels.
    """
    from plotly.graph_objects import Figure, Scatter

    y = cumulative(ratio)
    drawing = Figure(
        Scatter(
            x=np.arange(len(y)),
            y=y,
            mode="lines",
            line={"color": ACCENT, "width": 2},
            hovertemplate="%{x} components hold %{y:.1f} %<extra></extra>",
        )
    )
    if y[-1] >= share * 100:
        needed = int(np.searchsorted(y, share * 100 - 1e-9))
        drawing.add_shape(
            type="path",
            path=f"M 0,{share * 100} L {needed},{share * 100} L {needed},0",
            line={"color": MUTED, "width": 1, "dash": "dot"},
        )
        drawing.add_annotation(
            x=needed,
            y=share * 100,
            text=f"{share * 100:.0f}% with {needed}",
            showarrow=False,
            xanchor="left",
            yanchor="top",
            xshift=4,
            font={"color": MUTED, "size": 13},
        )
    at = min(chosen, len(y) - 1)
    drawing.add_trace(
        Scatter(x=[at], y=[y[at]], mode="markers", marker={"color": SECOND, "size": 10}, hoverinfo="skip")
    )
    drawing.update_xaxes(title="components", rangemode="tozero")
    drawing.update_yaxes(title="variance held, %", range=[0, 103])
    return plain(drawing, height)
