"""My handwriting: the drawings of one person with what each of them was meant to be.

Values only: nothing here writes to a disk or asks a network. Whoever holds a collection decides where it goes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hdr.catalogue import excerpt
from hdr.preprocessing.capture import MAX_POINTS, from_strokes, parse_strokes
from hdr.types import CLASSES, SIDE, HdrError, Split, Strokes

MOST_DRAWINGS = 500
"""Most drawings of a collection."""

MOST_COLLECTED_POINTS = 300_000
"""Most points of all drawings together, 5 MB; a drawing of the canvas has some hundred."""

MOST_BYTES = 12_000_000
"""Largest file that is taken in; a collection with all points that it may have is smaller."""


class HandwritingError(HdrError):
    """Something cannot become a part of the collection."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A drawing with what it was meant to be.

    Attributes:
        strokes: at least one float64 (points, 2) array of x, y in pixels, y down, to a hundredth of a pixel, read-only.
        label: the digit, 0 to 9.
    """

    strokes: tuple[NDArray[np.float64], ...]
    label: int

    @classmethod
    def of(cls, strokes: Strokes, label: int) -> Drawn:
        """Take over a drawing; empty strokes are left out.

        Raises:
            HandwritingError: it has no points or too many, or the label is not a digit.
        """
        strokes = [s for s in strokes if len(s)]
        points = sum(map(len, strokes))
        if not points:
            raise HandwritingError("The drawing is empty: there is nothing to keep.")
        if points > MAX_POINTS:
            raise HandwritingError(f"The drawing has {points:,} points; at most {MAX_POINTS:,} are allowed.")
        return cls(tuple(_kept(s) for s in strokes), _digit(label))

    @property
    def points(self) -> int:
        """How many points it has."""
        return sum(map(len, self.strokes))


@dataclass(frozen=True, eq=False)
class Handwriting:
    """Drawings in the order in which they were made. Every change gives another collection.

    Attributes:
        drawings: at most `MOST_DRAWINGS`.
    """

    drawings: tuple[Drawn, ...] = ()

    def __post_init__(self) -> None:
        if len(self.drawings) > MOST_DRAWINGS:
            raise HandwritingError(
                f"A collection has at most {MOST_DRAWINGS} drawings, not {len(self.drawings)}. Delete some first."
            )
        points = sum(d.points for d in self.drawings)
        if points > MOST_COLLECTED_POINTS:
            raise HandwritingError(
                f"All drawings together have {points:,} points; at most {MOST_COLLECTED_POINTS:,} are allowed. Delete "
                "some first."
            )

    def __len__(self) -> int:
        return len(self.drawings)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Drawings of each digit, int64 (10,)."""
        return np.bincount([d.label for d in self.drawings], minlength=CLASSES)

    def with_drawing(self, strokes: Strokes, label: int) -> Handwriting:
        """One drawing more, at the end.

        Raises:
            HandwritingError: the drawing cannot be kept, or the collection is full.
        """
        return Handwriting((*self.drawings, Drawn.of(strokes, label)))

    def without(self, index: int) -> Handwriting:
        """One drawing less.

        Args:
            index: which, from 0.
        """
        self._check(index)
        return Handwriting(self.drawings[:index] + self.drawings[index + 1 :])

    def relabelled(self, index: int, label: int) -> Handwriting:
        """The same drawings, one of which was meant to be another digit.

        Args:
            index: which, from 0.
            label: what it is, 0 to 9.
        """
        self._check(index)
        changed = Drawn(self.drawings[index].strokes, _digit(label))
        return Handwriting((*self.drawings[:index], changed, *self.drawings[index + 1 :]))

    def split(self) -> Split:
        """The drawings as captured digits with their labels, in their order."""
        images = np.zeros((len(self), SIDE, SIDE), np.uint8)
        for image, drawn in zip(images, self.drawings, strict=True):
            image[...] = from_strokes(list(drawn.strokes))
        return Split(images, np.array([d.label for d in self.drawings], np.uint8))

    def to_lines(self) -> str:
        """JSON lines, as ``python -m hdr read --strokes`` reads them: an object with "label" and "strokes" in each."""
        return "".join(
            json.dumps({"label": d.label, "strokes": [s.tolist() for s in d.strokes]}, separators=(",", ":")) + "\n"
            for d in self.drawings
        )

    def with_lines(self, data: bytes) -> Handwriting:
        """All drawings of a file more, at the end. The file may come from anybody.

        Args:
            data: JSON lines as `to_lines` writes them; empty lines and other keys than "label" and "strokes" do not
                count.

        Raises:
            HandwritingError: a line is wrong, and the message names it; or it is too much. Then nothing is taken over.
        """
        return Handwriting((*self.drawings, *_parsed(data, MOST_DRAWINGS - len(self))))

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self):
            raise HandwritingError(f"There is no drawing {index}; the collection has {len(self)}.")


def _parsed(data: bytes, most: int) -> Iterable[Drawn]:
    if len(data) > MOST_BYTES:
        raise HandwritingError(f"The file has {len(data):,} bytes; at most {MOST_BYTES:,} are allowed.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise HandwritingError("The file is not text in UTF-8. JSON lines are needed, one drawing each.") from None
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise HandwritingError("The file holds no drawings. JSON lines are needed, one drawing each.")
    if len(lines) > most:
        raise HandwritingError(
            f"The file has {len(lines):,} drawings and there is room for {most} more; a collection has at most "
            f"{MOST_DRAWINGS}."
        )
    found: list[Drawn] = []
    points = 0
    for number, line in lines:
        try:
            found.append(_line(line))
        except HdrError as error:
            raise HandwritingError(f"Line {number}: {error} Nothing was taken over.") from None
        points += found[-1].points
        # Checked on the way: a file of many such lines would take minutes before it is refused.
        if points > MOST_COLLECTED_POINTS:
            raise HandwritingError(f"The file has more than {MOST_COLLECTED_POINTS:,} points, which is too much.")
    return found


def _line(line: str) -> Drawn:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        raise HandwritingError(f"this is not JSON: {excerpt(line)!r}.") from None
    if not isinstance(data, dict) or "strokes" not in data or "label" not in data:
        raise HandwritingError('a drawing is an object such as {"label": 7, "strokes": [[[10, 10], [12, 40]]]}.')
    return Drawn.of(parse_strokes(data["strokes"]), data["label"])


def _digit(label: object) -> int:
    whole = isinstance(label, int | np.integer) and not isinstance(label, bool)
    if not whole or not 0 <= label < CLASSES:
        raise HandwritingError(f"A label is a digit from 0 to 9, not {excerpt(label)!r}.")
    return int(label)


def _kept(stroke: NDArray[np.float64]) -> NDArray[np.float64]:
    # A hundredth of a pixel is far below what a hand can do, and makes the file a third as long.
    kept = np.round(np.asarray(stroke, np.float64), 2)
    kept.flags.writeable = False
    return kept
