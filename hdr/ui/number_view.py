"""The Draw page for whole numbers: a wide canvas, the number beside it, and below every digit with its box."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from hdr.plots import boxes
from hdr.reading import read_number, strokes_from_canvas
from hdr.reading.ready import Looking
from hdr.types import HdrError, Reading, Strokes
from hdr.ui import draw_mode, draw_share, drawing, own_hand, page, readers, reading_view, several
from hdr.ui.several import Several

NAME = "number"
INVITATION = "The canvas is empty. Write a number, or several lines of digits."


@dataclass(frozen=True)
class Read:
    """A drawing as it was read.

    Attributes:
        by: who read it.
        reading: what was read; None where nothing was.
        strokes: the drawing.
        several: its digits.
        problem: what is wrong, in words; empty where nothing is.
    """

    by: readers.Choice | None = None
    reading: Reading | None = None
    strokes: Strokes = field(default_factory=list)
    several: Several = field(default_factory=lambda: Several(NAME))
    problem: str = ""


@st.fragment
@page.plainly()
def board() -> None:
    """The canvas with everything that follows a stroke. Only this part of the page runs again after one."""
    left, right = st.columns([720, 400], gap="large")
    with left:
        drawing.NUMBER.show()
        draw_share.leave_behind(drawing.NUMBER)
        buttons = st.container(horizontal=True, gap="small")
    by = readers.current()
    read = _read(by)
    with right:
        several.answer(read.several, read.problem or (INVITATION if by else ""))
        if by is None:
            reading_view.wait_for_reader()
        readers.choose()
    with buttons:
        empty = not drawing.NUMBER.objects()
        st.button("Undo", icon=":material/undo:", key="undo", on_click=drawing.NUMBER.undo, disabled=empty)
        st.button("Clear", icon=":material/ink_eraser:", key="clear", on_click=drawing.NUMBER.clear)
    for tab, content in zip(st.tabs(list(TABS), key="number_tab", on_change="rerun"), TABS.values(), strict=True):
        if tab.open:
            with tab:
                content(read)


def _read(by: readers.Choice | None) -> Read:
    if by is None or not drawing.NUMBER.objects():
        return Read(by)
    try:
        strokes = strokes_from_canvas(drawing.NUMBER.objects())
        model = by.model()
        reading = _read_strokes(by, strokes)
    except HdrError as error:
        return Read(by, problem=str(error))
    if reading.abstained:
        return Read(by)
    digits = several.of(NAME, by, model, reading.digits, reading.lines, drawn=strokes)
    return Read(by, reading, strokes, digits)


def _read_strokes(by: readers.Choice, strokes: Strokes) -> Reading:
    model = by.model()
    # Only the ready-made reader knows half a digit from a whole one.
    return read_number(strokes, model, None if isinstance(model, Looking) else readers.judge())


def _digits(read: Read) -> None:
    if read.reading is None:
        st.caption("Every digit with its box, what the model sees of it, and how sure it is.")
        return
    left, right = st.columns([540, 580], gap="large")
    with left:
        size = (drawing.NUMBER.width, drawing.NUMBER.height)
        alt = f"Your drawing with a box around each digit: {', '.join(str(d.label) for d in read.several.digits)}"
        st.html(boxes.on_paper(size, read.strokes, drawing.PEN, drawing.INK, several.found(read.several), alt))
    with right:
        several.gallery(read.several)
    several.opened(read.several)


def _share(read: Read) -> None:
    if read.reading is None or read.by is None:
        st.caption("Write a number, and there will be a link here that shows it to others, with the same reading.")
        return
    by, said = read.by, read.reading
    draw_share.link(read.strokes, by, lambda other: _same(said, _read_strokes(by, other)), draw_mode.NUMBER)


def _same(one: Reading, other: Reading) -> bool:
    if one.number != other.number:
        return False
    pairs = zip(one.digits, other.digits, strict=True)
    return all(abs(a.probability - b.probability) < draw_share.CLOSE for a, b in pairs)


TABS = {"Digit by digit": _digits, "My handwriting": lambda _: own_hand.show(), "Share": _share}
