"""What a server allows: how large, how many, how long; and that a process which takes too much says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from hdr.jobs import quotas, resource_limits
from hdr.jobs import scheduler as module
from hdr.jobs import worker_process as starting
from hdr.jobs.local_scheduler import LocalScheduler
from hdr.jobs.quotas import Quotas
from hdr.store import schema
from hdr.store.runs import RunStore
from hdr.store.searches import SearchStore
from hdr.training.controller import TrainingController
from hdr.training.limits import JobQuotaError
from hdr.training.run_spec import RunSpec
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import dimension
from hdr.types import Step
from tests.jobs.test_scheduler import alive, end, needs_signals
from tests.support.waiting import PATIENCE
from tests.support.waiting import until as wait

LONG = RunSpec("bundled", 1500, classifier=Step("mlp", {"epochs": 100, "units": 500, "layers": 4, "batch_size": 16}))


class Still(LocalScheduler):
    """Starts nothing."""

    def _start_queued(self) -> None:
        pass


@pytest.fixture
def still(store: RunStore) -> Iterator[LocalScheduler]:
    found = Still(store, spare=False)
    yield found
    found.close()


@pytest.fixture
def processes(store: RunStore) -> Iterator[LocalScheduler]:
    found = LocalScheduler(store, capacity=1, spare=False)
    yield found
    end(found, store)


def test_nothing_is_limited_on_ones_own_machine(still: LocalScheduler, small: RunSpec):
    for number in range(60):
        still.submit(small, "ann", str(number))


def test_a_plan_that_is_too_large_is_refused_with_both_numbers(still, store, small, monkeypatch):
    monkeypatch.setenv("HDR_TRAINING_DIGITS", "900")
    large = RunSpec("bundled", 500, augmentation=Step("distort", {"copies": 1}))
    with pytest.raises(
        JobQuotaError, match=r"learns from 1,000 digits, 500 and 1 distorted copy of each; .* allows 900"
    ):
        still.submit(large, "ann", "1")
    with pytest.raises(JobQuotaError, match="learns from"):
        still.submit_search(_search(large), "ann", "2")
    assert not store.runs()
    still.submit(small, "ann", "3")
    # What the data set does not have cannot be too much.
    monkeypatch.setenv("HDR_TRAINING_DIGITS", "5000")
    still.submit(RunSpec("bundled", 60_000), "ann", "4")


def _search(base: RunSpec) -> SearchSpec:
    return SearchSpec(base, (dimension(base, "classifier.mlp.learning_rate"),), "random", most_trials=3)


def test_one_person_may_have_so_many_at_a_time(still, store, small, monkeypatch):
    monkeypatch.setenv("HDR_WAITING_PER_SESSION", "2")
    first = still.submit(small, "ann", "1")
    still.submit_search(_search(small), "ann", "2")
    with pytest.raises(JobQuotaError, match=r"2 trainings and searches running or in line, .* allows 2 at a time"):
        still.submit(small, "ann", "3")
    assert still.submit(small, "ann", "1").id == first.id, "the same click again is no other run"
    still.submit(small, "bob", "4")
    still.submit(small, quotas.OWNER, "5")
    still.stop(first.id)
    still.submit(small, "ann", "3")


def test_so_many_within_a_day_and_deleting_does_not_help(still, store, small, monkeypatch):
    monkeypatch.setenv("HDR_TRAININGS_PER_SESSION", "2")
    monkeypatch.setenv("HDR_TRAININGS_PER_DAY", "3")
    now = time.time()
    for number in range(2):
        run = still.submit(small, "ann", str(number))
        still.stop(run.id)
        store.delete([run.id], "ann")
    with pytest.raises(JobQuotaError, match=r"You have started 2 .* allows 2. The next can start in 24 h"):
        still.submit(small, "ann", "2")
    still.submit(small, "bob", "3")
    with pytest.raises(JobQuotaError, match="All visitors together have started 3"):
        still.submit(small, "eve", "4")
    monkeypatch.setattr(time, "time", lambda: now + 23.5 * 3600)
    with pytest.raises(JobQuotaError, match="The next can start in 30 min"):
        still.submit(small, "ann", "2")
    monkeypatch.setattr(time, "time", lambda: now + 24.1 * 3600)
    still.submit(small, "ann", "2")


def test_so_many_minutes_within_a_day(still, store, small, monkeypatch):
    monkeypatch.setenv("HDR_MINUTES_PER_SESSION", "2")
    run = still.submit(small, "ann", "1")
    spent = Quotas(store)
    spent.add(run.id, 70.0)
    still.submit(small, "ann", "2")
    spent.add(run.id, 60.0)
    with pytest.raises(JobQuotaError, match="have worked for 2 minutes within a day, and this server allows 2"):
        still.submit(small, "ann", "3")
    assert spent.forget() == 0


def test_the_clock_of_a_run_stands_still_while_it_is_paused(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("hdr.training.controller.perf_counter", lambda: now[0])
    control = TrainingController(LONG, steered=True)
    now[0] += 7
    control.obey("pause")
    waiting = threading.Thread(target=control.batch, daemon=True)
    waiting.start()
    wait(lambda: control._paused_since)
    now[0] += 50
    assert control.worked() == 107
    control.obey("go")
    waiting.join(PATIENCE)
    now[0] += 2
    assert control.worked() == 109


def test_what_is_too_much_is_said_once_with_the_numbers(monkeypatch):
    monkeypatch.setenv("HDR_RUN_MINUTES", "0.1")
    said, noted = [], []
    resource_limits.enforce_limits(lambda: 5.0, noted.append, said.append, _after(0.3))
    assert not said
    resource_limits.enforce_limits(lambda: 7.0, noted.append, said.append, threading.Event())
    assert said[0].of == "time" and "ended after 0.1 minutes of work" in said[0].message
    monkeypatch.setenv("HDR_MEMORY_MB", "5")
    resource_limits.enforce_limits(lambda: 1.0, noted.append, said.append, threading.Event())
    assert said[1].of == "memory" and "this server allows 5 MB" in said[1].message


def _after(seconds: float) -> threading.Event:
    ended = threading.Event()
    threading.Timer(seconds, ended.set).start()
    return ended


@needs_signals
def test_a_run_past_its_time_is_ended_and_says_so(store, processes, monkeypatch):
    monkeypatch.setenv("HDR_RUN_MINUTES", "0.1")
    run = processes.submit(LONG, "ann", "1").id
    wait(lambda: store.get(run).status == "failed")
    ended = store.get(run)
    assert "ended after 0.1 minutes" in ended.message and not ended.folder.exists()
    wait(lambda: run not in processes._running)
    assert Quotas(store)._started("ann")[1] > 4


@pytest.mark.slow
@needs_signals
def test_a_search_past_its_time_keeps_what_it_has_found(store, processes, monkeypatch):
    monkeypatch.setenv("HDR_RUN_MINUTES", "0.1")
    searches = SearchStore(store)
    search = processes.submit_search(SearchSpec(LONG, _search(LONG).space, "random", most_trials=300), "ann", "1").id
    wait(lambda: searches.get(search).status == "stopped")
    assert "ended after 0.1 minutes" in searches.get(search).message and searches.trials(search)
    wait(lambda: not processes._running)
    with store.database.writing() as connection:
        connection.execute(schema.searches.update().values(seconds=7.0))
    with pytest.raises(JobQuotaError, match="This search has worked for"):
        processes.resume_search(search)


HUNGRY = """
import numpy as np, time
from hdr.jobs import worker
def fit(*_):
    held = []
    for _ in range(1000):
        held.append(np.ones(2_000_000))
        time.sleep(0.02)
