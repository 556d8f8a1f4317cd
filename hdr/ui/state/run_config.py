"""The run that a visitor is planning on the Train page: kept in the session, every part of it changed by a widget."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from hdr import datasets, settings
from hdr.features.extract import columns
from hdr.jobs.quotas import largest_size
from hdr.sanitize import escape_markdown
from hdr.training.run_spec import PRESETS, RunSpec, for_dataset
from hdr.types import HdrError, Step
from hdr.ui.state import assignment_state, pipeline_state, session_datasets

_PLAN, _REVISION = "_plan", "_plan_revision"


def current() -> RunSpec:
    """Return the current plan; initially the fast preset on the best available data set."""
    if _PLAN not in st.session_state:
        st.session_state[_PLAN] = for_dataset(PRESETS["fast"].spec, datasets.available()[0])
    # The host's settings may change while a user edits the plan.
    return clamp_to_quota(st.session_state[_PLAN])


def clamp_to_quota(spec: RunSpec) -> RunSpec:
    """Return the plan with at most as many training digits, copies included, as the server allows.

    Where a class has nothing as small as that, it stays as it is: who trains it is told.
    """
    most, task = largest_size(spec.augmentation), assignment_state.current()
    if spec.train_size <= most or (task and most < task.size_range[0]):
        return spec
    # A repeat of a steered run is one with as many digits.
    return replace(spec, train_size=most, changes=())


def widget_key(name: str) -> str:
    """Return the key of a widget of the plan; it changes after every change made outside the widgets."""
    return f"plan-{st.session_state.get(_REVISION, 0)}-{name}"


def use(spec: RunSpec) -> None:
    """Use a spec, such as that of an earlier run, as the plan. If the class forbids it, show an error instead."""
    known = session_datasets.available()
    # An uploaded data set may be deleted or belong to another session.
    spec = spec if spec.dataset in known else for_dataset(spec, known[0])
    try:
        assignment_state.check(clamp_to_quota(spec))
    except HdrError as error:
        st.toast(escape_markdown(error))
    else:
        _settle(spec)
    st.session_state[_REVISION] = st.session_state.get(_REVISION, 0) + 1


def change(**values: Any) -> None:
    """Change parts of the plan to the values of its widgets. If the spec or the class rejects them, show an error.

    A changed plan no longer repeats a steered run, so the changes made during that run are discarded.
    """
    try:
        changed = replace(current(), **{"changes": (), **values})
        assignment_state.check(clamp_to_quota(changed))
    except HdrError as error:
        st.toast(escape_markdown(error))
        use(current())
    else:
        _settle(changed)


def _settle(spec: RunSpec) -> None:
    st.session_state[_PLAN] = clamp_to_quota(spec)
    if current() != spec:
        st.toast(
            f"This plan asks for {spec.train_size:,} training digits, and this server allows "
            f"{settings.current().training_digits:,}{count_label(spec.augmentation)}: "
            f"it has {current().train_size:,} now."
        )


def count_label(augmentation: Step | None) -> str:
    """Return the suffix of the host's limit on digits: it says that augmented copies count, if there are any."""
    return ", distorted copies counted" if augmentation else ""


def try_use(**values: Any) -> None:
    """As `change`, for values that the widgets do not show yet: reset the widgets."""
    change(**values)
    use(current())


def use_preset(name: str) -> None:
    """Make a preset the plan, on the data set that is chosen."""
    use(for_dataset(PRESETS[name].spec, current().dataset))


def use_pipeline() -> None:
    """Make the chain of the Preprocess page the plan's pipeline."""
    use(replace(current(), pipeline=pipeline_state.current().active))


def take_features(steps: tuple[Step, ...]) -> None:
    """Make these the plan's extractors. A reduction to more components than they have columns is left out."""
    spec = replace(current(), features=steps, changes=())
    shape = spec.pipeline.apply(np.zeros((1, 28, 28), np.uint8)).shape[1:]
    if spec.reduction and spec.reduction.params.get("components", 0) > len(columns(steps, shape)):
        spec = replace(spec, reduction=None)
    use(spec)


def preset_name() -> str | None:
    """The preset that the plan equals, with as many digits as are allowed, if it does."""
    now = current()
    for name, preset in PRESETS.items():
        if clamp_to_quota(for_dataset(preset.spec, now.dataset)) == now:
            return name
    return None


def title() -> str:
    """Return the title of a run of the plan: the preset's, or an empty one, which is replaced by the plan's parts."""
    name = preset_name()
    return PRESETS[name].title if name else ""


def set_features(names: list[str]) -> None:
    """Choose the extractors; those that were there keep their parameters, also where one is there several times. None
    at all is refused."""
    kept = [step for step in current().features if step.name in names]
    known = {step.name for step in kept}
    change(features=(*kept, *(assignment_state.initial_step("feature", name) for name in names if name not in known)))


def repeat_feature(index: int) -> None:
    """Take an extractor once more, to be given other parameters."""
    features = current().features
    try_use(features=(*features[: index + 1], *features[index:]))


def drop_feature(index: int) -> None:
    """Remove one of several extractors."""
    features = current().features
    try_use(features=(*features[:index], *features[index + 1 :]))


def set_augmentation(on: bool) -> None:
    """Switch training on distorted copies on or off."""
    change(augmentation=assignment_state.initial_step("augmentation", "distort") if on else None)


def set_parameter(kind: str, index: int, name: str, key: str) -> None:
    """Give a parameter of the plan the value of a widget."""
    steps = list(current().features) if kind == "feature" else [getattr(current(), kind)]
    steps[index] = Step(steps[index].name, {**steps[index].params, name: st.session_state[key]})
    change(**({"features": tuple(steps)} if kind == "feature" else {kind: steps[0]}))
