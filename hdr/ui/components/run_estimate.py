"""Estimated training time of the plan, beside the button that starts it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from html import escape

import streamlit as st

from hdr import settings
from hdr.formatting import format_count, format_duration
from hdr.jobs.cost_estimate import Estimate, estimate
from hdr.training.run_spec import RunSpec
from hdr.ui.components import job_progress
from hdr.ui.shell import page
from hdr.ui.state import identity, run_config

SETTLED_SECONDS = 0.8
"""Seconds that a plan must stay unchanged before it is probed, so that dragging a slider starts no probe."""

_SINCE = "_estimate_since"


def show() -> None:
    """Show the estimated time and memory, or that the estimate is running; this never blocks the page."""
    spec = run_config.current()
    job = _settled_job(spec)
    if job and job.state in ("done", "failed"):
        _answer(job)
    else:
        _measure(spec, itertools.count())


def seconds(spec: RunSpec) -> float | None:
    """Return the estimated duration of a run of the plan; None until it is measured, or if it cannot be."""
    job = _settled_job(spec)
    return job.result.total_seconds if job and job.state == "done" else None


def _settled(spec: RunSpec) -> bool:
    key, since = st.session_state.get(_SINCE, ("", 0.0))
    if key != spec.key:
        st.session_state[_SINCE] = (spec.key, time.monotonic())
        return False
    return time.monotonic() - since > SETTLED_SECONDS


def _settled_job(spec: RunSpec) -> job_progress.Job | None:
    return _job(spec) if _settled(spec) else None


def _job(spec: RunSpec) -> job_progress.Job:
    owner = identity.owner()
    return job_progress.get(f"estimate-{spec.key}", lambda report: estimate(spec, owner), slow=True)


@st.fragment(run_every=job_progress.REFRESH_SECONDS)
@page.show_errors()
def _measure(spec: RunSpec, turns: Iterator[int]) -> None:
    job = _settled_job(spec)
    # The first turn is part of a run of the whole page. To end that one here would lose the click that caused it.
    if next(turns) and job and job.state in ("done", "failed"):
        st.rerun(scope="app")
    waiting = f" · {format_duration(job.seconds)}" if job and job.state == "running" and job.seconds > 1 else ""
    _note(f"Measuring what this takes{waiting}")


def _answer(job: job_progress.Job) -> None:
    if job.state == "failed":
        _note(job.error, wrong=True)
        return
    found: Estimate = job.result
    most = settings.current().run_minutes
    if most is not None and found.total_seconds > 60 * most:
        _note(
            f"Takes about {format_duration(found.total_seconds)}, and this server ends a training after {most:g} "
            "minutes. Take fewer digits, or a quicker classifier.",
            wrong=True,
        )
        return
    _note(
        f"Takes about {format_duration(found.total_seconds)}, {format_duration(found.fit_seconds)} of it fitting, "
        f"and {found.peak_mb:,.0f} MB",
        f"Measured on {format_count(found.probed)} digits with these settings, and extrapolated to "
        f"{format_count(found.rows)}, if this machine does nothing else. "
        "The rest is the curve, scoring and the test.",
    )


def _note(text: str, more: str = "", wrong: bool = False) -> None:
    strong = ' style="opacity: 1; font-weight: 600"' if wrong else ""
    st.html(f'<div class="hdr-note" role="status" title="{escape(more)}"{strong}>{escape(text)}</div>', width="stretch")
