"""Principal components and maps: what must hold for any digits."""

from __future__ import annotations

import numpy as np
import pytest

from hdr import catalogue
from hdr.features.embeddings import Components, components, embed, strangest
from hdr.features.feature_ranking import Sample, sample
from hdr.preprocessing import Pipeline
from hdr.types import HdrError, Split, Step


@pytest.fixture(scope="module")
def drawn(digits: Split) -> Sample:
    """Three hundred digits as pixels."""
    return sample(digits, Pipeline(), (catalogue.with_defaults("feature", Step("pixels")),), 300)


@pytest.fixture(scope="module")
def found(drawn: Sample) -> Components:
    """Their principal components: as many as digits."""
    return components(drawn.images)


def test_components_have_length_one_and_stand_at_right_angles(found: Components) -> None:
    flat = found.components.reshape(len(found), -1)
    kept = flat[found.variance > 1e-6]
    np.testing.assert_allclose(kept @ kept.T, np.eye(len(kept)), atol=1e-8)


def test_shares_fall_and_sum_to_one(found: Components) -> None:
    assert (np.diff(found.ratio) <= 1e-12).all()
    assert found.ratio.sum() == pytest.approx(1)
    needed = found.needed(0.9)
    assert found.ratio[:needed].sum() >= 0.9 > found.ratio[: needed - 1].sum()


def test_a_digit_of_the_sample_comes_back_whole_from_all_components(found: Components, drawn: Sample) -> None:
    rebuilt, own = found.rebuild(drawn.images[7], len(found))
    assert np.abs(rebuilt.astype(int) - drawn.images[7]).max() <= 1
    assert own == pytest.approx(1)


def test_more_components_hold_more(found: Components, digits: Split) -> None:
    held = [found.rebuild(digits.images[1], k)[1] for k in (0, 1, 5, 20, 80)]
    assert held[0] == 0 and held == sorted(held) and held[-1] <= 1


def test_none_at_all_give_the_mean(found: Components, drawn: Sample) -> None:
    mean = np.rint(drawn.images.mean(axis=0))
    np.testing.assert_array_equal(found.rebuild(drawn.images[0], 0)[0], mean)
    np.testing.assert_array_equal(found.walk(0, [0])[0], mean)


def test_a_walk_goes_by_standard_deviations(found: Components, drawn: Sample) -> None:
    scores = np.array([found.scores(image)[0] for image in drawn.images])
    assert scores.std(ddof=1) == pytest.approx(np.sqrt(found.variance[0]))
    back, _, on = found.walk(0, [-1, 0, 1])
    assert found.scores(on)[0] > 0 > found.scores(back)[0]


def test_pictures_of_components_are_on_one_scale(found: Components) -> None:
    shown = found.pictures(10)
    assert shown.dtype == np.uint8 and shown.shape == (10, 28, 28)
    assert np.abs(shown.astype(int) - 128).max() == 127
    rim = shown[:, 0, 0]
    assert (np.abs(rim.astype(int) - 128) <= 1).all(), "nobody writes there"


def test_a_digit_of_another_size_is_refused(found: Components) -> None:
    with pytest.raises(HdrError, match="20x10 pixels; the components come from digits of 28x28"):
        found.scores(np.zeros((10, 20), np.uint8))


def test_pictures_that_are_too_large_are_refused() -> None:
    with pytest.raises(HdrError, match="at most 64x64"):
        components(np.zeros((3, 65, 20), np.uint8))


def test_digits_that_are_all_alike_have_no_variance() -> None:
    found = components(np.full((5, 6, 6), 9, np.uint8))
    assert (found.ratio == 0).all()
    assert found.rebuild(np.full((6, 6), 9, np.uint8), 2)[1] == 1


def test_a_map_is_the_same_each_time_and_neighbours_stay_neighbours(drawn: Sample) -> None:
    one, two = embed(drawn, "tsne", scale=False), embed(drawn, "tsne", scale=False)
    np.testing.assert_array_equal(one.points, two.points)
    assert one.points.shape == (300, 2) and one.points.dtype == np.float32
    distance = np.linalg.norm(one.points[:, None] - one.points[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (drawn.labels[distance.argmin(axis=1)] == drawn.labels).mean() > 0.6


def test_the_plane_of_pca_holds_the_first_two_shares(drawn: Sample, found: Components) -> None:
    plane = embed(drawn, "pca", scale=False)
    np.testing.assert_allclose(plane.ratio, found.ratio[:2], rtol=1e-3)


def test_columns_of_different_units_may_be_brought_to_one_scale(drawn: Sample) -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(300, 5)) * [1000, 1, 1, 1, 1]
    mixed = Sample(drawn.index, drawn.labels, drawn.images, tuple("abcde"), values.astype(np.float32))
    assert embed(mixed, "pca", scale=True).ratio[0] < 0.4
    assert embed(mixed, "pca", scale=False).ratio[0] > 0.99


def test_a_plane_needs_two_columns_that_vary(drawn: Sample) -> None:
    values = np.column_stack([np.arange(300), np.ones(300)]).astype(np.float32)
    with pytest.raises(HdrError, match="a plane needs two"):
        embed(Sample(drawn.index, drawn.labels, drawn.images, ("a", "b"), values), "pca", scale=True)


def test_the_strangest_lies_among_another_class() -> None:
    points = np.concatenate([np.random.default_rng(0).normal(size=(50, 2)), [[20, 20]] * 50])
    labels = np.repeat(np.array([3, 8], np.uint8), 50)
    points[4] = [20, 20]
    assert strangest(points, labels) == 4
