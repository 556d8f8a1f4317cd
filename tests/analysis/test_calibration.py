"""Reliability, temperature and abstaining, against values by hand and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hdr.analysis.calibration import (
    MIN_PROBABILITY,
    apply_temperature,
    at_threshold,
    brier,
    calibrate,
    fit_temperature,
    nll,
    reliability,
    risk_coverage,
)
from hdr.training.fitting import fit
from hdr.training.run_spec import RunSpec
from hdr.types import Dataset, Labels, Step


def called(said: list[int], confidence: list[float]) -> NDArray[np.float64]:
    """Probabilities that name these classes with that confidence; the rest is spread evenly."""
    p = np.repeat((1 - np.array(confidence))[:, None] / 9, 10, axis=1)
    p[np.arange(len(said)), said] = confidence
    return p


@pytest.fixture(scope="module")
def drawn() -> tuple[Labels, NDArray[np.float64]]:
    """3,000 digits whose labels follow the probabilities: perfectly calibrated."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2.5, (3000, 10))
    p = np.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(10, p=row) for row in p]).astype(np.uint8)
    return labels, p


def test_two_groups_by_hand() -> None:
    labels = np.array([1, 1, 2, 2], np.uint8)
    found = reliability(labels, called([1, 3, 2, 2], [0.6, 0.6, 0.9, 1.0]), bins=2)
    np.testing.assert_allclose(found.confidence, [0.6, 0.95])
    np.testing.assert_allclose(found.accuracy, [0.5, 1.0])
    np.testing.assert_array_equal(found.count, [2, 2])
    assert found.ece == pytest.approx((0.1 + 0.05) / 2)
    assert (found.low < found.accuracy).all() and (found.high[0] > 0.5)


def test_groups_are_those_of_scikit_learn(drawn: tuple[Labels, NDArray[np.float64]]) -> None:
    from sklearn.calibration import calibration_curve

    labels, p = drawn
    found = reliability(labels, p)
    right, said = calibration_curve(p.argmax(axis=1) == labels, p.max(axis=1), n_bins=15, strategy="quantile")
    np.testing.assert_allclose(found.accuracy, right)
    np.testing.assert_allclose(found.confidence, said)
    assert found.count.sum() == 3000 and np.ptp(found.count) <= 1


def test_digits_of_one_confidence_are_one_group() -> None:
    labels = np.zeros(100, np.uint8)
    found = reliability(labels, called([0] * 100, [1.0] * 100))
    assert (len(found.count), found.ece) == (1, 0.0)


def test_losses_are_those_of_scikit_learn(drawn: tuple[Labels, NDArray[np.float64]]) -> None:
    from sklearn.metrics import brier_score_loss, log_loss

    labels, p = drawn
    assert nll(labels, p) == pytest.approx(log_loss(labels, p, labels=range(10)))
    assert brier(labels, p) == pytest.approx(brier_score_loss(labels, p, labels=range(10), scale_by_half=False))
    assert nll(np.array([1], np.uint8), called([0], [1.0])) == pytest.approx(-np.log(MIN_PROBABILITY)), "never infinite"


def test_a_temperature_that_was_put_in_is_found_again(drawn: tuple[Labels, NDArray[np.float64]]) -> None:
    labels, p = drawn
    assert fit_temperature(labels, p) == pytest.approx(1.0, abs=0.08)
    sure = apply_temperature(p, 1 / 3)
    assert fit_temperature(labels, sure) == pytest.approx(3.0, rel=0.08)
    np.testing.assert_array_equal(sure.argmax(axis=1), p.argmax(axis=1))
    assert reliability(labels, sure).ece > 0.1 > 0.03 > reliability(labels, apply_temperature(sure, 3)).ece
    np.testing.assert_allclose(apply_temperature(p, 1.0), p, rtol=1e-6, atol=2e-7)


def test_coverage_by_hand() -> None:
    labels = np.array([1, 1, 2, 3], np.uint8)
    p = called([1, 1, 2, 9], [0.99, 0.8, 0.8, 0.5])
    found = risk_coverage(labels, p)
    np.testing.assert_allclose(found.threshold, [0.99, 0.8, 0.5])
    np.testing.assert_allclose(found.answered, [0.25, 0.75, 1.0])
    np.testing.assert_allclose(found.accuracy, [1.0, 1.0, 0.75])
    assert at_threshold(labels, p, 0.8) == (3, 0)
    assert at_threshold(labels, p, 0.0) == (4, 1)
    assert at_threshold(labels, p, 1.0) == (0, 0)


@pytest.mark.parametrize(("classifier", "own"), [("mlp", True), ("svm", False)])
def test_a_model_is_scaled_by_its_validation_digits(classifier: str, own: bool, bundled: Dataset) -> None:
    model = fit(RunSpec("bundled", 800, classifier=Step(classifier)), bundled)
    found = calibrate(model, bundled, model.test_probabilities)
    assert (found.own, found.validated_on) == (own, model.metrics["validated_on"])
    kept = found.before if own else found.after
    np.testing.assert_array_equal(kept, model.test_probabilities)
    if own:
        np.testing.assert_array_equal(found.after.argmax(axis=1), found.before.argmax(axis=1))
    else:
        assert found.temperature == model.temperature
    labels = bundled.test.labels
    assert nll(labels, found.after) < nll(labels, found.before) * 1.05
