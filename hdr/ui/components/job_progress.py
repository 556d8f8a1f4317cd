"""Background jobs on a page: the result in its place, or how far the work is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from html import escape
from typing import Any

import streamlit as st

from hdr.background import Job, Jobs, Work
from hdr.formatting import format_duration
from hdr.sanitize import escape_markdown

__all__ = ["Job", "Jobs", "Work", "all_jobs", "get", "result", "show", "waiting"]

REFRESH_SECONDS = 0.4
QUICK_SECONDS = 0.1
"""How long a page waits for a job that may be quick, so that nothing flickers. The next click waits as long."""


@st.cache_resource(max_entries=1, show_spinner=False)
def all_jobs() -> Jobs:
    """Return the server's single set of jobs."""
    return Jobs()


def get(key: str, work: Work, slow: bool = False) -> Job:
    """As `Jobs.get`, for the whole server. A quick job that ends within `QUICK_SECONDS` needs no second run."""
    return all_jobs().get(key, work, 0.0 if slow else QUICK_SECONDS, slow)


def result(key: str, work: Work, height: int, slow: bool = False, place: str = "") -> Any:
    """Return the result of a job; while it runs, show its progress and return None.

    Args:
        key, work, slow: as for `Jobs.get`.
        height, place: as for `show`.
    """
    job = get(key, work, slow)
    if job.state == "done":
        return job.result
    show(job, height, place)
    return None


def show(job: Job, height: int, place: str = "") -> None:
    """Show a job's progress in place of its result; rerun the page when the result is available.

    Args:
        job: what `get` returned.
        height: of the place in pixels: that of the result, so that nothing jumps.
        place: a name for the place, where one job is shown in several of a page.
    """
    _live(job, height, place, itertools.count())


@st.fragment(run_every=REFRESH_SECONDS)
def _live(job: Job, height: int, place: str, turns: Iterator[int]) -> None:
    # The first turn is part of a run of the whole page. To end that one here would lose the click that caused it.
    if next(turns):
        job = all_jobs().get(job.key, job.work, slow=job.slow)
    if job.state == "done":
        st.rerun(scope="app")
    elif job.state == "failed":
        with st.container(height=height, border=False, vertical_alignment="center", horizontal_alignment="center"):
            st.markdown(escape_markdown(job.error), width="content")
            key, retry = f"retry-{job.key}{place}", all_jobs().retry
            st.button("Try again", icon=":material/refresh:", key=key, on_click=retry, args=(job.key,))
    else:
        st.html(waiting(job, height))


def waiting(job: Job, height: int) -> str:
    """Return a running job as HTML: its task, its elapsed time and, if known, its progress."""
    words = job.words or ("Waiting for another computation" if job.state == "waiting" else "Beginning")
    if job.state != "refused":
        words += f" · {format_duration(max(job.seconds, 0.1))}"
    share = 0 if job.share is None else job.share
    # Without a share there is no bar, but its place is kept.
    bar = f'<span class="hdr-fill" style="width:{share * 100:.0f}%"></span>'
    kind = "hdr-track" if job.share is not None else "hdr-track hdr-hidden"
    return (
        f'<div class="hdr-waiting" style="height:{height}px" role="status">'
        f'<span>{escape(words)}</span><span class="{kind}">{bar}</span></div>'
    )
