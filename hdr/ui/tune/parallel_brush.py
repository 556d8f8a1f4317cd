"""Brushed ranges in the parallel coordinates of a search, as sent by the browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from hdr.ui import ASSETS

Ranges = list[list[tuple[float, float]]]
"""For every axis the stretches of it that are brushed; none where it is not."""

_JS = ASSETS / "parallel_brush.js"


@st.cache_resource(max_entries=1, show_spinner=False)
def _component():  # noqa: ANN202 - Streamlit names no public type for it
    return st.components.v2.component("hdr_brush", html="<span></span>", js=_JS.read_text("utf-8"))


def brushed(search: str, axes: int) -> Ranges:
    """Return the brushed ranges in the plot of a search.

    Args:
        search: the search's name.
        axes: number of axes in the plot.
    """
    answer = _component()(
        key=f"tune-brush-{search}",
        data={"search": search},
        on_ranges_change=lambda: None,
        width="content",
        height=1,
    )
    return parse(answer.get("ranges"), search, axes)


def parse(said: Any, search: str, axes: int) -> Ranges:
    """Parse the browser's message; return no ranges if it is invalid or belongs to another plot."""
    ranges = said.get("ranges") if hasattr(said, "get") and said.get("search") == search else None
    if not isinstance(ranges, Sequence) or isinstance(ranges, str) or len(ranges) != axes:
        return [[] for _ in range(axes)]
    return [_stretches(one) for one in ranges]


def _stretches(said: Any) -> list[tuple[float, float]]:
    # Plotly says [low, high] for one, and [[low, high], ...] for several.
    parts = list(said) if isinstance(said, Sequence) and not isinstance(said, str) else []
    several = parts if parts and all(isinstance(p, Sequence) and not isinstance(p, str) for p in parts) else [parts]
    return [
        (float(min(part)), float(max(part)))
        for part in several[:40]
        if len(part) == 2 and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in part)
    ]
