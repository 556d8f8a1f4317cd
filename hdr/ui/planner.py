"""The plan of a run, as widgets."""

from __future__ import annotations

import numpy as np
import streamlit as st

from hdr import catalogue
from hdr.models import FAMILIES
from hdr.plots import pictures
from hdr.preprocessing import PRESETS as CHAINS
from hdr.preprocessing import Pipeline
from hdr.preprocessing.pipeline import chain as make_chain
from hdr.training.fitting import validation_size
from hdr.training.spec import LARGEST, MOST_FEATURES, PRESETS, SMALLEST
from hdr.types import Step
from hdr.ui import chain, own_data, plan, resources
from hdr.ui.widgets import parameter_widget

SHOWN_DIGITS, SHOWN_COPIES = 7, 3
"""Digits, and copies of each, that show what augmentation does."""

FROM_PREPROCESS, NO_REDUCTION, OWN = "From Preprocess", "none", "Own choice"


def presets() -> None:
    """Choose a ready-made plan."""
    chosen = plan.preset_name()
    key = plan.widget_key(f"preset-{chosen}")
    st.segmented_control(
        "Preset",
        list(PRESETS),
        format_func=lambda name: PRESETS[name].title,
        default=chosen,
        key=key,
        label_visibility="collapsed",
        on_change=lambda: st.session_state[key] and plan.use_preset(st.session_state[key]),
    )


def preset_note() -> str:
    """What the chosen preset is, in a sentence."""
    name = plan.preset_name()
    if plan.current().changes:
        return "A repeat of a steered run, with the changes that were made to it."
    return PRESETS[name].note if name else "Your own plan."


def widgets() -> None:
    """Everything that a plan consists of."""
    left, right = st.columns(2, gap="medium")
    with left:
        _data()
        _pipeline()
    with right:
        _features()
        _reduction()
    _classifier()
    _augmentation()


def _data() -> None:
    names = list(own_data.available())
    if plan.current().dataset not in names:
        plan.change(dataset=names[0])
    data = plan.widget_key("data")
    st.selectbox(
        "Data",
        names,
        names.index(plan.current().dataset),
        format_func=lambda name: resources.dataset(name).title,
        key=data,
        help=resources.dataset(plan.current().dataset).note,
        on_change=lambda: plan.change(dataset=st.session_state[data]),
    )
    st.page_link("pages/data.py", label="Bring digits of your own", icon=":material/upload:")
    size = plan.widget_key("size")
    st.slider(
        "Training digits",
        SMALLEST,
        LARGEST,
        plan.current().train_size,
        500,
        key=size,
        help="Digits to learn from. Some of the training split are always kept aside for validation, so that the "
        "largest size takes all the others.",
        on_change=lambda: plan.change(train_size=st.session_state[size]),
    )
    whole = len(resources.dataset(plan.current().dataset).train)
    kept = validation_size(whole)
    if plan.current().train_size > whole - kept:
        st.caption(f"{pictures.count(whole - kept)} learn: {pictures.count(kept)} are kept aside for validation.")
    seed = plan.widget_key("seed")
    st.number_input(
        "Seed",
        0,
        2**31 - 1,
        plan.current().seed,
        key=seed,
        help="Decides which digits are drawn and how weights begin. The same seed gives the same model.",
        on_change=lambda: plan.change(seed=st.session_state[seed]),
    )


def _pipeline() -> None:
    options: dict[str, Pipeline] = {name: make_chain(*steps) for name, steps in CHAINS.items()}
    options[FROM_PREPROCESS] = chain.current().active
    chosen = next((name for name, p in options.items() if p == plan.current().pipeline), OWN)
    options.setdefault(chosen, plan.current().pipeline)
    key = plan.widget_key(f"pipeline-{chosen}")
    st.selectbox(
        "Preprocessing",
        list(options),
        list(options).index(chosen),
        key=key,
        help="What happens to every digit before anything is learned. Build your own on the Preprocess page.",
        on_change=lambda: plan.change(pipeline=options[st.session_state[key]]),
    )
    split = resources.dataset(plan.current().dataset).train
    seen = plan.current().pipeline.apply(split.images[:4])
    names = [catalogue.get("step", s.name).title for s in plan.current().pipeline.steps]
    row = "".join(pictures.digit(image, 36, "a training digit after preprocessing") for image in seen)
    st.html(f'<div class="hdr-row">{row}</div><div class="hdr-note">{", then ".join(names) or "as published"}</div>')


def _augmentation() -> None:
    augmentation = plan.current().augmentation
    key = plan.widget_key("augmentation")
    entry = catalogue.get("augmentation", "distort")
    st.toggle(
        "Distorted copies of the training digits",
        augmentation is not None,
        key=key,
        help=entry.caption,
        on_change=lambda: plan.set_augmentation(st.session_state[key]),
    )
    if augmentation is None:
        return
    st.html(_copies(plan.current().dataset, augmentation, plan.current().seed))
    _parameters("augmentation", 0, augmentation, columns=2)


