"""The model that is ready before anybody has trained one: the fast preset, trained once and kept."""

from __future__ import annotations

from hdr.training.processes import LocalProcesses
from hdr.training.spec import PRESETS, for_dataset
from hdr.training.store import Run, RunStore

OWNER = "default"
MOST_TRIES = 3


def ensure(store: RunStore, processes: LocalProcesses, dataset: str) -> Run | None:
    """See that the default model of a data set is there or on its way.

    A try that failed is followed by another, up to `MOST_TRIES`. Servers that share a store make one model together.

    Returns:
        Its run, or None where every try has failed.
    """
    spec = for_dataset(PRESETS["fast"].spec, dataset)
    tries = [r for r in store.runs(OWNER) if r.owner == OWNER and r.spec.key == spec.key]
    for run in tries:
        if run.active or run.status == "done":
            return run
    if len(tries) >= MOST_TRIES:
        return None
    token = f"{OWNER}-{spec.key}-{len(tries)}"
    return processes.submit(spec, OWNER, token, title="Default reader", published=True)


def best(runs: list[Run]) -> Run | None:
    """The default model among these runs that has learned from the most digits; None where none is done."""
    done = [r for r in runs if r.owner == OWNER and r.status == "done"]
    return max(done, key=lambda r: r.result.get("fitted_on", 0), default=None)
