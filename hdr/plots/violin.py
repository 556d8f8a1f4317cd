"""How one feature spreads over the digits of each class."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hdr.plots.colours import DIGITS
from hdr.plots.theme import plain
from hdr.types import CLASSES, Labels

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def by_class(values: NDArray[np.floating], labels: Labels) -> list[NDArray[np.floating]]:
    """The values float (n,) of each class, 0 to 9; empty for a class that is not there."""
    return [values[labels == d] for d in range(CLASSES)]


def figure(
    values: NDArray[np.floating], labels: Labels, title: str, pair: Collection[int] = (), height: int = 340
) -> Figure:
    """Draw one violin for each class, all on one scale.

    Args:
        values: float (n,), one feature.
        labels: uint8 (n,).
        title: the axis title.
        pair: classes that stand out; the others are paler. None stands out where it is empty.
        height: in pixels.
    """
    from plotly.graph_objects import Figure, Violin

    drawing = Figure()
    for d, group in enumerate(by_class(values, labels)):
        drawing.add_trace(
            Violin(
                x=[str(d)] * len(group),
                y=group,
                name=str(d),
                line={"color": DIGITS[d], "width": 1.5},
                opacity=1.0 if not pair or d in pair else 0.45,
                points=False,
                # Clip the density to the range of possible values.
                spanmode="hard",
                scalemode="width",
                width=0.85,
                box={"visible": True, "width": 0.12},
                hoveron="violins",
                hoverinfo="y",
            )
        )
    drawing.update_xaxes(title="class", type="category", showgrid=False)
    drawing.update_yaxes(title=title)
    return plain(drawing, height)
