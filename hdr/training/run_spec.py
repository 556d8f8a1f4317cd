"""What a run is to do, all of it: the same spec gives the same model on the same machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import hdr.features
import hdr.models  # noqa: F401 - both packages register what a spec may name
from hdr import catalogue
from hdr.preprocessing import Pipeline
from hdr.types import HdrError, Step

MIN_DIGITS, MAX_DIGITS = 500, 60_000
"""Range of the training size, in digits."""

MAX_FEATURES = 4
"""Most feature extractors that a run may join."""


MAX_STAGES = 1_000
"""Last epoch or stage that a change may name."""


class SpecError(HdrError):
    """A spec is not one that can be run; the message says which value and what would be right."""


@dataclass(frozen=True)
class Change:
    """What somebody changed while a run learned; a repeat does it again.

    Attributes:
        epoch: the first that it holds for, counted from 1; where a classifier has no epochs, the stage.
        values: hyperparameters that have another value from then on, as pairs of name and value.
        stop: True where the run ended before this epoch, and what it had learned by then was kept.
    """

    epoch: int
    values: tuple[tuple[str, Any], ...] = ()
    stop: bool = False

    def to_json(self) -> dict[str, Any]:
        """``{"epoch": 4, "learning_rate": 0.0005}`` or ``{"epoch": 9, "stop": true}``."""
        return {"epoch": self.epoch, **dict(self.values)} | ({"stop": True} if self.stop else {})


@dataclass(frozen=True)
class RunSpec:
    """A run's plan. Parameters are validated and defaults filled in when it is made.

    Attributes:
        dataset: name of the data set.
        train_size: digits to fit on; where training and validation data would not both fit, fewer (see `split`).
        seed: of every random choice: the sample, the validation digits, the weights at the start.
        threads: that numerical libraries may use; part of the spec, since other counts give other last digits. Two
            threads on a busy machine are slower than one.
        pipeline: the preprocessing; steps that are switched off are left out.
        augmentation: what distorted copies of the training digits are learned from besides; None for none.
        features: extractors whose outputs are joined.
        reduction: what comes between features and classifier; None for nothing.
        classifier: the classifier with its hyperparameters.
        changes: what was changed while it learned, in the order of epochs, one for each; none after a stop.

    Raises:
        HdrError: a value is not allowed.
    """

    dataset: str = "mnist"
    train_size: int = 10_000
    seed: int = 0
    threads: int = 1
    pipeline: Pipeline = field(default_factory=Pipeline)
    features: tuple[Step, ...] = field(default_factory=lambda: (Step("pixels"),))
    reduction: Step | None = None
    classifier: Step = field(default_factory=lambda: Step("mlp"))
    augmentation: Step | None = None
    changes: tuple[Change, ...] = ()

    def __post_init__(self) -> None:
        _check_text("dataset", self.dataset)
        _check_range("train_size", self.train_size, MIN_DIGITS, MAX_DIGITS)
        _check_range("seed", self.seed, 0, 2**31 - 1)
        _check_range("threads", self.threads, 1, 64)
        if not 1 <= len(self.features) <= MAX_FEATURES:
            raise SpecError(f"A run needs 1 to {MAX_FEATURES} features, not {len(self.features)}.")
        settle = object.__setattr__
        settle(self, "pipeline", self.pipeline.active)
        settle(self, "features", tuple(catalogue.with_defaults("feature", s) for s in self.features))
        settle(self, "reduction", self.reduction and catalogue.with_defaults("reduction", self.reduction))
        settle(self, "classifier", catalogue.with_defaults("classifier", self.classifier))
        wanted = self.augmentation if self.augmentation and self.augmentation.on else None
        settle(self, "augmentation", wanted and catalogue.with_defaults("augmentation", wanted))
        settle(self, "changes", _settle_changes(self.classifier, self.changes))

    def changes_at(self, epoch: int) -> dict[str, Any]:
        """Hyperparameters that are to have another value from this epoch on."""
        return {name: value for c in self.changes if c.epoch == epoch for name, value in c.values}

    def stops_before(self, epoch: int) -> bool:
        """Whether the run ends before this epoch and keeps what it has."""
        return any(c.stop and c.epoch <= epoch for c in self.changes)

    def with_change(self, change: Change) -> RunSpec:
        """The plan with one more change; where it changes the same value at the same epoch again, the last counts."""
        return replace(self, changes=(*self.changes, change))

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `from_json` turns back into the same spec."""
        return {
            "dataset": self.dataset,
            "train_size": self.train_size,
            "seed": self.seed,
            "threads": self.threads,
            "pipeline": self.pipeline.to_json(),
            "features": [catalogue.step_to_json(s) for s in self.features],
            "reduction": self.reduction and catalogue.step_to_json(self.reduction),
            "classifier": _classifier_to_json(self.classifier),
            # Only where there is one: a spec that has none keeps the key that it had before there were any.
            **({"augmentation": catalogue.step_to_json(self.augmentation)} if self.augmentation else {}),
            **({"changes": [c.to_json() for c in self.changes]} if self.changes else {}),
        }

    @classmethod
    def from_json(cls, data: Any) -> RunSpec:
        """The spec that `to_json` wrote; what is left out takes its default.

        Raises:
            HdrError: it names the value that is wrong and what would be right.
        """
        if not isinstance(data, dict):
            raise SpecError(f"A run is written as a JSON object, not as '{catalogue.shorten(data)}'.")
        readers: dict[str, Callable[[Any], Any]] = {
            "dataset": lambda v: v,
            "train_size": lambda v: v,
            "seed": lambda v: v,
            "threads": lambda v: v,
            "pipeline": Pipeline.from_json,
            "features": _features_from_json,
            "reduction": lambda v: None if v is None else catalogue.step_from_json("reduction", v),
            "classifier": lambda v: catalogue.step_from_json("classifier", v),
            "augmentation": lambda v: None if v is None else catalogue.step_from_json("augmentation", v),
            "changes": _changes_from_json,
        }
        for name in data:
            if name not in readers:
                raise SpecError(f"A run has no '{catalogue.shorten(name)}'; it has {', '.join(readers)}.")
        return cls(**{name: readers[name](value) for name, value in data.items()})

    @cached_property
    def key(self) -> str:
        """The same for two specs that do the same."""
        return catalogue.key_of(self.to_json())

    @property
    def summary(self) -> str:
        """One line for a list: ``Support vector machine · HOG · PCA · Deskew``."""
        parts = [catalogue.get("classifier", self.classifier.name).title]
        for name, times in Counter(s.name for s in self.features).items():
            title = catalogue.get("feature", name).title
            parts.append(f"{times} × {title}" if times > 1 else title)
        if self.reduction:
            parts.append(
                "PCA" if self.reduction.name == "pca" else catalogue.get("reduction", self.reduction.name).title
            )
        parts += [f"{self.augmentation.params['copies']} distorted"] if self.augmentation else []
        return " · ".join(parts + [catalogue.get("step", s.name).title for s in self.pipeline.steps])


