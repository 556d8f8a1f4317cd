"""Silence is measured by the clock of whoever listens, and only while something could have been heard."""

from __future__ import annotations

import sqlite3
import time

import pytest

from hdr.store import runs as module
from hdr.store.heartbeats import HeartbeatMonitor
from hdr.store.runs import RunStore, StoreError
from hdr.store.searches import SearchStore
from hdr.training.run_spec import RunSpec
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import dimension


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """This process's own clock, to be put forward, in its one element."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def pass_by(store: RunStore, clock: list[float], seconds: int) -> int:
    """How many processes are taken for dead while seconds go by."""
    dead = 0
    for _ in range(seconds):
        clock[0] += 1
        dead += store.end_silent()
    return dead


def test_a_heartbeat_is_any_change(clock: list[float]) -> None:
    silence = HeartbeatMonitor()
    assert silence.look({"a": 5.0, "b": None}) == {"a": 0.0, "b": 0.0}
    clock[0] += 2
    assert silence.look({"a": 4.0, "b": None, "c": 1.0}) == {"a": 0.0, "b": 2.0, "c": 0.0}
    clock[0] += 2
    assert silence.look({"a": 4.0, "b": None}) == {"a": 2.0, "b": 4.0}
    silence.forget()
    assert silence.look({"a": 4.0}) == {"a": 0.0}


def test_whoever_did_not_look_was_stopped_itself(clock: list[float]) -> None:
    silence = HeartbeatMonitor()
    silence.look({"a": 1.0})
    clock[0] += 3600
    assert silence.look({"a": 1.0})["a"] == 5.0


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 4e8, -4e8])
def test_a_clock_that_jumps_kills_nobody_and_saves_nobody(
    store: RunStore, small: RunSpec, clock: list[float], monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    now = time.time()
    alive, dead = (store.create(small, "ann", t).id for t in "ab")
    for run in (alive, dead):
        store.claim(run, 1)
    assert pass_by(store, clock, 5) == 0
    monkeypatch.setattr(time, "time", lambda: now + jump)
    for _ in range(20):
        assert store.heartbeat(alive)
        assert pass_by(store, clock, 1) == 0
    assert pass_by(store, clock, 8) == 1
    assert [store.get(r).status for r in (alive, dead)] == ["running", "interrupted"]


@pytest.mark.sqlite
def test_while_the_store_is_locked_nobody_is_taken_for_dead(
    store: RunStore, small: RunSpec, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(small, "ann", "t").id
    store.claim(run, 1)
    store.database.engine.dispose()
    monkeypatch.setattr("hdr.store.schema.BUSY_SECONDS", 0.01)
    with sqlite3.connect(store.url.removeprefix("sqlite:///"), isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        for _ in range(60):
            try:
                assert pass_by(store, clock, 1) == 0
            except StoreError:
                continue
        other.execute("ROLLBACK")
    assert pass_by(store, clock, 20) == 0 and store.heartbeat(run)
    assert pass_by(store, clock, 40) == 1


def test_a_search_is_revived_by_the_same_clock(
    store: RunStore, small: RunSpec, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    searches, now = SearchStore(store), time.time()
    spec = SearchSpec(small, (dimension(small, "classifier.mlp.units"),), "random", most_trials=3)
    search = searches.create(spec, "ann", "t").id
    searches.claim(search, 1)
    searches.revive_silent()
    monkeypatch.setattr(time, "time", lambda: now + 1e6)
    for _ in range(int(module.SILENT_SECONDS)):
        clock[0] += 1
        assert searches.revive_silent() == {}
    clock[0] += 1
    assert searches.revive_silent() == {search: "queued"}
