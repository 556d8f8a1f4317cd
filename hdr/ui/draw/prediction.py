"""A digit and its prediction by one model, with all data that the parts of the Draw page need.

It is the drawing on the canvas, or one digit of a number or of a photo; all of them are explained and labelled alike.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hdr.preprocessing.size_normalisation import from_strokes, stroke_box
from hdr.reading import naive, strokes_from_canvas
from hdr.reading.ready import Looking, on_pages
from hdr.types import Classifier, DigitReading, HdrError, Images, Stage, Strokes
from hdr.ui.inputs import canvas
from hdr.ui.state.model_choice import ModelChoice

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class DrawnPrediction:
    """A digit as it was read.

    Attributes:
        by: the model choice that read it.
        strokes: the drawing, in pixels of the canvas; empty where there is none, as for a digit of a photo.
        model: the classifier; None if there is no prediction.
        digit: the predicted digit; None if there is none.
        sense: the probability that it is a digit at all, 0 to 1; None where the model cannot tell.
        refused: whether the drawing is rejected as a non-digit.
        problem: an error message; empty if there is no error.
        paper: the photo that contains it, uint8 (h, w), 255 white; None for a drawing.
        alone: whether it has the whole canvas for itself.
    """

    by: ModelChoice | None
    strokes: Strokes = field(default_factory=list)
    model: Classifier | None = None
    digit: DigitReading | None = None
    sense: float | None = None
    refused: bool = False
    problem: str = ""
    paper: NDArray[np.uint8] | None = None
    alone: bool = True

    @property
    def captured(self) -> Images:
        """The digit as MNIST would have it, uint8 (28, 28); only where something was read."""
        assert self.digit is not None
        return self.digit.stages[0].image

    @cached_property
    def key(self) -> str:
        """Key of the digit's image and position; empty if there is no prediction."""
        if self.digit is None:
            return ""
        where = "" if self.paper is None else str(self.paper.shape)
        return hashlib.sha256(self.captured.tobytes() + f"{where}{self.digit.box}".encode()).hexdigest()[:24]

    @property
    def naively(self) -> Images:
        """The canvas, or the digit's box, made small and nothing more, uint8 (28, 28)."""
        assert self.digit is not None
        x, y, w, h = self.digit.box
        if self.paper is not None:
            return naive.from_picture(self.paper[y : y + h, x : x + w])
        if self.alone:
            return naive.from_strokes(self.strokes, (canvas.SIDE, canvas.SIDE), canvas.PEN)
        # A box is around the points, and the pen draws on both sides of them.
        corner = np.array([x - canvas.PEN / 2, y - canvas.PEN / 2])
        return naive.from_strokes([s - corner for s in self.strokes], (w + canvas.PEN, h + canvas.PEN), canvas.PEN)


def strokes() -> Strokes:
    """Return the strokes on the canvas for one digit, in pixels, y down.

    Raises:
        CaptureError: the canvas holds objects that are not strokes.
    """
    return strokes_from_canvas(canvas.objects())


def read(by: ModelChoice | None) -> DrawnPrediction:
    """Read what is on the canvas for one digit."""
    if by is None or not canvas.objects():
        return DrawnPrediction(by)
    try:
        return predict_with(by, strokes())
    except HdrError as error:
        return DrawnPrediction(by, problem=str(error))


def predict_with(by: ModelChoice, drawn: Strokes) -> DrawnPrediction:
    """Read a drawing of one digit.

    Raises:
        HdrError: the model cannot be loaded, or the drawing cannot be read.
    """
    kept = [s for s in drawn if len(s)]
    return _read(by, by.model(), from_strokes(kept), stroke_box(kept), drawn) if kept else DrawnPrediction(by)


def repredict(seen: DrawnPrediction, by: ModelChoice, model: Classifier) -> DrawnPrediction:
    """Read the same digit with another model."""
    assert seen.digit is not None
    model = on_pages(model) if seen.paper is not None else model
    return _read(by, model, seen.captured, seen.digit.box, seen.strokes)


def _read(by: ModelChoice, model: Classifier, captured: Images, box: Box, drawn: Strokes) -> DrawnPrediction:
    sense, refused = None, False
    if isinstance(model, Looking):
        # Once through the network, which also says whether it is a digit.
        look = model.look(captured[None])
        probabilities, sense = look.probabilities[0], float(look.digit[0])
        refused = sense < model.threshold
    else:
        probabilities = model.predict_proba(captured[None])[0]
    stages = (Stage("captured", captured), *model.stages(captured))
    digit = DigitReading(int(probabilities.argmax()), probabilities, box, stages)
    return DrawnPrediction(by, drawn, model, digit, sense, refused)
