"""What a search is to do, all of it: which plan varies, along which dimensions, how, and for how long."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, get_args

from hdr import catalogue
from hdr.training.run_spec import RunSpec
from hdr.tuning.space import (
    JOINT,
    NONE,
    Dimension,
    SpaceError,
    all_dimensions,
    base_value,
    dimension_from_json,
    is_active,
    reachable_dimensions,
)
from hdr.types import Step

Method = Literal["random", "grid", "tpe", "halving"]

METHODS: Mapping[str, str] = {
    "tpe": "Tree-structured Parzen estimator",
    "random": "Random",
    "grid": "Grid",
    "halving": "Successive halving",
}
"""Titles of the methods, by name."""

MAX_TRIALS = 500
MAX_MINUTES = 24 * 60.0

MAX_GRID = 1_000
"""Points that a grid may have at most."""

FOLDS = (3, 5)
"""Parts of a cross-validation that can be chosen."""


@dataclass(frozen=True)
class SearchSpec:
    """A search's plan. Everything is validated when it is made.

    Attributes:
        base: the plan that varies; it says everything that no dimension does. Changes of a steered run are left out.
        space: what varies, in the order of the data's way.
        method: "tpe" (from what it has seen), "random", "grid" (all combinations, in an order drawn from the seed) or
            "halving" (random, and of those that have come as far, the better half goes on).
        prune: whether trials end early that are worse than the median at the same point. Halving always prunes.
        validation: "split" for the validation digits of the plan's seed, as for every run; 3 or 5 for a stratified
            cross-validation over the digits that the plan fits on. The test split is never touched.
        most_trials: 1 to 500.
        most_minutes: of work, 0 to 1,440; 0 for no limit.
        seed: of the search's own choices.

    Raises:
        HdrError: a value is not allowed, or a grid would have more than 1,000 points.
    """

    base: RunSpec
    space: tuple[Dimension, ...]
    method: Method = "tpe"
    prune: bool = True
    validation: Literal["split", 3, 5] = "split"
    most_trials: int = 30
    most_minutes: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise SpaceError(f"method is '{catalogue.shorten(self.method)}'; it must be one of {', '.join(METHODS)}.")
        if not isinstance(self.prune, bool):
            raise SpaceError(f"prune is '{catalogue.shorten(self.prune)}'; it must be true or false.")
        if isinstance(self.validation, bool) or self.validation not in ("split", *FOLDS):
            raise SpaceError(f"validation is '{catalogue.shorten(self.validation)}'; it must be one of split, 3, 5.")
        _check_number("most_trials", self.most_trials, 1, MAX_TRIALS, whole=True)
        _check_number("most_minutes", self.most_minutes, 0, MAX_MINUTES)
        _check_number("seed", self.seed, 0, 2**31 - 1, whole=True)
        settle = object.__setattr__
        settle(self, "most_minutes", float(self.most_minutes))
        settle(self, "prune", self.prune or self.method == "halving")
        settle(self, "base", replace(self.base, changes=()))
        settle(self, "space", _settle_space(self.base, self.space))
        if self.method == "grid" and self.grid_size > MAX_GRID:
            raise SpaceError(
                f"This grid has {self.grid_size:,} points; at most {MAX_GRID:,} are allowed. "
                "Narrow its ranges, vary less, or let another method choose."
            )

    def asked(self, values: Mapping[str, Any]) -> tuple[Dimension, ...]:
        """The dimensions that play a part beside these values."""
        return tuple(d for d in self.space if is_active(d, values, self.base))

    def apply(self, values: Mapping[str, Any]) -> RunSpec:
        """The plan of a trial.

        Args:
            values: by path; what is left out is as in the base.

        Raises:
            HdrError: a value is not one of this search, or the combination cannot be run.
        """
        known = {d.path: d for d in self.space}
        for path, value in values.items():
            if path not in known:
                raise SpaceError(f"This search does not vary '{catalogue.shorten(path)}'.")
            known[path].check(value)
        return _apply(self.base, values)

    def own_values(self) -> dict[str, Any] | None:
        """The base itself as a trial; None where it lies outside the space."""
        found: dict[str, Any] = {}
        for one in self.space:
            if is_active(one, found, self.base):
                found[one.path] = base_value(self.base, one.path)
                if not one.contains(found[one.path]):
                    return None
        return found

    @property
    def grid_size(self) -> int:
        """Points of the grid over this space, whatever the method."""
        heads = [d for d in self.space if d.needs is None or d.needs[0] not in {s.path for s in self.space}]
        size = 1
        for head in heads:
            under = [d for d in self.space if d.needs and d.needs[0] == head.path]
            # What belongs to one entry counts only beside that entry.
            size *= sum(
                math.prod(len(d.grid()) for d in under if is_active(d, {head.path: value}, self.base))
                for value in head.grid()
            )
        return size

    def grid(self) -> Iterator[dict[str, Any]]:
        """Every point of the grid over this space."""
        return _grid(self.base, self.space, {})

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `from_json` turns back into the same spec."""
        return {
            "base": self.base.to_json(),
            "space": [d.to_json() for d in self.space],
            "method": self.method,
            "prune": self.prune,
            "validation": self.validation,
            "most_trials": self.most_trials,
            "most_minutes": self.most_minutes,
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, data: Any) -> SearchSpec:
        """The spec that `to_json` wrote; what is left out takes its default.

        Raises:
            HdrError: it names the value that is wrong and what would be right.
        """
        if not isinstance(data, dict):
            raise SpaceError(f"A search is written as a JSON object, not as '{catalogue.shorten(data)}'.")
        names = ("base", "space", "method", "prune", "validation", "most_trials", "most_minutes", "seed")
        for name in data:
            if name not in names:
                raise SpaceError(f"A search has no '{catalogue.shorten(name)}'; it has {', '.join(names)}.")
        for name in ("base", "space"):
            if name not in data:
                raise SpaceError(f"A search needs a '{name}'.")
        if not isinstance(data["space"], list):
            raise SpaceError(f"A space is written as a list, not as '{catalogue.shorten(data['space'])}'.")
        base = RunSpec.from_json(data["base"])
        space = tuple(dimension_from_json(base, d) for d in data["space"])
        return cls(**{**data, "base": base, "space": space})

    @cached_property
    def key(self) -> str:
        """The same for two specs that do the same."""
        return catalogue.key_of(self.to_json())

    @property
    def summary(self) -> str:
        """One line for a list: ``TPE over C, Gamma and 2 more``."""
        titles = list(dict.fromkeys(d.group if d.path.endswith(".on") else d.parameter.title for d in self.space))
        shown, more = titles[:3], len(titles) - 3
        listed = ", ".join(shown) + (f" and {more} more" if more > 0 else "")
        return f"{'TPE' if self.method == 'tpe' else METHODS[self.method]} over {listed}"


