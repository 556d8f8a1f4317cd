"""Several processes at one search: they share its trials, and whoever dies leaves nothing undone and nothing twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from hdr.jobs.search_runner import execute
from hdr.store import runs as run_store
from hdr.store.runs import RunStore
from hdr.store.searches import ConflictError, SearchStore
from hdr.training.run_spec import RunSpec
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import dimension

BASE = RunSpec("bundled", 500)
SPEC = SearchSpec(BASE, (dimension(BASE, "classifier.mlp.units"),), "random", most_trials=6)


@pytest.fixture
def searches(store: RunStore) -> SearchStore:
    """An empty store."""
    return SearchStore(store)


def shared(searches: SearchStore, hands: int = 2) -> tuple[str, list[int]]:
    """A search that several processes are at: its name, and their claims."""
    search = searches.create(SPEC, "ann", "t").id
    return search, [searches.claim(search, 1), *(searches.claim(search, k, join=True) for k in range(2, hands + 1))]


def together(work: Callable[[int], object], count: int) -> None:
    """The same by several threads at once."""
    threads = [threading.Thread(target=work, args=(k,)) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_only_a_search_that_is_being_worked_on_is_joined(searches: SearchStore) -> None:
    search = searches.create(SPEC, "ann", "t").id
    assert searches.claim(search, 2, join=True) is None
    first = searches.claim(search, 1)
    assert searches.claim(search, 2) is None, "to begin it is for one alone"
    assert searches.claim(search, 2, join=True) == first + 1 and searches.at_work() == {search: 2}
    searches.request_stop(search)
    assert searches.claim(search, 3, join=True) is None


def test_each_writes_of_its_own_trial_only(searches: SearchStore) -> None:
    search, (ann, bob) = shared(searches)
    assert searches.begin(search, ann, {}).claim == ann and searches.begin(search, bob, {}).number == 1
    assert searches.report(search, bob, 0, [(50.0, 0.1)], 1.0) and searches.settle(search, bob, 0, "done", 0.1)
    assert searches.trial(search, 0).status == "running" and searches.trial(search, 0).scores == ()
    assert searches.heartbeat(search, ann, 7.0) and [t.seconds for t in searches.trials(search)] == [7.0, 0.0]
    searches.settle(search, ann, 0, "done", 0.5)
    assert searches.trial(search, 0).value == 0.5 and searches.trial(search, 0).claim is None


def test_values_are_for_one_number_and_what_is_left_is_for_one_process(searches: SearchStore) -> None:
    search, (ann, bob) = shared(searches)
    searches.begin(search, ann, {}, number=0)
    with pytest.raises(ConflictError):
        searches.begin(search, bob, {}, number=0)
    assert searches.died(search, 1) == "running" and searches.trial(search, 0).left
    late = searches.claim(search, 3, join=True)
    assert searches.repeat(search, late, 0).attempts == 2
    with pytest.raises(ConflictError):
        searches.repeat(search, bob, 0)
    assert searches.begin(search, ann, {}) is None and not searches.heartbeat(search, ann)


def test_the_last_to_go_ends_it(searches: SearchStore) -> None:
    search, (ann, bob) = shared(searches)
    assert searches.finish(search, ann, "x") and searches.get(search).status == "running"
    assert not searches.finish(search, ann) and searches.finish(search, bob, "y")
    assert (searches.get(search).status, searches.get(search).message) == ("done", "y")
    other = searches.create(SPEC, "ann", "u").id
    ann, bob = searches.claim(other, 1), searches.claim(other, 2, join=True)
    assert searches.give_way(other, ann) and searches.get(other).status == "running"
    assert searches.give_way(other, bob) and searches.get(other).status == "queued"


def test_a_stop_ends_all_and_is_nobodys_attempt(searches: SearchStore) -> None:
    search, claims = shared(searches, 3)
    for claim in claims:
        searches.begin(search, claim, {})
    searches.request_stop(search)
    assert not any(searches.heartbeat(search, claim) for claim in claims)
    assert searches.end(search, "stopped", claim=claims[1]) and not searches.end(search, "stopped", claim=claims[0])
    assert all(t.left and t.attempts == 0 for t in searches.trials(search)) and searches.at_work() == {}


def test_who_comes_to_the_place_of_another_takes_over(searches: SearchStore) -> None:
    search = searches.create(SPEC, "ann", "t").id
    first = searches.claim(search, 1, place="a")
    searches.begin(search, first, {})
    assert searches.claim(search, 2, place="b") is None
    second = searches.claim(search, 9, place="a")
    assert second and not searches.heartbeat(search, first) and searches.repeat(search, second, 0).attempts == 2
    third = searches.claim(search, 2, place="b", join=True)
    searches.begin(search, third, {})
    assert searches.claim(search, 3, place="b", join=True) and searches.trial(search, 1).left
    assert searches.at_work() == {search: 2}


def test_one_of_several_that_falls_silent_is_left_behind(
    searches: SearchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, (ann, bob) = shared(searches)
    searches.begin(search, ann, {})
    assert searches.revive_silent() == {}
    searches.heartbeat(search, bob)
    monkeypatch.setattr(run_store, "SILENT_SECONDS", 0.5)
    real, passed = time.monotonic, iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: real() + next(passed))
    found = []
    for _ in range(3):
        searches.heartbeat(search, bob)
        found.append(searches.revive_silent())
    assert found.count({search: "running"}) == 1 and found.count({}) == 2
    assert searches.trial(search, 0).left and searches.at_work() == {search: 1}
    assert searches.get(search).status == "running" and searches.heartbeat(search, bob)


def test_all_trials_are_done_once_by_several_at_once(store: RunStore, searches: SearchStore) -> None:
    search = searches.create(SPEC, "ann", "t").id
    begun = threading.Event()

    def work(k: int) -> None:
        if k:
            begun.wait(30)
        execute(store, search, report=lambda _: begun.set(), place=f"place {k}", join=k > 0)

    together(work, 3)
    found, trials = searches.get(search), searches.trials(search)
    assert (found.status, found.ended, searches.at_work()) == ("done", 6, {}), found.message
    assert [t.number for t in trials] == list(range(6)) and all(t.ended and t.attempts == 1 for t in trials)
    assert len({t.values_json for t in trials}) == 6, "nobody tried what another was at"


def test_many_begin_at_once_and_no_number_is_given_twice(searches: SearchStore) -> None:
    search, claims = shared(searches, 8)
    outrun = []

    def begin(k: int) -> None:
        try:
            searches.begin(search, claims[k], {"k": k}, number=0)
        except ConflictError:
            outrun.append(k)
            searches.begin(search, claims[k], {"k": k})

    together(begin, 8)
    trials = searches.trials(search)
    assert [t.number for t in trials] == list(range(8)) and len(outrun) == 7
    assert {t.values["k"] for t in trials} == set(range(8))
