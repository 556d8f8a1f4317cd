"""The selected step, large: before, after and difference with a shared pointer, and its settings."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from hdr import catalogue
from hdr.plots import html_images
from hdr.preprocessing import Pipeline
from hdr.types import Stage, Step
from hdr.ui.components import pixel_inspector
from hdr.ui.components.parameter_widgets import entry_form
from hdr.ui.components.pixel_inspector import InspectorPanel
from hdr.ui.inputs import pipeline_trace
from hdr.ui.inputs.pipeline_trace import PipelineTrace, StepTrace
from hdr.ui.state import pipeline_state

CHANGE, EDGE, KEPT = "Change", "Before | after", "Kept | now"
LARGEST_DIGIT = 64
"""Longer side, in pixels, up to which a picture is enlarged; a photo needs more room."""

_KEPT = "_kept"


def show(seen: PipelineTrace) -> None:
    """Show the selected step."""
    if not seen.passages:
        st.caption("The chain is empty: the digit goes to training as it is. Add a step, or start from a preset.")
        return
    index = pipeline_state.selected()
    passage = seen.passages[index]
    entry = catalogue.get("step", passage.step.name)
    digit = max(passage.before.image.shape + passage.after.image.shape) <= LARGEST_DIGIT
    left, right = st.columns([13, 11] if digit else [17, 7], gap="medium")
    with left, st.container(key="large", gap="small"):
        _pictures(seen, index, passage)
    with right, st.container(key="settings", gap="small"):
        _toolbar(index, passage)
        entry_form(
            entry,
            passage.step.params,
            lambda name: pipeline_state.widget_key(f"{index}-{name}"),
            partial(pipeline_state.set_parameter, index),
        )


def _pictures(seen: PipelineTrace, index: int, passage: StepTrace) -> None:
    kept = st.session_state.get(_KEPT)
    view = _view_row(index, kept)
    before = InspectorPanel(
        f"before · {passage.before.title}{pipeline_trace.size(passage.before)}",
        (passage.before,),
        histogram=html_images.histogram_uri(passage.before.image, _threshold(passage)),
        notes=tuple(_threshold_words(passage)),
    )
    quality = pipeline_trace.describe(passage.quality)
    after = InspectorPanel(
        f"after · {passage.title}{pipeline_trace.size(passage.after)}",
        (passage.after,),
        histogram=html_images.histogram_uri(passage.after.image),
        notes=(quality,) if quality else (),
    )
    pixel_inspector.show([before, after, *_third(seen, index, passage, view, kept)], key="lens")
    if quality:
        st.html(
            '<div class="hdr-note">PSNR and SSIM compare with the clean digit after the same steps: '
            "the higher, the more of it is left.</div>"
        )
    idle = passage.step.on and _equal(passage.before, passage.after)
    # Its line is kept, so that nothing below moves with a slider.
    words = "There was nothing to do here: before and after are equal." if idle else "&nbsp;"
    st.html(f'<div class="hdr-note">{words}</div>')


def _view_row(index: int, kept: tuple[int, Pipeline] | None) -> str:
    # Content of the third image.
    views = [CHANGE, EDGE, *([KEPT] if kept else [])]
    with st.container(horizontal=True, vertical_alignment="center", key="view_row"):
        view: str = st.segmented_control(
            "Third picture",
            views,
            default=KEPT if kept else CHANGE,
            key=f"view-{kept and kept[0]}",
            required=True,
            label_visibility="collapsed",
        )
        st.button(
            "Keep this result" if not kept else "Keep this instead",
            icon=":material/keep:",
            key="keep",
            type="tertiary",
            help="Remember it, change the settings or select another step, and see both with a divider between them.",
            on_click=_keep,
            args=(Pipeline(pipeline_state.current().steps[: index + 1]),),
        )
        if kept:
            st.button("", icon=":material/close:", key="let_go", type="tertiary", help="Let go of it", on_click=_let_go)
    return view


def _third(
    seen: PipelineTrace, index: int, passage: StepTrace, view: str, kept: tuple[int, Pipeline] | None
) -> list[InspectorPanel]:
    before, after = passage.before, passage.after
    if view == KEPT and kept:
        # The kept chain runs on what is looked at now, so that only the chains differ.
        other = pipeline_trace.trace(seen.start, kept[1], seen.chosen).passages[-1].after
        words = _differences(kept[1], index)
        if _alike(other, after):
            return [InspectorPanel(KEPT, (other, after), "divider", notes=words)]
        return [InspectorPanel("kept, of another size or kind", (other,), notes=words[:1])]
    if not _alike(before, after):
        return []
    if view == EDGE:
        return [InspectorPanel(EDGE, (before, after), "divider")]
    change = np.abs(after.image.astype(np.int16) - before.image)
    notes = (f"{(change > 0).mean():.0%} of the pixels changed,", f"by at most {change.max(initial=0)} of 255")
    return [InspectorPanel("change · orange is brighter", (before, after), "change", notes=notes)]


def _alike(one: Stage, other: Stage) -> bool:
    # Pictures of other sizes or meanings cannot be laid over each other.
    return one.image.shape == other.image.shape and one.display == other.display


def _equal(one: Stage, other: Stage) -> bool:
    return _alike(one, other) and np.array_equal(one.image, other.image)


def _keep(pipeline: Pipeline) -> None:
    number = st.session_state.get(_KEPT, (0,))[0] + 1
    st.session_state[_KEPT] = (number, pipeline)


def _let_go() -> None:
    st.session_state.pop(_KEPT, None)


def _differences(kept: Pipeline, index: int) -> tuple[str, ...]:
    now = pipeline_state.current().steps[: index + 1]
    return f"left: {_words(kept.steps[-1])}", f"right: {_words(now[-1])}"


def _words(step: Step) -> str:
    entry = catalogue.get("step", step.name)
    values = ", ".join(f"{p.title.lower()} {p.shown(step.params[p.name])}" for p in entry.parameters)
    off = "" if step.on else " (off)"
    return f"{entry.title}{off}, {values}" if values else entry.title + off


def _threshold(passage: StepTrace) -> tuple[float, float] | None:
    level = catalogue.get("step", passage.step.name).facts.get("level")
    if level is None or not passage.step.on:
        return None
    found = level(passage.before.image[None], **passage.step.params)
    return float(np.min(found)), float(np.max(found))


def _threshold_words(passage: StepTrace) -> list[str]:
    found = _threshold(passage)
    if found is None:
        return []
    low, high = found
    return [f"threshold {low:.0f}" if high - low < 0.5 else f"threshold {low:.0f} to {high:.0f}, by place"]


def _toolbar(index: int, passage: StepTrace) -> None:
    last = len(pipeline_state.current().steps) - 1
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{index + 1}. {passage.title}**")
        key = pipeline_state.widget_key(f"{index}-on")
        st.toggle("On", passage.step.on, key=key, on_change=pipeline_state.switch, args=(index, key))
        for name, icon, words, by in (("left", "back", "Earlier", -1), ("right", "forward", "Later", 1)):
            st.button(
                "",
                icon=f":material/arrow_{icon}:",
                key=name,
                help=words,
                disabled=not 0 <= index + by <= last,
                on_click=pipeline_state.move,
                args=(index, by),
            )
        st.button(
            "",
            icon=":material/delete:",
            key="remove",
            help="Take it out",
            on_click=pipeline_state.remove,
            args=(index,),
        )
