"""Strokes become digits: several on one canvas, in lines, each of one or more strokes.

Only where strokes are counts, never in which order, how fast or in which direction they were drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hdr.preprocessing.size_normalisation import from_strokes, stroke_box
from hdr.reading.cutting import MOST_DIGITS
from hdr.reading.hypotheses import (
    Hypotheses,
    Pieces,
    choose,
    judge,
    overlaps,
    suppose,
    weights_for,
)
from hdr.reading.lines import BODY, in_rows, usual_height
from hdr.reading.windows import points_to_draw, stroke_windows
from hdr.types import SIDE, Classifier, DigitReading, Images, Reading, Stage, Strokes

MOST_STROKES = 300
"""Most strokes that are parted; a drawing of more is shading, and is taken for one digit."""

MOST_EFFORT = 400_000
"""Most points that may be drawn to part a drawing, half a second: a number of thirty digits takes a quarter of that.
Scribbles of many strokes side by side would take a minute; they are taken for one digit, too."""

OF_STROKES = {"dropped": 25.0, "torn": 4.0}
"""Weights that are others for strokes: what somebody draws is meant, so hardly anything is passed over; and strokes of
one digit often cross."""

_PEN = 0.06
_TOUCH = 0.1
# The width that a stroke has, and the gap up to which two touch, in heights of digits.


@dataclass(frozen=True)
class Row:
    """A line of strokes: which they are, from left to right, the height of its digits, and the hypotheses."""

    strokes: tuple[int, ...]
    tall: float
    hypotheses: Hypotheses


@dataclass(frozen=True)
class Own:
    """One digit of a drawing.

    Attributes:
        image: uint8 (28, 28), captured.
        box: x, y, width, height.
        said: float64 (10,), what was said of it among others; None where it stands alone.
    """

    image: Images
    box: tuple[int, int, int, int]
    said: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Parted:
    """A drawing whose strokes stand in lines; `rows` is empty where there is nothing to be decided."""

    strokes: Strokes
    rows: tuple[Row, ...] = ()


def read_number(strokes: Strokes, model: Classifier, judges: Classifier | None = None) -> Reading:
    """Read a drawing of one or more digits.

    Args:
        strokes: in pixels, y down; empty ones do not count.
        model: what reads.
        judges: what decides which strokes make up a digit; the model itself where none is given.

    Returns:
        At most `MOST_DIGITS` digits, line by line from left to right, each with its stages and the box around its
        points; none where there are no points.
    """
    (reading,) = read_numbers([strokes], model, judges)
    digits = tuple(replace(d, stages=(*d.stages, *model.stages(d.stages[0].image))) for d in reading.digits)
    return replace(reading, digits=digits)


def read_numbers(drawings: Sequence[Strokes], model: Classifier, judges: Classifier | None = None) -> list[Reading]:
    """Read many drawings at once, each digit with no stage but its capture.

    Args:
        drawings, model, judges: as `read_number` takes them.

    Returns:
        A reading for each drawing, in their order.
    """
    kept = [[s for s in strokes if len(s)] for strokes in drawings]
    deciding = judges or model
    lines = _decide([_part(strokes) for strokes in kept], deciding)
    parted = [one for rows in lines for row in rows for one in row]
    if not parted:
        return [Reading(()) for _ in kept]
    images = np.stack([one.image for one in parted])
    found = np.asarray(model.predict_proba(images), np.float64)
    if deciding is model:
        # Among others it was looked at in its surroundings, too.
        found = np.stack([p if one.said is None else one.said for one, p in zip(parted, found, strict=True)])
    digits = iter(
        [
            DigitReading(int(p.argmax()), p, one.box, (Stage("captured", one.image),))
            for one, p in zip(parted, found, strict=True)
        ]
    )
    return [
        Reading(tuple(next(digits) for row in rows for _ in row), tuple(len(row) for row in rows)) for rows in lines
    ]


def _part(strokes: Strokes) -> Parted:
    if not 1 < len(strokes) <= MOST_STROKES:
        return Parted(strokes)
    rows = tuple(_suppose(strokes, row) for row in part_rows(strokes))
    effort = sum(points_to_draw([strokes[k] for k in r.strokes], r.tall, r.hypotheses.spans) for r in rows)
    return Parted(strokes, rows if effort <= MOST_EFFORT else ())


def _decide(drawings: list[Parted], model: Classifier) -> list[list[list[Own]]]:
    """For each drawing its lines, for each line its digits."""
    rows = [(drawing, row) for drawing in drawings for row in drawing.rows]
    images = [from_strokes(group) for drawing, row in rows for group in _all_groups(drawing, row)]
    judged = judge(
        model,
        np.stack(images) if images else np.zeros((0, SIDE, SIDE), np.uint8),
        lambda: np.concatenate(
            [stroke_windows([d.strokes[k] for k in row.strokes], row.tall, row.hypotheses.spans) for d, row in rows]
        ),
    )
    weights = replace(weights_for(model), **OF_STROKES)
    found, start = [], 0
    for drawing in drawings:
        lines, left = [], MOST_DIGITS
        for row in drawing.rows:
            groups = _all_groups(drawing, row)
            part = judged.part(slice(start, start + len(groups)))
            pictures = images[start : start + len(groups)]
            start += len(groups)
            way = choose(row.hypotheses, part, weights)
            alone = len(way) == 1 and len(drawing.rows) == 1
            digits = [Own(pictures[k], stroke_box(groups[k]), None if alone else part.probabilities[k]) for k in way]
            lines.append(digits[:left])
            left -= len(lines[-1])
        whole = [[Own(from_strokes(drawing.strokes), stroke_box(drawing.strokes))]] if drawing.strokes else []
        found.append([line for line in lines if line] or whole)
    return found


def _all_groups(drawing: Parted, row: Row) -> list[Strokes]:
    spans = row.hypotheses.spans.tolist()
    return [[drawing.strokes[k] for k in row.strokes[first:after]] for first, after in spans]


def part_rows(strokes: Strokes) -> list[list[int]]:
    """Which strokes stand in which line, from top to bottom; within a line by their middles, from left to right."""
    boxes = _boxes(strokes)
    tall = _height(boxes)
    bodies = np.flatnonzero(boxes[:, 3] >= BODY * tall)
    if len(bodies) == 0:
        # Dots and lying strokes only.
        bodies = np.arange(len(strokes))
    joined = _stacked(boxes[bodies], tall)
    unions = np.array([_union(boxes[bodies[j]]) for j in joined])
    rows = [[int(k) for j in row for k in bodies[joined[j]]] for row in in_rows(unions, tall)]
    extents = np.array([_union(boxes[row]) for row in rows])
    for k in np.setdiff1d(np.arange(len(strokes)), bodies).tolist():
        # A bar or a dot goes with the line that is nearest.
        x, y = boxes[k, :2] + boxes[k, 2:] / 2
        away = np.maximum(np.maximum(extents[:, 1] - y, y - extents[:, 1] - extents[:, 3]), 0)
        aside = np.maximum(np.maximum(extents[:, 0] - x, x - extents[:, 0] - extents[:, 2]), 0)
        rows[int(np.argmin(away + aside / 2))].append(k)
    middles = boxes[:, 0] + boxes[:, 2] / 2
    # Where two middles are the same, the upper one comes first: not the one that was drawn first.
    return [sorted(row, key=lambda k: (float(middles[k]), float(boxes[k, 1]))) for row in rows]


def _boxes(strokes: Strokes) -> NDArray[np.float64]:
    low = np.array([s.min(axis=0) for s in strokes])
    return np.concatenate([low, np.array([s.max(axis=0) for s in strokes]) - low], axis=1)


def _union(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = boxes[:, :2].min(axis=0), (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    return np.concatenate([low, high - low])


def _height(boxes: NDArray[np.float64]) -> float:
    """The height of digits; of a lying stroke, some of its length."""
    return max(usual_height(np.maximum(boxes[:, 3], 0.3 * boxes[:, 2])), 1.0)


def _stacked(boxes: NDArray[np.float64], tall: float) -> list[NDArray[np.int64]]:
    """Strokes that touch and stand over one another, as the rings of an 8 do, are in one line."""
    from scipy.sparse.csgraph import connected_components

    x, y, w, h = boxes.T
    shared = np.minimum.outer(x + w, x + w) - np.maximum.outer(x, x)
    falls = np.maximum.outer(y, y) - np.minimum.outer(y + h, y + h)
    over = (shared >= 0.5 * np.minimum.outer(w, w)) & (falls <= _TOUCH * tall)
    count, groups = connected_components(over, directed=False)
    return [np.flatnonzero(groups == g) for g in range(count)]


def _suppose(strokes: Strokes, row: list[int]) -> Row:
    boxes = _boxes([strokes[k] for k in row])
    unions = np.array([_union(boxes[g]) for g in _stacked(boxes, _height(boxes))])
    tall = _height(unions)
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1) / tall
    corners += np.array([-1, -1, 1, 1]) * _PEN / 2
    own = np.arange(len(row))
    torn = overlaps(corners, own)
    for k in np.flatnonzero(torn).tolist():
        # What stands over another without touching it may well be a neighbour that leans.
        torn[k] *= 1.0 if _distance(strokes[row[k - 1]], strokes[row[k]]) <= _PEN * tall else 0.4
    return Row(tuple(row), tall, suppose(Pieces(corners, own, np.zeros(len(row)), torn)))


def _distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The least distance between two strokes, in pixels."""
    return float(np.sqrt(np.square(_even(one)[:, None] - _even(other)).sum(axis=2).min()))


def _even(stroke: NDArray[np.float64]) -> NDArray[np.float64]:
    """At most 80 points along a stroke, in equal steps: how fast it was drawn must not matter."""
    steps = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
    places = np.linspace(0, steps[-1], 80)
    return np.stack([np.interp(places, steps, stroke[:, axis]) for axis in (0, 1)], axis=1)
