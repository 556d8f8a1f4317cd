"""Fourier transform, outline descriptors, profiles and zoning: against NumPy, scikit-image and what they promise."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.measure import block_reduce

from hdr.features.extract import columns, drawings
from hdr.features.fourier import fourier_transform
from hdr.features.fourier_descriptors import fourier_descriptors
from hdr.features.zoning import profiles, zoning
from hdr.types import Images, Split, Step


@pytest.fixture(scope="module")
def some(digits: Split) -> Images:
    return digits.images[:40]


@pytest.mark.parametrize("shape", [(28, 28), (27, 28), (28, 27), (5, 9), (2, 2), (1, 28), (1, 1)])
@pytest.mark.parametrize("radius", [1, 6, 20])
def test_transform_is_that_of_numpy(shape: tuple[int, int], radius: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, *shape), np.uint8)
    names = columns((Step("fourier_transform", {"radius": radius, "parts": "magnitude"}),), shape)
    u, v = np.array([[int(part) for part in name.split(" at ")[1].split(", ")] for name in names]).T
    expected = np.fft.fft2(images / 255)[:, v, u]
    magnitudes, cosines, sines = np.split(fourier_transform(images, radius=radius), 3, axis=1)
    np.testing.assert_allclose(magnitudes, np.log1p(np.abs(expected)), rtol=0, atol=1e-4)
    phases = expected / (np.abs(expected) + 1e-3)
    phases[:, 0] = 1
    np.testing.assert_allclose(cosines + 1j * sines, phases, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(fourier_transform(images, radius=radius, parts="magnitude"), magnitudes)


@pytest.mark.parametrize("shape", [(28, 28), (27, 28), (6, 9), (2, 1), (1, 1)])
def test_no_frequency_is_kept_twice_or_left_out(shape: tuple[int, int]) -> None:
    h, w = shape
    names = columns((Step("fourier_transform", {"radius": 20, "parts": "magnitude"}),), shape)
    kept = {tuple(int(part) for part in name.split(" at ")[1].split(", ")) for name in names}
    mirrored = {(-u % w, -v % h) for u, v in kept}
    assert len(kept) == len(names)
    assert {(u % w, v % h) for u, v in kept} | mirrored == {(u, v) for u in range(w) for v in range(h)}
    both = {(u % w, v % h) for u, v in kept} & mirrored
    assert all((2 * u) % w == 0 and (2 * v) % h == 0 for u, v in both)


def test_magnitudes_stay_when_the_digit_is_moved_around(some: Images) -> None:
    moved = np.roll(some, (5, -3), axis=(1, 2))
    found = [fourier_transform(images, parts="magnitude") for images in (some, moved)]
    np.testing.assert_allclose(*found, rtol=0, atol=1e-5)


def test_all_frequencies_rebuild_the_digit(some: Images) -> None:
    magnitude, phase, rebuilt = drawings(Step("fourier_transform", {"radius": 20}), some[0])
    np.testing.assert_array_equal(rebuilt.image, some[0])
    assert phase.display == "angle" and magnitude.image.argmax() == 14 * 28 + 14
    coarse = drawings(Step("fourier_transform", {"radius": 1}), some[0])[2].image.astype(int)
    assert np.abs(coarse - some[0]).mean() > 10


def circle(x: int, y: int, radius: int) -> Images:
    image = np.zeros((1, 64, 64), np.uint8)
    cv2.circle(image[0], (x, y), radius, 255, -1)
    return image


def test_descriptors_of_a_circle_are_small() -> None:
    assert np.abs(fourier_descriptors(circle(30, 30, 20))).max() < 0.02


def test_descriptors_stay_when_the_digit_is_moved_turned_or_enlarged(some: Images) -> None:
    found = fourier_descriptors(some)
    np.testing.assert_allclose(fourier_descriptors(np.pad(some, ((0, 0), (3, 9), (6, 0)))), found, rtol=0, atol=1e-5)
    for turns in (1, 2, 3):
        np.testing.assert_allclose(fourier_descriptors(np.rot90(some, turns, (1, 2))), found, rtol=0, atol=0.03)
    larger = np.stack([cv2.resize(image, (56, 56), interpolation=cv2.INTER_LINEAR) for image in some])
    assert np.abs(fourier_descriptors(larger) - found).mean() < 0.03


def test_descriptors_of_an_ellipse_are_those_of_its_formula() -> None:
    image = np.zeros((1, 64, 64), np.uint8)
    cv2.ellipse(image[0], (32, 32), (28, 14), 0, 0, 360, 255, -1)
    turn = np.linspace(0, 2 * np.pi, 10_000)
    path = 28 * np.cos(turn) + 14j * np.sin(turn)
    walked = np.append(0, np.abs(np.diff(path)).cumsum())
    sizes = np.abs(np.fft.fft(np.interp(np.linspace(0, walked[-1], 512, endpoint=False), walked, path)))
    orders = [int(name.split()[1]) for name in columns((Step("fourier_descriptors"),), (64, 64))]
    np.testing.assert_allclose(fourier_descriptors(image)[0], sizes[orders] / sizes[1], rtol=0, atol=0.02)


def test_more_descriptors_rebuild_the_outline_better(some: Images) -> None:
    def off(count: int) -> float:
        outline, rebuilt, _ = drawings(Step("fourier_descriptors", {"count": count}), some[0])
        return float(np.abs(outline.marks[0].points - rebuilt.marks[0].points).mean())

    assert off(2) > off(8) > off(32) and off(32) < 0.2


def test_what_has_no_outline_has_no_descriptors() -> None:
    images = np.zeros((2, 28, 28), np.uint8)
    images[1, 5, 5] = 255
    assert not fourier_descriptors(images).any()


def test_profiles_are_means_of_rows_and_columns(some: Images) -> None:
    expected = np.hstack([some.mean(axis=2), some.mean(axis=1)]) / 2.55
    np.testing.assert_allclose(profiles(some), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("grid", [1, 2, 4, 7, 14])
def test_zoning_is_block_reduce_where_the_grid_fits(some: Images, grid: int) -> None:
    side = 28 // grid
    expected = [block_reduce(image, (side, side), np.mean).ravel() / 2.55 for image in some]
    np.testing.assert_allclose(zoning(some, grid=grid), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("grid", [3, 5, 6, 13])
def test_zones_take_every_pixel_once(grid: int) -> None:
    full, sides = np.full((1, 28, 20), 255, np.uint8), [np.arange(n) * grid // n for n in (28, 20)]
    np.testing.assert_allclose(zoning(full, grid=grid), 100, rtol=1e-6)
    counted = np.zeros((grid, grid))
    np.add.at(counted, (sides[0][:, None], sides[1]), 1)
    assert counted.sum() == 28 * 20 and counted.min() > 0
