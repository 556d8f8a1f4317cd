"""Learning and validation curves: small models fitted on several sizes or settings, scored on validation digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Literal

import numpy as np

from hdr import catalogue
from hdr.catalogue import Parameter
from hdr.training.fitting import fit_once, split
from hdr.training.run_spec import RunSpec
from hdr.types import Dataset, HdrError, ProgressCallback, Step, no_progress

SIZES = (500, 1_000, 2_000, 4_000, 8_000)
"""Training digits of a learning curve: each twice as many as before."""

FITTED = 2_000
"""Training digits for every point of a validation curve."""

SCORED = 2_000
"""Digits at most on which each point is scored, of those fitted to and of the validation digits alike."""

POINTS = 7

Part = Literal["classifier", "reduction"]


@dataclass(frozen=True)
class Point:
    """One small model.

    Attributes:
        value: training digits, or the value of the hyperparameter.
        train: accuracy on digits that it was fitted to, 0 to 1.
        validation: accuracy on validation digits, 0 to 1.
        validated_on: how many of them.
        seconds: that fitting took.
    """

    value: Any
    train: float
    validation: float
    validated_on: int
    seconds: float


def sizes(spec: RunSpec, dataset: Dataset) -> tuple[int, ...]:
    """The training sizes of a run's learning curve: `SIZES`, as far as its own digits go."""
    most = len(split(spec, dataset)[0])
    return tuple(s for s in SIZES if s <= most) or (most,)


def learning_curve(spec: RunSpec, dataset: Dataset, report: ProgressCallback = no_progress) -> tuple[Point, ...]:
    """Fit a run's plan to more and more of its training digits. Everything else is as in the run.

    Raises:
        HdrError: there are too few digits for the plan.
    """
    wanted = sizes(spec, dataset)
    found = []
    for size in wanted:
        # Fitting takes at least as many times longer as there are more digits.
        report(f"Fitting to {size} digits", sum(s for s in wanted if s < size) / sum(wanted))
        found.append(_point(spec, dataset, size, size))
    return tuple(found)


def variable(spec: RunSpec) -> tuple[tuple[Part, Parameter], ...]:
    """The hyperparameters of a run's classifier and reduction, one of which a validation curve may vary."""
    parts: list[tuple[Part, Parameter]] = [
        ("classifier", p) for p in catalogue.get("classifier", spec.classifier.name).parameters
    ]
    if spec.reduction:
        parts += [("reduction", p) for p in catalogue.get("reduction", spec.reduction.name).parameters]
    return tuple(parts)


def values(parameter: Parameter, count: int = POINTS) -> tuple[Any, ...]:
    """Values over the whole declared range of a parameter: evenly spread, by ratio where it is on a log scale."""
    if parameter.choices:
        return parameter.choices
    if parameter.type is bool:
        return (False, True)
    low, high = float(parameter.minimum or 0), float(parameter.maximum or 0)
    spread = np.geomspace(low, high, count) if parameter.log else np.linspace(low, high, count)
    if parameter.type is int:
        return tuple(sorted({int(v) for v in np.rint(spread)}))
    return tuple(float(f"{v:.3g}") for v in spread)


def validation_curve(
    spec: RunSpec, part: Part, parameter: Parameter, dataset: Dataset, report: ProgressCallback = no_progress
) -> tuple[Point, ...]:
    """Fit a run's plan with one hyperparameter varied, to `FITTED` of its training digits. Everything else is as in
    the run. Values that the plan cannot be fitted with, such as more components than features, are left out.

    Args:
        spec: the plan.
        part: whose hyperparameter it is.
        parameter: which one; see `variable`.
        dataset: the data.
        report: is told what is being done.

    Raises:
        HdrError: no value suits.
    """
    wanted, found, problem = values(parameter), [], None
    for number, value in enumerate(wanted):
        report(f"{parameter.title} {catalogue.format_value(value)}", number / len(wanted))
        try:
            varied = _with(spec, part, parameter.name, value)
            found.append(_point(varied, dataset, FITTED, value))
        except HdrError as error:
            problem = error
    if not found and problem:
        raise problem
    return tuple(found)


def best(points: Sequence[Point]) -> Point:
    """The point with the highest validation accuracy; the first of several."""
    return max(points, key=lambda p: p.validation)


def _with(spec: RunSpec, part: Part, name: str, value: Any) -> RunSpec:
    step: Step = getattr(spec, part)
    varied = Step(step.name, {**step.params, name: value})
    return replace(spec, classifier=varied) if part == "classifier" else replace(spec, reduction=varied)


def _point(spec: RunSpec, dataset: Dataset, size: int, value: Any) -> Point:
    chosen, held = split(spec, dataset)
    chosen, held = chosen[:size], held[:SCORED]
    images, labels = dataset.train.images, dataset.train.labels
    start = perf_counter()
    model = fit_once(spec, images[chosen], labels[chosen])
    seconds = perf_counter() - start
    shown = chosen[:SCORED]
    train, validation = (
        float((model.predict_proba(images[rows]).argmax(axis=1) == labels[rows]).mean()) for rows in (shown, held)
    )
    return Point(value, train, validation, len(held), seconds)
