"""Which digit a page looks at, and what is done to it on purpose."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import streamlit as st

from hdr import catalogue, datasets
from hdr.catalogue import Entry, Parameter
from hdr.preprocessing.capture import from_strokes
from hdr.reading import strokes_from_canvas
from hdr.types import Stage
from hdr.ui import drawing, resources
from hdr.ui.widgets import parameter_widget, show_value

ANY = "any"
DRAWING = "drawing"


def look_at_drawing() -> None:
    """Make the page look at what was drawn; called before it is shown."""
    st.session_state["source"] = DRAWING


def choose_digit() -> Stage:
    """Show the widgets that pick a digit, side by side, and return it as a stage: uint8 (28, 28), ink 255 on 0."""
    names = [*datasets.available(), DRAWING]
    titles = {name: resources.dataset(name).title for name in names if name != DRAWING} | {DRAWING: "My drawing"}
    if st.session_state.get("source") not in (None, *names):
        st.session_state["source"] = names[0]
    source = st.segmented_control(
        "From", names, format_func=titles.get, key="source", required=True, default=names[0], bind="query-params"
    )
    if source == DRAWING:
        objects = drawing.objects()
        if not objects:
            st.page_link("pages/draw.py", label="Nothing is drawn yet: draw a digit first", icon=":material/draw:")
            return Stage("nothing drawn yet", np.zeros((28, 28), np.uint8))
        return Stage("your drawing", from_strokes(strokes_from_canvas(objects)))

    split = resources.dataset(source).test
    wanted = st.selectbox("Digit", [ANY, *range(10)], key="digit", bind="query-params", width=110)
    pool = np.arange(len(split)) if wanted == ANY else np.flatnonzero(split.labels == wanted)
    if st.session_state.get("index", 0) >= len(pool):
        st.session_state["index"] = 0
    index = st.number_input(
        "Number",
        0,
        len(pool) - 1,
        step=1,
        key="index",
        bind="query-params",
        width=150,
        help=f"Which of the {len(pool)} test digits of this kind.",
    )
    st.button("Another", icon=":material/shuffle:", key="another", on_click=_shuffle, args=(len(pool),))
    chosen = int(pool[int(index) % len(pool)])
    return Stage(f"a {split.labels[chosen]} from {titles[source]}", split.images[chosen])


def _shuffle(size: int) -> None:
    st.session_state["index"] = random.randrange(size)


def disturb(stage: Stage) -> Stage:
    """Show the disturbances in a popover and return the stage after those that are on."""
    label = f"Disturb ({len(active)})" if (active := _active()) else "Disturb"
    with st.popover(label, icon=":material/blur_on:", help="Spoil the digit on purpose, and see which step mends it."):
        seed = st.number_input("Seed", 0, 9999, key="seed", bind="query-params", help="Other noise of the same kind.")
        for entry in catalogue.entries("disturbance"):
            for parameter in _sliders(entry):
                parameter_widget(parameter, parameter.default, _key(entry, parameter), bind="query-params")
        st.button("Undisturbed", icon=":material/restart_alt:", on_click=_reset)
    image = stage.image[None]
    for entry, values in _active():
        has_seed = len(_sliders(entry)) < len(entry.parameters)
        image = entry(image, **values, **({"seed": int(seed)} if has_seed else {}))
    return Stage(stage.title, image[0])


def describe_disturbances() -> str:
    """The disturbances that are on, in words; empty where none is."""
    return ", ".join(
        f"{p.title.lower()} {show_value(p, values[p.name])}"
        for entry, values in _active()
        for p in _sliders(entry)
        if values[p.name] != p.default
    )


def _sliders(entry: Entry) -> list[Parameter]:
    # The seed is one for all.
    return [p for p in entry.parameters if p.name != "seed"]


def _key(entry: Entry, parameter: Parameter) -> str:
    return f"{entry.name}.{parameter.name}"


def _active() -> list[tuple[Entry, dict[str, Any]]]:
    found = []
    for entry in catalogue.entries("disturbance"):
        values = {p.name: st.session_state.get(_key(entry, p), p.default) for p in _sliders(entry)}
        if any(values[p.name] != p.default for p in _sliders(entry)):
            found.append((entry, values))
    return found


def _reset() -> None:
    for entry in catalogue.entries("disturbance"):
        for parameter in _sliders(entry):
            if (key := _key(entry, parameter)) in st.session_state:
                st.session_state[key] = parameter.default
