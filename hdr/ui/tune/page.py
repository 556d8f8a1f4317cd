"""The search of the Train page: the search space on the left, the results on the right, and figures below."""

from __future__ import annotations

import secrets

import streamlit as st

from hdr.sanitize import escape_markdown
from hdr.training.limits import check_memory
from hdr.tuning.search_spec import SearchSpec
from hdr.types import HdrError
from hdr.ui.components import run_estimate
from hdr.ui.state import assignment_state, current_search, identity, resources, search_config
from hdr.ui.train import config_form
from hdr.ui.tune import search_view, space_form, trial_table


def buttons() -> None:
    """Show the top row: the plan to vary, and the button that starts the search."""
    current_search.sync_url()
    if problem := search_config.follow():
        st.warning(escape_markdown(problem), icon=":material/link_off:")
    config_form.presets()
    spec, problem = space_form.checked()
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
            space_form.cost(spec)
        else:
            space_form.refusal(problem)
        run_estimate.show()
    trial_table.upload()


def _start(spec: SearchSpec, token: str) -> None:
    try:
        assignment_state.check_search(spec)
        check_memory(spec.base, resources.dataset(spec.base.dataset))
        search = resources.processes().submit_search(spec, identity.owner(), token)
    except HdrError as error:
        st.toast(escape_markdown(error))
    else:
        current_search.open_search(search.id)


def show() -> None:
    """Show the search space beside the open search, and its figures below."""
    search = current_search.current()
    left, right = st.columns([5, 7], gap="large")
    with left, st.container(key="plan"):
        space_form.widgets()
    with right, st.container(key="tune"):
        current_search.choose(search)
        if search:
            search_view.show(search)
        else:
            st.html(
                '<div class="hdr-empty">Tick what may vary and press <b>Search</b>: every trial becomes a point here, '
                "and the best so far stands on top.</div>"
            )
    if search:
        search_view.details(search)
