"""A line of ink to digits: pieces, hypotheses, and those of them that hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.preprocessing.size_normalisation import from_pixels
from hdr.reading.cutting import MOST_DIGITS
from hdr.reading.hypotheses import Hypotheses, Judged, Pieces, choose, judge, overlaps, suppose, weights_for
from hdr.reading.lines import TALL, Line
from hdr.reading.splitting import Atoms, to_atoms
from hdr.reading.windows import windows
from hdr.types import SIDE, Classifier, Images

THINNEST, THICKEST = 2.3, 3.3
"""Strokes are brought to between these widths, in pixels of a captured digit: MNIST's middle half and more."""

MOST_HYPOTHESES = 5_000
"""Most hypotheses of a page; lines beyond them are not read."""


@dataclass(frozen=True)
class Part:
    """A digit that was found in a line.

    Attributes:
        image: uint8 (28, 28), captured.
        points: float64 (n, 2), x and y of its pixels in the line.
        cut: whether it was cut from a neighbour.
        judged: what was said of it.
    """

    image: Images
    points: NDArray[np.float64]
    cut: bool
    judged: Judged


@dataclass(frozen=True)
class _Supposed:
    line: Line
    atoms: Atoms
    hypotheses: Hypotheses
    images: Images


def part_lines(lines: Sequence[Line], model: Classifier) -> list[list[Part]]:
    """Part lines into digits.

    Args:
        lines: as `hdr.reading.lines` finds them.
        model: what decides which pieces of ink make up a digit.

    Returns:
        For each line its digits, from left to right; at most `MOST_DIGITS` in all.
    """
    supposed = _suppose(lines)
    if not supposed:
        return []
    judged = judge(
        model,
        np.concatenate([s.images for s in supposed]),
        lambda: np.concatenate([windows(s.line.ink, s.atoms, s.hypotheses.spans) for s in supposed]),
    )
    found, start, left = [], 0, MOST_DIGITS
    for s in supposed:
        part = judged.part(slice(start, start + len(s.images)))
        way = choose(s.hypotheses, part, weights_for(model))[:left]
        if way and part.digit[way].max() < getattr(model, "threshold", 0.0):
            # Writing, a stain, a pattern: among digits, one that looks odd is still read.
            way = []
        found.append([Part(s.images[k], _points(s, k), _is_cut(s, k), part.part(slice(k, k + 1))) for k in way])
        start, left = start + len(s.images), left - len(way)
    return found


def _suppose(lines: Sequence[Line]) -> list[_Supposed]:
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
            found.append(_Supposed(line, atoms, hypotheses, images))
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


def _points(s: _Supposed, k: int) -> NDArray[np.float64]:
    first, after = s.hypotheses.spans[k]
    x0, y0 = s.atoms.boxes[first:after, :2].min(axis=0)
    x1, y1 = s.atoms.boxes[first:after, 2:].max(axis=0)
    labels = s.atoms.labels[y0:y1, x0:x1]
    rows, columns = np.nonzero((labels > first) & (labels <= after))
    return np.stack([columns + x0, rows + y0], axis=1).astype(np.float64)


def _is_cut(s: _Supposed, k: int) -> bool:
    first, after = s.hypotheses.spans[k]
    return bool(s.atoms.cuts[first] > 0 or (after < len(s.atoms) and s.atoms.cuts[after] > 0))
