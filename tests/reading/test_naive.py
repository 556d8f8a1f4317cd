"""The naive reading: nothing is done to the digit."""

from __future__ import annotations

import numpy as np

from hdr.preprocessing.size_normalisation import from_strokes
from hdr.reading import naive
from tests.reading.conftest import FOUR, SEVEN


def test_size_and_place_matter() -> None:
    images = [naive.from_strokes([s * scale for s in SEVEN], (336, 336), 20) for scale in (1, 0.5)]
    assert all(i.shape == (28, 28) and i.dtype == np.uint8 and i.max() > 150 for i in images)
    assert images[1].sum() < 0.7 * images[0].sum()
    assert not images[1][15:].any() and not images[1][:, 15:].any()
    # What capture makes of both is the same.
    assert np.abs(from_strokes(SEVEN).astype(int) - from_strokes([s / 2 for s in SEVEN])).max() <= 32


def test_a_drawing_lies_where_it_was_drawn() -> None:
    image = naive.from_strokes([np.array([[100.0, 40.0]])], (336, 336), 24)
    y, x = np.unravel_index(image.argmax(), image.shape)
    assert (y, x) == (3, 8)


def test_nothing_and_what_lies_outside_is_blank() -> None:
    for strokes in ([], [np.zeros((0, 2))], [np.array([[1e9, 5.0], [1e9, 9.0]])]):
        assert not naive.from_strokes(strokes, (336, 336), 20).any()


def test_pictures_of_either_polarity() -> None:
    canvas = naive.from_strokes(FOUR, (300, 300), 20)
    large = np.kron(canvas, np.ones((10, 20), np.uint8))
    assert np.array_equal(naive.from_picture(large), canvas)
    assert np.array_equal(naive.from_picture(255 - large), canvas)
    assert naive.from_picture(np.full((1, 1), 200, np.uint8)).shape == (28, 28)