def _features_from_json(data: Any) -> tuple[Step, ...]:
    if not isinstance(data, list):
        raise SpecError(f"Features are written as a list, not as '{catalogue.shorten(data)}'.")
    return tuple(catalogue.step_from_json("feature", s) for s in data[: MAX_FEATURES + 1])


def _classifier_to_json(step: Step) -> dict[str, Any]:
    # A hyperparameter that came later is left out where it does nothing, so that older specs keep their keys.
    entry = catalogue.get("classifier", step.name)
    idle = {p.name: p.default for p in entry.parameters if p.name in entry.facts.get("later", ())}
    return {k: v for k, v in catalogue.step_to_json(step).items() if k not in idle or v != idle[k]}


def _changes_from_json(data: Any) -> tuple[Change, ...]:
    if not isinstance(data, list) or len(data) > MAX_STAGES:
        raise SpecError(f"Changes are written as a list, not as '{catalogue.shorten(data)}'.")
    found = []
    for one in data:
        if not isinstance(one, dict) or "epoch" not in one:
            raise SpecError(f"A change is written as an object with an epoch, not as '{catalogue.shorten(one)}'.")
        values = tuple((k, v) for k, v in one.items() if k not in ("epoch", "stop"))
        found.append(Change(one["epoch"], values, one.get("stop", False)))
    return tuple(found)


