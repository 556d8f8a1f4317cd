"""Accuracy by corruption level, for one model or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hdr.plots.colours import DIGITS, MUTED
from hdr.plots.theme import plain, words

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def in_percent(curves: Sequence[Sequence[float]]) -> list[list[float]]:
    """Shares as percent."""
    return [[100 * share for share in curve] for curve in curves]


def figure(
    levels: Sequence[float],
    curves: Sequence[Sequence[float]],
    names: Sequence[str],
    axis: str,
    clean: float,
    height: int = 190,
) -> Figure:
    """Draw one curve for each model; a line marks where the digits are as they were.

    Args:
        levels: corruption levels, ascending.
        curves: for each model its accuracy at each level, 0 to 1; ten at most. They take the colours of the digits.
        names: of the models.
        axis: the axis title, with the unit of the levels.
        clean: the level at which nothing is changed.
        height: in pixels.
    """
    from plotly.graph_objects import Figure, Scatter

    drawing = Figure()
    for curve, name, colour in zip(in_percent(curves), names, DIGITS, strict=False):
        drawing.add_trace(
            Scatter(
                x=list(levels),
                y=curve,
                mode="lines+markers",
                line={"color": colour, "width": 2},
                marker={"size": 5},
                hovertemplate=f"%{{x:g}}: %{{y:.1f}} %<extra>{words(name)}</extra>",
            )
        )
    drawing.add_vline(x=clean, line={"color": MUTED, "width": 1, "dash": "dot"})
    drawing.update_xaxes(title=axis, showgrid=False)
    # All of one scale, so that they can be compared; at 10 % a model guesses.
    drawing.update_yaxes(title="accuracy, %", range=[0, 103], tickvals=[0, 50, 100])
    return plain(drawing, height)
