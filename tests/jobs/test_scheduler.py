"""Runs in processes of their own, and what is left when a process dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hdr.jobs.local_scheduler import LocalScheduler
from hdr.jobs.worker import execute
from hdr.jobs.worker_process import WorkerProcess
from hdr.store.run_commands import RunCommands
from hdr.store.runs import ACTIVE, RunStore
from hdr.store.searches import SearchStore
from hdr.training.model import TrainedModel
from hdr.training.run_spec import Change, RunSpec
from hdr.types import HdrError, Step
from tests.support.waiting import until as wait

ROOT = Path(__file__).parents[2]
needs_signals = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL: not tested")


def alive(process: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(process, 0)
    except OSError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.fixture
def processes(store: RunStore) -> Iterator[LocalScheduler]:
    """Processes without a spare."""
    found = LocalScheduler(store, capacity=1, spare=False)
    yield found
    end(found, store)


def end(processes: LocalScheduler, store: RunStore) -> None:
    """Leave nothing behind, whatever became of a test; one that hangs may keep the store, and is ended first."""
    processes.close()
    left = list(processes._running.values())
    for process in left:
        process.kill()
    for process in left:
        process.wait(20)
    for run in store.listed(statuses=ACTIVE):
        store.end(run.id, "stopped")
    searches = SearchStore(store)
    for search in searches.searches():
        searches.end(search.id, "stopped")


def test_execute_in_this_process(store: RunStore, small: RunSpec) -> None:
    run, seen = store.create(small, "ann", "t"), []
    assert execute(store, run.id, report=seen.append)
    done = store.get(run.id)
    assert done.status == "done" and done.result["model_bytes"] > 0
    events = store.events(run.id)
    assert [e["phase"] for e in events] == [e["phase"] for e in seen] and [e["number"] for e in events] == list(
        range(5)
    )
    assert TrainedModel.load(done.folder).spec == small
    assert not execute(store, run.id)


def test_a_run_that_cannot_be_fitted_fails_in_plain_words(store: RunStore) -> None:
    coarse = (Step("hog", {"cell": 14, "block": 1, "orientations": 2}),)
    for spec, message in [
        (RunSpec("bundled", 500, features=coarse, reduction=Step("pca", {"components": 200})), "200 components"),
        (RunSpec("no such", 500), "no such"),
    ]:
        run = store.create(spec, "ann", spec.dataset)
        assert not execute(store, run.id)
        assert store.get(run.id).status == "failed" and message in store.get(run.id).message


def test_a_surprise_fails_the_run_and_not_the_server(
    store: RunStore, small: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("hdr.jobs.worker.fit", broken)
    run = store.create(small, "ann", "t")
    assert not execute(store, run.id)
    assert store.get(run.id).message == "Training failed (ZeroDivisionError: oh)."


@needs_signals
def test_done_stopped_and_killed_one_after_another(
    store: RunStore, processes: LocalScheduler, small: RunSpec, long: RunSpec
) -> None:
    first = processes.submit(small, "ann", "1").id
    assert processes.submit(small, "ann", "1").id == first
    second = processes.submit(long, "ann", "2").id
    wait(lambda: store.get(first).status == "done")
    assert TrainedModel.load(store.get(first).folder).metrics["test_accuracy"] > 0.2

    wait(lambda: len(store.events(second)) >= 2)
    processes.stop(second)
    wait(lambda: store.get(second).status == "stopped")
    wait(lambda: second not in processes._running)
    assert len(steps(store, second)) < 100, "not even the epochs are done"
    assert not store.get(second).folder.exists()

    third = processes.submit(long, "ann", "3").id
    fourth = processes.submit(small, "ann", "4").id
    wait(lambda: len(store.events(third)) >= 2)
    assert store.get(fourth).status == "queued", "one at a time"
    os.kill(processes._running[third].pid, signal.SIGKILL)
    wait(lambda: store.get(third).status == "interrupted")
    assert "killed" in store.get(third).message
    wait(lambda: store.get(fourth).status == "done")


@needs_signals
def test_what_cannot_be_written_down_is_ended_all_the_same(
    store: RunStore, processes: LocalScheduler, long: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = processes.submit(long, "ann", "t").id
    wait(lambda: store.events(run))
    process = processes._running[run]
    with monkeypatch.context() as patch:
        patch.setattr(store, "request_stop", refuse)
        with pytest.raises(HdrError, match="locked"):
            processes.stop(run)
        process.wait(20)
    wait(lambda: store.get(run).status == "interrupted")


def refuse(run: str) -> None:
    """As a store that somebody else keeps."""
    raise HdrError("The store is locked.")


def test_a_stop_reaches_a_run_through_the_store_alone(
    store: RunStore, processes: LocalScheduler, long: RunSpec
) -> None:
    run = processes.submit(long, "ann", "t").id
    wait(lambda: store.events(run))
    store.request_stop(run)
    wait(lambda: store.get(run).status == "stopped")


SERVER = """
import sys, time
from hdr import cluster
from hdr.jobs.local_scheduler import LocalScheduler
from hdr.training.run_spec import Change, RunSpec
from hdr.store.run_commands import RunCommands
from hdr.store.runs import RunStore
from hdr.types import Step
cluster.register()
store = RunStore()
processes = LocalScheduler(store, spare=sys.argv[1] == "spare")
if sys.argv[1] == "spare":
    while processes._spare is None:
        time.sleep(0.01)
    print(processes._spare.pid, flush=True)
