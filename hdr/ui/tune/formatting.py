"""Varied settings of a search, as text and as the axes and trials of its figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from hdr import catalogue
from hdr.catalogue import Kind
from hdr.plots.tuning.axes import Axis, Tried
from hdr.tuning.records import Trial
from hdr.tuning.space import JOINT, NONE, Dimension

GROUPS = {
    "pipeline": "Preprocessing",
    "features": "Features",
    "reduction": "Reduction",
    "classifier": "Classifier",
    "augmentation": "Distorted copies",
}
"""Titles of the parts of a plan, by the first word of a path, in the order of the data's way."""


def group_of(one: Dimension) -> str:
    """Return the entry of `GROUPS` that a dimension belongs to."""
    return one.path.split(".")[0]


def names(space: Sequence[Dimension]) -> dict[str, str]:
    """Return a label for each dimension, by path: as short as possible while unique."""
    short = {d.path: _short(d) for d in space}
    counts = Counter(short.values())
    return {d.path: short[d.path] if counts[short[d.path]] == 1 else _long(d) for d in space}


def _short(one: Dimension) -> str:
    return _entry(one) if one.path.endswith(".on") else one.parameter.title


def _long(one: Dimension) -> str:
    return one.group if one.path.endswith(".on") else one.title


def _entry(one: Dimension) -> str:
    # "Step 2: Deskew" where there is but one of them.
    return one.group.split(": ", 1)[-1]


def show(one: Dimension, value: Any) -> str:
    """Return a value as text: ``0.48``, ``3 px``, ``on``, ``HOG + Zoning``."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if one.path == "features":
        return " + ".join(catalogue.get("feature", name).title for name in str(value).split(JOINT))
    if one.path in ("reduction", "classifier"):
        kind: Kind = "reduction" if one.path == "reduction" else "classifier"
        return "none" if value == NONE else catalogue.get(kind, str(value)).title
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return f"{text} {one.parameter.unit}".strip()


def summary(values: Mapping[str, Any], space: Sequence[Dimension]) -> str:
    """Return the varied settings as a short text: ``C 12 · Gamma 0.48 · Deskew off``."""
    titles = names(space)
    return " · ".join(f"{titles[d.path]} {show(d, values[d.path])}" for d in space if d.path in values)


def axes(space: Sequence[Dimension]) -> list[Axis]:
    """Return an axis for each dimension."""
    titles = names(space)
    return [_axis(d, titles[d.path]) for d in space]


def _axis(one: Dimension, title: str) -> Axis:
    if not one.ranged:
        return Axis(title, choices=tuple(show(one, c) for c in one.choices))
    unit = f", {one.parameter.unit}" if one.parameter.unit else ""
    return Axis(title + unit, *one.limits, one.parameter.log)


def completed_trials(trials: Sequence[Trial], space: Sequence[Dimension]) -> list[Tried]:
    """Return the trials that have a score, for the figures; numbered from 1."""
    return [
        Tried(
            t.number + 1,
            t.value,
            tuple(_value(d, t.values) for d in space),
            t.status == "pruned",
            summary(t.values, space),
        )
        for t in trials
        if t.status in ("done", "pruned") and t.value is not None
    ]


def _value(one: Dimension, values: Mapping[str, Any]) -> Any:
    if one.path not in values:
        return None
    return values[one.path] if one.ranged else show(one, values[one.path])
