"""The training process, which `hdr.cli.worker` starts.

It imports what training needs, and waits for the name of a run on its standard input; then it trains that run and
ends. After ``search`` and a space, it is the name of a search; after ``help``, of one that others are at already. After
a tab, it is told by what name the place is known where it works. Where its input closes before that, it ends at once,
so that it never outlives a server idly; with ``--exit-with-parent``, also where it closes later.
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
from hdr.jobs import resource_limits
from hdr.jobs.quotas import Quotas
from hdr.jobs.worker_process import EXIT_WITH_PARENT
from hdr.memory.lazy_imports import install_import_hooks
from hdr.store import artifacts
from hdr.store.retry import write_with_retry
from hdr.store.run_commands import RunCommands, watch
from hdr.store.runs import RunStore
from hdr.store.searches import SearchStore
from hdr.training.controller import TrainingController
from hdr.training.fitting import Report, fit
from hdr.training.limits import check_memory
from hdr.tuning.records import HELP, SEARCH
from hdr.types import HdrError

log = logging.getLogger("hdr.worker")


def _nothing(*_: Any) -> None:
    pass


def execute(
    store: RunStore,
    run_id: str,
    stopped: Callable[[], None] = _nothing,
    report: Report = _nothing,
    over: Callable[[resource_limits.LimitExceeded], None] | None = None,
) -> bool:
    """Train one queued run in this process, as it is steered.

    Events go to the store, the model to the run's folder, and the outcome to the store: done, or failed with a message
    for people. The model is written before the run is called done, so that a run that is done can always be used.

    Args:
        store: where the run is.
        run_id: its name.
        stopped: called, in another thread, where the run is to end at once and keep nothing.
        report: called with every event, after it is in the store.
        over: called, in another thread, where the run has taken more time or memory than the server allows and is to
            end at once; None where it may take what it wants.

    Returns:
        True where the run is done; False where it failed or somebody else had taken it.
    """
    from threadpoolctl import threadpool_limits

    if not write_with_retry(lambda: store.claim(run_id, os.getpid())):
        return False
    run, numbers, steering = store.get(run_id), itertools.count(), RunCommands(store)
    control = TrainingController(
        run.spec, lambda spec: write_with_retry(lambda: steering.record(run_id, spec)), steered=True
    )
    ended = threading.Event()
    threading.Thread(target=watch, args=(steering, run_id, control, ended, stopped), daemon=True).start()
    if over:
        allowance, began = Quotas(store), control.worked()
        limits = (lambda: control.worked() - began, lambda seconds: allowance.add(run_id, seconds), over, ended)
        threading.Thread(target=resource_limits.enforce_limits, args=limits, daemon=True).start()

    def keep(event: dict[str, Any]) -> None:
        number = next(numbers)
        # What it has learned is not to be lost because somebody else keeps the store for a while.
        write_with_retry(lambda: store.add_event(run_id, number, event))
        report(event)

    try:
        with threadpool_limits(run.spec.threads):
            dataset = datasets.load(run.spec.dataset, run.owner)
            check_memory(run.spec, dataset)
            model = fit(run.spec, dataset, keep, control)
        size = artifacts.artifact_store().save(run_id, model.save)
        return write_with_retry(lambda: store.finish(run_id, {**model.metrics, "model_bytes": size}))
    except HdrError as error:
        message = str(error)
    except MemoryError:
        message = "There was not enough memory. Try fewer digits, or add a reduction."
    except Exception as error:
        log.exception("run %s failed", run_id)
        message = f"Training failed ({type(error).__name__}: {error})."
    finally:
        ended.set()
    write_with_retry(lambda: store.end(run_id, "failed", message))
    return False


def main() -> int:
    """Wait for a run or a search, and do it."""
    resource_limits.lower_priority()
    install_import_hooks()
    import cv2
    import skops.io  # noqa: F401 - all of these are imported now, so that a run starts at once

    cv2.setNumThreads(1)
    run_id, _, place = sys.stdin.readline().strip().partition("\t")
    if not run_id:
        return 0
    if EXIT_WITH_PARENT in sys.argv:
        threading.Thread(target=_watch_parent, daemon=True).start()
    resource_limits.limit_memory()
    store = write_with_retry(RunStore)
    if run_id.startswith((SEARCH, HELP)):
        from hdr.jobs import search_runner

        # The process is the unit that stops here, too.
        word, name, *_ = run_id.split()

        def too_much(excess: resource_limits.LimitExceeded) -> None:
            # A trial that takes too much memory is begun again by another process, and given up after a few times.
            _leave(lambda: excess.of == "time" and SearchStore(store).end(name, "stopped", excess.message))

        done = search_runner.execute(
            store,
            name,
            stopped=lambda: os._exit(0),
            polite=True,
            over=too_much,
            place=place,
            join=word == HELP.strip(),
        )
        return 0 if done else 1

    def over(excess: resource_limits.LimitExceeded) -> None:
        _leave(lambda: store.end(run_id, "failed", excess.message))

    def stopped() -> None:
        _leave(lambda: store.end(run_id, "stopped"))

    return 0 if execute(store, run_id, stopped, over=over) else 1


def _watch_parent() -> None:
    # Whoever has started this process keeps the other end open for as long as it lives.
    sys.stdin.read()
    os._exit(0)


def _leave(write: Callable[[], Any]) -> None:
    try:
        write()
    finally:
        # Fitting cannot be interrupted from inside: the process is the unit that stops.
        os._exit(0)
