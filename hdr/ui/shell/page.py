"""Page frame: the header, early output to the browser, and error messages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from hdr.sanitize import escape_markdown
from hdr.types import HdrError
from hdr.ui.shell import startup
from hdr.ui.state import session_datasets

_ENTERED = "_entered"

_DRAWN_SECONDS = 0.025
# Streamlit sends every 10 ms what has come together, and browsers draw in one go what arrives together. From the end of
# a stroke to the answer, benchmarks/browser.py measures 280 ms without this rest and 261 with it.


def mark_entered() -> None:
    """Say that this run came through the entry script."""
    st.session_state[_ENTERED] = True


def header(title: str, note: str = "") -> None:
    """Show a page's title, a note below it, the progress of the data download, and the state of the store.

    A folder named ``pages`` makes Streamlit run a page by itself, without the entry script, where a page's address is
    the first thing that a new server is asked for (streamlit.runtime.pages_manager). Then the entry script is run
    instead.
    """
    if not st.session_state.get(_ENTERED):
        from streamlit.runtime.pages_manager import PagesManager

        PagesManager.uses_pages_directory = False
        st.rerun()
    session_datasets.refresh()
    st.header(title, anchor=False)
    if note:
        st.caption(note)
    startup.cleanup_sessions()
    startup.data_notice()
    startup.store_notice()


def flush_to_browser() -> None:
    """Send the page so far to the browser, so that it is drawn before the rest is computed."""
    time.sleep(_DRAWN_SECONDS)


@contextmanager
def show_errors() -> Iterator[None]:
    """Show errors of the block as messages; for fragments that rerun without their page."""
    try:
        yield
    except HdrError as error:
        st.error(escape_markdown(error), icon=":material/error:")
