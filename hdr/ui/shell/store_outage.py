"""The run store's server does not answer: pages say so, and come back by themselves when it does."""

from __future__ import annotations

import logging

import streamlit as st

from hdr.sanitize import escape_markdown
from hdr.store.runs import StoreLostError
from hdr.types import HdrError
from hdr.ui.state import identity, resources

log = logging.getLogger("hdr.store")

LOOK_SECONDS = 2.0
"""How often a page looks whether the store is there again."""

_TOLD = "_lost_store_told"


def reset() -> None:
    """Mark the start of a page run, before any outage message."""
    st.session_state[_TOLD] = False


def show_outage(error: StoreLostError) -> None:
    """Show the outage once per page, and rerun the page as soon as the store responds again."""
    if not st.session_state.get(_TOLD):
        st.session_state[_TOLD] = True
        shown = escape_markdown(error)
        if identity.demo():
            # Where the host keeps runs is none of a visitor's business.
            log.warning("%s", error)
            shown = "What was trained here cannot be reached at the moment."
        st.error(shown, icon=":material/cloud_off:")
        _come_back()


@st.fragment(run_every=LOOK_SECONDS)
def _come_back() -> None:
    try:
        resources.store().repaired()
    except HdrError:
        st.caption(
            "What was written is there as it was, and trainings go on: they write it down later. "
            "This page comes back by itself."
        )
    else:
        st.rerun(scope="app")
