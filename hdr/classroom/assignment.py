"""An assignment that a teacher sets a class: the initial plan, the values that students may change, and the target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    field_validator,
    model_validator,
)

from hdr import catalogue
from hdr.catalogue import Kind, Parameter
from hdr.datasets.uploads import user_datasets
from hdr.sanitize import clean
from hdr.training.run_spec import MAX_DIGITS, MIN_DIGITS, RunSpec
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import JOINT, NONE, Dimension
from hdr.types import HdrError, Step

MAX_TITLE, MAX_INSTRUCTION = 60, 300
"""Limits in characters."""

Page = Literal["home", "preprocess", "features", "runs", "draw", "data"]
PAGES: tuple[Page, ...] = get_args(Page)
"""Pages that a class can do without; Train and About are always there."""

PARTS: Mapping[str, str] = {
    "seed": "Seed",
    "pipeline": "Preprocessing",
    "reduction": "Reduction",
    "augmentation": "Distorted copies",
}
"""Parts of a plan that may be editable as a whole, by path."""

_KINDS: tuple[Kind, ...] = ("classifier", "feature", "reduction", "augmentation")
_MOST_NAMES = 60


class AssignmentError(HdrError):
    """An invalid assignment, or a plan that it does not allow; the message names the value and the allowed ones."""


class Assignment(BaseModel):
    """An assignment for a class. Empty lists are filled from the plan; the plan itself is always allowed.

    Attributes:
        title: 1 to 60 letters.
        instruction: at most 300 letters.
        plan: the initial plan of every student; values that are not in `free` stay fixed.
        pages: the pages that students can open in addition to Train and About.
        datasets: the allowed data sets; uploaded ones are excluded because other users cannot load them.
        sizes: least and most training digits.
        classifiers: the allowed classifiers.
        features: the allowed extractors, alone or combined; empty if the plan's are fixed.
        free: the other editable parts (`PARTS`) and parameters (`parameters`), by path.
        tune: whether students may search over the editable parameters.
        target: the test accuracy to reach, 0 to 1; None for no target.

    Raises:
        ValidationError: use `build` for a message.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True)

    title: str = Field(max_length=2_000)
    instruction: str = Field("", max_length=2_000)
    plan: RunSpec
    pages: tuple[Page, ...] = PAGES
    datasets: tuple[str, ...] = Field((), max_length=_MOST_NAMES)
    sizes: tuple[int, int] | None = None
    classifiers: tuple[str, ...] = Field((), max_length=_MOST_NAMES)
    features: tuple[str, ...] = Field((), max_length=_MOST_NAMES)
    free: tuple[str, ...] = Field((), max_length=300)
    tune: bool = False
    target: float | None = Field(None, ge=0.1, le=1.0, allow_inf_nan=False)

    @field_validator("plan", mode="before")
    @classmethod
    def _read(cls, plan: Any) -> Any:
        if isinstance(plan, RunSpec):
            return plan
        try:
            return RunSpec.from_json(plan)
        except HdrError as error:
            raise ValueError(str(error)) from None

    @field_serializer("plan")
    def _write(self, plan: RunSpec) -> dict[str, Any]:
        return plan.to_json()

    @field_validator("title", "instruction")
    @classmethod
    def _plain(cls, text: str, info: Any) -> str:
        text, most = clean(text), MAX_TITLE if info.field_name == "title" else MAX_INSTRUCTION
        least = 1 if info.field_name == "title" else 0
        if not least <= len(text) <= most:
            raise ValueError(f"it must be {least} to {most} letters, and has {len(text)}")
        return text

    @model_validator(mode="after")
    def _settle(self) -> Assignment:
        plan, settle = self.plan, object.__setattr__
        if plan.changes:
            settle(self, "plan", plan := replace(plan, changes=()))
        low, high = self.size_range
        if not MIN_DIGITS <= low <= plan.train_size <= high <= MAX_DIGITS:
            raise ValueError(
                f"sizes are {low:,} to {high:,}; they must lie from {MIN_DIGITS:,} to {MAX_DIGITS:,} and include "
                f"the plan's {plan.train_size:,}"
            )
        settle(self, "sizes", (low, high))
        _all_of("classifier", self.classifiers)
        _all_of("feature", self.features)
        own_features = tuple(s.name for s in plan.features)
        settle(self, "datasets", _with((plan.dataset,), self.datasets))
        settle(self, "classifiers", _in_order("classifier", _with((plan.classifier.name,), self.classifiers)))
        if self.features:
            settle(self, "features", _in_order("feature", _with(own_features, self.features)))
        for name in self.datasets:
            if user_datasets.is_own(name) or not 1 <= len(name) <= 60:
                raise ValueError(f"'{catalogue.shorten(name)}' is no data set that everybody can have")
        known = {**PARTS, **parameters()}
        for path in self.free:
            if path not in known:
                raise ValueError(f"nothing is called '{catalogue.shorten(path)}' that could be free")
        settle(self, "free", tuple(path for path in known if path in self.free))
        settle(self, "pages", tuple(page for page in PAGES if page in self.pages))
        return self

    def is_free(self, kind: Kind, entry: str, parameter: str) -> bool:
        """Return whether a parameter of an entry may be changed."""
        return path_of(kind, entry, parameter) in self.free

    @property
    def size_range(self) -> tuple[int, int]:
        """Return the least and most training digits; the plan's size if no sizes are given."""
        return self.sizes or (self.plan.train_size, self.plan.train_size)

    def step(self, kind: Kind, name: str) -> Step:
        """Return the initial step for an entry, with the plan's values if the plan contains it."""
        return next((s for s in _steps(self.plan, kind) if s.name == name), Step(name))

    def check(self, spec: RunSpec) -> None:
        """Raise an error if the assignment does not allow a plan.

        Raises:
            AssignmentError: the message names the value and the allowed ones.
        """
        _one_of("data sets", spec.dataset, self.datasets)
        self._check_fixed(spec)
        self._check_parts(spec)
        for kind in _KINDS:
            for step in _steps(spec, kind):
                self._check_values(kind, step)
        for name in (name for change in spec.changes for name, _ in change.values):
            if not self.is_free("classifier", spec.classifier.name, name):
                raise AssignmentError(f"This class does not change {name} while it learns.")

    def _check_fixed(self, spec: RunSpec) -> None:
        plan, (low, high) = self.plan, self.size_range
        if not low <= spec.train_size <= high:
            allowed = f"{low:,}" if low == high else f"{low:,} to {high:,}"
            raise AssignmentError(f"This class allows {allowed} training digits, not {spec.train_size:,}.")
        if spec.threads != plan.threads:
            raise AssignmentError(f"This class keeps the threads at {plan.threads}, not {spec.threads}.")
        if spec.seed != plan.seed and "seed" not in self.free:
            raise AssignmentError(f"This class keeps the seed at {plan.seed}, not {spec.seed}.")
        if spec.pipeline != plan.pipeline and "pipeline" not in self.free:
            raise AssignmentError(
                f"This class keeps the preprocessing at {_titles('step', plan.pipeline.steps)}, "
                f"not {_titles('step', spec.pipeline.steps)}."
            )

    def _check_parts(self, spec: RunSpec) -> None:
        plan, names = self.plan, [s.name for s in spec.features]
        if self.features:
            for name in names:
                _one_of("features", name, self.features, "feature")
        elif names != [s.name for s in plan.features]:
            raise AssignmentError(
                f"This class keeps the features at {_titles('feature', plan.features)}, "
                f"not {_titles('feature', spec.features)}."
            )
        _one_of("classifiers", spec.classifier.name, self.classifiers, "classifier")
        for part in ("reduction", "augmentation"):
            mine, theirs = _steps(plan, part), _steps(spec, part)
            if part not in self.free and [s.name for s in theirs] != [s.name for s in mine]:
                raise AssignmentError(
                    f"This class keeps {PARTS[part].lower()} at {_titles(part, mine)}, not {_titles(part, theirs)}."
                )

    def _check_values(self, kind: Kind, step: Step) -> None:
        entry = catalogue.get(kind, step.name)
        same = [s for s in _steps(self.plan, kind) if s.name == step.name] or [
            catalogue.with_defaults(kind, Step(step.name))
        ]
        for parameter in entry.parameters:
            value, allowed = step.params[parameter.name], [s.params[parameter.name] for s in same]
            if value not in allowed and not self.is_free(kind, step.name, parameter.name):
                kept = " or ".join(dict.fromkeys(map(parameter.shown, allowed)))
                raise AssignmentError(
                    f"{entry.title}: this class keeps {parameter.title} at {kept}, not {parameter.shown(value)}."
                )

    def within(self, one: Dimension) -> Dimension | None:
        """Return the part of a dimension that a search may vary in this class, or None."""
        head, *rest = one.path.split(".")
        if head == "pipeline" or not rest or one.path == "augmentation.on":
            whole = {"classifier": self.classifiers, "features": self.features}.get(head)
            if whole is None:
                return one if head in self.free else None
            allowed = set(whole)
            offered = tuple(c for c in one.parameter.choices if set(c.split(JOINT)) <= allowed)
            left = tuple(c for c in one.choices if set(c.split(JOINT)) <= allowed)
            if len(offered) < 2 or not left:
                return None
            return replace(one, choices=left, parameter=replace(one.parameter, choices=offered))
        # The second of two extractors of a name has the path of the first with a number in it.
        path = ".".join([head, *(rest if len(rest) < 3 else (rest[0], rest[2]))])
        return one if path in self.free else None

    def check_search(self, search: SearchSpec) -> None:
        """Raise an error if a search would vary anything that is not editable.

        Raises:
            AssignmentError: the message names the dimension or value that is not allowed.
        """
        if not self.tune:
            raise AssignmentError("This class trains one run at a time: it has no searches.")
        self.check(search.base)
        for one in search.space:
            left = self.within(one)
            if left is None or left.choices != one.choices:
                raise AssignmentError(f"This class does not let a search vary {one.title} like this.")


