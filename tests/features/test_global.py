"""Pixels, box, ink, centroid, orientation and Hu moments against SciPy, scikit-image and OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage, stats
from skimage import measure

from hdr.features.moments import hu_moments
from hdr.features.pixels import pixels, standardised_pixels
from hdr.features.shape import bounding_box, centroid, ink_amount, orientation
from hdr.preprocessing.pipeline import chain
from hdr.types import Images, Split


@pytest.fixture(scope="module")
def some(digits: Split) -> Images:
    return digits.images[:60]


def inked(image: np.ndarray, share: int) -> np.ndarray:
    return (image > float(image.max()) * share / 100).astype(np.uint8)


def test_pixels_are_the_picture_itself(some: Images) -> None:
    found = pixels(some)
    np.testing.assert_allclose(found.reshape(some.shape) * 255, some, atol=1e-4)
    assert found.min() == 0 and found.max() == 1


def test_standardised_pixels_are_scores_of_scipy(some: Images) -> None:
    found = standardised_pixels(some)
    expected = stats.zscore(some.reshape(len(some), -1).astype(float), axis=1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(standardised_pixels(some // 2 * 2), standardised_pixels(some // 2), atol=1e-5)


@pytest.mark.parametrize("value", [0, 1, 77, 255])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (28, 28), (63, 61)])
def test_flat_pictures_have_no_deviations(shape: tuple[int, int], value: int) -> None:
    assert not standardised_pixels(np.full((1, *shape), value, np.uint8)).any()


@pytest.mark.parametrize("share", [1, 20, 50, 90])
def test_box_and_ink_are_those_of_scikit_image(some: Images, share: int) -> None:
    boxes, amounts = bounding_box(some, ink=share), ink_amount(some, ink=share)
    for image, box, amount in zip(some, boxes, amounts, strict=True):
        region = measure.regionprops(inked(image, share), image)[0]
        top, left, bottom, right = region.bbox
        expected = [left, top, right - left, bottom - top, (right - left) / (bottom - top)]
        np.testing.assert_allclose(box, expected, rtol=1e-6)
        shares = [region.area / image.size, image.mean() / 255, region.intensity_mean / 255, region.extent]
        np.testing.assert_allclose(amount, 100 * np.array(shares), rtol=1e-5)


def test_centroid_is_that_of_scipy(some: Images) -> None:
    expected = [ndimage.center_of_mass(image)[::-1] for image in some]
    np.testing.assert_allclose(centroid(some), expected, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(centroid(np.zeros((1, 28, 20), np.uint8)), [[9.5, 13.5]])


def test_orientation_is_that_of_scikit_image(some: Images) -> None:
    # There, grey values do not count, and angles run the other way round.
    masks = np.stack([inked(image, 50) for image in some])
    for found, mask in zip(orientation(masks * np.uint8(255)), masks, strict=True):
        region = measure.regionprops(mask)[0]
        expected = [
            -np.degrees(region.orientation),
            region.eccentricity,
            region.axis_major_length,
            region.axis_minor_length,
        ]
        np.testing.assert_allclose(np.delete(found, 1), expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("lean", [-30, -10, 0, 10, 30])
def test_slant_and_axis_of_a_leaning_stroke(lean: int) -> None:
    image = np.zeros((1, 61, 61), np.uint8)
    reach = 25 * np.tan(np.radians(lean))
    cv2.line(image[0], (round(30 + reach), 5), (round(30 - reach), 55), 255, 1)
    axis, slant, eccentricity, *_ = orientation(image)[0]
    assert axis == pytest.approx(lean, abs=1.5) and slant == pytest.approx(lean, abs=1.5) and eccentricity > 0.99


def test_deskewing_takes_the_slant_back(some: Images) -> None:
    before, after = (np.abs(orientation(images)[:, 1]) for images in (some, chain("deskew").apply(some)))
    assert after.max() < 2 and before.max() > 10


def test_what_has_no_direction_has_none() -> None:
    images = np.zeros((4, 28, 28), np.uint8)
    images[1], images[2, 10:18, 10:18], images[3, 5, 5] = 255, 200, 9
    np.testing.assert_array_equal(orientation(images)[:, :3], 0)


def on_our_scale(moments: np.ndarray) -> np.ndarray:
    return np.sign(moments) * np.maximum(0, 12 + np.log10(np.maximum(np.abs(moments), 1e-30)))


def test_hu_moments_are_those_of_opencv_and_scikit_image(some: Images) -> None:
    expected = [cv2.HuMoments(cv2.moments(image / 255)).ravel() for image in some]
    np.testing.assert_allclose(hu_moments(some), on_our_scale(np.array(expected)), rtol=0, atol=1e-4)
    normalised = [measure.moments_normalized(measure.moments_central(image / 255)) for image in some]
    # Rows and columns are the other way round there, which for these moments is a mirror image.
    expected = on_our_scale(np.array([measure.moments_hu(m) for m in normalised])) * [1, 1, 1, 1, 1, 1, -1]
    np.testing.assert_allclose(hu_moments(some), expected, rtol=0, atol=1e-4)


def test_hu_moments_stay_when_the_digit_is_turned_moved_or_mirrored(some: Images) -> None:
    found = hu_moments(some)
    padded = np.pad(some, ((0, 0), (7, 1), (0, 11)))
    for changed in (np.rot90(some, 1, (1, 2)), some[:, ::-1, ::-1], padded):
        np.testing.assert_allclose(hu_moments(changed), found, rtol=0, atol=1e-3)
    np.testing.assert_allclose(hu_moments(some[:, :, ::-1]), found * [1, 1, 1, 1, 1, 1, -1], rtol=0, atol=1e-3)
    larger = some.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(hu_moments(larger)[:, 0], found[:, 0], rtol=0, atol=0.02)
