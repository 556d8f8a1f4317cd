"""Chains that have a name do what their name says, on a digit and on a photo."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hdr import catalogue
from hdr.preprocessing import PRESETS, Pipeline, corruptions
from hdr.preprocessing.pipeline import chain
from hdr.types import Images, Split


def before_digits(name: str) -> Pipeline:
    """The part of a preset that works on a whole picture, up to where it is cut into digits."""
    steps = chain(*PRESETS[name]).steps
    first = next(i for i, s in enumerate(steps) if catalogue.get("step", s.name).scope == "digit")
    assert all(catalogue.get("step", s.name).scope == "digit" for s in steps[first:])
    return Pipeline(steps[:first])


def agreement(found: NDArray, truth: NDArray) -> float:
    """Dice coefficient of two sets of ink pixels: 1 where they are the same."""
    return 2 * (found & truth).sum() / (found.sum() + truth.sum())


def photo(digits: Images, seed: int) -> tuple[Images, NDArray[np.bool_]]:
    """Twelve digits in dark ink on a sheet of 1,000 pixels, lit from the left: uint8 (1, 1000, 1000), and the ink."""
    rng = np.random.default_rng(seed)
    ink = np.zeros((1000, 1000))
    for k, digit in enumerate(rng.choice(digits, 12, replace=False)):
        y, x = 80 + k // 4 * 300, 40 + k % 4 * 240
        ink[y : y + 200, x : x + 200] = cv2.resize(digit, (200, 200), interpolation=cv2.INTER_CUBIC) / 255
    y, x = np.mgrid[:1000, :1000] / 1000
    paper = 235 - 110 * (0.6 * x + 0.4 * y) - 25 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
    picture = paper * (1 - 0.7 * ink) + rng.normal(0, 12, ink.shape)
    return np.rint(picture).clip(0, 255).astype(np.uint8)[None], ink > 0.5


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_noisy_photo_is_read_where_one_level_fails(digits: Split, seed: int) -> None:
    picture, ink = photo(digits.images[:300], seed)
    by_preset, by_otsu = (p.apply(picture)[0] > 0 for p in (before_digits("Noisy photo"), chain("inversion", "otsu")))
    assert agreement(by_preset, ink) > 0.85 > 0.5 > agreement(by_otsu, ink)


@pytest.mark.parametrize("name", ["Noisy photo", "Clean scan"])
def test_dark_ink_and_light_ink_give_the_same(digits: Split, name: str) -> None:
    source = digits.images[:100]
    np.testing.assert_array_equal(chain(*PRESETS[name]).apply(255 - source), chain(*PRESETS[name]).apply(source))


def test_a_noisy_photo_may_be_a_single_small_digit(digits: Split) -> None:
    source = digits.images[:200]
    pale = corruptions.uneven_light(corruptions.low_contrast(source, amount=50), amount=50)
    for disturbed in (
        source,
        corruptions.gaussian_noise(pale, sigma=15),
        corruptions.salt_and_pepper(source, share=8),
    ):
        out = before_digits("Noisy photo").apply(255 - disturbed) > 0
        assert np.mean([agreement(a, b) for a, b in zip(out, source > 127, strict=True)]) > 0.8


def test_a_clean_scan_keeps_its_digits(digits: Split) -> None:
    source = digits.images[:200]
    out = before_digits("Clean scan").apply(255 - source) > 0
    assert np.mean([agreement(a, b) for a, b in zip(out, source > 127, strict=True)]) > 0.95


def test_presets_differ() -> None:
    assert next(iter(PRESETS)) == "Default" and PRESETS["MNIST as published"] == ()
    assert len({chain(*steps).key for steps in PRESETS.values()}) == len(PRESETS)
