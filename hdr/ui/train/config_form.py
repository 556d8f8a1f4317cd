"""The plan of a run, as widgets."""

from __future__ import annotations

import numpy as np
import streamlit as st

from hdr import catalogue, settings
from hdr.formatting import format_count
from hdr.jobs.quotas import largest_size
from hdr.models import FAMILIES
from hdr.plots import html_images
from hdr.preprocessing import PRESETS as CHAINS
from hdr.preprocessing import Pipeline
from hdr.preprocessing.pipeline import chain as make_chain
from hdr.training.fitting import validation_size
from hdr.training.run_spec import MAX_DIGITS, MAX_FEATURES, MIN_DIGITS, PRESETS
from hdr.types import Step
from hdr.ui.classroom import banner
from hdr.ui.components.parameter_widgets import parameter_widget
from hdr.ui.state import assignment_state, pipeline_state, resources, run_config, session_datasets

SHOWN_DIGITS, SHOWN_COPIES = 7, 3
"""Digits, and copies of each, that show what augmentation does."""

FROM_PREPROCESS, NO_REDUCTION, OWN = "From Preprocess", "none", "Own choice"


def presets() -> None:
    """Show the menu of presets; in a class, a button that resets to the teacher's plan."""
    if task := assignment_state.current():
        st.button(
            "Begin anew",
            icon=":material/restart_alt:",
            key="class_plan",
            help="Sets everything back to how your teacher has set it.",
            on_click=run_config.use,
            args=(task.plan,),
            disabled=run_config.current() == run_config.clamp_to_quota(task.plan),
        )
        return
    chosen = run_config.preset_name()
    key = run_config.widget_key(f"preset-{chosen}")
    st.segmented_control(
        "Preset",
        list(PRESETS),
        format_func=lambda name: PRESETS[name].title,
        default=chosen,
        key=key,
        label_visibility="collapsed",
        on_change=_use_preset,
        args=(key,),
    )


def _use_preset(key: str) -> None:
    if st.session_state[key]:
        run_config.use_preset(st.session_state[key])


def preset_note() -> str:
    """Return a sentence that describes the selected preset."""
    if task := assignment_state.current():
        mine = run_config.current() != run_config.clamp_to_quota(task.plan)
        return "The plan of your class, changed by you." if mine else "The plan of your class."
    name = run_config.preset_name()
    if run_config.current().changes:
        return "A repeat of a steered run, with the changes that were made to it."
    return PRESETS[name].note if name else "Your own plan."


def widgets() -> None:
    """Show the widgets of all parts of a plan; in a class, the free settings, then the fixed ones."""
    task = assignment_state.current()
    # A class may leave the right one empty.
    left, right = st.columns(2, gap="medium") if task is None or task.features else (st.container(), st.container())
    with left:
        _data()
        _pipeline()
    with right:
        _features()
        _reduction()
    _classifier()
    _augmentation()
    if task:
        st.html(banner.fixed_settings_html(task))


def _data() -> None:
    names = assignment_state.allowed_names(session_datasets.available(), "datasets")
    if run_config.current().dataset not in names:
        run_config.change(dataset=names[0])
    _choose_data(names)
    _size()
    _seed()


def _choose_data(names: list[str]) -> None:
    if assignment_state.current() and len(names) == 1:
        return
    data = run_config.widget_key("data")
    st.selectbox(
        "Data",
        names,
        names.index(run_config.current().dataset),
        format_func=session_datasets.title,
        key=data,
        help=resources.dataset(run_config.current().dataset).note,
        on_change=lambda: run_config.change(dataset=st.session_state[data]),
    )
    if not assignment_state.current():
        st.page_link("pages/data.py", label="Bring digits of your own", icon=":material/upload:")


def _size() -> None:
    task = assignment_state.current()
    low, high = task.size_range if task else (MIN_DIGITS, MAX_DIGITS)
    most = largest_size(run_config.current().augmentation)
    here = min(high, most) if most >= low else high
    if most < high and run_config.current().train_size >= here:
        st.caption(_most_here(run_config.current().augmentation))
    if low == here:
        return
    size = run_config.widget_key("size")
    st.slider(
        "Training digits",
        low,
        here,
        run_config.current().train_size,
        # A class may have a range that is no multiple.
        min(500, here - low),
        key=size,
        help="Digits to learn from. Some of the training split are always kept aside for validation, so that the "
        "largest size takes all the others.",
        on_change=lambda: run_config.change(train_size=st.session_state[size]),
    )
    whole = len(resources.dataset(run_config.current().dataset).train)
    kept = validation_size(whole)
    if run_config.current().train_size > whole - kept:
        st.caption(f"{format_count(whole - kept)} learn: {format_count(kept)} are kept aside for validation.")


