"""What a page looks at: a digit of a data set, a drawing or a photo, and what is done to it on purpose."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hdr import catalogue, datasets
from hdr.catalogue import Entry, Parameter
from hdr.plots import pictures
from hdr.preprocessing import PRESETS
from hdr.preprocessing.capture import from_strokes
from hdr.preprocessing.disturbances import spoil
from hdr.preprocessing.pipeline import chain as make_chain
from hdr.reading import strokes_from_canvas
from hdr.reading.images import FORMATS, open_image
from hdr.types import HdrError, Stage, Step
from hdr.ui import about_data, chain, drawing, resources
from hdr.ui.text import plain
from hdr.ui.widgets import parameter_widget, show_value

ANY = "any"
DRAWING, PHOTO = "drawing", "photo"
MOST_PIXELS = 1_500_000
"""Pixels of a photo that go through the chain; a larger one is averaged down, so that a small host can keep up."""
LONGEST_SIDE = 6_000
"""Longest side of a photo in pixels: a strip one pixel wide may be within the pixels and still be endless."""

_PHOTO = "_photo"


@dataclass(frozen=True)
class Source:
    """What goes through the chain.

    Attributes:
        stage: the picture, disturbed or not.
        clean: the picture before it was disturbed; None where it was not.
        photo: a name that changes with the photo and what is done to it; empty where the picture is one digit.
        dataset: the data set it is from, or the best there is.
    """

    stage: Stage
    clean: Stage | None = None
    photo: str = ""
    dataset: str = ""


def look_at_drawing() -> None:
    """Make the page look at what was drawn; called before it is shown."""
    st.session_state["source"] = DRAWING


def look_at_digit(dataset: str, index: int, split: str = "training") -> None:
    """Make the page look at one digit of a data set; called before it is shown."""
    st.session_state.update({"source": dataset, "split": split, "digit": ANY, "index": index})


def choose() -> Source:
    """Show the widgets that pick a picture and spoil it, side by side."""
    names = [*datasets.available(), DRAWING, PHOTO]
    titles = {n: resources.dataset(n).title for n in datasets.available()} | {DRAWING: "My drawing", PHOTO: "A photo"}
    if st.session_state.get("source") not in (None, *names):
        st.session_state["source"] = names[0]
    source = st.segmented_control(
        "From",
        names,
        format_func=titles.get,
        key="source",
        required=True,
        default=names[0],
        bind="query-params",
        on_change=_suit_chain,
    )
    dataset = source if source in datasets.available() else names[0]
    if source == PHOTO:
        stage, key = _photo(dataset)
    elif source == DRAWING:
        stage, key = _drawn(), ""
    else:
        stage, key = _digit(source), ""
    start = _disturbed(stage, key, dataset)
    if st.button("", icon=":material/info:", key="about_data", help="About the data"):
        _about(dataset)
    return start


@st.dialog("About the data", width="large")
def _about(dataset: str) -> None:
    about_data.panel(dataset)


def _suit_chain() -> None:
    # None of the other ready-made chains turns dark ink on bright paper round; a chain of one's own is left alone.
    ready_made = [make_chain(*steps) for steps in PRESETS.values()]
    if st.session_state["source"] == PHOTO and chain.current() in ready_made:
        wanted = make_chain(*PRESETS["Noisy photo"])
        chain.replace(wanted, 0)


def _drawn() -> Stage:
    if drawing.objects():
        return Stage("your drawing", from_strokes(strokes_from_canvas(drawing.objects())))
    st.page_link("pages/draw.py", label="Nothing is drawn yet: draw a digit first", icon=":material/draw:")
    return Stage("nothing drawn yet", np.zeros((28, 28), np.uint8))


def _digit(dataset: str) -> Stage:
    data = resources.dataset(dataset)
    half = st.selectbox(
        "Split",
        ["test", "training"],
        key="split",
        bind="query-params",
        width=110,
        help="Models learn from training digits and are judged on test digits.",
    )
    split = data.train if half == "training" else data.test
    wanted = st.selectbox("Digit", [ANY, *range(10)], key="digit", bind="query-params", width=90)
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
        width=130,
        help=f"Which of the {len(pool)} digits of this kind.",
    )
    st.button("Another", icon=":material/shuffle:", key="another", on_click=_shuffle, args=(len(pool),))
    chosen = int(pool[int(index) % len(pool)])
    return Stage(f"a {split.labels[chosen]} from {data.title}", split.images[chosen])


def _shuffle(size: int) -> None:
    st.session_state["index"] = random.randrange(size)


def _photo(dataset: str) -> tuple[Stage, str]:
    """The photo that was chosen, at first a made-up sheet, with a name for what was kept of it."""
    upload = st.file_uploader(
        "Photo of handwritten digits", [f.lower() for f in (*FORMATS, "jpg", "tif")], key="upload", width=420
    )
    if upload is not None:
        try:
            return _opened(upload.getvalue())
        except HdrError as error:
            st.warning(plain(error), icon=":material/broken_image:")
    image = _sheet(dataset)
    return Stage("a made-up sheet", image), f"sheet-{dataset}"


def _opened(data: bytes) -> tuple[Stage, str]:
    key = hashlib.sha256(data).hexdigest()[:16]
    kept = st.session_state.get(_PHOTO)
    if kept is None or kept[1] != key:
        grey = open_image(data)
        scale = min(1.0, (MOST_PIXELS / grey.size) ** 0.5)
        grey = pictures.shrunk(grey, min(LONGEST_SIDE, int(max(grey.shape) * scale)))
        title = f"your photo, {grey.shape[1]}×{grey.shape[0]}"
        kept = st.session_state[_PHOTO] = (Stage(title, grey), key)
    return kept


@st.cache_data(max_entries=2, show_spinner=False)
def _sheet(dataset: str) -> NDArray[np.uint8]:
    """Ten digits of a data set as if written on paper: dark ink, a lamp at one side, grain."""
    digits = resources.dataset(dataset).test.images
    h, w, side = 480, 900, 140
    ink = np.zeros((h, w), np.float32)
    for place in range(10):
        digit = cv2.resize(digits[place], (side, side), interpolation=cv2.INTER_CUBIC)
        x, y = 40 + place % 5 * 170, 50 + place // 5 * 220 + place % 3 * 10
        ink[y : y + side, x : x + side] = np.maximum(ink[y : y + side, x : x + side], digit)
    light = 235 - 70 * np.linspace(0, 1, w)[None] - 30 * np.linspace(0, 1, h)[:, None]
    grain = np.random.default_rng(0).normal(0, 9, (h, w))
    return np.clip(light - ink * 0.55 + grain, 0, 255).astype(np.uint8)


def _disturbed(stage: Stage, key: str, dataset: str) -> Source:
    """Show the disturbances in a popover, and apply those that are on."""
    label = f"Disturb ({len(active)})" if (active := disturbances()) else "Disturb"
    with st.popover(label, icon=":material/blur_on:", help="Spoil the digit on purpose, and see which step mends it."):
        seed = st.number_input("Seed", 0, 9999, key="seed", bind="query-params", help="Other noise of the same kind.")
        for entry in catalogue.entries("disturbance"):
            for parameter in _sliders(entry):
                parameter_widget(parameter, parameter.default, _key(entry, parameter), bind="query-params")
        st.button("Undisturbed", icon=":material/restart_alt:", on_click=_reset)
    active = disturbances()
    if not active:
        return Source(stage, None, key, dataset)
    spoiled = spoil(stage.image[None], active, int(seed))[0]
    name = key and f"{key}-{catalogue.key_of([catalogue.step_to_json(s) for s in active])}-{seed}"
    return Source(Stage(stage.title, spoiled), stage, name, dataset)


def disturbances() -> tuple[Step, ...]:
    """What is done to the picture on purpose: the disturbances that are on, with their values."""
    found = []
    for entry in catalogue.entries("disturbance"):
        values = {p.name: st.session_state.get(_key(entry, p), p.default) for p in _sliders(entry)}
        if any(values[p.name] != p.default for p in _sliders(entry)):
            found.append(Step(entry.name, values))
    return tuple(found)


def seed() -> int:
    """The seed of the disturbances' noise."""
    return int(st.session_state.get("seed", 0))


def describe_disturbances() -> str:
    """The disturbances that are on, in words; empty where none is."""
    return ", ".join(
        f"{p.title.lower()} {show_value(p, step.params[p.name])}"
        for step in disturbances()
        for p in _sliders(catalogue.get("disturbance", step.name))
        if step.params[p.name] != p.default
    )


def _sliders(entry: Entry) -> list[Parameter]:
    # The seed is one for all.
    return [p for p in entry.parameters if p.name != "seed"]


def _key(entry: Entry, parameter: Parameter) -> str:
    return f"{entry.name}.{parameter.name}"


def _reset() -> None:
    for entry in catalogue.entries("disturbance"):
        for parameter in _sliders(entry):
            if (key := _key(entry, parameter)) in st.session_state:
                st.session_state[key] = parameter.default