worker.fit = fit
"""


@needs_signals
@pytest.mark.skipif(
    resource_limits.rss_mb() is None, reason="this system does not say what a process holds: not tested"
)
@pytest.mark.parametrize("at_once", [False, True])
def test_a_run_over_its_memory_is_ended_and_says_so(store, processes, small, monkeypatch, at_once):
    monkeypatch.setenv("HDR_MEMORY_MB", "420")
    # A fit that holds ever more, or asks for far too much at once, in the process itself.
    body = HUNGRY.replace("2_000_000", "2_000_000_000" if at_once else "2_000_000")
    program = f"{body}\nimport os\nfrom hdr.cli import worker as entry\nos._exit(entry.main())"
    spawn = subprocess.Popen
    monkeypatch.setattr(starting.subprocess, "Popen", lambda command, **kw: spawn([command[0], "-c", program], **kw))
    run = processes.submit(small, "ann", "1").id
    wait(lambda: not store.get(run).active)
    said = "There was not enough memory" if at_once else "and this server allows 420 MB"
    assert store.get(run).status == "failed" and said in store.get(run).message


@pytest.mark.slow
@needs_signals
@pytest.mark.skipif(
    resource_limits.cpu_ticks(os.getppid()) is None, reason="this system does not say what a process does: not tested"
)
def test_a_process_that_hangs_is_killed_even_where_it_holds_the_lock_of_the_store(store, processes, small, monkeypatch):
    monkeypatch.setattr(starting, "HUNG_SECONDS", 3.0)
    run = processes.submit(LONG, "ann", "1").id
    wait(lambda: store.events(run))
    process = processes._running[run]
    os.kill(process.pid, signal.SIGSTOP)
    wait(lambda: not alive(process.pid) and run not in processes._running)
    wait(lambda: store.get(run).status == "interrupted")
    assert store.get(run).message
    again = processes.submit(small, "ann", "2").id
    wait(lambda: store.get(again).status == "done")


@needs_signals
def test_a_process_that_lives_on_after_its_run_has_ended_is_killed(store, still, small, monkeypatch):
    monkeypatch.setattr(module, "GRACE_SECONDS", 1.0)
    run = store.create(small, "ann", "1").id
    store.end(run, "interrupted", "silent")
    busy, spawn = [sys.executable, "-c", "while True: pass"], subprocess.Popen
    with monkeypatch.context() as patch:
        patch.setattr(starting.subprocess, "Popen", lambda _, **kw: spawn(busy, **kw))
        process = starting.WorkerProcess()
    still._running[run] = process
    try:
        process.wait(PATIENCE)
    finally:
        # Otherwise it would go on without end.
        process.kill()
    wait(lambda: run not in still._running)
