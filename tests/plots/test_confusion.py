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
    assert figure.layout.yaxis.range == (9.5, -0.5), "0 stands on top"
    assert set(figure.data[1].text) == {"", "10", "30"}
    diagonal = {(a.x, a.y): a.text for a in figure.layout.annotations}
    assert diagonal == {(d, d): "<b>90</b>" for d in range(10)}


def test_the_deepest_colour_is_the_largest_share_of_mistakes() -> None:
    assert confusion.figure(COUNTS).data[0].zmax == 25


def test_a_perfect_matrix_has_no_colour() -> None:
    heat = confusion.figure(np.diag(np.full(10, 90))).data[0]
    assert np.nansum(np.asarray(heat.z, float)) == 0
    assert heat.zmax > 0


def test_a_cell_can_be_clicked_and_framed() -> None:
    figure = confusion.figure(COUNTS.tolist(), chosen=(4, 9), clickable=True)
    targets = figure.data[-1]
    points = {(y, x): n for y, x, n in zip(targets.y, targets.x, targets.customdata, strict=True)}
    assert len(points) == 100 and points["4", "9"] == 10 and points["9", "4"] == 0 and points["3", "3"] == 90
    (frame,) = figure.layout.shapes
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (8.5, 9.5, 3.5, 4.5)
    assert not confusion.figure(COUNTS.tolist()).layout.shapes
