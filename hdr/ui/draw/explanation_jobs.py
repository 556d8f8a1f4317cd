"""Explanations of a drawing, computed in the background when the pen rests, so that answers never wait for them.

Streamlit runs the fragments of a visitor one after the other. So a run that computes an explanation, or waits for one,
keeps the answer to the next stroke waiting. Here a run asks for an explanation and ends; the browser asks again later.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from hdr.background import Job, Jobs, Work
from hdr.sanitize import escape_markdown
from hdr.ui.components import rerun_timer

REST_SECONDS = 0.5
"""An explanation starts when there was no new stroke for this long."""

POLL_SECONDS = 0.25
PATIENCE_SECONDS = 2.0
"""Seconds without a request after which an explanation leaves the queue. A waiting page polls more often."""


@dataclass
class _Place:
    key: str
    since: float
    asked: set[str] = field(default_factory=set)


@st.cache_resource(max_entries=1, show_spinner=False)
def pool() -> Jobs:
    """Return the explanations of this server. They have a queue and a store of their own, because there are many."""
    # With one thread, half of the explanations of twenty people who draw came too late (benchmarks/load.py).
    return Jobs(waiting=64, kept=64, kept_bytes=32_000_000, patience=PATIENCE_SECONDS, threads=2)


def forget(place: str) -> None:
    """Cancel the explanations that a place has asked for, and forget the last one."""
    _cancel(place)
    st.session_state.pop(_shown(place), None)


def _cancel(place: str) -> None:
    if before := st.session_state.pop(_name(place), None):
        for name in before.asked:
            pool().cancel(name)


class Explanations:
    """Explanation requests of one place on a page for one drawing. A new drawing cancels the earlier requests.

    Args:
        place: a name for the place.
        key: names the drawing and the model that reads it.
    """

    def __init__(self, place: str, key: str) -> None:
        self._place, self._pending, self._failed = place, False, False
        now, before = time.monotonic(), st.session_state.get(_name(place))
        if before is None or before.key != key:
            _cancel(place)
            before = st.session_state[_name(place)] = _Place(key, now)
        self._asked = before.asked
        self._rest = max(0.0, before.since + REST_SECONDS - now)

    def ask(self, key: str, work: Work) -> Any:
        """Return the result of some work; None while it is not there, and where it failed.

        Args:
            key, work: as for `Jobs.get`.
        """
        if self._rest:
            self._pending = True
            return None
        self._asked.add(key)
        job = pool().get(key, work)
        if job.state == "failed":
            self._failed = True
            st.caption(escape_markdown(job.error))
        return self.follow(job)

    def follow(self, job: Job) -> Any:
        """Return the result of a job of another pool; as `ask`."""
        self._pending |= job.state in ("waiting", "running", "refused")
        return job.result

    def latest(self, new: Any) -> Any:
        """Return the new result, or the previous one until it is available; None if the explanation failed.

        Args:
            new: the result for this drawing; None until it is available.
        """
        name = _shown(self._place)
        if self._failed:
            st.session_state.pop(name, None)
        elif new is not None:
            st.session_state[name] = new
        return st.session_state.get(name)

    def end(self) -> None:
        """Look again later where something is not there yet. Call it after the last `ask`."""
        if self._pending:
            rerun_timer.after(self._rest or POLL_SECONDS, f"wake_{self._place}")


def _name(place: str) -> str:
    return f"_explaining_{place}"


def _shown(place: str) -> str:
    return f"_explained_{place}"
