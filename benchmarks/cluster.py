"""The overhead of running on a cluster: python -m benchmarks.cluster, with requirements/cluster-dev.txt installed.

The most frequent store operations, in a file and in a PostgreSQL on 127.0.0.1. Then trials per minute of one search on
this machine's own processes, and on 1 and 2 Dask workers.

The store of the searches is that PostgreSQL. Each way does the same trials, which take about half a second: short
enough to show the overhead of a trial beyond its fit. On a machine of two cores, two workers share them with the store.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from hdr.cluster import register
from hdr.jobs.local_scheduler import LocalScheduler
from hdr.jobs.scheduler import JobScheduler
from hdr.store.run_commands import RunCommands
from hdr.store.runs import RunStore
from hdr.store.searches import SearchStore
from hdr.training.run_spec import RunSpec
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import dimension
from hdr.types import Step
from tests.cluster.dask_cluster import Cluster
from tests.cluster.postgresql import Server

BASE = RunSpec("bundled", 1000, classifier=Step("mlp", {"epochs": 15, "units": 50, "batch_size": 16}))


def plan(trials: int) -> SearchSpec:
    """A search by chance, so that every way tries the same values."""
    return SearchSpec(BASE, (dimension(BASE, "classifier.mlp.learning_rate"),), "random", False, most_trials=trials)


def measure(name: str, store: RunStore, processes: JobScheduler, trials: int, hands: int) -> None:
    """Do a search, and print a row of the table."""
    searches, began = SearchStore(store), time.time()
    search = processes.submit_search(plan(trials), "bench", name).id
    while searches.get(search).active:
        time.sleep(0.2)
    found = searches.trials(search)
    assert all(t.status == "done" for t in found), [t.message for t in found]
    first, last = min(t.started for t in found), max(t.finished or 0.0 for t in found)
    fitting = sum(t.seconds for t in found)
    rest = (hands * (last - first) - fitting) / trials
    row = (trials / (last - first) * 60, fitting / trials, rest, first - began)
    print(f"{name:28} {row[0]:>12.1f} {row[1]:>13.2f} {row[2]:>13.3f} {row[3]:>14.1f}", flush=True)


def statements(store: RunStore, repeats: int = 300) -> dict[str, float]:
    """Return the median wall time of each operation, in milliseconds."""
    runs = [store.create(BASE, "bench", str(k)).id for k in range(300)]
    run, steering = runs[0], RunCommands(store)
    store.claim(run, 1)
    asked = {
        "write a score down": lambda k: store.add_event(run, k, {"step": k}),
        "a sign of life": lambda _: store.heartbeat(run),
        "look for commands": lambda _: steering.commands(run),
        "one run": lambda _: store.get(run),
        "a list of 300 runs": lambda _: store.listed("bench"),
    }
    return {what: _milliseconds(ask, repeats) for what, ask in asked.items()}


def _milliseconds(work: Callable[[int], object], repeats: int) -> float:
    taken = []
    for k in range(repeats):
        began = time.perf_counter()
        work(k)
        taken.append(1e3 * (time.perf_counter() - began))
    return median(taken)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=40, help="of each search")
    trials = parser.parse_args().trials
    with tempfile.TemporaryDirectory(prefix="hdr-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "postgresql").mkdir()
        database = Server(folder / "postgresql", durable=True)
        database.start()
        try:
            own = {"HDR_STORE": database.url(database.fresh()), "HDR_HOME": str(folder / "home")}
            os.environ |= own | {"HDR_ARTIFACTS": str(folder / "shared")}
            register()
            file, server = statements(RunStore(f"sqlite:///{folder / 'bench.sqlite'}")), statements(RunStore())
            print(f"{'milliseconds':28} {'SQLite':>12} {'PostgreSQL':>13}")
            for what, took in file.items():
                print(f"{what:28} {took:>12.2f} {server[what]:>13.2f}", flush=True)
            print()
            os.environ["HDR_STORE"] = database.url(database.fresh())
            _compare(folder, trials)
        finally:
            database.stop("immediate")


def _compare(folder: Path, trials: int) -> None:
    from hdr.cluster.dask_scheduler import ClusterProcesses

    columns = ("trials a min", "fit, s", "the rest, s", "until first, s")
    print(f"{'':28} {columns[0]:>12} {columns[1]:>13} {columns[2]:>13} {columns[3]:>14}")
    store = RunStore()
    local = LocalScheduler(store, capacity=1, spare=False)
    measure("this machine, 1 process", store, local, trials, 1)
    local.close()
    for workers in (1, 2):
        cluster = Cluster(folder / f"dask-{workers}")
        cluster.begin(workers)
        try:
            processes = ClusterProcesses(store, cluster.address)
            measure(f"Dask, {workers} worker{'s' * (workers > 1)}", store, processes, trials, workers)
            processes.close()
        finally:
            cluster.close()


if __name__ == "__main__":
    main()