def _settle_changes(classifier: Step, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    if not changes:
        return ()
    entry = catalogue.get("classifier", classifier.name)
    live = entry.facts.get("live", ())
    settled: dict[int, Change] = {}
    for change in changes:
        _check_range("A change's epoch", change.epoch, 2 if change.stop else 1, MAX_STAGES)
        if not isinstance(change.stop, bool):
            raise SpecError(f"A change's stop is '{catalogue.shorten(change.stop)}'; it must be true or false.")
        for name, _ in change.values:
            if name not in live:
                can = f"{', '.join(live)} can" if live else "nothing of it can"
                raise SpecError(f"{entry.title}: '{catalogue.shorten(name)}' cannot be changed while it learns; {can}.")
        checked = entry.validate({**classifier.params, **dict(change.values)})
        values = {name: checked[name] for name, _ in change.values}
        before = settled.get(change.epoch, Change(change.epoch))
        merged = tuple(sorted({**dict(before.values), **values}.items()))
        settled[change.epoch] = Change(change.epoch, merged, before.stop or change.stop)
    end = min((epoch for epoch, change in settled.items() if change.stop), default=MAX_STAGES)
    # What is changed at the epoch before which a run ends never happened.
    kept = [Change(e, (), True) if settled[e].stop else settled[e] for e in sorted(settled) if e <= end]
    return tuple(c for c in kept if c.values or c.stop)


def _check_text(name: str, value: Any) -> None:
    if not isinstance(value, str) or not 1 <= len(value) <= 60:
        raise SpecError(f"{name} is '{catalogue.shorten(value)}'; it must be the name of a data set.")


def _check_range(name: str, value: Any, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SpecError(f"{name} is '{catalogue.shorten(value)}'; it must be a whole number from {low} to {high}.")


@dataclass(frozen=True)
class Preset:
    """A spec with a name and a sentence on what it is good for."""

    title: str
    note: str
    spec: RunSpec


# How these were chosen stands in benchmarks/training.py: on training digits, the test split had no say.
PRESETS: Mapping[str, Preset] = {
    "article": Preset(
        "The article",
        "A network with one hidden layer of 100 units sees the raw pixels ten times. It stops there: it has not "
        "converged, and more epochs would still help.",
        RunSpec(train_size=MAX_DIGITS, classifier=Step("mlp")),
    ),
    "fast": Preset(
        "Fast",
        "Upright digits, HOG, PCA and a support vector machine on 10,000 digits: the best use of a few seconds.",
        RunSpec(
            train_size=10_000,
            pipeline=Pipeline((Step("deskew"), Step("scale_to_box"), Step("centre_by_mass"))),
            features=(Step("hog"),),
            reduction=Step("pca"),
            classifier=Step("svm"),
        ),
    ),
    "best": Preset(
        "Best",
        "Upright digits, HOG at two scales, PCA and a support vector machine on all training digits but those kept for "
        "validation, and on a distorted copy of each.",
        RunSpec(
            train_size=MAX_DIGITS,
            pipeline=Pipeline((Step("deskew"),)),
            features=(Step("hog"), Step("hog", {"cell": 7, "block": 2})),
            reduction=Step("pca", {"components": 100}),
            classifier=Step("svm"),
            augmentation=Step("distort"),
        ),
    ),
}
"""Ready-made plans, by the name that the command line takes."""


def for_dataset(spec: RunSpec, name: str) -> RunSpec:
    """The same plan on another data set."""
    return replace(spec, dataset=name)


def versions(augmentation: Step | None) -> int:
    """In how many versions a plan learns from each digit: as it is, and its distorted copies where there are any."""
    return 1 + augmentation.params["copies"] if augmentation else 1
