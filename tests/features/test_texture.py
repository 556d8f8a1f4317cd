"""Local binary patterns, co-occurrence and Gabor filters against scikit-image and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.feature import graycomatrix, graycoprops, local_binary_pattern
from skimage.filters import gabor_kernel

from hdr.features.cooccurrence import PROPERTIES, grey_level_cooccurrence
from hdr.features.extract import columns
from hdr.features.gabor import gabor_bank
from hdr.features.local_binary_patterns import local_binary_patterns
from hdr.types import Images, Split, Step


@pytest.fixture(scope="module")
def some(digits: Split) -> Images:
    return np.concatenate([digits.images[:10], np.random.default_rng(0).integers(0, 256, (10, 28, 28), np.uint8)])


@pytest.mark.parametrize("radius", [1, 2, 3, 4])
@pytest.mark.parametrize("samples", [8, 12, 16])
@pytest.mark.parametrize(("patterns", "method"), [("uniform", "nri_uniform"), ("rotation-invariant", "uniform")])
def test_patterns_are_those_of_scikit_image(
    some: Images, radius: int, samples: int, patterns: str, method: str
) -> None:
    found = local_binary_patterns(some, radius=radius, samples=samples, patterns=patterns, zones=1)
    for image, shares in zip(some, found, strict=True):
        codes = local_binary_pattern(image, samples, radius, method).astype(int)
        expected = np.bincount(codes.ravel(), minlength=len(shares)) / codes.size
        # Ours has no rounding in flat areas, theirs has: up to 3 pixels of 784 fall to another pattern.
        assert np.abs(shares - expected).sum() / 2 <= 3 / codes.size


def test_patterns_in_zones_are_those_of_each_zone(some: Images) -> None:
    found = local_binary_patterns(some, zones=2).reshape(len(some), 4, -1)
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-5)
    np.testing.assert_allclose(found.mean(axis=1), local_binary_patterns(some, zones=1), atol=1e-6)


@pytest.mark.parametrize(
    ("bright", "name"),
    [
        ((slice(None), slice(2, None)), "3 of 8 as bright, at 0°"),
        ((slice(2, None), slice(None)), "3 of 8 as bright, at 90°"),
        ((slice(None), slice(0, 1)), "3 of 8 as bright, at 180°"),
        ((2, 2), "1 of 8 as bright, at 45°"),
        ((0, slice(1, 3)), "2 of 8 as bright, at 292.5°"),
    ],
)
def test_names_say_where_the_brighter_places_lie(bright: tuple, name: str) -> None:
    image = np.zeros((3, 3), np.uint8)
    image[1, 1] = 100
    image[bright] = 200
    plain, lit = (local_binary_patterns(i[None], zones=1)[0] for i in (np.zeros((3, 3), np.uint8), image))
    names = columns((Step("local_binary_patterns", {"zones": 1}),), (3, 3))
    assert lit[names.index(name)] > plain[names.index(name)] == 0


@pytest.mark.parametrize("levels", [2, 4, 8, 16])
@pytest.mark.parametrize("distance", [1, 2, 3, 8])
def test_cooccurrence_is_that_of_scikit_image(some: Images, levels: int, distance: int) -> None:
    found = grey_level_cooccurrence(some, levels=levels, distance=distance).reshape(len(some), 5, 4)
    for image, values in zip(some, found, strict=True):
        grey, angles = image // (256 // levels), np.deg2rad([0, 45, 90, 135])
        matrices = graycomatrix(grey, [distance], angles, levels, symmetric=True, normed=True)
        np.testing.assert_allclose(values, [graycoprops(matrices, p)[0] for p in PROPERTIES], rtol=0, atol=1e-4)
    average = grey_level_cooccurrence(some, levels=levels, distance=distance, directions="average")
    np.testing.assert_allclose(average, found.mean(axis=2), rtol=1e-5)


def test_pictures_without_pairs_and_without_contrast() -> None:
    for image in (np.full((1, 1, 1), 200, np.uint8), np.zeros((1, 2, 2), np.uint8)):
        found = grey_level_cooccurrence(image, distance=4, directions="average")[0]
        assert found.tolist() == [0, 0, 0, 0, 1]
    assert grey_level_cooccurrence(np.full((1, 9, 9), 7, np.uint8), directions="average")[0].tolist() == [0, 0, 1, 1, 1]


@pytest.mark.parametrize("wavelength", [3, 5, 9])
def test_gabor_responses_are_those_of_scikit_image(some: Images, wavelength: int) -> None:
    found = gabor_bank(some[8:12], wavelength=wavelength, scales=1, orientations=6, zones=1)
    for image, strengths in zip(some[8:12] / 255, found, strict=True):
        for k, strength in enumerate(strengths):
            kernel = gabor_kernel(1 / wavelength, np.deg2rad(30 * k), bandwidth=1, n_stds=4)
            # Ours lets no flat area through.
            kernel = kernel - np.abs(kernel) * kernel.sum() / np.abs(kernel).sum()
            parts = [ndimage.convolve(image, part, mode="nearest") for part in (kernel.real, kernel.imag)]
            assert strength == pytest.approx(np.hypot(*parts).mean(), rel=0.01)


def test_gabor_filters_answer_to_waves_of_their_direction_and_length() -> None:
    along = np.round(127.5 + 127.5 * np.cos(2 * np.pi * np.arange(28) / 5)).astype(np.uint8)
    upright = np.broadcast_to(along, (28, 28))
    images = np.stack([upright, upright.T, np.full((28, 28), 255, np.uint8)])
    found = gabor_bank(images, wavelength=5, scales=2, orientations=4, zones=1)
    names = columns((Step("gabor_bank", {"zones": 1}),), (28, 28))
    assert names[found[0].argmax()] == "waves of 5 px at 0°" and names[found[1].argmax()] == "waves of 5 px at 90°"
    assert found[2].max() < 1e-5
