"""The training process: ``python -m hdr.training.worker``.

It imports what training needs, and waits for the name of a run on its standard input; then it trains
that run and ends. Where its input closes before that, it ends at once, so that it never outlives a server idly.
"""

from __future__ import annotations

import itertools
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from hdr import datasets
from hdr.training.fitting import Report, fit
from hdr.training.store import RunStore
from hdr.types import HdrError

HEARTBEAT_SECONDS = 0.3

log = logging.getLogger("hdr.worker")


def _nothing(*_: Any) -> None:
    pass


def execute(store: RunStore, run_id: str, started: Callable[[], None] = _nothing, report: Report = _nothing) -> bool:
    """Train one queued run in this process.

    Events go to the store, the model to the run's folder, and the outcome to the store: done, or failed with a message
    for people. The model is written before the run is called done, so that a run that is done can always be used.

    Args:
        store: where the run is.
        run_id: its name.
        started: called once the run is this process's.
        report: called with every event, after it is in the store.

    Returns:
        True where the run is done; False where it failed or somebody else had taken it.
    """
    from threadpoolctl import threadpool_limits

    if not store.claim(run_id, os.getpid()):
        return False
    started()
    run, numbers = store.get(run_id), itertools.count()

    def keep(event: dict[str, Any]) -> None:
        store.add_event(run_id, next(numbers), event)
        report(event)

    try:
        with threadpool_limits(run.spec.threads):
            model = fit(run.spec, datasets.load(run.spec.dataset), keep)
        size = model.save(run.folder)
        return store.finish(run_id, {**model.metrics, "model_bytes": size})
    except HdrError as error:
        store.end(run_id, "failed", str(error))
    except MemoryError:
        store.end(run_id, "failed", "There was not enough memory. Try fewer digits, or add a reduction.")
    except Exception as error:
        log.exception("run %s failed", run_id)
        store.end(run_id, "failed", f"Training failed ({type(error).__name__}: {error}).")
    return False


def _watch(store: RunStore, run_id: str, ended: threading.Event) -> None:
    while not ended.wait(HEARTBEAT_SECONDS):
        try:
            if store.heartbeat(run_id):
                continue
        except HdrError:
            log.warning("the store did not answer; trying again")
            continue
        store.end(run_id, "stopped")
        # Fitting cannot be interrupted from inside: the process is the unit that stops.
        os._exit(0)


def main() -> int:
    """Wait for a run and train it."""
    import cv2
    import skops.io  # noqa: F401 - all of these are imported now, so that a run starts at once

    cv2.setNumThreads(1)
    run_id = sys.stdin.readline().strip()
    if not run_id:
        return 0
    store, ended = RunStore(), threading.Event()
    watcher = threading.Thread(target=_watch, args=(store, run_id, ended), daemon=True)
    try:
        return 0 if execute(store, run_id, started=watcher.start) else 1
    finally:
        ended.set()


if __name__ == "__main__":
    sys.exit(main())
