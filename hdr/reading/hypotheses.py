"""Which pieces of a line make up which digits: of all ways to put them together, the most probable one.

A digit is a run of neighbouring pieces. Every run that could be one is a hypothesis; the classifier reads all of them
at once, and dynamic programming finds the way through the line with the highest sum of scores (LeCun et al.,
Gradient-based learning applied to document recognition, 1998, section V).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hdr.reading.ready import Seen
from hdr.reading.windows import Windows
from hdr.types import CLASSES, Classifier, Images

MOST_PIECES = 24
"""Most pieces that a digit is put together of."""

WIDEST = 1.7
"""Widest digit that is put together of pieces, in heights of the line's digits."""

WIDEST_GAP = 0.45
"""Widest gap within a digit, in heights of the line's digits."""


@runtime_checkable
class KnowsDigits(Protocol):
    """A classifier that can also tell digits from what is none, and parts of digits from whole ones.

    A line of a page on which nothing is a digit with the probability `threshold`, 0 to 1, is not read.
    """

    threshold: float

    def look(self, images: Images) -> Seen:
        """See `hdr.reading.ready.Looking.look`."""
        ...

    def wholes(self, windows: Windows) -> NDArray[np.float64]:
        """See `hdr.reading.ready.Looking.wholes`."""
        ...


@dataclass(frozen=True)
class Pieces:
    """The pieces of a line in the order of their middles, in heights of the line's digits.

    Attributes:
        boxes: float64 (n, 4) of x0, y0, x1, y1.
        blots: int64 (n,), which blot or stroke each piece is of.
        cuts: float64 (n,), how deep the cut before a piece is, in widths of a stroke; 0 where there is none.
        torn: float64 (n,), 0 to 1, how much speaks against a border between a piece and the one before; see `overlaps`.
    """

    boxes: NDArray[np.float64]
    blots: NDArray[np.int64]
    cuts: NDArray[np.float64]
    torn: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.boxes)


def overlaps(boxes: NDArray[np.float64], blots: NDArray[np.int64]) -> NDArray[np.float64]:
    """For each piece, 0 to 1: how far it stands over or under the one before, or that over it, where both are of
    different blots; float64 (n,) for boxes as in `Pieces`."""
    before, behind = boxes[:-1], boxes[1:]
    shared = np.minimum(before[:, 2], behind[:, 2]) - np.maximum(before[:, 0], behind[:, 0])
    narrower = np.minimum(before[:, 2] - before[:, 0], behind[:, 2] - behind[:, 0])
    out = np.zeros(len(boxes))
    out[1:] = np.where(blots[:-1] != blots[1:], np.clip(shared / np.maximum(narrower, 0.05), 0, 1), 0)
    return out


@dataclass(frozen=True)
class Weights:
    """What counts how much in a score; found by search on made pages of training digits.

    Attributes:
        whole: of the logarithm of the probability that it is one whole digit, seen in its surroundings.
        certainty: of the logarithm of the classifier's certainty.
        digit: of the logarithm of the probability that it is a digit at all.
        width: of how unusual the width is for the digit that it is read as.
        height: of how much too low it is.
        gap: cost of a gap within a digit, per height of the line's digits.
        cut: cost of a cut beside a digit, per width of a stroke.
        split: cost of any cut.
        beside: cost of joining two tall pieces that stand beside each other.
        torn: cost of parting pieces that stand over one another, where they do so entirely.
        digits: cost of every digit, so that none is cut in two without need.
        dropped: cost of passing a piece over, per height of the line's digits.
    """

    whole: float
    certainty: float
    digit: float
    width: float
    height: float
    gap: float
    cut: float
    split: float
    beside: float
    torn: float
    digits: float
    dropped: float


AMONG = 0.6
"""How much of the reading is that of the one who sees what stands around a digit; the rest is the other's, who sees it
by itself. Found as the weights were."""

KNOWING = Weights(
    whole=3.1,
    certainty=7.9,
    digit=3.4,
    width=0.0,
    height=1.5,
    gap=27.0,
    cut=0.0,
    split=0.0,
    beside=6.5,
    torn=0.0,
    digits=-0.1,
    dropped=7.4,
)
"""For a model that knows digits from what is none."""

