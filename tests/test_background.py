"""Jobs: one piece of work per key, in order, bounded, with progress and plain errors."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from hdr.background import NICENESS, Job, Jobs
from hdr.types import HdrError
from hdr.ui.components.job_progress import waiting
from tests.support.waiting import PATIENCE, until


@dataclass(frozen=True)
class Big:
    """A result that says what it takes."""

    nbytes: int


class Gate:
    """Work that waits to be let go."""

    def __init__(self, result: Any = "done") -> None:
        self.begun, self.open, self.calls, self.result = threading.Event(), threading.Event(), 0, result

    def __call__(self, report: Callable[..., None]) -> Any:
        self.calls += 1
        self.begun.set()
        assert self.open.wait(PATIENCE)
        report("going on", 0.5)
        return self.result


class Clock:
    """Time that stands still until it is told to go on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def settled(jobs: Jobs, key: str, work: Any = None) -> Job:
    """The job when it is over."""
    job = jobs.get(key, work, wait=PATIENCE)
    assert job.state in ("done", "failed"), job
    return job


def test_work_is_done_once_for_all_who_ask() -> None:
    jobs, gate = Jobs(), Gate()
    first = jobs.get("a", gate)
    assert gate.begun.wait(PATIENCE) and first.state in ("waiting", "running")
    assert jobs.get("a", gate).state == "running"
    gate.open.set()
    assert settled(jobs, "a", gate).result == "done"
    assert settled(jobs, "a", gate).result == "done" and gate.calls == 1


def test_progress_is_what_the_work_reports() -> None:
    jobs, told, go = Jobs(), threading.Event(), threading.Event()

    def work(report: Callable[..., None]) -> None:
        report("counting", 0.25)
        told.set()
        assert go.wait(PATIENCE)

    jobs.get("a", work)
    assert told.wait(PATIENCE)
    job = jobs.get("a", work)
    assert (job.state, job.words, job.share) == ("running", "counting", 0.25)
    go.set()
    assert settled(jobs, "a", work).state == "done"


def test_an_error_for_people_is_kept_as_it_is_and_any_other_with_its_type() -> None:
    jobs = Jobs()

    def known(report: Callable[..., None]) -> None:
        raise HdrError("The cell is too large.")

    def unknown(report: Callable[..., None]) -> None:
        raise ZeroDivisionError("by nought")

    assert settled(jobs, "a", known).error == "The cell is too large."
    assert settled(jobs, "b", unknown).error == "This computation failed (ZeroDivisionError: by nought)."


def test_a_failed_job_stays_failed_until_it_is_tried_again() -> None:
    jobs, calls = Jobs(), []

    def work(report: Callable[..., None]) -> int:
        calls.append(1)
        if len(calls) == 1:
            raise HdrError("not yet")
        return len(calls)

    assert settled(jobs, "a", work).state == "failed"
    assert settled(jobs, "a", work).state == "failed" and len(calls) == 1
    jobs.retry("a")
    assert settled(jobs, "a", work).result == 2


def test_slow_work_does_not_keep_quick_work_waiting() -> None:
    jobs, slow = Jobs(), Gate()
    jobs.get("slow", slow, slow=True)
    assert slow.begun.wait(PATIENCE)
    assert settled(jobs, "quick", lambda report: 1).result == 1
    other = Gate()
    assert jobs.get("slow too", other, wait=0.05, slow=True).state == "waiting", "one slow job at a time"
    slow.open.set()
    other.open.set()
    assert jobs.get("slow too", other, wait=PATIENCE, slow=True).state == "done"


def test_too_many_are_refused_and_may_ask_again() -> None:
    jobs, gate = Jobs(waiting=2), Gate()
    jobs.get("running", gate)
    assert gate.begun.wait(PATIENCE)
    assert [jobs.get(k, gate).state for k in "abc"] == ["waiting", "waiting", "refused"]
    gate.open.set()
    for key in "ab":
        settled(jobs, key, gate)
    assert settled(jobs, "c", gate).state == "done"


def test_what_nobody_asks_about_any_more_is_never_begun() -> None:
    clock = Clock()
    jobs, gate, left, wanted = Jobs(clock=clock), Gate(), Gate(), Gate()
    left.open.set()
    wanted.open.set()
    jobs.get("running", gate)
    assert gate.begun.wait(PATIENCE)
    jobs.get("left", left)
    clock.now = 8
    jobs.get("wanted", wanted)
    jobs.get("running", gate)
    clock.now = 11
    gate.open.set()
    assert settled(jobs, "wanted", wanted).state == "done"
    assert left.calls == 0


