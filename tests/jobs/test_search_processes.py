"""Searches in processes of their own, and what is left when processes die."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hdr.jobs.local_scheduler import LocalScheduler
from hdr.jobs.search_runner import execute
from hdr.store.runs import RunStore
from hdr.store.schema import searches as _searches
from hdr.store.searches import SearchStore
from hdr.training.run_spec import RunSpec
from hdr.tuning.records import SEARCH, Search, Trial
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import dimension
from hdr.types import Step
from tests.support.waiting import PATIENCE
from tests.support.waiting import until as wait

ROOT = Path(__file__).parents[2]
needs_signals = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL: not tested")

SLOW = RunSpec("bundled", 1000, classifier=Step("mlp", {"epochs": 60, "units": 50, "batch_size": 16}))


def plan(trials: int = 3, base: RunSpec = SLOW) -> SearchSpec:
    """A search whose trials take a second or two each: long enough to do something in the middle of one."""
    return SearchSpec(base, (dimension(base, "classifier.mlp.learning_rate"),), "random", False, most_trials=trials)


@pytest.fixture
def searches(store: RunStore) -> SearchStore:
    """The searches of an empty store."""
    return SearchStore(store)


@pytest.fixture
def processes(store: RunStore, searches: SearchStore) -> Iterator[LocalScheduler]:
    """Processes without a spare."""
    found = LocalScheduler(store, capacity=1, spare=False)
    yield found
    for run in store.runs():
        found.stop(run.id)
    for search in searches.searches():
        found.stop_search(search.id)
    found.close()


def learning(searches: SearchStore, search: str, number: int = 0) -> bool:
    """Whether a trial has begun and shown something."""
    found = searches.trials(search)
    return len(found) > number and bool(found[number].scores)


def kill(processes: LocalScheduler, search: str) -> None:
    """SIGKILL to a search's process."""
    os.kill(processes._running[SEARCH + search].pid, signal.SIGKILL)


def whole(found: list[Trial], trials: int) -> bool:
    """Whether every trial is there, once, and has ended."""
    return [t.number for t in found] == list(range(trials)) and all(t.status == "done" for t in found)


@needs_signals
def test_a_killed_process_is_followed_by_another_that_repeats_the_trial(
    searches: SearchStore, processes: LocalScheduler
) -> None:
    search = processes.submit_search(plan(), "ann", "t").id
    assert processes.submit_search(plan(), "ann", "t").id == search and len(searches.searches()) == 1
    wait(lambda: learning(searches, search))
    before = searches.trials(search)
    kill(processes, search)
    wait(lambda: searches.get(search).status == "done")
    after = searches.trials(search)
    assert whole(after, 3) and after[before[-1].number].values == before[-1].values
    assert [t.attempts for t in after] == [1 + (t.number == before[-1].number) for t in after]
    assert after[before[-1].number].lost >= 0 and searches.get(search).best is not None


@pytest.mark.slow
@needs_signals
def test_stopped_waiting_and_gone_on_with_among_runs(
    store: RunStore, searches: SearchStore, processes: LocalScheduler, small: RunSpec
) -> None:
    search = processes.submit_search(plan(2), "ann", "t").id
    wait(lambda: learning(searches, search))
    run = processes.submit(small, "bob", "r").id
    later = processes.submit_search(plan(1), "ann", "u").id
    time.sleep(0.3)
    assert store.get(run).status == "queued", "one at a time, whichever it is"
    processes.stop_search(search)
    assert searches.get(search).status == "stopped"
    left = searches.trials(search)
    assert not left[-1].ended and not processes.resume_search(later)
    wait(lambda: store.get(run).status == "done")
    assert processes.resume_search(search)
    wait(lambda: searches.get(search).status == "done" and searches.get(later).status == "done")
    found = searches.trials(search)
    assert whole(found, 2) and {t.attempts for t in found} == {1} and found[left[-1].number].values == left[-1].values
    assert searches.get(later).started < searches.get(search).started, "who comes back stands at the end"
    assert not processes.resume_search(search)
    searches.extend(search, "ann", trials=3)
    assert processes.resume_search(search)
    wait(lambda: searches.get(search).status == "done")
    assert whole(searches.trials(search), 3)


SERVER = """
import sys, time
from hdr import cluster
from hdr.store import runs as module
from hdr.jobs.local_scheduler import LocalScheduler
from hdr.store.schema import searches as _searches
cluster.register()
# A process that was killed together with its server is noticed by its silence; nobody here wants to wait for long.
module.SILENT_SECONDS = 4.0
processes = LocalScheduler(module.RunStore(), capacity=1, spare=False)
time.sleep(300)
"""


def serve() -> subprocess.Popen[str]:
    """A server in a process of its own."""
    return subprocess.Popen([sys.executable, "-c", SERVER], text=True, cwd=ROOT)


def process_of(store: RunStore, search: str) -> int | None:
    """The process that a search runs in."""
    query = sa.select(_searches.c.process).where(_searches.c.id == search, _searches.c.status == "running")
    with store.database.reading() as connection:
        return connection.execute(query).scalar()


@pytest.mark.slow
@needs_signals
def test_kills_of_servers_and_processes_lose_no_trial_and_count_none_twice(
    store: RunStore, searches: SearchStore
) -> None:
    chance, killed = random.Random(0), 0
    search = searches.create(plan(5), "ann", "t").id
    seen: dict[int, Trial] = {}
    server, end = serve(), time.monotonic() + PATIENCE
    try:
        while searches.get(search).status != "done":
            assert time.monotonic() < end and searches.get(search).status != "failed"
            time.sleep(0.1 + chance.random() / 2)
            for trial in searches.trials(search):
                earlier = seen.setdefault(trial.number, trial)
                assert trial.values == earlier.values, "a trial is repeated with what it was asked for"
                assert not earlier.ended or trial == earlier, "what has ended stays"
                seen[trial.number] = trial
            process = process_of(store, search)
            # A third in a row that die in one trial would be its end: what is killed here is not to be deadly.
            open_trials = [t for t in searches.trials(search) if not t.ended]
            if killed < 3 and process and open_trials and open_trials[0].attempts < 2:
                with_server = chance.random() < 0.5
                if with_server:
                    server.kill()
                    server.communicate()
                try:
                    os.kill(process, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    pass
                if with_server:
                    server = serve()
    finally:
        server.kill()
        server.communicate()
    found: Search = searches.get(search)
    assert killed >= 2 and whole(searches.trials(search), 5) and found.ended == 5
    undisturbed = SearchStore(store).create(plan(5), "ann", "u").id
    assert execute(store, undisturbed)
    assert [(t.values, t.value) for t in searches.trials(undisturbed)] == [
        (t.values, t.value) for t in searches.trials(search)
    ], "as if nobody had killed anything"
