"""The theme of all Plotly figures."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

CONFIG: dict[str, Any] = {"displayModeBar": False}
"""Plotly's settings for figures that need no tools."""


def plain(figure: Figure, height: int) -> Figure:
    """Give a figure the app's margins and height, without a title and without junk."""
    figure.update_layout(
        height=height, margin={"l": 8, "r": 8, "t": 8, "b": 8}, showlegend=False, hovermode="closest", dragmode=False
    )
    figure.update_xaxes(zeroline=False, automargin=True)
    figure.update_yaxes(zeroline=False, automargin=True)
    return figure


def words(text: str) -> str:
    """A text that a visitor wrote, for Plotly, which takes some HTML for markup and ``%{x}`` for a value."""
    return escape(text).replace("%{", "%&#123;")


def log_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers between 10^low and 10^high for a logarithmic axis: 1, 2 and 5 of every decade, or 1 and 3, or 1
    alone, so that there are at most `most` ticks."""
    decades = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    found: list[float] = []
    for parts in ((1, 2, 5), (1, 3), (1,)):
        found = [float(f"{part}e{d}") for d in decades for part in parts if low <= np.log10(part) + d <= high]
        if len(found) <= most:
            return found
    return found[:: -(-len(found) // most)]
