"""The default chain's steps and their nearest relatives against SciPy or scikit-image, or against what they are for."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from skimage import exposure, filters, measure, transform

from hdr.preprocessing import (
    batch_ops,
    contrast,
    edges,
    noise_reduction,
    normalisation,
    size_normalisation,
    thresholding,
)
from hdr.types import Images, Split
from tests.preprocessing.conftest import strewn
from tests.support.tolerances import assert_close


@pytest.mark.parametrize("size", [3, 5, 7, 9])
def test_median_is_that_of_scipy(images: Images, size: int) -> None:
    expected = np.stack([ndimage.median_filter(i, size=size, mode="nearest") for i in images])
    np.testing.assert_array_equal(noise_reduction.median(images, size=size), expected)


@pytest.mark.parametrize("size", [3, 5, 7, 9])
def test_mean_is_that_of_scipy_rounded(images: Images, size: int) -> None:
    expected = [ndimage.uniform_filter(i.astype(float), size, mode="nearest") for i in images]
    assert_close(noise_reduction.mean(images, size=size), expected, 0.5 + 1e-6)


@pytest.mark.parametrize("sigma", [0.3, 0.7, 1.0, 1.5, 2.5, 4.0])
def test_gaussian_is_that_of_scipy(images: Images, sigma: float) -> None:
    # OpenCV calculates with weights that are whole 256ths.
    radius = int(np.ceil(3 * sigma))
    expected = [ndimage.gaussian_filter(i.astype(float), sigma, mode="nearest", radius=radius) for i in images]
    out = noise_reduction.gaussian(images, sigma=sigma)
    assert_close(out, expected, 2.0)
    assert np.abs(out - np.stack(expected)).mean() < 0.4 and abs((out - np.stack(expected)).mean()) < 0.1


@pytest.mark.parametrize(("low", "high"), [(1.0, 99.0), (0.0, 100.0), (5.0, 90.0), (45.0, 55.0), (0.0, 99.5)])
def test_contrast_stretching_is_that_of_scikit_image(images: Images, low: float, high: float) -> None:
    expected = []
    for image in images:
        bottom, top = (int(np.percentile(image, p, method="inverted_cdf")) for p in (low, high))
        grey = image.astype(float)
        if top > bottom:
            grey = exposure.rescale_intensity(grey, in_range=(bottom, top), out_range=(0, 255))
        expected.append(grey)
    assert_close(contrast.contrast_stretching(images, low=low, high=high), expected, 0.5 + 1e-6)


def test_stretching_from_the_lowest_to_the_highest_value_uses_the_whole_range() -> None:
    image = np.random.default_rng(0).integers(60, 181, (5, 28, 28), np.uint8)
    out = contrast.contrast_stretching(image, low=0, high=100)
    assert (out.min(axis=(1, 2)) == 0).all() and (out.max(axis=(1, 2)) == 255).all()


def test_histogram_equalisation_is_that_of_scikit_image(images: Images) -> None:
    # scikit-image does not take off the darkest value's share, as the formula does: done here.
    expected = []
    for image in images:
        darkest = np.count_nonzero(image == image.min())
        share = exposure.equalize_hist(image, nbins=256) * image.size
        expected.append(255 * (share - darkest) / (image.size - darkest))
    assert_close(contrast.histogram_equalisation(images), expected, 1.0)


def test_histogram_equalisation_flattens() -> None:
    pale = np.random.default_rng(0).normal(120, 8, (3, 60, 60)).clip(0, 255).astype(np.uint8)
    counts = np.histogram(contrast.histogram_equalisation(pale), bins=8, range=(0, 256))[0]
    assert counts.min() > 0.6 * counts.mean()


@pytest.mark.parametrize("level", [0, 1, 100, 127, 254])
def test_fixed_threshold(images: Images, level: int) -> None:
    expected = np.where(images.astype(int) > level, 255, 0)
    np.testing.assert_array_equal(thresholding.threshold(images, level=level), expected)


def between_variance(image: Images, ink: NDArray[np.bool_]) -> float:
    """What Otsu's threshold makes as large as can be."""
    share = ink.mean()
    return share * (1 - share) * (image[ink].mean() - image[~ink].mean()) ** 2 if 0 < share < 1 else 0.0


