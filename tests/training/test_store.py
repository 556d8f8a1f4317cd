"""The run store: one click one run, owners, statuses, and many at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hdr.training import store as module
from hdr.training.spec import RunSpec
from hdr.training.store import ACTIVE, RunStore, StoreError, UnknownRun

ROOT = Path(__file__).parents[2]


def test_a_run_starts_queued_with_its_plan(store: RunStore, small: RunSpec) -> None:
    run = store.create(small, "ann", "t")
    assert run.status == "queued" and run.active and run.spec == small and run.owner == "ann"
    assert run.title == small.summary and run.result == {} and not run.published
    assert run.started is None and abs(run.created - time.time()) < 60
    assert store.get(run.id) == run
    assert run.folder.parent.name == "models" and len(run.id) == 24


def test_the_same_token_gives_the_same_run(store: RunStore, small: RunSpec) -> None:
    first = store.create(small, "ann", "click")
    assert store.create(small, "ann", "click").id == first.id
    assert store.create(small, "ann", "another").id != first.id
    assert len(store.runs()) == 2


def test_a_token_from_eight_threads_gives_one_run(store: RunStore, small: RunSpec) -> None:
    found: list[str] = []
    start = threading.Barrier(8)

    def click() -> None:
        start.wait()
        found.append(store.create(small, "ann", "click").id)

    threads = [threading.Thread(target=click) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1 and len(store.runs()) == 1


def test_a_token_from_several_processes_that_open_a_fresh_store_gives_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "fresh"))
    code = (
        "import sys, time\n"
        "from hdr.training.spec import RunSpec\nfrom hdr.training.store import RunStore\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(RunStore().create(RunSpec(), 'ann', 'click').id)"
    )
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT)
        for _ in range(3)
    ]
    assert all(p.stdout.readline() == "ready\n" for p in processes)
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [p.communicate(timeout=60) for p in processes]
    assert [p.returncode for p in processes] == [0] * 3, answers
    assert len({out for out, _ in answers}) == 1 and len(RunStore().runs()) == 1


def test_an_owner_sees_their_own_and_what_is_published(store: RunStore, small: RunSpec) -> None:
    mine, hers, shown = (store.create(small, owner, owner, published=owner == "all") for owner in ("me", "her", "all"))
    assert {r.id for r in store.runs("me")} == {mine.id, shown.id}
    assert {r.id for r in store.runs("nobody")} == {shown.id}
    assert {r.id for r in store.runs()} == {mine.id, hers.id, shown.id}
    assert store.get(shown.id, "me").id == shown.id and store.get(hers.id).id == hers.id
    for name in (hers.id, "no such", "", "' or 1=1 --"):
        with pytest.raises(UnknownRun):
            store.get(name, "me")


def test_runs_come_newest_first_by_status_and_limit(store: RunStore, small: RunSpec) -> None:
    runs = [store.create(small, "ann", str(i)).id for i in range(4)]
    store.claim(runs[1], 1)
    assert [r.id for r in store.runs("ann")] == runs[::-1]
    assert [r.id for r in store.runs("ann", limit=2)] == runs[:1:-1]
    assert [r.id for r in store.runs(statuses=("running",))] == [runs[1]]
    assert len(store.runs(statuses=ACTIVE)) == 4


def test_from_queued_to_done(store: RunStore, small: RunSpec) -> None:
    run = store.create(small, "ann", "t").id
    assert not store.heartbeat(run) and not store.finish(run, {})
    assert store.claim(run, 17) and not store.claim(run, 18)
    assert store.get(run).status == "running" and store.heartbeat(run)
    assert store.finish(run, {"test_accuracy": 0.5})
    done = store.get(run)
    assert done.status == "done" and not done.active and done.result == {"test_accuracy": 0.5}
    assert done.created <= done.started <= done.finished
    assert not store.end(run, "failed") and not store.heartbeat(run) and not store.claim(run, 1)
    store.request_stop(run)
    assert store.get(run).status == "done"


def test_a_queued_run_stops_at_once(store: RunStore, small: RunSpec) -> None:
    run = store.create(small, "ann", "t").id
    store.request_stop(run)
    assert store.get(run).status == "stopped" and not store.claim(run, 1)


def test_a_run_that_was_stopped_cannot_finish(store: RunStore, small: RunSpec) -> None:
    run = store.create(small, "ann", "t").id
    store.claim(run, 1)
    store.request_stop(run)
    assert store.get(run).status == "running" and not store.heartbeat(run)
    assert store.end(run, "stopped")
    assert not store.finish(run, {"test_accuracy": 1}) and not store.end(run, "failed")
    assert store.get(run).status == "stopped" and store.get(run).result == {}


def test_a_process_ends_only_a_run_that_no_other_has_taken(store: RunStore, small: RunSpec) -> None:
    run = store.create(small, "ann", "t").id
    store.claim(run, 17)
    assert not store.end(run, "interrupted", process=18) and store.get(run).status == "running"
    assert store.end(run, "interrupted", "gone", process=17) and store.get(run).message == "gone"


def test_events_keep_their_order(store: RunStore, small: RunSpec) -> None:
    run, other = (store.create(small, "ann", t).id for t in "ab")
    for number in (2, 0, 1):
        store.add_event(run, number, {"phase": "fitting", "step": number})
    store.add_event(other, 0, {"phase": "features"})
    assert [e["step"] for e in store.events(run)] == [0, 1, 2] == [e["number"] for e in store.events(run)]
    assert [e["step"] for e in store.events(run, after=0)] == [1, 2]
    assert store.events(run, after=2) == [] == store.events("none")
    assert all(abs(e["time"] - time.time()) < 60 for e in store.events(run))


def test_a_process_that_has_fallen_silent_is_noticed(
    store: RunStore, small: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, waiting = (store.create(small, "ann", t).id for t in "ab")
    store.claim(silent, 1)
    assert store.end_silent() == 0
    monkeypatch.setattr(module, "SILENT_SECONDS", -1.0)
    assert store.end_silent() == 1 and store.end_silent() == 0
    assert store.get(silent).status == "interrupted" and "killed" in store.get(silent).message
    assert store.get(waiting).status == "queued"


def test_what_is_not_a_database_is_said_to_be_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDR_HOME", str(tmp_path))
    (tmp_path / "runs.sqlite").write_bytes(b"this is not a database, and long enough to be looked at" * 20)
    with pytest.raises(StoreError, match="not a database"):
        RunStore()


def test_a_home_that_is_a_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "file"))
    with pytest.raises(StoreError, match="file"):
        RunStore()


def test_a_store_that_is_damaged_later_is_a_store_error(store: RunStore, small: RunSpec) -> None:
    run = store.create(small, "ann", "t").id
    path = Path(store.url.removeprefix("sqlite:///"))
    store._engine.dispose()
    for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        if name.exists():
            os.truncate(name, 0)
    for call in (store.runs, lambda: store.events(run), lambda: store.claim(run, 1), lambda: store.heartbeat(run)):
        with pytest.raises(StoreError):
            call()
