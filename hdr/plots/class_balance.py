"""How many digits of each class a data set has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hdr.formatting import format_count
from hdr.plots.colours import DIGITS
from hdr.plots.theme import plain

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def shares(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Counts (10,) as percent of all."""
    return counts / max(int(counts.sum()), 1) * 100


def figure(train: NDArray[np.integer], test: NDArray[np.integer], height: int = 190) -> Figure:
    """Draw the share of each class in the training split, as bars, and in the test split, as a line across each.

    Args:
        train, test: counts, int (10,).
        height: in pixels.
    """
    from plotly.graph_objects import Bar, Figure, Scatter

    classes = [str(d) for d in range(len(train))]
    drawing = Figure(
        [
            Bar(
                x=classes,
                y=shares(train),
                marker={"color": DIGITS},
                opacity=0.75,
                text=[format_count(int(c)) for c in train],
                textposition="none",
                hovertemplate="%{text} training digits, %{y:.1f} %<extra></extra>",
            ),
            Scatter(
                x=classes,
                y=shares(test),
                mode="markers",
                marker={"symbol": "line-ew", "size": 20, "line": {"width": 2.5, "color": DIGITS}},
                text=[format_count(int(c)) for c in test],
                hovertemplate="%{text} test digits, %{y:.1f} %<extra></extra>",
            ),
        ]
    )
    drawing.update_xaxes(title="class: bar training, dash test", type="category", showgrid=False)
    drawing.update_yaxes(title="% of digits", nticks=4)
    return plain(drawing, height).update_layout(bargap=0.3)
