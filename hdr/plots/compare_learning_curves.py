"""Learning curves of several runs over each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from hdr.plots import accuracy_axis
from hdr.plots.colours import DIGITS, MUTED
from hdr.plots.theme import log_ticks, plain

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

LINE = 15
"""Least distance of two labels in pixels."""


@dataclass(frozen=True)
class Curve:
    """One run's curve.

    Attributes:
        letter: the label at its end.
        x: where each point is on the horizontal axis.
        y: accuracies, 0 to 1.
        colour: index into `DIGITS`.
    """

    letter: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    colour: int


def apart(places: Sequence[float], least: float) -> list[float]:
    """The same places, moved as little as it takes for neighbours to be `least` apart, in the same order."""
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = list(places)
    for _ in range(50):
        for a, b in pairwise(order):
            lacking = least - (moved[b] - moved[a])
            if lacking > 1e-9:
                moved[a] -= lacking / 2
                moved[b] += lacking / 2
    return moved


def figure(curves: Sequence[Curve], x_title: str, log: bool = False, height: int = 340) -> Figure:
    """Draw curves on one pair of axes, each with its letter at its end.

    Args:
        curves: those with points; none is allowed.
        x_title: of the horizontal axis, with its unit.
        log: True for a logarithmic horizontal axis; all x are positive then.
        height: in pixels.
    """
    from plotly.graph_objects import Figure, Scatter

    drawn = [c for c in curves if c.x]
    if not drawn:
        empty = plain(Figure(), height)
        empty.add_annotation(text="None of these runs has a curve.", showarrow=False, font={"color": MUTED})
        return empty.update_xaxes(visible=False).update_yaxes(visible=False)
    drawing = Figure()
    for curve in drawn:
        drawing.add_trace(
            Scatter(
                x=curve.x,
                y=[accuracy_axis.height(v) for v in curve.y],
                customdata=[v * 100 for v in curve.y],
                mode="lines+markers",
                line={"color": DIGITS[curve.colour % len(DIGITS)], "width": 2},
                marker={"size": 5},
                name=curve.letter,
                hovertemplate=f"<b>{curve.letter}</b> %{{customdata:.2f}} % at %{{x:.3~g}}<extra></extra>",
            )
        )
    accuracy_axis.apply(drawing, [v for c in drawn for v in c.y], "validation accuracy, %")
    low, high = drawing.layout.yaxis.range
    pixels = (height - 70) / (high - low)
    ends = [accuracy_axis.height(c.y[-1]) * pixels for c in drawn]
    for curve, end, place in zip(drawn, ends, apart(ends, LINE), strict=True):
        drawing.add_annotation(
            # Annotations of a logarithmic axis are placed by the logarithm.
            x=np.log10(curve.x[-1]) if log else curve.x[-1],
            y=end / pixels,
            text=f"<b>{curve.letter}</b>",
            showarrow=False,
            xanchor="left",
            xshift=7,
            yshift=place - end,
            font={"size": 13},
        )
    left, right = min(c.x[0] for c in drawn), max(c.x[-1] for c in drawn)
    if log:
        left, right = np.log10(left), np.log10(right)
    wide = (right - left) or 1.0
    bounds = left - 0.03 * wide, right + 0.08 * wide
    drawing.update_xaxes(title=x_title, range=bounds)
    if log:
        ticks = log_ticks(*bounds)
        drawing.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    return plain(drawing, height)
