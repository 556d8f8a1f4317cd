"""Lazy tabs: only the open tab is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st


def lazy_tabs(sections: Mapping[str, Callable[..., Any]], key: str, *args: Any) -> None:
    """Show a tab for each section, and call the section of the open one.

    Args:
        sections: the functions that show the tabs' contents, by title.
        key: of the row of tabs.
        args: for the section.
    """
    for tab, section in zip(st.tabs(list(sections), key=key, on_change="rerun"), sections.values(), strict=True):
        if tab.open:
            with tab:
                section(*args)
