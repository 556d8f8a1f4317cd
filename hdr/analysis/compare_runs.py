"""Comparison of runs: differing settings, the Pareto front of accuracy and cost, and a paired test of two models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hdr import catalogue
from hdr.training.metrics import mcnemar, paired_interval
from hdr.types import CLASSES, HdrError, Labels

Value = str | int | float | bool

TITLES = {
    "dataset": "Data",
    "train_size": "Training digits",
    "pipeline": "Preprocessing",
    "changes": "Changed while it learned",
}
"""Fields of a spec whose name is not what people call them."""

_KINDS = {"pipeline": "step", "features": "feature"}


class CompareError(HdrError):
    """Runs cannot be compared; the message says why."""


@dataclass(frozen=True)
class Setting:
    """One thing that a spec says.

    Attributes:
        path: its name, the same in all specs: ``train_size``, ``classifier``, ``classifier.svm.c``.
        title: the displayed name: ``Training digits``, ``Support vector machine: C``.
        value: as in the spec; for steps their titles, in their order.
        unit: as written after the value; empty where there is none.
    """

    path: str
    title: str
    value: Value
    unit: str = ""


def settings(plan: Mapping[str, Any]) -> dict[str, Setting]:
    """Return all settings of a spec by path; absent parts, such as a reduction, are omitted.

    Args:
        plan: of `RunSpec.to_json`. It need not be valid: a step that this version does not know keeps its own names.
    """
    found: dict[str, Setting] = {}
    for field, value in plan.items():
        title = TITLES.get(field, field.replace("_", " ").capitalize())
        steps = [value] if isinstance(value, dict) else value
        if not isinstance(steps, list):
            if steps is not None:
                found[field] = Setting(field, title, steps)
        elif not all(isinstance(step, dict) and "name" in step for step in steps):
            found[field] = Setting(field, title, "; ".join(map(_words, steps)))
        elif steps:
            kind = _KINDS.get(field, field)
            found[field] = Setting(field, title, ", ".join(_entry_title(kind, s["name"]) for s in steps))
            for step, number in zip(steps, _occurrences(steps), strict=True):
                found.update({s.path: s for s in _parameters(field, kind, step, number)})
    return found


def _parameters(field: str, kind: Any, step: Mapping[str, Any], number: int) -> list[Setting]:
    name = step["name"]
    entry = _entry(kind, name)
    known = {p.name: p for p in entry.parameters} if entry else {}
    again = f" {number}" if number > 1 else ""
    found = []
    for key, value in step.items():
        if key != "name" and isinstance(value, (str, int, float, bool)):
            parameter = known.get(key)
            title = f"{_entry_title(kind, name)}{again}: {parameter.title if parameter else key.replace('_', ' ')}"
            found.append(Setting(f"{field}.{name}{again}.{key}", title, value, parameter.unit if parameter else ""))
    return found


def _entry(kind: Any, name: str) -> catalogue.Entry | None:
    try:
        return catalogue.get(kind, name)
    except catalogue.UnknownEntryError:
        return None


def _entry_title(kind: Any, name: str) -> str:
    entry = _entry(kind, name)
    return entry.title if entry else str(name)


def _occurrences(steps: Sequence[Mapping[str, Any]]) -> list[int]:
    names = [step["name"] for step in steps]
    return [names[: i + 1].count(name) for i, name in enumerate(names)]


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k.replace('_', ' ')} {catalogue.format_value(v)}" for k, v in value.items())
    return str(value)


def format_setting(setting: Setting | None) -> str:
    """A setting's value as people read it; a dash where a run has no such setting."""
    if setting is None:
        return "–"
    value = setting.value
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:,}" if isinstance(value, int) else value
    text = f"{value:g}" if isinstance(value, float) else text
    return f"{text} {setting.unit}".strip()


