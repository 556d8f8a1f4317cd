"""Which run the Train page shows, and which runs there are to choose from."""

from __future__ import annotations

import streamlit as st

from hdr.formatting import format_percent
from hdr.jobs import default_model
from hdr.store.run_progress import progress
from hdr.store.runs import ACTIVE, Run, RunSummary, UnknownRunError
from hdr.ui.state import identity, resources

PARAMETER = "run"
MOST_READERS = 200
"""Runs that a list of choices offers, the newest first."""

_RUN = "_run"


def open_run(run_id: str) -> None:
    """Show this run on the Train page."""
    st.session_state[_RUN] = run_id


def current() -> Run | None:
    """Return the run to show: the one in the address, the last opened one, or one in training.

    The address then names it, so that a reload comes back to it.
    """
    wanted = st.session_state.get(_RUN) or st.query_params.get(PARAMETER)
    run = _find(wanted) if wanted else _newest_active()
    if run:
        st.session_state[_RUN] = run.id
        st.query_params[PARAMETER] = run.id
    return run


def _find(run_id: str) -> Run | None:
    try:
        return resources.store().get(run_id, identity.owner())
    except UnknownRunError:
        st.session_state.pop(_RUN, None)
        st.warning("The run in this address is not here: it was deleted, or it belongs to somebody else.")
        return None


def _newest_active() -> Run | None:
    mine = resources.store().runs(identity.owner(), ACTIVE)
    return next((r for r in mine if r.owner == identity.owner()), None)


def listed() -> list[RunSummary]:
    """Return the user's runs and the published ones, newest first."""
    return resources.store().listed(identity.owner())


def readers() -> list[RunSummary]:
    """Return the runs with a usable model: the user's, newest first, then the best default one."""
    store = resources.store()
    # Called at every stroke: published runs have their own query, so that the user's newest runs suffice here.
    done = store.listed(identity.owner(), ("done",), MOST_READERS)
    ready = default_model.best_default_model(store.listed(default_model.OWNER, ("done",)))
    return [r for r in done if r.owner != default_model.OWNER] + ([ready] if ready else [])


def default_share() -> float:
    """Return the progress of the default model's training, 0 to 1."""
    for run in resources.store().listed(default_model.OWNER, ACTIVE):
        if run.owner == default_model.OWNER:
            seen = progress(resources.store().events(run.id))
            return seen.points[-1].step / seen.of if seen.points else 0.0
    return 0.0


def label(run: RunSummary) -> str:
    """Return the label of a run in a menu: its title and accuracy."""
    accuracy = f" · {format_percent(run.test_accuracy)}" if run.test_accuracy is not None else ""
    return f"{run.title}{accuracy}"


def placeholder() -> None:
    """Show a note in place of the run before there is one."""
    st.html(
        '<div class="hdr-empty">Press <b>Train</b>: the learning curve grows here, and when the model is done, what it '
        "confuses and every digit it got wrong.</div>"
    )
