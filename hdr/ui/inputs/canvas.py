"""Drawing canvas whose strokes are kept in the session, so that they survive a change of page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from hdr.types import Strokes
from hdr.ui.components import arrow_table

SIDE = 336
PEN = 20
INK = "#1c2430"


@dataclass(frozen=True)
class Canvas:
    """A canvas of the app.

    Attributes:
        key: of its widget.
        kept: begins the names under which the session keeps its strokes.
        width, height: in pixels.
    """

    key: str
    kept: str
    width: int
    height: int

    def objects(self) -> list[dict[str, Any]]:
        """The strokes as the canvas holds them."""
        return st.session_state.get(self.kept, [])

    def show(self) -> None:
        """Show the canvas and take what is on it."""
        # Its import needs a running app; who only asks what was drawn needs none.
        from streamlit_drawable_canvas import st_canvas

        arrow_table.skip_pandas_checks()
        shown, sent = f"{self.kept}_shown", f"{self.kept}_sent"
        if self.key not in st.session_state or shown not in st.session_state:
            # The canvas is new on the page: start with the last drawing.
            self._show(self.objects())
        with fitted(self.width, self.height):
            result = st_canvas(
                stroke_width=PEN,
                stroke_color=INK,
                background_color="#ffffff",
                initial_drawing=st.session_state[shown],
                width=self.width,
                height=self.height,
                key=self.key,
            )
        # After an undo, the canvas still sends its previous strokes until it has redrawn itself.
        if result.json_data != st.session_state.get(sent):
            st.session_state[sent] = result.json_data
            found = (result.json_data or {}).get("objects")
            st.session_state[self.kept] = found if isinstance(found, list) else []

    def put(self, strokes: Strokes) -> None:
        """Replace the drawing on the canvas; call this before the canvas is shown.

        Args:
            strokes: in pixels of the canvas, each of at least one point.
        """
        self._show([_object(stroke.tolist()) for stroke in strokes])

    def undo(self) -> None:
        """Take the last stroke away."""
        self._show(self.objects()[:-1])

    def clear(self) -> None:
        """Take everything away."""
        self._show([])

    def _show(self, strokes: list[dict[str, Any]]) -> None:
        # The canvas redraws itself when this changes, and only then: the number makes every request a new one.
        shown = f"{self.kept}_shown"
        number = st.session_state.get(shown, {}).get("number", 0) + 1
        st.session_state[shown] = {"objects": strokes, "number": number}
        st.session_state[self.kept] = strokes


DIGIT = Canvas("drawn", "_strokes", SIDE, SIDE)
"""For one digit."""

NUMBER = Canvas("drawn_number", "_number", 720, SIDE)
"""For whole numbers."""


def fitted(width: int, height: int) -> DeltaGenerator:
    """A place for a canvas, made smaller as a whole where the screen is narrower than it: it stays the same canvas.

    Args:
        width, height: of the canvas, in pixels.
    """
    place = st.container(key="canvas")
    place.html(f"<style>.st-key-canvas {{ --wide: {width}; --high: {height}; }}</style>")
    return place


def objects() -> list[dict[str, Any]]:
    """The strokes of the canvas for one digit."""
    return DIGIT.objects()


def _object(points: list[list[float]]) -> dict[str, Any]:
    # A path without a place of its own stays where its points are. A dot takes a line that leads nowhere.
    path = [["M", *points[0]], *(["L", *point] for point in points[1:] or points)]
    look = {"stroke": INK, "strokeWidth": PEN, "strokeLineCap": "round", "strokeLineJoin": "round", "fill": None}
    return {"type": "Path", "path": path, **look}
