"""Axes, trials and placeholders shared by all figures of a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hdr.plots.colours import MUTED
from hdr.plots.theme import log_ticks, plain

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

NOWHERE = "none"
"""Axis label of trials that lack the setting, such as the gamma of a forest."""


@dataclass(frozen=True)
class Axis:
    """Something that a search varies.

    Attributes:
        title: the axis title, with its unit.
        low, high: the range that is searched, for a number.
        log: True where equal ratios matter; the range is then above 0.
        choices: all that it may be, in words, where it is no number.
    """

    title: str
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    choices: tuple[str, ...] = ()

    def place(self, value: Any) -> float:
        """Return a value's position on the axis: itself, its decimal logarithm, or the index of the choice; NaN for
        None and for values that do not fit on the axis."""
        if value is None:
            return float("nan")
        if self.choices:
            return float(self.choices.index(value)) if value in self.choices else float("nan")
        if isinstance(value, (bool, str)) or (self.log and value <= 0):
            return float("nan")
        return float(np.log10(value)) if self.log else float(value)

    @property
    def ends(self) -> tuple[float, float]:
        """The places of both ends, never the same."""
        low, high = (0.0, len(self.choices) - 1.0) if self.choices else (self.place(self.low), self.place(self.high))
        return (low, high) if high > low else (low - 0.5, high + 0.5)

    def ticks(self, most: int = 5) -> tuple[list[float], list[str]]:
        """Places for ticks and what to write there."""
        if self.choices:
            return [float(i) for i in range(len(self.choices))], list(self.choices)
        if self.low == self.high:
            return [self.place(self.low)], [f"{self.low:g}"]
        if not self.log:
            values = _round_steps(self.low, self.high, most)
        else:
            # Within one decade there may be no round number of any power of ten.
            values = log_ticks(*self.ends, most)
            values = values if len(values) > 1 else [self.low, self.high]
        return [self.place(v) for v in values], [f"{v:g}" for v in values]

    def show(self, value: Any) -> str:
        """A value in words."""
        return NOWHERE if value is None else value if isinstance(value, str) else f"{value:.4g}"


@dataclass(frozen=True)
class Tried:
    """One trial of a search.

    Attributes:
        number: which it was, counted from 1.
        accuracy: on validation digits, 0 to 1: at its end, or where it was pruned.
        values: for each axis a number, or one of its choices; None where the trial has no such setting.
        pruned: True where it was given up before its end.
        text: the varied settings, in words.
    """

    number: int
    accuracy: float
    values: tuple[Any, ...] = ()
    pruned: bool = False
    text: str = ""


def finished(trials: Sequence[Tried]) -> list[Tried]:
    """Return the completed trials; only these are comparable."""
    return [t for t in trials if not t.pruned]


def best(trials: Sequence[Tried]) -> Tried | None:
    """Return the best completed trial, the first of equal ones."""
    return max(finished(trials), key=lambda t: (t.accuracy, -t.number), default=None)


def empty(words: str, height: int) -> Figure:
    """Return a placeholder figure with a text."""
    from plotly.graph_objects import Figure

    # Broken by hand: Plotly does not wrap, and a phone is 40 letters wide.
    lines, line = [], ""
    for word in words.split():
        if len(line) + len(word) > 38:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    drawing = plain(Figure(), height)
    drawing.add_annotation(text="<br>".join([*lines, line]), showarrow=False, font={"color": MUTED})
    return drawing.update_xaxes(visible=False).update_yaxes(visible=False)


def apply_x(figure: Figure, axis: Axis, most: int = 5) -> None:
    """Make the figure's horizontal axis this one."""
    places, texts = axis.ticks(most)
    low, high = axis.ends
    room = 0.35 if axis.choices else 0.06 * (high - low)
    figure.update_xaxes(
        title=axis.title, range=[low - room, high + room], tickvals=places, ticktext=texts, showgrid=False
    )


def apply_y(figure: Figure, axis: Axis) -> None:
    """Make the figure's vertical axis this one."""
    places, texts = axis.ticks()
    low, high = axis.ends
    room = 0.35 if axis.choices else 0.06 * (high - low)
    figure.update_yaxes(title=axis.title, range=[low - room, high + room], tickvals=places, ticktext=texts)


def _round_steps(low: float, high: float, most: int) -> list[float]:
    coarse = 10 ** np.floor(np.log10(high - low))
    for part in (0.1, 0.2, 0.5, 1, 2, 5, 10):
        step = coarse * part
        values = [n * step for n in range(int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9)) + 1)]
        if 2 <= len(values) <= most:
            return [float(f"{v:.10g}") for v in values]
    return [low, high]
