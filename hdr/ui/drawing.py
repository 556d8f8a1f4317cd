"""What a visitor has drawn: kept in the session, so that it survives a change of page."""

from __future__ import annotations

from typing import Any

import streamlit as st

from hdr.types import Strokes

CANVAS = "drawn"
SIDE = 336
PEN = 20
INK = "#1c2430"
_OBJECTS, _SENT, _SHOWN = "_strokes", "_strokes_sent", "_strokes_shown"


def objects() -> list[dict[str, Any]]:
    """The strokes as the canvas holds them."""
    return st.session_state.get(_OBJECTS, [])


def size() -> tuple[int, int]:
    """Width and height of the canvas, in its pixels."""
    return SIDE, SIDE


def canvas() -> None:
    """Show the canvas and take what is on it."""
    # Its import needs a running app; who only asks what was drawn needs none.
    from streamlit_drawable_canvas import st_canvas

    if CANVAS not in st.session_state or _SHOWN not in st.session_state:
        # It was not on the page before: it begins with what was drawn last.
        _show(objects())
    with st.container(key="canvas"):
        result = st_canvas(
            stroke_width=PEN,
            stroke_color=INK,
            background_color="#ffffff",
            initial_drawing=st.session_state[_SHOWN],
            width=SIDE,
            height=SIDE,
            key=CANVAS,
        )
    # After an undo the canvas still answers with what it sent before, until it has redrawn itself.
    if result.json_data != st.session_state.get(_SENT):
        st.session_state[_SENT] = result.json_data
        sent = (result.json_data or {}).get("objects")
        st.session_state[_OBJECTS] = sent if isinstance(sent, list) else []


def put(strokes: Strokes) -> None:
    """Put a drawing onto the canvas in place of what is there; before the canvas is shown.

    Args:
        strokes: in pixels of the canvas, each of at least one point.
    """
    _show([_object(stroke.tolist()) for stroke in strokes])


def undo() -> None:
    """Take the last stroke away."""
    _show(objects()[:-1])


def clear() -> None:
    """Take everything away."""
    _show([])


def _object(points: list[list[float]]) -> dict[str, Any]:
    # A path without a place of its own stays where its points are. A dot takes a line that leads nowhere.
    path = [["M", *points[0]], *(["L", *point] for point in points[1:] or points)]
    look = {"stroke": INK, "strokeWidth": PEN, "strokeLineCap": "round", "strokeLineJoin": "round", "fill": None}
    return {"type": "Path", "path": path, **look}


def _show(strokes: list[dict[str, Any]]) -> None:
    # The canvas redraws itself when this changes, and only then: the number makes every request a new one.
    number = st.session_state.get(_SHOWN, {}).get("number", 0) + 1
    st.session_state[_SHOWN] = {"objects": strokes, "number": number}
    st.session_state[_OBJECTS] = strokes
