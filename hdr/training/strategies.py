"""How classifiers are fitted stage by stage: every stage is a model that can be scored, and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from hdr.training.controller import TrainingController
from hdr.types import Features, HdrError, Labels

SIZES = (1 / 8, 1 / 4, 1 / 2, 1.0)
"""Shares of the training digits on which a classifier that has no epochs is fitted in turn."""


class FitError(HdrError):
    """A spec cannot be fitted on its data."""


@dataclass(frozen=True)
class Fitted:
    """A finished stage.

    Attributes:
        classifier: the fitted classifier; later stages do not alter it.
        step: how far it is, in `unit`.
        of: the last step there will be.
        unit: "epoch", "trees", "rounds" or "digits".
        seconds: of fitting that this model took, without pauses and scoring.
        loss: of the training digits, where the classifier has one.
    """

    classifier: Any
    step: int
    of: int
    unit: str
    seconds: float
    loss: float | None = None


Strategy = Callable[[Any, Features, Labels, TrainingController], Iterator[Fitted]]
"""Fits a classifier stage by stage, as its control allows; raises `StoppedEarlyError` where no further stage is due."""

LIVE = {"learning_rate": "learning_rate_init", "batch_size": "batch_size", "penalty": "alpha"}
"""What scikit-learn calls the hyperparameters that may change while a network learns."""


def train_epochs(classifier: Any, train: Features, labels: Labels, control: TrainingController) -> Iterator[Fitted]:
    """A network, one pass over the training digits after another."""
    classes, seconds, seed = np.unique(labels), 0.0, classifier.random_state
    for epoch in range(1, classifier.max_iter + 1):
        _change(classifier, control.begin(epoch))
        start = control.clock()
        # Every call of partial_fit starts its random numbers anew: with one seed, all epochs would see one order.
        classifier.set_params(random_state=seed + epoch - 1)
        with _asking(classifier, control.batch):
            classifier.partial_fit(train, labels, classes=classes if epoch == 1 else None)
        seconds += control.clock() - start
        loss = float(classifier.loss_)
        if not np.isfinite(loss):
            raise FitError("The loss is no longer a number: the learning rate is too high. Try a tenth of it.")
        yield Fitted(_as_it_is(classifier), epoch, classifier.max_iter, "epoch", seconds, loss)
        control.end()


GROWN = {"trees": "n_estimators", "rounds": "max_iter"}
"""What scikit-learn calls how large a forest is, and how often a boosted model is mended."""


def grow_ensemble(
    unit: str, classifier: Any, train: Features, labels: Labels, control: TrainingController
) -> Iterator[Fitted]:
    """A forest or a boosted model, a tenth of its trees or rounds after another."""
    total, seconds = classifier.get_params()[GROWN[unit]], 0.0
    classifier.set_params(warm_start=True)
    sizes = sorted({max(1, round(total * share / 10)) for share in range(1, 11)})
    for stage, size in enumerate(sizes, 1):
        control.begin(stage)
        start = control.clock()
        classifier.set_params(**{GROWN[unit]: size})
        control.alone(partial(classifier.fit, train, labels))
        seconds += control.clock() - start
        yield Fitted(_as_it_is(classifier), size, total, unit, seconds)
        control.end()


def grow_sample(classifier: Any, train: Features, labels: Labels, control: TrainingController) -> Iterator[Fitted]:
    """A classifier that learns in one go, on more and more digits; only the last fit makes the model."""
    from sklearn.base import clone

    for stage, share in enumerate(SIZES, 1):
        size = round(len(labels) * share)
        control.begin(stage)
        start = control.clock()
        fitted = control.alone(partial(clone(classifier).fit, train[:size], labels[:size]))
        yield Fitted(fitted, size, len(labels), "digits", control.clock() - start)
        control.end()


STRATEGIES: dict[str, Strategy] = {
    "epochs": train_epochs,
    **{unit: partial(grow_ensemble, unit) for unit in GROWN},
    "sizes": grow_sample,
}
"""How each kind of progress comes about."""


def _change(classifier: Any, values: dict[str, Any]) -> None:
    classifier.set_params(**{LIVE[name]: value for name, value in values.items()})
    if "learning_rate" in values and hasattr(classifier, "_optimizer"):
        # An optimiser that runs already has a rate of its own, and keeps its moments.
        classifier._optimizer.learning_rate_init = values["learning_rate"]


@contextmanager
def _asking(classifier: Any, ask: Callable[[], None]) -> Iterator[None]:
    # One batch a call of partial_fit doubles the time of an epoch. scikit-learn's own loop over batches calls this
    # method once for each, so that a question before it costs nothing and leaves every weight as it would be.
    inner = classifier._backprop

    def asked(*args: Any) -> Any:
        ask()
        return inner(*args)

    classifier._backprop = asked
    try:
        yield
    finally:
        del classifier._backprop


def _as_it_is(classifier: Any) -> Any:
    # Weights change in place and lists of trees grow; all else is replaced by later stages and can be shared.
    twin = copy(classifier)
    for name, value in vars(classifier).items():
        if isinstance(value, list):
            setattr(twin, name, [copy(v) if isinstance(v, np.ndarray) else v for v in value])
    if hasattr(twin, "_optimizer"):
        twin._optimizer = copy(twin._optimizer)
    return twin