else:
    spec = RunSpec("bundled", 1000, classifier=Step("mlp", {"epochs": 20, "units": 200, "batch_size": 16}))
    print(processes.submit(spec, "ann", "t").id, flush=True)
time.sleep(60)
"""


def serve(what: str) -> tuple[subprocess.Popen[str], str]:
    """A server in a process of its own, and what it says first."""
    server = subprocess.Popen([sys.executable, "-c", SERVER, what], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    return server, server.stdout.readline().strip()


@pytest.mark.slow
@needs_signals
def test_a_run_outlives_a_server_that_is_killed(store: RunStore) -> None:
    server, run = serve("run")
    try:
        wait(lambda: store.events(run))
        assert store.get(run).status == "running"
    finally:
        server.kill()
        server.communicate()
    wait(lambda: store.get(run).status != "running")
    assert store.get(run).status == "done"
    assert [e["step"] for e in store.events(run) if "step" in e] == list(range(1, 21))


GROUP = Path("/proc/self/autogroup")
PRIORITY = f"""
import os, pathlib
from hdr.jobs import resource_limits as guard
guard.lower_priority()
print(os.nice(0), pathlib.Path("{GROUP}").read_text().split()[-1])
"""


# The file is empty where the group of the session is not what counts, as in a container with a share of the processor.
@pytest.mark.skipif(not (GROUP.exists() and GROUP.read_text().split()), reason="no priority per session here")
@pytest.mark.parametrize("own_session", [True, False])
def test_the_niceness_of_a_training_counts_for_its_session_too(own_session: bool) -> None:
    here = GROUP.read_text().split()[-1]
    done = subprocess.run(
        [sys.executable, "-c", PRIORITY],
        env={**os.environ, "HDR_NICENESS": "12"},
        start_new_session=own_session,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["12", "12" if own_session else here]
    assert GROUP.read_text().split()[-1] == here, "the session of the caller keeps its own"


@needs_signals
def test_a_spare_ends_with_its_server(store: RunStore) -> None:
    server, spare = serve("spare")
    try:
        assert alive(int(spare))
    finally:
        server.kill()
        server.communicate()
    wait(lambda: not alive(int(spare)))


def test_files_of_the_current_folder_are_not_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("random.py", "hdr.py"):
        (tmp_path / name).write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "")
    process = WorkerProcess()
    process.release()
    assert process.wait(60) == 0


def test_a_spare_takes_the_next_run(store: RunStore, small: RunSpec) -> None:
    processes = LocalScheduler(store, capacity=1, spare=True)
    try:
        wait(lambda: processes._spare)
        spare = processes._spare.pid
        run = processes.submit(small, "ann", "t").id
        wait(lambda: run in processes._running)
        assert processes._running[run].pid == spare
        wait(lambda: store.get(run).status == "done")
    finally:
        processes.close()


@needs_signals
def test_a_process_that_came_too_late_harms_nobody(store: RunStore, processes: LocalScheduler, long: RunSpec) -> None:
    run = store.create(long, "ann", "t").id
    # As another server would: it claims the run between our look into the queue and our process's.
    assert store.claim(run, os.getpid())
    processes._start(run)
    wait(lambda: run not in processes._running)
    assert store.get(run).status == "running"


def paused(store: RunStore, run: str) -> bool:
    """Whether it waits now."""
    return bool(events := store.events(run)) and events[-1]["phase"] == "paused"


def steps(store: RunStore, run: str) -> list[int]:
    """The points of its curve."""
    return [e["step"] for e in store.events(run) if "step" in e]


def weights(folder: Path) -> list[bytes]:
    """The weights of a saved network, as bytes."""
    classifier = TrainedModel.load(folder).classifier
    return [a.tobytes() for a in (*classifier.coefs_, *classifier.intercepts_)]


NETWORK = RunSpec("bundled", 1000, classifier=Step("mlp", {"epochs": 12, "units": 20, "batch_size": 32}))


@pytest.mark.slow
@needs_signals
def test_a_steered_run_and_its_repeat_from_json_in_another_process_have_the_same_weights(
    store: RunStore, processes: LocalScheduler
) -> None:
    steering = RunCommands(store)
    run = store.create(NETWORK, "ann", "steered").id
    # From the start, so that it is known where everything happens.
    steering.send(run, "step", "1")
    processes._wake.set()
    wait(lambda: paused(store, run))
    assert steps(store, run) == [1]
    steering.send(run, "change", "2", {"learning_rate": 0.01, "batch_size": 64})
    steering.send(run, "step", "3")
    wait(lambda: steps(store, run) == [1, 2] and paused(store, run))
    steering.send(run, "change", "4", {"penalty": 0.1})
    for number in (5, 6):
        steering.send(run, "step", str(number))
        wait(lambda n=number: steps(store, run) == list(range(1, n - 1)) and paused(store, run))
    steering.send(run, "keep", "7")
    wait(lambda: store.get(run).status == "done")
    done = store.get(run)
    assert done.result["stopped_early"] == {"step": 4, "of": 12, "unit": "epoch", "by": "request"}
    assert done.result["tested_on"] > 0
    rate = (("batch_size", 64), ("learning_rate", 0.01))
    assert done.spec.changes == (Change(2, rate), Change(3, (("penalty", 0.1),)), Change(5, stop=True))

    again = processes.submit(RunSpec.from_json(json.loads(done.spec_json)), "ann", "again").id
    wait(lambda: store.get(again).status == "done")
    assert weights(store.get(again).folder) == weights(done.folder) and store.get(again).spec == done.spec
    plain = processes.submit(NETWORK, "ann", "plain").id
    wait(lambda: store.get(plain).status == "done")
    assert weights(store.get(plain).folder) != weights(done.folder)


@pytest.mark.slow
@needs_signals
def test_a_paused_run_lives_on_without_its_server_and_ends_as_it_is_told(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, run = serve("run")
    steering = RunCommands(store)
    try:
        wait(lambda: store.events(run))
        steering.send(run, "pause", "1")
        wait(lambda: paused(store, run))
    finally:
        server.kill()
        server.communicate()
    monkeypatch.setattr("hdr.store.runs.SILENT_SECONDS", 4.0)
    processes = LocalScheduler(store, capacity=1, spare=False)
    try:
        time.sleep(6)
        assert paused(store, run) and store.get(run).status == "running", "a new server does not take it for dead"
        processes.stop(run)
        wait(lambda: store.get(run).status == "stopped")
        assert not store.get(run).folder.exists()
    finally:
        # Nobody else would: its own server is gone.
        store.end(run, "stopped")
        processes.close()


@needs_signals
def test_a_paused_run_that_is_killed_is_said_to_be(store: RunStore, processes: LocalScheduler, long: RunSpec) -> None:
    run = processes.submit(long, "ann", "t").id
    wait(lambda: steps(store, run))
    RunCommands(store).send(run, "pause", "1")
    wait(lambda: paused(store, run))
    os.kill(processes._running[run].pid, signal.SIGKILL)
    wait(lambda: store.get(run).status == "interrupted")
    assert "killed" in store.get(run).message