def _settle_space(base: RunSpec, space: Sequence[Dimension]) -> tuple[Dimension, ...]:
    if not space:
        raise SpaceError("A search needs at least one dimension that may vary.")
    paths = [d.path for d in space]
    for path in paths:
        if paths.count(path) > 1:
            raise SpaceError(f"'{path}' is in the space twice.")
    # Declared for this base: one made for another may name a step that this one does not have.
    settled = {d.path: dimension_from_json(base, d.to_json()) for d in space}
    can = {d.path for d in reachable_dimensions(base, tuple(settled.values()))}
    for one in settled.values():
        if one.path not in can:
            where, wanted = one.needs or ("", "")
            name = wanted[0] if isinstance(wanted, tuple) else wanted
            raise SpaceError(
                f"'{one.path}' would never be asked for: {where} is '{base_value(base, where)}' in the plan. "
                f"Let {where} vary, with '{name}' among its values, or take another plan."
            )
    return tuple(settled[d.path] for d in all_dimensions(base) if d.path in settled)


def _grid(base: RunSpec, space: Sequence[Dimension], values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if not space:
        yield values
    elif not is_active(space[0], values, base):
        yield from _grid(base, space[1:], values)
    else:
        for value in space[0].grid():
            yield from _grid(base, space[1:], {**values, space[0].path: value})


def _apply(base: RunSpec, values: Mapping[str, Any]) -> RunSpec:
    def chosen(kind: str) -> str:
        return values.get(kind, base_value(base, kind))

    features: list[Step] = []
    counts: dict[str, int] = {}
    for name in chosen("features").split(JOINT):
        counts[name] = counts.get(name, 0) + 1
        features.append(_with(base, values, "features", name, counts[name]))
    steps = tuple(
        Step(s.name, {**s.params, **_under(values, f"pipeline.{number}.")})
        for number, s in enumerate(base.pipeline.steps, 1)
        if values.get(f"pipeline.{number}.on", True)
    )
    augmentation = None
    if values.get("augmentation.on", base_value(base, "augmentation.on")):
        own = base.augmentation or Step(catalogue.entries("augmentation")[0].name)
        augmentation = Step(own.name, {**own.params, **_under(values, "augmentation.")})
    reduction = chosen("reduction")
    return replace(
        base,
        pipeline=type(base.pipeline)(steps),
        features=tuple(features),
        reduction=None if reduction == NONE else _with(base, values, "reduction", reduction),
        classifier=_with(base, values, "classifier", chosen("classifier")),
        augmentation=augmentation,
    )


def _with(base: RunSpec, values: Mapping[str, Any], kind: str, name: str, number: int = 1) -> Step:
    # An entry with the plan's own parameters where the plan has it, and with its defaults where not.
    plan = base.features if kind == "features" else (getattr(base, kind),)
    same = [s for s in plan if s is not None and s.name == name]
    own = same[number - 1].params if number <= len(same) else {}
    more = f".{number}" if number > 1 else ""
    return Step(name, {**own, **_under(values, f"{kind}.{name}{more}.")})


def _under(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    found = {path.removeprefix(prefix): value for path, value in values.items() if path.startswith(prefix)}
    return {name: value for name, value in found.items() if "." not in name and name != "on"}


def _check_number(name: str, value: Any, low: float, high: float, whole: bool = False) -> None:
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        noun = "a whole number" if whole else "a number"
        raise SpaceError(f"{name} is '{catalogue.shorten(value)}'; it must be {noun} from {low:g} to {high:,g}.")
