"""Bilateral, non-local means, wavelets, gamma, CLAHE and inversion: against their formulas or another library."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import pywt
from numpy.typing import NDArray
from scipy import ndimage
from skimage import exposure, restoration

from hdr.preprocessing import contrast, corruptions, noise_reduction
from hdr.types import Images, Split
from tests.support.tolerances import assert_close


def by_formula_bilateral(images: Images, sigma_space: float, sigma_grey: float) -> NDArray[np.float64]:
    # scikit-image's own is no oracle: its weights in space are not those of the formula.
    r = int(np.ceil(3 * sigma_space))
    padded = np.pad(images.astype(float), ((0, 0), (r, r), (r, r)), mode="edge")
    _, h, w = images.shape
    total, weights = np.zeros(images.shape), np.zeros(images.shape)
    for dy, dx in np.argwhere(np.hypot(*np.mgrid[-r : r + 1, -r : r + 1]) <= r) - r:
        near = padded[:, r + dy : r + dy + h, r + dx : r + dx + w]
        weight = np.exp(-(dx**2 + dy**2) / (2 * sigma_space**2) - (near - images) ** 2 / (2 * sigma_grey**2))
        total, weights = total + weight * near, weights + weight
    return total / weights


@pytest.mark.parametrize(("sigma_space", "sigma_grey"), [(1.5, 60), (0.5, 20), (3.0, 150), (1.0, 5)])
def test_bilateral_follows_its_formula(images: Images, sigma_space: float, sigma_grey: int) -> None:
    out = noise_reduction.bilateral(images, sigma_space=sigma_space, sigma_grey=sigma_grey)
    assert_close(out, by_formula_bilateral(images, sigma_space, sigma_grey), 1.001)


def by_formula_non_local_means(images: Images, strength: float, patch: int, window: int) -> NDArray[np.float64]:
    a, b = patch // 2, window // 2
    _, h, w = images.shape
    padded = np.pad(images.astype(float), ((0, 0), (a + b, a + b), (a + b, a + b)), mode="reflect")
    here = padded[:, b:-b, b:-b]
    total, weights = np.zeros(images.shape), np.zeros(images.shape)
    for dy, dx in np.ndindex(window, window):
        there = padded[:, dy : dy + h + 2 * a, dx : dx + w + 2 * a]
        apart = ndimage.uniform_filter((there - here) ** 2, (1, patch, patch))[:, a : a + h, a : a + w]
        weight = np.exp(-apart / strength**2)
        total, weights = total + weight * there[:, a : a + h, a : a + w], weights + weight
    return total / weights


@pytest.mark.parametrize(("strength", "patch", "window"), [(20, 5, 11), (60, 3, 7), (20, 7, 21)])
def test_non_local_means_follows_its_formula(images: Images, strength: int, patch: int, window: int) -> None:
    # OpenCV compares patches in whole numbers and leaves out weights below a thousandth.
    out = noise_reduction.non_local_means(images, strength=strength, patch=patch, window=window)
    expected = by_formula_non_local_means(images, strength, patch, window)
    assert_close(out, expected, 5.0)
    assert np.abs(out - expected).mean() < 0.3


@pytest.mark.parametrize("wavelet", ["haar", "db2", "sym4", "coif1"])
@pytest.mark.parametrize(
    ("threshold", "rule"), [("soft", "BayesShrink"), ("hard", "BayesShrink"), ("soft", "VisuShrink")]
)
@pytest.mark.parametrize("level", [1, 2, 5])
def test_wavelet_denoising_is_that_of_scikit_image(
    images: Images, wavelet: str, level: int, threshold: str, rule: str
) -> None:
    # Where there is no noise at all, scikit-image divides nothing by nothing.
    images = corruptions.gaussian_noise(images, sigma=20)
    out = noise_reduction.wavelet_denoising(images, wavelet=wavelet, level=level, threshold=threshold, rule=rule)
    fitting = min(level, pywt.dwtn_max_level(images.shape[1:], wavelet))
    for image, result in zip(images, out, strict=True):
        # The noise is measured over all coefficients here, not only over those that are not zero: given to both.
        sigma = np.median(np.abs(pywt.dwt2(image.astype(float), wavelet)[1][2])) / 0.6745
        expected = restoration.denoise_wavelet(
            image.astype(float), sigma, wavelet, threshold, fitting, method=rule, rescale_sigma=False
        )
        # A value that lies half-way may be rounded either way.
        assert np.abs(result - expected.clip(0, 255)).max() < 0.5 + 1e-6


def test_wavelets_leave_a_clean_digit_alone_and_ask_for_no_level_that_does_not_fit(digits: Split) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(noise_reduction.wavelet_denoising(digits.images[:50]), digits.images[:50])
        for shape in [(1, 1), (1, 28), (28, 1), (2, 2), (3, 28), (5, 5), (7, 9)]:
            image = np.random.default_rng(0).integers(0, 256, (2, *shape), np.uint8)
            for wavelet in ("haar", "db2", "sym4", "coif1"):
                assert noise_reduction.wavelet_denoising(image, wavelet=wavelet, level=5).shape == image.shape


@pytest.mark.parametrize(
    "denoise",
    [
        noise_reduction.mean,
        noise_reduction.gaussian,
        noise_reduction.bilateral,
        noise_reduction.non_local_means,
        noise_reduction.wavelet_denoising,
    ],
)
def test_denoisers_bring_grey_hills_nearer_to_what_they_were(denoise) -> None:
    smooth = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(10, 40, 40)), (0, 5, 5))
    clean = np.rint(60 + 140 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)
    noisy = corruptions.gaussian_noise(clean, sigma=15)
    before, after = (np.square(i.astype(float) - clean).mean() for i in (noisy, denoise(noisy)))
    assert after < 0.6 * before


@pytest.mark.parametrize("exponent", [0.1, 0.4, 1.0, 2.2, 5.0])
def test_gamma_is_that_of_scikit_image(images: Images, exponent: float) -> None:
    assert_close(contrast.gamma(images, exponent=exponent), exposure.adjust_gamma(images, exponent), 1.0)


def stretched(image: NDArray) -> NDArray[np.float64]:
    return (image.astype(float) - image.min()) / max(float(np.ptp(image)), 1.0)


@pytest.mark.parametrize(("clip", "tiles"), [(4.0, 2), (10.0, 1), (40.0, 1)])
def test_adaptive_equalisation_is_like_that_of_scikit_image(digits: Split, clip: float, tiles: int) -> None:
    # scikit-image shares out what was clipped in another order, and stretches the result to the whole range.
    images = digits.images[:60]
    out = contrast.adaptive_equalisation(images, clip=clip, tiles=tiles)
    for image, result in zip(images, out, strict=True):
        expected = exposure.equalize_adapthist(image, kernel_size=28 // tiles, clip_limit=clip / 256, nbins=256)
        assert np.corrcoef(expected.ravel(), result.ravel())[0, 1] > 0.99
        assert np.abs(stretched(expected) - stretched(result)).mean() < 0.05


def test_one_tile_without_a_limit_is_plain_equalisation() -> None:
    image = np.random.default_rng(0).normal(120, 9, (4, 40, 40)).clip(0, 255).astype(np.uint8)
    out = contrast.adaptive_equalisation(image, clip=40.0, tiles=1)
    assert_close(out, [255 * exposure.equalize_hist(i, nbins=256) for i in image], 3.0)


DISTURBED = {
    "clean": lambda i: i,
    "noise": lambda i: corruptions.gaussian_noise(i, sigma=100),
    "specks": lambda i: corruptions.salt_and_pepper(i, share=30),
    "light": lambda i: corruptions.uneven_light(i, amount=100),
    "pale": lambda i: corruptions.low_contrast(i, amount=90),
    "thick": lambda i: corruptions.pen_pressure(i, pressure=1.5),
    "all": lambda i: corruptions.gaussian_noise(
        corruptions.uneven_light(corruptions.low_contrast(i, amount=60), amount=40), sigma=15
    ),
}


@pytest.mark.parametrize("disturb", DISTURBED.values(), ids=DISTURBED)
def test_automatic_inversion_finds_the_paper(digits: Split, disturb) -> None:
    light_ink = disturb(digits.images[:500])
    assert (contrast.inversion(light_ink) == light_ink).all(axis=(1, 2)).mean() > 0.995
    assert (contrast.inversion(255 - light_ink) == light_ink).all(axis=(1, 2)).mean() > 0.995


def test_inversion_of_blank_sheets_and_always() -> None:
    sheets = np.full((3, 9, 7), 0, np.uint8)
    sheets[1], sheets[2] = 127, 128
    assert contrast.inversion(sheets)[:, 0, 0].tolist() == [0, 127, 127]
    assert contrast.inversion(sheets, when="always")[:, 0, 0].tolist() == [255, 128, 127]