def build(**values: Any) -> Assignment:
    """Build an assignment from the values of a form.

    Raises:
        AssignmentError: the message names the invalid value and the allowed ones.
    """
    try:
        return Assignment(**values)
    except ValidationError as error:
        raise AssignmentError(validation_message(error)) from None


@cache
def parameters() -> Mapping[str, tuple[catalogue.Entry, Parameter]]:
    """Return every parameter that may be editable, by path: ``classifier.svm.C``, ``features.hog.cell`` and so on."""
    return {
        path_of(kind, entry.name, parameter.name): (entry, parameter)
        for kind in _KINDS
        for entry in catalogue.entries(kind)
        for parameter in entry.parameters
    }


def path_of(kind: Kind, entry: str, parameter: str) -> str:
    """Return the path of a parameter, in the notation of searches."""
    if kind == "augmentation":
        return f"augmentation.{parameter}"
    return f"{'features' if kind == 'feature' else kind}.{entry}.{parameter}"


def _steps(spec: RunSpec, kind: str) -> tuple[Step, ...]:
    if kind == "feature":
        return spec.features
    step = getattr(spec, kind)
    return (step,) if step else ()


def _titles(kind: Kind, steps: Iterable[Step]) -> str:
    return ", ".join(catalogue.get(kind, s.name).title for s in steps) or NONE


def _one_of(what: str, name: str, allowed: Sequence[str], kind: Kind | None = None) -> None:
    if name not in allowed:
        titles = [catalogue.get(kind, n).title if kind else n for n in (*allowed, name)]
        raise AssignmentError(
            f"This class allows the {what} {', '.join(titles[:-1])}, not {catalogue.shorten(titles[-1])}."
        )


def _with(needed: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*needed, *names)))


def _in_order(kind: Kind, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(e.name for e in catalogue.entries(kind) if e.name in names)


def _all_of(kind: Kind, names: Sequence[str]) -> None:
    for name in names:
        try:
            catalogue.get(kind, name)
        except HdrError as error:
            raise ValueError(str(error)) from None


def validation_message(error: ValidationError) -> str:
    """Return a readable message for a validation error of an assignment."""
    first = error.errors(include_url=False)[0]
    where = f", for its {catalogue.shorten(first['loc'][0])}" if first["loc"] else ""
    own_words = first["type"] == "value_error"
    message = str(first["ctx"]["error"]) if own_words else catalogue.shorten(first["msg"])
    return f"The task cannot be set{where}: {message}".rstrip(".") + "."
