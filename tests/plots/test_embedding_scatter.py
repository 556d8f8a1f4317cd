"""The scatter of digits: where classes are named, and that few values do not hide points."""

from __future__ import annotations

from typing import Any

import numpy as np

from hdr.plots import embedding_scatter
from hdr.plots.colours import DIGITS

LABELS = np.array([0, 0, 0, 7, 7, 7], np.uint8)
POINTS = np.array([[0, 0], [1, 0], [2, 9], [10.5, 5], [11.5, 5], [12.5, 5]])


def test_each_class_that_is_there_is_named_at_its_medians() -> None:
    assert embedding_scatter.medians(POINTS, LABELS) == {0: (1, 0), 7: (11.5, 5)}
    figure = embedding_scatter.figure(POINTS, LABELS, ("holes", "width"))
    assert [a.text for a in figure.layout.annotations] == ["<b>0</b>", "<b>7</b>"]


def test_classes_with_one_middle_stand_side_by_side() -> None:
    assert embedding_scatter.places({1: (0, 0), 4: (0.01, 0), 6: (5, 5), 9: (0, 0.02)}, (10, 10)) == {
        1: 0,
        4: 1,
        6: 0,
        9: 2,
    }


def test_counts_are_spread_a_little_and_measures_are_not() -> None:
    random = np.random.default_rng(1)
    points = np.column_stack([random.integers(0, 3, 200), random.normal(size=200)])
    shown = embedding_scatter.spread(points)
    np.testing.assert_array_equal(shown[:, 1], points[:, 1])
    assert 0.2 < np.abs(shown[:, 0] - points[:, 0]).max() <= 1 / 3
    np.testing.assert_array_equal(shown, embedding_scatter.spread(points))
    constant = np.ones((5, 2))
    np.testing.assert_array_equal(embedding_scatter.spread(constant), constant)


def shown(marker: Any, row: int) -> str:
    """The colour of a point, by the scale; its bands do not run into each other."""
    at = (marker.color[row] - marker.cmin) / (marker.cmax - marker.cmin)
    below, above = [c for p, c in marker.colorscale if p <= at][-1], next(c for p, c in marker.colorscale if p > at)
    assert below == above
    return below


def test_a_point_has_its_colour_its_true_values_and_may_be_marked() -> None:
    trace = embedding_scatter.figure(POINTS, LABELS, ("holes", "width"), marked=3).data[0]
    assert shown(trace.marker, 0) == DIGITS[0] and shown(trace.marker, 5) == DIGITS[7]
    assert trace.selectedpoints == (3,)
    np.testing.assert_array_equal(np.asarray(trace.customdata)[:, 1:], POINTS)
    assert "holes" in trace.hovertemplate


def test_axes_that_mean_nothing_have_no_numbers() -> None:
    layout = embedding_scatter.figure(POINTS, LABELS, ()).layout
    assert layout.xaxis.showticklabels is False and layout.yaxis.scaleanchor == "x"


def test_the_same_points_give_the_same_figure() -> None:
    one, two = (embedding_scatter.figure(POINTS, LABELS, ("a", "b"), 1).to_json() for _ in range(2))
    assert one == two, "or a selection would be lost"


def test_the_room_for_the_axes_is_known_before_anything_is_drawn() -> None:
    layout = embedding_scatter.figure(POINTS, LABELS, ("holes", "width")).layout
    assert not layout.xaxis.automargin and not layout.yaxis.automargin, "or plotly draws every point once more"
    assert layout.margin.l == embedding_scatter.ROOM["l"] and layout.margin.b == embedding_scatter.ROOM["b"]
    assert embedding_scatter.figure(POINTS, LABELS, ()).layout.margin.l < layout.margin.l, "there is nothing to write"
