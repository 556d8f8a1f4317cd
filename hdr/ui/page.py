"""How every page begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from hdr.text import plain
from hdr.types import HdrError
from hdr.ui import own_data, startup

_ENTERED = "_entered"


def enter() -> None:
    """Say that this run came through the entry script."""
    st.session_state[_ENTERED] = True


def begin(title: str, note: str = "") -> None:
    """Show a page's title, a sentence below it, how far the data are, and what became of the store.

    A folder named ``pages`` makes Streamlit run a page by itself, without the entry script, where a page's address is
    the first thing that a new server is asked for (streamlit.runtime.pages_manager). Then the entry script is run
    instead.
    """
    if not st.session_state.get(_ENTERED):
        from streamlit.runtime.pages_manager import PagesManager

        PagesManager.uses_pages_directory = False
        st.rerun()
    own_data.look()
    st.header(title, anchor=False)
    if note:
        st.caption(note)
    startup.tidy()
    startup.data_notice()
    startup.store_notice()


@contextmanager
def plainly() -> Iterator[None]:
    """Say in words what cannot be done: for what is drawn by itself again and again, and not with its page."""
    try:
        yield
    except HdrError as error:
        st.error(plain(error), icon=":material/error:")
