"""The digits of a photo as they were found, and as somebody has corrected, deleted or added them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from hdr.types import DigitReading, Reading

BESIDE = 0.4
"""Two boxes stand in one line where they overlap by this share of the lower one's height."""


@dataclass(frozen=True)
class Marked:
    """A digit on a photo.

    Attributes:
        digit: as it was read.
        said: what somebody says it is, 0 to 9; None where nobody has.
        by_hand: whether somebody has drawn its box.
    """

    digit: DigitReading
    said: int | None = None
    by_hand: bool = False

    @property
    def label(self) -> int:
        """What it is taken for."""
        return self.digit.label if self.said is None else self.said


@dataclass(frozen=True)
class Marks:
    """All digits of a photo, line by line from left to right; every change gives another one."""

    rows: tuple[tuple[Marked, ...], ...] = ()

    @classmethod
    def of(cls, reading: Reading) -> Marks:
        """What was found."""
        digits = iter(reading.digits)
        counts = reading.lines or (len(reading.digits),)
        return cls(tuple(tuple(Marked(next(digits)) for _ in range(count)) for count in counts if count))

    @property
    def digits(self) -> tuple[Marked, ...]:
        """All of them in one row."""
        return tuple(mark for row in self.rows for mark in row)

    @property
    def number(self) -> tuple[str, ...]:
        """What stands there, line by line."""
        return tuple("".join(str(mark.label) for mark in row) for row in self.rows)

    def corrected(self, index: int, label: int | None) -> Marks:
        """With one digit that is said to be another; None takes that back."""
        return self._with(index, lambda mark: (replace(mark, said=label),))

    def without(self, index: int) -> Marks:
        """With one digit less."""
        return self._with(index, lambda mark: ())

    def added(self, digit: DigitReading) -> Marks:
        """With one digit more, in the line beside which its box stands, or in one of its own."""
        mark = Marked(digit, by_hand=True)
        rows = [list(row) for row in self.rows]
        beside = max(rows, key=lambda row: _overlap(row, mark), default=None)
        if beside is not None and _overlap(beside, mark) >= BESIDE:
            beside.append(mark)
            beside.sort(key=lambda m: m.digit.box[0] + m.digit.box[2] / 2)
        else:
            rows.append([mark])
            rows.sort(key=_middle)
        return Marks(tuple(map(tuple, rows)))

    def _with(self, index: int, change: Callable[[Marked], tuple[Marked, ...]]) -> Marks:
        number, rows = 0, []
        for row in self.rows:
            kept: list[Marked] = []
            for mark in row:
                kept += change(mark) if number == index else (mark,)
                number += 1
            rows.append(tuple(kept))
        return Marks(tuple(row for row in rows if row))


def _middle(row: list[Marked]) -> float:
    return sum(m.digit.box[1] + m.digit.box[3] / 2 for m in row) / len(row)


def _overlap(row: list[Marked], mark: Marked) -> float:
    """The greatest overlap in height with one of a line, as a share of the lower one's height."""
    _, y, _, h = mark.digit.box
    boxes = [m.digit.box for m in row]
    return max((min(y + h, b[1] + b[3]) - max(y, b[1])) / max(1, min(h, b[3])) for b in boxes)
