"""Share a drawing: a link with the strokes and the model, which shows the same prediction to everyone."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import streamlit as st

from hdr.reading import sharing
from hdr.sanitize import escape_markdown
from hdr.types import DigitReading, HdrError, Strokes
from hdr.ui.draw import mode as draw_mode
from hdr.ui.draw.prediction import DrawnPrediction, predict_with
from hdr.ui.inputs import canvas as canvas_input
from hdr.ui.inputs.canvas import Canvas
from hdr.ui.state import model_choice
from hdr.ui.state.model_choice import ModelChoice

DRAWING, READER = "drawing", "reader"
"""The parameters of the address."""

CLOSE = 0.0005
"""How far apart the probabilities of two readings may be that are shown as the same, as a share."""

_FOLLOWED, _STROKES = "_link_followed", "_link_strokes"


def follow() -> None:
    """Put the drawing in the address onto the canvas, and let the reader in it read; once for each link."""
    text = st.query_params.get(DRAWING)
    if text is None or text == st.session_state.get(_FOLLOWED):
        return
    st.session_state[_FOLLOWED] = text
    try:
        strokes = sharing.from_text(text)
    except HdrError as error:
        _forget()
        st.warning(escape_markdown(error), icon=":material/link_off:")
        return
    canvas = canvas_input.NUMBER if st.query_params.get(draw_mode.PARAMETER) == draw_mode.NUMBER else canvas_input.DIGIT
    canvas.put(strokes)
    st.session_state[_STROKES] = len(strokes)
    wanted = st.query_params.get(READER)
    if wanted in [choice.key for choice in model_choice.available_models()]:
        model_choice.select(wanted)
    elif wanted:
        st.warning(
            "The model that read this drawing is not here: it was deleted, or it belongs to somebody else. Another one "
            "reads it below.",
            icon=":material/link_off:",
        )


def drop_stale_link(canvas: Canvas) -> None:
    """Remove the link from the address once the canvas shows another drawing."""
    if DRAWING in st.query_params and len(canvas.objects()) != st.session_state.get(_STROKES):
        _forget()


def _forget() -> None:
    for parameter in (DRAWING, READER):
        st.query_params.pop(parameter, None)
    st.session_state.pop(_FOLLOWED, None)


def show(read: DrawnPrediction) -> None:
    """Show the link to a drawing of one digit with its current prediction."""
    if read.digit is None or read.by is None:
        st.caption("Draw a digit, and there will be a link here that shows it to others, with the same reading.")
        return
    by, digit = read.by, read.digit
    link(read.strokes, by, lambda other: _same(digit, read.refused, predict_with(by, other)))


def link(strokes: Strokes, by: ModelChoice, same: Callable[[Strokes], bool], mode: str = draw_mode.DIGIT) -> None:
    """Show the link to a drawing.

    Args:
        strokes: the drawing.
        by: the model choice that read it.
        same: tells whether the drawing as the link will hold it is read as this one was.
        mode: the mode of the Draw page, see `draw_mode`.
    """
    try:
        text = sharing.to_text(strokes, same)
    except HdrError as error:
        st.caption(escape_markdown(error))
        return
    values = {DRAWING: text, READER: model_choice.READY if by.key == model_choice.HAND else by.key}
    values |= {} if mode == draw_mode.DIGIT else {draw_mode.PARAMETER: mode}
    # After a stroke Streamlit says where this page is, before where the app is; outside a browser it says nothing.
    base = (st.context.url or "").rstrip("/").removesuffix("/draw")
    st.markdown("Whoever opens this link sees your drawing, and the same model reads it.")
    st.code(f"{base}/draw?{urlencode(values)}", language=None, wrap_lines=True)
    words = "The drawing itself is in the link, and is kept nowhere else."
    if by.key == model_choice.HAND:
        words += " What the reader has learned of your hand stays with you: the original will read it."
    if by.run:
        words += " The model is that of a run: the link opens it for those who may see the run."
    st.caption(words)


def _same(digit: DigitReading, refused: bool, found: DrawnPrediction) -> bool:
    if found.digit is None or found.digit.label != digit.label or found.refused != refused:
        return False
    return abs(found.digit.probability - digit.probability) < CLOSE
