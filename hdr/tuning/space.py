"""What a search may vary: every dimension follows from the declarations in the catalogue, and none is written here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hdr import catalogue
from hdr.catalogue import Entry, Kind, Parameter
from hdr.training.run_spec import MAX_FEATURES, RunSpec
from hdr.types import HdrError, Step

MAX_GRID_VALUES = 7
"""Values of one range that a grid takes at most."""

MAX_ALTERNATIVES = 40
"""Values that one dimension may list at most."""

NONE = "none"
"""The reduction that leaves the features as they are."""

JOINT = "+"
"""Between the extractors of one alternative: ``hog+zoning``."""

LADDER = (1.0, 2.0, 5.0)


class SpaceError(HdrError):
    """A search space is not one that can be searched; the message says which value and what would be right."""


@dataclass(frozen=True)
class Dimension:
    """One thing that a search may vary: a range of numbers, or a list of values.

    Made by `dimension` and `all_dimensions`, which know its declaration, and narrowed by `narrow`.

    Attributes:
        path: its name in JSON and in a trial's values, such as ``classifier.svm.C``, ``features``,
            ``features.hog.cell`` (``features.hog.2.cell`` for the second HOG of two), ``pipeline.2.on`` (steps count
            from 1), ``reduction.pca.components``, ``augmentation.copies``.
        group: for people, what it belongs to: "Support vector machine", "Step 2: Deskew".
        parameter: its declaration: title, unit, help, limits and so on.
        low, high: the closed range; None where values are listed.
        choices: the listed values; empty for a range.
        needs: path and value without which it is not asked for; None where it always is.
    """

    path: str
    group: str
    parameter: Parameter
    low: float | int | None
    high: float | int | None
    choices: tuple[Any, ...]
    needs: tuple[str, Any] | None = None

    @property
    def title(self) -> str:
        """``Support vector machine: C``; the group alone where they say the same."""
        return self.group if self.group == self.parameter.title else f"{self.group}: {self.parameter.title}"

    @property
    def ranged(self) -> bool:
        """True for a range of numbers."""
        return not self.choices

    @property
    def limits(self) -> tuple[float, float]:
        """The closed range.

        Raises:
            TypeError: its values are listed.
        """
        return catalogue.closed_range(self.path, self.low, self.high)

    def narrow(
        self, low: float | None = None, high: float | None = None, choices: Sequence[Any] | None = None
    ) -> Dimension:
        """The same with another range, or other values, within the declared limits; a bound that is left out is as
        declared.

        Raises:
            SpaceError: it names the value that is not allowed and what would be right.
        """
        own = self.parameter
        if choices is not None:
            if low is not None or high is not None:
                raise SpaceError(f"{self.path} has either a range or a list of values, not both.")
            return replace(self, low=None, high=None, choices=self._listed(choices))
        if own.minimum is None:
            if low is not None or high is not None:
                raise SpaceError(f"{self.path} has no range; list its values in choices.")
            return replace(self, low=None, high=None, choices=self._offered())
        low = self._bound("low", own.minimum if low is None else low)
        high = self._bound("high", own.maximum if high is None else high)
        if not low < high:
            raise SpaceError(f"{self.path} goes from {low:g} to {high:g}; its low must be less than its high.")
        return replace(self, low=low, high=high, choices=())

    def _bound(self, name: str, value: Any) -> float | int:
        own = self.parameter
        whole = own.type is int and isinstance(value, float) and value.is_integer()
        kinds = (int,) if own.type is int else (int, float)
        fits = (isinstance(value, kinds) and not isinstance(value, bool)) or whole
        if not fits or not own.minimum <= value <= own.maximum:
            raise SpaceError(f"{self.path}: {name} is '{catalogue.shorten(value)}'; it must be {own.expected}.")
        return own.type(value)

    def _listed(self, choices: Sequence[Any]) -> tuple[Any, ...]:
        if not isinstance(choices, (list, tuple)) or not 1 <= len(choices) <= MAX_ALTERNATIVES:
            raise SpaceError(f"{self.path}: choices must be a list of 1 to {MAX_ALTERNATIVES} values.")
        found = [self.check(value) for value in choices]
        if len(set(found)) < len(found):
            raise SpaceError(f"{self.path}: choices names a value twice.")
        return tuple(found)

    def check(self, value: Any) -> Any:
        """The value, if its declaration allows it.

        Raises:
            HdrError: it does not; the message says what would be right.
        """
        own, shown = self.parameter, catalogue.shorten(value)
        if self.path == "features":
            if not isinstance(value, str) or not 1 <= len(value.split(JOINT)) <= MAX_FEATURES:
                raise SpaceError(f"features: '{shown}' is not 1 to {MAX_FEATURES} extractors, joined by '{JOINT}'.")
            for name in value.split(JOINT):
                catalogue.get("feature", name)
            return value
        if own.minimum is not None:
            return self._bound("a value", value)
        for choice in self._offered():
            # By themselves 1 and True are equal.
            if value == choice and isinstance(value, bool) == isinstance(choice, bool):
                return choice
        raise SpaceError(f"{self.path} is '{shown}'; it must be {own.expected}.")

    def contains(self, value: Any) -> bool:
        """Whether a search along this dimension may come to a value."""
        if self.choices:
            return value in self.choices
        return not isinstance(value, (bool, str)) and self.low <= value <= self.high

    def _offered(self) -> tuple[Any, ...]:
        return (False, True) if self.parameter.type is bool else self.parameter.choices

    def grid(self) -> tuple[Any, ...]:
        """The values that a grid takes: those listed, or at most 7 of the range, spread evenly."""
        if self.choices:
            return self.choices
        low, high = self.limits
        if self.parameter.log:
            values = [v for v in _ladder(low, high) if low <= v <= high]
        else:
            step = self.parameter.step or (1 if self.parameter.type is int else (high - low) / 6)
            count = math.floor((high - low) / step + 1e-9) + 1
            # Thinned before they are made: a range may have thousands.
            picked = _evenly(count)
            values = [round(low + k * step, 10) for k in picked]
        if len(values) < 2:
            values = [low, high]
        return tuple(self.parameter.type(values[k]) for k in _evenly(len(values)))

    def to_json(self) -> dict[str, Any]:
        """``{"path": "classifier.svm.C", "low": 0.1, "high": 100.0}`` or ``{"path": ..., "choices": [...]}``."""
        if self.choices:
            return {"path": self.path, "choices": list(self.choices)}
        return {"path": self.path, "low": self.low, "high": self.high}


def _evenly(count: int) -> list[int]:
    most = min(count, MAX_GRID_VALUES)
    return [round(k * (count - 1) / max(most - 1, 1)) for k in range(most)]


def _ladder(low: float, high: float) -> Iterator[float]:
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        yield from (float(f"{rung}e{power}") for rung in LADDER)


def all_dimensions(base: RunSpec) -> tuple[Dimension, ...]:
    """Everything that may vary about a plan, in the order of the data's way, each over all that is declared."""
    return (*_augmentation(base), *_steps(base), *_features(base), *_chosen("reduction"), *_chosen("classifier"))


