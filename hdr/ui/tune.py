"""The search of the Train page: what varies on the left, what came of it on the right, and below how it hangs
together."""

from __future__ import annotations

import secrets

import streamlit as st

from hdr.text import plain
from hdr.training.estimate import check_memory
from hdr.training.search_spec import SearchSpec
from hdr.types import HdrError
from hdr.ui import (
    classroom,
    estimate_view,
    planner,
    profile,
    resources,
    tune_draft,
    tune_live,
    tune_searches,
    tune_space,
    tune_table,
)


def buttons() -> None:
    """The row on top: the plan that varies, and the button that begins the search."""
    tune_searches.follow()
    if problem := tune_draft.follow():
        st.warning(plain(problem), icon=":material/link_off:")
    planner.presets()
    spec, problem = tune_space.checked()
    st.button(
        "Search",
        type="primary",
        icon=":material/travel_explore:",
        key="tune_start",
        on_click=_start,
        # The token belongs to the button as it was drawn: one click makes one search.
        args=(spec, secrets.token_hex(16)),
        disabled=spec is None,
    )
    with st.container(gap=None, key="plan_notes"):
        if spec:
            tune_space.cost(spec)
        else:
            tune_space.refusal(problem)
        estimate_view.show()
    tune_table.upload()


def _start(spec: SearchSpec, token: str) -> None:
    try:
        classroom.check_search(spec)
        check_memory(spec.base, resources.dataset(spec.base.dataset))
        search = resources.processes().submit_search(spec, profile.owner(), token)
    except HdrError as error:
        st.toast(plain(error))
    else:
        tune_searches.open_search(search.id)


def show() -> None:
    """The space beside the search that is open, and its figures below."""
    search = tune_searches.current()
    left, right = st.columns([5, 7], gap="large")
    with left, st.container(key="plan"):
        tune_space.widgets()
    with right, st.container(key="tune"):
        tune_searches.choose(search)
        if search:
            tune_live.show(search)
        else:
            st.html(
                '<div class="hdr-empty">Tick what may vary and press <b>Search</b>: every trial becomes a point here, '
                "and the best so far stands on top.</div>"
            )
    if search:
        tune_live.details(search)
