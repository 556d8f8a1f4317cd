"""The figures of a search, redrawn only when a trial has ended."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from hdr.plots import accuracy_axis
from hdr.plots.theme import CONFIG
from hdr.plots.tuning import contour as contour_plot
from hdr.plots.tuning import history as history_plot
from hdr.plots.tuning import importance as importance_plot
from hdr.plots.tuning import parallel_coordinates, slice
from hdr.plots.tuning.axes import Axis, Tried, finished
from hdr.tuning.records import Search, Trial
from hdr.tuning.sampler import importance
from hdr.ui.components import job_progress
from hdr.ui.shell import page
from hdr.ui.tune import parallel_brush

HISTORY, CONTOUR = 380, 400
REDRAW_SECONDS = 12.0
"""Minimum interval in seconds between two redraws of the parallel coordinates while a search runs."""

FEWEST = 4
"""Trials that went to their end, from which on importance is computed."""


def history(search: Search, trials: Sequence[Tried], of: int) -> None:
    """Show every trial as a point."""
    st.plotly_chart(
        history_plot.figure(trials, of, HISTORY),
        key=f"tune-history-{search.id}",
        config=CONFIG,
        alt="Validation accuracy of every trial, and the best so far as a line",
    )
    st.html(f'<div class="hdr-note">The line is the best so far; rings were stopped early. {accuracy_axis.NOTE}</div>')


@st.fragment
@page.show_errors()
def parallel(search: Search, axes: Sequence[Axis], trials: Sequence[Tried]) -> None:
    """Show trials as lines through the varied settings; the user's brush survives new trials."""
    st.subheader("Which settings go together", anchor=False)
    done = finished(trials)
    brush = parallel_brush.brushed(search.id, len(axes) + 1)
    # The browser rebuilds a plot whose content changes, which takes a second without a graphics card:
    # brushing alone never causes a rebuild, and trials that end quickly share one.
    kept = f"_parallel_{search.id}"
    drawn, _, at = st.session_state.get(kept, (None, None, 0.0))
    if drawn is None or (drawn != done and not (search.active and time.monotonic() - at < REDRAW_SECONDS)):
        st.session_state[kept] = done, parallel_coordinates.figure(axes, done, brush), time.monotonic()
    done, figure, _ = st.session_state[kept]
    with st.container(key="tune_parallel"):
        st.plotly_chart(
            figure,
            key=f"tune-parallel-{search.id}",
            config=CONFIG,
            alt="Every trial as a line through its settings to its validation accuracy",
        )
    if not done:
        return
    passing = parallel_coordinates.passing(parallel_coordinates.columns(axes, done), brush)
    said = (
        f"{sum(passing)} of {len(passing)} trials pass where it is brushed; a click beside the mark takes it away."
        if any(brush)
        else "Drag along an axis to see only the trials that pass there."
    )
    st.html(
        '<div class="hdr-note">Each line is a trial, from grey to blue to orange the better it is; those that were '
        f"stopped early are left out. {said}</div>"
    )


def importance_chart(search: Search, axes: Sequence[Axis], trials: Sequence[Trial]) -> None:
    """Show the importance of each varied setting, computed in a thread."""
    st.subheader("What matters", anchor=False)
    space, done = search.spec.space, sum(t.status == "done" for t in trials)
    titles = {d.path: axis.title for d, axis in zip(space, axes, strict=True)}
    height, shares = 74 + 34 * max(len(axes), 4), {}
    if len(axes) < 2:
        words = "With one thing that varies there is nothing to compare."
    elif done < FEWEST:
        words = f"It takes {FEWEST} trials that went to their end; there are {done}."
    else:
        few = " With so few trials it is a hint, no more." if done < 5 * len(axes) else ""
        words = f"How much of the differences between trials each setting explains, by fANOVA.{few}"
        found = _importance(search, trials, done)
        if found is None:
            job_progress.show(_job(search, trials, done), height, "importance")
            return
        shares = {titles[path]: share for path, share in found.items()}
        if len(shares) < len(axes):
            words += " Settings that not every trial has, or that never varied, have no bar."
    st.plotly_chart(
        importance_plot.figure(shares, height),
        key=f"tune-importance-{search.id}",
        config=CONFIG,
        alt="How much of the differences in accuracy each setting explains",
    )
    st.html(f'<div class="hdr-note">{words}</div>')


def _job(search: Search, trials: Sequence[Trial], done: int) -> job_progress.Job:
    return job_progress.get(f"importance-{search.id}-{done}", lambda report: importance(trials, search.spec.space))


def _importance(search: Search, trials: Sequence[Trial], done: int) -> dict[str, float] | None:
    job, kept = _job(search, trials, done), f"_importance_{search.id}"
    if job.state == "done":
        st.session_state[kept] = job.result
    elif kept in st.session_state and job.state != "failed":
        # The last answer stands until the next one is there.
        _when_done(job)
    return st.session_state.get(kept)


@st.fragment(run_every=job_progress.REFRESH_SECONDS)
@page.show_errors()
def _when_done(job: job_progress.Job) -> None:
    if job_progress.all_jobs().get(job.key, job.work, slow=job.slow).state in ("done", "failed"):
        st.rerun(scope="app")


def slices(search: Search, axes: Sequence[Axis], trials: Sequence[Tried]) -> None:
    """Show a small figure for each varied setting."""
    places = st.columns(min(len(axes), 3), gap="medium")
    for index, axis in enumerate(axes):
        with places[index % len(places)]:
            st.plotly_chart(
                slice.figure(axis, index, trials),
                key=f"tune-slice-{search.id}-{index}",
                config=CONFIG,
                alt=f"Validation accuracy of every trial against {axis.title}",
            )
    st.html(
        '<div class="hdr-note">The same trials, each time by another setting; the best stands out. Where points '
        "scatter, this setting alone decides little.</div>"
    )


def contour(search: Search, axes: Sequence[Axis], trials: Sequence[Tried]) -> None:
    """Show two varied settings, chosen by the visitor."""
    if len(axes) < 2:
        st.caption("It takes two things that vary.")
        return
    titles = [axis.title for axis in axes]
    # Numbers first: between choices there is no surface.
    order = sorted(range(len(axes)), key=lambda i: bool(axes[i].choices))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = st.selectbox("Along", order, 0, format_func=titles.__getitem__, key=f"tune-x-{search.id}", width=200)
        others = [i for i in order if i != first]
        second = st.selectbox(
            "Up", others, 0, format_func=titles.__getitem__, key=f"tune-y-{search.id}-{first}", width=200
        )
    pair, at = (axes[first], axes[second]), (first, second)
    st.plotly_chart(
        contour_plot.figure(pair, at, trials, CONTOUR),
        key=f"tune-contour-{search.id}",
        config=CONFIG,
        alt=f"Validation accuracy over {pair[0].title} and {pair[1].title}",
    )
    why = contour_plot.missing(pair, at, trials)
    told = "Points are trials; the surface between them is interpolated, and ends where nobody has measured."
    st.html(f'<div class="hdr-note">{why or told}</div>' if finished(trials) else "")
