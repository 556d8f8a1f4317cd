"""The Draw page for one digit: the canvas, the answer beside it, and what the model sees."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from hdr.plots import pictures
from hdr.reading import read_strokes, strokes_from_canvas
from hdr.reading.ready import Looking
from hdr.text import plain
from hdr.types import Classifier, DigitReading, HdrError, Strokes
from hdr.ui import digit as choice
from hdr.ui import drawing, readers, runs

SEEN, ALONE = 112, 196
INVITATION = "The canvas is empty. Draw a digit from 0 to 9."


@dataclass(frozen=True)
class Read:
    """A drawing as it was read.

    Attributes:
        strokes: the drawing, in pixels of the canvas; empty where there is none.
        digit: what was read; None where nothing was.
        model: what read it.
        sense: the probability that it is a digit at all, 0 to 1; None where the model cannot tell.
        refused: whether it is to be taken for no digit.
        problem: what is wrong, in words; empty where nothing is.
    """

    strokes: Strokes
    digit: DigitReading | None = None
    model: Classifier | None = None
    sense: float | None = None
    refused: bool = False
    problem: str = ""


@st.fragment
def board() -> None:
    """The canvas with everything that follows a stroke. Only this part of the page runs again after one."""
    left, middle, right = st.columns([425, 320, 375], gap="large")
    with left:
        drawing.canvas()
        _buttons()
    with middle:
        answer = st.container()
        chosen = readers.choose()
    read = _read(chosen)
    with answer:
        _answer(read, chosen is not None)
        if chosen is None:
            _wait_for_reader()
    with right:
        _seen(read.digit)


def _buttons() -> None:
    empty = not drawing.objects()
    with st.container(horizontal=True, gap="small"):
        st.button("Undo", icon=":material/undo:", key="undo", on_click=drawing.undo, disabled=empty)
        st.button("Clear", icon=":material/ink_eraser:", key="clear", on_click=drawing.clear)
        if st.button("Open in Preprocess", icon=":material/tune:", key="open_in_preprocess", disabled=empty):
            choice.look_at(choice.DRAWING)
            st.switch_page("pages/preprocess.py")


def _read(chosen: readers.Choice | None) -> Read:
    if chosen is None or not drawing.objects():
        return Read([])
    try:
        strokes = strokes_from_canvas(drawing.objects())
        model = chosen.model()
        found = read_strokes(strokes, model).digits
    except HdrError as error:
        return Read([], problem=plain(error))
    if not found:
        return Read([])
    sense, refused = None, False
    if isinstance(model, Looking):
        sense = float(model.digit_probability(found[0].stages[0].image[None])[0])
        refused = sense < model.threshold
    return Read(strokes, found[0], model, sense, refused)


def _answer(read: Read, anybody: bool) -> None:
    digit, words = read.digit, read.problem
    if digit:
        words = _resemblance(read, digit) if read.refused else _certainty(digit)
    elif not words and anybody:
        words = INVITATION
    with st.container(key="answer"):
        said = '<span class="hdr-refused">Not a digit</span>' if read.refused else str(digit.label) if digit else ""
        st.html(f'<div class="hdr-answer">{said}</div>')
    with st.container(key="certainty", height=60, border=False):
        st.markdown(words)
    bars = pictures.bars(digit.probabilities if digit else None)
    st.html(f'<div class="hdr-doubted">{bars}</div>' if read.refused else bars)


def _certainty(digit: DigitReading) -> str:
    order = digit.probabilities.argsort()[::-1]
    guesses = [f"{d} ({pictures.percent(digit.probabilities[d], 1)})" for d in order[1:3]]
    return f"**{pictures.percent(digit.probability, 1)}** sure. Next guesses: {' and '.join(guesses)}."


def _resemblance(read: Read, digit: DigitReading) -> str:
    share = pictures.percent(read.sense or 0.0, 1)
    return f"This does not look like a digit ({share}). What it resembles most is a **{digit.label}**."


def _seen(digit: DigitReading | None) -> None:
    st.markdown("**What the model sees**")
    if digit is None:
        st.caption("Your drawing after capture, and after every step of this model's own preprocessing.")
        return
    side = SEEN if len(digit.stages) > 1 else ALONE
    cells = "".join(
        f"<figure>{pictures.digit(s.image, side, s.title, s.display)}<figcaption>{s.title}</figcaption></figure>"
        for s in digit.stages
    )
    st.html(f'<div class="hdr-sheet hdr-way">{cells}</div>')
    st.html(
        '<div class="hdr-note">Captured: scaled to 20 pixels on its longer side, drawn with the pen of MNIST, its '
        "centre of mass in the middle. So neither size nor place nor thickness matters.</div>"
    )


@st.fragment(run_every=0.5)
def _wait_for_reader() -> None:
    if runs.readers():
        st.rerun(scope="app")
    if why := readers.problem():
        st.caption(plain(why))
    st.caption("The first model is being trained; it takes some seconds. You can draw meanwhile.")
    st.progress(runs.default_share())
