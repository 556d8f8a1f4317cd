"""Thresholds against scikit-image and OpenCV, and what they are for: light that varies and paper that stays paper."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import filters

from hdr.preprocessing import thresholding
from hdr.types import Images, Split

SIZES = [5, 15, 31, 101]


def on_padded(threshold, image: NDArray, size: int) -> NDArray[np.float64]:
    """scikit-image mirrors at the edge where we repeat it: calculated on a picture that repeats it already."""
    return threshold(np.pad(image.astype(float), size, mode="edge"))[size:-size, size:-size]


def test_triangle_is_that_of_scikit_image(images: Images) -> None:
    # Which of the two levels beside the deepest point is meant differs by one.
    expected = [filters.threshold_triangle(i) for i in images]
    np.testing.assert_allclose(thresholding.triangle_level(images), expected, rtol=0, atol=1)


@pytest.mark.parametrize("size", SIZES)
def test_adaptive_mean_is_that_of_scikit_image(images: Images, size: int) -> None:
    level = thresholding.adaptive_mean_level(images, size=size, offset=7)
    expected = [filters.threshold_local(i.astype(float), size, "mean", offset=-7, mode="nearest") for i in images]
    np.testing.assert_allclose(level, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [5, 15, 31])
def test_adaptive_mean_is_that_of_opencv_but_for_rounding(images: Images, size: int) -> None:
    level = thresholding.adaptive_mean_level(images, size=size, offset=7)
    for image, ink, own in zip(images, thresholding.adaptive_mean(images, size=size, offset=7), level, strict=True):
        theirs = cv2.adaptiveThreshold(image, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, size, -7)
        assert (np.abs(image - own)[ink != theirs] <= 0.5).all()


@pytest.mark.parametrize("size", SIZES)
def test_adaptive_gaussian_is_that_of_scikit_image(images: Images, size: int) -> None:
    # Its bell reaches four sigma far, ours the size that was asked for, three sigma on either side.
    level = thresholding.adaptive_gaussian_level(images, size=size, offset=7)
    expected = [filters.threshold_local(i.astype(float), size, "gaussian", offset=-7, mode="nearest") for i in images]
    np.testing.assert_allclose(level, expected, rtol=0, atol=8)
    assert np.abs(level - expected).mean() < 0.5


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("k", [-1.0, 0.0, 0.2, 2.0])
def test_niblack_is_that_of_scikit_image_with_the_sign_for_light_ink(images: Images, size: int, k: float) -> None:
    level = thresholding.niblack_level(images, size=size, k=k, offset=0)
    expected = [on_padded(lambda p: filters.threshold_niblack(p, size, -k), i, size) for i in images]
    np.testing.assert_allclose(level, expected, rtol=0, atol=1e-3)
    np.testing.assert_allclose(thresholding.niblack_level(images, size=size, k=k, offset=9), level + 9)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("k", "spread"), [(0.2, 128), (0.5, 64), (0.05, 16)])
def test_sauvola_is_that_of_scikit_image_on_the_negative(images: Images, size: int, k: float, spread: int) -> None:
    level = thresholding.sauvola_level(images, size=size, k=k, spread=spread)
    expected = [255 - on_padded(lambda p: filters.threshold_sauvola(p, size, k, spread), 255 - i, size) for i in images]
    np.testing.assert_allclose(level, expected, rtol=0, atol=2e-2)


LOCAL = [thresholding.adaptive_mean, thresholding.adaptive_gaussian, thresholding.niblack, thresholding.sauvola]


@pytest.mark.parametrize("step", LOCAL)
@pytest.mark.parametrize("grey", [0, 1, 127, 254, 255])
def test_flat_paper_has_no_ink(step, grey: int) -> None:
    flat = np.full((2, 30, 50), grey, np.uint8)
    assert not step(flat).any()
    if step is not thresholding.sauvola:
        assert not step(flat, offset=0).any()


@pytest.mark.parametrize("step", LOCAL)
def test_noisy_paper_has_hardly_any_ink(step) -> None:
    paper = np.random.default_rng(0).normal(60, 6, (3, 80, 80)).clip(0, 255).astype(np.uint8)
    assert (step(paper) > 0).mean() < 0.05


@pytest.mark.parametrize("step", LOCAL)
def test_a_slope_of_light_does_no_harm_where_one_level_fails(digits: Split, step) -> None:
    slope = np.linspace(0, 120, 28).astype(np.uint8)
    pale = (digits.images[:200] // 2) + slope
    ink = digits.images[:200] > 127
    wrong, by_otsu = ((f(pale) > 0) != ink for f in (step, thresholding.otsu))
    assert wrong.mean() < 0.6 * by_otsu.mean()