def test_otsu_is_that_of_scikit_image(images: Images) -> None:
    for image, out in zip(images, thresholding.otsu(images), strict=True):
        expected = image > filters.threshold_otsu(image)
        ink = out == 255
        # Two levels can part the values equally well; then either will do.
        if not (ink == expected).all():
            assert between_variance(image, ink) == pytest.approx(between_variance(image, expected), rel=1e-9)
        assert set(np.unique(out)) <= {0, 255}


def test_sobel_magnitude_is_that_of_scipy(images: Images) -> None:
    expected = []
    for image in images.astype(float):
        gy, gx = (ndimage.sobel(image, axis=axis, mode="nearest") for axis in (0, 1))
        expected.append(np.minimum(np.hypot(gx, gy) / 4, 255))
    assert_close(edges.sobel_magnitude(images), expected, 0.5 + 1e-3)


def test_sobel_magnitude_of_a_full_edge_is_255_and_of_a_flat_picture_0() -> None:
    edge = np.zeros((1, 8, 8), np.uint8)
    edge[:, :, 4:] = 255
    out = edges.sobel_magnitude(edge)
    assert (out[0, :, 3:5] == 255).all() and (out[0, :, :3] == 0).all() and (out[0, :, 5:] == 0).all()


def slants(images: Images) -> NDArray[np.float64]:
    """Pixels sideways for each pixel down, by scikit-image's moments."""
    found = [measure.moments_central(i.astype(float)) for i in images]
    return np.array([m[1, 1] / m[2, 0] for m in found])


def test_moments_are_those_of_scikit_image(images: Images) -> None:
    mass, cx, cy, mu11, mu02 = batch_ops.moments(images)
    for i, image in enumerate(images.astype(float)):
        raw, central = measure.moments(image), measure.moments_central(image)
        assert mass[i] == raw[0, 0]
        assert (cx[i], cy[i]) == pytest.approx((raw[0, 1] / raw[0, 0], raw[1, 0] / raw[0, 0]))
        assert (mu11[i] * mass[i], mu02[i] * mass[i]) == pytest.approx((central[1, 1], central[2, 0]), rel=1e-6, abs=1)


def test_deskewed_digits_stand_upright(digits: Split) -> None:
    source = digits.images[:300]
    before, after = slants(source), slants(normalisation.deskew(source, limit=2.0))
    assert np.abs(before).max() > 0.3, "these digits lean"
    # What leaves the frame no longer counts, so that a few keep a trace.
    assert np.percentile(np.abs(after), 99) < 0.02 and np.abs(after).max() < 0.1


def test_deskew_takes_back_no_more_than_its_limit(digits: Split) -> None:
    source = digits.images[:300]
    before, after = slants(source), slants(normalisation.deskew(source, limit=0.1))
    lean = np.abs(before) > 0.15
    assert lean.any()
    np.testing.assert_allclose(after[lean], before[lean] - 0.1 * np.sign(before[lean]), atol=0.03)


def test_deskew_is_scikit_images_shear(digits: Split) -> None:
    source = digits.images[:40]
    out = normalisation.deskew(source, limit=2.0)
    for image, result, slant in zip(source, out, slants(source), strict=True):
        middle = ndimage.center_of_mass(image)[0]
        matrix = np.array([[1, slant, -slant * middle], [0, 1, 0], [0, 0, 1]])
        expected = transform.warp(image.astype(float), transform.AffineTransform(matrix), order=1, preserve_range=True)
        # OpenCV interpolates at 32nds of a pixel: a 64th of the steepest edge, and rounding.
        assert np.abs(result - expected).max() < 255 / 64 + 1
        assert np.abs(result - expected).mean() < 0.5


def test_an_upright_bar_is_not_touched_by_deskew() -> None:
    bar = np.zeros((1, 28, 28), np.uint8)
    bar[0, 4:24, 13:15] = 200
    np.testing.assert_array_equal(normalisation.deskew(bar), bar)


def inked(images: Images) -> NDArray[np.float64]:
    """Boxes around what is at least a fifth as bright as the brightest pixel: x0, y0, x1, y1."""
    return batch_ops.boxes(images > images.max(axis=(1, 2), keepdims=True) * 0.2).astype(float)


