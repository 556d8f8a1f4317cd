"""The plan of a run, as widgets."""

from __future__ import annotations

import streamlit as st

from hdr import catalogue, datasets
from hdr.plots import pictures
from hdr.preprocessing import PRESETS as CHAINS
from hdr.preprocessing import Pipeline
from hdr.preprocessing.pipeline import chain as make_chain
from hdr.training.fitting import validation_size
from hdr.training.spec import LARGEST, MOST_FEATURES, PRESETS, SMALLEST
from hdr.types import Step
from hdr.ui import chain, plan, resources
from hdr.ui.widgets import parameter_widget

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


def _data() -> None:
    names = list(datasets.available())
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


def _features() -> None:
    key = plan.widget_key("features")
    st.pills(
        "Features",
        [e.name for e in sorted(catalogue.entries("feature"), key=lambda e: e.family)],
        selection_mode="multi",
        format_func=lambda name: catalogue.get("feature", name).title,
        default=[s.name for s in plan.current().features],
        key=key,
        help=f"What the classifier is given, joined. Choose 1 to {MOST_FEATURES}.",
        on_change=lambda: plan.set_features(st.session_state[key]),
    )
    for index, step in enumerate(plan.current().features):
        _parameters("feature", index, step)


def _reduction() -> None:
    reduction = plan.current().reduction
    names = [NO_REDUCTION, *(e.name for e in catalogue.entries("reduction"))]
    key = plan.widget_key("reduction")
    st.segmented_control(
        "Reduction",
        names,
        format_func=lambda name: "None" if name == NO_REDUCTION else catalogue.get("reduction", name).title,
        default=reduction.name if reduction else NO_REDUCTION,
        required=True,
        key=key,
        help=" ".join(e.caption for e in catalogue.entries("reduction")),
        on_change=lambda: plan.change(
            reduction=None if st.session_state[key] == NO_REDUCTION else Step(st.session_state[key])
        ),
    )
    if reduction:
        _parameters("reduction", 0, reduction)


def _classifier() -> None:
    names = [e.name for e in catalogue.entries("classifier")]
    key = plan.widget_key("classifier")
    st.selectbox(
        "Classifier",
        names,
        names.index(plan.current().classifier.name),
        format_func=lambda name: catalogue.get("classifier", name).title,
        key=key,
        on_change=lambda: plan.change(classifier=Step(st.session_state[key])),
    )
    st.caption(catalogue.get("classifier", plan.current().classifier.name).caption)
    _parameters("classifier", 0, plan.current().classifier, columns=2)


def _parameters(kind: catalogue.Kind, index: int, step: Step, columns: int = 1) -> None:
    places = st.columns(columns, gap="medium") if columns > 1 else [st.container()]
    for number, parameter in enumerate(catalogue.get(kind, step.name).parameters):
        key = plan.widget_key(f"{step.name}-{index}-{parameter.name}")
        with places[number % columns]:
            value = step.params[parameter.name]
            parameter_widget(parameter, value, key, plan.set_parameter, (kind, index, parameter.name, key))
