"""Train: plan a run with widgets, watch it learn, and see what it got wrong; or search for the best plan."""

import secrets

import streamlit as st

from hdr.sanitize import escape_markdown
from hdr.training.limits import check_memory
from hdr.types import HdrError
from hdr.ui.classroom import banner
from hdr.ui.components import run_estimate
from hdr.ui.results import tabs
from hdr.ui.shell import page as page_frame
from hdr.ui.state import assignment_state, current_run, identity, resources, run_config, train_mode
from hdr.ui.train import config_form, run_view
from hdr.ui.tune import page as tune_page

page_frame.header("Train a model and watch it learn")


def start(token: str) -> None:
    """Start the plan as a run. The token belongs to the button as it was drawn: one click makes one run."""
    try:
        assignment_state.check(run_config.current())
        check_memory(run_config.current(), resources.dataset(run_config.current().dataset))
        run = resources.processes().submit(run_config.current(), identity.owner(), token, run_config.title())
    except HdrError as error:
        st.toast(escape_markdown(error))
    else:
        current_run.open_run(run.id)


def one_run() -> None:
    """Show the plan beside the selected run, and the misclassified digits below."""
    shown = current_run.current()
    with top:
        config_form.presets()
        st.button(
            "Train",
            type="primary",
            icon=":material/play_arrow:",
            key="train",
            on_click=start,
            args=(secrets.token_hex(16),),
            disabled=bool(shown and shown.active),
        )
        with st.container(gap=None, key="plan_notes"):
            st.html(f'<div class="hdr-note">{config_form.preset_note()}</div>', width="stretch")
            run_estimate.show()
    left, right = st.columns([5, 7], gap="large")
    with left, st.container(key="plan"):
        config_form.widgets()
    with right, st.container(key="run"):
        if shown:
            run_view.show(shown)
        else:
            current_run.placeholder()
    if shown:
        tabs.show(shown)
    banner.teacher_link()


top = st.container(horizontal=True, vertical_alignment="center", key="plan_row")
with top:
    task = assignment_state.current()
    tuning = train_mode.switch() if task is None or task.tune else False
    if tuning:
        tune_page.buttons()
if tuning:
    tune_page.show()
else:
    one_run()
