"""The run store: one click one run, owners, statuses, and many at once."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from hdr import cluster
from hdr.store import runs as module
from hdr.store.runs import ACTIVE, RunStore, StoreError, UnknownRunError
from hdr.training.run_spec import RunSpec

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


def together(work: str) -> list[str]:
    """What three processes print for an expression that they work out at the same moment; all must end well."""
    code = (
        "import sys\nfrom hdr import cluster\nfrom hdr.training.run_spec import RunSpec\n"
        "from hdr.store.runs import RunStore\ncluster.register()\n"
        f"print('ready', flush=True); sys.stdin.readline()\nprint({work})"
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
    return [out for out, _ in answers]


def test_a_token_from_several_processes_that_open_a_fresh_store_gives_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "fresh"))
    answers = together("RunStore().create(RunSpec(), 'ann', 'click').id")
    assert len(set(answers)) == 1 and len(RunStore().runs()) == 1


def test_an_owner_sees_their_own_and_what_is_published(store: RunStore, small: RunSpec) -> None:
    mine, hers, shown = (store.create(small, owner, owner, published=owner == "all") for owner in ("me", "her", "all"))
    assert {r.id for r in store.runs("me")} == {mine.id, shown.id}
    assert {r.id for r in store.runs("nobody")} == {shown.id}
    assert {r.id for r in store.runs()} == {mine.id, hers.id, shown.id}
    assert store.get(shown.id, "me").id == shown.id and store.get(hers.id).id == hers.id
    for name in (hers.id, "no such", "", "' or 1=1 --"):
        with pytest.raises(UnknownRunError):
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


def test_an_event_that_is_written_again_is_there_once(store: RunStore, small: RunSpec) -> None:
    run = store.create(small, "ann", "t").id
    for step in (1, 2):
        store.add_event(run, 0, {"step": step})
    assert [e["step"] for e in store.events(run)] == [1]
    with pytest.raises(IntegrityError):
        store.add_event("none", 0, {"step": 1})


def test_a_process_that_has_fallen_silent_is_noticed(
    store: RunStore, small: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, waiting = (store.create(small, "ann", t).id for t in "ab")
    store.claim(silent, 1)
    assert store.end_silent() == 0
    monkeypatch.setattr(module, "SILENT_SECONDS", -1.0)
    assert store.end_silent() == 1 and store.end_silent() == 0
    assert store.get(silent).status == "interrupted" and "not heard of" in store.get(silent).message
    assert store.get(waiting).status == "queued"


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "psycopg", None)
        with pytest.raises(StoreError, match=r"pip install -r requirements/cluster\.txt") as error:
            monkeypatch.setenv("HDR_STORE", "postgresql+psycopg://hdr:hunter2@127.0.0.1/hdr")
            cluster.register()
            RunStore()
    assert "hdr:***@127.0.0.1/hdr" in str(error.value) and "hunter2" not in str(error.value)


@pytest.mark.sqlite
def test_a_home_that_is_a_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "file"))
    with pytest.raises(StoreError, match="file"):
        RunStore()


RESULT = {
    "test_accuracy": 0.975,
    "validation_accuracy": 0.97,
    "tested_on": 400,
    "fitted_on": 500,
    "fit_seconds": 1.5,
    "predict_ms": 0.25,
    "model_bytes": 12_345,
    "mistakes": [{"index": 1, "label": 2, "said": 3, "probability": 0.5}] * 10,
}


def done(store: RunStore, spec: RunSpec, token: str, owner: str = "ann") -> str:
    """The id of a run that is done, with the result above."""
    run = store.create(spec, owner, token).id
    store.claim(run, 1)
    assert store.finish(run, RESULT)
    return run


def test_lists_have_the_figures_without_the_results(store: RunStore, small: RunSpec) -> None:
    waiting, run = store.create(small, "ann", "w").id, done(store, small, "d")
    first, second = store.listed("ann")
    assert (first.id, second.id) == (run, waiting) and not hasattr(first, "result_json")
    assert (first.test_accuracy, first.tested_on, first.fitted_on) == (0.975, 400, 500)
    assert (first.fit_seconds, first.predict_ms, first.model_bytes, first.peak_mb) == (1.5, 0.25, 12_345, None)
    assert second.test_accuracy is None and second.spec == small and second.plan == small.to_json()
    full = store.get(run)
    assert full.result == RESULT and full.test_accuracy == 0.975 and store.runs("ann")[0] == full
    assert [r.id for r in store.listed("ann", ("done",))] == [run] == [r.id for r in store.listed("ann", limit=1)]


def test_an_owner_renames_tags_and_notes(store: RunStore, small: RunSpec) -> None:
    run = store.create(small, "ann", "t").id
    store.edit(run, "ann", title="  The\nbest one ", tags=["hog", " two  words ", "hog", "", "x" * 99], note=" why \n")
    found = store.get(run)
    assert found.title == "The best one" and found.tags == ("hog", "two words", "x" * 40) and found.note == "why"
    store.edit(run, "ann", note="other")
    assert store.get(run).title == "The best one" and store.get(run).tags == found.tags
    store.edit(run, "ann", title="  ", tags=[])
    assert store.get(run).title == small.summary and store.get(run).tags == ()
    store.edit(run, "ann", title="t" * 999, note="n" * 9999, tags=[str(i) for i in range(50)])
    found = store.get(run)
    assert len(found.title) == 200 and len(found.note) == 2000 and len(found.tags) == 12


def test_nobody_else_changes_or_deletes_a_run(store: RunStore, small: RunSpec) -> None:
    shown = store.create(small, "default", "t", published=True).id
    for change in ({"title": "mine"}, {"title": ""}, {"tags": ["x"]}, {"note": "x"}):
        with pytest.raises(UnknownRunError):
            store.edit(shown, "ann", **change)
    assert store.delete([shown], "ann") == 0 and store.get(shown, "ann").tags == ()
    assert store.delete([shown], "default") == 1 and store.restore([shown], "ann") == 0
    assert store.deleted("ann") == [] and [r.id for r in store.deleted("default")] == [shown]


def test_a_deleted_run_is_gone_from_lists_and_comes_back(store: RunStore, small: RunSpec) -> None:
    runs = [done(store, small, str(i)) for i in range(4)]
    assert store.delete(runs[:2], "ann") == 2 == len(store.deleted("ann"))
    assert store.delete(runs[:3], "ann") == 1, "what is deleted is not deleted again"
    assert [r.id for r in store.listed()] == [runs[3]] == [r.id for r in store.runs()]
    with pytest.raises(UnknownRunError):
        store.get(runs[0])
    with pytest.raises(UnknownRunError):
        store.edit(runs[0], "ann", title="x")
    assert store.create(small, "ann", "0").id == runs[0], "a click that arrives twice makes no second run"
    for expected in ([runs[2]], [runs[1], runs[0]]):
        assert [r.id for r in store.deleted("ann")] == expected, "what was deleted last comes back first"
        assert store.restore(expected, "ann") == len(expected)
    assert {r.id for r in store.listed()} == set(runs) and store.get(runs[0]).result == RESULT


def test_a_run_that_is_deleted_is_stopped(store: RunStore, small: RunSpec) -> None:
    waiting, running = (store.create(small, "ann", t).id for t in "ab")
    store.claim(running, 1)
    assert store.delete([waiting, running], "ann") == 2
    assert not store.claim(waiting, 1) and not store.heartbeat(running)
    assert store.end(running, "stopped")
    store.restore([waiting, running], "ann")
    assert {r.status for r in store.listed()} == {"stopped"}


def test_what_was_deleted_long_ago_is_removed_with_its_files(
    store: RunStore, small: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, running, kept = done(store, small, "a"), store.create(small, "ann", "b").id, done(store, small, "c")
    store.claim(running, 1)
    for run in (old, kept):
        store.get(run).folder.mkdir(parents=True)
        (store.get(run).folder / "model.json").write_text("{}")
        store.add_event(run, 0, {"phase": "fitting"})
    folder = store.get(old).folder
    store.delete([old, running], "ann")
    assert store.purge() == 0 and folder.exists()
    monkeypatch.setattr("hdr.store.owned_table.KEEP_DELETED_SECONDS", -120.0)
    assert store.restore([old], "ann") == 0, "what is being removed does not come back"
    assert store.purge() == 1 and not folder.exists() and store.events(old) == []
    assert store.get(kept).folder.exists() and store.events(kept)
    store.end(running, "stopped")
    assert store.purge() == 1, "also one that never had a model"


def test_curves_of_several_runs_come_at_once(store: RunStore, small: RunSpec) -> None:
    runs = [store.create(small, "ann", t).id for t in "abc"]
    for run in runs[:2]:
        for number in range(3):
            store.add_event(run, number, {"step": number})
    found = store.curves(runs)
    assert found == {run: store.events(run) for run in runs} and found[runs[2]] == []


BEFORE = """
CREATE TABLE runs (
    id VARCHAR(32) NOT NULL, owner VARCHAR(64) NOT NULL, published BOOLEAN NOT NULL, token VARCHAR(128) NOT NULL,
    title VARCHAR(200) NOT NULL, "key" VARCHAR(32) NOT NULL, spec TEXT NOT NULL, status VARCHAR(16) NOT NULL,
    message TEXT NOT NULL, result TEXT, stop BOOLEAN NOT NULL, process INTEGER, created FLOAT NOT NULL, started FLOAT,
    heard FLOAT, finished FLOAT, PRIMARY KEY (id), UNIQUE (token)
);
CREATE TABLE events (
    run VARCHAR(32) NOT NULL, number INTEGER NOT NULL, time FLOAT NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (run, number), FOREIGN KEY(run) REFERENCES runs (id)
);
"""
"""The tables as the first version made them."""


def earlier(folder: Path, spec: RunSpec) -> None:
    """A store as the first version left it, with a run that is done and one that is being trained."""
    folder.mkdir()
    with sqlite3.connect(folder / "runs.sqlite") as database:
        database.executescript(BEFORE)
        for name, status, result in (("old", "done", json.dumps(RESULT)), ("busy", "running", None)):
            row = (
                name,
                "ann",
                False,
                name,
                name,
                spec.key,
                json.dumps(spec.to_json()),
                status,
                "",
                result,
                False,
                1,
                7.0,
            )
            database.execute(f"INSERT INTO runs VALUES ({', '.join('?' * 13)}, 8.0, 9.0, NULL)", row)
        database.execute("INSERT INTO events VALUES ('old', 0, 8.5, '{}')")


@pytest.mark.sqlite
def test_a_store_of_the_first_version_is_brought_up_to_date(
    tmp_path: Path, small: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "before"))
    earlier(tmp_path / "before", small)
    store = RunStore()
    old = store.get("old")
    assert old.result == RESULT and old.test_accuracy == 0.975 and old.fit_seconds == 1.5
    assert old.tags == () and old.note == "" and old.deleted is None and len(store.events("old")) == 1
    store.edit("old", "ann", tags=["kept"])
    # The process that trained while the app was replaced writes as the first version did.
    with sqlite3.connect(tmp_path / "before" / "runs.sqlite") as database:
        database.execute("UPDATE runs SET status = 'done', result = ? WHERE id = 'busy'", (json.dumps(RESULT),))
    again = RunStore()
    assert again.get("busy").tested_on == 400 and again.get("old").tags == ("kept",)


@pytest.mark.sqlite
def test_several_processes_bring_one_store_up_to_date(
    tmp_path: Path, small: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "before"))
    earlier(tmp_path / "before", small)
    assert together("RunStore().get('old').test_accuracy") == ["0.975\n"] * 3
