"""Moves, turns and sizes against scikit-image, and against strokes whose lean is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage import measure, transform

from hdr.preprocessing import batch_ops, normalisation
from hdr.types import Images, Split
from tests.preprocessing.conftest import strewn
from tests.support.tolerances import assert_close

INTERPOLATION = 255 / 64 + 1
"""OpenCV interpolates at 32nds of a pixel: a 64th of the steepest edge, and rounding."""


def bar(lean: float, length: int = 30, side: int = 61) -> Images:
    """A stroke whose lower end leans to the right by so many degrees."""
    turn = np.deg2rad(lean)
    end = np.array([np.sin(turn), np.cos(turn)]) * length / 2
    image = np.zeros((1, side, side), np.uint8)
    middle = (side - 1) / 2
    a, b = (tuple(np.rint((middle + s * end) * 16).astype(int).tolist()) for s in (-1, 1))
    cv2.line(image[0], a, b, 255, 3, cv2.LINE_AA, 4)
    return image


def lean_of(image: Images) -> float:
    """By scikit-image: degrees from the vertical, -90 to 90."""
    found = measure.moments_central(image.astype(float), order=2)
    return float(np.rad2deg(np.arctan2(2 * found[1, 1], found[2, 0] - found[0, 2])) / 2)


@pytest.mark.parametrize("angle", [-180, -37, 0, 15, 90])
def test_rotate_is_that_of_scikit_image_clockwise(images: Images, angle: int) -> None:
    expected = [
        transform.rotate(i, -angle, order=1, preserve_range=True, center=((i.shape[1] - 1) / 2, (i.shape[0] - 1) / 2))
        for i in images
    ]
    out = normalisation.rotate(images, angle=angle)
    # At the very edge scikit-image drops what is less than a pixel outside; OpenCV blends it with the dark.
    difference = np.abs(out - np.stack(expected))
    assert np.percentile(difference, 95) <= 2 * INTERPOLATION and difference[:, 8:-8, 8:-8].max() <= 2 * INTERPOLATION


def test_a_quarter_turn_is_clockwise_and_exact(digits: Split) -> None:
    source = digits.images[:20]
    np.testing.assert_array_equal(normalisation.rotate(source, angle=90), np.rot90(source, -1, axes=(1, 2)))


@pytest.mark.parametrize(("dx", "dy"), [(3, 0), (-5, 7), (0, 0), (28, 0), (0, -28)])
def test_translate_is_that_of_scipy(images: Images, dx: int, dy: int) -> None:
    expected = [ndimage.shift(i, (dy, dx), order=0, mode="constant") for i in images]
    np.testing.assert_array_equal(normalisation.translate(images, dx=dx, dy=dy), expected)


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.0, 1.5, 2.0])
def test_scale_is_that_of_scikit_image(images: Images, factor: float) -> None:
    _, h, w = images.shape
    middle = np.array([(w - 1) / 2, (h - 1) / 2])
    way_back = transform.SimilarityTransform(scale=1 / factor, translation=middle * (1 - 1 / factor))
    expected = [transform.warp(i.astype(float), way_back, order=1, preserve_range=True) for i in images]
    difference = np.abs(normalisation.scale(images, factor=factor) - np.stack(expected))
    assert np.percentile(difference, 95) <= INTERPOLATION and difference[:, 9:-9, 9:-9].max() <= 2 * INTERPOLATION


@pytest.mark.parametrize("lean", [-85, -60, -30, -8, 0, 5, 25, 45, 70, 89])
def test_the_principal_axis_becomes_upright_the_shorter_way(lean: int) -> None:
    source = bar(lean)
    assert lean_of(source[0]) == pytest.approx(lean, abs=1)
    assert lean_of(normalisation.principal_axis(source, limit=90)[0]) == pytest.approx(0, abs=1.5)
    turned = lean_of(normalisation.principal_axis(source, limit=20)[0])
    assert turned == pytest.approx(np.sign(lean) * max(abs(lean) - 20, 0), abs=1.5)


def test_what_has_no_axis_is_not_turned() -> None:
    shapes = np.zeros((4, 41, 41), np.uint8)
    shapes[0] = 255
    shapes[1, 20, 20] = 255
    shapes[2, 10:31, 5:26] = 90
    y, x = np.mgrid[-20:21, -20:21]
    shapes[3] = (np.hypot(x, y) < 12) * np.uint8(200)
    np.testing.assert_array_equal(normalisation.principal_axis(shapes, limit=90), shapes)


def test_digits_lean_less_afterwards(digits: Split) -> None:
    source = digits.images[:300]
    before, after = (
        np.array([lean_of(i) for i in images]) for images in (source, normalisation.principal_axis(source, limit=90))
    )
    # A nearly round one has hardly an axis, and resampling may turn it again.
    assert np.abs(before).mean() > 15 and np.median(np.abs(after)) < 1


@pytest.mark.parametrize("shape", [(28, 28), (29, 31), (40, 60)])
def test_boxes_lie_in_the_middle_afterwards(digits: Split, shape: tuple[int, int]) -> None:
    frame = strewn(digits.images[:100], shape)
    out = normalisation.centre_by_box(frame)
    np.testing.assert_array_equal(normalisation.centre_by_box(out), out)
    found = batch_ops.boxes(out > out.max(axis=(1, 2), keepdims=True) * 0.2)
    margins = np.array([shape[1], shape[0]]) - found[:, :2] - found[:, 2:]
    assert set(np.unique(margins)) <= {0, 1}


@pytest.mark.parametrize("margin", [0, 1, 4, 14])
def test_crop_and_pad_undo_each_other(images: Images, margin: int) -> None:
    padded = normalisation.pad(images, margin=margin)
    assert padded.sum(dtype=int) == images.sum(dtype=int)
    np.testing.assert_array_equal(normalisation.crop(padded, margin=margin), images)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (1, 28), (28, 28), (29, 28)])
def test_crop_leaves_at_least_one_pixel_from_the_middle(shape: tuple[int, int]) -> None:
    image = np.arange(shape[0] * shape[1], dtype=np.uint64).astype(np.uint8).reshape(1, *shape)
    out = normalisation.crop(image, margin=14)
    assert out.shape[1:] == tuple(max(side - 28, 2 - side % 2) if side > 1 else 1 for side in shape)


def test_half_the_side_is_the_mean_of_four_pixels(digits: Split) -> None:
    source = digits.images[:50]
    expected = [transform.downscale_local_mean(i.astype(float), (2, 2)) for i in source]
    assert_close(normalisation.resize(source, side=14), expected, 0.5 + 1e-3)


@pytest.mark.parametrize("side", [8, 20, 28, 40, 56])
def test_resizing_is_that_of_scikit_image(images: Images, side: int) -> None:
    _, h, w = images.shape
    out = normalisation.resize(images, side=side)
    assert out.shape == (len(images), side, side)
    if side >= max(h, w):
        expected = [
            transform.resize(i.astype(float), (side, side), order=1, mode="edge", anti_aliasing=False) for i in images
        ]
        assert_close(out, expected, 0.5 + 1e-2)
    # The mean grey value stays what it was.
    np.testing.assert_allclose(out.mean(axis=(1, 2)), images.mean(axis=(1, 2)), atol=4)
