"""Ink is separated from paper under all light."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr.reading import to_ink
from hdr.types import Split
from tests.test_images import seven


@pytest.mark.parametrize(("paper", "ink"), [(255, 0), (0, 255), (200, 90), (60, 130), (128, 100)])
def test_ink_is_bright_on_nothing_whatever_the_paper(paper: int, ink: int) -> None:
    found = to_ink(seven(paper, ink))
    drawn = seven(0, 255) > 0
    assert found.shape == drawn.shape and found.dtype == np.uint8
    assert (found[~drawn] == 0).all() and (found[drawn] > 240).all()


@pytest.mark.parametrize("dark", [True, False])
def test_uneven_light_and_noise_become_nothing(dark: bool) -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1:1:300j, -1:1:400j]
    drawn = np.zeros((300, 400), np.uint8)
    cv2.polylines(drawn, [np.array([[150, 60], [250, 60], [180, 240]])], False, 255, 14)
    paper = 150 + 40 * x - 25 * y - 20 * x * x
    picture = paper + (-0.5 if dark else 0.5) * drawn * paper / 255 + rng.normal(0, 6, drawn.shape)
    found = to_ink(np.clip(picture, 0, 255).astype(np.uint8))
    far = cv2.dilate(drawn, np.ones((9, 9))) == 0
    assert (found[far] > 0).mean() < 0.001
    assert (found[cv2.erode(drawn, np.ones((5, 5))) > 0] > 60).mean() > 0.98


@given(st.integers(1, 200), st.integers(1, 200), st.integers(85, 170), st.floats(0, 15), st.floats(-40, 40))
def test_blank_paper_has_no_ink(height: int, width: int, level: int, noise: float, slope: float) -> None:
    rng = np.random.default_rng(height * 1000 + width)
    picture = level + slope * np.linspace(-1, 1, width) + rng.normal(0, noise, (height, width))
    blank = np.clip(picture, 0, 255).astype(np.uint8)
    # The few pixels of a tiny picture do not tell noise from ink.
    if min(height, width) >= 20:
        assert not to_ink(blank).any()
    else:
        assert to_ink(blank).shape == blank.shape


def test_specks_are_dropped_and_parts_of_a_digit_are_kept() -> None:
    picture = seven()
    cv2.line(picture, (40, 50), (52, 50), 0, 5)
    clean = to_ink(picture)
    picture[4:6, 4:6] = 0
    picture[80, 50] = 0
    found = to_ink(picture)
    assert (found[clean == 0] == 0).all() and np.abs(found.astype(int) - clean).max() <= 3
    assert clean[50, 48] > 200


def test_digits_as_published_stay_as_they_are(digits: Split) -> None:
    images = digits.images[:50]
    found = np.stack([to_ink(i) for i in images]).astype(int)
    assert np.abs(found - images).mean() < 3


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (1, 50), (50, 1), (2, 3)])
def test_the_smallest_pictures(shape: tuple[int, int]) -> None:
    assert not to_ink(np.full(shape, 200, np.uint8)).any()
