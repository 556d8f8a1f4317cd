"""The figures that explain a model: what they draw, and where."""

from __future__ import annotations

import numpy as np
import pytest

from hdr.plots import corruption_robustness, reliability, risk_coverage, sample_size_curve


def test_reliability_begins_where_its_lowest_point_is() -> None:
    assert reliability.floor(np.array([0.62, 0.9]), np.array([0.7])) == 60
    assert reliability.floor(np.array([1.0])) == 90, "an axis has a length even where all is certain"


def test_reliability_draws_groups_with_their_intervals() -> None:
    shares = (np.array([0.6, 0.9]), np.array([0.5, 0.95]), np.array([0.4, 0.9]), np.array([0.6, 0.97]))
    figure = reliability.figure(*shares, np.array([50, 50]), start=50)
    line, points = figure.data
    assert list(line.x) == list(line.y) == [50, 100]
    np.testing.assert_allclose(points.y, [50, 95])
    np.testing.assert_allclose(points.error_y.array, [10, 2])
    np.testing.assert_allclose(points.error_y.arrayminus, [10, 5])
    assert figure.layout.yaxis.range[0] < 40, "no interval is cut off"


def test_coverage_is_thinned_and_marked() -> None:
    answered = np.arange(1, 10_001) / 10_000
    rows = risk_coverage.thinned(answered)
    assert len(rows) <= risk_coverage.MOST_POINTS and rows[-1] == 9_999
    assert answered[rows[0]] == pytest.approx(risk_coverage.LEAST)
    assert risk_coverage.thinned(np.array([1.0])).tolist() == [0]
    figure = risk_coverage.figure(answered, 1 - answered / 10, 1 - answered, (0.5, 0.95))
    assert (figure.data[1].x, figure.data[1].y) == ((50.0,), (95.0,))
    assert len(risk_coverage.figure(answered, answered, answered, None).data) == 1


def test_robustness_has_one_curve_for_each_model() -> None:
    figure = corruption_robustness.figure(
        (0, 1, 2), [(1.0, 0.9, 0.5), (0.9, 0.8, 0.1)], ["<b>a</b>", "b"], "Shift, px", 0
    )
    assert [list(t.y) for t in figure.data] == [[100, 90, 50], [90, 80, 10]]
    assert "&lt;b&gt;" in figure.data[0].hovertemplate, "a title is somebody's text"
    assert figure.data[0].line.color != figure.data[1].line.color
    assert figure.layout.shapes[0].x0 == 0 and figure.layout.yaxis.range == (0, 103)


def test_small_models_stand_at_even_distances() -> None:
    interval = [(0.7, 0.9), (0.8, 0.95)]
    figure = sample_size_curve.figure((500, 1000), (0.9, 0.95), (0.8, 0.9), interval, "training digits", 700)
    assert list(figure.layout.xaxis.ticktext) == ["500", "1,000"]
    validation = figure.data[1]
    np.testing.assert_allclose(validation.error_y.array, [10, 5])
    assert figure.layout.shapes[0].x0 == pytest.approx(0.4)
    assert not sample_size_curve.figure((500, 1000), (0.9, 0.95), (0.8, 0.9), interval, "training digits").layout.shapes


@pytest.mark.parametrize(
    ("values", "value", "place"),
    [
        ((1, 10, 100), 10, 1.0),
        ((1, 10, 100), 55, 1.5),
        ((1, 10, 100), 1000, None),
        (("rbf", "linear"), "linear", 1.0),
        (("rbf", "linear"), "poly", None),
        ((False, True), True, 1.0),
    ],
)
def test_where_a_runs_own_value_lies(values: tuple, value: object, place: float | None) -> None:
    assert sample_size_curve.position(values, value) == place


def test_labels_of_values() -> None:
    assert sample_size_curve.ticks([True, "rbf", 0.0464, 4000, 1e-7]) == ["on", "rbf", "0.0464", "4,000", "1e-07"]
