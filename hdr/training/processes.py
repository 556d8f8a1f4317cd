"""Where training processes run: on this machine, a few at a time, with one spare kept warm.

This is the seam: pages call `submit` and `stop`, or `submit_search`, `stop_search` and `resume_search`, and read the
store; nothing else knows where a run is trained.
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

from hdr.training.search_spec import SearchSpec
from hdr.training.search_store import SearchStore
from hdr.training.search_types import SEARCH, Search
from hdr.training.spec import RunSpec
from hdr.training.store import LOST, Run, RunStore
from hdr.types import HdrError

log = logging.getLogger("hdr.processes")

ROOT = Path(__file__).resolve().parents[2]
LOOK_SECONDS = 1.0

QUIET_SECONDS = 4.0
"""So long after a start the next spare is made: a run's own first seconds are not to be shared with it."""


class LocalProcesses:
    """Starts queued runs and searches, each in a process of its own, and notices when one dies.

    Args:
        store: the run store.
        capacity: most runs and searches at once.
        spare: whether to keep one process warm, so that a run starts at once.
    """

    def __init__(self, store: RunStore, capacity: int | None = None, spare: bool = True) -> None:
        self._store, self._searches = store, SearchStore(store)
        self._capacity = capacity or max(1, (os.cpu_count() or 2) // 2)
        self._keep_spare = spare
        self._spare: subprocess.Popen[str] | None = None
        # By what they were told: the name of a run, or of a search with a word before it.
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._started = float("-inf")
        threading.Thread(target=self._supervise, name="hdr-processes", daemon=True).start()
        atexit.register(self.close)

    def submit(self, spec: RunSpec, owner: str, token: str, title: str = "", published: bool = False) -> Run:
        """Queue a run and see that it starts; the same token gives the same run."""
        run = self._store.create(spec, owner, token, title, published)
        self._wake.set()
        return run

    def stop(self, run_id: str) -> None:
        """End a run within a moment, wherever it is running."""
        self._store.request_stop(run_id)
        with self._lock:
            process = self._running.get(run_id)
        if process:
            self._store.end(run_id, "stopped")
            process.kill()
        self._wake.set()

    def submit_search(
        self, spec: SearchSpec, owner: str, token: str, title: str = "", published: bool = False
    ) -> Search:
        """Queue a search and see that it starts; the same token gives the same search."""
        search = self._searches.create(spec, owner, token, title, published)
        self._wake.set()
        return search

    def stop_search(self, search_id: str) -> None:
        """End a search within a moment, wherever it is running; it can go on later."""
        self._searches.request_stop(search_id)
        with self._lock:
            process = self._running.get(SEARCH + search_id)
        if process:
            self._searches.end(search_id, "stopped")
            process.kill()
        self._wake.set()

    def resume_search(self, search_id: str) -> bool:
        """Let a search go on where it stopped; False where it is still active, or its budget is used up."""
        resumed = self._searches.resume(search_id)
        self._wake.set()
        return resumed

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
                self._collect()
                self._store.end_silent()
                self._searches.revive_silent()
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

    def _start_queued(self) -> None:
        running = {r.id for r in self._store.listed(statuses=("running",))}
        running |= {SEARCH + s.id for s in self._searches.searches(statuses=("running",))}
        room = self._capacity - len(running | set(self._running))
        if room <= 0:
            return
        waiting = [(r.created, r.id) for r in self._store.listed(statuses=("queued",))]
        waiting += [(s.queued, SEARCH + s.id) for s in self._searches.searches(statuses=("queued",))]
        # Whoever has waited longest, be it a run or a search.
        for _, name in sorted(w for w in waiting if w[1] not in self._running)[:room]:
            self._start(name)

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


def _spawn() -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen(
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
