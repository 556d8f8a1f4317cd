"""Reading: capture, then the model's own pipeline and classifier. Where there is nothing to read, it abstains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hdr.preprocessing.batch_ops import boxes
from hdr.preprocessing.size_normalisation import from_strokes, stroke_box
from hdr.reading.ink import to_ink
from hdr.reading.ink_parting import even_pen
from hdr.reading.ready import on_pages
from hdr.types import SIDE, Classifier, DigitReading, Images, Reading, Stage, Strokes

NOTHING = Reading(())
"""The reading of an empty drawing or a blank picture."""

_INK = 51
# A fifth of full ink, as `capture.from_pixels` takes it.


def read_strokes(strokes: Strokes, model: Classifier) -> Reading:
    """Read a drawing of one digit.

    Args:
        strokes: in pixels, y down; empty ones do not count.
        model: what reads.

    Returns:
        One digit with its stages, its box around all points; or no digit where there are no points.
    """
    strokes = [s for s in strokes if len(s)]
    if not strokes:
        return NOTHING
    return _read(from_strokes(strokes), stroke_box(strokes), model)


def read_image(grey: NDArray[np.uint8], model: Classifier) -> Reading:
    """Read a picture of one digit.

    Args:
        grey: uint8 (h, w), dark on light or light on dark; see `hdr.reading.ink.to_ink`.
        model: what reads.

    Returns:
        One digit with its stages, its box around the ink in pixels of the picture; or no digit where it is blank.
    """
    model, ink = on_pages(model), to_ink(grey)
    x0, y0, x1, y1 = (int(v) for v in boxes((ink > _INK)[None])[0])
    if x1 == x0:
        return NOTHING
    captured = even_pen(ink[y0:y1, x0:x1])
    # Shadows alone are no strokes.
    return _read(captured, (x0, y0, x1 - x0, y1 - y0), model) if captured.any() else NOTHING


def read_drawings(drawings: Sequence[Strokes], model: Classifier) -> list[Reading]:
    """Read many drawings at once, without their stages.

    Args:
        drawings: as `read_strokes` takes them.
        model: what reads.

    Returns:
        A reading for each drawing, in their order.
    """
    kept = [[s for s in strokes if len(s)] for strokes in drawings]
    inked = [i for i, strokes in enumerate(kept) if strokes]
    readings = [NOTHING] * len(kept)
    if not inked:
        return readings
    images = np.empty((len(inked), SIDE, SIDE), np.uint8)
    for image, i in zip(images, inked, strict=True):
        image[...] = from_strokes(kept[i])
    for probabilities, i in zip(model.predict_proba(images), inked, strict=True):
        readings[i] = Reading((DigitReading(int(probabilities.argmax()), probabilities, stroke_box(kept[i])),))
    return readings


def _read(captured: Images, box: tuple[int, int, int, int], model: Classifier) -> Reading:
    probabilities = model.predict_proba(captured[None])[0]
    stages = (Stage("captured", captured), *model.stages(captured))
    return Reading((DigitReading(int(probabilities.argmax()), probabilities, box, stages),))
