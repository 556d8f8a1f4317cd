"""How something spreads over two groups of digits, such as the training and the test split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hdr.plots.colours import ACCENT, SECOND
from hdr.plots.theme import plain

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def shares(
    train: NDArray[np.floating], test: NDArray[np.floating], step: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Which share of each group falls into bins of one width.

    Args:
        train, test: float (n,) and (m,).
        step: the width of a bin; bins are centred on its multiples.

    Returns:
        The middles of the bins, and the shares in percent, all float64 of one length. Values beyond the 99.9th
        percentile of both together counts for the last bin, so that no single digit stretches the axis.
    """
    both = np.concatenate([train, test])
    low, high = np.floor(both.min() / step), np.ceil(np.percentile(both, 99.9) / step)
    # An empty bin at each end, so that the outline comes down.
    middles = np.arange(low - 1, high + 2) * step
    edges = np.append(middles - step / 2, middles[-1] + step / 2)
    most = high * step
    groups = [np.histogram(np.minimum(values, most), edges)[0] / max(len(values), 1) * 100 for values in (train, test)]
    return middles, groups[0], groups[1]


def figure(
    train: NDArray[np.floating], test: NDArray[np.floating], title: str, step: float, labels: bool, height: int = 190
) -> Figure:
    """Draw the spread of a quantity over training and test digits as two outlines.

    Args:
        train, test: float (n,) and (m,).
        title: the axis title, with its unit.
        step: the width of a bin.
        labels: whether to write at the curves which is which; once in a row is enough.
        height: in pixels.
    """
    from plotly.graph_objects import Figure, Scatter

    x, *both = shares(train, test, step)
    drawing = Figure()
    for name, y, colour in zip(("training", "test"), both, (ACCENT, SECOND), strict=True):
        drawing.add_trace(
            Scatter(
                x=x,
                y=y,
                name=name,
                mode="lines",
                line={"color": colour, "width": 2, "shape": "hvh", "dash": "solid" if name == "training" else "dot"},
                hovertemplate=f"%{{y:.1f}} % of the {name} digits<extra></extra>",
            )
        )
    if labels:
        for name, colour, place in (("training", ACCENT, 1.0), ("test", SECOND, 0.86)):
            drawing.add_annotation(
                x=1, y=place, xref="paper", yref="paper", text=name, showarrow=False, font={"color": colour, "size": 13}
            )
    drawing.update_xaxes(title=title, showgrid=False)
    drawing.update_yaxes(title="% of digits", rangemode="tozero", nticks=4)
    return plain(drawing, height)