def dimension(
    base: RunSpec, path: str, low: float | None = None, high: float | None = None, choices: Sequence[Any] | None = None
) -> Dimension:
    """One dimension of a plan, as declared or narrowed.

    Raises:
        HdrError: the plan has no such dimension, or a value is not allowed.
    """
    known = {d.path: d for d in all_dimensions(base)}
    if path not in known:
        from difflib import get_close_matches

        near = get_close_matches(str(path), known, n=3, cutoff=0.3) or list(known)[:3]
        shown = catalogue.shorten(path)
        raise SpaceError(f"This plan has no '{shown}' that could vary; it has {', '.join(near)} and others.")
    found = known[path]
    return found if low is None and high is None and choices is None else found.narrow(low, high, choices)


def dimension_from_json(base: RunSpec, data: Any) -> Dimension:
    """The dimension that `Dimension.to_json` wrote; what is left out is as declared.

    Raises:
        HdrError: `data` is not a dimension of this plan.
    """
    if not isinstance(data, dict) or not isinstance(data.get("path"), str):
        raise SpaceError(f"A dimension is written as an object with a path, not as '{catalogue.shorten(data)}'.")
    for name in data:
        if name not in ("path", "low", "high", "choices"):
            raise SpaceError(f"A dimension has no '{catalogue.shorten(name)}'; it has path, low, high, choices.")
    return dimension(base, data["path"], data.get("low"), data.get("high"), data.get("choices"))


def base_value(base: RunSpec, path: str) -> Any:
    """What a plan itself has where a dimension could be; the declared default where the plan leaves its entry out."""
    head, *rest = path.split(".")
    if head == "features" and not rest:
        return JOINT.join(s.name for s in base.features)
    if head in ("classifier", "reduction") and not rest:
        step = getattr(base, head)
        return step.name if step else NONE
    if path == "augmentation.on":
        return base.augmentation is not None
    if head == "pipeline" and rest[-1] == "on":
        return True
    return _holder(base, head, rest).params[rest[-1]]


