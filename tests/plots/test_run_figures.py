"""Figures of several runs: curves over each other, accuracy against cost, and the axis of both."""

from __future__ import annotations

import numpy as np
import pytest

from hdr.plots import accuracy_axis, compare_learning_curves, pareto
from hdr.plots.compare_learning_curves import Curve, apart
from hdr.plots.pareto import Point
from hdr.plots.theme import log_ticks

TWO = [
    Curve("A", (1, 2, 3), (0.80, 0.90, 0.95), 0),
    Curve("B", (1, 2, 3, 4), (0.70, 0.92, 0.94, 0.951), 1),
]


def test_a_halving_of_the_mistakes_has_the_same_room_everywhere() -> None:
    steps = np.diff([accuracy_axis.height(s) for s in (0.92, 0.96, 0.98, 0.99)])
    assert steps == pytest.approx([np.log10(2)] * 3)
    assert accuracy_axis.height(1.0) == accuracy_axis.height(0.9999) > accuracy_axis.height(0.999)


@pytest.mark.parametrize("shares", [(0.3, 0.99), (0.981, 0.984), (0.5, 0.5), (1.0, 1.0), (0.0, 1.0), (0.9901, 0.9903)])
def test_the_axis_holds_all_values_and_has_ticks_that_are_true(shares: tuple[float, float]) -> None:
    figure = compare_learning_curves.figure([Curve("A", (1, 2), shares, 0)], "epochs")
    axis = figure.layout.yaxis
    low, high = axis.range
    assert all(low < accuracy_axis.height(s) < high for s in shares)
    assert 2 <= len(axis.tickvals) <= 13
    for at, text in zip(axis.tickvals, axis.ticktext, strict=True):
        assert accuracy_axis.height(float(text) / 100) == pytest.approx(at, abs=2e-3) and low <= at <= high


def test_every_curve_has_its_points_and_its_letter_at_its_end() -> None:
    figure = compare_learning_curves.figure(TWO, "epochs")
    assert [(t.name, t.x) for t in figure.data] == [("A", (1, 2, 3)), ("B", (1, 2, 3, 4))]
    assert [v for t in figure.data for v in t.customdata] == pytest.approx([80, 90, 95, 70, 92, 94, 95.1])
    assert [(a.text, a.x) for a in figure.layout.annotations] == [("<b>A</b>", 3), ("<b>B</b>", 4)]
    assert figure.data[0].line.color != figure.data[1].line.color
    assert figure.layout.xaxis.range[1] > 4 and figure.layout.xaxis.title.text == "epochs"


def test_letters_of_curves_that_end_together_stand_apart() -> None:
    figure = compare_learning_curves.figure(
        [Curve(letter, (1, 2), (0.8, 0.95), i) for i, letter in enumerate("ABCD")], "epochs"
    )
    shifts = sorted(a.yshift for a in figure.layout.annotations)
    assert np.diff(shifts).min() >= compare_learning_curves.LINE - 0.5


def test_runs_without_curves_are_an_empty_figure_that_says_so() -> None:
    for nothing in ([], [Curve("A", (), (), 0)]):
        figure = compare_learning_curves.figure(nothing, "epochs")
        assert not figure.data and "None of these runs" in figure.layout.annotations[0].text
        assert figure.layout.height == compare_learning_curves.figure(TWO, "epochs").layout.height


def test_one_point_is_a_curve() -> None:
    low, high = compare_learning_curves.figure([Curve("A", (5,), (0.9,), 0)], "trees").layout.xaxis.range
    assert low <= 5 < high


def test_places_are_moved_apart_in_their_order_and_no_more_than_needed() -> None:
    assert apart([0, 100], 10) == [0, 100]
    moved = apart([5, 5, 6], 10)
    assert np.diff(moved).min() > 9.5 and moved[0] < moved[1] < moved[2]
    assert np.mean(moved) == pytest.approx(np.mean([5, 5, 6]))


POINTS = [
    Point("A", 0.5, "0.5 s", 0.95, (0.94, 0.96), True, 0),
    Point("B", 5.0, "5 s", 0.94, (0.93, 0.95), False, 1),
    Point("C", 20.0, "20 s", 0.99, (0.985, 0.993), True, 2),
]


def test_the_front_is_a_line_through_full_points() -> None:
    front, runs = pareto.figure(POINTS, "fitting, s").data
    assert front.x == (0.5, 20.0) and runs.x == (0.5, 5.0, 20.0)
    assert runs.marker.symbol == ("circle", "circle-open", "circle")
    assert [t for t in runs.text] == ["<b>A</b>", "<b>B</b>", "<b>C</b>"]


def test_intervals_and_costs_are_within_the_axes() -> None:
    layout = pareto.figure(POINTS, "fitting, s").layout
    low, high = layout.yaxis.range
    assert low < accuracy_axis.height(0.93) and accuracy_axis.height(0.993) < high
    left, right = layout.xaxis.range
    assert layout.xaxis.type == "log" and left < np.log10(0.5) and np.log10(20) < right
    assert layout.xaxis.title.text == "fitting, s"


def test_a_single_run_and_a_perfect_one_can_be_drawn() -> None:
    figure = pareto.figure([Point("A", 2.0, "2 s", 1.0, (0.99, 1.0), True, 0)], "size, MB")
    assert np.isfinite(figure.layout.yaxis.range).all() and np.isfinite(figure.layout.xaxis.range).all()


def test_times_are_drawn_on_a_logarithmic_axis() -> None:
    layout = compare_learning_curves.figure([Curve("A", (0.5, 40.0), (0.8, 0.9), 0)], "seconds", log=True).layout
    left, right = layout.xaxis.range
    assert layout.xaxis.type == "log" and left < np.log10(0.5) and np.log10(40) < right
    assert layout.annotations[0].x == pytest.approx(np.log10(40)), "the letter stands at the end of its curve"


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [((-0.1, 0.4), [1, 2]), ((-2.2, 0.9), [0.01, 0.03, 0.1, 0.3, 1, 3]), ((-3.1, 1.2), [0.001, 0.01, 0.1, 1, 10])],
)
def test_logarithmic_axes_have_round_ticks(bounds: tuple[float, float], expected: list[float]) -> None:
    assert log_ticks(*bounds) == pytest.approx(expected)
    assert 2 <= len(log_ticks(-9.5, 9.5)) <= 7
