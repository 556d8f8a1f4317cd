"""The Draw page for one digit: the canvas, the prediction beside it, and the model's input."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from hdr.formatting import format_percent
from hdr.plots import html_images
from hdr.sanitize import escape_markdown
from hdr.types import DigitReading
from hdr.ui.components.tabs import lazy_tabs
from hdr.ui.draw import explanation, handwriting, model_comparison, prediction, share_link
from hdr.ui.draw.prediction import DrawnPrediction
from hdr.ui.inputs import canvas
from hdr.ui.inputs import digit_picker as choice
from hdr.ui.shell import page
from hdr.ui.state import current_run, model_choice

SEEN, ALONE = 112, 196
TABS: dict[str, Callable[[DrawnPrediction], None]] = {
    "Why?": explanation.show,
    "A vote": model_comparison.show,
    "My handwriting": handwriting.show,
    "Share": share_link.show,
}
INVITATION = "The canvas is empty. Draw a digit from 0 to 9."


@st.fragment
@page.show_errors()
def board() -> None:
    """Show the canvas and the parts that depend on the strokes. Only this fragment reruns after a stroke."""
    left, middle, right = st.columns([425, 320, 375], gap="large")
    with left:
        canvas.DIGIT.show()
        share_link.drop_stale_link(canvas.DIGIT)
    by = model_choice.current()
    read = prediction.read(by)
    with middle:
        _answer(read, by is not None)
        if read.digit:
            page.flush_to_browser()
        if by is None:
            wait_for_reader()
        handwriting.label_buttons(read)
    with left:
        _buttons()
    with right:
        model_choice.choose()
        _seen(read.digit)
    _below(read)


def _buttons() -> None:
    empty = not canvas.objects()
    with st.container(horizontal=True, gap="small"):
        st.button("Undo", icon=":material/undo:", key="undo", on_click=canvas.DIGIT.undo, disabled=empty)
        st.button("Clear", icon=":material/ink_eraser:", key="clear", on_click=canvas.DIGIT.clear)
        if st.button("Open in Preprocess", icon=":material/tune:", key="open_in_preprocess", disabled=empty):
            choice.look_at(choice.DRAWING)
            st.switch_page("pages/preprocess.py")


def _answer(read: DrawnPrediction, anybody: bool) -> None:
    digit, words = read.digit, escape_markdown(read.problem)
    if digit:
        words = _resemblance(read, digit) if read.refused else _certainty(digit)
    elif not words and anybody:
        words = INVITATION
    with st.container(key="answer"):
        said = '<span class="hdr-refused">Not a digit</span>' if read.refused else str(digit.label) if digit else ""
        st.html(f'<div class="hdr-answer">{said}</div>')
    with st.container(key="certainty", height=60, border=False):
        st.markdown(words)
    bars = html_images.bars(digit.probabilities if digit else None)
    st.html(f'<div class="hdr-doubted">{bars}</div>' if read.refused else bars)


def _certainty(digit: DigitReading) -> str:
    order = digit.probabilities.argsort()[::-1]
    guesses = [f"{d} ({format_percent(digit.probabilities[d], 1)})" for d in order[1:3]]
    return f"**{format_percent(digit.probability, 1)}** sure. Next guesses: {' and '.join(guesses)}."


def _resemblance(read: DrawnPrediction, digit: DigitReading) -> str:
    share = format_percent(read.sense or 0.0, 1)
    return f"This does not look like a digit: {share} sure that it is one. It resembles a **{digit.label}** most."


def _seen(digit: DigitReading | None) -> None:
    st.markdown("**What the model sees**")
    if digit is None:
        st.caption("Your drawing after capture, and after every step of this model's own preprocessing.")
        return
    side = SEEN if len(digit.stages) > 1 else ALONE
    cells = "".join(
        f"<figure>{html_images.digit(s.image, side, s.title, s.display)}<figcaption>{s.title}</figcaption></figure>"
        for s in digit.stages
    )
    st.html(f'<div class="hdr-sheet hdr-way">{cells}</div>')
    st.html(
        '<div class="hdr-note">Captured: scaled to 20 pixels on its longer side, drawn with the pen of MNIST, its '
        "centre of mass in the middle. So neither size nor place nor thickness matters.</div>"
    )


def _below(read: DrawnPrediction) -> None:
    """Show lazy tabs, after the prediction has been sent to the browser."""
    lazy_tabs(TABS, "draw_tab", read)


@st.fragment(run_every=0.5)
@page.show_errors()
def wait_for_reader() -> None:
    """Say how far the first model is, and run the page again when it is there."""
    if current_run.readers():
        st.rerun(scope="app")
    if why := model_choice.problem():
        st.caption(escape_markdown(why))
    st.caption("The first model is being trained; it takes some seconds. You can draw meanwhile.")
    st.progress(current_run.default_share())
