"""Rows of cards: each picture is a button or a link as a whole. One style serves all of them."""

from __future__ import annotations

import functools
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from hdr.ui import ASSETS

ROWS = (
    "strip",
    "journey",
    "gallery",
    "family",
    "number-gallery",
    "page-gallery",
    "understand-cell-gallery",
    "understand-suspect-gallery",
)
"""The keys of all rows. The style names each of them, since it finds cards by their place below a row: if it looked for
a part of a class's name, the browser would style every button again whenever a class changes anywhere."""

_STYLE = ASSETS / "style.css"
_STANDS_FOR_ROWS = ".hdr-cards"


def row(key: str, gap: Literal["small", "medium"] = "small", wrap: bool = True) -> DeltaGenerator:
    """Return a container for cards, each a container with an image and one button or link.

    Args:
        key: of the row; a page has it once.
        gap: between cards.
        wrap: whether cards that find no place begin another line.

    Raises:
        ValueError: the key is not one of `ROWS`, so that its cards would have no style.
    """
    if key not in ROWS:
        raise ValueError(
            f"'{key}' is no row of cards; there are {', '.join(ROWS)}. Add it to hdr.ui.components.cards.ROWS."
        )
    return st.container(horizontal=True, wrap=wrap, gap=gap, key=key)


@functools.cache
def stylesheet() -> str:
    """Return the app's style as HTML, with the layout of the rows of cards."""
    rows = f":is({', '.join(f'.st-key-{key}' for key in ROWS)})"
    return f"<style>{_STYLE.read_text('utf-8').replace(_STANDS_FOR_ROWS, rows)}</style>"