def is_active(dimension: Dimension, values: Mapping[str, Any], base: RunSpec) -> bool:
    """Whether a dimension plays a part beside these values: a parameter does where its entry is chosen."""
    if dimension.needs is None:
        return True
    path, wanted = dimension.needs
    return _met(wanted, values.get(path, base_value(base, path)))


def reachable_dimensions(base: RunSpec, space: Sequence[Dimension]) -> tuple[Dimension, ...]:
    """Of all that is possible, what can ever be asked for where these dimensions vary: what a page has to offer."""
    listed = {d.path: d.choices for d in space}

    def can(one: Dimension) -> bool:
        if one.needs is None:
            return True
        path, wanted = one.needs
        return any(_met(wanted, value) for value in listed.get(path) or (base_value(base, path),))

    return tuple(d for d in all_dimensions(base) if can(d))


def _met(wanted: Any, value: Any) -> bool:
    # An extractor is wanted by its name and how many of it there are to be.
    return value.split(JOINT).count(wanted[0]) >= wanted[1] if isinstance(wanted, tuple) else value == wanted


def _holder(base: RunSpec, head: str, rest: Sequence[str]) -> Step:
    # The step of the plan, or else the entry with its defaults, that has this parameter.
    if head == "pipeline":
        return base.pipeline.steps[int(rest[0]) - 1]
    if head == "augmentation":
        return base.augmentation or catalogue.with_defaults(
            "augmentation", Step(catalogue.entries("augmentation")[0].name)
        )
    name, number = rest[0], int(rest[1]) if len(rest) == 3 else 1
    mine = base.features if head == "features" else (getattr(base, head),)
    same = [s for s in mine if s is not None and s.name == name]
    kind: Kind = "feature" if head == "features" else "reduction" if head == "reduction" else "classifier"
    return same[number - 1] if number <= len(same) else catalogue.with_defaults(kind, Step(name))


def _augmentation(base: RunSpec) -> Iterator[Dimension]:
    entry = catalogue.get("augmentation", _holder(base, "augmentation", ()).name)
    yield _switch("augmentation.on", entry.title, "Whether distorted copies are learned from, too.")
    yield from _parameters("augmentation", entry.title, entry, ("augmentation.on", True))


def _steps(base: RunSpec) -> Iterator[Dimension]:
    for number, step in enumerate(base.pipeline.steps, 1):
        entry, path = catalogue.get("step", step.name), f"pipeline.{number}"
        group = f"Step {number}: {entry.title}"
        yield _switch(f"{path}.on", group, "Whether this step is taken.")
        yield from _parameters(path, group, entry, (f"{path}.on", True))


def _features(base: RunSpec) -> Iterator[Dimension]:
    own, entries = base_value(base, "features"), catalogue.entries("feature")
    names = tuple(dict.fromkeys((own, *(e.name for e in entries))))
    yield _listing("features", "Features", names, own, f"Extractors; several are joined by '{JOINT}'.")
    for entry in entries:
        # The plan says how often an extractor may come: the Best preset has HOG at two scales.
        for number in range(1, max(1, own.split(JOINT).count(entry.name)) + 1):
            more = f".{number}" if number > 1 else ""
            group = f"{entry.title} ({number})" if number > 1 else entry.title
            yield from _parameters(f"features.{entry.name}{more}", group, entry, ("features", (entry.name, number)))


def _chosen(kind: Kind) -> Iterator[Dimension]:
    entries = catalogue.entries(kind)
    names = tuple(e.name for e in entries)
    names, title = ((NONE, *names), "Reduction") if kind == "reduction" else (names, "Classifier")
    yield _listing(kind, title, names, names[0], f"Which {kind} is taken.")
    for entry in entries:
        yield from _parameters(f"{kind}.{entry.name}", entry.title, entry, (kind, entry.name))


def _parameters(path: str, group: str, entry: Entry, needs: tuple[str, Any]) -> Iterator[Dimension]:
    for one in entry.parameters:
        listed = (False, True) if one.type is bool else one.choices
        low, high = (None, None) if listed else (one.type(one.minimum), one.type(one.maximum))
        yield Dimension(f"{path}.{one.name}", group, one, low, high, listed, needs)


def _switch(path: str, group: str, note: str) -> Dimension:
    own = Parameter("on", "Taken", bool, True, None, None, None, "", False, (), note)
    return Dimension(path, group, own, None, None, (False, True))


def _listing(path: str, title: str, names: tuple[str, ...], default: str, note: str) -> Dimension:
    own = Parameter(path, title, str, default, None, None, None, "", False, names, note)
    return Dimension(path, title, own, None, None, names)
