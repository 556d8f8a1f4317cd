"""Ask the browser to run a fragment once more after a while, for results that are computed in the background."""

from __future__ import annotations

import itertools

import streamlit as st

from hdr.ui import ASSETS

_JS = ASSETS / "rerun_timer.js"
_turns = itertools.count(1)


@st.cache_resource(max_entries=1, show_spinner=False)
def _component():  # noqa: ANN202 - Streamlit names no public type for it
    return st.components.v2.component("hdr_wake", html="<span></span>", js=_JS.read_text())


def after(seconds: float, key: str) -> None:
    """Rerun the calling fragment once, after a delay. A later call with this key replaces an earlier one.

    Unlike `run_every`, this causes a single rerun, so reruns stop when the fragment no longer calls it.

    Args:
        seconds: from now until the run.
        key: of the component on the page.
    """
    data = {"turn": next(_turns), "milliseconds": round(seconds * 1000)}
    _component()(key=key, data=data, on_due_change=lambda: None, width="content", height=1)
