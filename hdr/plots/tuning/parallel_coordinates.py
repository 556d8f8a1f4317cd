"""All trials at once: each a line through its settings to its accuracy; axes can be brushed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hdr.plots import accuracy_axis
from hdr.plots.colours import ACCENT, MUTED, SECOND
from hdr.plots.theme import plain
from hdr.plots.tuning.axes import NOWHERE, Axis, Tried, empty, finished

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SCALE = ((0.0, MUTED), (0.5, ACCENT), (1.0, SECOND))
"""From the worst to the best."""

Brush = Sequence[Sequence[tuple[float, float]]]

_LONGEST, _TITLE_LINE = 12, 14


def columns(axes: Sequence[Axis], trials: Sequence[Tried]) -> list[dict[str, Any]]:
    """Plotly's dimensions: the places of values, the range and the ticks of every axis, and the accuracy last.

    A trial that has no such setting passes below the axis, at a tick that says so.
    """
    found = [_column(axis, [axis.place(t.values[i]) for t in trials]) for i, axis in enumerate(axes)]
    heights = [accuracy_axis.height(t.accuracy) for t in trials]
    low, high = min(heights), max(heights)
    room = 0.02 if low == high else 0.0
    ticks = np.linspace(low, high, 5) if high > low else np.array([low])
    found.append(
        {
            "label": _wrapped("validation accuracy, %"),
            "values": heights,
            "range": [low - room, high + room],
            "tickvals": ticks.tolist(),
            "ticktext": [f"{(1 - 10**-t) * 100:.2f}" for t in ticks],
        }
    )
    return found


def _column(axis: Axis, places: list[float]) -> dict[str, Any]:
    (low, high), (tickvals, ticktext) = axis.ends, axis.ticks()
    if np.isnan(places).any():
        below = low - 0.15 * (high - low)
        places = [below if np.isnan(p) else p for p in places]
        low, tickvals, ticktext = below, [below, *tickvals], [NOWHERE, *ticktext]
    return {
        "label": _wrapped(axis.title),
        "values": places,
        "range": [low, high],
        "tickvals": tickvals,
        "ticktext": [t if len(t) <= _LONGEST else t[: _LONGEST - 1] + "…" for t in ticktext],
    }


def _wrapped(title: str) -> str:
    lines = [""]
    for word in title.split():
        if lines[-1] and len(lines[-1]) + len(word) >= _TITLE_LINE:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines[:2] if len(lines) <= 2 else [lines[0], " ".join(lines[1:])])


def passing(dimensions: Sequence[dict[str, Any]], brushed: Brush) -> list[bool]:
    """Which lines pass every brushed axis within what is brushed of it.

    Args:
        dimensions: of `columns`.
        brushed: for each of them stretches from place to place; none where it is not brushed.
    """
    lines = zip(*(d["values"] for d in dimensions), strict=True)
    return [
        all(not parts or any(low <= v <= high for low, high in parts) for v, parts in zip(line, brushed, strict=True))
        for line in lines
    ]


def figure(axes: Sequence[Axis], trials: Sequence[Tried], brushed: Brush = (), height: int = 340) -> Figure:
    """Draw parallel coordinates of the trials that went to their end, coloured by accuracy.

    Args:
        axes: the varied settings; at least one.
        trials: with a value for each axis.
        brushed: the brushed ranges of each axis and, last, of the accuracy; empty for none.
        height: in pixels.
    """
    from plotly.graph_objects import Figure, Parcoords

    done = finished(trials)
    if not done:
        return empty("Every trial becomes a line through its settings to its accuracy.", height)
    dimensions = columns(axes, done)
    heights = dimensions[-1]["values"]
    for dimension, parts in zip(dimensions, brushed, strict=False):
        if parts:
            dimension["constraintrange"] = [list(part) for part in parts]
    drawing = Figure(
        Parcoords(
            dimensions=dimensions,
            line={
                "color": heights,
                "colorscale": [list(stop) for stop in SCALE],
                "cmin": min(heights),
                "cmax": max(heights) if max(heights) > min(heights) else min(heights) + 1,
                "showscale": False,
            },
            unselected={"line": {"color": MUTED, "opacity": 0.08}},
            labelfont={"size": 12},
            tickfont={"size": 11},
            rangefont={"size": 1, "color": "rgba(0, 0, 0, 0)"},
        )
    )
    return plain(drawing, height).update_layout(margin={"l": 44, "r": 56, "t": 58, "b": 14})
