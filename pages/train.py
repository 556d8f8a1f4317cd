"""Train: plan a run with widgets, watch it learn, and see what it got wrong; or search for the best plan."""

import secrets

import streamlit as st

from hdr.text import plain
from hdr.training.estimate import check_memory
from hdr.types import HdrError
from hdr.ui import (
    class_view,
    classroom,
    estimate_view,
    page,
    plan,
    planner,
    profile,
    resources,
    result_view,
    run_view,
    runs,
    tune,
    tune_mode,
)

page.begin("Train a model and watch it learn")


def start(token: str) -> None:
    """Start the plan as a run. The token belongs to the button as it was drawn: one click makes one run."""
    try:
        classroom.check(plan.current())
        check_memory(plan.current(), resources.dataset(plan.current().dataset))
        run = resources.processes().submit(plan.current(), profile.owner(), token, plan.title())
    except HdrError as error:
        st.toast(plain(error))
    else:
        runs.open_run(run.id)


def one_run() -> None:
    """The plan beside the run that is shown, and what it got wrong below."""
    shown = runs.current()
    with top:
        planner.presets()
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
            st.html(f'<div class="hdr-note">{planner.preset_note()}</div>', width="stretch")
            estimate_view.show()
    left, right = st.columns([5, 7], gap="large")
    with left, st.container(key="plan"):
        planner.widgets()
    with right, st.container(key="run"):
        if shown:
            run_view.show(shown)
        else:
            runs.nothing_yet()
    if shown:
        result_view.show(shown)
    class_view.door()


top = st.container(horizontal=True, vertical_alignment="center", key="plan_row")
with top:
    task = classroom.current()
    tuning = tune_mode.switch() if task is None or task.tune else False
    if tuning:
        tune.buttons()
if tuning:
    tune.show()
else:
    one_run()
