"""Details of the selected step: its family, its effect on every class, its ablation, and the pipeline as code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from hdr import catalogue
from hdr.export.preprocessing_script import script
from hdr.plots import html_images
from hdr.preprocessing.corruptions import spoil
from hdr.types import CLASSES, Stage, Step
from hdr.ui.components import cards
from hdr.ui.components.tabs import lazy_tabs
from hdr.ui.inputs import corruption_menu, digit_picker, pipeline_trace
from hdr.ui.inputs.pipeline_trace import PipelineTrace, StepTrace
from hdr.ui.preprocess import step_ablation
from hdr.ui.state import pipeline_state, resources

FAMILY, CLASSES_TAB, WORTH, CODE = "Its whole family", "All ten digits", "Does it help?", "Show me the code"
SIDE = 112


def show(seen: PipelineTrace) -> None:
    """Show lazy tabs with the details."""
    lazy_tabs({FAMILY: _family, CLASSES_TAB: _classes, WORTH: step_ablation.show, CODE: _code}, "closer", seen)


def _family(seen: PipelineTrace) -> None:
    if not seen.passages:
        st.caption("Add a step to see it beside the others of its kind.")
        return
    index = pipeline_state.selected()
    passage = seen.passages[index]
    entry = catalogue.get("step", passage.step.name)
    st.html(
        f'<div class="hdr-note">{entry.family}: what each would make of “{html_images.escape(passage.before.title)}” '
        "with its usual settings. A click takes it in place of the selected step.</div>"
    )
    with cards.row("family", "medium"):
        for other in catalogue.entries("step"):
            if other.family == entry.family:
                _relative(index, passage, other)


def _relative(index: int, passage: StepTrace, other: catalogue.Entry) -> None:
    same = other.name == passage.step.name
    step = replace(passage.step, on=True) if same else catalogue.with_defaults("step", Step(other.name))
    stage = pipeline_trace.apply_step(passage.before, step)
    clean = passage.clean_before and pipeline_trace.apply_step(passage.clean_before, step)
    quality = pipeline_trace.describe(pipeline_trace.image_quality(clean, stage))
    with st.container(key=f"card-0-family-{other.name}", width=SIDE + 24, gap=None):
        below = f'<div class="hdr-over hdr-below">{quality}</div>' if quality else ""
        st.html(html_images.digit(stage.image, SIDE, other.title, stage.display) + below)
        st.button(
            other.title,
            key=f"instead-{other.name}",
            type="primary" if same else "tertiary",
            width="stretch",
            on_click=pipeline_state.exchange,
            args=(index, other.name),
        )


def _classes(seen: PipelineTrace) -> None:
    split = resources.dataset(seen.start.dataset).test
    nth = digit_picker.current().index % int(np.bincount(split.labels, minlength=CLASSES).min())
    chosen = [np.flatnonzero(split.labels == d)[nth] for d in range(CLASSES)]
    images = spoil(split.images[chosen], corruption_menu.steps(), corruption_menu.seed())
    traces = [pipeline_state.current().active.trace(image) for image in images]
    rows: list[tuple[str, Sequence[Stage]]] = [("source", [Stage("source", image) for image in images])]
    rows += [(stages[0].title, stages) for stages in zip(*traces, strict=True)]
    cells = "".join(
        f'<div class="hdr-over">{html_images.escape(title)}</div>'
        + "".join(html_images.digit(s.image, 56, f"a {d} after {title}", s.display) for d, s in enumerate(stages))
        for title, stages in rows
    )
    st.html(f'<div class="hdr-grid">{cells}</div>')
    st.html(
        '<div class="hdr-note">One digit of each class on its way down. A step that helps one class can hurt another: '
        "watch the loops of the 6 and the 9.</div>"
    )


def _code(seen: PipelineTrace) -> None:
    text = script(pipeline_state.current())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button("Download the script", text, "preprocess.py", "text/x-python", icon=":material/download:")
        st.download_button(
            "Download this picture",
            html_images.png(seen.start.stage.image),
            "digit.png",
            "image/png",
            icon=":material/image:",
        )
        st.caption("`python preprocess.py digit.png result.png` gives the same pixels, without this app.")
    st.code(text, language="python", height=480)
