"""The Draw page for whole numbers: a wide canvas, the number beside it, and below every digit with its box."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from hdr.plots import boxes, pictures
from hdr.plots.boxes import Found
from hdr.reading import read_number, strokes_from_canvas
from hdr.reading.ready import Looking
from hdr.text import plain
from hdr.types import DigitReading, HdrError, Reading, Strokes
from hdr.ui import draw_mode, draw_share, drawing, readers, reading_view

INVITATION = "The canvas is empty. Write a number, or several lines of digits."
SMALL = 84
LONG = 6
"""Digits in a line from which on the answer is written smaller."""

ORDINALS = ("first", "second", "third")


@dataclass(frozen=True)
class Read:
    """A drawing as it was read.

    Attributes:
        by: who read it.
        reading: what was read; None where nothing was.
        strokes: the drawing.
        doubted: for each digit, whether it may be none.
        problem: what is wrong, in words; empty where nothing is.
    """

    by: readers.Choice | None = None
    reading: Reading | None = None
    strokes: Strokes = field(default_factory=list)
    doubted: tuple[bool, ...] = ()
    problem: str = ""


@st.fragment
def board() -> None:
    """The canvas with everything that follows a stroke. Only this part of the page runs again after one."""
    left, right = st.columns([720, 400], gap="large")
    with left:
        drawing.NUMBER.show()
        draw_share.leave_behind(drawing.NUMBER)
        empty = not drawing.NUMBER.objects()
        with st.container(horizontal=True, gap="small"):
            st.button("Undo", icon=":material/undo:", key="undo", on_click=drawing.NUMBER.undo, disabled=empty)
            st.button("Clear", icon=":material/ink_eraser:", key="clear", on_click=drawing.NUMBER.clear)
    with right:
        answer = st.container()
        chosen = readers.choose()
    read = _read(chosen)
    with answer:
        _answer(read, chosen is not None)
        if chosen is None:
            reading_view.wait_for_reader()
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
    doubted = [False] * len(reading.digits)
    if isinstance(model, Looking):
        doubted = (~model.accepts(np.stack([d.stages[0].image for d in reading.digits]))).tolist()
    return Read(by, reading, strokes, tuple(doubted))


def _read_strokes(by: readers.Choice, strokes: Strokes) -> Reading:
    model = by.model()
    # Only the ready-made reader knows half a digit from a whole one.
    return read_number(strokes, model, None if isinstance(model, Looking) else readers.judge())


def _answer(read: Read, anybody: bool) -> None:
    lines = read.reading.number.split("\n") if read.reading else []
    long = " hdr-long" if len(lines) > 1 or max(map(len, lines), default=0) > LONG else ""
    with st.container(key="answer"):
        st.html(f'<div class="hdr-answer{long}">{"<br>".join(lines)}</div>')
    words = plain(read.problem) or (INVITATION if anybody else "")
    with st.container(key="certainty", height=90, border=False):
        st.markdown(_certainty(read, read.reading) if read.reading else words)


def _certainty(read: Read, reading: Reading) -> str:
    digits = reading.digits
    whole = math.prod(d.probability for d in digits)
    words = f"**{pictures.percent(whole, 1)}** sure of the whole."
    least = min(range(len(digits)), key=lambda i: digits[i].probability)
    if len(digits) > 1:
        digit = digits[least]
        sure = pictures.percent(digit.probability, 1)
        words += f" Least of the {_ordinal(least)} digit: a {digit.label} ({sure}), or else a {_second(digit)}."
    if any(read.doubted):
        count = sum(read.doubted)
        words += f" {count} of them {'does' if count == 1 else 'do'} not look like a digit."
    return words


def _ordinal(index: int) -> str:
    return ORDINALS[index] if index < len(ORDINALS) else f"{index + 1}th"


def _second(digit: DigitReading) -> int:
    return int(digit.probabilities.argsort()[-2])


def _digits(read: Read) -> None:
    if read.reading is None:
        st.caption("Every digit with its box, what the model sees of it, and how sure it is.")
        return
    left, right = st.columns([540, 580], gap="large")
    with left:
        st.html(_boxed(read.strokes, read.reading, read.doubted))
    with right:
        st.html(f'<div class="hdr-sheet">{"".join(map(_figure, read.reading.digits, read.doubted))}</div>')


def _boxed(strokes: Strokes, reading: Reading, doubted: tuple[bool, ...]) -> str:
    found = [
        Found(d.box, d.label, f"{d.label} · {pictures.percent(d.probability, 0)}", doubt)
        for d, doubt in zip(reading.digits, doubted, strict=True)
    ]
    size = (drawing.NUMBER.width, drawing.NUMBER.height)
    alt = f"Your drawing with a box around each digit: {', '.join(str(d.label) for d in reading.digits)}"
    return boxes.on_paper(size, strokes, drawing.PEN, drawing.INK, found, alt)


def _figure(digit: DigitReading, doubted: bool) -> str:
    picture = pictures.digit(digit.stages[0].image, SMALL, f"a {digit.label} as the model sees it", dim=doubted)
    sure = pictures.percent(digit.probability, 1)
    words = "no digit?" if doubted else f"or else a {_second(digit)}"
    return f"<figure>{picture}<figcaption><b>{digit.label}</b> · {sure}<br>{words}</figcaption></figure>"


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


TABS = {"Digit by digit": _digits, "Share": _share}
