"""The confusion matrix: shares of mistakes, and what the figure shows of them."""

from __future__ import annotations

import numpy as np

from hdr.plots import confusion

COUNTS = np.diag(np.full(10, 90))
COUNTS[4, 9] = 10
COUNTS[2, 7] = 30


def test_shares_of_mistakes_are_of_the_true_class_in_percent() -> None:
    shares = confusion.mistakes(COUNTS)
    assert shares[4, 9] == 10
    assert shares[2, 7] == 25
    assert shares[9, 4] == 0
    assert np.isnan(shares.diagonal()).all()


def test_a_class_without_digits_has_no_mistakes() -> None:
    counts = COUNTS.copy()
    counts[5] = 0
    shares = confusion.mistakes(counts)
    assert np.isnan(shares[5, 5])
    assert (np.delete(shares[5], 5) == 0).all()


def test_the_figure_has_a_row_for_each_true_digit_and_shows_counts() -> None:
    figure = confusion.figure(COUNTS.tolist())
    heat = figure.data[0]
    assert heat.z[4][9] == 10
    assert heat.text[4][9] == "10"
    assert heat.text[9][4] == "", "no mistake, no number"
    assert figure.layout.yaxis.title.text == "is really"
    assert figure.layout.yaxis.autorange == "reversed", "0 stands on top"
    diagonal = {(a.x, a.y): a.text for a in figure.layout.annotations}
    assert diagonal == {(d, d): "<b>90</b>" for d in range(10)}


def test_the_deepest_colour_is_the_largest_share_of_mistakes() -> None:
    assert confusion.figure(COUNTS).data[0].zmax == 25


def test_a_perfect_matrix_has_no_colour() -> None:
    heat = confusion.figure(np.diag(np.full(10, 90))).data[0]
    assert np.nansum(np.asarray(heat.z, float)) == 0
    assert heat.zmax > 0
