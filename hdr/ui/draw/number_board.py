"""The Draw page for whole numbers: a wide canvas, the number beside it, and below every digit with its box."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from hdr.plots import bounding_boxes
from hdr.reading import read_number, strokes_from_canvas
from hdr.reading.ready import Looking
from hdr.types import HdrError, Reading, Strokes
from hdr.ui.components.tabs import lazy_tabs
from hdr.ui.draw import digit_board, handwriting, mode, multi_digit, share_link
from hdr.ui.draw.multi_digit import MultiDigitResult
from hdr.ui.inputs import canvas
from hdr.ui.shell import page
from hdr.ui.state import model_choice

NAME = "number"
INVITATION = "The canvas is empty. Write a number, or several lines of digits."


@dataclass(frozen=True)
class Read:
    """A drawing as it was read.

    Attributes:
        by: the model choice that read it.
        reading: the reading; None if there is none.
        strokes: the drawing.
        several: its digits.
        problem: an error message; empty if there is no error.
    """

    by: model_choice.ModelChoice | None = None
    reading: Reading | None = None
    strokes: Strokes = field(default_factory=list)
    several: MultiDigitResult = field(default_factory=lambda: MultiDigitResult(NAME))
    problem: str = ""


@st.fragment
@page.show_errors()
def board() -> None:
    """Show the canvas and the parts that depend on the strokes. Only this fragment reruns after a stroke."""
    left, right = st.columns([720, 400], gap="large")
    with left:
        canvas.NUMBER.show()
        share_link.drop_stale_link(canvas.NUMBER)
        buttons = st.container(horizontal=True, gap="small")
    by = model_choice.current()
    read = _read(by)
    with right:
        multi_digit.answer(read.several, read.problem or (INVITATION if by else ""))
        if by is None:
            digit_board.wait_for_reader()
        model_choice.choose()
    with buttons:
        empty = not canvas.NUMBER.objects()
        st.button("Undo", icon=":material/undo:", key="undo", on_click=canvas.NUMBER.undo, disabled=empty)
        st.button("Clear", icon=":material/ink_eraser:", key="clear", on_click=canvas.NUMBER.clear)
    lazy_tabs(TABS, "number_tab", read)


def _read(by: model_choice.ModelChoice | None) -> Read:
    if by is None or not canvas.NUMBER.objects():
        return Read(by)
    try:
        strokes = strokes_from_canvas(canvas.NUMBER.objects())
        model = by.model()
        reading = _read_strokes(by, strokes)
    except HdrError as error:
        return Read(by, problem=str(error))
    if reading.abstained:
        return Read(by)
    digits = multi_digit.build(NAME, by, model, reading.digits, reading.lines, drawn=strokes)
    return Read(by, reading, strokes, digits)


def _read_strokes(by: model_choice.ModelChoice, strokes: Strokes) -> Reading:
    model = by.model()
    # Only the ready-made reader knows half a digit from a whole one.
    return read_number(strokes, model, None if isinstance(model, Looking) else model_choice.segmenter())


def _digits(read: Read) -> None:
    if read.reading is None:
        st.caption("Every digit with its box, what the model sees of it, and how sure it is.")
        return
    left, right = st.columns([540, 580], gap="large")
    with left:
        size = (canvas.NUMBER.width, canvas.NUMBER.height)
        alt = f"Your drawing with a box around each digit: {', '.join(str(d.label) for d in read.several.digits)}"
        st.html(
            bounding_boxes.on_paper(size, read.strokes, canvas.PEN, canvas.INK, multi_digit.found(read.several), alt)
        )
    with right:
        multi_digit.gallery(read.several)
    multi_digit.opened(read.several)


def _share(read: Read) -> None:
    if read.reading is None or read.by is None:
        st.caption("Write a number, and there will be a link here that shows it to others, with the same reading.")
        return
    by, said = read.by, read.reading
    share_link.link(read.strokes, by, lambda other: _same(said, _read_strokes(by, other)), mode.NUMBER)


def _same(one: Reading, other: Reading) -> bool:
    if one.number != other.number:
        return False
    pairs = zip(one.digits, other.digits, strict=True)
    return all(abs(a.probability - b.probability) < share_link.CLOSE for a, b in pairs)


TABS = {"Digit by digit": _digits, "My handwriting": lambda _: handwriting.show(), "Share": _share}