def longer_side(found: NDArray[np.float64]) -> NDArray[np.float64]:
    return (found[:, 2:] - found[:, :2]).max(axis=1)


@pytest.mark.parametrize("size", [8, 14, 20, 24, 28])
def test_scaled_digits_have_the_size_of_the_box_and_lie_in_the_middle(digits: Split, size: int) -> None:
    rng = np.random.default_rng(size)
    moved = np.stack([np.roll(i, rng.integers(-3, 4, 2), (0, 1)) for i in digits.images[:200]])
    out = normalisation.scale_to_box(moved, size=size)
    before, after = inked(moved), inked(out)
    # A faint tail may fall short of the fifth of the peak that counts as ink, and then shortens the box.
    off = np.abs(longer_side(after) - size)
    assert np.median(off) == 0 and np.percentile(off, 95) <= 2
    middle = (after[:, :2] + after[:, 2:]) / 2
    assert np.percentile(np.abs(middle - 14), 95) <= 1
    # No stroke is lost on the way: there is as much ink as the new size leaves.
    ink = out.sum(axis=(1, 2)) / moved.sum(axis=(1, 2)) / (size / longer_side(before)) ** 2
    assert ink.min() > 0.85 and ink.max() < 1.15 and abs(ink.mean() - 1) < 0.03


def test_a_thin_stroke_survives_however_much_it_shrinks() -> None:
    pictures = np.zeros((16, 28, 28), np.uint8)
    pictures[:, 26] = 255
    for x, picture in enumerate(pictures):
        picture[:20, 6 + x] = 255
    # The upright stroke is a third of a pixel of the result wide: it leaves that much ink wherever it lies.
    upright = normalisation.scale_to_box(pictures, size=8)[:, :14].sum(axis=(1, 2), dtype=float)
    assert upright.min() > 0.7 * upright.max() > 0


def test_scaling_keeps_proportions() -> None:
    bars = np.zeros((3, 28, 28), np.uint8)
    for bar, (h, w) in zip(bars, [(10, 4), (6, 12), (8, 8)], strict=True):
        bar[5 : 5 + h, 7 : 7 + w] = 255
    found = batch_ops.boxes(normalisation.scale_to_box(bars, size=20) > 127)
    sizes = np.stack([found[:, 3] - found[:, 1], found[:, 2] - found[:, 0]], axis=1)
    assert np.abs(sizes - [[20, 8], [10, 20], [20, 20]]).max() <= 1


def test_faint_dirt_does_not_count_as_the_digit() -> None:
    picture = np.zeros((1, 28, 28), np.uint8)
    picture[0, 10:18, 12:16] = 200
    dirty = picture.copy()
    dirty[0, 1, 1] = 20
    clean, out = normalisation.scale_to_box(picture), normalisation.scale_to_box(dirty)
    assert np.abs(clean.astype(int) - out).max() <= 20
    assert (normalisation.scale_to_box(dirty, ink=5) != clean).mean() > 0.1


@pytest.mark.parametrize("shape", [(28, 28), (29, 29), (40, 60)])
def test_centred_digits_have_their_mass_in_the_middle(digits: Split, shape: tuple[int, int]) -> None:
    frame = strewn(digits.images[:100], shape)
    out = normalisation.centre_by_mass(frame)
    np.testing.assert_array_equal(out.sum(axis=(1, 2)), frame.sum(axis=(1, 2)), "ink is moved, not made or lost")
    centres = np.array([ndimage.center_of_mass(i) for i in out])
    assert np.abs(centres - [shape[0] // 2, shape[1] // 2]).max() <= 0.5 + 1e-9
    np.testing.assert_array_equal(normalisation.centre_by_mass(out), out)


def test_digits_as_published_are_already_centred(digits: Split) -> None:
    # The published files are centred by mass, and so is what capture makes of the bundled ones.
    source = digits.images[:300]
    centres = np.array([ndimage.center_of_mass(i) for i in source])
    np.testing.assert_allclose(centres.mean(axis=0), size_normalisation.MIDDLE, atol=0.15)
    assert (normalisation.centre_by_mass(source) == source).all(axis=(1, 2)).mean() > 0.8
