"""Figures of a data set: against plain numpy, and MNIST's as they are known."""

from __future__ import annotations

import numpy as np
import pytest

from hdr import datasets
from hdr.datasets import statistics
from hdr.types import Dataset, Split


@pytest.fixture(scope="module")
def figures(digits: Split) -> statistics.SplitFigures:
    """Those of real digits."""
    return statistics.measure(digits)


def test_figures_are_those_of_numpy(figures: statistics.SplitFigures, digits: Split) -> None:
    pixels = digits.images.astype(np.float64)
    assert (figures.low, figures.high) == (pixels.min(), pixels.max())
    assert figures.mean == pytest.approx(pixels.mean())
    assert figures.deviation == pytest.approx(pixels.std())
    np.testing.assert_array_equal(figures.counts, np.bincount(digits.labels, minlength=10))
    fours = pixels[digits.labels == 4]
    np.testing.assert_allclose(figures.class_mean[4], fours.mean(axis=0))
    np.testing.assert_allclose(figures.class_deviation[4], fours.std(axis=0), atol=1e-6)
    np.testing.assert_allclose(figures.ink, pixels.mean(axis=(1, 2)) / 2.55)


def test_a_box_and_a_stroke_that_are_known() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 10:14] = 255
    found = statistics.measure(Split(image[None], np.array([1], np.uint8)))
    assert (found.width[0], found.height[0]) == (4, 20)
    assert found.stroke[0] == pytest.approx(4, abs=0.8)
    assert found.class_mean[0].max() == 0, "there is no 0"


def test_a_blank_digit_has_no_size_and_no_stroke() -> None:
    found = statistics.measure(Split(np.zeros((1, 28, 28), np.uint8), np.array([0], np.uint8)))
    assert (found.width[0], found.height[0], found.stroke[0], found.deviation) == (0, 0, 0, 0)


def test_figures_cannot_be_changed(figures: statistics.SplitFigures) -> None:
    with pytest.raises(ValueError, match="read-only"):
        figures.ink[0] = 0


def test_strokes_are_measured_of_digits_from_all_over_the_split(digits: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "STROKE_SAMPLE", 100)
    assert 50 <= len(statistics.measure(digits).stroke) <= 100


def test_mnist_is_not_standardised(mnist: Dataset) -> None:
    found = statistics.describe(mnist)
    assert (found.train.low, found.train.high) == (0, 255)
    assert found.train.mean == pytest.approx(33.3184, abs=1e-3)
    assert found.train.deviation == pytest.approx(78.5675, abs=1e-3)
    assert len(found.train) == 60_000 and len(found.test) == 10_000
    assert found.train.height.max() == 20, "scaled into a box of 20 pixels"


@pytest.mark.parametrize("name", datasets.available())
def test_every_data_set_has_facts_with_sources(name: str) -> None:
    facts = statistics.FACTS[name]
    assert facts and all(fact.text.endswith(".") and fact.source for fact in facts)
