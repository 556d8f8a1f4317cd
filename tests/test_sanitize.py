"""Texts that mean harm, made safe to show and to keep."""

from __future__ import annotations

import csv
import io

import pytest

from hdr.catalogue import shorten
from hdr.plots.theme import words
from hdr.sanitize import clean, escape_csv_formula, escape_markdown


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  two\n\twords ", "two words"),
        ("a\x00b\x1b[31mc", "a b [31mc"),
        ("invoice\u202egnp.exe", "invoicegnp.exe"),
        ("same\u200b\u2060\ufeff name", "same name"),
        ("half \ud83d of it", "half ? of it"),
        ("👩\u200d🎓 می\u200cخواهم ٣", "👩\u200d🎓 می\u200cخواهم ٣"),
        ("<b>$x$ :red[y] =1</b>", "<b>$x$ :red[y] =1</b>"),
        ("\u200b", ""),
    ],
)
def test_names_are_kept_without_what_nobody_sees(text: str, kept: str) -> None:
    assert clean(text) == kept


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", " =1", "\t=1", "\rx", "＝1", "\u00a0=1"])
def test_a_spreadsheet_takes_no_name_for_a_formula(text: str) -> None:
    stream = io.StringIO()
    csv.writer(stream).writerow([escape_csv_formula(text)])
    (row,) = csv.reader(io.StringIO(stream.getvalue(), newline=""))
    assert row[0] == "'" + text
    assert escape_csv_formula("a = b - c") == "a = b - c"


def test_a_message_can_be_sent_to_a_browser_whatever_it_echoes() -> None:
    assert escape_markdown("no \ud800 here \u202e\0").encode() == b"no \\? here  "
    assert shorten({"\ud800": "\u202e"}).encode()
    assert escape_markdown("[a](https://x.org)") == "\\[a\\]\\(https\u2060\\:\\/\\/\u2060x\\.org\\)"


def test_plotly_takes_a_name_for_no_markup_and_for_no_value() -> None:
    assert words("<b>%{x}</b>") == "&lt;b&gt;%&#123;x}&lt;/b&gt;"
