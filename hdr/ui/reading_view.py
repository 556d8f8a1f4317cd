"""The Draw page for one digit: the canvas, the answer beside it, and what the model sees."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from hdr.plots import pictures
from hdr.text import plain
from hdr.types import DigitReading
from hdr.ui import digit as choice
from hdr.ui import draw_reading, draw_share, drawing, own_hand, page, readers, runs, vote, why_view
from hdr.ui.draw_reading import Read

SEEN, ALONE = 112, 196
TABS: dict[str, Callable[[Read], None]] = {
    "Why?": why_view.show,
    "A vote": vote.show,
    "My handwriting": own_hand.show,
    "Share": draw_share.show,
}
INVITATION = "The canvas is empty. Draw a digit from 0 to 9."


@st.fragment
@page.plainly()
def board() -> None:
    """The canvas with everything that follows a stroke. Only this part of the page runs again after one."""
    left, middle, right = st.columns([425, 320, 375], gap="large")
    with left:
        drawing.DIGIT.show()
        draw_share.leave_behind(drawing.DIGIT)
    by = readers.current()
    read = draw_reading.read(by)
    with middle:
        _answer(read, by is not None)
        if read.digit:
            page.draw_first()
        if by is None:
            wait_for_reader()
        own_hand.name_it(read)
    with left:
        _buttons()
    with right:
        readers.choose()
        _seen(read.digit)
    _below(read)


def _buttons() -> None:
    empty = not drawing.objects()
    with st.container(horizontal=True, gap="small"):
        st.button("Undo", icon=":material/undo:", key="undo", on_click=drawing.DIGIT.undo, disabled=empty)
        st.button("Clear", icon=":material/ink_eraser:", key="clear", on_click=drawing.DIGIT.clear)
        if st.button("Open in Preprocess", icon=":material/tune:", key="open_in_preprocess", disabled=empty):
            choice.look_at(choice.DRAWING)
            st.switch_page("pages/preprocess.py")


def _answer(read: Read, anybody: bool) -> None:
    digit, words = read.digit, plain(read.problem)
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
    return f"This does not look like a digit: {share} sure that it is one. It resembles a **{digit.label}** most."


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


def _below(read: Read) -> None:
    """Tabs of which only the open one is computed, after the answer has gone to the browser."""
    for tab, content in zip(st.tabs(list(TABS), key="draw_tab", on_change="rerun"), TABS.values(), strict=True):
        if tab.open:
            with tab:
                content(read)


@st.fragment(run_every=0.5)
@page.plainly()
def wait_for_reader() -> None:
    """Say how far the first model is, and run the page again when it is there."""
    if runs.readers():
        st.rerun(scope="app")
    if why := readers.problem():
        st.caption(plain(why))
    st.caption("The first model is being trained; it takes some seconds. You can draw meanwhile.")
    st.progress(runs.default_share())
