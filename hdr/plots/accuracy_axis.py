"""An axis for accuracies on which 99.0 and 99.5% are as far apart as 90 and 95 %."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

NOTE = "Each halving of the mistakes has the same room on this scale."
"""Note shown below figures that have this axis."""

_LEAST_ERROR = 2e-4
_TICKS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 1.0)


def height(share: float) -> float:
    """Where an accuracy, 0 to 1, is on the axis: minus the decimal logarithm of the share of mistakes. Fewer than 2 in
    10,000 count as 2."""
    return float(-np.log10(max(1.0 - share, _LEAST_ERROR)))


def apply(figure: Figure, shares: Sequence[float], title: str) -> None:
    """Give a figure such a vertical axis that holds all these accuracies, with ticks in percent."""
    low, high = (height(s) for s in (min(shares), max(shares)))
    room = max(0.06 * (high - low), 0.04)
    bounds = low - room, high + room
    inside = [t for t in _TICKS if bounds[0] <= height(t) <= bounds[1]]
    if len(inside) < 2:
        inside = _even(*(1 - 10**-b for b in bounds))
    figure.update_yaxes(
        title=title, range=bounds, tickvals=[height(t) for t in inside], ticktext=[f"{t * 100:.6g}" for t in inside]
    )


def _even(low: float, high: float) -> list[float]:
    # All values are close together: ticks at even steps, of 1, 2 or 5 times a power of ten.
    coarse = 10 ** np.floor(np.log10(high - low))
    step = next(coarse * part for part in (2, 1, 0.5, 0.2) if (high - low) / (coarse * part) >= 3)
    first = int(np.ceil(low / step))
    return [n * step for n in range(first, first + 40) if n * step <= min(high, 1.0)]
