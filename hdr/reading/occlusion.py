"""What speaks for an answer, and what against it: parts of a digit are taken away, and the model is asked again.

A part's evidence is the fall of the answer's log-odds when the part is gone: above 0 the part speaks for the answer,
below 0 against it. Log-odds, not probabilities: from 99.9% to 99.99% it is as far as from 50% to 91 %.

Source: Zeiler and Fergus, Visualizing and understanding convolutional networks (2014), section 4.2, arXiv:1311.2901.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hdr.preprocessing.size_normalisation import from_strokes
from hdr.types import SIDE, Classifier, Images, Strokes

PATCH, STRIDE = 5, 2
"""Side of the patch that hides a region, and its step from place to place, in pixels: a pen is 2 to 3 pixels wide."""

PIECES, SHARE = 40, 0.25
"""Most pieces of a drawing, and their length as a share of the longer side of its box. What has more strokes is a
scribble, and is not taken apart."""

MOST_POINTS = 500
"""Of drawings with more points every second is used, or every third and so on: a scribble must not take seconds."""

LEAST = 1e-7
"""Probabilities below this, which trees and nearest neighbours call 0, are taken for it: log-odds stay within 16."""


@dataclass(frozen=True)
class Region:
    """A square of a digit that was hidden: rows `top` to `bottom`, columns `left` to `right`, the ends excluded."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Evidence:
    """What every place of a digit says about an answer.

    Attributes:
        label: the answer.
        map: float64 (28, 28): the mean evidence of all patches over a pixel, in nats of log-odds; 0 where no ink is
            near.
    """

    label: int
    map: NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """A piece of a stroke.

    Attributes:
        stroke: which stroke it is of, from 0; empty strokes do not count.
        points: float64 (n, 2), x and y in pixels of the drawing.
        evidence: how much it speaks for the answer, in nats of log-odds; 0 where nothing is left without it.
    """

    stroke: int
    points: NDArray[np.float64]
    evidence: float = 0.0


@dataclass(frozen=True)
class StrokeEvidence:
    """What the strokes of a drawing say about an answer.

    Attributes:
        label: the answer.
        strokes: each whole stroke; with a single one nothing is left, and its evidence is 0.
        pieces: the strokes cut into pieces of about equal length, in the order in which they were drawn. With more than
            `PIECES` strokes there are neither.
    """

    label: int
    strokes: tuple[Piece, ...]
    pieces: tuple[Piece, ...]


def evidence(image: Images, model: Classifier, label: int | None = None) -> Evidence:
    """Hide one region after the other. The model is asked once, about some 100 pictures.

    Args:
        image: uint8 (28, 28), a captured digit.
        model: what reads.
        label: the answer in question, 0 to 9; the model's own where none is given.
    """
    found = regions(image)
    probabilities = model.predict_proba(np.concatenate([image[None], hidden(image, found)]))
    label = int(probabilities[0].argmax()) if label is None else label
    odds = log_odds(probabilities, label)
    total, count = np.zeros((SIDE, SIDE)), np.zeros((SIDE, SIDE))
    for region, fall in zip(found, odds[0] - odds[1:], strict=True):
        place = np.s_[region.top : region.bottom, region.left : region.right]
        total[place] += fall
        count[place] += 1
    return Evidence(label, total / np.maximum(count, 1))


def stroke_evidence(strokes: Strokes, model: Classifier, label: int | None = None) -> StrokeEvidence:
    """Leave out one stroke, or one piece of one, after the other, and capture what is left as if that were the drawing.
    The model is asked once, about some 20 pictures.

    Args:
        strokes: in pixels, y down, at least one point in all.
        model: what reads.
        label: the answer in question, 0 to 9; the model's own where none is given.
    """
    strokes = bounded(strokes)
    cut = pieces(strokes)
    kinds = [[Piece(i, s) for i, s in enumerate(strokes)] if cut else [], cut]
    tried = [(kind, k) for kind in kinds for k in range(len(kind)) if len(kind) > 1]
    without = [from_strokes([p.points for i, p in enumerate(kind) if i != k]) for kind, k in tried]
    probabilities = model.predict_proba(np.stack([from_strokes(strokes), *without]))
    label = int(probabilities[0].argmax()) if label is None else label
    odds = log_odds(probabilities, label)
    for (kind, k), fall in zip(tried, (odds[0] - odds[1:]).tolist(), strict=True):
        kind[k] = replace(kind[k], evidence=fall)
    return StrokeEvidence(label, tuple(kinds[0]), tuple(kinds[1]))


def bounded(strokes: Strokes) -> Strokes:
    """The strokes that have points, with at most about `MOST_POINTS` in all, the first and last of each among them."""
    strokes = [s for s in strokes if len(s)]
    every = -(-sum(map(len, strokes)) // MOST_POINTS)
    if every == 1:
        return strokes
    return [np.concatenate([s[:-1:every], s[-1:]]) for s in strokes]


def regions(image: Images) -> list[Region]:
    """The places of the patch in which it hides any ink of a digit, uint8 (28, 28)."""
    starts = range(-(PATCH // 2), SIDE, STRIDE)
    clipped = [(max(0, s), min(SIDE, s + PATCH)) for s in starts]
    every = [Region(y0, x0, y1, x1) for y0, y1 in clipped for x0, x1 in clipped]
    return [r for r in every if image[r.top : r.bottom, r.left : r.right].any()]


def hidden(image: Images, found: list[Region]) -> Images:
    """The digit without the ink of one region each, uint8 (n, 28, 28)."""
    pictures = np.repeat(image[None], len(found), axis=0)
    for picture, r in zip(pictures, found, strict=True):
        picture[r.top : r.bottom, r.left : r.right] = 0
    return pictures


def pieces(strokes: Strokes) -> list[Piece]:
    """Cut strokes into pieces of about equal length; neighbours share the point between them.

    Args:
        strokes: at least one, each of at least one point, in pixels.

    Returns:
        At most `PIECES`, in the order in which they were drawn; none where there are more strokes than that.
    """
    if len(strokes) > PIECES:
        return []
    points = np.concatenate(strokes)
    lengths = [_distances(s)[-1] for s in strokes]
    room = PIECES - len(strokes) + 1
    length = max(SHARE * float(np.ptp(points, axis=0).max()), sum(lengths) / room, 1e-9)
    found = []
    for i, (stroke, own) in enumerate(zip(strokes, lengths, strict=True)):
        found += [Piece(i, part) for part in _cut(stroke, max(1, round(own / length)))]
    return found


def log_odds(probabilities: NDArray[np.floating], label: int) -> NDArray[np.float64]:
    """The logarithm of how much more probable a label is than all others together, float64 (n,), in nats."""
    own = np.clip(probabilities[:, label].astype(np.float64), LEAST, 1 - LEAST)
    return np.log(own) - np.log1p(-own)


def _distances(stroke: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far along the stroke each of its points lies, in pixels."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])


def _cut(stroke: NDArray[np.float64], count: int) -> list[NDArray[np.float64]]:
    along = _distances(stroke)
    ends = np.linspace(0, along[-1], count + 1)
    between = np.stack([np.interp(ends, along, axis) for axis in stroke.T], axis=1)
    if count == 1:
        return [stroke]
    return [
        np.concatenate([between[k : k + 1], stroke[(along > ends[k]) & (along < ends[k + 1])], between[k + 1 : k + 2]])
        for k in range(count)
    ]