def _copies(dataset: str, augmentation: Step, seed: int) -> str:
    """A few training digits with two copies of each, as HTML."""
    images = resources.dataset(dataset).train.images[:SHOWN_DIGITS]
    params = {**augmentation.params, "copies": min(SHOWN_COPIES, augmentation.params["copies"])}
    function = catalogue.get("augmentation", augmentation.name).function
    versions = function(images, seed, np.arange(len(images)), **params).swapaxes(0, 1)
    names = ["a training digit", *(f"copy {n} of it" for n in range(1, len(versions)))]
    rows = (
        "".join(pictures.digit(image, 36, name) for image in row) for name, row in zip(names, versions, strict=True)
    )
    note = "Training digits, and below each its copies: made before preprocessing, and for training alone."
    return "".join(f'<div class="hdr-row">{row}</div>' for row in rows) + f'<div class="hdr-note">{note}</div>'


def _features() -> None:
    key = plan.widget_key("features")
    st.multiselect(
        "Features",
        [e.name for e in sorted(catalogue.entries("feature"), key=lambda e: e.family)],
        format_func=lambda name: _with_family(catalogue.get("feature", name)),
        default=list(dict.fromkeys(s.name for s in plan.current().features)),
        key=key,
        help=f"What the classifier is given, joined. Choose 1 to {MOST_FEATURES}; one may be there several times, with "
        "other settings.",
        on_change=lambda: plan.set_features(st.session_state[key]),
    )
    features = plan.current().features
    for index, step in enumerate(features):
        entry = catalogue.get("feature", step.name)
        if len(features) > 1 or entry.parameters:
            with st.container(horizontal=True, vertical_alignment="center", key=plan.widget_key(f"feature-{index}")):
                st.markdown(f"**{entry.title}**", width="content")
                _one_of_several(index, entry)
        _parameters("feature", index, step)


def _one_of_several(index: int, entry: catalogue.Entry) -> None:
    features = plan.current().features
    if entry.parameters and len(features) < MOST_FEATURES:
        st.button(
            "",
            icon=":material/add:",
            type="tertiary",
            key=plan.widget_key(f"repeat-{index}"),
            help=f"{entry.title} once more, with other settings: two scales see more than one",
            on_click=plan.repeat_feature,
            args=(index,),
        )
    if len(features) > 1:
        st.button(
            "",
            icon=":material/close:",
            type="tertiary",
            key=plan.widget_key(f"drop-{index}"),
            help=f"Without {entry.title}",
            on_click=plan.drop_feature,
            args=(index,),
        )


def _reduction() -> None:
    reduction = plan.current().reduction
    names = [NO_REDUCTION, *(e.name for e in catalogue.entries("reduction"))]
    key = plan.widget_key("reduction")
    st.selectbox(
        "Reduction",
        names,
        names.index(reduction.name if reduction else NO_REDUCTION),
        format_func=lambda name: "None" if name == NO_REDUCTION else catalogue.get("reduction", name).title,
        key=key,
        help=" ".join(e.caption for e in catalogue.entries("reduction")),
        on_change=lambda: plan.change(
            reduction=None if st.session_state[key] == NO_REDUCTION else Step(st.session_state[key])
        ),
    )
    if reduction:
        _parameters("reduction", 0, reduction)


def _classifier() -> None:
    entries = sorted(catalogue.entries("classifier"), key=lambda e: FAMILIES.index(e.family))
    names = [e.name for e in entries]
    key = plan.widget_key("classifier")
    st.selectbox(
        "Classifier",
        names,
        names.index(plan.current().classifier.name),
        format_func=lambda name: _with_family(catalogue.get("classifier", name)),
        key=key,
        help="From what is quickly explained to what learns most.",
        on_change=lambda: plan.change(classifier=Step(st.session_state[key])),
    )
    st.caption(catalogue.get("classifier", plan.current().classifier.name).caption)
    _parameters("classifier", 0, plan.current().classifier, columns=2)


def _with_family(entry: catalogue.Entry) -> str:
    return entry.title if entry.title in entry.family else f"{entry.title} · {entry.family.lower()}"


def _parameters(kind: catalogue.Kind, index: int, step: Step, columns: int = 1) -> None:
    places = st.columns(columns, gap="medium") if columns > 1 else [st.container()]
    for number, parameter in enumerate(catalogue.get(kind, step.name).parameters):
        key = plan.widget_key(f"{step.name}-{index}-{parameter.name}")
        with places[number % columns]:
            value = step.params[parameter.name]
            parameter_widget(parameter, value, key, plan.set_parameter, (kind, index, parameter.name, key))
