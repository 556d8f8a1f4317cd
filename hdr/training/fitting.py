"""Fitting a run, with real progress: every point of a curve is a model that was really fitted and scored."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hdr import catalogue
from hdr.features.extract import CHUNK, extract
from hdr.models import FitContext
from hdr.training.controller import StoppedEarlyError, TrainingController
from hdr.training.metrics import evaluate
from hdr.training.model import TrainedModel, pairwise_probabilities
from hdr.training.run_spec import RunSpec, versions
from hdr.training.strategies import STRATEGIES, FitError, Fitted, Strategy, grow_sample
from hdr.types import Dataset, Features, Images, Labels, Step

MAX_VALIDATION = 5_000
"""Digits kept for validation, or a fifth of a small training split."""

SCORED_DIGITS = 2_000
"""Training digits on which the training accuracy is measured while a run learns."""

REDUCTION_DIGITS = 5_000
"""Most digits from which a reduction is fitted: enough for its directions, and it bounds memory."""

Report = Callable[[dict[str, Any]], None]
"""Takes one event: ``phase`` and, for a point of the curve, ``step``, ``of``, ``unit`` and scores."""


def split(spec: RunSpec, dataset: Dataset) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which training digits are fitted on and which validate, by the spec's seed.

    Validation takes the same digits whatever the training size, so that runs of one seed can be compared.

    Returns:
        Indices into the training split: fit (at most `spec.train_size`), validation.
    """
    n = len(dataset.train)
    order = np.random.default_rng(spec.seed).permutation(n)
    validation = validation_size(n)
    return order[: min(spec.train_size, n - validation)], order[n - validation :]


