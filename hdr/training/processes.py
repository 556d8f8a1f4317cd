"""Where training processes run: on this machine, a few at a time, with one spare kept warm.

This is the seam: pages call `submit` and `stop`, or `submit_search`, `stop_search` and `resume_search`, and read the
store; nothing else knows where a run is trained. What a server allows is seen to here: what is too large or too much
is not taken, and those who wait have their turns by `hdr.training.fairness`.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from hdr import datasets, settings
from hdr.training import cleaning, guard
from hdr.training.allowance import Allowance, NotAllowed
from hdr.training.estimate import check_digits
from hdr.training.fairness import Line
from hdr.training.search_spec import SearchSpec
from hdr.training.search_store import SearchStore
from hdr.training.search_types import SEARCH, Search
from hdr.training.spec import RunSpec, versions
from hdr.training.store import ACTIVE, LOST, Run, RunStore
from hdr.types import HdrError

log = logging.getLogger("hdr.processes")

ROOT = Path(__file__).resolve().parents[2]
LOOK_SECONDS = 1.0

GRACE_SECONDS = 10.0
"""So long after its run has ended may a process live; one that hangs is killed, so that its place is free again."""

HUNG_SECONDS = 30.0
"""A process that has not done anything at all for so long hangs; even a paused one looks for commands all the time."""

LONGEST_LOOK = 5.0
"""Seconds of that which one look counts for, at most: a server that stood still was stopped together with others."""

QUIET_SECONDS = 4.0
"""So long after a start the next spare is made: a run's own first seconds are not to be shared with it."""


