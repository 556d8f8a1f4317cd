"""Input of the pipeline: a digit, a drawing or a photo, clean and corrupted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hdr.images import FORMATS, open_image
from hdr.plots import html_images
from hdr.preprocessing import PRESETS
from hdr.preprocessing.corruptions import spoil
from hdr.preprocessing.pipeline import chain as make_chain
from hdr.preprocessing.size_normalisation import from_strokes
from hdr.reading import strokes_from_canvas
from hdr.sanitize import escape_markdown
from hdr.types import HdrError, Stage
from hdr.ui.components import dataset_summary
from hdr.ui.inputs import canvas, corruption_menu, digit_picker
from hdr.ui.state import pipeline_state, resources

MOST_PIXELS = 1_500_000
"""Pixels of a photo that go through the chain; a larger one is averaged down, so that a small host can keep up."""

LONGEST_SIDE = 6_000
"""Longest side of a photo in pixels: a strip one pixel wide may be within the pixels and still be endless."""

_PHOTO, _SUITED = "_photo", "_photo_suited"


@dataclass(frozen=True)
class ImageSource:
    """Input of the pipeline.

    Attributes:
        stage: the image, corrupted or not.
        clean: the image before corruption; None if it is not corrupted.
        photo: whether it may show several digits and needs segmentation.
        dataset: the data set it is from, or else the best available one.
    """

    stage: Stage
    clean: Stage | None = None
    photo: bool = False
    dataset: str = ""


def choose() -> ImageSource:
    """Show the widgets that select an image and corrupt it, side by side."""
    if problem := digit_picker.follow_address():
        st.warning(escape_markdown(problem), icon=":material/link_off:")
    source = digit_picker.choose_source()
    if source == digit_picker.PHOTO:
        _suit_chain()
        stage = _photo(digit_picker.dataset())
    elif source == digit_picker.DRAWING:
        stage = _drawn()
    else:
        stage = digit_picker.choose(source)
    corruption_menu.menu()
    if st.button("", icon=":material/info:", key="about_data", help="About the data"):
        _about(digit_picker.dataset())
    return _disturbed(stage, source == digit_picker.PHOTO)


@st.dialog("About the data", width="large")
def _about(dataset: str) -> None:
    dataset_summary.panel(dataset)


def _disturbed(stage: Stage, photo: bool) -> ImageSource:
    steps = corruption_menu.steps()
    if not steps:
        return ImageSource(stage, None, photo, digit_picker.dataset())
    spoiled = spoil(stage.image[None], steps, corruption_menu.seed())[0]
    return ImageSource(Stage(stage.title, spoiled), stage, photo, digit_picker.dataset())


def _drawn() -> Stage:
    if not canvas.objects():
        st.page_link("pages/draw.py", label="Nothing is drawn yet: draw a digit first", icon=":material/draw:")
        # Seven black pictures would say nothing.
        st.stop()
    return Stage("your drawing", from_strokes(strokes_from_canvas(canvas.objects())))


def _suit_chain() -> None:
    # At the first photo only: no other preset inverts dark ink on bright paper. A custom pipeline is
    # not changed.
    first = not st.session_state.get(_SUITED)
    st.session_state[_SUITED] = True
    if first and pipeline_state.current() in [make_chain(*steps) for steps in PRESETS.values()]:
        pipeline_state.replace(make_chain(*PRESETS["Noisy photo"]), 0)


def _photo(dataset: str) -> Stage:
    """Return the selected photo, initially a synthetic page."""
    upload = st.file_uploader(
        "Photo of handwritten digits",
        [f.lower() for f in FORMATS],
        key="upload",
        width=420,
        on_change=lambda: st.session_state.pop(_PHOTO, None),
    )
    if upload is not None:
        try:
            return _opened(upload.getvalue())
        except HdrError as error:
            st.warning(escape_markdown(error), icon=":material/broken_image:")
    elif kept := st.session_state.get(_PHOTO):
        # The uploader forgets its file when another page is looked at.
        return kept[0]
    return Stage("a made-up sheet", _sheet(dataset))


def _opened(data: bytes) -> Stage:
    # Decode the photo once, not at every change of a setting.
    key = hashlib.sha256(data).hexdigest()[:16]
    kept = st.session_state.get(_PHOTO)
    if kept is None or kept[1] != key:
        grey = open_image(data)
        scale = min(1.0, (MOST_PIXELS / grey.size) ** 0.5)
        grey = html_images.shrunk(grey, min(LONGEST_SIDE, int(max(grey.shape) * scale)))
        title = f"your photo, {grey.shape[1]}×{grey.shape[0]}"
        kept = st.session_state[_PHOTO] = (Stage(title, grey), key)
    return kept[0]


@st.cache_data(max_entries=2, show_spinner=False)
def _sheet(dataset: str) -> NDArray[np.uint8]:
    """Return ten digits of a data set as if written on paper: dark ink, light from one side, grain."""
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
