"""The Draw page's middle: the canvas, the answer, and what the model sees."""

from __future__ import annotations

import streamlit as st

from hdr.plots import pictures
from hdr.reading import read_strokes, strokes_from_canvas
from hdr.text import plain
from hdr.training.store import Run
from hdr.types import DigitReading, HdrError, Reading
from hdr.ui import digit as choice
from hdr.ui import drawing, resources, runs

SEEN = 112
INVITATION = "The canvas is empty. Draw a digit from 0 to 9."


@st.fragment
def board() -> None:
    """The canvas with everything that follows a stroke. Only this part of the page runs again after one."""
    left, middle, right = st.columns([425, 320, 375], gap="large")
    with left:
        drawing.canvas()
        _buttons()
    with middle:
        answer = st.container()
        run = _reader()
    reading, problem = _read(run)
    digit = reading.digits[0] if reading and reading.digits else None
    with answer:
        _answer(digit, problem or ("" if digit or not run else INVITATION))
        if run is None:
            _wait_for_reader()
    with right:
        _seen(digit)


def _buttons() -> None:
    empty = not drawing.objects()
    with st.container(horizontal=True, gap="small"):
        st.button("Undo", icon=":material/undo:", key="undo", on_click=drawing.undo, disabled=empty)
        st.button("Clear", icon=":material/ink_eraser:", key="clear", on_click=drawing.clear)
        if st.button("Open in Preprocess", icon=":material/tune:", key="open_in_preprocess", disabled=empty):
            choice.look_at(choice.DRAWING)
            st.switch_page("pages/preprocess.py")


def _read(run: Run | None) -> tuple[Reading | None, str]:
    if run is None or not drawing.objects():
        return None, ""
    try:
        return read_strokes(strokes_from_canvas(drawing.objects()), resources.model(run)), ""
    except HdrError as error:
        return None, plain(error)


def _answer(digit: DigitReading | None, instead: str) -> None:
    with st.container(key="answer"):
        st.html(f'<div class="hdr-answer">{digit.label if digit else ""}</div>')
    with st.container(key="certainty", height=60, border=False):
        st.markdown(_certainty(digit) if digit else instead)
    st.html(pictures.bars(digit.probabilities if digit else None))


def _certainty(digit: DigitReading) -> str:
    order = digit.probabilities.argsort()[::-1]
    guesses = [f"{d} ({pictures.percent(digit.probabilities[d], 1)})" for d in order[1:3]]
    return f"**{pictures.percent(digit.probability, 1)}** sure. Next guesses: {' and '.join(guesses)}."


def _seen(digit: DigitReading | None) -> None:
    st.markdown("**What the model sees**")
    if digit is None:
        st.caption("Your drawing after capture, and after every step of this model's own preprocessing.")
        return
    cells = "".join(
        f"<figure>{pictures.digit(s.image, SEEN, s.title, s.display)}<figcaption>{s.title}</figcaption></figure>"
        for s in digit.stages
    )
    st.html(f'<div class="hdr-sheet hdr-way">{cells}</div>')
    st.html(
        '<div class="hdr-note">Captured: scaled to 20 pixels on its longer side, drawn with the pen of MNIST, its '
        "centre of mass in the middle. So neither size nor place nor thickness matters.</div>"
    )


def _reader() -> Run | None:
    """Choose who reads; None until there is somebody."""
    ready = {run.id: run for run in runs.readers()}
    if not ready:
        return None
    if st.session_state.get("reader") not in ready:
        st.session_state.pop("reader", None)
    chosen = st.selectbox(
        "Read by",
        list(ready),
        format_func=lambda run_id: runs.label(ready[run_id]),
        key="reader",
        persist_state="session",
        help="Every model that you have trained, and the one that was ready before.",
    )
    return ready[chosen]


@st.fragment(run_every=0.5)
def _wait_for_reader() -> None:
    if runs.readers():
        st.rerun(scope="app")
    st.caption("The first reader is being trained; it takes some seconds. You can draw meanwhile.")
    st.progress(runs.default_share())
