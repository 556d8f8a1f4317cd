"""The chain of steps that a visitor is working on: kept in the session, mirrored in the address."""

from __future__ import annotations

import streamlit as st

from hdr import catalogue
from hdr.preprocessing import PRESETS, Pipeline
from hdr.preprocessing.pipeline import LONGEST, chain
from hdr.sanitize import escape_markdown
from hdr.types import HdrError, Step
from hdr.ui.state.url_state import UrlState

_SELECTED = "_selected"
_mirrored = UrlState("chain", lambda: chain(*PRESETS["Default"]), Pipeline.to_text, Pipeline.from_text)

current = _mirrored.get
follow_address = _mirrored.follow
widget_key = _mirrored.widget_key


def selected() -> int:
    """Return the index of the enlarged step; -1 if the pipeline is empty."""
    return min(st.session_state.get(_SELECTED, 2), len(current().steps) - 1)


def select(index: int) -> None:
    """Show a step large."""
    st.session_state[_SELECTED] = index


def replace(pipeline: Pipeline, select_step: int | None = None) -> None:
    """Make this the chain."""
    _mirrored.replace(pipeline)
    if select_step is not None:
        select(select_step)
    _mirrored.write()


def add(name: str) -> None:
    """Append a step with its defaults, after the selected one."""
    steps = list(current().steps)
    if len(steps) < LONGEST:
        at = selected() + 1
        steps.insert(at, Step(name))
        replace(Pipeline(tuple(steps)), at)


def remove(index: int) -> None:
    """Take a step out."""
    steps = list(current().steps)
    del steps[index]
    replace(Pipeline(tuple(steps)), max(index - 1, 0))


def exchange(index: int, name: str) -> None:
    """Put another step, with its defaults, in a step's place."""
    steps = list(current().steps)
    if steps[index].name != name:
        steps[index] = Step(name)
        replace(Pipeline(tuple(steps)), index)


def move(index: int, by: int) -> None:
    """Let a step change places with a neighbour."""
    steps, target = list(current().steps), index + by
    if 0 <= target < len(steps):
        steps[index], steps[target] = steps[target], steps[index]
        replace(Pipeline(tuple(steps)), target)


def switch(index: int, key: str) -> None:
    """Switch a step on or off, as a widget says."""
    step = current().steps[index]
    _change(index, Step(step.name, step.params, bool(st.session_state[key])))


def set_parameter(index: int, name: str, key: str) -> None:
    """Give a step's parameter the value of a widget. A value that the declaration refuses changes nothing."""
    step = current().steps[index]
    try:
        changed = catalogue.with_defaults(
            "step", Step(step.name, {**step.params, name: st.session_state[key]}, step.on)
        )
    except HdrError as error:
        st.toast(escape_markdown(error))
        replace(current())
    else:
        _change(index, changed)


def _change(index: int, step: Step) -> None:
    steps = list(current().steps)
    steps[index] = step
    _mirrored.keep(Pipeline(tuple(steps)))
    _mirrored.write()
