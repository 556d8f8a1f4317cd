"""What was found on a photo, and what was deleted and added."""

from __future__ import annotations

import numpy as np

from hdr.types import DigitReading, Reading
from hdr.ui.draw.photo_annotations import Annotations


def read(label: int, x: int, y: int, height: int = 40) -> DigitReading:
    """A digit of 30 pixels' width."""
    return DigitReading(label, np.eye(10)[label], (x, y, 30, height))


FOUND = Reading((read(1, 10, 10), read(2, 60, 14), read(3, 10, 90)), (2, 1))


def rows(marks: Annotations) -> tuple[str, ...]:
    """The labels, line by line."""
    assert marks.lines == tuple(map(len, marks.rows))
    return tuple("".join(str(d.label) for d in row) for row in marks.rows)


def test_what_was_found() -> None:
    assert rows(Annotations.of(FOUND)) == ("12", "3")
    assert rows(Annotations.of(Reading(()))) == ()
    assert rows(Annotations.of(Reading((read(5, 0, 0),)))) == ("5",)


def test_a_line_without_digits_is_none() -> None:
    marks = Annotations.of(FOUND)
    assert rows(marks.without(0)) == ("2", "3")
    assert rows(marks.without(2)) == ("12",)
    assert rows(marks.without(2).without(1).without(0)) == ()


def test_a_digit_is_added_where_it_stands() -> None:
    marks = Annotations.of(FOUND)
    assert rows(marks.added(read(9, 40, 5))) == ("192", "3")
    assert rows(marks.added(read(9, 100, 95))) == ("12", "39")
    assert rows(marks.added(read(9, 10, 200))) == ("12", "3", "9")
    assert rows(marks.added(read(9, 10, 45, 30))) == ("12", "9", "3"), "between two lines it is a line of its own"
    assert rows(Annotations().added(read(4, 0, 0))) == ("4",)
