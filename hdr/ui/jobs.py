"""Work of some seconds, done once for the whole server in a thread, kept by a key, with honest progress.

A page asks for a job at every run and shows the result or how far it is; whoever else asks for the same key meanwhile
or later gets the same job. `Jobs` knows nothing of Streamlit; `get` and `show` are its face on a page.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

import streamlit as st

from hdr.plots import pictures
from hdr.text import plain
from hdr.types import HdrError

Report = Callable[..., None]
"""How work says where it is: `report(words, share)`; `share` is 0 to 1, or left out where nobody can know it."""

Work = Callable[[Report], Any]
State = Literal["waiting", "running", "done", "failed", "refused"]

REFRESH_SECONDS = 0.4
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """How a job stands at one moment.

    Attributes:
        key: what it is kept by.
        state: "refused" where too much is waiting already; then nothing was begun, and one may ask again.
        words: what is being done.
        share: how much of it is done, 0 to 1; None where that is not known.
        seconds: since it began to run, or to wait.
        result: what the work returned, once it is done; it is shared, so nobody may change it.
        error: why it failed, in words.
        work, slow: as given to `get`; kept here so that asking again takes the job alone.
    """

    key: str
    state: State
    work: Work = field(repr=False)
    slow: bool = False
    words: str = ""
    share: float | None = None
    seconds: float = 0.0
    result: Any = None
    error: str = ""


@dataclass
class _Task:
    key: str
    work: Work | None
    since: float
    asked: float
    slow: bool
    state: State = "waiting"
    words: str = ""
    share: float | None = None
    result: Any = None
    error: str = ""
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def over(self) -> bool:
        return self.state in ("done", "failed")


class _Abandoned(Exception):
    """Nobody waits for this job any more."""


class Jobs:
    """Work by key: two threads, one of them for quick work only, a bounded queue, and a bounded store of results.

    Args:
        waiting: jobs that may wait; more are refused.
        kept: results that are kept; the one that was asked for longest ago goes first.
        kept_bytes: and the most that they may take together, as far as results say so by an attribute `nbytes`.
        patience: seconds after which a waiting job that nobody asks about is dropped; a running one is given up at
            its next report after three times as long.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        waiting: int = 16,
        kept: int = 48,
        kept_bytes: int = 256_000_000,
        patience: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._waiting, self._kept, self._kept_bytes = waiting, kept, kept_bytes
        self._patience, self._clock = patience, clock
        self._lock = threading.Lock()
        # In the order in which they were last asked for, so that the first is the one to go.
        self._tasks: OrderedDict[str, _Task] = OrderedDict()
        self._busy = {True: False, False: False}

    def get(self, key: str, work: Work, wait: float = 0.0, slow: bool = False) -> Job:
        """The job of that key, begun if there is none; returns at once.

        Args:
            key: names the work with all that its result depends on.
            work: called in another thread with a function to report by. Its result must not be changed by anybody.
            wait: seconds to wait at most for a job that may be quick, so that nothing flickers.
            slow: True where it takes more than a second or two: then what is quick need not wait for it.
        """
        now = self._clock()
        with self._lock:
            self._drop(now)
            task = self._tasks.get(key)
            if task is None:
                if sum(t.state == "waiting" for t in self._tasks.values()) >= self._waiting:
                    return Job(
                        key, "refused", work, slow, "Much is being computed already; this begins as soon as it can."
                    )
                task = self._tasks[key] = _Task(key, work, now, now, slow)
                self._hire(slow)
            self._ask(task, now)
        if wait and not task.over:
            task.ended.wait(wait)
        with self._lock:
            return self._seen(task, work, slow)

    def retry(self, key: str) -> None:
        """Forget a job that failed, so that asking for it begins it anew."""
        with self._lock:
            if (task := self._tasks.get(key)) and task.state == "failed":
                del self._tasks[key]

    def _ask(self, task: _Task, now: float) -> None:
        task.asked = now
        self._tasks.move_to_end(task.key)

    def _seen(self, task: _Task, work: Work, slow: bool) -> Job:
        seconds = max(0.0, self._clock() - task.since)
        return Job(task.key, task.state, work, slow, task.words, task.share, seconds, task.result, task.error)

    def _drop(self, now: float) -> None:
        for key, task in list(self._tasks.items()):
            if task.state == "waiting" and now - task.asked > self._patience:
                del self._tasks[key]

    def _hire(self, slow: bool) -> None:
        if not self._busy[slow]:
            self._busy[slow] = True
            # A daemon: a server that is asked to end does not wait for a picture.
            threading.Thread(target=self._run, args=(slow,), name="hdr-jobs", daemon=True).start()

    def _run(self, slow: bool) -> None:
        while task := self._next(slow):
            self._do(task)

    def _next(self, slow: bool) -> _Task | None:
        with self._lock:
            now = self._clock()
            self._drop(now)
            waiting = [t for t in self._tasks.values() if t.state == "waiting" and t.slow == slow]
            if not waiting:
                self._busy[slow] = False
                return None
            # First come, first served; but what somebody looks at goes before what was left a moment ago.
            task = min(waiting, key=lambda t: (now - t.asked > self._patience / 4, t.since))
            task.state, task.since = "running", now
            return task

    def _do(self, task: _Task) -> None:
        def report(words: str, share: float | None = None) -> None:
            with self._lock:
                if self._clock() - task.asked > 3 * self._patience:
                    raise _Abandoned
                task.words, task.share = words, None if share is None else min(max(float(share), 0.0), 1.0)

        state: State = "failed"
        result, error = None, ""
        try:
            assert task.work is not None
            result, state = task.work(report), "done"
        except _Abandoned:
            with self._lock:
                self._tasks.pop(task.key, None)
            task.ended.set()
            return
        except HdrError as problem:
            error = str(problem)
        except Exception as problem:
            _log.exception("A job failed: %s", task.key)
            error = f"This computation failed ({type(problem).__name__}: {problem})."
        with self._lock:
            # What the work holds on to, such as arrays, is not needed any longer.
            task.work, task.state, task.result, task.error = None, state, result, error
            self._forget()
        task.ended.set()

    def _forget(self) -> None:
        over = [t for t in self._tasks.values() if t.over]
        size = sum(_size(t) for t in over)
        # The newest stays whatever its size: somebody waits for it.
        for count, task in zip(range(len(over), 1, -1), over, strict=False):
            if count <= self._kept and size <= self._kept_bytes:
                break
            size -= _size(task)
            del self._tasks[task.key]


