"""The strip of the Preprocess page: all stages in order, and the menu that edits the pipeline."""

from __future__ import annotations

import numpy as np
import streamlit as st

from hdr import catalogue
from hdr.plots import html_images
from hdr.preprocessing import FAMILIES, PRESETS
from hdr.preprocessing.pipeline import LONGEST
from hdr.preprocessing.pipeline import chain as make_chain
from hdr.types import Drawing, Mark, Stage
from hdr.ui.components import cards
from hdr.ui.inputs import corruption_menu, pipeline_trace
from hdr.ui.inputs.pipeline_trace import PipelineTrace, StepTrace
from hdr.ui.state import pipeline_state, run_config

SMALL = 140
MENU = "add_menu"


def show(seen: PipelineTrace) -> None:
    """Show every stage in order; a click on an image selects its step."""
    with cards.row("strip", "medium", wrap=False):
        with st.container(key="card-0-source", width=SMALL + 4, gap=None):
            note = corruption_menu.describe() or ("as it is" if seen.start.photo else "as it was written")
            stage = seen.start.stage
            below = _below(note, pipeline_trace.describe(pipeline_trace.image_quality(seen.start.clean, stage)))
            st.html(_over(stage.title) + _picture(stage, stage.title) + below)
        for index, passage in enumerate(seen.passages):
            if index == seen.cut_at:
                _cut_card(seen)
            _card(index, passage)


def _card(index: int, passage: StepTrace) -> None:
    with st.container(key=f"card-{index + 1}", width=SMALL + 4, gap=None):
        over = f"{index + 1}{'' if passage.step.on else ' · off'}{pipeline_trace.size(passage.after)}"
        quality = pipeline_trace.describe(passage.quality)
        st.html(
            _over(over + (f" · {quality.split(' · ')[0]}" if quality else ""))
            + _picture(passage.after, f"after {passage.title}", not passage.step.on)
        )
        st.button(
            passage.title,
            key=f"select-{index}",
            type="primary" if index == pipeline_state.selected() else "tertiary",
            width="stretch",
            on_click=pipeline_state.select,
            args=(index,),
        )


def _cut_card(seen: PipelineTrace) -> None:
    passage = seen.passages[seen.cut_at - 1] if seen.cut_at else None
    image = passage.after.image if passage else seen.start.stage.image
    boxes = tuple(
        Mark("box", np.array([[x - 0.5, y - 0.5], [x + w - 0.5, y + h - 0.5]]), series=int(i == seen.chosen))
        for i, (x, y, w, h) in enumerate(seen.boxes)
    )
    drawn = html_images.drawing(Drawing("where digits were found", image, marks=boxes), SMALL)
    with st.container(key="card-cut", width=SMALL + 4, gap=None):
        st.html(_over("cut into digits") + drawn + _below(f"{len(seen.boxes)} found"))


def _choose_digit(seen: PipelineTrace) -> None:
    if seen.digits is None or not seen.boxes:
        st.warning(
            "No digit was found in this photo. Ink must be bright on dark before it is cut: start from *Noisy photo*, "
            "or add *Inversion* and a threshold.",
            icon=":material/search_off:",
        )
        return
    if st.session_state.get("cut_digit", 1) > len(seen.boxes):
        # With fewer digits than before, select the last one; the widget alone would reset to the first.
        st.session_state["cut_digit"] = seen.chosen + 1
    st.number_input(
        "Which goes on",
        1,
        len(seen.boxes),
        key="cut_digit",
        width=130,
        label_visibility="collapsed",
        persist_state="session",
        help="Which of the digits that were cut out goes on through the chain.",
    )
    st.html(html_images.sheet(seen.digits, [str(i + 1) for i in range(len(seen.boxes))], 28), width="stretch")


def _over(text: str) -> str:
    return f'<div class="hdr-over" title="{html_images.escape(text)}">{html_images.escape(text)}</div>'


def _below(*lines: str) -> str:
    shown = "".join(_over(line) for line in lines if line)
    return f'<div class="hdr-below">{shown}</div>'


def _picture(stage: Stage, alt: str, dim: bool = False) -> str:
    return html_images.digit(stage.image, SMALL, alt, stage.display, dim) + html_images.histogram(stage.image, SMALL)


def chain_menu(seen: PipelineTrace) -> None:
    """Show the menu: add a step, load a preset, use the pipeline for training, and select a digit of a photo."""
    with st.container(horizontal=True, vertical_alignment="center", key="chain_menu"):
        # Create the many buttons only when the menu is open.
        menu = st.popover("Add a step", icon=":material/add:", key=MENU, on_change="rerun")
        if menu.open:
            with menu:
                _steps_to_add()
        with st.popover("Start from", icon=":material/account_tree:"):
            for name, steps in PRESETS.items():
                arguments = (make_chain(*steps), len(steps) - 1)
                st.button(name, key=f"preset-{name}", width="stretch", on_click=pipeline_state.replace, args=arguments)
        if st.button("Use for training", icon=":material/model_training:", key="use_for_training"):
            run_config.use_pipeline()
            st.switch_page("pages/train.py")
        if seen.cut_at is not None:
            _choose_digit(seen)


def _steps_to_add() -> None:
    full = len(pipeline_state.current().steps) >= LONGEST
    entries = catalogue.entries("step")
    for family in sorted({entry.family for entry in entries}, key=FAMILIES.index):
        st.caption(family)
        with st.container(horizontal=True, gap="xsmall"):
            for entry in (e for e in entries if e.family == family):
                st.button(
                    entry.title,
                    key=f"add-{entry.name}",
                    help=entry.caption,
                    on_click=_add,
                    args=(entry.name,),
                    disabled=full,
                )


def _add(name: str) -> None:
    pipeline_state.add(name)
    # Close the menu, which covers the strip.
    st.session_state[MENU] = False
