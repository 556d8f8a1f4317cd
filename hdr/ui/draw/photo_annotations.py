"""The detected digits of a photo, and the user's deletions and additions."""

from __future__ import annotations

from dataclasses import dataclass

from hdr.types import DigitReading, Reading

BESIDE = 0.4
"""Minimum vertical overlap of two boxes in one line, as a share of the smaller height."""


@dataclass(frozen=True)
class Annotations:
    """All digits of a photo, line by line from left to right; every change gives another one."""

    rows: tuple[tuple[DigitReading, ...], ...] = ()

    @classmethod
    def of(cls, reading: Reading) -> Annotations:
        """Return the annotations of a reading, without user changes."""
        digits = iter(reading.digits)
        counts = reading.lines or (len(reading.digits),)
        return cls(tuple(tuple(next(digits) for _ in range(count)) for count in counts if count))

    @property
    def digits(self) -> tuple[DigitReading, ...]:
        """All of them in one row."""
        return tuple(digit for row in self.rows for digit in row)

    @property
    def lines(self) -> tuple[int, ...]:
        """How many digits each line has."""
        return tuple(map(len, self.rows))

    def without(self, index: int) -> Annotations:
        """Return the annotations with one digit removed."""
        number, rows = 0, []
        for row in self.rows:
            rows.append(tuple(digit for k, digit in enumerate(row, number) if k != index))
            number += len(row)
        return Annotations(tuple(row for row in rows if row))

    def added(self, digit: DigitReading) -> Annotations:
        """Return the annotations with one more digit, in the line that its box overlaps, or in a new one."""
        rows = [list(row) for row in self.rows]
        beside = max(rows, key=lambda row: _overlap(row, digit), default=None)
        if beside is not None and _overlap(beside, digit) >= BESIDE:
            beside.append(digit)
            beside.sort(key=lambda d: d.box[0] + d.box[2] / 2)
        else:
            rows.append([digit])
            rows.sort(key=_middle)
        return Annotations(tuple(map(tuple, rows)))


def _middle(row: list[DigitReading]) -> float:
    return sum(d.box[1] + d.box[3] / 2 for d in row) / len(row)


def _overlap(row: list[DigitReading], digit: DigitReading) -> float:
    """Return the greatest vertical overlap with a digit of the line, as a share of the smaller height."""
    _, y, _, h = digit.box
    boxes = [d.box for d in row]
    return max((min(y + h, b[1] + b[3]) - max(y, b[1])) / max(1, min(h, b[3])) for b in boxes)