ALONE = Weights(
    whole=0.0,
    certainty=2.0,
    digit=0.0,
    width=0.08,
    height=3.7,
    gap=25,
    cut=0.35,
    split=0.0,
    beside=2.4,
    torn=0.5,
    digits=-0.45,
    dropped=7.3,
)
"""For a model that only tells digits from each other: where pieces stand has to say more."""


def weights_for(model: Classifier) -> Weights:
    """What counts how much when a model decides."""
    return KNOWING if isinstance(model, KnowsDigits) else ALONE


_USUAL = np.log([0.9, 0.38, 0.93, 0.8, 0.8, 0.94, 0.72, 0.78, 0.76, 0.68])
_SPREAD = np.array([0.21, 0.45, 0.23, 0.21, 0.21, 0.26, 0.23, 0.22, 0.23, 0.22])
# Width by height of each digit in MNIST, logarithms: means and standard deviations.

_FLOOR = 1e-4


@dataclass(frozen=True)
class Hypotheses:
    """Runs of pieces of one line that could be digits: `spans` int64 (m, 2), the first piece and the one after the
    last."""

    pieces: Pieces
    spans: NDArray[np.int64]
    extents: NDArray[np.float64] = field(repr=False)
    gaps: NDArray[np.float64] = field(repr=False)
    beside: NDArray[np.float64] = field(repr=False)


def suppose(pieces: Pieces, most: int = MOST_PIECES) -> Hypotheses:
    """All runs of pieces that could be a digit. Every blot as a whole is among them, so that there is always a way."""
    spans, extents, gaps, beside = [], [], [], []
    for first in range(len(pieces)):
        low, high = pieces.boxes[first, :2], pieces.boxes[first, 2:]
        gap = near = 0.0
        for after in range(first + 1, min(first + most, len(pieces)) + 1):
            box = pieces.boxes[after - 1]
            one_blot = pieces.blots[first] == pieces.blots[after - 1]
            if not one_blot and pieces.blots[after - 2] != pieces.blots[after - 1]:
                gap = max(gap, box[0] - high[0])
                near = max(near, _beside(low, high, box))
            low, high = np.minimum(low, box[:2]), np.maximum(high, box[2:])
            if not one_blot and (gap > WIDEST_GAP or high[0] - low[0] > WIDEST):
                break
            spans.append((first, after))
            extents.append(high - low)
            gaps.append(gap)
            beside.append(near)
    shape = (len(spans), 2)
    return Hypotheses(
        pieces,
        np.array(spans, np.int64).reshape(shape),
        np.array(extents).reshape(shape),
        np.array(gaps, np.float64),
        np.array(beside, np.float64),
    )


def _beside(low: NDArray[np.float64], high: NDArray[np.float64], box: NDArray[np.float64]) -> float:
    """0 to 1: how far a box and a union of others are both tall and stand beside each other, as two digits do."""
    tall = min(high[1] - low[1], box[3] - box[1])
    shared = min(high[0], box[2]) - max(low[0], box[0])
    share = max(shared, 0.0) / max(min(high[0] - low[0], box[2] - box[0]), 0.03)
    return float(np.clip((tall - 0.35) / 0.3, 0, 1) * (1 - min(share, 1)))


@dataclass(frozen=True)
class Judged:
    """What is said of m hypotheses.

    Attributes:
        probabilities: float64 (m, 10), which digit each is, given that it is one.
        digit: float64 (m,), how probable it is that each is a digit, by itself.
        whole: float64 (m,), how probable it is that each is one whole digit, in its surroundings.
    """

    probabilities: NDArray[np.float64]
    digit: NDArray[np.float64]
    whole: NDArray[np.float64]

    def part(self, chosen: slice) -> Judged:
        """Of some of them."""
        return Judged(self.probabilities[chosen], self.digit[chosen], self.whole[chosen])


