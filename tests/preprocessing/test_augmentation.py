"""Distorted copies: within their limits, by seed and digit alone, and right where the answer is known."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from hdr import catalogue
from hdr.preprocessing import batch_ops
from hdr.preprocessing.augmentation import MOST_COPIES, distort
from hdr.types import Split

ENTRY = catalogue.get("augmentation", "distort")
OFF = {"shift": 0.0, "rotation": 0, "scale": 0, "shear": 0, "alpha": 0, "stroke": 0.0}
ALL = {"shift": 1.0, "rotation": 8, "scale": 8, "shear": 5, "alpha": 34, "stroke": 0.5}
STRONGEST = {"shift": 4.0, "rotation": 30, "scale": 30, "shear": 30, "alpha": 60, "stroke": 1.0}


def copies_of(images: np.ndarray, seed: int = 0, first: int = 0, **params: Any) -> np.ndarray:
    """Versions of images that are the first, or later, of their training split: uint8 (n, 1 + copies, h, w)."""
    return distort(images, seed, np.arange(first, first + len(images)), **{**OFF, **params})


@pytest.fixture(scope="module")
def disc() -> np.ndarray:
    """A disc of radius 5 off the middle, so that turns and scales move it: uint8 (1, 28, 28)."""
    return cv2.circle(np.zeros((28, 28), np.uint8), (18, 12), 5, 255, -1)[None]


def test_without_any_limit_copies_are_the_digit(digits: Split) -> None:
    images = digits.images[:20]
    found = copies_of(images, copies=3)
    assert found.shape == (20, 4, 28, 28) and found.dtype == np.uint8
    assert (found == images[:, None]).all()


@pytest.mark.parametrize("name", list(OFF))
def test_each_limit_changes_the_copies_and_never_the_digit_itself(name: str, digits: Split) -> None:
    images = digits.images[:30]
    before = images.copy()
    found = copies_of(images, copies=2, **{name: STRONGEST[name]})
    assert (images == before).all() and (found[:, 0] == images).all()
    assert (found[:, 1:] != images[:, None]).any(axis=(2, 3)).all()
    assert (found[:, 1] != found[:, 2]).any(axis=(1, 2)).all(), "every copy is another one"


def test_a_copy_depends_on_its_digit_and_the_seed_alone(digits: Split) -> None:
    images = digits.images[:1100]
    whole = copies_of(images, seed=5, copies=2, **ALL)
    assert (copies_of(images[1000:], seed=5, first=1000, copies=2, **ALL) == whole[1000:]).all()
    assert (copies_of(images[:50], seed=5, copies=4, **ALL)[:, :3] == whole[:50]).all(), "more copies keep the first"
    assert (copies_of(images[:50], seed=6, copies=2, **ALL)[:, 1:] != whole[:50, 1:]).any()
    assert (copies_of(images[:50], seed=5, first=1, copies=2, **ALL)[:, 1:] != whole[:50, 1:]).any()


def test_one_slider_does_not_throw_the_others_dice_anew(disc: np.ndarray) -> None:
    many = np.repeat(disc, 40, axis=0)
    alone, pressed = (copies_of(many, shift=3.0, stroke=s)[:, 1] for s in (0.0, 0.5))
    one, other = (np.stack(batch_ops.moments(found)[1:3]) for found in (alone, pressed))
    assert np.abs(one - other).max() < 0.1


def test_a_shift_is_within_its_limit_and_uses_it(disc: np.ndarray) -> None:
    many = np.repeat(disc, 300, axis=0)
    centroid = [np.stack(batch_ops.moments(found)[1:3]) for found in (many, copies_of(many, shift=3.0)[:, 1])]
    moved = centroid[1] - centroid[0]
    assert 2.8 < np.abs(moved).max() < 3.1 and abs(moved.mean()) < 0.3
    assert abs(np.corrcoef(moved)[0, 1]) < 0.2, "right and down are drawn by themselves"


def test_a_rotation_turns_about_the_middle_within_its_limit(disc: np.ndarray) -> None:
    many = np.repeat(disc, 300, axis=0)
    places = [np.stack(batch_ops.moments(found)[1:3]) - 13.5 for found in (many, copies_of(many, rotation=20)[:, 1])]
    angles = [np.rad2deg(np.arctan2(y, x)) for x, y in places]
    turned = angles[1] - angles[0]
    assert 19 < np.abs(turned).max() < 20.5 and turned.min() < -15 and turned.max() > 15
    np.testing.assert_allclose(np.hypot(*places[1]), np.hypot(*places[0]), atol=0.15)


def test_a_scale_makes_larger_and_smaller(disc: np.ndarray) -> None:
    many = np.repeat(disc, 300, axis=0)
    mass = [batch_ops.moments(found)[0] for found in (many, copies_of(many, scale=10)[:, 1])]
    ratio = np.sqrt(mass[1] / mass[0])
    assert 0.89 < ratio.min() < 0.92 and 1.08 < ratio.max() < 1.11


def test_a_shear_moves_rows_by_their_height() -> None:
    bar = np.zeros((300, 28, 28), np.uint8)
    bar[:, 4:24, 13:15] = 255
    _, cx, cy, mu11, mu02 = batch_ops.moments(copies_of(bar, shear=20)[:, 1])
    slant = np.rad2deg(np.arctan(mu11 / mu02))
    assert 19 < np.abs(slant).max() < 20.5 and np.abs(cx - 13.5).max() < 0.1 and np.abs(cy - 13.5).max() < 0.1


def test_a_stroke_is_thickened_and_thinned() -> None:
    bar = np.zeros((300, 28, 28), np.uint8)
    bar[:, 4:24, 12:16] = 255
    width = copies_of(bar, stroke=1.0)[:, 1, 14].sum(axis=1) / 255
    assert 2.0 <= width.min() < 2.1 and 5.9 < width.max() <= 6.0


def test_elastic_displacements_are_as_large_as_the_paper_makes_them() -> None:
    # A ramp shows by its grey values how far each place was moved sideways.
    ramp = np.tile(np.arange(28, dtype=np.uint8) * 9, (200, 28, 1))
    moved = (copies_of(ramp, alpha=34, sigma=4)[:, 1, 10:18, 10:18].astype(float) - ramp[:, 10:18, 10:18]) / 9
    # The noise has a standard deviation of 1 / sqrt(3); a Gaussian filter divides it by 2 sqrt(pi) sigma.
    assert moved.std() == pytest.approx(34 / np.sqrt(3) / (2 * np.sqrt(np.pi) * 4), rel=0.15)
    smoother = copies_of(ramp, alpha=34, sigma=8)[:, 1, 10:18, 10:18].astype(float)
    assert (smoother - ramp[:, 10:18, 10:18]).std() / 9 < 0.7 * moved.std()


@pytest.mark.parametrize("shape", [(28, 28), (64, 20)])
def test_the_strongest_on_any_size(shape: tuple[int, int]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (7, *shape)).astype(np.uint8)
    assert copies_of(images, copies=MOST_COPIES, **STRONGEST).shape == (7, 11, *shape)
    assert copies_of(images[:0], **STRONGEST).shape == (0, 2, *shape)


def test_it_has_words_and_a_formula() -> None:
    assert ENTRY.caption.count(".") == 2 and ENTRY.formula and "Simard" in ENTRY.source
    assert [p.name for p in ENTRY.parameters] == ["copies", *list(OFF)[:5], "sigma", "stroke"]
    for parameter in ENTRY.parameters:
        assert parameter.minimum == {"copies": 1, "sigma": 2}.get(parameter.name, 0)
