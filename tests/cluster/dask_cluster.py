"""A Dask cluster of this machine's own: a scheduler and workers, each in processes that can be killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]


class Cluster:
    """A scheduler on 127.0.0.1, and workers of one thread each, which come back when they are killed.

    Args:
        folder: where its log and its workers' homes are.
        path: where its workers find the app.

    Attributes:
        address: the scheduler's.
    """

    def __init__(self, folder: Path, path: Path = ROOT) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.address, self._folder, self._path = f"tcp://127.0.0.1:{self._port}", folder, path
        folder.mkdir(parents=True, exist_ok=True)
        self._log = (folder / "dask.log").open("ab")
        self._scheduler: subprocess.Popen[bytes] | None = None
        self._workers: list[subprocess.Popen[bytes]] = []

    def begin(self, workers: int = 2) -> None:
        """Start the scheduler, and so many workers."""
        self._scheduler = self._dask("scheduler", "--host", "127.0.0.1", "--port", str(self._port))
        for number in range(workers):
            self.join(number)
        until(lambda: len(self.processes()) == workers, "all workers have come")

    def join(self, number: int, memory: str = "2GB") -> None:
        """One more worker, as on a machine of its own: it shares no folder with the server."""
        options = ("--nworkers", "1", "--nthreads", "1", "--memory-limit", memory)
        self._workers.append(self._dask("worker", self.address, *options, home=self._folder / f"worker-{number}"))

    def processes(self) -> list[int]:
        """The numbers of the workers' processes."""
        from distributed import Client

        try:
            with Client(self.address, timeout=5, set_as_default=False) as client:
                return sorted(client.run(os.getpid).values())
        except (OSError, TimeoutError):
            return []

    def end(self) -> None:
        """Kill everything."""
        for process in [self._scheduler, *self._workers]:
            if process is not None:
                # A worker and its nanny are one group, so that nothing comes back.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._scheduler, self._workers = None, []

    def close(self) -> None:
        """End everything, if it has not been ended."""
        self.end()
        self._log.close()

    def _dask(self, what: str, *options: str, home: Path | None = None) -> subprocess.Popen[bytes]:
        own = {"PYTHONPATH": str(self._path), **({"HDR_HOME": str(home)} if home else {})}
        known = {k: v for k, v in os.environ.items() if k == "HDR_DATASETS" or not k.startswith("HDR_")}
        return subprocess.Popen(
            [sys.executable, "-m", "dask", what, *options, "--no-dashboard"],
            cwd=self._folder,
            env={**known, **own},
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
