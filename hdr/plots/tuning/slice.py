"""Accuracy against one of the things that varied."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from hdr.plots import accuracy_axis
from hdr.plots.colours import ACCENT, MUTED, SECOND
from hdr.plots.theme import plain
from hdr.plots.tuning.axes import Axis, Tried, apply_x, best, empty

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def points(axis: Axis, index: int, trials: Sequence[Tried]) -> list[tuple[float, float, Tried]]:
    """Place along the axis, accuracy, and the trial itself; without trials that have no such setting. Trials of one
    choice stand a little beside each other."""
    placed = [(axis.place(t.values[index]), t) for t in trials]
    beside = np.random.default_rng(0).uniform(-0.16, 0.16, len(placed)) if axis.choices else np.zeros(len(placed))
    return [(x + dx, t.accuracy, t) for (x, t), dx in zip(placed, beside.tolist(), strict=True) if not np.isnan(x)]


def figure(axis: Axis, index: int, trials: Sequence[Tried], height: int = 220) -> Figure:
    """Draw one point for each trial; pruned ones are rings, the best one stands out.

    Args:
        axis: the x axis.
        index: which of the trials' values that is.
        trials: those that have a score; all of them set the accuracy axis, so that all slices have the same.
        height: in pixels.
    """
    from plotly.graph_objects import Figure, Scatter

    shown = points(axis, index, trials)
    if not shown:
        return empty(f"Trials appear here, by {axis.title}.", height)
    top = best(trials)
    colours = [SECOND if t is top else MUTED if t.pruned else ACCENT for *_, t in shown]
    drawing = Figure(
        Scatter(
            x=[x for x, *_ in shown],
            y=[accuracy_axis.height(y) for _, y, _ in shown],
            mode="markers",
            marker={
                "size": [11 if t is top else 7 for *_, t in shown],
                "color": colours,
                "symbol": ["circle-open" if t.pruned else "circle" for *_, t in shown],
                "line": {"width": 1.5},
            },
            customdata=[[t.number, t.accuracy * 100, escape(axis.show(t.values[index]))] for *_, t in shown],
            hovertemplate="trial %{customdata[0]}: %{customdata[1]:.2f} %<br>%{customdata[2]}<extra></extra>",
        )
    )
    apply_x(drawing, axis)
    accuracy_axis.apply(drawing, [t.accuracy for t in trials], "accuracy, %")
    return plain(drawing, height)
