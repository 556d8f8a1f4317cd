"""One search on the page: how far it is, the best so far, and its figures."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from hdr.formatting import format_duration, format_percent
from hdr.sanitize import escape_markdown
from hdr.tuning.records import SEARCH, Search, Trial
from hdr.tuning.search_spec import MAX_MINUTES, MAX_TRIALS
from hdr.ui.components import queue_position
from hdr.ui.components.messages import toast_errors
from hdr.ui.components.tabs import lazy_tabs
from hdr.ui.shell import page
from hdr.ui.state import resources
from hdr.ui.state.current_search import is_editable, store
from hdr.ui.tune import figures, formatting, trial_table

REFRESH_SECONDS = 0.5
REDRAW_SECONDS = 4.0
"""Minimum interval in seconds between two redraws of all figures, even if trials end faster."""

MORE = 20
"""Number of additional trials offered to a search that has used up its budget."""

TRIALS, SLICES, CONTOUR, FILES = "Trials", "One setting at a time", "Two settings together", "Take it along"


def show(search: Search) -> None:
    """Show a search in any state: the part beside the search space."""
    trials = store().trials(search.id)
    if search.active:
        st.fragment(_live, run_every=REFRESH_SECONDS)(search.id, search.ended, time.monotonic())
    else:
        _head(search, trials)
    tried = formatting.completed_trials(trials, search.spec.space)
    most = search.spec.most_trials if search.active or search.exhausted else 0
    figures.history(search, tried, max(most if not search.spec.most_minutes else 0, len(trials)))


def details(search: Search) -> None:
    """Show the part below: the figures that compare trials, and their table."""
    trials, space = store().trials(search.id), search.spec.space
    tried, axes = formatting.completed_trials(trials, space), formatting.axes(space)
    if not tried:
        st.html(
            '<div class="hdr-empty">When the first trials have ended, this shows which settings go together, what '
            "matters, and every trial with its curve.</div>"
        )
        return
    left, right = st.columns([7, 5], gap="large")
    with left:
        figures.parallel(search, axes, tried)
    with right:
        figures.importance_chart(search, axes, trials)
    sections = {
        TRIALS: lambda: trial_table.show(search, trials),
        SLICES: lambda: figures.slices(search, axes, tried),
        CONTOUR: lambda: figures.contour(search, axes, tried),
        FILES: lambda: trial_table.files(search, trials),
    }
    lazy_tabs(sections, "tune_tabs")


@page.show_errors()
def _live(search_id: str, drawn: int, at: float) -> None:
    search = store().get(search_id)
    fresh = search.ended != drawn and time.monotonic() - at > REDRAW_SECONDS
    if not search.active or fresh:
        st.rerun(scope="app")
    _head(search, store().trials(search_id))


def _head(search: Search, trials: Sequence[Trial]) -> None:
    _best(search, trials)
    with st.container(key="tune_so_far"):
        st.markdown(_so_far(search, trials))
    if search.active:
        st.progress(min(_share(search), 1.0))
    if search.status == "failed":
        st.error(escape_markdown(search.message), icon=":material/error:")
    if is_editable(search):
        with st.container(horizontal=True, vertical_alignment="center", key="tune_steer"):
            if search.active:
                st.button("Stop", icon=":material/stop:", key="tune_stop", on_click=_stop, args=(search.id,))
            else:
                _go_on(search, trials)


def _best(search: Search, trials: Sequence[Trial]) -> None:
    found = next((t for t in trials if t.number == search.best), None)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="tune_best"):
        if found is None or found.value is None:
            st.html('<div class="hdr-figure hdr-value">–</div>', width="content")
            st.caption("The best validation accuracy so far, and what it took, appear here.", width="stretch")
            return
        st.html(f'<div class="hdr-figure">{format_percent(found.value)}</div>', width="content")
        told = escape_markdown(formatting.summary(found.values, search.spec.space))
        best = "best so far" if search.active else "best"
        st.markdown(
            f"**validation accuracy, {best}**: trial {found.number + 1}, in {format_duration(found.seconds)}  \n{told}",
            width="stretch",
        )


def _so_far(search: Search, trials: Sequence[Trial]) -> str:
    if search.status == "queued":
        alone = "**Waiting** for its process, and for a free place where another training or search is running."
        return queue_position.why(SEARCH + search.id, alone)
    spec = search.spec
    by_status = {s: sum(t.status == s for t in trials) for s in ("pruned", "refused", "failed")}
    words = {"pruned": "stopped early", "refused": "refused", "failed": "failed"}
    said = [f"{n} {words[s]}" for s, n in by_status.items() if n]
    less = f" ({', '.join(said)})" if said else ""
    work = f" · {format_duration(search.seconds)} of work" if search.seconds else ""
    text = f"**{search.ended} of {spec.most_trials} trials**{less}{work}"
    if search.active:
        now = [t for t in trials if not t.ended and not t.left]
        return text + _left(search, max(1, len(now))) + _running(search, now)
    ends = {"done": "its budget is used up", "stopped": "stopped", "failed": "failed"}
    return f"{text} · {escape_markdown(search.message) if search.message else ends[search.status]}"


def _left(search: Search, at_once: int) -> str:
    if not search.ended:
        return ""
    spec, per = search.spec, search.seconds / search.ended
    left = per * (spec.most_trials - search.ended)
    if spec.most_minutes:
        left = min(left, max(60 * spec.most_minutes - search.seconds, 0.0))
    return f" · about {format_duration(left / at_once)} left" if left > 0 else ""


def _running(search: Search, now: Sequence[Trial]) -> str:
    if not now:
        return ""
    trial = now[-1]
    at = f", {trial.scores[-1][0]:.0f}% done at {format_percent(trial.scores[-1][1])}" if trial.scores else ""
    told = escape_markdown(formatting.summary(trial.values, search.spec.space))
    again = f", begun {trial.attempts} times" if trial.attempts > 1 else ""
    several = f"{len(now)} trials at once, the newest of them: " if len(now) > 1 else ""
    return f"  \n{several}Trial {trial.number + 1}: {told}{at}{again}"


def _share(search: Search) -> float:
    spec = search.spec
    by_time = search.seconds / (60 * spec.most_minutes) if spec.most_minutes else 0.0
    return max(search.ended / spec.most_trials, by_time)


def _go_on(search: Search, trials: Sequence[Trial]) -> None:
    spec = search.spec
    unfinished = any(not t.ended for t in trials)
    complete = spec.method == "grid" and search.ended >= spec.grid_size
    if complete and not unfinished:
        st.caption("Every combination of the grid has been tried.")
        return
    if not search.exhausted or unfinished:
        st.button("Go on", icon=":material/play_arrow:", key="tune_go", on_click=_resume, args=(search.id,))
    with st.popover("More trials or minutes", icon=":material/add:", key="tune_more"):
        trials_key, minutes_key = f"tune-more-trials-{search.id}", f"tune-more-minutes-{search.id}"
        st.number_input(
            "Trials in all",
            1,
            MAX_TRIALS,
            min(max(spec.most_trials, search.ended) + MORE, MAX_TRIALS),
            key=trials_key,
        )
        st.number_input(
            "Minutes of work in all, 0 for no limit",
            0.0,
            MAX_MINUTES,
            min(2 * spec.most_minutes, MAX_MINUTES),
            1.0,
            format="%g",
            key=minutes_key,
        )
        st.button(
            "Go on with these",
            icon=":material/play_arrow:",
            key="tune_go_more",
            on_click=lambda: _extend(search, st.session_state[trials_key], st.session_state[minutes_key]),
        )


def _stop(search_id: str) -> None:
    with toast_errors():
        resources.processes().stop_search(search_id)


def _resume(search_id: str) -> None:
    with toast_errors():
        resources.processes().resume_search(search_id)


def _extend(search: Search, trials: int, minutes: float) -> None:
    with toast_errors():
        store().extend(search.id, search.owner, trials, minutes)
        resources.processes().resume_search(search.id)
