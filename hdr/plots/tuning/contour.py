"""Accuracy over two of the things that varied: trials, over the surface between them where there are enough."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hdr.plots import accuracy_axis
from hdr.plots.colours import ACCENT, MUTED, SECOND
from hdr.plots.theme import plain
from hdr.plots.tuning.axes import Axis, Tried, apply_x, apply_y, empty, finished

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

ENOUGH = 10
"""Trials at different places from which on a surface between them says something."""

GRID = 48

Surface = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def placed(axes: tuple[Axis, Axis], at: tuple[int, int], trials: Sequence[Tried]) -> list[tuple[float, float, Tried]]:
    """The places of the trials that went to their end along both axes; those that lack one of both are left out."""
    found = [(axes[0].place(t.values[at[0]]), axes[1].place(t.values[at[1]]), t) for t in finished(trials)]
    return [(x, y, t) for x, y, t in found if not (np.isnan(x) or np.isnan(y))]


def missing(axes: tuple[Axis, Axis], at: tuple[int, int], trials: Sequence[Tried]) -> str:
    """Why no surface can be drawn between the trials, in words; empty where one can."""
    if axes[0].choices or axes[1].choices:
        return "Between choices there is nothing to interpolate: trials only."
    distinct = len({(x, y) for x, y, _ in placed(axes, at, trials)})
    if distinct < ENOUGH:
        return f"Trials only: a surface between them takes {ENOUGH} at different places, and there are {distinct}."
    return ""


def surface(axes: tuple[Axis, Axis], at: tuple[int, int], trials: Sequence[Tried]) -> Surface | None:
    """Interpolate linearly between the trials; nothing outside their convex hull, where there are no measurements.

    Returns:
        x (n,), y (n,) and z (n, n) as heights of `accuracy_axis`, NaN outside; None where there is no such surface.
    """
    from scipy.interpolate import LinearNDInterpolator
    from scipy.spatial import QhullError

    if missing(axes, at, trials):
        return None
    shown = placed(axes, at, trials)
    (x0, x1), (y0, y1) = axes[0].ends, axes[1].ends
    places: dict[tuple[float, float], list[float]] = {}
    for x, y, t in shown:
        places.setdefault(((x - x0) / (x1 - x0), (y - y0) / (y1 - y0)), []).append(accuracy_axis.height(t.accuracy))
    try:
        between = LinearNDInterpolator(np.array(list(places)), [float(np.mean(v)) for v in places.values()])
    except QhullError:
        # All on one line.
        return None
    ticks = np.linspace(0, 1, GRID)
    z = between(*np.meshgrid(ticks, ticks))
    return x0 + ticks * (x1 - x0), y0 + ticks * (y1 - y0), z


def figure(axes: tuple[Axis, Axis], at: tuple[int, int], trials: Sequence[Tried], height: int = 380) -> Figure:
    """Draw the trials, coloured by accuracy, and the surface between them.

    Args:
        axes: of x and y.
        at: which of the trials' values these are.
        trials: those that have a score; of these, those that went to their end are drawn.
        height: in pixels.
    """
    from plotly.graph_objects import Contour, Figure, Scatter

    shown = placed(axes, at, trials)
    if not shown:
        return empty("Trials appear here, and from ten on the surface between them.", height)
    heights = [accuracy_axis.height(t.accuracy) for *_, t in shown]
    low, high = min(heights), max(heights) if max(heights) > min(heights) else min(heights) + 1
    scale = [[0.0, MUTED], [0.5, ACCENT], [1.0, SECOND]]
    drawing = Figure()
    if (found := surface(axes, at, trials)) is not None:
        x, y, z = found
        drawing.add_trace(
            Contour(
                x=x, y=y, z=z, colorscale=scale, zmin=low, zmax=high, opacity=0.55, line={"width": 0.5}, ncontours=12,
                showscale=False, hoverinfo="skip",
            )
        )  # fmt: skip
    drawing.add_trace(
        Scatter(
            x=[x for x, *_ in shown],
            y=[y for _, y, _ in shown],
            mode="markers",
            marker={
                "size": 10,
                "color": heights,
                "colorscale": scale,
                "cmin": low,
                "cmax": high,
                "line": {"width": 1, "color": "rgba(255, 255, 255, 0.85)"},
                "showscale": True,
                "colorbar": _bar(low, high),
            },
            customdata=[
                [
                    t.number,
                    t.accuracy * 100,
                    escape(axes[0].show(t.values[at[0]])),
                    escape(axes[1].show(t.values[at[1]])),
                ]
                for *_, t in shown
            ],
            hovertemplate="trial %{customdata[0]}: %{customdata[1]:.2f} %<br>%{customdata[2]}, %{customdata[3]}"
            "<extra></extra>",
        )
    )
    apply_x(drawing, axes[0])
    apply_y(drawing, axes[1])
    return plain(drawing, height)


def _bar(low: float, high: float) -> dict[str, object]:
    ticks = np.linspace(low, high, 4)
    return {
        "title": {"text": "accuracy, %", "side": "right"},
        "thickness": 10,
        "tickvals": ticks.tolist(),
        "ticktext": [f"{(1 - 10**-t) * 100:.2f}" for t in ticks],
    }
