"""How quickly a training does what it is told: for every classifier, first sign, pause, and stop.

    python benchmarks/steering.py [--digits 10000] [--dataset mnist]

Each classifier trains in a process of its own, as on the page. "first sign" is from the order to its first event in the
store. "stop" is from the order, in the middle of fitting, until the store says that it ended and its process is gone.
"pause" is for the network, which waits after the batch it is in; the others wait between stages.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

PATIENCE = 300.0


def wait(condition: Callable[[], object]) -> float:
    """Wait until something is so; returns how many milliseconds it took."""
    start = time.perf_counter()
    while not condition():
        if time.perf_counter() - start > PATIENCE:
            raise SystemExit(f"Not within {PATIENCE:g} s.")
        time.sleep(0.002)
    return (time.perf_counter() - start) * 1000


def gone(process: int) -> bool:
    """Whether a process has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def main() -> None:
    """Measure, and print a table."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--digits", type=int, default=10_000)
    arguments.add_argument("--dataset", default="mnist")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["HDR_HOME"] = folder
        from hdr import catalogue
        from hdr.jobs.local_scheduler import QUIET_SECONDS, LocalScheduler
        from hdr.store.run_commands import RunCommands
        from hdr.store.runs import RunStore
        from hdr.training.run_spec import RunSpec
        from hdr.types import Step

        store = RunStore()
        steering, processes = RunCommands(store), LocalScheduler(store)
        print(f"{'ms, ' + format(asked.digits, ',') + ' digits':<36}{'first sign':>12}{'pause':>9}{'stop':>9}")

        def begun(run: str) -> bool:
            return any(e["phase"] == "fitting" for e in store.events(run))

        def paused(run: str) -> bool:
            return store.events(run)[-1]["phase"] == "paused"

        for entry in catalogue.entries("classifier"):
            time.sleep(QUIET_SECONDS + 3)  # As on the page, the next process is warm by then.
            spec = RunSpec(asked.dataset, asked.digits, classifier=Step(entry.name))
            run = processes.submit(spec, "local", entry.name)
            sign = wait(partial(store.events, run.id))
            wait(partial(begun, run.id))
            pause = ""
            if entry.facts["progress"] == "epochs":
                steering.send(run.id, "pause", "pause", None)
                pause = f"{wait(partial(paused, run.id)):.0f}"
            (process,) = [p.pid for p in processes._running.values()]
            ended = store.get(run.id).status != "running"

            def over(run: str = run.id, process: int = process) -> bool:
                return store.get(run).status != "running" and gone(process)

            start = time.perf_counter()
            processes.stop(run.id)
            stop = (time.perf_counter() - start) * 1000 + wait(over)
            said = "was done" if ended or store.get(run.id).status == "done" else f"{stop:.0f}"
            print(f"{entry.title:<36}{sign:>12.0f}{pause:>9}{said:>9}", flush=True)
        processes.close()


if __name__ == "__main__":
    main()
