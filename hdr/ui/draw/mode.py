"""Mode of the Draw page, kept in the address: one digit, a number or a photo."""

from __future__ import annotations

import streamlit as st

DIGIT, NUMBER, PHOTO = "digit", "number", "photo"
TITLES = {DIGIT: "One digit", NUMBER: "A number", PHOTO: "A photo"}
PARAMETER = "what"
"""Of the address; it is left out for one digit."""

_MODE = "_draw_mode"


def choose() -> str:
    """Show the switch; returns `DIGIT`, `NUMBER` or `PHOTO`."""
    if named := st.query_params.get(PARAMETER):
        # The address only counts when the page is opened; afterwards it follows the switch.
        st.session_state.setdefault(_MODE, named if named in TITLES else DIGIT)
    mode = st.session_state.get(_MODE, DIGIT)
    st.segmented_control(
        "What to read",
        list(TITLES),
        format_func=TITLES.__getitem__,
        default=mode,
        required=True,
        key="draw_mode",
        label_visibility="collapsed",
        on_change=lambda: st.session_state.update({_MODE: st.session_state["draw_mode"]}),
    )
    if mode == DIGIT:
        st.query_params.pop(PARAMETER, None)
    elif st.query_params.get(PARAMETER) != mode:
        st.query_params[PARAMETER] = mode
    return mode
