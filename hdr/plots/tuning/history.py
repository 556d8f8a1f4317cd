"""How a search went: every trial a point, and the best so far as a line."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import accumulate
from typing import TYPE_CHECKING

from hdr.plots import accuracy_axis
from hdr.plots.colours import ACCENT, MUTED, SECOND
from hdr.plots.theme import plain
from hdr.plots.tuning.axes import Tried, empty, finished

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def best_so_far(trials: Sequence[Tried]) -> tuple[list[int], list[float]]:
    """Numbers and best accuracies up to them, over the trials that went to their end, in the order of numbers."""
    done = sorted(finished(trials), key=lambda t: t.number)
    return [t.number for t in done], list(accumulate((t.accuracy for t in done), max))


def figure(trials: Sequence[Tried], of: int, height: int = 300) -> Figure:
    """Draw the history on an axis that reaches to its end; pruned trials are rings.

    Args:
        trials: those that have a score.
        of: the largest possible trial number, or the number of trials so far if there is no limit.
        height: in pixels.
    """
    from plotly.graph_objects import Figure, Scatter

    if not trials:
        return empty("Every trial becomes a point here, and the best so far a line.", height)
    numbers, line = best_so_far(trials)
    drawing = Figure()
    last = max(t.number for t in trials)
    drawing.add_trace(
        Scatter(
            # Up to the newest trial, which need not be one that went to its end.
            x=[*numbers, last] if numbers else [],
            y=[accuracy_axis.height(v) for v in [*line, *line[-1:]]],
            mode="lines",
            line={"color": SECOND, "width": 2, "shape": "hv"},
            hoverinfo="skip",
            name="best so far",
        )
    )
    for kept, name in ((False, "pruned"), (True, "finished")):
        shown = [t for t in trials if t.pruned != kept]
        colour = ACCENT if kept else MUTED
        drawing.add_trace(
            Scatter(
                x=[t.number for t in shown],
                y=[accuracy_axis.height(t.accuracy) for t in shown],
                mode="markers",
                marker={
                    "size": 8,
                    "color": colour,
                    "symbol": "circle" if kept else "circle-open",
                    "line": {"width": 1.5},
                },
                customdata=[[t.accuracy * 100, escape(t.text)] for t in shown],
                hovertemplate="trial %{x}: %{customdata[0]:.2f} %<br>%{customdata[1]}"
                f"<extra>{'' if kept else name}</extra>",
                name=name,
            )
        )
    end = max(of, last)
    drawing.update_xaxes(title="trial", range=[0.3, end + 0.7], showgrid=False)
    if end <= 6:
        drawing.update_xaxes(tickvals=list(range(1, end + 1)))
    accuracy_axis.apply(drawing, [t.accuracy for t in trials], "validation accuracy, %")
    return plain(drawing, height)
