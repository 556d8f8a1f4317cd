"""What is cleaned away and what never is, by a clock that is set."""

from __future__ import annotations

import os
import time

import pytest

from hdr.jobs import retention
from hdr.jobs.local_scheduler import LocalScheduler
from hdr.jobs.retention import DAY, CleanupReport, clean
from hdr.paths import home
from hdr.store.runs import RunStore, UnknownRunError
from hdr.store.searches import SearchStore
from hdr.training.limits import JobQuotaError
from hdr.training.run_spec import RunSpec
from tests.jobs.test_search_processes import plan


class Clock:
    """What `time.time` says."""

    def __init__(self) -> None:
        self.now = 1.8e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(time, "time", found)
    retention._measured.clear()
    return found


@pytest.fixture
def made(store: RunStore, small: RunSpec, clock: Clock):
    """Makes a run that is done, with a model of so many bytes, and lets a minute pass."""

    def make(owner: str, size: int = 10, published: bool = False, status: str = "done") -> str:
        run = store.create(small, owner, f"{owner}-{clock.now}", published=published)
        store.claim(run.id, 1)
        if status == "done":
            store.finish(run.id, {})
        elif status != "running":
            store.end(run.id, status)
        run.folder.mkdir(parents=True)
        (run.folder / "model.skops").write_bytes(bytes(size))
        clock.now += 60
        return run.id

    return make


def left(store: RunStore) -> set[str]:
    """The runs that are there; each with its files, and no others."""
    found = {r.id for r in store.listed()}
    assert {path.name for path in (home() / "models").glob("*")} == found
    return found


def test_nothing_is_cleaned_away_where_nothing_is_limited(store, made, clock):
    runs = {made("ann") for _ in range(30)}
    clock.now += 1000 * DAY
    assert clean(store) == CleanupReport() and left(store) == runs


def test_old_runs_go_and_the_newest_of_each_owner_stays(store, made, clock, monkeypatch):
    monkeypatch.setenv("HDR_KEPT_DAYS", "7")
    old = [
        made("ann"),
        made("ann"),
        made("bob", status="failed"),
        made("bob", published=True),
        made("eve", status="running"),
    ]
    clock.now += 6 * DAY
    new = made("ann", status="stopped")
    clock.now += 1.5 * DAY
    assert str(clean(store)) == "deleted 0, old 2, searches 0, orphans 0"
    assert left(store) == {old[1], old[3], old[4], new}, (
        "a run that was stopped is no model that one could come back to"
    )
    with pytest.raises(UnknownRunError):
        store.get(old[0])
    assert store.restore([old[0]], "ann") == 0
    assert clean(store) == CleanupReport()


def test_too_many_of_one_owner_or_in_all(store, made, clock, monkeypatch):
    monkeypatch.setenv("HDR_KEPT_RUNS_PER_SESSION", "3")
    ann, bob = [made("ann") for _ in range(5)], [made("bob") for _ in range(2)]
    assert clean(store).old == 2 and left(store) == {*ann[2:], *bob}
    monkeypatch.setenv("HDR_KEPT_RUNS", "2")
    assert clean(store).old == 3 and left(store) == set(bob)


def test_searches_are_cleaned_away_as_well(store, clock, monkeypatch):
    searches = SearchStore(store)
    for number in range(4):
        clock.now += 60
        searches.create(plan(), "ann", str(number))
    ended = [s.id for s in searches.searches()][1:]
    for search in ended:
        searches.end(search, "stopped")
    monkeypatch.setenv("HDR_KEPT_DAYS", "1")
    clock.now += 2 * DAY
    assert clean(store).searches == 3 and [s.status for s in searches.searches()] == ["queued"]


def test_the_oldest_models_go_where_the_disk_is_full(store, made, small, clock, monkeypatch):
    monkeypatch.setenv("HDR_DISK_MB", "10")
    kept = made("eve", 2_000_000, published=True)
    runs = [made("ann", 2_500_000) for _ in range(4)]
    assert clean(store).old == 2 and left(store) == {kept, *runs[2:]}
    more = made("ann", 4_000_000)
    monkeypatch.setattr(retention, "MEASURE_SECONDS", 0.0)
    processes = LocalScheduler(store, spare=False)
    monkeypatch.setattr(processes, "_start_queued", lambda: None)
    try:
        run = processes.submit(small, "bob", "1").id
        assert runs[2] not in {r.id for r in store.listed()} and more in {r.id for r in store.listed()}
        for _ in range(2):
            made("host", 5_000_000, published=True)
        with pytest.raises(JobQuotaError, match="take up the 10 MB of disk that this server allows"):
            processes.submit(small, "bob", "2")
        assert store.get(run).status == "queued"
    finally:
        processes.close()


def test_models_of_no_run_are_put_aside_and_come_back_with_their_store(store, made, clock):
    run, lost = made("ann"), home() / "models" / "of-a-lost-store"
    lost.mkdir()
    (lost / "model.json").write_text("{}")
    os.utime(lost, (clock.now, clock.now))
    assert clean(store) == CleanupReport() and lost.exists(), "somebody may be writing it"
    clock.now += 2 * 3600
    assert clean(store) == CleanupReport() and left(store) == {run}
    aside = home() / "orphans" / lost.name
    assert (aside / "model.json").exists()
    os.rename(home() / "models" / run, home() / "orphans" / run)
    clean(store)
    assert left(store) == {run} and (home() / "models" / run / "model.skops").exists()
    clock.now += 7.1 * DAY
    assert clean(store).orphans == 1 and not aside.exists()


def test_half_written_files_go(store, made, clock):
    run = made("ann")
    part = home() / "models" / run / ".model.skops.abc.part"
    part.write_bytes(b"half")
    os.utime(part, (clock.now - 3600, clock.now - 3600))
    clean(store)
    assert not part.exists() and left(store) == {run}
