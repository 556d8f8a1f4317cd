"""Which of the things that varied made a difference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hdr.plots.colours import ACCENT
from hdr.plots.theme import plain
from hdr.plots.tuning.axes import empty

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def ranked(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    """Titles and shares in percent, the least important first, as bars are drawn from below."""
    return sorted(((title, 100 * share) for title, share in shares.items()), key=lambda pair: pair[1])


def figure(shares: Mapping[str, float], height: int | None = None) -> Figure:
    """Draw a bar for each, the most important on top.

    Args:
        shares: by title, 0 to 1 and together 1; none where it cannot be told.
        height: in pixels; by their number where left out.
    """
    from plotly.graph_objects import Bar, Figure

    if not shares:
        return empty("How much each setting matters appears here after some trials.", height or 190)
    rows = ranked(shares)
    drawing = Figure(
        Bar(
            x=[share for _, share in rows],
            y=[title for title, _ in rows],
            orientation="h",
            marker={"color": ACCENT},
            text=[f"{share:.0f}%" for _, share in rows],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.1f} %<extra></extra>",
            width=0.6,
        )
    )
    drawing.update_xaxes(title="share of the differences in accuracy, %", range=[0, 116], tickvals=[0, 50, 100])
    drawing.update_yaxes(title=None)
    return plain(drawing, height or 74 + 34 * len(rows))
