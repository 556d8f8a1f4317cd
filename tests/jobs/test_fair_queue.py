"""Whose turn it is, and what a run gives up that is paused while others wait."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr.jobs import fair_queue
from hdr.jobs.fair_queue import FairQueue, QueuedJob, fair_order
from hdr.jobs.local_scheduler import LocalScheduler
from hdr.store.run_commands import RunCommands
from hdr.store.runs import RunStore
from hdr.store.searches import SearchStore
from hdr.training.controller import TrainingController
from hdr.training.run_spec import RunSpec
from hdr.tuning.records import SEARCH
from hdr.types import Step
from tests.jobs.test_scheduler import needs_signals, paused, steps
from tests.jobs.test_search_processes import plan
from tests.support.waiting import until as wait

NETWORK = RunSpec("bundled", 1000, classifier=Step("mlp", {"epochs": 40, "units": 50, "batch_size": 16}))


def names(waiting: list[QueuedJob]) -> list[str]:
    return [w.name for w in waiting]


def test_ten_of_one_person_do_not_keep_anothers_first_waiting():
    ann = [QueuedJob(f"a{n}", "ann", float(n)) for n in range(10)]
    bob = [QueuedJob("b0", "bob", 50.0), QueuedJob("b1", "bob", 51.0)]
    assert names(fair_order([*ann, *bob], {"ann": 1}, {"ann": 9.0}))[:5] == ["b0", "a0", "b1", "a1", "a2"]
    # With no job running, the user served least recently is next.
    assert names(fair_order([ann[0], *bob], {}, {"bob": 20.0, "ann": 30.0})) == ["b0", "a0", "b1"]
    assert names(fair_order(ann[:2] + bob, {"eve": 3}, {"bob": 20.0})) == ["a0", "b0", "a1", "b1"]
    assert names(fair_order([bob[1], bob[0]], {}, {})) == ["b0", "b1"]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 100)), max_size=12),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 3)),
)
def test_everybody_has_a_turn_and_nobody_two_more_than_another_who_waits(who, at_work):
    waiting = [QueuedJob(str(n), owner, since) for n, (owner, since) in enumerate(who)]
    order = fair_order(waiting, at_work, {})
    assert sorted(names(order)) == sorted(names(waiting))
    counts = {owner: at_work.get(owner, 0) for owner in "abc"}
    for number, one in enumerate(order):
        left = {w.owner for w in order[number:]}
        assert counts[one.owner] == min(counts[o] for o in left)
        counts[one.owner] += 1
        mine = [w.since for w in order if w.owner == one.owner]
        assert mine == sorted(mine)


def test_the_place_in_the_line_is_told_for_runs_and_searches(store: RunStore, small: RunSpec):
    line = FairQueue(store)
    assert line.order() == []
    first = store.create(small, "ann", "1").id
    store.claim(first, 1)
    more = [store.create(small, "ann", str(n)).id for n in (2, 3)]
    search = SearchStore(store).create(plan(), "bob", "4").id
    assert line.place(SEARCH + search) == 1 and [line.place(run) for run in more] == [2, 3]
    assert line.place(first) is None and line.at_work() == {first: "ann"}
    store.delete([more[0]], "ann")
    assert line.place(more[1]) == 2
    # One whose process has been begun waits no longer, and counts as at work.
    assert names(line.order(begun=[SEARCH + search])) == [more[1]]


def test_a_parked_run_waits_whatever_it_is_told_until_it_has_a_place():
    control, seen = TrainingController(NETWORK, steered=True), []
    control.report = seen.append
    control.obey("pause")
    control.obey("park")
    control.obey("go")
    assert not control._goes()
    control.obey("place")
    assert control._goes()
    control.obey("pause")
    control.obey("park")
    control.obey("keep")
    assert control._goes(), "who wants it to end is obeyed"


@pytest.fixture
def processes(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalScheduler]:
    """One place, and a pause may last a second while others wait."""
    monkeypatch.setenv("HDR_PAUSE_MINUTES", "0.1")
    monkeypatch.setattr(
        fair_queue.FairQueue, "idle", lambda self, seconds, idle=fair_queue.FairQueue.idle: idle(self, 1.0)
    )
    found = LocalScheduler(store, capacity=1, spare=False)
    yield found
    for run in store.runs():
        found.stop(run.id)
    found.close()


@needs_signals
def test_a_paused_run_gives_its_place_to_others_and_goes_on_by_itself(
    store: RunStore, processes: LocalScheduler, small: RunSpec
):
    steering, line = RunCommands(store), FairQueue(store)
    first = processes.submit(NETWORK, "ann", "1").id
    wait(lambda: steps(store, first))
    steering.send(first, "pause", "p")
    wait(lambda: paused(store, first))
    time.sleep(1.5)
    assert not line.parked(), "nobody waits, so that it keeps its place"
    second = processes.submit(small, "bob", "2").id
    wait(lambda: first in line.parked())
    wait(lambda: store.get(second).status in ("running", "done"))
    assert paused(store, first) or store.get(second).status == "done"
    wait(lambda: store.get(second).status == "done")
    wait(lambda: store.get(first).status == "done")
    assert steps(store, first) == list(range(1, 41)) and not line.parked()
    assert store.get(first).spec == NETWORK


@pytest.mark.slow
@needs_signals
def test_two_owners_take_turns(store: RunStore, processes: LocalScheduler, small: RunSpec):
    mine = [processes.submit(small, "ann", str(n)).id for n in range(3)]
    other = processes.submit(small, "bob", "other").id
    wait(lambda: all(r.status == "done" for r in store.listed()))
    started = sorted((store.get(run).started, run) for run in (*mine, other))
    assert [run for _, run in started].index(other) <= 1
