"""The learning curve: what is drawn of which points."""

from __future__ import annotations

import pytest

from hdr.plots import learning_curve
from hdr.store.run_progress import Point

EPOCHS = [Point(1, 0.5, 0.9, 0.80, 0.78), Point(2, 1.0, 0.5, 0.90, 0.86), Point(3, 1.5, 0.3, 0.95, 0.89)]
SIZES = [Point(1000, 0.5, None, 1.0, 0.90), Point(2000, 1.5, None, 1.0, 0.93)]


def curves(figure) -> dict[str, list[tuple[float, float]]]:
    """The points of each curve, by its name."""
    return {t.name: list(zip(t.x, t.y, strict=True)) for t in figure.data}


def test_before_the_first_point_it_says_what_will_appear() -> None:
    figure = learning_curve.figure([], "", 0)
    assert not figure.data
    assert "curve appears here" in figure.layout.annotations[0].text
    assert figure.layout.height == learning_curve.figure(EPOCHS, "epoch", 3).layout.height, "nothing jumps"


def test_epochs_have_accuracies_in_percent_and_a_loss() -> None:
    found = curves(learning_curve.figure(EPOCHS, "epoch", 10))
    assert set(found) == {"training", "validation", "loss"}
    assert found["training"] == [(1, 80), (2, 90), (3, 95)]
    assert found["validation"] == [(1, 78), (2, 86), (3, 89)]
    assert found["loss"] == [(1, 0.9), (2, 0.5), (3, 0.3)]


def test_what_has_no_loss_has_no_room_for_one() -> None:
    figure = learning_curve.figure(SIZES, "digits", 4000)
    assert set(curves(figure)) == {"training", "validation"}
    assert figure.layout.xaxis.title.text == "training digits"
    assert "yaxis2" not in figure.layout.to_plotly_json()


@pytest.mark.parametrize(("points", "unit", "of"), [(EPOCHS, "epoch", 10), (SIZES, "digits", 60000)])
def test_axes_reach_to_the_end_of_the_run_and_hold_every_point(points: list[Point], unit: str, of: int) -> None:
    figure = learning_curve.figure(points, unit, of)
    x0, x1 = figure.layout.xaxis.range
    y0, y1 = figure.layout.yaxis.range
    assert x0 < points[0].step
    assert x1 > of
    for p in points:
        assert y0 < p.train * 100 < y1
        assert y0 < p.validation * 100 < y1


def test_the_last_values_are_written_beside_their_curves() -> None:
    figure = learning_curve.figure(EPOCHS, "epoch", 10)
    texts = [a.text for a in figure.layout.annotations]
    assert "training 95.00%" in texts
    assert "validation 89.00%" in texts


def test_labels_of_curves_that_meet_stand_apart_the_higher_one_above() -> None:
    close = [Point(1, 1.0, None, 0.900, 0.902)]
    shifts = {a.text.split()[0]: a.yshift for a in learning_curve.figure(close, "trees", 10).layout.annotations}
    assert shifts["validation"] > 0 > shifts["training"]


def test_labels_stand_apart_where_the_curves_are_near_for_their_axis_and_have_room_on_a_phone() -> None:
    near = [Point(1, 1.0, None, 0.35, 0.33), Point(2, 2.0, None, 0.892, 0.874)]
    figure = learning_curve.figure(near, "trees", 10)
    assert {a.yshift for a in figure.layout.annotations if a.xshift} == {9, -9}
    far = [*near[:1], Point(2, 2.0, None, 0.99, 0.80)]
    assert {a.yshift for a in learning_curve.figure(far, "trees", 10).layout.annotations if a.xshift} == {0}
    assert figure.layout.margin.r >= 120, "as many pixels as the longest label takes"


def test_colours_of_curve_and_label_agree() -> None:
    figure = learning_curve.figure(EPOCHS, "epoch", 10)
    lines = {t.name: t.line.color for t in figure.data}
    labels = {a.text.split()[0]: a.font.color for a in figure.layout.annotations}
    assert labels == {name: lines[name] for name in labels}
    assert lines["training"] != lines["validation"]


def test_a_change_is_a_line_where_it_happened_with_its_words() -> None:
    figure = learning_curve.figure(EPOCHS, "epoch", 10, marks=[(3, "learning rate 0.01"), (1, "batch size 64")])
    lines = sorted({s.x0 for s in figure.layout.shapes})
    # The third epoch begins where the point of the second stands; before the first there is only the axis.
    assert lines == [0.55, 2] and lines[0] > figure.layout.xaxis.range[0]
    words = {a.text: a.x for a in figure.layout.annotations if a.textangle == -90}
    assert words == {"learning rate 0.01": 2, "batch size 64": 0.55}
    assert not learning_curve.figure(EPOCHS, "epoch", 10).layout.shapes


def test_the_epoch_that_was_kept_has_a_ring() -> None:
    found = curves(learning_curve.figure(EPOCHS, "epoch", 10, kept=2))
    assert found["kept"] == [(2, 86)]
    assert "kept" not in curves(learning_curve.figure(EPOCHS, "epoch", 10))
