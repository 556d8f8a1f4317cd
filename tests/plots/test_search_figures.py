"""The figures of a search: what they draw, where, and what stands there before there is anything."""

from __future__ import annotations

import numpy as np
import pytest

from hdr.plots import accuracy_axis
from hdr.plots.tuning import axes, contour, history, importance, parallel_coordinates, slice
from hdr.plots.tuning.axes import Axis, Tried

C = Axis("C", 0.1, 100.0, log=True)
KERNEL = Axis("Kernel", choices=("linear", "rbf"))
SIZE = Axis("Cell, px", 4, 8)


def tried(number: int, accuracy: float, *values: object, pruned: bool = False) -> Tried:
    return Tried(number, accuracy, values, pruned, f"trial <{number}>")


TRIALS = [
    tried(1, 0.90, 0.1, "rbf"),
    tried(2, 0.80, 1.0, "linear", pruned=True),
    tried(3, 0.95, 10.0, "rbf"),
    tried(4, 0.93, None, "linear"),
]


def grid(n: int) -> list[Tried]:
    """Trials all over C and cell size, better with both."""
    return [
        tried(i * n + j + 1, 0.9 + 0.01 * (i + j) / n, 10 ** (-1 + 3 * i / (n - 1)), 4 + 4 * j / (n - 1))
        for i in range(n)
        for j in range(n)
    ]


def test_places_are_numbers_logarithms_or_choices() -> None:
    assert C.place(10) == 1 and C.ends == (-1, 2)
    assert KERNEL.place("rbf") == 1 and KERNEL.ends == (0, 1)
    assert SIZE.place(5) == 5 and SIZE.ends == (4, 8)
    assert all(np.isnan(axis.place(None)) for axis in (C, KERNEL, SIZE))
    assert np.isnan(KERNEL.place("poly")) and np.isnan(C.place(0)) and np.isnan(SIZE.place("rbf"))
    assert Axis("one", choices=("only",)).ends == (-0.5, 0.5), "an axis has a length"


def test_ticks_are_round_values_in_the_units_of_people() -> None:
    assert C.ticks() == ([-1, 0, 1, 2], ["0.1", "1", "10", "100"])
    assert KERNEL.ticks() == ([0, 1], ["linear", "rbf"])
    assert SIZE.ticks() == ([4, 5, 6, 7, 8], ["4", "5", "6", "7", "8"])
    assert Axis("narrow", 2.1, 2.9, log=True).ticks()[1] == ["2.1", "2.9"], "where there are no round ones, the ends"
    assert Axis("fixed", 3, 3).ticks() == ([3], ["3"])


@pytest.mark.parametrize(("low", "high"), [(0, 0.5), (10, 200), (1, 3), (0.25, 0.3), (-20, 20)])
def test_there_are_two_to_five_ticks_within_any_range(low: float, high: float) -> None:
    places, texts = Axis("x", low, high).ticks()
    assert 2 <= len(places) <= 5 and all(low - 1e-9 <= p <= high + 1e-9 for p in places)
    assert [float(t) for t in texts] == places


def test_the_best_is_the_first_of_those_that_went_to_their_end() -> None:
    assert axes.best(TRIALS).number == 3
    assert axes.best([tried(1, 0.99, pruned=True)]) is None
    assert axes.best([tried(2, 0.9), tried(1, 0.9)]).number == 1


def test_history_climbs_and_pruned_trials_are_rings() -> None:
    assert history.best_so_far(TRIALS) == ([1, 3, 4], [0.90, 0.95, 0.95])
    figure = history.figure(TRIALS, of=20)
    line, pruned, finished = figure.data
    assert list(line.x) == [1, 3, 4, 4] and line.line.shape == "hv"
    np.testing.assert_allclose(line.y, [accuracy_axis.height(v) for v in (0.90, 0.95, 0.95, 0.95)])
    assert list(pruned.x) == [2] and pruned.marker.symbol == "circle-open"
    assert list(finished.x) == [1, 3, 4] and finished.marker.symbol == "circle"
    assert figure.layout.xaxis.title.text == "trial" and figure.layout.xaxis.range == (0.3, 20.7)
    assert "validation accuracy" in figure.layout.yaxis.title.text
    assert "&lt;1&gt;" in finished.customdata[0][1], "settings are text, never markup"


def test_history_of_pruned_trials_alone_has_no_best() -> None:
    line, pruned, _ = history.figure([tried(1, 0.5, pruned=True)], 5).data
    assert not line.x and list(pruned.x) == [1]


def test_parallel_lines_pass_every_axis_in_its_own_units() -> None:
    done = axes.finished(TRIALS)
    c, kernel, accuracy = parallel_coordinates.columns((C, KERNEL), done)
    assert c["values"][:2] == [-1, 1] and c["range"][1] == 2
    assert c["values"][2] == c["range"][0] < -1 and c["ticktext"][0] == "none", "a trial without C passes below"
    assert kernel["ticktext"] == ["linear", "rbf"] and kernel["values"] == [1, 1, 0]
    assert accuracy["values"] == [accuracy_axis.height(t.accuracy) for t in done]
    assert accuracy["ticktext"][0] == "90.00" and accuracy["ticktext"][-1] == "95.00"
    figure = parallel_coordinates.figure((C, KERNEL), TRIALS)
    (lines,) = figure.data
    assert [d.label for d in lines.dimensions] == ["C", "Kernel", "validation<br>accuracy, %"]
    assert list(lines.line.color) == accuracy["values"]


