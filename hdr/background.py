"""Run work of some seconds in background threads: once for all who ask, in order, and bounded.

A caller asks for a job by its key, again and again, and gets its state, its progress or its result at once.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from hdr.types import HdrError, ProgressCallback

Work = Callable[[ProgressCallback], Any]
State = Literal["waiting", "running", "done", "failed", "refused"]

NICENESS = 5
"""How much less urgent a job's thread is than the threads that answer visitors, on the scale of `nice`."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """The state of a job at one moment.

    Attributes:
        key: its name.
        state: "refused" where the queue is full: nothing was started, and the caller may ask again.
        work, slow: as given to `Jobs.get`, so that the job alone is enough to ask again.
        words: the present stage of the work.
        share: the share that is done, 0 to 1; None where it is unknown.
        seconds: since the job started, or since it joined the queue.
        result: the value that the work returned. All callers share it: do not change it.
        error: why it failed, as a sentence.
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
    cancelled: bool = False
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def over(self) -> bool:
        return self.state in ("done", "failed")


class _CancelledError(Exception):
    """The job was cancelled, or its callers have left."""


class Jobs:
    """Jobs by key, with threads for quick and for slow work, a bounded queue and a bounded store of results.

    Args:
        waiting: most jobs in the queue; more are refused.
        kept: most results in the store. The one whose last request is oldest is dropped first.
        kept_bytes: most bytes of all results together, as far as they have an attribute `nbytes`.
        patience: seconds without a request after which a waiting job is dropped. A running job ends at its next report
            after three times as long.
        clock: a monotonic clock, in seconds.
        threads: how many do quick work, and how many do slow work.
    """

    def __init__(
        self,
        waiting: int = 16,
        kept: int = 48,
        kept_bytes: int = 256_000_000,
        patience: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        threads: int = 1,
    ) -> None:
        self._waiting, self._kept, self._kept_bytes = waiting, kept, kept_bytes
        self._patience, self._clock = patience, clock
        self._lock = threading.Lock()
        # In the order of their last request, so that the first is the one to drop.
        self._tasks: OrderedDict[str, _Task] = OrderedDict()
        self._threads, self._busy = threads, {True: 0, False: 0}

    def get(self, key: str, work: Work, wait: float = 0.0, slow: bool = False) -> Job:
        """Return the job with this key, and queue it if there is none.

        Args:
            key: names the work and everything that its result depends on.
            work: called in another thread with a function to report progress.
            wait: most seconds to wait for a job that may be quick.
            slow: True where the work takes more than a second or two, so that quick jobs need not wait for it.
        """
        now = self._clock()
        with self._lock:
            self._drop_abandoned(now)
            task = self._tasks.get(key)
            if task is None:
                if sum(t.state == "waiting" for t in self._tasks.values()) >= self._waiting:
                    return Job(key, "refused", work, slow, "The server is busy. This starts as soon as it can.")
                task = self._tasks[key] = _Task(key, work, now, now, slow)
                self._start_thread(slow)
            task.asked = now
            self._tasks.move_to_end(key)
        if wait and not task.over:
            task.ended.wait(wait)
        with self._lock:
            seconds = max(0.0, self._clock() - task.since)
            return Job(key, task.state, work, slow, task.words, task.share, seconds, task.result, task.error)

    def retry(self, key: str) -> None:
        """Forget a failed job, so that the next request starts it again."""
        with self._lock:
            if (task := self._tasks.get(key)) and task.state == "failed":
                del self._tasks[key]

    def cancel(self, key: str) -> None:
        """Take a job out of the queue, or end it at its next report. A finished job keeps its result."""
        with self._lock:
            if (task := self._tasks.get(key)) and not task.over:
                task.cancelled = True
                del self._tasks[key]

    def _drop_abandoned(self, now: float) -> None:
        for key, task in list(self._tasks.items()):
            if task.state == "waiting" and now - task.asked > self._patience:
                del self._tasks[key]

    def _start_thread(self, slow: bool) -> None:
        if self._busy[slow] < self._threads:
            self._busy[slow] += 1
            # A daemon thread does not keep a server from ending.
            threading.Thread(target=self._run, args=(slow,), name="hdr-jobs", daemon=True).start()

    def _run(self, slow: bool) -> None:
        _lower_priority()
        while task := self._next(slow):
            self._do(task)

    def _next(self, slow: bool) -> _Task | None:
        with self._lock:
            now = self._clock()
            self._drop_abandoned(now)
            waiting = [t for t in self._tasks.values() if t.state == "waiting" and t.slow == slow]
            if not waiting:
                self._busy[slow] -= 1
                return None
            # First come, first served; but jobs with a recent request go before those of people who may have left.
            task = min(waiting, key=lambda t: (now - t.asked > self._patience / 4, t.since))
            task.state, task.since = "running", now
            return task

    def _do(self, task: _Task) -> None:
        def report(words: str, share: float | None = None) -> None:
            with self._lock:
                if task.cancelled or self._clock() - task.asked > 3 * self._patience:
                    raise _CancelledError
                task.words, task.share = words, None if share is None else min(max(float(share), 0.0), 1.0)

        state: State = "failed"
        result, error = None, ""
        try:
            assert task.work is not None
            result, state = task.work(report), "done"
        except _CancelledError:
            with self._lock:
                self._remove(task)
            task.ended.set()
            return
        except HdrError as problem:
            error = str(problem)
        except Exception as problem:  # noqa: BLE001 - any work may be given; its caller sees the error on a page
            _log.exception("A job failed: %s", task.key)
            error = f"This computation failed ({type(problem).__name__}: {problem})."
        with self._lock:
            # Releases the arrays that the work refers to.
            task.work, task.state, task.result, task.error = None, state, result, error
            if task.cancelled:
                self._remove(task)
            self._drop_results()
        task.ended.set()

    def _remove(self, task: _Task) -> None:
        # The key may name a later job by now.
        if self._tasks.get(task.key) is task:
            del self._tasks[task.key]

    def _drop_results(self) -> None:
        over = [t for t in self._tasks.values() if t.over]
        size = sum(_size(t) for t in over)
        # The newest stays whatever its size: its caller waits for it.
        for count, task in zip(range(len(over), 1, -1), over, strict=False):
            if count <= self._kept and size <= self._kept_bytes:
                break
            size -= _size(task)
            del self._tasks[task.key]


def _size(task: _Task) -> int:
    return int(getattr(task.result, "nbytes", 0))


def _lower_priority() -> None:
    # Only Linux gives each thread a priority of its own.
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS))
