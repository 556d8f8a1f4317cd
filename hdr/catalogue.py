"""The one mechanism: a plain function with declared parameters becomes an entry of the catalogue.

A function is registered by a decorator. Its keyword-only arguments are its parameters, and their annotations
(``Annotated[int, Field(ge=1, le=9, title=..., description=...)]``) are the only declaration of name, type, default,
range, unit and help. Widgets, validation, the URL, the JSON of a run and the contract tests all derive from it.

The docstring is the entry's text: its first paragraph is shown to people; a line ``Formula:`` holds LaTeX and a line
``Source:`` says where the method comes from.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from types import MappingProxyType
from typing import Any, ForwardRef, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, create_model, field_validator

from hdr.sanitize import strip_unprintable
from hdr.types import HdrError, Step

Function = TypeVar("Function", bound=Callable[..., Any])

Kind = Literal["step", "disturbance", "augmentation", "feature", "reduction", "classifier"]
Scope = Literal["image", "digit"]
Display = Literal["intensity", "signed", "angle"]


class UnknownEntryError(HdrError):
    """Nothing of that name is in the catalogue."""


class ParameterError(HdrError):
    """A parameter has a value that its declaration does not allow."""


@dataclass(frozen=True)
class Parameter:
    """One declared parameter, in the terms that a widget or a message needs.

    Attributes:
        name: as in the signature and in JSON.
        title: as on a label.
        type: int, float, bool or str.
        default: the value where none is given.
        minimum, maximum: the closed range of a number; None for choices.
        step: the distance between neighbouring values of a slider; None where any value will do.
        unit: as written after a value, such as "px"; empty where there is none.
        log: True where equal ratios matter rather than equal differences.
        choices: the allowed values where they are listed; empty otherwise.
        help: one sentence for the tooltip.
    """

    name: str
    title: str
    type: type
    default: Any
    minimum: float | None
    maximum: float | None
    step: float | None
    unit: str
    log: bool
    choices: tuple[Any, ...]
    help: str

    @property
    def expected(self) -> str:
        """What would be right, in words."""
        if self.choices:
            return "one of " + ", ".join(map(str, self.choices))
        if self.type is bool:
            return "true or false"
        noun = "a whole number" if self.type is int else "a number"
        low, high = self.limits
        return f"{noun} from {low:g} to {high:g}"

    @property
    def limits(self) -> tuple[float, float]:
        """The closed range of a number.

        Raises:
            TypeError: its values are listed.
        """
        return closed_range(self.name, self.minimum, self.maximum)

    def shown(self, value: Any) -> str:
        """A value as people read it: ``3 px``, ``0.001``, ``60%``, ``yes``."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        text = f"{value:g}" if isinstance(value, float) else str(value)
        return f"{text}%" if self.unit == "%" else f"{text} {self.unit}".strip()

    def parse(self, text: str) -> Any:
        """The value written as text, as `format_value` writes it; text that is not one is returned unchanged."""
        for choice in self.choices:
            if text == format_value(choice):
                return choice
        if self.type is bool:
            return {"true": True, "false": False}.get(text, text)
        try:
            return self.type(text)
        except ValueError:
            return text


def closed_range(name: str, low: float | None, high: float | None) -> tuple[float, float]:
    """Return the bounds of a value that has a range.

    Raises:
        TypeError: there is no range; the message has the name.
    """
    if low is None or high is None:
        raise TypeError(f"{name} has no range: its values are listed in choices.")
    return low, high


