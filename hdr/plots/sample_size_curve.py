"""Accuracy of small models against one thing in which they differ: training size or a hyperparameter."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hdr.plots.colours import ACCENT, MUTED, SECOND
from hdr.plots.theme import plain

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def ticks(values: Sequence[Any]) -> list[str]:
    """Values as short labels: 4 000, 0.046, rbf, on and off."""
    return [("on" if v else "off") if isinstance(v, bool) else v if isinstance(v, str) else f"{v:,.5g}" for v in values]


def figure(
    values: Sequence[Any],
    train: Sequence[float],
    validation: Sequence[float],
    interval: Sequence[tuple[float, float]],
    axis: str,
    marked: Any = None,
    height: int = 340,
) -> Figure:
    """Draw both accuracies. The values are equally spaced on the axis, since they are spread evenly over their scale.

    Args:
        values: one for each model.
        train, validation: their accuracies, 0 to 1.
        interval: of the validation accuracy.
        axis: the axis title.
        marked: the value of the run itself, where it is between these or one of them; a line is drawn there.
        height: in pixels.
    """
    from plotly.graph_objects import Figure, Scatter

    x = list(range(len(values)))
    drawing = Figure()
    for y, name, colour in ((train, "training", ACCENT), (validation, "validation", SECOND)):
        shown = [100 * v for v in y]
        error = {
            "array": [100 * (high - v) for v, (_, high) in zip(y, interval, strict=True)],
            "arrayminus": [100 * (v - low) for v, (low, _) in zip(y, interval, strict=True)],
            "symmetric": False,
            "thickness": 1,
            "width": 0,
        }
        drawing.add_trace(
            Scatter(
                x=x,
                y=shown,
                mode="lines+markers",
                line={"color": colour, "width": 2},
                marker={"size": 7},
                error_y=error if name == "validation" else None,
                customdata=ticks(values),
                hovertemplate=f"{name}%{{y:.2f}} %<extra>%{{customdata}}</extra>",
            )
        )
        above = (y[-1] >= validation[-1]) if name == "training" else False
        drawing.add_annotation(
            x=x[-1],
            y=shown[-1],
            text=name,
            showarrow=False,
            xanchor="left",
            xshift=8,
            yshift=9 if above else -9,
            font={"color": colour, "size": 13},
        )
    place = position(values, marked)
    if place is not None:
        drawing.add_vline(x=place, line={"color": MUTED, "width": 1, "dash": "dot"})
        drawing.add_annotation(
            x=place, y=0, yref="paper", text="this run", showarrow=False, xanchor="left", yanchor="bottom",
            font={"color": MUTED, "size": 12},
        )  # fmt: skip
    # The labels stand to the right of the last point.
    drawing.update_xaxes(title=axis, tickvals=x, ticktext=ticks(values), range=[-0.4, (len(x) - 1) * 1.28 + 0.6])
    drawing.update_yaxes(title="accuracy, %")
    return plain(drawing, height)


def position(values: Sequence[Any], value: Any) -> float | None:
    """Where a value lies among the places 0, 1, 2, ... of ascending numbers or of choices; None where it does not."""
    if value in values:
        return float(list(values).index(value))
    if isinstance(value, (str, bool)) or value is None:
        return None
    for place, (low, high) in enumerate(pairwise(values)):
        if low < value < high:
            return place + (value - low) / (high - low)
    return None
