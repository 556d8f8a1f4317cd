"""The Draw page for photos: every digit that is found with its box, the number, and corrections by hand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hdr.images import FORMATS
from hdr.plots import bounding_boxes, html_images
from hdr.reading import open_image, read_image, read_page
from hdr.reading.ready import Looking, on_pages
from hdr.types import Classifier, HdrError, ProgressCallback, Reading
from hdr.ui.components import job_progress
from hdr.ui.draw import handwriting, multi_digit
from hdr.ui.draw.multi_digit import MultiDigitResult
from hdr.ui.draw.photo_annotations import Annotations
from hdr.ui.inputs import canvas, clipboard
from hdr.ui.shell import page
from hdr.ui.state import model_choice

MOST_PIXELS = 1_500_000
"""Pixels of a photo that are read; a larger one is averaged down."""

LONGEST_SIDE = 6_000
HEIGHT = 420
WIDE, LEAST = 720, 4
"""Width of the canvas for boxes, and the least side of a box in pixels of the photo."""

FILE, CAMERA, PASTE = "A file", "The camera", "The clipboard"
TABS = ("Digit by digit", "How they were found", "My handwriting")
INVITATION = "Take, choose or paste a photo of handwritten digits: on any paper, one line or several."

NAME = "page"
_PHOTO, _MARKS, _ROUND = "_page_photo", "_page_marks", "_page_round"


@dataclass(frozen=True)
class Photo:
    """A photo.

    Attributes:
        grey: uint8 (h, w), 255 white.
        key: names its content.
    """

    grey: NDArray[np.uint8]
    key: str


@st.fragment
@page.show_errors()
def board() -> None:
    """Show the photo with all detected digits."""
    left, right = st.columns([720, 400], gap="large")
    with left:
        photo, problem = _choose()
        place = st.container()
    with right:
        answer = st.container()
        by = model_choice.choose()
    found: Reading | None = None
    if photo and by:
        with place:
            found, problem = _read(photo, by)
    marks = _marks(photo, by, found) if photo and by and found else Annotations()
    model = on_pages(by.model()) if by and found else None
    digits = MultiDigitResult(NAME)
    if photo and by and model:
        digits = multi_digit.build(NAME, by, model, marks.digits, marks.lines, photo.grey)
    with answer:
        nothing = "No digits were found on this photo." if found else INVITATION
        multi_digit.answer(digits, problem or ("" if photo and not found else nothing))
    if photo and found and model:
        with place:
            alt = f"The photo with {len(marks.digits)} boxes"
            st.html(bounding_boxes.on_photo(photo.grey, multi_digit.found(digits), alt))
            _add(photo, model, marks)
        _below(marks, digits, found)


def _below(marks: Annotations, digits: MultiDigitResult, found: Reading) -> None:
    by_digit, way, mine = st.tabs(list(TABS), key="photo_tab", on_change="rerun")
    if by_digit.open and digits.reads:
        with by_digit:
            multi_digit.gallery(digits)
            multi_digit.opened(digits, lambda index: _delete(marks, index))
    if way.open:
        with way:
            _stages(found)
    if mine.open:
        with mine:
            handwriting.show()


def _choose() -> tuple[Photo | None, str]:
    try:
        data = _given()
        key, kept = hashlib.sha256(data or b"").hexdigest()[:24], st.session_state.get(_PHOTO)
        if data is None or (kept is not None and kept.key == key):
            # The uploader forgets its file when another page is looked at.
            return kept, ""
        grey = open_image(data)
    except HdrError as error:
        return None, str(error)
    scale = min(1.0, (MOST_PIXELS / grey.size) ** 0.5)
    photo = Photo(html_images.shrunk(grey, min(LONGEST_SIDE, int(max(grey.shape) * scale))), key)
    st.session_state[_PHOTO] = photo
    return photo, ""


def _given() -> bytes | None:
    """Return the content of the uploaded, captured or pasted photo."""
    sources = [FILE, CAMERA, PASTE]
    source = st.segmented_control(
        "From", sources, default=FILE, required=True, key="page_source", label_visibility="collapsed"
    )
    if source == PASTE:
        return clipboard.picture("page_paste")
    if source == CAMERA:
        given = st.camera_input("Take a photo", key="page_camera", label_visibility="collapsed", width=420)
    else:
        formats = [f.lower() for f in FORMATS]
        given = st.file_uploader("Photo of handwritten digits", formats, key="page_upload", on_change=_forget)
    return given.getvalue() if given is not None else None


def _forget() -> None:
    st.session_state.pop(_PHOTO, None)


def _read(photo: Photo, by: model_choice.ModelChoice) -> tuple[Reading | None, str]:
    try:
        model = by.model()
    except HdrError as error:
        return None, str(error)
    judges = None if isinstance(model, Looking) else model_choice.segmenter()

    def work(report: ProgressCallback) -> Reading:
        report("Looking for digits")
        return read_page(photo.grey, model, judges)

    return job_progress.result(f"page-{photo.key}-{by.token}", work, HEIGHT), ""


def _marks(photo: Photo, by: model_choice.ModelChoice, found: Reading) -> Annotations:
    key = (photo.key, by.token)
    kept = st.session_state.get(_MARKS)
    if kept is None or kept[0] != key:
        kept = (key, Annotations.of(found))
        _keep(kept)
    return kept[1]


def _keep(kept: tuple[Any, Annotations]) -> None:
    st.session_state[_MARKS] = kept
    # The digits' indices have changed, and the canvas for boxes is reset.
    multi_digit.choose(NAME, None)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _change(marks: Annotations) -> None:
    _keep((st.session_state[_MARKS][0], marks))


def _add(photo: Photo, model: Classifier, marks: Annotations) -> None:
    if not st.toggle("Add a digit: draw a box around it", key="page_add"):
        return
    # Its import needs a running app.
    from streamlit_drawable_canvas import st_canvas

    h, w = photo.grey.shape
    wide = min(WIDE, w)
    high = max(1, round(h * wide / w))
    with canvas.fitted(wide, high):
        result = st_canvas(
            fill_color="rgba(217, 130, 43, 0.2)",
            stroke_width=2,
            stroke_color="#D9822B",
            background_image=html_images.png(html_images.shrunk(photo.grey, 2 * WIDE)),
            drawing_mode="rect",
            width=wide,
            height=high,
            key=f"page_boxes-{st.session_state.get(_ROUND, 0)}",
        )
    drawn = boxes_of(result.json_data, w / wide, (w, h))
    if not drawn:
        return
    for x, y, width, height in drawn:
        digits = read_image(photo.grey[y : y + height, x : x + width], model).digits
        if digits:
            marks = marks.added(replace(digits[0], box=(x, y, width, height)))
        else:
            st.toast("There is no ink in this box.")
    _change(marks)
    st.rerun()


def boxes_of(data: Any, scale: float, size: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """Return the boxes of a canvas as x, y, width, height in pixels of the photo; skip other objects.

    Args:
        data: the canvas state as sent by the browser.
        scale: pixels of the photo for each of the canvas.
        size: width and height of the photo.
    """
    objects = data.get("objects") if isinstance(data, dict) else None
    found = []
    for item in objects if isinstance(objects, list) else []:
        values: list[Any] = [item.get(n) for n in ("left", "top", "width", "height")] if isinstance(item, dict) else []
        if not values or not all(_number(v) for v in values):
            continue
        left, top, width, height = (v * scale for v in values)
        # fabric.js 7 says where the middle of an object is.
        left -= width / 2 if item.get("originX") == "center" else 0
        top -= height / 2 if item.get("originY") == "center" else 0
        x0, x1 = (int(min(max(v, 0), size[0])) for v in (left, left + width))
        y0, y1 = (int(min(max(v, 0), size[1])) for v in (top, top + height))
        if x1 - x0 >= LEAST and y1 - y0 >= LEAST:
            found.append((x0, y0, x1 - x0, y1 - y0))
    return found


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6


def _delete(marks: Annotations, index: int) -> None:
    st.button(
        "Delete this digit",
        icon=":material/delete:",
        key="page_delete",
        on_click=_change,
        args=(marks.without(index),),
    )


def _stages(found: Reading) -> None:
    for stage in found.stages:
        st.html(f'<div class="hdr-over">{stage.title}</div>{html_images.digit(stage.image, 560, stage.title)}')