def _size(task: _Task) -> int:
    return int(getattr(task.result, "nbytes", 0))


@st.cache_resource(max_entries=1, show_spinner=False)
def all_jobs() -> Jobs:
    """The one set of jobs of this server."""
    return Jobs()


def get(key: str, work: Work, slow: bool = False) -> Job:
    """As `Jobs.get`, for the whole server; what is quick and ready in a quarter of a second shows without more ado."""
    return all_jobs().get(key, work, 0.0 if slow else 0.25, slow)


def result(key: str, work: Work, height: int, slow: bool = False, place: str = "") -> Any:
    """What the work returned; None while it is not there, and then how far it is stands in its place.

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
    """How far a job is, in the place where its result will be; the page is run again when the result is there.

    Args:
        job: what `get` returned.
        height: of the place in pixels: that of the result, so that nothing jumps.
        place: a name for the place, where one job is shown in several of a page.
    """
    _live(job.key, job.work, job.slow, height, place)


@st.fragment(run_every=REFRESH_SECONDS)
def _live(key: str, work: Work, slow: bool, height: int, place: str) -> None:
    job = all_jobs().get(key, work, slow=slow)
    if job.state == "done":
        st.rerun(scope="app")
    elif job.state == "failed":
        with st.container(height=height, border=False, vertical_alignment="center", horizontal_alignment="center"):
            st.markdown(plain(job.error), width="content")
            retry = all_jobs().retry
            st.button("Try again", icon=":material/refresh:", key=f"retry-{key}{place}", on_click=retry, args=(key,))
    else:
        st.html(waiting(job, height))


def waiting(job: Job, height: int) -> str:
    """A job under way as HTML: what is done, for how long, and how much of it where that is known."""
    words = job.words or ("Waiting for another computation" if job.state == "waiting" else "Beginning")
    if job.state != "refused":
        words += f" · {pictures.duration(max(job.seconds, 0.1))}"
    share = 0 if job.share is None else job.share
    # Without a share there is no bar, but its place is kept.
    bar = f'<span class="hdr-fill" style="width:{share * 100:.0f}%"></span>'
    kind = "hdr-track" if job.share is not None else "hdr-track hdr-hidden"
    return (
        f'<div class="hdr-waiting" style="height:{height}px" role="status">'
        f'<span>{escape(words)}</span><span class="{kind}">{bar}</span></div>'
    )
