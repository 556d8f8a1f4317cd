"""The table of trials: none is lost and none counted twice, whoever writes and whoever dies."""

from __future__ import annotations

import threading
import time

import pytest

from hdr.store import runs as run_store
from hdr.store.runs import RunStore
from hdr.store.searches import MAX_DEATHS, SearchStore, UnknownSearchError
from hdr.training.run_spec import RunSpec
from hdr.tuning.records import Search
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import dimension
from hdr.types import HdrError

BASE = RunSpec("bundled", 500)
SPEC = SearchSpec(BASE, (dimension(BASE, "classifier.mlp.units"),), "random", most_trials=3)


@pytest.fixture
def searches(store: RunStore) -> SearchStore:
    """An empty store."""
    return SearchStore(store)


def one(searches: SearchStore, token: str = "t") -> tuple[str, int]:
    """A search that this process has claimed."""
    search = searches.create(SPEC, "ann", token).id
    return search, searches.claim(search, 1)


def test_one_click_is_one_search(searches: SearchStore) -> None:
    first = searches.create(SPEC, "ann", "click", "  Units  of\nmine ")
    assert searches.create(SPEC, "ann", "click").id == first.id and len(searches.searches()) == 1
    assert first.title == "Units of mine" and first.spec == SPEC and first.active and not first.exhausted
    assert searches.create(SPEC, "ann", "another").title == "Random over Units per layer"


def test_it_is_seen_by_its_owner_and_where_it_is_published(searches: SearchStore) -> None:
    mine = searches.create(SPEC, "ann", "1").id
    shown = searches.create(SPEC, "ann", "2", published=True).id
    assert {s.id for s in searches.searches("ann")} == {mine, shown}
    assert {s.id for s in searches.searches("bob")} == {shown} and searches.get(shown, "bob").id == shown
    assert {s.id for s in searches.searches(statuses=("running",))} == set()
    for forbidden in (
        lambda: searches.get(mine, "bob"),
        lambda: searches.rename(shown, "bob", "x"),
        lambda: searches.extend(shown, "bob", trials=9),
    ):
        with pytest.raises(UnknownSearchError):
            forbidden()
    assert searches.delete([shown], "bob") == 0
    searches.rename(mine, "ann", "New")
    assert searches.get(mine).title == "New"


def test_a_trial_is_put_down_before_it_is_fitted_and_ends_once(searches: SearchStore) -> None:
    search, claim = one(searches)
    first = searches.begin(search, claim, {"classifier.mlp.units": 5})
    assert (first.number, first.status, first.values) == (0, "running", {"classifier.mlp.units": 5})
    assert searches.report(search, claim, 0, [(50.0, 0.5)], 1.5)
    assert searches.trial(search, 0).scores == ((50.0, 0.5),) and searches.get(search).seconds == 1.5
    assert searches.settle(search, claim, 0, "done", 0.7, [(50.0, 0.5), (100.0, 0.7)], 2.0)
    assert searches.settle(search, claim, 0, "failed", 0.9), "what has ended stays as it is"
    for value, status in ((0.9, "pruned"), (0.7, "done")):
        number = searches.begin(search, claim, {}).number
        searches.settle(search, claim, number, status, value, [], 1.0)
    found = searches.get(search)
    assert (found.ended, found.seconds, found.best, found.best_value) == (3, 4.0, 0, 0.7) and found.exhausted
    assert [t.number for t in searches.trials(search, after=0)] == [1, 2]
    assert found.best == 0 and searches.trial(search, 0).spec(found).classifier.params["units"] == 5
    with pytest.raises(UnknownSearchError, match="no trial 7"):
        searches.trial(search, 7)


def test_a_process_that_came_back_from_the_dead_writes_nothing(searches: SearchStore) -> None:
    search, old = one(searches)
    searches.begin(search, old, {"classifier.mlp.units": 5})
    assert searches.died(search, 2) is None, "that was another process"
    assert searches.died(search, 1) == "queued" and searches.died(search, 1) is None
    new = searches.claim(search, 2)
    assert searches.claim(search, 3) is None
    assert searches.repeat(search, new, 0).attempts == 2
    assert searches.begin(search, old, {}) is None and searches.repeat(search, old, 0) is None
    assert not searches.report(search, old, 0, [], 9.0) and not searches.settle(search, old, 0, "done", 0.9)
    assert not searches.heartbeat(search, old) and not searches.give_way(search, old)
    assert not searches.end(search, "failed", claim=old) and searches.heartbeat(search, new)
    assert [t.status for t in searches.trials(search)] == ["running"]


