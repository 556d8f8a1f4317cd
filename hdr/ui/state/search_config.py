"""Draft of a search: the dimensions of the Train page's plan, the strategy and the budget. Kept in the
session and mirrored in the address, as untrusted text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from hdr import catalogue
from hdr.sanitize import escape_markdown
from hdr.training.run_spec import RunSpec
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import Dimension, all_dimensions, base_value, dimension_from_json, reachable_dimensions
from hdr.types import HdrError
from hdr.ui.components.parameter_widgets import log_values
from hdr.ui.state import assignment_state, run_config, session_datasets
from hdr.ui.state.url_state import UrlState

PARAMETER = "space"

LONGEST = 12_000
"""Characters of a link or a file that are read at all."""

TELLING = 2
"""Hyperparameters of the classifier that are ticked at first."""

FEW = 5
"""Maximum number of values that are all selected initially; above it, only the plan's value is."""

AROUND = 30.0
"""Initial logarithmic range: from the plan's value divided by this factor to the value multiplied by it."""


@dataclass(frozen=True)
class SearchConfig:
    """A search's plan while it is made: as `SearchSpec`, but nothing may be ticked yet, or too much for a grid."""

    base: RunSpec
    space: tuple[Dimension, ...]
    method: str = "tpe"
    prune: bool = True
    validation: Any = "split"
    most_trials: int = 30
    most_minutes: float = 0.0
    seed: int = 0

    @property
    def spec(self) -> SearchSpec:
        """The search.

        Raises:
            HdrError: it cannot be run as it stands.
        """
        return SearchSpec(**self._parts())

    def _parts(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def to_text(self) -> str:
        """Return compact JSON for an address or a file."""
        data = {**self._parts(), "base": self.base.to_json(), "space": [d.to_json() for d in self.space]}
        return json.dumps(data, separators=(",", ":"))


def from_text(text: str) -> SearchConfig:
    """Parse a draft from the text of `SearchConfig.to_text` or from the JSON of a search.

    Raises:
        HdrError: the text is not a valid draft.
    """
    if len(text) > LONGEST:
        raise HdrError(f"It is {len(text):,} characters long; a search takes at most {LONGEST:,}.")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise HdrError("It is not the JSON of a search.") from None
    if isinstance(data, dict) and data.get("space") == []:
        draft = _draft(SearchSpec.from_json({**data, "space": [{"path": "classifier"}], "method": "random"}))
        draft = replace(draft, space=())
    elif isinstance(data, dict) and data.get("method") == "grid":
        # A message about a grid that is too large is shown below the widgets that reduce it.
        draft = replace(_draft(SearchSpec.from_json({**data, "method": "random"})), method="grid")
    else:
        draft = _draft(SearchSpec.from_json(data))
    if draft.base.dataset not in session_datasets.available():
        known = ", ".join(session_datasets.available())
        raise HdrError(f"There is no data set {catalogue.shorten(draft.base.dataset)!r} here; there are {known}.")
    return draft


def use(draft: SearchConfig) -> None:
    """Make this the draft, and its base the plan."""
    _mirrored.replace(draft)
    run_config.use(draft.base)


def of(spec: SearchSpec) -> None:
    """Make the plan of an earlier search the draft, and its base the plan."""
    use(_draft(spec))


def _draft(spec: SearchSpec) -> SearchConfig:
    return SearchConfig(**{name: getattr(spec, name) for name in SearchConfig.__dataclass_fields__})


def default_range(base: RunSpec, one: Dimension) -> Dimension:
    """A dimension as it begins when it is ticked: near the plan's own value where its range is wide."""
    own = base_value(base, one.path)
    if not one.ranged:
        return one if len(one.choices) <= FEW else one.narrow(choices=[own])
    if one.parameter.log:
        near = [v for v in log_values(one.parameter, own) if own / AROUND <= v <= own * AROUND]
        if len(near) > 1:
            return one.narrow(near[0], near[-1])
    return one


def default_dimensions(base: RunSpec) -> tuple[Dimension, ...]:
    """Return the initial dimensions: the classifier's hyperparameters, logarithmic ones first, which matter most."""
    own = [
        d
        for d in assignment_state.restrict(all_dimensions(base))
        if d.path.startswith(f"classifier.{base.classifier.name}.") and d.ranged
    ]
    ranked = sorted(own, key=lambda d: (not d.parameter.log, d.parameter.type is int))
    wanted = {d.path for d in ranked[:TELLING]}
    return tuple(default_range(base, d) for d in own if d.path in wanted)


def _first() -> SearchConfig:
    return SearchConfig(run_config.current(), default_dimensions(run_config.current()))


_mirrored = UrlState(PARAMETER, _first, SearchConfig.to_text, from_text)

current = _mirrored.get
widget_key = _mirrored.widget_key


def follow() -> str:
    """Load the draft from the address if it differs, and its base as the plan; otherwise search around
    the plan as it stands.

    Returns:
        An error message about the address; empty if it is valid.
    """
    if current().base != run_config.current():
        _mirrored.keep(with_base(current(), run_config.current()))
    before = current()
    problem = _mirrored.follow()
    if current() is not before:
        run_config.use(current().base)
        if current().base != run_config.current():
            # The server, or a class, allows less.
            _mirrored.keep(with_base(current(), run_config.current()))
    return problem


def with_base(draft: SearchConfig, base: RunSpec) -> SearchConfig:
    """Return the search for another plan: without dimensions that it lacks, and with those of a new classifier."""
    kept = _kept(base, draft.space)
    paths = {d.path for d in kept}
    if base.classifier.name != draft.base.classifier.name and "classifier" not in paths:
        kept = (*kept, *(d for d in default_dimensions(base) if d.path not in paths))
    return replace(draft, base=base, space=kept)


def _kept(base: RunSpec, space: Sequence[Dimension]) -> tuple[Dimension, ...]:
    valid = []
    for one in space:
        try:
            valid.append(dimension_from_json(base, one.to_json()))
        except HdrError:
            continue
    while True:
        can = {d.path for d in reachable_dimensions(base, valid)}
        left = [d for d in valid if d.path in can]
        # Also drop dimensions that depended on a removed one.
        if len(left) == len(valid):
            return tuple(left)
        valid = left


def select(paths: Sequence[str], among: Sequence[Dimension]) -> None:
    """Let these vary, and no others among these."""
    draft, offered = current(), {d.path for d in among}
    kept = [d for d in draft.space if d.path not in offered or d.path in paths]
    known = {d.path for d in kept}
    new = [default_range(draft.base, d) for d in among if d.path in paths and d.path not in known]
    order = {d.path: i for i, d in enumerate(all_dimensions(draft.base))}
    space = sorted([*kept, *new], key=lambda d: order[d.path])
    change(space=_kept(draft.base, space))


def set_range(path: str, low: Any = None, high: Any = None, choices: Sequence[Any] | None = None) -> None:
    """Set a dimension's range or values. If the declaration rejects them, show an error and change nothing."""
    try:
        space = tuple(d.narrow(low, high, choices) if d.path == path else d for d in current().space)
    except HdrError as error:
        st.toast(escape_markdown(error))
        _mirrored.replace(current())
    else:
        change(space=_kept(current().base, space))


def change(**values: Any) -> None:
    """Change parts of the draft to the values of its widgets."""
    _mirrored.keep(replace(current(), **values))
