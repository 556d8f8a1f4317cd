"""Where a run stands, from its events alone."""

from __future__ import annotations

from typing import Any

import pytest

from hdr.store.run_progress import Mark, Point, progress


def scored(step: int, elapsed: float, unit: str = "epoch", of: int = 10, **more: Any) -> dict[str, Any]:
    """An event of a model that was fitted and scored."""
    accuracies = {"train_accuracy": 0.9, "validation_accuracy": 0.8}
    return {"phase": "fitting", "step": step, "elapsed": elapsed, "unit": unit, "of": of, **accuracies, **more}


def test_without_events_a_run_waits() -> None:
    found = progress([])
    assert (found.phase, found.points, found.unit, found.of, found.remaining) == ("waiting", (), "", 0, None)


def test_the_phase_is_that_of_the_last_event() -> None:
    assert progress([{"phase": "features"}]).phase == "features"
    assert progress([{"phase": "features"}, scored(1, 1.0), {"phase": "testing"}]).phase == "testing"


def test_only_scored_models_are_points() -> None:
    found = progress([{"phase": "features"}, scored(1, 0.5, loss=0.7), scored(2, 1.0), {"phase": "testing"}])
    assert found.points == (Point(1, 0.5, 0.7, 0.9, 0.8), Point(2, 1.0, None, 0.9, 0.8))
    assert (found.unit, found.of) == ("epoch", 10)


@pytest.mark.parametrize("unit", ["epoch", "trees"])
def test_equal_steps_take_equal_times(unit: str) -> None:
    found = progress([scored(1, 3.0, unit), scored(3, 4.0, unit)])
    assert found.remaining == pytest.approx(7 * 0.5), "the start, which took longer, does not count"
    assert not found.at_least


def test_after_one_point_its_own_pace_is_the_best_guess() -> None:
    assert progress([scored(2, 4.0)]).remaining == pytest.approx(16.0)


def test_nothing_remains_at_the_end() -> None:
    assert progress([scored(9, 9.0), scored(10, 10.0)]).remaining == 0
    assert progress([scored(500, 1.0, "digits", 1000), scored(1000, 3.0, "digits", 1000)]).remaining == 0


def test_growing_sizes_begin_anew_and_the_time_left_is_a_lower_bound() -> None:
    found = progress([scored(1000, 1.0, "digits", 8000), scored(2000, 3.0, "digits", 8000)])
    # 2,000 digits took 2 s, so that 4,000 take 4 s and 8,000 take 8 s, or more.
    assert found.remaining == pytest.approx(12.0)
    assert found.at_least


def test_the_last_size_may_be_less_than_twice_the_one_before() -> None:
    found = progress([scored(1000, 1.0, "digits", 2500), scored(2000, 3.0, "digits", 2500)])
    assert found.remaining == pytest.approx(2.5)


def test_a_pause_is_a_phase_and_its_time_does_not_count() -> None:
    events = [scored(1, 2.0), {"phase": "paused", "time": 107.0}]
    seen = progress(events)
    assert seen.phase == "paused" and seen.elapsed(100.0, 900.0) == 7.0, "the clock stands still"
    seen = progress([*events, {"phase": "fitting", "paused_seconds": 50.0, "time": 157.0}])
    assert seen.phase == "fitting" and seen.elapsed(100.0, 160.0) == pytest.approx(10.0)
    assert seen.remaining == pytest.approx(18.0), "points are without pauses, and so is what is left"


def test_changes_are_marks_and_the_pace_is_that_since_the_last() -> None:
    change = {"phase": "fitting", "epoch": 4, "changed": {"batch_size": 16}}
    seen = progress([scored(2, 2.0), scored(3, 3.0), change, scored(4, 7.0), scored(5, 11.0)])
    assert seen.marks == (Mark(4, {"batch_size": 16}),)
    assert seen.remaining == pytest.approx(5 * 4.0)
    assert progress([scored(2, 2.0), scored(3, 3.0), change, scored(4, 7.0)]).remaining == pytest.approx(6 * 2.5)