class LocalProcesses:
    """Starts queued runs and searches, each in a process of its own, and notices when one dies.

    Args:
        store: the run store.
        capacity: most runs and searches at once; None for what the host has set.
        spare: whether to keep one process warm, so that a run starts at once.
    """

    def __init__(self, store: RunStore, capacity: int | None = None, spare: bool = True) -> None:
        self._store, self._searches = store, SearchStore(store)
        self._allowance, self._line = Allowance(store), Line(store)
        self._capacity = capacity or places()
        self._keep_spare = spare
        self._spare: subprocess.Popen[str] | None = None
        # By what they were told: the name of a run, or of a search with a word before it.
        self._running: dict[str, subprocess.Popen[str]] = {}
        # Since when nothing in the store says that they should be.
        self._over: dict[str, float] = {}
        # What each process had done when it was last seen to do something, and for how long it has done nothing.
        self._seen: dict[str, tuple[int, float]] = {}
        self._looked = time.monotonic()
        self._waiting: list[str] = []
        self._lock, self._starting = threading.Lock(), threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._started = float("-inf")
        threading.Thread(target=self._supervise, name="hdr-processes", daemon=True).start()
        atexit.register(self.close)

    def submit(self, spec: RunSpec, owner: str, token: str, title: str = "", published: bool = False) -> Run:
        """Queue a run and see that it starts; the same token gives the same run.

        Raises:
            NotAllowed: the server does not allow it, or no more of them for now.
            HdrError: the store cannot be written to, or there is no such data set.
        """
        check_plan(spec, owner)
        with self._starting:
            self._check(owner, token)
            run = self._store.create(spec, owner, token, title, published)
            self._note(owner, token, run.id)
        self._wake.set()
        return run

    def stop(self, run_id: str) -> None:
        """End a run within a moment, wherever it is running.

        Raises:
            HdrError: the store cannot be written to; a process of this server's is ended even so.
        """
        self._stop(self._store, run_id, run_id)

    def submit_search(
        self, spec: SearchSpec, owner: str, token: str, title: str = "", published: bool = False
    ) -> Search:
        """Queue a search and see that it starts; the same token gives the same search.

        Raises:
            HdrError: as `submit`.
        """
        check_plan(spec.base, owner)
        with self._starting:
            self._check(owner, token)
            search = self._searches.create(spec, owner, token, title, published)
            self._note(owner, token, SEARCH + search.id)
        self._wake.set()
        return search

    def stop_search(self, search_id: str) -> None:
        """End a search within a moment, wherever it is running; it can go on later.

        Raises:
            HdrError: as `stop`.
        """
        self._stop(self._searches, search_id, SEARCH + search_id)

    def _stop(self, store: RunStore | SearchStore, name: str, running: str) -> None:
        with self._lock:
            process = self._running.get(running)
        try:
            store.request_stop(name)
            if process:
                store.end(name, "stopped")
        finally:
            # One that hangs may be what keeps the store.
            if process:
                process.kill()
            self._wake.set()

    def resume_search(self, search_id: str) -> bool:
        """Let a search go on where it stopped; False where it is still active, or its budget is used up.

        Raises:
            NotAllowed: it has worked for as long as the server allows, or there may be no more of them for now.
        """
        search, most = self._searches.get(search_id), settings.current().run_minutes
        if most is not None and search.seconds >= 60 * most:
            raise NotAllowed(
                f"This search has worked for {search.seconds / 60:.0f} minutes, and this server allows {most:g}. "
                "What it has found stays; start another from there."
            )
        if not search.active:
            self._allowance.check(search.owner)
        resumed = self._searches.resume(search_id)
        self._wake.set()
        return resumed

    def place(self, name: str) -> int | None:
        """The place in the line, from 1, of a run or of a search (`SEARCH` and its name); None where it does not wait.
        As it was at the last look into the queue: whoever watches asks often."""
        waiting = self._waiting
        return waiting.index(name) + 1 if name in waiting else None

    def _check(self, owner: str, token: str) -> None:
        self._allowance.check(owner, token)
        if not cleaning.room_for_models(self._store):
            most = settings.current().disk_mb
            raise NotAllowed(
                f"The models of all runs take up the {most:,.0f} MB of disk that this server allows. Delete runs that "
                "you do not need, or try again when others have."
            )

    def _note(self, owner: str, token: str, name: str) -> None:
        try:
            self._allowance.note(owner, token, name)
        except HdrError as error:
            # It is in the queue, and is not taken from it because it was not counted.
            log.warning("%s", error)

    def close(self) -> None:
        """Let go: the spare ends, and runs go on by themselves."""
        self._closed = True
        self._wake.set()
        with self._lock:
            if self._spare:
                _release(self._spare)
                self._spare = None

    def _supervise(self) -> None:
        while not self._closed:
            try:
                # First, and without the store: one that hangs may hold its lock.
                self._end_hung()
                self._collect()
                self._store.end_silent()
                self._searches.revive_silent()
                self._end_overdue()
                self._start_queued()
                self._warm()
            except HdrError as error:
                log.warning("%s", error)
            except Exception:
                log.exception("supervising training processes")
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()

    def _collect(self) -> None:
        with self._lock:
            ended = [(run, p) for run, p in self._running.items() if p.poll() is not None]
            for run, _ in ended:
                del self._running[run]
        for run, process in ended:
            if run.startswith(SEARCH):
                become = self._searches.died(run.removeprefix(SEARCH), process.pid)
                if become:
                    log.warning("%s: its process ended with %s, it is %s", run, process.returncode, become)
                continue
            # Another server's process, or a terminal's, may have been faster to claim the run, and still trains it.
            if self._store.end(run, "interrupted", LOST, process.pid):
                log.warning("run %s: its process ended with %s", run, process.returncode)

    def _end_hung(self) -> None:
        now = time.monotonic()
        passed, self._looked = min(now - self._looked, LONGEST_LOOK), now
        with self._lock:
            processes = dict(self._running)
        before, self._seen = self._seen, {}
        for name, process in processes.items():
            done = guard.ticks(process.pid)
            if done is None:
                continue
            ticks, idle = before.get(name, (-1, 0.0))
            self._seen[name] = (done, idle + passed if done == ticks else 0.0)
            if self._seen[name][1] > HUNG_SECONDS:
                log.warning("%s hangs: it is killed", name)
                process.kill()

    def _end_overdue(self) -> None:
        # A process may hang where nothing of its own can end it.
        with self._lock:
            processes = dict(self._running)
        if not processes:
            return
        active = {r.id for r in self._store.listed(statuses=ACTIVE)}
        active |= {SEARCH + s.id for s in self._searches.searches(statuses=ACTIVE)}
        now = time.monotonic()
        self._over = {name: self._over.get(name, now) for name in processes if name not in active}
        for name, since in self._over.items():
            if now - since > GRACE_SECONDS:
                log.warning("%s has ended, and its process has not: it is killed", name)
                processes[name].kill()

    def _start_queued(self) -> None:
        with self._lock:
            mine = list(self._running)
        at_work, parked = self._line.at_work(), self._line.parked()
        waiting = self._line.order(begun=mine)
        room = self._capacity - len(set(at_work) | {name for name in mine if name not in parked})
        for next_one in waiting[: max(room, 0)]:
            if next_one.name in parked:
                self._line.unpark(next_one.name)
            else:
                self._start(next_one.name)
        self._waiting = [w.name for w in waiting[max(room, 0) :]]
        if room <= 0 and waiting:
            self._free_idle(len(waiting), len(parked))

    def _free_idle(self, waiting: int, parked: int) -> None:
        minutes = settings.current().pause_minutes
        if minutes is None:
            return
        for number, run in enumerate(self._line.idle(60 * minutes)[:waiting]):
            # A parked process keeps its memory: where there are as many as places, the next one goes on instead.
            if parked + number < self._capacity:
                self._line.park(run)
            else:
                self._line.unpark(run)

    def _start(self, name: str) -> None:
        with self._lock:
            process, self._spare = self._spare, None
        if process is None or process.poll() is not None:
            process = _spawn()
        try:
            process.stdin.write(name + "\n")
            process.stdin.close()
        except OSError:
            _release(process)
            return
        self._started = time.monotonic()
        with self._lock:
            self._running[name] = process

    def _warm(self) -> None:
        # A spare costs a second of imports: it is not to compete with a run that has just been started for it. But who
        # stops a run and starts another is not to wait for it either.
        quiet = time.monotonic() - self._started > QUIET_SECONDS
        if self._keep_spare and not self._closed and self._spare is None and quiet:
            with self._lock:
                self._spare = _spawn()


def places() -> int:
    """How many runs and searches the host lets work at once: half the cores, if nothing else is set."""
    return settings.current().trainings_at_once or max(1, (os.cpu_count() or 2) // 2)


def check_plan(spec: RunSpec, owner: str) -> None:
    """Refuse a plan that is larger than the server allows.

    Raises:
        NotAllowed: with both numbers.
        HdrError: there is no such data set.
    """
    most = settings.current().training_digits
    # The data set may have fewer digits than the plan asks for; it is only looked at where that matters.
    if most is not None and spec.train_size * versions(spec.augmentation) > most:
        check_digits(spec, datasets.load(spec.dataset, owner))


def _spawn() -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen(  # nosec B603 # a fixed command without anything from outside
        [sys.executable, "-m", "hdr.training.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=environment,
        # A run goes on when the server is stopped from the terminal.
        start_new_session=True,
    )


def _release(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(OSError):
        process.stdin.close()
