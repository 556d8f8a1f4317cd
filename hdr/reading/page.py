"""A page to digits: ink, lines, pieces, hypotheses, and the most probable reading."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.preprocessing.capture import from_pixels
from hdr.reading.cutting import MOST_DIGITS
from hdr.reading.hypotheses import Hypotheses, Pieces, choose, judge, overlaps, suppose, weights_for
from hdr.reading.lines import TALL, Line, find_lines
from hdr.reading.paper import Sheet, to_sheet
from hdr.reading.splitting import Atoms, to_atoms
from hdr.types import SIDE, Classifier, DigitReading, Images, Reading, Stage

THINNEST, THICKEST = 2.3, 3.3
"""Strokes are brought to between these widths, in pixels of a captured digit: MNIST's middle half and more."""

MOST_HYPOTHESES = 5_000
"""Most hypotheses of a page; lines beyond them are not read."""


@dataclass(frozen=True)
class Supposed:
    """A line with its hypotheses and what each would look like, uint8 (m, 28, 28)."""

    line: Line
    atoms: Atoms
    hypotheses: Hypotheses
    images: Images


def read_page(grey: NDArray[np.uint8], model: Classifier, judges: Classifier | None = None) -> Reading:
    """Read all digits of a picture.

    Args:
        grey: uint8 (h, w), a photo or scan in either polarity, on plain, lined or squared paper.
        model: what reads.
        judges: what decides which pieces of ink make up a digit; the model itself where none is given.

    Returns:
        At most `MOST_DIGITS` digits, line by line from left to right, with their boxes in pixels of the picture and
        their stages; those of the page are in the reading. None where the picture is blank.
    """
    sheet = to_sheet(grey)
    supposed = _suppose(find_lines(sheet.ink, turn=sheet.turned is None))
    chosen = _decide(supposed, judges or model)
    images = [s.images[k] for s, way in zip(supposed, chosen, strict=True) for k in way]
    if not images:
        return Reading((), stages=sheet.stages)
    probabilities = iter(model.predict_proba(np.stack(images)))
    digits = []
    for s, way in zip(supposed, chosen, strict=True):
        for k in way:
            p = next(probabilities)
            stages = (Stage("captured", s.images[k]), *model.stages(s.images[k]))
            digits.append(DigitReading(int(p.argmax()), p, _box(s, k, sheet, grey.shape), stages))
    return Reading(tuple(digits), tuple(len(way) for way in chosen if way), sheet.stages)


def _decide(supposed: list[Supposed], model: Classifier) -> list[list[int]]:
    """Of each line the hypotheses that hold."""
    if not supposed:
        return []
    probabilities, digit = judge(model, np.concatenate([s.images for s in supposed]))
    ways, start, left = [], 0, MOST_DIGITS
    for s in supposed:
        part = slice(start, start + len(s.images))
        way = choose(s.hypotheses, probabilities[part], digit[part], weights_for(model))[:left]
        if way and digit[part][way].max() < getattr(model, "threshold", 0.0):
            # Writing, a stain, a pattern: among digits, one that looks odd is still read.
            way = []
        ways.append(way)
        start, left = part.stop, left - len(way)
    return ways


def _suppose(lines: list[Line]) -> list[Supposed]:
    found, total = [], 0
    for line in lines:
        atoms = to_atoms(line.ink)
        boxes = atoms.boxes / TALL
        hypotheses = suppose(Pieces(boxes, atoms.blots, atoms.cuts, overlaps(boxes, atoms.blots)))
        total += len(hypotheses.spans)
        if total > MOST_HYPOTHESES:
            break
        if len(atoms):
            images = np.stack([_captured(line.ink, atoms, *span) for span in hypotheses.spans.tolist()])
            found.append(Supposed(line, atoms, hypotheses, images))
    return found


def _captured(ink: NDArray[np.uint8], atoms: Atoms, first: int, after: int) -> Images:
    """What a run of atoms looks like as one digit, drawn with strokes as wide as MNIST's."""
    x0, y0 = atoms.boxes[first:after, :2].min(axis=0)
    x1, y1 = atoms.boxes[first:after, 2:].max(axis=0)
    labels = atoms.labels[y0:y1, x0:x1]
    return even_pen(np.where((labels > first) & (labels <= after), ink[y0:y1, x0:x1], 0))


def even_pen(digit: NDArray[np.uint8]) -> Images:
    """Capture a digit with strokes that are neither thinner nor thicker than is usual: uint8 (h, w) to (28, 28).

    The outline is moved by as much as is missing: a thin pen would leave grey shadows, a thick one would fill loops.
    """
    mask = np.pad((digit > 100).astype(np.uint8), 1)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    area = cv2.countNonZero(mask)
    if area == 0:
        return np.zeros((SIDE, SIDE), np.uint8)
    pen = max(1.0, 4 * cv2.sumElems(inside)[0] / area - 2)
    unit = max(digit.shape) / 20
    grow = (float(np.clip(pen, THINNEST * unit, THICKEST * unit)) - pen) / 2
    if abs(grow) < 0.1:
        return from_pixels(digit[None])[0]
    margin = max(0, int(np.ceil(grow))) + 1
    inside = cv2.copyMakeBorder(inside, *(margin,) * 4, cv2.BORDER_CONSTANT)
    outside = cv2.distanceTransform((inside == 0).astype(np.uint8), cv2.DIST_L2, 5)
    # Distances are from middle to middle of pixels, and the edge lies between two of them.
    drawn = np.clip((np.where(inside > 0, inside, 1 - outside) + grow) * 255, 0, 255).astype(np.uint8)
    return from_pixels(drawn[None])[0]


def _box(s: Supposed, k: int, sheet: Sheet, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The box of a hypothesis in the picture: around its pixels, since a turned box would be too large."""
    first, after = s.hypotheses.spans[k]
    x0, y0 = s.atoms.boxes[first:after, :2].min(axis=0)
    x1, y1 = s.atoms.boxes[first:after, 2:].max(axis=0)
    labels = s.atoms.labels[y0:y1, x0:x1]
    rows, columns = np.nonzero((labels > first) & (labels <= after))
    points = np.stack([columns + x0, rows + y0], axis=1).astype(np.float64)
    for matrix in (s.line.matrix, sheet.matrix):
        points = points @ matrix[:, :2].T + matrix[:, 2]
    limit = (shape[1] - 1, shape[0] - 1)
    low = np.clip(np.floor(points.min(axis=0)), 0, limit).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)), 0, limit).astype(int)
    return int(low[0]), int(low[1]), int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1