def _most_here(augmentation: Step | None) -> str:
    most = settings.current().training_digits
    allowed = "any number of" if most is None else format_count(most)
    return f"This server allows {allowed} training digits{run_config.count_label(augmentation)}."


def _seed() -> None:
    if not assignment_state.free("seed"):
        return
    seed = run_config.widget_key("seed")
    st.number_input(
        "Seed",
        0,
        2**31 - 1,
        run_config.current().seed,
        key=seed,
        help="Decides which digits are drawn and how weights begin. The same seed gives the same model.",
        on_change=lambda: run_config.change(seed=st.session_state[seed]),
    )


def _pipeline() -> None:
    if assignment_state.free("pipeline"):
        _choose_pipeline()
    split = resources.dataset(run_config.current().dataset).train
    seen = run_config.current().pipeline.apply(split.images[:4])
    names = [catalogue.get("step", s.name).title for s in run_config.current().pipeline.steps]
    row = "".join(html_images.digit(image, 36, "a training digit after preprocessing") for image in seen)
    st.html(f'<div class="hdr-row">{row}</div><div class="hdr-note">{", then ".join(names) or "as published"}</div>')


def _choose_pipeline() -> None:
    options: dict[str, Pipeline] = {name: make_chain(*steps) for name, steps in CHAINS.items()}
    options[FROM_PREPROCESS] = pipeline_state.current().active
    chosen = next((name for name, p in options.items() if p == run_config.current().pipeline), OWN)
    options.setdefault(chosen, run_config.current().pipeline)
    key = run_config.widget_key(f"pipeline-{chosen}")
    st.selectbox(
        "Preprocessing",
        list(options),
        list(options).index(chosen),
        key=key,
        help="What happens to every digit before anything is learned. Build your own on the Preprocess page.",
        on_change=lambda: run_config.change(pipeline=options[st.session_state[key]]),
    )


def _augmentation() -> None:
    augmentation = run_config.current().augmentation
    key = run_config.widget_key("augmentation")
    entry = catalogue.get("augmentation", "distort")
    if assignment_state.free("augmentation"):
        st.toggle(
            "Distorted copies of the training digits",
            augmentation is not None,
            key=key,
            help=entry.caption,
            on_change=lambda: run_config.set_augmentation(st.session_state[key]),
        )
    if augmentation is None:
        return
    st.html(_copies(run_config.current().dataset, augmentation, run_config.current().seed))
    _parameters("augmentation", 0, augmentation, columns=2)


def _copies(dataset: str, augmentation: Step, seed: int) -> str:
    """Return a few training digits with two copies of each, as HTML."""
    images = resources.dataset(dataset).train.images[:SHOWN_DIGITS]
    params = {**augmentation.params, "copies": min(SHOWN_COPIES, augmentation.params["copies"])}
    function = catalogue.get("augmentation", augmentation.name).function
    versions = function(images, seed, np.arange(len(images)), **params).swapaxes(0, 1)
    names = ["a training digit", *(f"copy {n} of it" for n in range(1, len(versions)))]
    rows = (
        "".join(html_images.digit(image, 36, name) for image in row) for name, row in zip(names, versions, strict=True)
    )
    note = "Training digits, and below each its copies: made before preprocessing, and for training alone."
    return "".join(f'<div class="hdr-row">{row}</div>' for row in rows) + f'<div class="hdr-note">{note}</div>'


