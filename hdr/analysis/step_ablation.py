"""Does it help? What one step of a chain is worth to a model that is trained with it and without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

import numpy as np

from hdr import catalogue
from hdr.preprocessing import Pipeline
from hdr.preprocessing.corruptions import spoil
from hdr.training.fitting import fit_once, split
from hdr.training.metrics import mcnemar, paired_interval
from hdr.training.run_spec import RunSpec
from hdr.types import Dataset, HdrError, Images, Labels, Step

PLAN = RunSpec(
    train_size=3_000,
    reduction=Step("pca", {"components": 50}),
    classifier=Step("svm", {"gamma": 2.0}),
)
"""The fitted model: pixels, so that only the chain can compensate for a bad picture. The values were chosen on
validation digits of MNIST; one fit on 3,000 digits takes a third of a second."""


class AblationError(HdrError):
    """A chain cannot be compared with and without a step."""


@dataclass(frozen=True)
class Change:
    """A validation digit that one of the two models has right and the other wrong.

    Attributes:
        index: into the training split.
        label: its true label.
        said_with: the prediction of the model trained with the step.
        said_without: the prediction of the model trained without it.
    """

    index: int
    label: int
    said_with: int
    said_without: int


@dataclass(frozen=True)
class StepAblation:
    """The effect of a step on validation accuracy.

    Attributes:
        accuracy_with, accuracy_without: shares of validation digits that are right, 0 to 1.
        difference: the first minus the second: positive where the step helps.
        interval: of the difference, with 95% confidence; see `paired_interval`. It speaks of new digits for these two
            models, not of models fitted on other digits.
        p: of McNemar's exact test; see `mcnemar`.
        mended: digits that are right thanks to the step, in the order of the validation digits.
        broken: digits that are wrong because of it.
        fitted_on, validated_on: how many digits.
        seconds: that the comparison took.
    """

    accuracy_with: float
    accuracy_without: float
    difference: float
    interval: tuple[float, float]
    p: float
    mended: tuple[Change, ...]
    broken: tuple[Change, ...]
    fitted_on: int
    validated_on: int
    seconds: float = field(compare=False)


def ablate_step(
    dataset: Dataset,
    pipeline: Pipeline,
    index: int,
    *,
    disturbances: Sequence[Step] = (),
    train_size: int = PLAN.train_size,
    seed: int = PLAN.seed,
    plan: RunSpec = PLAN,
    report: Callable[[str, float], None] = lambda words, share: None,
) -> StepAblation:
    """Train a fast model on a chain and another on the chain without one step, and compare them on the same digits.

    Both see the same training digits and have the same seed. The digits that decide are the validation digits of the
    training split (see `split`); the test split has no part in this.

    Args:
        dataset: the data.
        pipeline: the chain; its steps that are off stay off, but for the one in question.
        index: which of `pipeline.steps` is in question. If it is off, the result is the effect of turning it on.
        disturbances: corruptions applied to all training and validation digits before the chain; see `spoil`.
        train_size: digits to fit on, 500 to 60,000.
        seed: of the digits, the noise and the models.
        plan: features, reduction, classifier and threads of the models.
        report: called with the current stage, in words, and the completed share, 0 to 1.

    Raises:
        HdrError: there is no such step, or the pictures that one of the chains makes cannot be used.
    """
    start = perf_counter()
    if not 0 <= index < len(pipeline.steps):
        raise AblationError(f"The chain has no step {index}; it has {len(pipeline.steps)}, counted from 0.")
    spec = replace(plan, dataset=dataset.name, train_size=train_size, seed=seed, pipeline=Pipeline())
    chosen, held = split(spec, dataset)
    steps = pipeline.steps
    report(f"Preparing {len(chosen) + len(held)} digits", 0.0)

    # Validation digits come first, so that the same noise falls on them for every training size. Both chains share the
    # steps before it.
    images = spoil(dataset.train.images[np.concatenate([held, chosen])], disturbances, seed)
    images = Pipeline(steps[:index]).apply(images)
    validation, train = images[: len(held)], images[len(held) :]
    labels, held_labels = dataset.train.labels[chosen], dataset.train.labels[held]

    title = catalogue.get("step", steps[index].name).title
    report(f"Training with {title}", 0.1)
    with_it = Pipeline((replace(steps[index], on=True), *steps[index + 1 :]))
    said_with = _read(replace(spec, pipeline=with_it), train, labels, validation, f"With {title}")
    report(f"Training without {title}", 0.55)
    without = Pipeline(steps[index + 1 :])
    said_without = _read(replace(spec, pipeline=without), train, labels, validation, f"Without {title}")
    report("Done", 1.0)

    right_with, right_without = said_with == held_labels, said_without == held_labels

    def changes(which: np.ndarray) -> tuple[Change, ...]:
        columns = (held, held_labels, said_with, said_without)
        return tuple(Change(*map(int, row)) for row in zip(*(c[which] for c in columns), strict=True))

    mended, broken = changes(right_with & ~right_without), changes(right_without & ~right_with)
    return StepAblation(
        accuracy_with=float(right_with.mean()),
        accuracy_without=float(right_without.mean()),
        difference=(len(mended) - len(broken)) / len(held),
        interval=paired_interval(len(mended), len(broken), len(held)),
        p=mcnemar(len(mended), len(broken)),
        mended=mended,
        broken=broken,
        fitted_on=len(chosen),
        validated_on=len(held),
        seconds=perf_counter() - start,
    )


def _read(spec: RunSpec, train: Images, labels: Labels, validation: Images, which: str) -> Labels:
    try:
        return fit_once(spec, train, labels).predict_proba(validation).argmax(axis=1).astype(np.uint8)
    except HdrError as error:
        _, h, w = spec.pipeline.apply(train[:1]).shape
        raise AblationError(
            f"{which}, the chain makes pictures of {w}x{h} pixels that cannot be compared: {error}"
        ) from error
