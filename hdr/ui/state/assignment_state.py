"""The assignment of a session, if any: the settings that the teacher's link leaves free."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from hdr.catalogue import Kind
from hdr.classroom.assignment import Assignment
from hdr.training.run_spec import RunSpec
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import Dimension
from hdr.types import Step

_TASK = "_class"


def current() -> Assignment | None:
    """Return the task of the class; None outside a class."""
    return st.session_state.get(_TASK)


def enter(task: Assignment | None) -> None:
    """Enter a class, or leave it."""
    st.session_state[_TASK] = task


def page_enabled(page: str) -> bool:
    """Whether a page can be visited; Train and About always can. Who is in a class sets none."""
    task = current()
    return task is None or page in ("train", "about") or page in task.pages


def allowed_names(names: Sequence[str], what: str) -> list[str]:
    """Return the names that can be chosen, in the given order; `what` is the part, as `Assignment` names it."""
    task = current()
    return [name for name in names if task is None or name in getattr(task, what)]


def free(path: str) -> bool:
    """Return whether a part of the plan may be changed."""
    task = current()
    return task is None or path in task.free


def parameter_is_free(kind: Kind, entry: str, name: str) -> bool:
    """Return whether a parameter of an entry may be changed."""
    task = current()
    return task is None or task.is_free(kind, entry, name)


def initial_step(kind: Kind, name: str) -> Step:
    """Return an entry with the values it has when it is selected."""
    task = current()
    return task.step(kind, name) if task else Step(name)


def check(spec: RunSpec) -> None:
    """Refuse a plan that the class does not allow.

    Raises:
        AssignmentError: a value is not allowed; the message names it and the allowed values.
    """
    if task := current():
        task.check(spec)


def check_search(search: SearchSpec) -> None:
    """Refuse a search that the class does not allow.

    Raises:
        AssignmentError: it names what is not allowed.
    """
    if task := current():
        task.check_search(search)


def restrict(dimensions: Sequence[Dimension]) -> tuple[Dimension, ...]:
    """Return the dimensions that a search may vary."""
    task = current()
    if task is None:
        return tuple(dimensions)
    return tuple(found for one in dimensions if (found := task.within(one)) is not None)
