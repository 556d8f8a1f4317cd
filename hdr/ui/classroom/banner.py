"""Class banner on every page: the task, the pupil's progress, and joining or leaving the class."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from html import escape

import streamlit as st

from hdr import catalogue, datasets
from hdr.catalogue import Parameter
from hdr.classroom.assignment import PARTS, Assignment, AssignmentError, parameters
from hdr.classroom.assignment_link import from_text, to_text
from hdr.formatting import format_count, format_percent
from hdr.sanitize import escape_markdown
from hdr.training.run_spec import RunSpec
from hdr.types import HdrError, Step
from hdr.ui.about import server_limits
from hdr.ui.state import assignment_state, identity, resources, run_config, train_mode

PARAMETER = "class"

MOST_COUNTED = 200
"""Runs that are looked through for the best one, the newest first."""

_TEXT = "_class_text"


def follow() -> str:
    """Enter the class that the address names, and keep naming it there, so that a reload comes back to it.

    Returns:
        An error message about the address; empty if it is valid.
    """
    text, known = st.query_params.get(PARAMETER), st.session_state.get(_TEXT)
    if text is not None and text != known:
        try:
            task = _here(from_text(text))
        except HdrError as error:
            return f"This class cannot be opened. {error}"
        st.session_state[_TEXT] = known = text
        assignment_state.enter(task)
        train_mode.leave()
        run_config.use(task.plan)
    if assignment_state.current() is None:
        if known is not None:
            # It was left; the browser may still say it.
            st.query_params.pop(PARAMETER, None)
    elif known is not None and text != known:
        st.query_params[PARAMETER] = known
    return ""


def _here(task: Assignment) -> Assignment:
    """Return the task, limited to the data sets that this server has."""
    known = datasets.available()
    if task.plan.dataset not in known:
        raise AssignmentError(
            f"It begins with the data set {catalogue.shorten(task.plan.dataset)!r}, and this server has "
            f"{', '.join(known)}. It may still be fetching it: open the link again in a minute."
        )
    return task.model_copy(update={"datasets": tuple(name for name in task.datasets if name in known)})


def _leave() -> None:
    assignment_state.enter(None)
    st.query_params.pop(PARAMETER, None)


def banner() -> None:
    """Show the task, the pupil's progress and a button to leave; nothing outside a class."""
    task = assignment_state.current()
    if task is None:
        return
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key="class_banner"):
        st.html(banner_html(task, progress(task)), width="stretch")
        st.button(
            "Leave",
            icon=":material/logout:",
            type="tertiary",
            key="leave_class",
            help="Everything of the app is there then. Open the link again to come back; your runs stay.",
            on_click=_leave,
        )


def banner_html(task: Assignment, so_far: str) -> str:
    """Return the banner as HTML."""
    instruction = f" {escape(task.instruction)}" if task.instruction else ""
    return f'<div class="hdr-class"><b>{escape(task.title)}</b>{instruction}<div>{so_far}</div></div>'


def progress(task: Assignment) -> str:
    """Return the number of this visitor's runs within the task, and the best of them, as text."""
    done = resources.store().listed(identity.owner(), ("done",), MOST_COUNTED)
    text = to_text(task)
    mine = [r for r in done if r.owner == identity.owner() and _counts(text, r.spec_json)]
    goal = f"Reach {format_percent(task.target)} test accuracy. " if task.target is not None else ""
    if not mine:
        return f"{goal}You have no run yet."
    best = max(r.test_accuracy or 0.0 for r in mine)
    many = "your run" if len(mine) == 1 else f"the best of your {len(mine)} runs"
    reached = task.target is not None and best >= task.target
    return f"{goal}So far: <b>{format_percent(best)}</b>, {many}.{' <b>Reached.</b>' if reached else ''}"


@lru_cache(maxsize=4_096)
def _counts(text: str, spec_json: str) -> bool:
    # The texts stand for task and plan: whether one lies within the other stays as it is.
    try:
        from_text(text).check(RunSpec.from_json(json.loads(spec_json)))
    except HdrError:
        return False
    return True


def unavailable_notice() -> None:
    """Show the notice of a page that the class does not use."""
    st.header("Not part of this class", anchor=False)
    st.caption("Your teacher has left this page out. Here is what the class is about:")
    st.page_link("pages/train.py", label="Train a model", icon=":material/model_training:")


