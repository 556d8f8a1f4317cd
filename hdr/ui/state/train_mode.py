"""Whether the Train page plans one run or a search; the address says so by naming a search or its space."""

from __future__ import annotations

import streamlit as st

from hdr.ui.state import current_run, current_search, search_config

RUN, TUNE = "One run", "Tune"

_MODE, _REVISION = "_train_mode", "_train_mode_revision"


def tuning() -> bool:
    """Return whether the page plans a search."""
    if _MODE not in st.session_state:
        named = search_config.PARAMETER in st.query_params or current_search.PARAMETER in st.query_params
        st.session_state[_MODE] = TUNE if named else RUN
    return st.session_state[_MODE] == TUNE


def leave() -> None:
    """Plan one run, also where a widget has said otherwise."""
    st.session_state[_MODE] = RUN
    st.session_state[_REVISION] = st.session_state.get(_REVISION, 0) + 1


def _key() -> str:
    return f"train_mode-{st.session_state.get(_REVISION, 0)}"


def _chosen(key: str) -> None:
    # A browser that was about to ask for something else may still tell of the switch that `leave` has replaced.
    if key == _key():
        st.session_state[_MODE] = st.session_state[key]


def switch() -> bool:
    """Show the switch, and keep from the address what is not shown; returns whether a search is planned."""
    mode = TUNE if tuning() else RUN
    key = _key()
    st.segmented_control(
        "One run or a search",
        [RUN, TUNE],
        default=mode,
        key=key,
        required=True,
        label_visibility="collapsed",
        on_change=_chosen,
        args=(key,),
    )
    for parameter in (current_run.PARAMETER,) if mode == TUNE else (search_config.PARAMETER, current_search.PARAMETER):
        st.query_params.pop(parameter, None)
    return mode == TUNE