def test_what_somebody_looks_at_goes_before_what_was_left_a_moment_ago() -> None:
    clock, order = Clock(), []
    jobs, gate = Jobs(clock=clock), Gate()

    def noting(name: str) -> Callable[..., None]:
        return lambda report: order.append(name)

    jobs.get("running", gate)
    assert gate.begun.wait(PATIENCE)
    first, second = noting("first"), noting("second")
    jobs.get("first", first)
    clock.now = 5
    jobs.get("second", second)
    gate.open.set()
    settled(jobs, "second", second)
    settled(jobs, "first", first)
    assert order == ["second", "first"]


def test_running_work_is_given_up_when_nobody_has_asked_for_long() -> None:
    clock, begun, go, ended = Clock(), threading.Event(), threading.Event(), threading.Event()
    jobs = Jobs(clock=clock)

    def work(report: Callable[..., None]) -> None:
        begun.set()
        assert go.wait(PATIENCE)
        try:
            report("still here", 0.5)
        finally:
            ended.set()

    jobs.get("a", work)
    assert begun.wait(PATIENCE)
    clock.now = 31
    go.set()
    assert ended.wait(PATIENCE)
    # Asked for again it begins anew, and is not given up.
    until(lambda: jobs.get("a", work, wait=0.1).state == "done")


def test_results_are_bounded_in_number_and_the_longest_unasked_goes_first() -> None:
    jobs, calls = Jobs(kept=2), []

    def work(report: Callable[..., None]) -> None:
        calls.append(1)

    for key in ("a", "b"):
        settled(jobs, key, work)
    settled(jobs, "a", work)
    settled(jobs, "c", work)
    assert len(calls) == 3
    settled(jobs, "a", work)
    assert len(calls) == 3, "asked for since"
    settled(jobs, "b", work)
    assert len(calls) == 4


def test_results_are_bounded_in_bytes_but_the_newest_stays() -> None:
    jobs, calls = Jobs(kept_bytes=100), []

    def work(report: Callable[..., None]) -> Big:
        calls.append(1)
        return Big(80)

    for key in ("a", "b", "b"):
        settled(jobs, key, work)
    assert len(calls) == 2
    settled(jobs, "a", work)
    assert len(calls) == 3


def test_many_threads_that_ask_for_one_key_make_one_job() -> None:
    jobs, gate = Jobs(), Gate()
    threads = [threading.Thread(target=jobs.get, args=("a", gate, 0.2)) for _ in range(20)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    gate.open.set()
    for thread in threads:
        thread.join()
    assert settled(jobs, "a", gate).state == "done" and gate.calls == 1


def test_no_bar_is_shown_where_the_share_is_not_known() -> None:
    said = waiting(Job("a", "running", print, words="arranging <points>", seconds=3), 200)
    assert "arranging &lt;points&gt; · 3.0" in said and "hdr-hidden" in said and "height:200px" in said
    said = waiting(Job("a", "running", print, words="counting", share=0.5, seconds=3), 200)
    assert "hdr-hidden" not in said and "width:50%" in said


def test_a_cancelled_job_in_the_queue_is_never_started() -> None:
    jobs, gate, left = Jobs(), Gate(), Gate()
    jobs.get("running", gate)
    assert gate.begun.wait(PATIENCE)
    jobs.get("left", left)
    jobs.cancel("left")
    gate.open.set()
    assert settled(jobs, "last", lambda report: 1).result == 1
    assert left.calls == 0


def test_a_cancelled_job_ends_at_its_next_report_and_a_new_one_takes_its_key() -> None:
    jobs, gate, ended = Jobs(), Gate(), threading.Event()

    def work(report: Callable[..., None]) -> None:
        try:
            gate(report)
        finally:
            ended.set()

    jobs.get("a", work)
    assert gate.begun.wait(PATIENCE)
    jobs.cancel("a")
    assert jobs.get("a", lambda report: "new").state == "waiting"
    gate.open.set()
    assert ended.wait(PATIENCE)
    assert settled(jobs, "a").result == "new" and gate.calls == 1


def test_cancelling_leaves_results_and_unknown_jobs_alone() -> None:
    jobs = Jobs()
    settled(jobs, "a", lambda report: 1)
    jobs.cancel("a")
    jobs.cancel("b")
    assert jobs.get("a", lambda report: 2).result == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives each thread a priority of its own")
def test_jobs_give_way_to_the_threads_that_answer_visitors() -> None:
    here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def priority(report: Callable[..., None]) -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert settled(Jobs(), "a", priority).result == min(19, here + NICENESS)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == here


def test_several_threads_work_at_the_same_time() -> None:
    jobs, gates = Jobs(threads=2), [Gate(), Gate(), Gate()]
    for name, gate in zip("abc", gates, strict=True):
        jobs.get(name, gate)
    assert all(gate.begun.wait(PATIENCE) for gate in gates[:2]) and not gates[2].begun.is_set()
    gates[0].open.set()
    assert gates[2].begun.wait(PATIENCE)
    for name, gate in zip("abc", gates, strict=True):
        gate.open.set()
        assert settled(jobs, name).state == "done"
