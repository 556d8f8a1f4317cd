"""Corrections of what was found on a photo."""

from __future__ import annotations

import numpy as np

from hdr.types import DigitReading, Reading
from hdr.ui.photo_marks import Marks


def read(label: int, x: int, y: int, height: int = 40) -> DigitReading:
    """A digit of 30 pixels' width."""
    return DigitReading(label, np.eye(10)[label], (x, y, 30, height))


FOUND = Reading((read(1, 10, 10), read(2, 60, 14), read(3, 10, 90)), (2, 1))


def test_what_was_found() -> None:
    assert Marks.of(FOUND).number == ("12", "3")
    assert Marks.of(Reading(())).number == ()
    assert Marks.of(Reading((read(5, 0, 0),))).number == ("5",)


def test_a_correction_counts_and_can_be_taken_back() -> None:
    changed = Marks.of(FOUND).corrected(1, 7)
    assert changed.number == ("17", "3")
    assert changed.digits[1].said == 7
    assert changed.corrected(1, None).number == ("12", "3")


def test_a_line_without_digits_is_none() -> None:
    marks = Marks.of(FOUND)
    assert marks.without(0).number == ("2", "3")
    assert marks.without(2).number == ("12",)
    assert marks.without(2).without(1).without(0).number == ()


def test_a_digit_is_added_where_it_stands() -> None:
    marks = Marks.of(FOUND)
    assert marks.added(read(9, 40, 5)).number == ("192", "3")
    assert marks.added(read(9, 100, 95)).number == ("12", "39")
    assert marks.added(read(9, 10, 200)).number == ("12", "3", "9")
    assert marks.added(read(9, 10, 45, 30)).number == ("12", "9", "3"), "between two lines it is a line of its own"
    assert Marks().added(read(4, 0, 0)).number == ("4",)
    assert marks.added(read(9, 40, 5)).digits[1].by_hand
