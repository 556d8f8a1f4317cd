"""The Draw page for photos: every digit that is found with its box, the number, and corrections by hand."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hdr.plots import boxes, pictures
from hdr.plots.boxes import Found
from hdr.reading import open_image, read_image, read_page
from hdr.reading.images import FORMATS
from hdr.reading.ready import Looking
from hdr.text import plain
from hdr.types import CLASSES, Classifier, HdrError, Reading
from hdr.ui import jobs, paste, readers, understand
from hdr.ui.photo_marks import Marked, Marks

MOST_PIXELS = 1_500_000
"""Pixels of a photo that are read; a larger one is averaged down."""

LONGEST_SIDE = 6_000
HEIGHT = 420
WIDE, STAGE, LEAST = 720, 84, 4
"""Width of the canvas for boxes, of a stage, and the least side of a box in pixels of the photo."""

FILE, CAMERA, PASTE = "A file", "The camera", "The clipboard"
INVITATION = "Take, choose or paste a photo of handwritten digits: on any paper, one line or several."

_PHOTO, _MARKS, _CHOSEN, _ROUND = "_page_photo", "_page_marks", "_page_chosen", "_page_round"


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
def board() -> None:
    """The photo with everything that was found on it."""
    left, right = st.columns([720, 400], gap="large")
    with left:
        photo, problem = _choose()
        place = st.container()
    with right:
        answer = st.container()
        by = readers.choose()
    found: Reading | None = None
    if photo and by:
        with place:
            found, problem = _read(photo, by)
    marks = _marks(photo, by, found) if photo and by and found else Marks()
    model = by.model() if by and found else None
    with answer:
        _answer(marks, problem or ("" if photo else INVITATION), found is not None)
    if photo and found and model:
        with place:
            st.html(boxes.on_photo(photo.grey, _found(marks, model), f"The photo with {len(marks.digits)} boxes"))
            _add(photo, model, marks)
        _digits(marks)
        _stages(found)


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
    photo = Photo(pictures.shrunk(grey, min(LONGEST_SIDE, int(max(grey.shape) * scale))), key)
    st.session_state[_PHOTO] = photo
    return photo, ""


def _given() -> bytes | None:
    """The content of what was chosen, taken or pasted."""
    sources = [FILE, CAMERA, PASTE]
    source = st.segmented_control(
        "From", sources, default=FILE, required=True, key="page_source", label_visibility="collapsed"
    )
    if source == PASTE:
        return paste.picture("page_paste")
    if source == CAMERA:
        given = st.camera_input("Take a photo", key="page_camera", label_visibility="collapsed", width=420)
    else:
        formats = [f.lower() for f in FORMATS]
        given = st.file_uploader("Photo of handwritten digits", formats, key="page_upload", on_change=_forget)
    return given.getvalue() if given is not None else None


def _forget() -> None:
    st.session_state.pop(_PHOTO, None)


def _read(photo: Photo, by: readers.Choice) -> tuple[Reading | None, str]:
    try:
        model = by.model()
    except HdrError as error:
        return None, str(error)
    judges = None if isinstance(model, Looking) else readers.judge()

    def work(report: jobs.Report) -> Reading:
        report("Looking for digits")
        return read_page(photo.grey, model, judges)

    return jobs.result(f"page-{photo.key}-{by.token}", work, HEIGHT), ""


def _marks(photo: Photo, by: readers.Choice, found: Reading) -> Marks:
    key = (photo.key, by.token)
    kept = st.session_state.get(_MARKS)
    if kept is None or kept[0] != key:
        kept = (key, Marks.of(found))
        _keep(kept)
    return kept[1]


def _keep(kept: tuple[Any, Marks], chosen: int | None = None) -> None:
    st.session_state[_MARKS], st.session_state[_CHOSEN] = kept, chosen
    # Widgets begin anew: each belongs to one digit, and which is which has changed.
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _change(marks: Marks, chosen: int | None = None) -> None:
    _keep((st.session_state[_MARKS][0], marks), chosen)


def _answer(marks: Marks, words: str, there: bool) -> None:
    lines = marks.number
    long = " hdr-long" if len(lines) > 1 or max(map(len, lines), default=0) > 6 else ""
    with st.container(key="answer"):
        st.html(f'<div class="hdr-answer{long}">{"<br>".join(lines)}</div>')
    if not lines and there:
        words = "No digits were found on this photo."
    with st.container(key="certainty", height=90, border=False):
        st.markdown(_certainty(marks) if lines else plain(words))


def _certainty(marks: Marks) -> str:
    read = [m for m in marks.digits if m.said is None]
    said = len(marks.digits) - len(read)
    count = f"{len(marks.digits)} digit{'s' * (len(marks.digits) != 1)}"
    words = f"**{pictures.percent(math.prod(m.digit.probability for m in read), 1)}** sure of the whole, {count}."
    return words + (f" {said} of them you have corrected." if said else "")


def _found(marks: Marks, model: Classifier) -> list[Found]:
    digits = marks.digits
    doubted = [False] * len(digits)
    if isinstance(model, Looking) and digits:
        doubted = (~model.accepts(np.stack([m.digit.stages[0].image for m in digits]))).tolist()
    return [
        Found(m.digit.box, m.label, str(m.label), doubt and m.said is None)
        for m, doubt in zip(digits, doubted, strict=True)
    ]


def _add(photo: Photo, model: Classifier, marks: Marks) -> None:
    if not st.toggle("Add a digit: draw a box around it", key="page_add"):
        return
    # Its import needs a running app.
    from streamlit_drawable_canvas import st_canvas

    h, w = photo.grey.shape
    wide = min(WIDE, w)
    result = st_canvas(
        fill_color="rgba(217, 130, 43, 0.2)",
        stroke_width=2,
        stroke_color="#D9822B",
        background_image=pictures.png(pictures.shrunk(photo.grey, 2 * WIDE)),
        drawing_mode="rect",
        width=wide,
        height=max(1, round(h * wide / w)),
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
    """The boxes that a canvas has sent, as x, y, width, height in pixels of the photo; what is none is left out.

    Args:
        data: what the canvas says that it holds.
        scale: pixels of the photo for each of the canvas.
        size: width and height of the photo.
    """
    objects = data.get("objects") if isinstance(data, dict) else None
    found = []
    for item in objects if isinstance(objects, list) else []:
        values = [item.get(n) for n in ("left", "top", "width", "height")] if isinstance(item, dict) else []
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


def _digits(marks: Marks) -> None:
    if not marks.digits:
        return
    st.markdown("**Digit by digit.** A click shows one, to be corrected or deleted.")
    chosen = st.session_state.get(_CHOSEN)
    understand.gallery(
        "page",
        np.stack([m.digit.stages[0].image for m in marks.digits]),
        ["you say" if m.said is not None else pictures.percent(m.digit.probability, 0) for m in marks.digits],
        [str(m.label) for m in marks.digits],
        _choose_digit,
        list(range(len(marks.digits))),
        chosen,
    )
    if chosen is not None and chosen < len(marks.digits):
        _one(marks, chosen, marks.digits[chosen])


def _choose_digit(index: int) -> None:
    st.session_state[_CHOSEN] = index


def _one(marks: Marks, index: int, mark: Marked) -> None:
    left, right = st.columns([320, 800], gap="large")
    with left:
        st.html(pictures.bars(mark.digit.probabilities))
        key = _said_key(index)
        st.pills(
            "It is a", list(range(CLASSES)), default=mark.said, key=key, on_change=_correct, args=(marks, index, key)
        )
        st.button(
            "Delete this digit",
            icon=":material/delete:",
            key="page_delete",
            on_click=_change,
            args=(marks.without(index),),
        )
    with right:
        cells = "".join(
            f"<figure>{pictures.digit(s.image, STAGE, s.title, s.display)}<figcaption>{s.title}</figcaption></figure>"
            for s in mark.digit.stages
        )
        st.html(f'<div class="hdr-over">what the model sees of it</div><div class="hdr-sheet hdr-way">{cells}</div>')


def _said_key(index: int) -> str:
    return f"page_said-{st.session_state.get(_ROUND, 0)}-{index}"


def _correct(marks: Marks, index: int, key: str) -> None:
    if key != _said_key(index):
        # A browser may tell once more what was pressed before the last change, which is done already.
        return
    _change(marks.corrected(index, st.session_state[key]), index)


def _stages(found: Reading) -> None:
    if not found.stages:
        return
    closer = st.expander("What was made of the photo before digits were found", key="page_stages", on_change="rerun")
    if closer.open:
        with closer:
            for stage in found.stages:
                st.html(f'<div class="hdr-over">{stage.title}</div>{pictures.digit(stage.image, 560, stage.title)}')
