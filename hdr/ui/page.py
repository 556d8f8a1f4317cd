"""How every page begins."""

from __future__ import annotations

import streamlit as st

from hdr.ui import startup

_ENTERED = "_entered"


def enter() -> None:
    """Say that this run came through the entry script."""
    st.session_state[_ENTERED] = True


def begin(title: str, note: str = "") -> None:
    """Show a page's title, a sentence below it, and how far the data are.

    A folder named ``pages`` makes Streamlit run a page by itself, without the entry script, where a page's address is
    the first thing that a new server is asked for (streamlit.runtime.pages_manager). Then the entry script is run
    instead.
    """
    if not st.session_state.get(_ENTERED):
        from streamlit.runtime.pages_manager import PagesManager

        PagesManager.uses_pages_directory = False
        st.rerun()
    st.header(title, anchor=False)
    if note:
        st.caption(note)
    startup.tidy()
    startup.data_notice()
