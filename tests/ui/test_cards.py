"""Rows of cards: one style serves all of them, and a row without it is refused."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from hdr.ui import ASSETS
from hdr.ui.components import cards

CSS = (ASSETS / "style.css").read_text("utf-8")


def test_the_style_of_cards_is_written_once_and_serves_every_row() -> None:
    assert CSS.count(".hdr-cards") == 2, "the rule, and the comment above it"
    found = cards.stylesheet()
    (rule,) = re.findall(r"^:is\(([^)]+)\) > div > div \{$", found, re.M)
    assert [f"st-key-{row}" for row in cards.ROWS] == [name.strip(" .") for name in rule.split(",")]
    assert ".hdr-cards" not in re.sub(r"/\*.*?\*/", "", found, flags=re.S)
    assert found.startswith("<style>") and found.endswith("</style>") and len(found) > len(CSS)


def test_the_style_names_no_gallery_besides() -> None:
    assert not re.findall(r"\.st-key-[\w-]+-gallery", CSS)


def test_no_selector_looks_for_a_part_of_a_class_that_changes_often() -> None:
    """`:not([class*=...])` of a card is cheap: it says nothing of what is below."""
    assert set(re.findall(r"(?:^|[\s,(&])(\[class[*^$~|]?=[^\]]*\])", CSS)) <= {'[class*="st-key-card-0"]'}


def test_a_row_that_has_no_style_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"'shelf' is no row of cards; there are strip, .*hdr\.ui\.components\.cards\.ROWS"
    ):
        cards.row("shelf")


def shows() -> None:
    import streamlit as st

    from hdr.ui.components import cards

    for key in cards.ROWS:
        with cards.row(key):
            st.text(key)


def test_rows_can_all_be_on_one_page() -> None:
    app = AppTest.from_function(shows).run()
    assert not app.exception and [t.value for t in app.text] == list(cards.ROWS)
