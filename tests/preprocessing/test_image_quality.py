"""PSNR and SSIM: what scikit-image says, and what the ends of their ranges mean."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from hdr.preprocessing.image_quality import WINDOW, Quality, quality
from hdr.types import Split


@given(
    st.integers(WINDOW, 40), st.integers(WINDOW, 40), st.integers(1, 255), st.integers(0, 2**32 - 1)
)  # fmt: skip
def test_both_are_what_scikit_image_says(h: int, w: int, noise: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    clean = rng.integers(0, 256, (h, w), np.uint8)
    image = np.clip(clean + rng.normal(0, noise, (h, w)), 0, 255).astype(np.uint8)
    image[0, 0] = clean[0, 0] ^ 255
    found = quality(clean, image)
    assert found.psnr == pytest.approx(peak_signal_noise_ratio(clean, image, data_range=255))
    assert found.ssim == pytest.approx(structural_similarity(clean, image, data_range=255))


def test_equal_pictures_cannot_be_nearer(digits: Split) -> None:
    found = quality(digits.images[0], digits.images[0].copy())
    assert found == Quality(math.inf, 1.0)


def test_one_level_of_error_everywhere_is_48_decibels() -> None:
    clean = np.full((28, 28), 100, np.uint8)
    assert quality(clean, clean + np.uint8(1)).psnr == pytest.approx(20 * math.log10(255))


def test_black_for_white_is_as_far_as_it_goes() -> None:
    black, white = np.zeros((28, 28), np.uint8), np.full((28, 28), 255, np.uint8)
    for found in (quality(black, white), quality(white, black)):
        assert found.psnr == 0
        assert 0 <= found.ssim < 1e-3


def test_more_noise_is_less_of_both(digits: Split) -> None:
    clean = digits.images[3]
    noise = np.random.default_rng(0).normal(0, 1, clean.shape)
    found = [quality(clean, np.clip(clean + s * noise, 0, 255).astype(np.uint8)) for s in (5, 20, 60)]
    assert found[0].psnr > found[1].psnr > found[2].psnr
    assert found[0].ssim > found[1].ssim > found[2].ssim


@pytest.mark.parametrize("shape", [(1, 1), (WINDOW - 1, 28), (28, WINDOW - 1)])
def test_pictures_smaller_than_its_window_have_no_ssim(shape: tuple[int, int]) -> None:
    clean = np.zeros(shape, np.uint8)
    assert quality(clean, clean) == Quality(math.inf, None)
    assert quality(clean, clean + np.uint8(255)) == Quality(0, None)


def test_pictures_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(28, 28\) and \(14, 14\) cannot be compared"):
        quality(np.zeros((28, 28), np.uint8), np.zeros((14, 14), np.uint8))
