"""What all Plotly figures share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
