"""Accuracy against cost of runs, with the Pareto front marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hdr.plots import accuracy_axis
from hdr.plots.colours import DIGITS, MUTED
from hdr.plots.theme import log_ticks, plain

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True)
class Point:
    """One run.

    Attributes:
        letter: its label.
        cost: positive.
        shown: the cost in words.
        accuracy: 0 to 1.
        interval: of the accuracy.
        best: True where it is on the Pareto front.
        colour: index into `DIGITS`.
    """

    letter: str
    cost: float
    shown: str
    accuracy: float
    interval: tuple[float, float]
    best: bool
    colour: int


def figure(points: Sequence[Point], x_title: str, height: int = 300) -> Figure:
    """Draw accuracy against cost; the front is a line through full points, all others are rings.

    Args:
        points: at least one.
        x_title: the title of the cost axis, with its unit; its axis is logarithmic.
        height: in pixels.
    """
    from plotly.graph_objects import Figure, Scatter

    heights = [accuracy_axis.height(p.accuracy) for p in points]
    drawing = Figure()
    front = sorted((p for p in points if p.best), key=lambda p: (p.cost, p.accuracy))
    drawing.add_trace(
        Scatter(
            x=[p.cost for p in front],
            y=[accuracy_axis.height(p.accuracy) for p in front],
            mode="lines",
            line={"color": MUTED, "width": 1.5, "dash": "dot"},
            hoverinfo="skip",
            name="front",
        )
    )
    colours = [DIGITS[p.colour % len(DIGITS)] for p in points]
    drawing.add_trace(
        Scatter(
            x=[p.cost for p in points],
            y=heights,
            mode="markers+text",
            text=[f"<b>{p.letter}</b>" for p in points],
            textposition="middle right",
            textfont={"size": 13},
            customdata=[[p.letter, p.accuracy * 100, p.shown, "on the front" if p.best else ""] for p in points],
            marker={
                "size": 11,
                "color": colours,
                "symbol": ["circle" if p.best else "circle-open" for p in points],
                "line": {"width": 2, "color": colours},
            },
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [accuracy_axis.height(p.interval[1]) - h for p, h in zip(points, heights, strict=True)],
                "arrayminus": [h - accuracy_axis.height(p.interval[0]) for p, h in zip(points, heights, strict=True)],
                "thickness": 1,
                "width": 3,
                "color": MUTED,
            },
            hovertemplate="<b>%{customdata[0]}</b> %{customdata[1]:.2f} %, %{customdata[2]}<br>%{customdata[3]}"
            "<extra></extra>",
            name="runs",
        )
    )
    accuracy_axis.apply(drawing, [s for p in points for s in p.interval], "test accuracy, %")
    low, high = (np.log10(edge([p.cost for p in points])) for edge in (min, max))
    room = max(0.1 * (high - low), 0.15)
    bounds = low - room, high + 1.6 * room
    ticks = log_ticks(*bounds)
    drawing.update_xaxes(
        title=x_title, type="log", range=bounds, tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks]
    )
    return plain(drawing, height)
