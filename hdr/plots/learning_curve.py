"""How a model learns: accuracy, and loss where there is one, against what it has learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hdr.formatting import format_count, format_percent
from hdr.plots.colours import ACCENT, MUTED, SECOND
from hdr.plots.theme import plain

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

AXES = {"epoch": "epochs", "trees": "trees", "rounds": "rounds", "digits": "training digits"}

LABELS = 128
"""Pixels at the right for the labels at the curves' ends."""


def series(points: Sequence[Any]) -> dict[str, list[float]]:
    """The columns of a curve from its points (see `hdr.store.run_progress.Point`), accuracies in percent."""
    return {
        "step": [p.step for p in points],
        "train": [p.train * 100 for p in points],
        "validation": [p.validation * 100 for p in points],
        "loss": [p.loss for p in points if p.loss is not None],
    }


def figure(
    points: Sequence[Any],
    unit: str,
    of: int,
    height: int = 380,
    marks: Sequence[tuple[int, str]] = (),
    kept: int | None = None,
) -> Figure:
    """Draw a curve as far as it has come, on axes that reach to its end.

    Args:
        points: the points so far, maybe none.
        unit: the unit of a step: "epoch", "trees", "rounds" or "digits".
        of: the last step there will be.
        height: in pixels.
        marks: changes during training: the first epoch that each applies to, and a description.
        kept: the epoch whose weights were kept, where that is not the last one.
    """
    from plotly.graph_objects import Figure, Scatter
    from plotly.subplots import make_subplots

    data = series(points)
    if not points:
        return (
            plain(Figure(), height)
            .add_annotation(
                text="The curve appears here as soon as the first model has been scored.",
                showarrow=False,
                font={"color": MUTED},
            )
            .update_xaxes(visible=False)
            .update_yaxes(visible=False)
        )
    with_loss = bool(data["loss"])
    shape = {"rows": 2, "row_heights": [0.62, 0.38], "shared_xaxes": True, "vertical_spacing": 0.07}
    drawing = make_subplots(**shape) if with_loss else make_subplots(rows=1)
    curves = [("validation", SECOND, "validation", 1), ("train", ACCENT, "training", 1)]
    if with_loss:
        curves.append(("loss", ACCENT, "loss", 2))
    for name, colour, label, row in curves:
        unit_shown = " %" if row == 1 else ""
        drawing.add_trace(
            Scatter(
                x=data["step"],
                y=data[name],
                mode="lines+markers",
                line={"color": colour, "width": 2},
                marker={"size": 6},
                name=label,
                hovertemplate=f"{label}%{{y:.4g}}{unit_shown}<extra>%{{x}} {AXES[unit]}</extra>",
            ),
            row=row,
            col=1,
        )
    _label_ends(drawing, data)
    for epoch, words in marks:
        _mark(drawing, epoch, words)
    if kept in data["step"]:
        _ring(drawing, kept, data["validation"][data["step"].index(kept)])
    first = 0.5 if unit == "epoch" else 0
    parts = 4 if unit == "digits" else 5
    ticks = sorted({max(1, round(of * part / parts)) for part in range(1, parts + 1)})
    drawing.update_xaxes(
        range=[first, of + 0.02 * (of - first)], tickvals=ticks, ticktext=[format_count(t) for t in ticks]
    )
    drawing.update_xaxes(title=AXES[unit], row=2 if with_loss else 1)
    drawing.update_yaxes(title="accuracy, %", range=[_bottom(data), 100.3], row=1)
    if with_loss:
        drawing.update_yaxes(title="loss", rangemode="tozero", row=2)
    # The labels stand to the right of the last point, and are as wide on a phone as anywhere.
    return plain(drawing, height).update_layout(margin_r=LABELS)


def _bottom(data: dict[str, list[float]]) -> float:
    """Where the axis of the accuracy begins, in percent."""
    lowest = min(data["train"] + data["validation"])
    return max(0, lowest - (100 - lowest) * 0.1 - 0.2)


def _label_ends(drawing: Figure, data: dict[str, list[float]]) -> None:
    # Direct labels: above the upper curve and below the lower one, so that they never overlap.
    near = abs(data["train"][-1] - data["validation"][-1]) < 0.1 * (100 - _bottom(data))
    up = 9 if data["train"][-1] >= data["validation"][-1] else -9
    for name, colour, label, shift in (("train", ACCENT, "training", up), ("validation", SECOND, "validation", -up)):
        drawing.add_annotation(
            x=data["step"][-1],
            y=data[name][-1],
            text=f"{label} {format_percent(data[name][-1] / 100)}",
            showarrow=False,
            xshift=8,
            yshift=shift if near else 0,
            xanchor="left",
            font={"color": colour, "size": 13},
            row=1,
            col=1,
        )


def _mark(drawing: Figure, epoch: int, words: str) -> None:
    # A point stands where its epoch ends, which is where the next one begins; before the first there is no room.
    x = max(epoch - 1, 0.55)
    drawing.add_vline(x, line={"color": MUTED, "width": 1.5, "dash": "dot"})
    drawing.add_annotation(
        x=x,
        y=0,
        yref="y domain",
        text=words,
        textangle=-90,
        showarrow=False,
        xanchor="left",
        yanchor="bottom",
        font={"color": MUTED, "size": 12},
        row=1,
        col=1,
    )


def _ring(drawing: Figure, epoch: int, accuracy: float) -> None:
    drawing.add_scatter(
        x=[epoch],
        y=[accuracy],
        mode="markers",
        marker={"size": 14, "symbol": "circle-open", "color": SECOND, "line": {"width": 2}},
        name="kept",
        hovertemplate=f"kept: epoch {epoch}<extra></extra>",
        row=1,
        col=1,
    )