def validation_size(digits: int) -> int:
    """How many digits of a training split are kept aside for validation."""
    return min(MAX_VALIDATION, digits // 5)


def fit(
    spec: RunSpec, dataset: Dataset, report: Report = lambda event: None, control: TrainingController | None = None
) -> TrainedModel:
    """Fit a spec and evaluate it on the test split.

    Args:
        spec: the plan; its `dataset` names the data.
        dataset: the data.
        report: called with every event.
        control: what steers it; made for this spec. None where nobody does.

    Returns:
        The model, whose spec holds the changes that were made, with its metrics: those of `evaluate`, and
        `train_accuracy`, `validation_accuracy`, `fitted_on`, `validated_on`, `fit_seconds` (features, reduction and the
        fitting of the final model), `total_seconds` (besides, the curve, scoring and the test), both without pauses,
        `peak_mb` and `features`. Where it ended early, `stopped_early` says at which `step` `of` how many, their
        `unit`, and whether `by` "request" or "patience"; where the best epoch was kept, `kept_epoch` says which. Scores
        are those of the model that is kept.

    Raises:
        HdrError: the spec does not suit the data.
    """
    control = control or TrainingController(spec)
    control.report = report
    start = control.clock()
    chosen, held = split(spec, dataset)

    report({"phase": "features", "digits": len(chosen)})
    data = prepare(spec, dataset.train.images, dataset.train.labels, chosen, held)

    report({"phase": "fitting", "digits": len(chosen)})

    def seen(stage: Fitted, scores: dict[str, float]) -> None:
        event = {"step": stage.step, "of": stage.of, "unit": stage.unit, **scores}
        event |= {} if stage.loss is None else {"loss": stage.loss}
        report({"phase": "fitting", **event, "elapsed": control.clock() - start})

    stage, scores, outcome = fit_stages(data, control, seen, shown=SCORED_DIGITS)
    share = stage.step / stage.of if stage.unit == "digits" else 1

    report({"phase": "testing", "digits": len(dataset.test)})
    model = replace(data.model, spec=control.spec, classifier=stage.classifier)
    model = replace(model, temperature=_temperature(stage.classifier, data.validation, data.held_labels))
    began = perf_counter()
    probabilities = model.predict_proba(dataset.test.images)
    metrics = {
        **evaluate(dataset.test.labels, probabilities),
        **scores,
        "fitted_on": round(len(chosen) * share),
        "validated_on": len(held),
        "features": int(data.train.shape[1]),
        "fit_seconds": data.seconds + stage.seconds,
        "predict_ms": (perf_counter() - began) / len(dataset.test) * 1000,
        "total_seconds": control.clock() - start,
        "peak_mb": peak_rss_mb(),
        **outcome,
    }
    return replace(model, metrics=metrics, test_probabilities=probabilities.astype(np.float32))


@dataclass(frozen=True)
class Prepared:
    """Digits as a classifier sees them; what a spec says of its classifier has no part in it.

    Attributes:
        model: the spec with its fitted reduction, and no classifier yet.
        train: features of the digits that are fitted on, each followed by its copies.
        labels: of `train`.
        validation: features of the digits kept aside; no rows where there are none.
        held_labels: of `validation`.
        seconds: that the reduction and `train` took.
    """

    model: TrainedModel
    train: Features
    labels: Labels
    validation: Features
    held_labels: Labels
    seconds: float


def prepare(
    spec: RunSpec, images: Images, labels: Labels, chosen: NDArray[np.int64], held: NDArray[np.int64]
) -> Prepared:
    """Fit the reduction, and take the features of some digits to fit on and others to validate with.

    Args:
        spec: the plan.
        images, labels: where both are taken from.
        chosen, held: indices into them; `held` may be empty.

    Raises:
        HdrError: the spec does not suit the digits.
    """
    start = perf_counter()
    model = TrainedModel(spec, fit_reduction(spec, images[chosen[:REDUCTION_DIGITS]]), None)
    train = reduced_features(model, images, chosen, spec.augmentation)
    seconds = perf_counter() - start
    validation = reduced_features(model, images, held) if len(held) else train[:0]
    return Prepared(model, train, repeat_labels(spec, labels[chosen]), validation, labels[held], seconds)


def fit_stages(
    data: Prepared,
    control: TrainingController,
    seen: Callable[[Fitted, dict[str, float]], None],
    shown: int = 0,
    curve: bool = True,
) -> tuple[Fitted, dict[str, float], dict[str, Any]]:
    """Fit the classifier of `data.model.spec`, stage by stage, each scored on the validation digits.

    Args:
        data: what it learns from, with validation digits.
        control: steers it.
        seen: called with every stage and its scores; what it raises ends the fitting.
        shown: rows of the training digits that are scored, too, as `train_accuracy`; 0 for none.
        curve: whether a classifier that learns in one go is to be fitted on fewer digits first.

    Returns:
        The stage that is kept, its scores, and what is to be said of it besides: see `fit`.
    """
    spec = data.model.spec
    classifier, strategy = new_classifier(spec, data.train)
    if strategy is grow_sample and not curve:
        strategy = _at_once

    def score(stage: Fitted) -> dict[str, float]:
        model = replace(data.model, classifier=stage.classifier)
        scores: dict[str, float] = {}
        if shown:
            scores["train_accuracy"] = _accuracy(model, data.train[:shown], data.labels[:shown])
        scores["validation_accuracy"] = _accuracy(model, data.validation, data.held_labels)
        seen(stage, scores)
        return scores

    return _follow(strategy(classifier, data.train, data.labels, control), score, spec)


def _at_once(classifier: Any, train: Features, labels: Labels, control: TrainingController) -> Iterator[Fitted]:
    start = control.clock()
    fitted = classifier.fit(train, labels)
    yield Fitted(fitted, len(labels), len(labels), "digits", control.clock() - start)


def _follow(
    stages: Iterator[Fitted], score: Callable[[Fitted], dict[str, float]], spec: RunSpec
) -> tuple[Fitted, dict[str, float], dict[str, Any]]:
    """Score every stage until the last one, or until it has to end.

    Returns:
        The stage that is kept, its scores, and what the metrics say of it besides.
    """
    patience, keep_best = (spec.classifier.params.get(name, 0) for name in ("patience", "keep_best"))
    why, since, seconds = "request", 0, 0.0
    last: tuple[Fitted, dict[str, float]] | None = None
    best: tuple[Fitted, dict[str, float]] | None = None
    try:
        for stage in stages:
            last = stage, score(stage)
            seconds = stage.seconds
            if best is None or last[1]["validation_accuracy"] > best[1]["validation_accuracy"]:
                best, since = last, 0
            else:
                since += 1
            if patience and since >= patience:
                why = "patience"
                break
    except StoppedEarlyError:
        pass
    if last is None or best is None:
        raise FitError("The training ended before anything was fitted.")
    reached = last[0]
    outcome: dict[str, Any] = {}
    if reached.step < reached.of:
        early = {"step": reached.step, "of": reached.of, "unit": reached.unit, "by": why}
        outcome["stopped_early"] = early
    if keep_best:
        outcome["kept_epoch"] = best[0].step
    kept, scores = best if keep_best else last
    # The epochs after the best one were needed to know that it is.
    return replace(kept, seconds=seconds), scores, outcome


def fit_once(spec: RunSpec, images: Images, labels: Labels) -> TrainedModel:
    """Fit a spec on digits and nothing more: no curve, no test, no metrics, and margins with a temperature of 1.

    There are no validation digits, so that a network learns for all its epochs, whatever its patience.

    Args:
        spec: the plan; its data set and training size play no part.
        images: uint8 (n, h, w), all of which are fitted on.
        labels: uint8 (n,).

    Raises:
        HdrError: the spec does not suit the digits.
    """
    everything = np.arange(len(images))
    data = prepare(spec, images, labels, everything, everything[:0])
    classifier, strategy = new_classifier(spec, data.train)
    if strategy is grow_sample and not spec.changes:
        strategy = _at_once
    model = data.model
    with suppress(StoppedEarlyError):
        for stage in strategy(classifier, data.train, data.labels, TrainingController(spec)):
            model = replace(model, classifier=stage.classifier)
    return model


def repeat_labels(spec: RunSpec, labels: Labels) -> Labels:
    """Repeat each label for the copies of its digit, int (n × copies,)."""
    # Every digit is followed by its copies, so that a share of the rows is as many digits with all of theirs.
    return np.repeat(labels, versions(spec.augmentation))


def new_classifier(spec: RunSpec, train: Features) -> tuple[Any, Strategy]:
    """Return an unfitted classifier for these features, and how it is trained."""
    entry = catalogue.get("classifier", spec.classifier.name)
    context = FitContext(spec.seed, train.shape[1], float(train.var(dtype=np.float64)), spec.threads)
    return entry.function(context, **spec.classifier.params), STRATEGIES[entry.facts["progress"]]


def fit_reduction(spec: RunSpec, images: Images) -> Any:
    """Fit the reduction of a plan; None where it has none.

    Raises:
        FitError: the sample cannot give so many components.
    """
    if spec.reduction is None:
        return None
    sample = extract(images, spec.pipeline, spec.features)
    entry = catalogue.get("reduction", spec.reduction.name)
    components, most = spec.reduction.params.get("components", 0), min(sample.shape)
    if components > most:
        raise FitError(
            f"{entry.title}: {components} components cannot be taken from {sample.shape[1]} features of "
            f"{len(sample)} digits; at most {most} can."
        )
    return entry.function(spec.seed, **spec.reduction.params).fit(sample)


def reduced_features(
    model: TrainedModel, images: Images, chosen: NDArray[np.int64], augmentation: Step | None = None
) -> Features:
    """Return the features of the chosen digits and their copies after the reduction, float32 (rows, features)."""
    # Features before a reduction can be twenty times as large as after it, and copies ten times as many as digits: only
    # a chunk of them ever exists.
    each = versions(augmentation)
    chunk = CHUNK // each

    def part(start: int) -> Features:
        digits = images[chosen[start : start + chunk]]
        if augmentation:
            function = catalogue.get("augmentation", augmentation.name).function
            copies = function(digits, model.spec.seed, chosen[start : start + chunk], **augmentation.params)
            digits = copies.reshape(-1, *digits.shape[1:])
        return model.reduce(extract(digits, model.spec.pipeline, model.spec.features))

    # The first chunk tells how many features there are.
    found = part(0)
    out = np.empty((len(chosen) * each, found.shape[1]), np.float32)
    out[: len(found)] = found
    for start in range(chunk, len(chosen), chunk):
        found = part(start)
        out[start * each : start * each + len(found)] = found
    return out


def _temperature(classifier: Any, features: Features, labels: Labels) -> float:
    """The temperature under which the probabilities give the labels the highest likelihood.

    One digit more than there are counts as called wrongly: where every label is right, no model is to become certain.

    Source: Guo et al., On calibration of modern neural networks (2017); the digit more is Platt's, Probabilistic
    outputs for support vector machines (1999).
    """
    if hasattr(classifier, "predict_proba"):
        return 1.0
    from scipy.optimize import minimize_scalar

    margins = classifier.decision_function(features)
    known = np.isin(labels, classifier.classes_)
    rows, columns = np.flatnonzero(known), np.searchsorted(classifier.classes_, labels[known])
    doubt = 1 / (len(rows) + 2)

    def loss(log_temperature: float) -> float:
        logs = np.log(np.maximum(pairwise_probabilities(margins, np.exp(log_temperature)), 1e-300))
        right = logs[rows, columns]
        wrong = (logs[rows].sum(axis=1) - right) / (logs.shape[1] - 1)
        return -float(((1 - doubt) * right + doubt * wrong).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-5, 3), method="bounded").x))


def _accuracy(model: TrainedModel, features: Features, labels: Labels) -> float:
    return float((model.probabilities(features).argmax(axis=1) == labels).mean())


def peak_rss_mb() -> float | None:
    """Most memory that this process has held so far, in MB; None where the system does not say."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