def diff_specs(plans: Sequence[Mapping[str, Any]]) -> dict[str, list[Setting | None]]:
    """Return the settings that differ between specs, by path: one per spec, None if the spec lacks it.

    A parameter is listed where specs that have it disagree: that a forest has no C follows from its being a forest.
    """
    columns = [settings(plan) for plan in plans]
    found: dict[str, list[Setting | None]] = {}
    for path in dict.fromkeys(path for column in columns for path in column):
        row = [column.get(path) for column in columns]
        there = [s for s in row if s is not None]
        parameter = path.count(".") > 1
        values = {_comparable(s.value) for s in there}
        if len(values) > 1 or (len(there) < len(row) and not parameter):
            found[path] = row
    # Fields before parameters: the choice of a classifier explains which parameters a run has.
    return dict(sorted(found.items(), key=lambda item: item[0].count(".") > 1))


def _comparable(value: Value) -> tuple[bool, Value]:
    # True equals 1, and is another setting.
    return isinstance(value, bool), value


def pareto_front(costs: Sequence[float], gains: Sequence[float]) -> NDArray[np.bool_]:
    """The Pareto front: which of n runs no other one beats, being as cheap and as good, and better in one of both.

    Args:
        costs: n numbers, the less the better.
        gains: n numbers, the more the better.

    Returns:
        bool (n,).
    """
    cost, gain = np.asarray(costs, dtype=float), np.asarray(gains, dtype=float)
    as_good = (cost[:, None] <= cost) & (gain[:, None] >= gain)
    better = (cost[:, None] < cost) | (gain[:, None] > gain)
    beaten: NDArray[np.bool_] = np.any(as_good & better, axis=0)
    return ~beaten


@dataclass(frozen=True)
class Disagreement:
    """A digit that one of two models has right and the other wrong.

    Attributes:
        index: into the test split.
        label: its true label.
        said: the prediction of the wrong model.
        probability: that this model gave its wrong answer, 0 to 1.
    """

    index: int
    label: int
    said: int
    probability: float


@dataclass(frozen=True)
class PairedComparison:
    """Two models on the same test digits.

    Attributes:
        first_accuracy, second_accuracy: shares that are right, 0 to 1.
        difference: the first minus the second.
        interval: of the difference, with 95% confidence; see `paired_interval`.
        p: of McNemar's exact test; see `mcnemar`.
        only_first: digits that only the first has right, those first where the second is surest of its wrong answer.
        only_second: the same the other way round.
        both_wrong: how many both have wrong.
        tested_on: how many digits.
    """

    first_accuracy: float
    second_accuracy: float
    difference: float
    interval: tuple[float, float]
    p: float
    only_first: tuple[Disagreement, ...]
    only_second: tuple[Disagreement, ...]
    both_wrong: int
    tested_on: int


def paired(labels: Labels, first: NDArray[np.floating], second: NDArray[np.floating]) -> PairedComparison:
    """Compare two models by their predictions for the same test digits.

    Args:
        labels: uint8 (n,).
        first, second: probabilities, float (n, 10).

    Raises:
        CompareError: they were not tested on the same digits.
    """
    if not first.shape == second.shape == (len(labels), CLASSES):
        raise CompareError(
            f"One model was tested on {len(first)} digits and the other on {len(second)}, of {len(labels)} that are "
            "here: they can be compared only on the same digits."
        )
    right_first, right_second = (p.argmax(axis=1) == labels for p in (first, second))
    only_first = _disputed(labels, second, right_first & ~right_second)
    only_second = _disputed(labels, first, right_second & ~right_first)
    return PairedComparison(
        first_accuracy=float(right_first.mean()),
        second_accuracy=float(right_second.mean()),
        difference=(len(only_first) - len(only_second)) / len(labels),
        interval=paired_interval(len(only_first), len(only_second), len(labels)),
        p=mcnemar(len(only_first), len(only_second)),
        only_first=only_first,
        only_second=only_second,
        both_wrong=int((~right_first & ~right_second).sum()),
        tested_on=len(labels),
    )


def _disputed(labels: Labels, wrong: NDArray[np.floating], which: NDArray[np.bool_]) -> tuple[Disagreement, ...]:
    indices = np.flatnonzero(which)
    said = wrong[indices].argmax(axis=1)
    sure = wrong[indices, said]
    order = np.argsort(-sure, kind="stable")
    return tuple(Disagreement(int(indices[i]), int(labels[indices[i]]), int(said[i]), float(sure[i])) for i in order)