def test_processes_that_die_without_a_trial_are_not_started_for_ever(searches: SearchStore) -> None:
    search, claim = one(searches)
    for _ in range(MAX_DEATHS):
        assert searches.died(search, 1) == "queued"
        claim = searches.claim(search, 1)
    searches.begin(search, claim, {})
    searches.settle(search, claim, 0, "done", 0.5)
    for _ in range(MAX_DEATHS):
        assert searches.died(search, 1) == "queued", "a trial that ended makes good for them"
        searches.claim(search, 1)
    assert searches.died(search, 1) == "failed"
    assert "4 times in a row" in searches.get(search).message
    assert searches.resume(search) and searches.claim(search, 1)


def test_processes_that_die_before_they_take_it_are_not_started_for_ever(searches: SearchStore) -> None:
    search = searches.create(SPEC, "ann", "t").id
    assert [searches.died(search, process) for process in range(4)] == ["queued"] * 3 + ["failed"]
    other, claim = one(searches, "u")
    assert searches.give_way(other, claim) and searches.died(other, 1) is None, "it had its turn, and ended in order"


def test_silence_is_death(searches: SearchStore, monkeypatch: pytest.MonkeyPatch) -> None:
    search, _ = one(searches)
    assert searches.revive_silent() == {}
    monkeypatch.setattr(run_store, "SILENT_SECONDS", -1.0)
    assert searches.revive_silent() == {search: "queued"}


def test_a_stop_is_no_attempt_and_lost_time_counts(searches: SearchStore, monkeypatch: pytest.MonkeyPatch) -> None:
    search, claim = one(searches)
    searches.begin(search, claim, {})
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 7200)
    assert searches.heartbeat(search, claim, 60.0), "what counts is what the process has measured"
    searches.request_stop(search)
    assert not searches.heartbeat(search, claim) and searches.end(search, "stopped", claim=claim)
    left = searches.trial(search, 0)
    assert (left.status, left.attempts) == ("running", 0) and left.lost == 60
    assert searches.get(search).seconds == left.lost and left.seconds == 0
    assert searches.resume(search) and not searches.resume(search)
    claim = searches.claim(search, 1)
    assert searches.repeat(search, claim, 0).attempts == 1
    searches.died(search, 1)
    claim = searches.claim(search, 1)
    assert searches.repeat(search, claim, 0).attempts == 2, "a death is one"


def test_a_stop_before_it_starts(searches: SearchStore) -> None:
    search = searches.create(SPEC, "ann", "t").id
    searches.request_stop(search)
    assert searches.get(search).status == "stopped" and searches.claim(search, 1) is None


def test_a_budget_can_be_raised_and_a_search_go_on(searches: SearchStore) -> None:
    search, claim = one(searches)
    for number in range(3):
        searches.begin(search, claim, {})
        searches.settle(search, claim, number, "done", 0.5, seconds=40.0)
    assert searches.end(search, "done", claim=claim) and not searches.resume(search)
    assert not searches.extend(search, "ann", trials=5).exhausted
    assert searches.extend(search, "ann", minutes=1).exhausted and not searches.resume(search)
    assert searches.extend(search, "ann", minutes=0).spec.most_trials == 5 and searches.resume(search)
    with pytest.raises(HdrError, match="from 1 to 500"):
        searches.extend(search, "ann", trials=501)


def test_many_processes_claim_it_once(searches: SearchStore) -> None:
    search, won = searches.create(SPEC, "ann", "t").id, []

    def claim(process: int) -> None:
        if searches.claim(search, process):
            won.append(process)

    threads = [threading.Thread(target=claim, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_what_is_deleted_can_be_brought_back_for_a_day(
    searches: SearchStore, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, claim = one(searches)
    searches.begin(search, claim, {})
    waiting = searches.create(SPEC, "ann", "w").id
    assert searches.delete([search, waiting], "ann") == 2 and searches.searches("ann") == []
    assert not searches.heartbeat(search, claim), "a running one is to stop"
    searches.end(search, "stopped", claim=claim)
    assert searches.purge() == 0 and searches.restore([search, waiting], "ann") == 2
    assert {s.status for s in searches.searches("ann")} == {"stopped"}
    searches.delete([search], "ann")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 25 * 3600)
    assert searches.restore([search], "ann") == 0 and searches.purge() == 1
    assert searches.trials(search) == [] and [s.id for s in searches.searches()] == [waiting]


def test_others_wait_where_something_has_been_in_the_queue_for_a_while(
    searches: SearchStore, store: RunStore, small: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, claim = one(searches)
    assert not searches.others_wait()
    run = store.create(small, "bob", "r")
    assert not searches.others_wait(), "it may just not have been looked at"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 10)
    assert searches.others_wait()
    assert searches.give_way(search, claim)
    again: Search = searches.get(search)
    assert again.status == "queued" and again.queued > run.created, "behind the one that waits"
