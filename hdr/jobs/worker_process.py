"""One training process: started, told what to do, looked at, and ended."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Collection, Mapping

from hdr import entry
from hdr.jobs import resource_limits
from hdr.store.heartbeats import MAX_POLL_GAP

EXIT_WITH_PARENT = "--exit-with-parent"
"""Told to a process that is to end with whoever has started it."""

HUNG_SECONDS = 30.0
"""A process that has not done anything at all for so long hangs; even a paused one looks for commands all the time."""

PYTHON = (sys.executable, "-P")
"""Python without the current folder on its path: a file random.py there must not take the place of Python's own."""


def python_path() -> str:
    """Return a PYTHONPATH with which another process finds this package, installed or not."""
    return os.pathsep.join(filter(None, (str(entry.ROOT), os.environ.get("PYTHONPATH"))))


class WorkerProcess:
    """A process of `hdr.cli.worker`, which waits to be told what to do.

    Args:
        die_with_parent: whether it ends at once when this process does; otherwise it goes on by itself.
        environment: variables that it has besides those of this process.
        without: variables of this process that it does not have.

    Attributes:
        pid: its number.
    """

    def __init__(
        self, die_with_parent: bool = False, environment: Mapping[str, str] | None = None, without: Collection[str] = ()
    ) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in without}
        self._die_with_parent = die_with_parent
        self._popen = subprocess.Popen(  # nosec B603 # a fixed command without anything from outside
            [*PYTHON, "-m", "hdr.cli.worker", *([EXIT_WITH_PARENT] if die_with_parent else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            env={**inherited, **(environment or {}), "PYTHONPATH": python_path()},
            # A run goes on when the server is stopped from the terminal.
            start_new_session=True,
        )
        # With a pipe asked for, there is one.
        assert self._popen.stdin is not None
        self._words = self._popen.stdin
        self.pid = self._popen.pid
        self._done, self._idle, self._looked = -1, 0.0, time.monotonic()

    def tell(self, *words: str) -> bool:
        """Say what to do: a run, or a search, and where it is; False where it has ended before it could be told."""
        try:
            self._words.write("\t".join(words) + "\n")
            self._words.flush()
        except OSError:
            self.release()
            return False
        if not self._die_with_parent:
            self.release()
        return True

    def poll(self) -> int | None:
        """How it has ended; None while it lives."""
        return self._popen.poll()

    def wait(self, seconds: float | None = None) -> int:
        """Wait for its end: how it has ended."""
        return self._popen.wait(seconds)

    def kill(self) -> None:
        """End it now."""
        self._popen.kill()

    def release(self) -> None:
        """Let go: one that has not been told anything ends, others go on."""
        with contextlib.suppress(OSError):
            self._words.close()

    def hangs(self) -> bool:
        """Whether it has done nothing at all for `HUNG_SECONDS`; to be asked every second or so."""
        now = time.monotonic()
        passed, self._looked = min(now - self._looked, MAX_POLL_GAP), now
        done = resource_limits.cpu_ticks(self.pid)
        if done is None or done != self._done:
            self._done, self._idle = self._done if done is None else done, 0.0
        else:
            self._idle += passed
        return self._idle > HUNG_SECONDS
