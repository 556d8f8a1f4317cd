"""Whether a model is right as often as it says: reliability, temperature scaling, and when to say nothing.

Everything here speaks of a model's confidence, the probability of the class that it names. Where a probability is so
small that its logarithm would drown all others, it is taken for `MIN_PROBABILITY`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hdr.training.fitting import split
from hdr.training.metrics import wilson_interval
from hdr.training.model import TrainedModel
from hdr.types import Dataset, ImmutableArrays, Labels, ProgressCallback, no_progress

MIN_PROBABILITY = 1e-7
"""Where nearest neighbours or trees say 0, one mistake would make the likelihood of everything 0."""

BINS = 15
"""Groups of digits in a reliability diagram, as in Guo et al."""

Probabilities = NDArray[np.floating]


@dataclass(frozen=True)
class Reliability(ImmutableArrays):
    """Digits in groups of like confidence.

    Attributes:
        confidence: float64 (k,), the mean confidence of each group, ascending.
        accuracy: float64 (k,), the accuracy within each group.
        low, high: float64 (k,), the 95% interval of that share.
        count: int64 (k,), digits in each group.
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]

    @property
    def ece(self) -> float:
        """Expected calibration error: how far confidence and accuracy lie apart, on average over all digits, 0 to 1."""
        return float(np.average(np.abs(self.accuracy - self.confidence), weights=self.count))


@dataclass(frozen=True)
class Coverage(ImmutableArrays):
    """What happens to accuracy when a model only answers where it is sure enough.

    Attributes:
        threshold: float64 (k,), the confidence from which on it answers, descending.
        answered: float64 (k,), the share of digits that it then answers, ascending to 1.
        accuracy: float64 (k,), the share of those that are right.
    """

    threshold: NDArray[np.float64]
    answered: NDArray[np.float64]
    accuracy: NDArray[np.float64]


@dataclass(frozen=True)
class Calibration(ImmutableArrays):
    """A model's test probabilities before and after temperature scaling.

    Attributes:
        before, after: float32 (n, 10), probabilities of the test digits.
        temperature: the divisor of log probabilities, or of margins; above 1 the model was overconfident.
        validated_on: validation digits that the temperature was fitted on.
        own: True if the classifier predicts probabilities; otherwise its margins are scaled, and the app shows `after`
            everywhere.
    """

    before: NDArray[np.float32]
    after: NDArray[np.float32]
    temperature: float
    validated_on: int
    own: bool


def reliability(labels: Labels, probabilities: Probabilities, bins: int = BINS) -> Reliability:
    """Group digits by confidence, about as many in each group, and see how many of each are right.

    Groups of equal width, as in most books, would leave all but the last nearly empty where a model is good.

    Source: Guo et al., On calibration of modern neural networks (2017), arXiv:1706.04599; bins as in
    sklearn.calibration.calibration_curve with the strategy "quantile".

    Args:
        labels: uint8 (n,), n at least 1.
        probabilities: float (n, 10).
        bins: how many groups at most; digits of one confidence are never parted, so there may be fewer.
    """
    confidence, right = _calls(labels, probabilities)
    edges = np.quantile(confidence, np.linspace(0, 1, bins + 1))
    group = np.searchsorted(edges[1:-1], confidence)
    count = np.bincount(group, minlength=bins)
    there = count > 0
    count = count[there]
    hits = np.bincount(group, right, bins)[there]
    bounds = np.array([wilson_interval(round(h), int(n)) for h, n in zip(hits, count, strict=True)])
    mean = np.bincount(group, confidence, bins)[there] / count
    return Reliability(mean, hits / count, bounds[:, 0], bounds[:, 1], count)


def nll(labels: Labels, probabilities: Probabilities) -> float:
    """Return the mean negative log likelihood of the labels, in nats, 0 or more; see `MIN_PROBABILITY`."""
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(own, MIN_PROBABILITY)).mean())


def brier(labels: Labels, probabilities: Probabilities) -> float:
    """Return the mean squared distance between the probabilities and the truth, summed over the classes: 0 to 2.

    Source: Brier, Verification of forecasts expressed in terms of probability (1950).
    """
    error = probabilities.astype(np.float64)
    error[np.arange(len(labels)), labels] -= 1
    return float((error**2).sum(axis=1).mean())


def apply_temperature(probabilities: Probabilities, temperature: float) -> NDArray[np.float64]:
    """Probabilities float64 (n, 10) whose logarithms were divided by a temperature, summing to 1 again.

    Which class is the most probable stays as it is; only how sure the model is changes.
    """
    logs = np.log(np.maximum(probabilities.astype(np.float64), MIN_PROBABILITY)) / temperature
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def fit_temperature(labels: Labels, probabilities: Probabilities) -> float:
    """Return the temperature that maximises the likelihood of the labels, 0.05 to 20.

    Args:
        labels: uint8 (n,), of digits that the model was neither fitted to nor will be judged on.
        probabilities: float (n, 10).

    Source: Guo et al. (2017), section 4.2.
    """
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda t: nll(labels, apply_temperature(probabilities, float(np.exp(t)))), bounds=(-3, 3), method="bounded"
    )
    return float(np.exp(found.x))


def calibrate(
    model: TrainedModel, dataset: Dataset, kept: NDArray[np.float32], report: ProgressCallback = no_progress
) -> Calibration:
    """A model's test probabilities before and after temperature scaling. The temperature comes from the run's
    validation digits; the test digits do not affect it.

    Args:
        model: a fitted model.
        dataset: the data that it was fitted on.
        kept: float32 (n, 10), the model's predictions for the test split.
        report: called with the current stage.
    """
    _, held = split(model.spec, dataset)
    if not hasattr(model.classifier, "predict_proba"):
        report("Reading the test digits without scaling")
        raw = replace(model, temperature=1.0).predict_proba(dataset.test.images)
        return Calibration(raw.astype(np.float32), kept, model.temperature, len(held), own=False)
    report("Reading the validation digits")
    said = model.predict_proba(dataset.train.images[held])
    temperature = fit_temperature(dataset.train.labels[held], said)
    return Calibration(kept, apply_temperature(kept, temperature).astype(np.float32), temperature, len(held), own=True)


def risk_coverage(labels: Labels, probabilities: Probabilities) -> Coverage:
    """Accuracy against the share of digits that are answered, for every threshold that makes a difference.

    Source: El-Yaniv and Wiener, On the foundations of noise-free selective classification (2010), whose risk is 1 minus
    this accuracy.
    """
    confidence, right = _calls(labels, probabilities)
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence = confidence[order]
    # Digits of one confidence are answered together or not at all.
    last = np.flatnonzero(np.append(np.diff(sorted_confidence) != 0, True))
    answered = last + 1
    hits = np.cumsum(right[order])[last]
    return Coverage(sorted_confidence[last], answered / len(labels), hits / answered)


def at_threshold(labels: Labels, probabilities: Probabilities, threshold: float) -> tuple[int, int]:
    """How many digits are answered where the confidence must reach a threshold, and how many of those are wrong."""
    confidence, right = _calls(labels, probabilities)
    answered = confidence >= threshold
    return int(answered.sum()), int((answered & ~right).sum())


def _calls(labels: Labels, probabilities: Probabilities) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    said = probabilities.argmax(axis=1)
    return probabilities[np.arange(len(labels)), said].astype(np.float64), said == labels
