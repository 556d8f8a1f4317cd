"""My handwriting: the drawings of one person with what each of them was meant to be.

Values only: nothing here writes to a disk or asks a network. Whoever holds a collection decides where it goes.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hdr.catalogue import shorten
from hdr.preprocessing.size_normalisation import MAX_POINTS, from_strokes, parse_strokes
from hdr.types import CLASSES, SIDE, HdrError, Images, Split, Strokes

MOST_DRAWINGS = 500
"""Most drawings of a collection."""

MOST_COLLECTED_POINTS = 300_000
"""Most points of all drawings together, 5 MB; a drawing of the canvas has some hundred."""

MOST_BYTES = 12_000_000
"""Largest file that is taken in; a collection with all points that it may have is smaller."""

_EXAMPLE = 'A drawing is an object such as {"label": 7, "strokes": [[[10, 10], [12, 40]]]}.'


class HandwritingError(HdrError):
    """Something cannot become a part of the collection."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A drawing, or a digit of a photo, with what it was meant to be.

    Attributes:
        strokes: float64 (points, 2) arrays of x, y in pixels, y down, to a hundredth of a pixel, read-only; none for a
            digit of a photo.
        label: the digit, 0 to 9.
        picture: a photo's digit as it was captured, uint8 (28, 28), ink 255 on 0, read-only; None for a drawing.
    """

    strokes: tuple[NDArray[np.float64], ...]
    label: int
    picture: Images | None = None

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

    @classmethod
    def of_picture(cls, picture: Images, label: int) -> Drawn:
        """Take over a digit that was captured from a photo.

        Args:
            picture: uint8 (28, 28), ink 255 on 0.
            label: what it is, 0 to 9.

        Raises:
            HandwritingError: it is blank, or the label is not a digit.
        """
        if picture.shape != (SIDE, SIDE) or picture.dtype != np.uint8:
            raise ValueError(f"a picture must be uint8 ({SIDE}, {SIDE}), got {picture.dtype} {picture.shape}")
        if not picture.any():
            raise HandwritingError("The picture is blank: there is nothing to keep.")
        kept = picture.copy()
        kept.flags.writeable = False
        return cls((), _digit(label), kept)

    @property
    def points(self) -> int:
        """How many points it has."""
        return sum(map(len, self.strokes))

    @property
    def captured(self) -> Images:
        """What a model sees of it, uint8 (28, 28)."""
        return from_strokes(list(self.strokes)) if self.picture is None else self.picture

    @property
    def line(self) -> str:
        """It as JSON: an object with "label" and "strokes", or with "label" and "pixels", row by row in base64."""
        data: dict[str, Any] = {"label": self.label}
        if self.picture is None:
            data["strokes"] = [s.tolist() for s in self.strokes]
        else:
            data["pixels"] = base64.b64encode(self.picture.tobytes()).decode()
        return json.dumps(data, separators=(",", ":"))


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

    def with_picture(self, picture: Images, label: int) -> Handwriting:
        """One digit of a photo more, at the end; see `Drawn.of_picture`.

        Raises:
            HandwritingError: it cannot be kept, or the collection is full.
        """
        return Handwriting((*self.drawings, Drawn.of_picture(picture, label)))

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
        changed = replace(self.drawings[index], label=_digit(label))
        return Handwriting((*self.drawings[:index], changed, *self.drawings[index + 1 :]))

    def split(self) -> Split:
        """The drawings as captured digits with their labels, in their order."""
        images = np.zeros((len(self), SIDE, SIDE), np.uint8)
        for image, drawn in zip(images, self.drawings, strict=True):
            image[...] = drawn.captured
        return Split(images, np.array([d.label for d in self.drawings], np.uint8))

    def to_lines(self) -> str:
        """JSON lines, see `Drawn.line`; those of drawings are as ``python -m hdr read --strokes`` reads them."""
        return "".join(drawn.line + "\n" for drawn in self.drawings)

    def with_lines(self, data: bytes) -> Handwriting:
        """All drawings of a file more, at the end. The file may come from anybody.

        Args:
            data: JSON lines as `to_lines` writes them; empty lines and other keys do not count.

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


def strokes_of(line: str | bytes) -> Strokes:
    """The drawing of a JSON line: an object with "strokes". The line may come from anybody.

    Raises:
        HdrError: it holds none.
    """
    return parse_strokes(_object(line, "strokes")["strokes"])


def _line(line: str) -> Drawn:
    data = _object(line, "label")
    if "strokes" in data:
        return Drawn.of(parse_strokes(data["strokes"]), data["label"])
    if "pixels" in data:
        return Drawn.of_picture(_pixels(data["pixels"]), data["label"])
    raise HandwritingError(_EXAMPLE)


def _object(line: str | bytes, needed: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        text = line if isinstance(line, str) else line.decode(errors="replace")
        raise HandwritingError(f"This is not JSON: {shorten(text)!r}.") from None
    if not isinstance(data, dict) or needed not in data:
        raise HandwritingError(_EXAMPLE)
    return data


def _pixels(text: object) -> Images:
    try:
        content = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (ValueError, binascii.Error):
        content = b""
    if len(content) != SIDE * SIDE:
        raise HandwritingError(f'"pixels" are {SIDE} rows of {SIDE} bytes in base64, not {shorten(text)!r}.')
    return np.frombuffer(content, np.uint8).reshape(SIDE, SIDE)


def _digit(label: object) -> int:
    if isinstance(label, bool) or not isinstance(label, int | np.integer) or not 0 <= label < CLASSES:
        raise HandwritingError(f"A label is a digit from 0 to 9, not {shorten(label)!r}.")
    return int(label)


def _kept(stroke: NDArray[np.float64]) -> NDArray[np.float64]:
    # A hundredth of a pixel is far below what a hand can do, and makes the file a third as long.
    exact = np.asarray(stroke, np.float64)
    kept = np.round(exact, 2)
    kept.flags.writeable = False
    return kept