def teacher_link() -> None:
    """Show the link to the assignment builder; nothing within a class."""
    if assignment_state.current() is None:
        st.page_link("pages/teach.py", label="For teachers: set a task for a class", icon=":material/school:")


def fixed(task: Assignment) -> list[tuple[str, str]]:
    """Return the settings that the teacher has fixed, as pairs of a name and a value."""
    spec = task.plan
    low, high = task.size_range
    pairs = []
    if len(task.datasets) == 1:
        pairs.append(("Data", datasets.title(spec.dataset)))
    if low == high:
        pairs.append(("Training digits", format_count(low)))
    if "pipeline" not in task.free:
        pairs.append(("Preprocessing", ", then ".join(_named(task, "step", s) for s in spec.pipeline.steps) or "none"))
    pairs += _part(task, "Features", "feature", spec.features, not task.features)
    reduction = (spec.reduction,) if spec.reduction else ()
    pairs += _part(task, "Reduction", "reduction", reduction, "reduction" not in task.free)
    pairs += _part(task, "Classifier", "classifier", (spec.classifier,), len(task.classifiers) == 1)
    copies = (spec.augmentation,) if spec.augmentation else ()
    pairs += _part(task, PARTS["augmentation"], "augmentation", copies, "augmentation" not in task.free)
    if "seed" not in task.free:
        pairs.append(("Seed", str(spec.seed)))
    return pairs


def _part(
    task: Assignment, title: str, kind: catalogue.Kind, steps: Sequence[Step], stays: bool
) -> list[tuple[str, str]]:
    """Return a part of the plan as one line; if the entry itself is free, only its fixed parameters."""
    if stays:
        return [(title, ", ".join(_named(task, kind, s) for s in steps) or "none")]
    kept = [(catalogue.get(kind, s.name).title, _kept(task, kind, s)) for s in steps]
    return [(name, values) for name, values in kept if values]


def _named(task: Assignment, kind: catalogue.Kind, step: Step) -> str:
    values = _kept(task, kind, step)
    return catalogue.get(kind, step.name).title + (f" ({values})" if values else "")


def _kept(task: Assignment, kind: catalogue.Kind, step: Step) -> str:
    return ", ".join(
        # C is no word.
        f"{p.title.lower() if len(p.title) > 1 else p.title} {p.shown(step.params[p.name])}"
        for p in catalogue.get(kind, step.name).parameters
        if kind == "step" or not task.is_free(kind, step.name, p.name)
    )


def changeable(task: Assignment) -> list[tuple[str, str]]:
    """Return the free settings, as pairs of a name and the available choices."""
    low, high = task.size_range
    pairs = []
    if len(task.datasets) > 1:
        pairs.append(("Data", ", ".join(map(datasets.title, task.datasets))))
    if low != high:
        pairs.append(("Training digits", f"{format_count(low)} to {format_count(high)}"))
    if task.features:
        pairs.append(("Features", ", ".join(catalogue.get("feature", n).title for n in task.features)))
    if len(task.classifiers) > 1:
        pairs.append(("Classifier", ", ".join(catalogue.get("classifier", n).title for n in task.classifiers)))
    known = parameters()
    for path in task.free:
        if path in PARTS:
            pairs.append((PARTS[path], "any"))
        else:
            entry, parameter = known[path]
            pairs.append((f"{entry.title}: {parameter.title}", _range(parameter)))
    return pairs


def _range(parameter: Parameter) -> str:
    if parameter.type is bool:
        return "yes or no"
    if parameter.choices:
        return ", ".join(parameter.shown(value) for value in parameter.choices)
    return f"{replace(parameter, unit='').shown(parameter.minimum)} to {parameter.shown(parameter.maximum)}"


def table(pairs: list[tuple[str, str]]) -> str:
    """Return names and values as HTML, one below the other, since both may be long."""
    return f'<div class="hdr-lines">{server_limits.table(pairs)}</div>'


def fixed_settings_html(task: Assignment) -> str:
    """Return the fixed settings as HTML, to show below the controls."""
    return f'<div class="hdr-note">Set by your teacher:</div>{table(fixed(task))}'


def show_error(said: str) -> None:
    """Show why a class cannot be opened."""
    if said:
        st.warning(escape_markdown(said), icon=":material/link_off:")
