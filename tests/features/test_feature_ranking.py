"""What features say about many digits, against scikit-learn's figures and cases that can be known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_selection import f_classif
from sklearn.metrics import roc_auc_score

from hdr import catalogue
from hdr.features import feature_ranking
from hdr.features.feature_ranking import (
    Sample,
    best_pairs,
    f_values,
    information,
    informative_columns,
    order,
    ranking,
    sample,
)
from hdr.preprocessing import PRESETS, Pipeline
from hdr.preprocessing.pipeline import chain
from hdr.types import HdrError, Split, Step

PIXELS = (catalogue.with_defaults("feature", Step("pixels")),)


@pytest.fixture(scope="module")
def drawn(digits: Split) -> Sample:
    """Four hundred digits as pixels."""
    return sample(digits, Pipeline(), PIXELS, 400)


def made(features: np.ndarray, labels: np.ndarray) -> Sample:
    """A sample of features that were made up."""
    n, d = features.shape
    names = tuple(f"column {i}" for i in range(d))
    return Sample(np.arange(n), labels, np.zeros((n, 2, 2), np.uint8), names, features.astype(np.float32))


@pytest.fixture
def known() -> Sample:
    """A constant, noise, one class's mark, a spread without a mean, and that mark almost again."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(10, dtype=np.uint8), 60)
    noise = random.normal(size=(600, 4))
    mark = (labels == 7) * 5 + noise[:, 1]
    spread = noise[:, 2] * np.where(labels == 3, 30, 1)
    return made(np.column_stack([np.full(600, 0.1), noise[:, 0], mark, spread, mark + noise[:, 3] / 50]), labels)


def test_a_sample_is_the_same_for_the_same_seed_and_knows_its_digits(digits: Split) -> None:
    one, two = (sample(digits, Pipeline(), PIXELS, 300, seed=5) for _ in range(2))
    np.testing.assert_array_equal(one.index, two.index)
    assert (np.diff(one.index) > 0).all() and len(one.index) == 300
    np.testing.assert_array_equal(one.labels, digits.labels[one.index])
    np.testing.assert_array_equal(one.images, digits.images[one.index])
    assert one.pictured and len(one.columns) == 784
    assert not np.array_equal(one.index, sample(digits, Pipeline(), PIXELS, 300, seed=6).index)


def test_a_sample_goes_through_the_pipeline(digits: Split) -> None:
    pipeline = chain(*PRESETS["Default"])
    found = sample(digits, pipeline, PIXELS, 50)
    np.testing.assert_array_equal(found.images, pipeline.apply(digits.images[found.index]))
    np.testing.assert_allclose(found.features * 255, found.images.reshape(50, -1), atol=1e-4)


def test_very_many_columns_make_a_smaller_sample(digits: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_ranking, "VALUES", 784 * 100)
    assert len(sample(digits, Pipeline(), PIXELS, 2000).index) == min(500, len(digits))


def test_everything_is_read_only(drawn: Sample) -> None:
    for value in (drawn.features, drawn.images, ranking(drawn).f):
        with pytest.raises(ValueError, match="read-only"):
            value[0] = 0
    assert drawn.nbytes >= drawn.features.nbytes + drawn.images.nbytes


def test_f_is_that_of_scikit_learn_and_constants_have_none(drawn: Sample, known: Sample) -> None:
    varied = np.ptp(drawn.features, axis=0) > 0
    found = f_values(drawn.features, drawn.labels)
    expected = f_classif(drawn.features[:, varied].astype(np.float64), drawn.labels)[0]
    np.testing.assert_allclose(found[varied], expected, rtol=1e-9)
    assert (found[~varied] == 0).all()
    assert f_values(known.features, known.labels)[0] == 0, "0.1 is no exact number, and yet a constant"


def test_classes_without_any_spread_have_an_infinite_f() -> None:
    labels = np.repeat(np.arange(10, dtype=np.uint8), 3)
    assert f_values(labels[:, None].astype(np.float32), labels)[0] == np.inf


def test_the_pair_is_the_one_with_the_largest_area_of_all(drawn: Sample) -> None:
    pair, auc = best_pairs(drawn.features, drawn.labels)
    assert auc.min() >= 0.5 and auc.max() <= 1
    for column in (0, 210, 350, 400, 500):
        values, areas = drawn.features[:, column], {}
        for a, b in feature_ranking.PAIRS:
            these = np.isin(drawn.labels, (a, b))
            areas[a, b] = roc_auc_score(drawn.labels[these] == b, values[these])
        best = max(areas, key=lambda p: abs(areas[p] - 0.5))
        assert auc[column] == pytest.approx(max(areas[best], 1 - areas[best]))
        if auc[column] > 0.5:
            assert sorted(pair[column].tolist()) == list(best)
            low, high = pair[column].tolist()
            assert roc_auc_score(*_two(drawn, column, low, high)) == pytest.approx(auc[column])


def _two(drawn: Sample, column: int, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    these = np.isin(drawn.labels, (low, high))
    return drawn.labels[these] == high, drawn.features[these, column]


def test_a_class_that_is_not_there_is_in_no_pair() -> None:
    labels = np.repeat(np.array([2, 5, 8], np.uint8), 20)
    values = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    assert set(best_pairs(values, labels)[0].ravel().tolist()) <= {2, 5, 8}


def test_the_ranking_finds_what_was_hidden(known: Sample) -> None:
    found = ranking(known)
    assert set(order(found.f)[:2].tolist()) == {2, 4}
    assert found.pair[2, 1] == 7 and found.auc[2] > 0.99
    assert found.f[0] == 0 and found.auc[0] == 0.5


def test_information_sees_spread_where_f_does_not(known: Sample) -> None:
    f = f_values(known.features, known.labels)
    heard: list[float] = []
    found = information(known, f, lambda words, share=None: heard.append(share))
    assert found.digits == 600 and heard == [0.0]
    assert found.bits[0] == 0 and found.bits[1] < 0.1
    assert found.bits[3] > 0.25 and f[3] < 5
    assert 0.3 < found.bits[2] < np.log2(10)


def test_information_is_bounded_to_the_likely_columns(known: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_ranking, "INFORMED_COLUMNS", 2)
    bits = information(known, f_values(known.features, known.labels)).bits
    assert np.isnan(bits[[1, 3]]).all() and (bits[[2, 4]] > 0.3).all() and bits[0] == 0
    assert set(order(bits)[-2:].tolist()) == {1, 3}, "what is not known comes last"


def test_telling_columns_are_not_one_thing_twice(known: Sample) -> None:
    x, y = informative_columns(known)
    assert x in (2, 4) and y not in (2, 4)
    with pytest.raises(HdrError, match="only one column"):
        informative_columns(made(known.features[:, :1], known.labels))


def test_two_columns_that_are_one_are_taken_all_the_same(known: Sample) -> None:
    twice = np.column_stack([known.features[:, 2], known.features[:, 2]])
    assert set(informative_columns(made(twice, known.labels))) == {0, 1}
