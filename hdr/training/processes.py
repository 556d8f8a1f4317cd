"""Where training processes run: on this machine, a few at a time, with one spare kept warm.

This is the seam: pages call `submit` and `stop` and read the store; nothing else knows where a run is trained.
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

from hdr.training.spec import RunSpec
from hdr.training.store import LOST, Run, RunStore
from hdr.types import HdrError

log = logging.getLogger("hdr.processes")

ROOT = Path(__file__).resolve().parents[2]
LOOK_SECONDS = 1.0

QUIET_SECONDS = 4.0
"""So long after a start the next spare is made: a run's own first seconds are not to be shared with it."""


class LocalProcesses:
    """Starts queued runs, each in a process of its own, and notices when one dies.

    Args:
        store: the run store.
        capacity: most runs at once.
        spare: whether to keep one process warm, so that a run starts at once.
    """

    def __init__(self, store: RunStore, capacity: int | None = None, spare: bool = True) -> None:
        self._store = store
        self._capacity = capacity or max(1, (os.cpu_count() or 2) // 2)
        self._keep_spare = spare
        self._spare: subprocess.Popen[str] | None = None
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
            # Another server's process, or a terminal's, may have been faster to claim the run, and still trains it.
            if self._store.end(run, "interrupted", LOST, process.pid):
                log.warning("run %s: its process ended with %s", run, process.returncode)

    def _start_queued(self) -> None:
        running = self._store.runs(statuses=("running",))
        room = self._capacity - len({r.id for r in running} | set(self._running))
        if room <= 0:
            return
        waiting = [r for r in reversed(self._store.runs(statuses=("queued",))) if r.id not in self._running]
        for run in waiting[:room]:
            self._start(run.id)

    def _start(self, run_id: str) -> None:
        with self._lock:
            process, self._spare = self._spare, None
        if process is None or process.poll() is not None:
            process = _spawn()
        try:
            process.stdin.write(run_id + "\n")
            process.stdin.close()
        except OSError:
            _release(process)
            return
        self._started = time.monotonic()
        with self._lock:
            self._running[run_id] = process

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
