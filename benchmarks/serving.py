"""A running app on a free port of this machine, for benchmarks."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from hdr.store.runs import ACTIVE, RunStore

ROOT = Path(__file__).resolve().parents[1]


class Server:
    """The app on a free port.

    Args:
        home: its HDR_HOME; its log is written there, too.
        settings: environment variables of its own.
    """

    def __init__(self, home: Path, **settings: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.home, self.url = home, f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless=true"]
        self._log = (home / "server.log").open("ab")
        # Stopping the benchmark also stops its server process.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("The benchmark was ended."))
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            [*command, f"--server.port={self.port}", "--server.address=127.0.0.1"],
            cwd=ROOT,
            env={**os.environ, "HDR_HOME": str(home), **settings},
            stdout=self._log,
            stderr=self._log,
        )

    @property
    def store(self) -> RunStore:
        """Its runs."""
        return RunStore(f"sqlite:///{self.home / 'runs.sqlite'}")

    @property
    def log(self) -> str:
        """Return its output."""
        return (self.home / "server.log").read_text(errors="replace")

    def memory(self) -> float:
        """Megabytes of memory that its process holds now."""
        with open(f"/proc/{self._process.pid}/status") as status:
            return next(int(line.split()[1]) / 1000 for line in status if line.startswith("VmRSS"))

    def own_memory(self) -> float:
        """Megabytes that are its alone: without libraries and data sets, which lie in files that others share."""
        with open(f"/proc/{self._process.pid}/smaps_rollup") as rollup:
            return next(int(line.split()[1]) / 1000 for line in rollup if line.startswith("Anonymous"))

    def processor(self) -> float:
        """Seconds that its process has worked, without those of trainings."""
        with open(f"/proc/{self._process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait(self) -> None:
        """Wait until it takes connections."""
        while True:
            if self._process.poll() is not None:
                raise SystemExit(f"The server ended with {self._process.returncode}: {self.log}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.01)

    def wait_for_default_model(self, seconds: float = 300) -> None:
        """Wait until the first model is trained; training starts when the first page is opened."""
        deadline = time.monotonic() + seconds
        while not any(run.status == "done" for run in self.store.runs()):
            if time.monotonic() > deadline:
                raise SystemExit(f"The default model was not trained within {seconds:g} s.")
            time.sleep(0.5)

    def stop(self) -> None:
        """End its trainings, and it. Its spare training process ends by itself."""
        with contextlib.suppress(Exception):
            for run in self.store.runs(statuses=ACTIVE):
                self.store.request_stop(run.id)
            deadline = time.monotonic() + 10
            while self.store.runs(statuses=ACTIVE) and time.monotonic() < deadline:
                time.sleep(0.2)
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