def judge(model: Classifier, images: Images, windows: Callable[[], Windows]) -> Judged:
    """Ask a model about hypotheses.

    Args:
        model: what decides.
        images: uint8 (m, 28, 28), each by itself.
        windows: makes those in their surroundings, in the same order; asked for only where the model can use them.
    """
    if not len(images):
        return Judged(np.zeros((0, CLASSES)), np.zeros(0), np.zeros(0))
    if not isinstance(model, KnowsDigits):
        alone = np.asarray(model.predict_proba(images), np.float64)
        return Judged(alone, np.ones(len(images)), np.ones(len(images)))
    seen, among = model.look(images), model.wholes(windows())[:, :CLASSES]
    # Both read: what is cut from its neighbours is read better among them, what stands alone without them. They err
    # together, so that the product would be too sure of itself.
    both = seen.probabilities ** (1 - AMONG) * np.maximum(among, _FLOOR) ** AMONG
    return Judged(both / both.sum(axis=1, keepdims=True), seen.digit, among.sum(axis=1))


def choose(found: Hypotheses, judged: Judged, weights: Weights) -> list[int]:
    """The most probable way through a line.

    Args:
        found: the hypotheses.
        judged: what is said of them.
        weights: what counts how much.

    Returns:
        Indices of hypotheses, from left to right; pieces in none of them are passed over.
    """
    if len(found.pieces) == 0:
        return []
    scores = _scores(found, judged, weights)
    passed = _passing(found.pieces, weights)
    count = len(found.pieces)
    best, step = np.full(count + 1, -np.inf), np.full(count + 1, -1)
    best[0] = 0.0
    by_end: list[list[int]] = [[] for _ in range(count + 1)]
    for k, (_, after) in enumerate(found.spans.tolist()):
        by_end[after].append(k)
    for after in range(1, count + 1):
        if best[after - 1] + passed[after - 1] > best[after]:
            best[after], step[after] = best[after - 1] + passed[after - 1], -1
        for k in by_end[after]:
            score = best[found.spans[k, 0]] + scores[k]
            if score > best[after]:
                best[after], step[after] = score, k
    way, at = [], count
    while at > 0:
        if step[at] >= 0:
            way.append(int(step[at]))
        at = int(found.spans[step[at], 0]) if step[at] >= 0 else at - 1
    return way[::-1]


def _scores(found: Hypotheses, judged: Judged, weights: Weights) -> NDArray[np.float64]:
    width, height = np.maximum(found.extents, 0.02).T
    labels = judged.probabilities.argmax(axis=1)
    certain = np.log(np.maximum(judged.probabilities.max(axis=1), _FLOOR))
    unusual = (np.log(width / height) - _USUAL[labels]) / _SPREAD[labels]
    # A low digit beside tall ones is rare; a lying stroke is low.
    low = np.maximum(0.75 - np.maximum(height, 0.8 * width), 0) / 0.15
    first, after = found.spans.T
    torn = np.concatenate([found.pieces.torn, [0.0]])
    edges = np.concatenate([found.pieces.cuts, [0.0]])
    return (
        weights.whole * np.log(np.maximum(judged.whole, _FLOOR))
        + weights.certainty * certain
        + weights.digit * np.log(np.maximum(judged.digit, _FLOOR))
        - weights.width * np.minimum(np.square(unusual) / 2, 12)
        - weights.height * np.minimum(np.square(low) / 2, 12)
        - weights.gap * found.gaps
        - weights.beside * found.beside
        - weights.cut * (edges[first] + edges[after]) / 2
        - weights.split * ((edges[first] > 0) + (edges[after] > 0).astype(float)) / 2
        - weights.torn * (torn[first] + torn[after]) / 2
        - weights.digits
    )


def _passing(pieces: Pieces, weights: Weights) -> NDArray[np.float64]:
    """What it costs to pass a piece over; pieces of a blot that is cut are never passed over."""
    size = (pieces.boxes[:, 2:] - pieces.boxes[:, :2]).max(axis=1)
    whole = np.bincount(pieces.blots, minlength=1)[pieces.blots] == 1
    return np.where(whole, -weights.dropped * size, -np.inf)


def boxes_of(found: Hypotheses, way: Sequence[int]) -> NDArray[np.float64]:
    """The boxes of chosen hypotheses: float64 (k, 4) of x0, y0, x1, y1."""
    parts = [found.pieces.boxes[slice(*found.spans[k])] for k in way]
    return np.array([[*p[:, :2].min(axis=0), *p[:, 2:].max(axis=0)] for p in parts]).reshape(-1, 4)
