"""The model that is ready before anybody has trained one: the fast preset, trained once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from hdr import settings
from hdr.jobs.quotas import OWNER
from hdr.jobs.scheduler import JobScheduler
from hdr.store.runs import RunStore, RunSummary
from hdr.training.run_spec import PRESETS, for_dataset

R = TypeVar("R", bound=RunSummary)

MAX_TRIES = 3


def ensure_default_model(store: RunStore, processes: JobScheduler, dataset: str) -> RunSummary | None:
    """See that the default model of a data set is there or on its way.

    A try that failed is followed by another, up to `MAX_TRIES`. Servers that share a store make one model together.

    Returns:
        Its run, or None where every try has failed.
    """
    spec = for_dataset(PRESETS["fast"].spec, dataset)
    most = settings.current().training_digits
    spec = replace(spec, train_size=min(spec.train_size, most or spec.train_size))
    tries = [r for r in store.listed(OWNER) if r.owner == OWNER and r.spec.key == spec.key]
    for run in tries:
        if run.active or run.status == "done":
            return run
    if len(tries) >= MAX_TRIES:
        return None
    token = f"{OWNER}-{spec.key}-{len(tries)}"
    return processes.submit(spec, OWNER, token, title="Default reader", published=True)


def best_default_model(runs: Sequence[R]) -> R | None:
    """The default model among these runs that has learned from the most digits; None where none is done."""
    done = [r for r in runs if r.owner == OWNER and r.status == "done"]
    return max(done, key=lambda r: r.fitted_on or 0, default=None)