def test_what_is_brushed_is_drawn_again_and_counted() -> None:
    brushed = [[(0.5, 2)], [], []]
    c, kernel, _ = parallel_coordinates.figure((C, KERNEL), TRIALS, brushed).data[0].dimensions
    assert c.constraintrange == ((0.5, 2),) or list(c.constraintrange) == [0.5, 2]
    assert kernel.constraintrange is None
    dimensions = parallel_coordinates.columns((C, KERNEL), axes.finished(TRIALS))
    assert parallel_coordinates.passing(dimensions, brushed) == [False, True, False]
    assert parallel_coordinates.passing(dimensions, [[(-1.1, -0.9), (0.5, 2)], [], []]) == [True, True, False]
    assert all(parallel_coordinates.passing(dimensions, [[], [], []]))


def test_parallel_coordinates_of_one_trial_have_ranges() -> None:
    for column in parallel_coordinates.columns((C,), [tried(1, 0.9, 1.0)]):
        assert column["range"][0] < column["range"][1]


def test_importance_has_the_most_important_on_top() -> None:
    assert importance.ranked({"C": 0.7, "Gamma": 0.25, "Kernel": 0.05})[-1] == ("C", 70)
    figure = importance.figure({"C": 0.7, "Gamma": 0.3})
    assert list(figure.data[0].y) == ["Gamma", "C"] and figure.data[0].text[-1] == "70%"
    assert "%" in figure.layout.xaxis.title.text


def test_slices_leave_out_trials_without_the_setting() -> None:
    assert [(x, y) for x, y, _ in slice.points(C, 0, TRIALS)] == [(-1, 0.90), (0, 0.80), (1, 0.95)]
    assert all(abs(x - KERNEL.place(t.values[1])) <= 0.16 for x, _, t in slice.points(KERNEL, 1, TRIALS))
    figure = slice.figure(C, 0, TRIALS)
    (dots,) = figure.data
    assert list(dots.marker.symbol) == ["circle", "circle-open", "circle"]
    assert dots.marker.size.index(11) == 2, "the best stands out"
    assert figure.layout.xaxis.title.text == "C" and list(figure.layout.xaxis.ticktext) == ["0.1", "1", "10", "100"]
    other = slice.figure(KERNEL, 1, TRIALS)
    assert figure.layout.yaxis.range == other.layout.yaxis.range, "all slices have one accuracy axis"


def test_a_surface_goes_through_the_trials_and_not_beyond() -> None:
    trials = grid(4)
    x, y, z = contour.surface((C, SIZE), (0, 1), trials)
    assert (x[0], x[-1], y[0], y[-1]) == (-1, 2, 4, 8)
    assert z[0, 0] == pytest.approx(accuracy_axis.height(trials[0].accuracy))
    assert z[-1, -1] == pytest.approx(accuracy_axis.height(trials[-1].accuracy))
    middle = [t for t in trials if t.values[0] < 11]
    _, _, z = contour.surface((C, SIZE), (0, 1), middle)
    assert np.isnan(z[:, -1]).all(), "nothing is drawn where nobody has measured"
    figure = contour.figure((C, SIZE), (0, 1), trials)
    assert [t.type for t in figure.data] == ["contour", "scatter"]
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("C", "Cell, px")


def test_where_no_surface_can_be_it_says_why() -> None:
    assert "10" in contour.missing((C, SIZE), (0, 1), grid(3))
    assert "choices" in contour.missing((C, KERNEL), (0, 1), TRIALS)
    assert not contour.missing((C, SIZE), (0, 1), grid(4))
    line = [tried(i, 0.9, 10 ** (-1 + i / 5), 4 + i / 4) for i in range(12)]
    assert contour.surface((C, SIZE), (0, 1), line) is None, "all on one line"
    assert [t.type for t in contour.figure((C, KERNEL), (0, 1), TRIALS).data] == ["scatter"]
    repeated = [tried(i, 0.9, 1.0, 5) for i in range(20)]
    assert contour.surface((C, SIZE), (0, 1), repeated) is None


@pytest.mark.parametrize(
    "figure",
    [
        history.figure([], 20),
        parallel_coordinates.figure((C,), []),
        parallel_coordinates.figure((C,), [tried(1, 0.5, 1.0, pruned=True)]),
        importance.figure({}),
        slice.figure(C, 0, []),
        contour.figure((C, SIZE), (0, 1), []),
    ],
)
def test_an_empty_figure_says_what_will_appear(figure: object) -> None:
    (words,) = figure.layout.annotations
    lines = words.text.split("<br>")
    assert len(words.text) > 20 and max(map(len, lines)) <= 40, "a phone has room for it"
    assert not figure.layout.xaxis.visible