def format_value(value: Any) -> str:
    """A parameter's value as short text: ``true``, ``3``, ``2.5``, ``rbf``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def shorten(value: Any) -> str:
    """At most 80 characters of any value, for a message about it."""
    try:
        return strip_unprintable(str(value)[:80])
    except (ValueError, RecursionError):
        # A whole number of thousands of digits, or lists within lists without end.
        return f"{type(value).__name__} too long to show"


@dataclass(frozen=True)
class Entry:
    """A registered function with everything that follows from its declaration."""

    kind: Kind
    name: str
    title: str
    family: str
    function: Callable[..., Any]
    schema: type[BaseModel]
    facts: Mapping[str, Any]

    @property
    def scope(self) -> Scope:
        """For steps: "image" works at any size; "digit" works on one digit."""
        scope: Scope = self.facts.get("scope", "image")
        return scope

    @property
    def display(self) -> Display:
        """For steps: how the output's values are to be shown."""
        display: Display = self.facts.get("display", "intensity")
        return display

    @cached_property
    def caption(self) -> str:
        """The docstring's first paragraph: what it does and why one would want it."""
        return " ".join(inspect.cleandoc(self.function.__doc__ or "").split("\n\n")[0].split())

    @cached_property
    def formula(self) -> str:
        """The docstring's formula as LaTeX without dollars; empty where there is none."""
        return self._line("Formula")

    @cached_property
    def source(self) -> str:
        """The docstring's source; empty where there is none."""
        return self._line("Source")

    def _line(self, label: str) -> str:
        found = re.search(
            rf"^{label}: (.+?)(?=\n\s*\n|\n[A-Z]\w+:|\Z)", inspect.getdoc(self.function) or "", re.M | re.S
        )
        return " ".join(found[1].split()) if found else ""

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The declared parameters, in the order of the signature."""
        types = {"integer": int, "number": float, "boolean": bool, "string": str}
        found = []
        for name, field in self.schema.model_json_schema().get("properties", {}).items():
            choices = tuple(field["enum"]) if "enum" in field else ()
            found.append(
                Parameter(
                    name=name,
                    title=field["title"],
                    type=type(choices[0]) if choices else types[field["type"]],
                    default=field["default"],
                    minimum=field.get("minimum"),
                    maximum=field.get("maximum"),
                    step=field.get("step"),
                    unit=field.get("unit", ""),
                    log=field.get("log", False),
                    choices=choices,
                    help=field.get("description", ""),
                )
            )
        return tuple(found)

    def validate(self, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """All parameters, defaults filled in.

        Raises:
            ParameterError: it names each bad value and what would be right.
        """
        try:
            return self.schema.model_validate(dict(params or {})).model_dump()
        except ValidationError as error:
            raise ParameterError("; ".join(self._explain(e) for e in error.errors())) from None

    def _explain(self, error: Any) -> str:
        name = str(error["loc"][0]) if error["loc"] else ""
        known = {p.name: p for p in self.parameters}
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            return f"{self.title} has no parameter {name[:80]!r}; {has}."
        return f"{self.title}: {name} is {shorten(error['input'])!r}; it must be {known[name].expected}."

    def __call__(self, *arrays: Any, **params: Any) -> Any:
        """Call the function with validated parameters."""
        return self.function(*arrays, **self.validate(params))


class _Parameters(BaseModel):
    """What every entry's schema derives from."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_lookalikes(cls, value: Any, info: ValidationInfo) -> Any:
        # By itself pydantic takes True for 1, "3" for 3 and "off" for False.
        wanted = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) != (wanted is bool) or (isinstance(value, (str, bytes)) and wanted in (int, float)):
            raise ValueError("of another type")
        return value


_entries: dict[Kind, dict[str, Entry]] = {}


def register(kind: Kind, title: str, family: str, **facts: Any) -> Callable[[Function], Function]:
    """Decorator: put a function into the catalogue. The function itself stays as it is.

    Args:
        kind: what it is.
        title: its name for people, in the field's terms.
        family: the group it is listed under.
        facts: what the kind needs besides, such as a step's `scope` and `display`.
    """

    def decorate(function: Function) -> Function:
        # Arrays and results may be annotated by names that are imported for type checkers only, so that just the
        # annotations of parameters are evaluated.
        fields: dict[str, Any] = {
            name: (ForwardRef(p.annotation) if isinstance(p.annotation, str) else p.annotation, p.default)
            for name, p in inspect.signature(function).parameters.items()
            if p.kind is inspect.Parameter.KEYWORD_ONLY
        }
        schema = create_model(function.__name__, __base__=_Parameters, __module__=function.__module__, **fields)
        table = _entries.setdefault(kind, {})
        if function.__name__ in table and table[function.__name__].function.__module__ != function.__module__:
            raise ValueError(f"{kind} {function.__name__!r} is declared twice")
        table[function.__name__] = Entry(
            kind, function.__name__, title, family, function, schema, MappingProxyType(facts)
        )
        return function

    return decorate


