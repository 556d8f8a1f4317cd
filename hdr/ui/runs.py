"""Which run the Train page shows, and the list of all."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from hdr import catalogue
from hdr.plots import pictures
from hdr.training import default
from hdr.training.progress import progress
from hdr.training.store import ACTIVE, Run, RunSummary, UnknownRun
from hdr.ui import profile, resources

PARAMETER = "run"
MOST_READERS = 200
"""Runs that a list of choices offers, the newest first."""

_RUN = "_run"


def open_run(run_id: str) -> None:
    """Show this run on the Train page."""
    st.session_state[_RUN] = run_id


def current() -> Run | None:
    """The run to show: the one in the address, the one that was last opened, or one that is being trained.

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
        return resources.store().get(run_id, profile.owner())
    except UnknownRun:
        st.session_state.pop(_RUN, None)
        st.warning("The run in this address is not here: it was deleted, or it belongs to somebody else.")
        return None


def _newest_active() -> Run | None:
    mine = resources.store().runs(profile.owner(), ACTIVE)
    return next((r for r in mine if r.owner == profile.owner()), None)


def listed() -> list[RunSummary]:
    """One's own runs and the published ones, newest first."""
    return resources.store().listed(profile.owner())


def readers() -> list[RunSummary]:
    """The runs whose model can read: one's own, newest first, then the best default one."""
    store = resources.store()
    # Every stroke asks for them: what is published is looked up by itself, so that the newest ones of one's own do.
    done = store.listed(profile.owner(), ("done",), MOST_READERS)
    ready = default.best(store.listed(default.OWNER, ("done",)))
    return [r for r in done if r.owner != default.OWNER] + ([ready] if ready else [])


def default_share() -> float:
    """How much of the default reader's training is done, 0 to 1."""
    for run in resources.store().listed(default.OWNER, ACTIVE):
        if run.owner == default.OWNER:
            seen = progress(resources.store().events(run.id))
            return seen.points[-1].step / seen.of if seen.points else 0.0
    return 0.0


def label(run: RunSummary) -> str:
    """A run in a list of choices: what it is and how good."""
    accuracy = f" · {pictures.percent(run.test_accuracy)}" if run.test_accuracy is not None else ""
    return f"{run.title}{accuracy}"


def nothing_yet() -> None:
    """What the place of a run says before there is one."""
    st.html(
        '<div class="hdr-empty">Press <b>Train</b>: the learning curve grows here, and when the model is done, what it '
        "confuses and every digit it got wrong.</div>"
    )


def table(runs: list[RunSummary]) -> RunSummary | None:
    """All runs in a table; returns the one that is selected."""
    now = datetime.now(UTC)
    rows = [
        {
            "title": r.title,
            "accuracy": None if r.test_accuracy is None else r.test_accuracy * 100,
            "status": r.status,
            "classifier": catalogue.get("classifier", r.spec.classifier.name).title,
            "digits": r.fitted_on or r.spec.train_size,
            "data": r.spec.dataset,
            "fit": r.fit_seconds,
            "created": datetime.fromtimestamp(min(r.created, now.timestamp()), UTC),
        }
        for r in runs
    ]
    chosen = st.dataframe(
        rows,
        column_config={
            "title": st.column_config.TextColumn("Run", width="medium"),
            "status": "Status",
            "accuracy": st.column_config.NumberColumn("Test accuracy", format="%.2f %%"),
            "classifier": "Classifier",
            "digits": st.column_config.NumberColumn("Digits", format="localized"),
            "data": "Data",
            "fit": st.column_config.NumberColumn("Fitting", format="%.1f s"),
            "created": st.column_config.DatetimeColumn("Started", format="distance"),
        },
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="",
        # A selection is of a row's place: when a run is added above it, it would be another one's.
        key=f"runs-{runs[0].id}",
        alt="All runs",
    )
    picked = chosen["selection"]["rows"]
    return runs[picked[0]] if picked and picked[0] < len(runs) else None
