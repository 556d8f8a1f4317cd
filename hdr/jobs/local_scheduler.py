"""Training processes on this machine: a few at a time, with one spare kept warm."""

from __future__ import annotations

import logging
import threading
import time

from hdr.jobs.scheduler import JobExit, JobScheduler, slots
from hdr.jobs.worker_process import WorkerProcess
from hdr.paths import makeshift
from hdr.store.runs import RunStore

log = logging.getLogger("hdr.processes")

QUIET_SECONDS = 4.0
"""So long after a start the next spare is made: a run's own first seconds are not to be shared with it."""


class LocalScheduler(JobScheduler):
    """Runs and searches in processes of this machine. They go on when this process ends.

    Args:
        store: the run store.
        capacity: most runs and searches at once; None for what the host has set.
        spare: whether to keep one process warm, so that a run starts at once.
    """

    def __init__(self, store: RunStore, capacity: int | None = None, spare: bool = True) -> None:
        self._places, self._keep_spare = capacity or slots(), spare
        self._spare: WorkerProcess | None = None
        self._running: dict[str, WorkerProcess] = {}
        self._lock = threading.Lock()
        self._started = float("-inf")
        super().__init__(store)

    def close(self) -> None:
        """Let go: the spare ends, and runs go on by themselves. Where their home ends with this process, so do they."""
        super().close()
        if makeshift():
            for name in self._names():
                self._kill(name)
        with self._lock:
            if self._spare:
                self._spare.release()
                self._spare = None

    def capacity(self) -> int:
        """How many runs and searches are at work at once, at most."""
        return self._places

    def _names(self) -> list[str]:
        with self._lock:
            return list(self._running)

    def _kill(self, name: str) -> None:
        with self._lock:
            process = self._running.get(name)
        if process:
            process.kill()

    def _ended(self) -> list[JobExit]:
        with self._lock:
            ended = [JobExit(name, p.pid, p.poll()) for name, p in self._running.items() if p.poll() is not None]
            for one in ended:
                del self._running[one.name]
        return ended

    def _tend(self) -> None:
        with self._lock:
            processes = dict(self._running)
        for name, process in processes.items():
            if process.hangs():
                log.warning("%s hangs: it is killed", name)
                process.kill()

    def _start(self, name: str) -> None:
        with self._lock:
            process, self._spare = self._spare, None
        if process is None or process.poll() is not None:
            process = WorkerProcess()
        if not process.tell(name):
            return
        self._started = time.monotonic()
        with self._lock:
            self._running[name] = process

    def _start_queued(self) -> None:
        super()._start_queued()
        self._warm()

    def _warm(self) -> None:
        # A spare costs a second of imports: it is not to compete with a run that has just been started for it. But who
        # stops a run and starts another is not to wait for it either.
        quiet = time.monotonic() - self._started > QUIET_SECONDS
        if self._keep_spare and not self._closed and self._spare is None and quiet:
            with self._lock:
                self._spare = WorkerProcess()