def discover(package: str, path: Iterable[str]) -> None:
    """Import every module of a package, so that what it declares is registered."""
    for module in pkgutil.iter_modules(path):
        importlib.import_module(f"{package}.{module.name}")


def entries(kind: Kind) -> tuple[Entry, ...]:
    """All entries of a kind, in the order of their declaration."""
    return tuple(_entries.get(kind, {}).values())


def get(kind: Kind, name: str) -> Entry:
    """The entry of that kind and name.

    Raises:
        UnknownEntryError: it lists the names there are, or where they are many, the nearest ones.
    """
    known = _entries.get(kind, {})
    try:
        return known[name]
    except KeyError:
        near = get_close_matches(str(name), known, n=3) if len(known) > 12 else [*known]
        # An address may name anything: forty names would bury the message.
        there_are = f"there are {', '.join(near or list(known)[:6])}{'' if near else ' and others'}"
        raise UnknownEntryError(f"There is no {kind} {shorten(name)!r}; {there_are}.") from None


def with_defaults(kind: Kind, step: Step) -> Step:
    """The step with its parameters validated and its defaults filled in.

    Raises:
        UnknownEntryError, ParameterError: as `get` and `Entry.validate`.
    """
    return Step(step.name, get(kind, step.name).validate(step.params), step.on)


def step_to_json(step: Step) -> dict[str, Any]:
    """``{"name": "median", "size": 3}``, with ``"on": false`` where the step is switched off."""
    return {"name": step.name, **step.params} | ({} if step.on else {"on": False})


def step_from_json(kind: Kind, data: Any) -> Step:
    """The step that `step_to_json` wrote, validated.

    Raises:
        HdrError: `data` is not such an object.
    """
    if not isinstance(data, dict) or not isinstance(data.get("name"), str):
        raise HdrError(f"A {kind} is written as an object with a name, not as {shorten(data)!r}.")
    on = data.get("on", True)
    if not isinstance(on, bool):
        raise HdrError(f"{data['name'][:80]}: on is {shorten(on)!r}; it must be true or false.")
    return with_defaults(kind, Step(data["name"], {k: v for k, v in data.items() if k not in ("name", "on")}, on))


def step_to_text(step: Step) -> str:
    """A step for an address: ``median-size-3``, or ``_median-size-3`` where it is switched off.

    Its name and its parameters are joined by ``-``; in a number, ``_`` is the minus sign. None of these characters is
    escaped in a query string.
    """
    return ("" if step.on else "_") + "-".join(
        [step.name, *(f"{name}-{_value_to_text(value)}" for name, value in step.params.items())]
    )


def step_from_text(kind: Kind, text: str) -> Step:
    """The step that `step_to_text` wrote, validated.

    Raises:
        HdrError: `text` is not such a step.
    """
    name, *values = text.removeprefix("_").split("-")
    known = {p.name: p for p in get(kind, name).parameters}
    if len(values) % 2:
        raise HdrError(f"{text[:80]!r} is not a {kind}: its parameters are written as name-value pairs.")
    params = {}
    for key, value in zip(values[::2], values[1::2], strict=True):
        params[key] = _value_from_text(known[key], value) if key in known else value
    return with_defaults(kind, Step(name, params, not text.startswith("_")))


def _value_to_text(value: Any) -> str:
    return format_value(value).replace("-", "_")


def _value_from_text(parameter: Parameter, text: str) -> Any:
    # Choices are compared as written, since a name may hold "_" itself; in a number every "_" was a minus.
    for choice in parameter.choices:
        if text == _value_to_text(choice):
            return choice
    return parameter.parse(text.replace("_", "-"))


def key_of(data: Any) -> str:
    """A short name for a JSON value: 16 hexadecimal digits of the SHA-256 of its canonical text."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
