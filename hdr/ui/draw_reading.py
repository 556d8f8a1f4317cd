"""One drawing read by one of those who can read, with all that the parts of the Draw page want to know of it."""

from __future__ import annotations

from dataclasses import dataclass

from hdr.reading import read_strokes, strokes_from_canvas
from hdr.reading.ready import Looking
from hdr.types import Classifier, DigitReading, HdrError, Images, Strokes
from hdr.ui import drawing
from hdr.ui.readers import Choice


@dataclass(frozen=True)
class Read:
    """A drawing as it was read.

    Attributes:
        by: who read it.
        strokes: the drawing, in pixels of the canvas; empty where there is none.
        model: what read it; None where nothing was read.
        digit: what was read; None where nothing was.
        sense: the probability that it is a digit at all, 0 to 1; None where the model cannot tell.
        refused: whether it is to be taken for no digit.
        problem: what is wrong, in words; empty where nothing is.
    """

    by: Choice | None
    strokes: Strokes
    model: Classifier | None = None
    digit: DigitReading | None = None
    sense: float | None = None
    refused: bool = False
    problem: str = ""

    @property
    def captured(self) -> Images:
        """The drawing as MNIST would have it, uint8 (28, 28); only where something was read."""
        assert self.digit is not None
        return self.digit.stages[0].image


def strokes() -> Strokes:
    """What is on the canvas, in pixels, y down.

    Raises:
        CaptureError: the canvas holds what cannot be drawn.
    """
    return strokes_from_canvas(drawing.objects())


def read(by: Choice | None) -> Read:
    """Read what is on the canvas."""
    if by is None or not drawing.objects():
        return Read(by, [])
    try:
        return read_by(by, strokes())
    except HdrError as error:
        return Read(by, [], problem=str(error))


def read_by(by: Choice, drawn: Strokes) -> Read:
    """Read a drawing.

    Raises:
        HdrError: the model cannot be loaded, or the drawing cannot be read.
    """
    model = by.model()
    found = read_strokes(drawn, model).digits
    if not found:
        return Read(by, [])
    sense = None
    if isinstance(model, Looking):
        sense = float(model.digit_probability(found[0].stages[0].image[None])[0])
    refused = sense is not None and sense < model.threshold
    return Read(by, drawn, model, found[0], sense, refused)
