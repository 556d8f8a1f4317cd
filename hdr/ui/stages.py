"""The stages of a digit on the Preprocess page: the strip, and the selected step large."""

from __future__ import annotations

import streamlit as st

from hdr import catalogue
from hdr.plots import pictures
from hdr.preprocessing import PRESETS
from hdr.preprocessing.pipeline import LONGEST
from hdr.preprocessing.pipeline import chain as make_chain
from hdr.types import Stage, Step
from hdr.ui import chain, plan, source
from hdr.ui.widgets import parameter_widget

SMALL, LARGE = 140, 196


def chain_menu() -> None:
    """Add a step, start from a preset, and take the chain to training."""
    with st.container(horizontal=True, key="chain_menu"):
        with st.popover("Add a step", icon=":material/add:"):
            _steps_to_add()
        with st.popover("Start from", icon=":material/account_tree:"):
            for name, steps in PRESETS.items():
                arguments = (make_chain(*steps), len(steps) - 1)
                st.button(name, key=f"preset-{name}", width="stretch", on_click=chain.replace, args=arguments)
        if st.button("Use for training", icon=":material/model_training:", key="use_for_training"):
            plan.take_chain()
            st.switch_page("pages/train.py")


def _steps_to_add() -> None:
    full = len(chain.current().steps) >= LONGEST
    for family in dict.fromkeys(entry.family for entry in catalogue.entries("step")):
        st.caption(family)
        with st.container(horizontal=True, gap="xsmall"):
            for entry in catalogue.entries("step"):
                if entry.family == family:
                    st.button(
                        entry.title,
                        key=f"add-{entry.name}",
                        help=entry.caption,
                        on_click=chain.add,
                        args=(entry.name,),
                        disabled=full,
                    )


def strip(digit: Stage) -> list[tuple[int, Stage, Stage]]:
    """Show every stage beside the one before it; a click on a picture selects its step.

    Returns:
        For each step, on or off: its index, the stage before it and the stage after it.
    """
    path, before = [], digit
    traced = iter(chain.current().trace(digit.image))
    for index, step in enumerate(chain.current().steps):
        after = next(traced) if step.on else Stage(_title(step), before.image, step, before.display)
        path.append((index, before, after))
        before = after
    with st.container(horizontal=True, wrap=False, gap="medium", key="strip"):
        with st.container(key="card-0-source", width=SMALL + 4, gap=None):
            note = source.describe_disturbances() or "as it was written"
            below = f'<div class="hdr-over hdr-below" title="{note}">{note}</div>'
            st.html(f'<div class="hdr-over">{digit.title}</div>{_picture(digit, SMALL, digit.title)}{below}')
        for index, _, after in path:
            _card(index, after)
    return path


def _card(index: int, after: Stage) -> None:
    step = chain.current().steps[index]
    with st.container(key=f"card-{index + 1}", width=SMALL + 4, gap=None):
        over = f"{index + 1}" if step.on else f"{index + 1} · off"
        st.html(f'<div class="hdr-over">{over}</div>' + _picture(after, SMALL, f"after {_title(step)}", not step.on))
        st.button(
            _title(step),
            key=f"select-{index}",
            type="primary" if index == chain.selected() else "tertiary",
            width="stretch",
            on_click=chain.select,
            args=(index,),
        )


def _picture(stage: Stage, side: int, alt: str, dim: bool = False) -> str:
    return pictures.digit(stage.image, side, alt, stage.display, dim) + pictures.histogram(stage.image, side)


def inspector(path: list[tuple[int, Stage, Stage]]) -> None:
    """The selected step, large: before, after, what changed, and its settings."""
    if not path:
        st.caption("The chain is empty: the digit goes to training as it is. Add a step, or start from a preset.")
        return
    index, before, after = path[chain.selected()]
    step = chain.current().steps[index]
    entry = catalogue.get("step", step.name)
    left, right = st.columns([13, 11], gap="medium")
    with left, st.container(horizontal=True, wrap=False, gap="small", key="large"):
        _large(before, "before", before.title)
        _large(after, "after", entry.title)
        change = Stage("change", pictures.difference(before.image, after.image), display="signed")
        _large(change, "change", "orange is brighter", histogram=False)
    with right, st.container(key="settings", gap="small"):
        _toolbar(index, step)
        st.markdown(entry.caption)
        for parameter in entry.parameters:
            key = chain.widget_key(f"{index}-{parameter.name}")
            parameter_widget(
                parameter, step.params[parameter.name], key, chain.set_parameter, (index, parameter.name, key)
            )
        if entry.formula:
            st.latex(entry.formula, width="content")
        if entry.source:
            st.caption(entry.source)


def _large(stage: Stage, over: str, note: str, histogram: bool = True) -> None:
    with st.container(width=LARGE + 4, gap=None):
        picture = pictures.digit(stage.image, LARGE, f"{over}: {note}", stage.display)
        bars = pictures.histogram(stage.image, LARGE, 56) if histogram else ""
        st.html(f'<div class="hdr-over">{over} · {note}</div>{picture}{bars}')


def _toolbar(index: int, step: Step) -> None:
    last = len(chain.current().steps) - 1
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{index + 1}. {_title(step)}**")
        key = chain.widget_key(f"{index}-on")
        st.toggle("On", step.on, key=key, on_change=chain.switch, args=(index, key))
        st.button(
            "",
            icon=":material/arrow_back:",
            key="left",
            help="Earlier",
            disabled=index == 0,
            on_click=chain.move,
            args=(index, -1),
        )
        st.button(
            "",
            icon=":material/arrow_forward:",
            key="right",
            help="Later",
            disabled=index == last,
            on_click=chain.move,
            args=(index, 1),
        )
        st.button("", icon=":material/delete:", key="remove", help="Take it out", on_click=chain.remove, args=(index,))


def _title(step: Step) -> str:
    return catalogue.get("step", step.name).title
