"""Violins, explained variance, counts and distributions: data, and what the figures show of them."""

from __future__ import annotations

import numpy as np
import pytest

from hdr.plots import class_balance, distributions, explained_variance, violin
from hdr.plots.colours import DIGITS

LABELS = np.repeat(np.arange(9, dtype=np.uint8), 4)


def test_there_is_a_violin_for_each_class_in_its_colour() -> None:
    values = np.arange(36.0)
    groups = violin.by_class(values, LABELS)
    assert [len(g) for g in groups] == [4] * 9 + [0]
    figure = violin.figure(values, LABELS, "width (px)", pair=(1, 7))
    assert [t.line.color for t in figure.data] == list(DIGITS)
    assert [t.name for t in figure.data if t.opacity == 1] == ["1", "7"]
    assert figure.layout.yaxis.title.text == "width (px)"
    assert all(t.opacity == 1 for t in violin.figure(values, LABELS, "width").data)


def test_shares_of_variance_add_up() -> None:
    np.testing.assert_allclose(explained_variance.cumulative(np.array([0.5, 0.3, 0.2])), [0, 50, 80, 100])


@pytest.mark.parametrize(("ratio", "text"), [([0.5, 0.4, 0.1], "90% with 2"), ([0.6, 0.3, 0.1], "90% with 2")])
def test_the_curve_says_how_many_hold_nine_tenths(ratio: list[float], text: str) -> None:
    figure = explained_variance.figure(np.array(ratio), 1)
    assert [a.text for a in figure.layout.annotations] == [text]
    assert (figure.data[1].x[0], figure.data[1].y[0]) == (1, ratio[0] * 100)


def test_a_curve_that_ends_before_has_no_mark() -> None:
    assert not explained_variance.figure(np.array([0.3, 0.2]), 50).layout.annotations


def test_shares_of_two_groups_are_of_their_own_size() -> None:
    x, train, test = distributions.shares(np.array([1.0, 1, 2, 3]), np.array([2.0, 2]), 1)
    np.testing.assert_array_equal(x, [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(train, [0, 50, 25, 25, 0])
    np.testing.assert_array_equal(test, [0, 0, 100, 0, 0])


def test_one_odd_digit_does_not_stretch_the_axis() -> None:
    values = np.append(np.ones(5000), 900.0)
    x, train, _ = distributions.shares(values, np.ones(10), 1)
    assert x.max() == 2 and train.sum() == pytest.approx(100)


def test_counts_are_shown_as_shares() -> None:
    np.testing.assert_allclose(class_balance.shares(np.array([1, 3])), [25, 75])
    figure = class_balance.figure(np.full(10, 100), np.arange(10))
    np.testing.assert_allclose(figure.data[0].y, 10)
    assert list(figure.data[0].text) == ["100"] * 10