def _features() -> None:
    offered = assignment_state.allowed_names([e.name for e in catalogue.entries("feature")], "features")
    if offered:
        _choose_features(offered)
    features = run_config.current().features
    for index, step in enumerate(features):
        entry = catalogue.get("feature", step.name)
        if offered and (len(features) > 1 or entry.parameters):
            with st.container(
                horizontal=True, vertical_alignment="center", key=run_config.widget_key(f"feature-{index}")
            ):
                st.markdown(f"**{entry.title}**", width="content")
                _one_of_several(index, entry)
        elif any(assignment_state.parameter_is_free("feature", step.name, p.name) for p in entry.parameters):
            st.markdown(f"**{entry.title}**")
        _parameters("feature", index, step)


def _choose_features(offered: list[str]) -> None:
    key = run_config.widget_key("features")
    st.multiselect(
        "Features",
        sorted(offered, key=lambda name: catalogue.get("feature", name).family),
        format_func=lambda name: _with_family(catalogue.get("feature", name)),
        default=list(dict.fromkeys(s.name for s in run_config.current().features)),
        key=key,
        help=f"What the classifier is given, joined. Choose 1 to {MAX_FEATURES}; one may be there several times, with "
        "other settings.",
        on_change=lambda: run_config.set_features(st.session_state[key]),
    )


def _one_of_several(index: int, entry: catalogue.Entry) -> None:
    features = run_config.current().features
    if entry.parameters and len(features) < MAX_FEATURES:
        st.button(
            "",
            icon=":material/add:",
            type="tertiary",
            key=run_config.widget_key(f"repeat-{index}"),
            help=f"{entry.title} once more, with other settings: two scales see more than one",
            on_click=run_config.repeat_feature,
            args=(index,),
        )
    if len(features) > 1:
        st.button(
            "",
            icon=":material/close:",
            type="tertiary",
            key=run_config.widget_key(f"drop-{index}"),
            help=f"Without {entry.title}",
            on_click=run_config.drop_feature,
            args=(index,),
        )


def _reduction() -> None:
    if assignment_state.free("reduction"):
        _choose_reduction()
    if reduction := run_config.current().reduction:
        _parameters("reduction", 0, reduction)


def _choose_reduction() -> None:
    reduction = run_config.current().reduction
    names = [NO_REDUCTION, *(e.name for e in catalogue.entries("reduction"))]
    key = run_config.widget_key("reduction")
    st.selectbox(
        "Reduction",
        names,
        names.index(reduction.name if reduction else NO_REDUCTION),
        format_func=lambda name: "None" if name == NO_REDUCTION else catalogue.get("reduction", name).title,
        key=key,
        help=" ".join(e.caption for e in catalogue.entries("reduction")),
        on_change=lambda: run_config.change(
            reduction=None
            if st.session_state[key] == NO_REDUCTION
            else assignment_state.initial_step("reduction", st.session_state[key])
        ),
    )


def _classifier() -> None:
    entries = sorted(catalogue.entries("classifier"), key=lambda e: FAMILIES.index(e.family))
    names = assignment_state.allowed_names([e.name for e in entries], "classifiers")
    key = run_config.widget_key("classifier")
    if len(names) > 1:
        st.selectbox(
            "Classifier",
            names,
            names.index(run_config.current().classifier.name),
            format_func=lambda name: _with_family(catalogue.get("classifier", name)),
            key=key,
            help="From what is quickly explained to what learns most.",
            on_change=lambda: run_config.change(
                classifier=assignment_state.initial_step("classifier", st.session_state[key])
            ),
        )
    else:
        st.markdown(f"**{catalogue.get('classifier', names[0]).title}**")
    st.caption(catalogue.get("classifier", run_config.current().classifier.name).caption)
    _parameters("classifier", 0, run_config.current().classifier, columns=2)


def _with_family(entry: catalogue.Entry) -> str:
    return entry.title if entry.title in entry.family else f"{entry.title} · {entry.family.lower()}"


def _parameters(kind: catalogue.Kind, index: int, step: Step, columns: int = 1) -> None:
    places = st.columns(columns, gap="medium") if columns > 1 else [st.container()]
    mine = [
        p
        for p in catalogue.get(kind, step.name).parameters
        if assignment_state.parameter_is_free(kind, step.name, p.name)
    ]
    for number, parameter in enumerate(mine):
        key = run_config.widget_key(f"{step.name}-{index}-{parameter.name}")
        with places[number % columns]:
            value = step.params[parameter.name]
            parameter_widget(parameter, value, key, run_config.set_parameter, (kind, index, parameter.name, key))
