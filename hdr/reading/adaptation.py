"""The reader learns one person's hand from some of their drawings. The network stays as it is.

To the reader's log probabilities is added what its mistakes on the drawings teach: every drawing pulls what looks like
it towards its label, in proportion to how wrong the reader was. So drawings that were read rightly change next to
nothing, and what looks like no drawing is read as before. Ordinary digits that look most like the drawings pull back to
what the reader said of them, so that other people's digits stay readable. That is kernel logistic regression in the
space of the network's features, with the reader's answer as the starting point, stopped after a few steps of gradient
descent.

Sources: Friedman, Greedy function approximation: a gradient boosting machine (2001), for descent in function space;
Zhang et al., Tip-Adapter: training-free adaption of CLIP for few-shot classification (2022), arXiv:2207.09519, for the
kernel on features and the cache of examples; Li and Hoiem, Learning without forgetting (2016), arXiv:1606.09282, for
digits that hold a network to its own answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hdr.reading.ready import Looking, Seen
from hdr.reading.windows import Windows
from hdr.types import CLASSES, Features, HdrError, Images, Labels, Split, Stage

SHARPNESS = 4.0
"""How fast a drawing's say falls: at a cosine of 0.8 between the features it is exp(-4 x 0.2) = 45 %."""

STEPS, RATE = 20, 2.0
"""Steps of descent, and how far each goes. Like `SHARPNESS` chosen with a network that had learned MNIST only, on the
pen strokes of writers whom the reader's recipe does not hold out; around these values the gain is flat."""

MOST_PULL = 16.0
"""With many drawings alike the steps are made shorter, so that together they move no answer by more nats than this."""

ANCHORS = 200
"""Ordinary digits that hold the reader to what it said of them. With them fewer of MNIST's digits are lost, and the
gain on the hand is the same."""

MOST_LOST = 0.002
"""Share of ordinary digits that may be lost by adapting; where it were more, the change is halved until it is not."""

FOLDS = 100
"""Up to so many drawings each is read by a reader that learned from all others; of more, so many groups are made."""

_LEAST = 1e-7
_HALVINGS = 6


class AdaptationError(HdrError):
    """There is nothing to learn from."""


@dataclass(frozen=True)
class Measured:
    """How drawings were read by readers that had not learned from them, before and after.

    For intervals see `hdr.training.metrics`: `wilson_interval(after, count)` and
    `paired_interval(mended, spoiled, count)`.

    Attributes:
        count: drawings.
        before, after: how many were read rightly by the original and by the adapted reader.
        mended, spoiled: how many became right, and how many wrong.
    """

    count: int
    before: int
    after: int
    mended: int
    spoiled: int


@dataclass(frozen=True)
class Adaptation:
    """A reader that has learned a hand.

    Attributes:
        reader: the adapted reader.
        measured: on the drawings, each held out in its turn; None with a single one.
        ordinary_before, ordinary_after: the share of ordinary digits read rightly, 0 to 1.
    """

    reader: AdaptedReader
    measured: Measured | None
    ordinary_before: float
    ordinary_after: float


class AdaptedReader(Looking):
    """A reader with what it learned; on pages, the original's page reader, which has learned the same.

    It takes the original's threshold, and may be shared by all threads.
    """

    def __init__(
        self,
        original: Looking,
        space: _Space,
        centres: NDArray[np.float64],
        pull: NDArray[np.float64],
        pages: AdaptedReader | None = None,
    ) -> None:
        self.original = original
        self._pages = pages
        self.threshold = original.threshold
        self._space = space
        self._centres = centres
        self._pull = pull

    def look(self, images: Images) -> Seen:
        """See `Looking.look`; the features are the original's."""
        seen = self.original.look(images)
        scores = _scores(seen) + _kernel(self._space.place(seen.features), self._centres) @ self._pull
        return Seen(_softmax(scores[:, :CLASSES]), _sigmoid(scores[:, CLASSES]), seen.features)

    def wholes(self, windows: Windows) -> NDArray[np.float64]:
        """Those of the original: how a hand parts its digits is not learnt."""
        return self.original.wholes(windows)

    def stages(self, image: Images) -> tuple[Stage, ...]:
        """Those of the original."""
        return self.original.stages(image)


def adapt(reader: Looking, own: Split, ordinary: Split) -> Adaptation:
    """Learn a person's hand, in less than a second for a hundred drawings.

    Args:
        reader: the original; it is not changed.
        own: the person's drawings as captured digits, with what they were meant to be; one is enough, and no digit
            has to be among them.
        ordinary: some hundred digits of other people, such as the last 600 of MNIST's training split. They say how
            features are spread, and keep others' digits readable.

    Raises:
        AdaptationError: there are no drawings, or no ordinary digits.
    """
    if not len(own) or not len(ordinary):
        raise AdaptationError("To learn a hand takes at least one drawing with its label, and ordinary digits beside.")
    pages = None
    if reader.on_pages is not reader:
        pages = _adapt(reader.on_pages, own, ordinary, None, measure=False).reader
    return _adapt(reader, own, ordinary, pages, measure=True)


def _adapt(reader: Looking, own: Split, ordinary: Split, pages: AdaptedReader | None, measure: bool) -> Adaptation:
    seen, others = reader.look(own.images), reader.look(ordinary.images)
    space = _Space.of(others.features)
    drawn, strange = space.place(seen.features), space.place(others.features)
    near = np.argsort(-_kernel(strange, drawn).max(axis=1), kind="stable")[:ANCHORS]
    centres = np.concatenate([drawn, strange[near]])
    outside = _scores(others)
    scores = np.concatenate([_scores(seen), outside[near]])
    # All drawings are digits, so that one that was refused pulls its like over the threshold.
    truth = np.hstack([np.eye(CLASSES)[own.labels], np.ones((len(own), 1))])
    truth = np.concatenate([truth, _said(outside[near])])
    alike, away = _kernel(centres, centres), _kernel(strange, centres)
    pull = _descend(alike, scores, truth)
    before, after = _right(outside, ordinary.labels), _right(outside + away @ pull, ordinary.labels)
    share = 1.0
    for _ in range(_HALVINGS):
        if before.mean() - after.mean() <= MOST_LOST:
            break
        share /= 2
        after = _right(outside + share * away @ pull, ordinary.labels)
    adapted = AdaptedReader(reader, space, centres, share * pull, pages)
    measured = _measure(alike, scores, truth, own.labels, share) if measure else None
    return Adaptation(adapted, measured, float(before.mean()), float(after.mean()))


@dataclass(frozen=True)
class _Space:
    """Features on one scale and of length 1, so that products are cosines."""

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def of(cls, features: Features) -> _Space:
        spread = features.std(axis=0, dtype=np.float64)
        # A feature that hardly ever speaks would shout whenever it does.
        return cls(features.mean(axis=0, dtype=np.float64), spread + 0.1 * spread.mean() + 1e-9)

    def place(self, features: Features) -> NDArray[np.float64]:
        scaled = (features - self.mean) / self.spread
        return scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-9)


def _kernel(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(SHARPNESS * (one @ other.T - 1))


def _scores(seen: Seen) -> NDArray[np.float64]:
    """The logarithms of the ten probabilities and, last, the log-odds of being a digit: float64 (n, 11)."""
    digit = np.clip(seen.digit, _LEAST, 1 - _LEAST)[:, None]
    return np.hstack([np.log(np.maximum(seen.probabilities, _LEAST)), np.log(digit) - np.log1p(-digit)])


def _said(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probabilities that belong to scores, float64 (n, 11)."""
    return np.hstack([_softmax(scores[:, :CLASSES]), _sigmoid(scores[:, CLASSES:])])


def _descend(
    alike: NDArray[np.float64], scores: NDArray[np.float64], truth: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How each digit pulls at the scores of what looks like it, so that what is said comes nearer to the truth: float64
    (n, 11)."""
    rate = min(RATE, MOST_PULL / float(alike.sum(axis=1).max()))
    pull = np.zeros_like(scores)
    for _ in range(STEPS):
        pull += rate * (truth - _said(scores + alike @ pull))
    return pull


def _measure(
    alike: NDArray[np.float64],
    scores: NDArray[np.float64],
    truth: NDArray[np.float64],
    labels: Labels,
    share: float,
) -> Measured | None:
    """How drawings are read when each is held out in its turn. They come first; the anchors behind them always stay."""
    count = len(labels)
    if count < 2:
        return None
    changed = scores[:count].copy()
    group = np.full(len(scores), -1)
    group[:count] = np.arange(count) % min(count, FOLDS)
    for fold in range(group.max() + 1):
        held, rest = np.flatnonzero(group == fold), np.flatnonzero(group != fold)
        pull = _descend(alike[np.ix_(rest, rest)], scores[rest], truth[rest])
        changed[held] += share * alike[np.ix_(held, rest)] @ pull
    before, after = _right(scores[:count], labels), _right(changed, labels)
    mended, spoiled = int((~before & after).sum()), int((before & ~after).sum())
    return Measured(count, int(before.sum()), int(after.sum()), mended, spoiled)


def _right(scores: NDArray[np.float64], labels: Labels) -> NDArray[np.bool_]:
    return scores[:, :CLASSES].argmax(axis=1) == labels


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _sigmoid(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    # Written with tanh, which never overflows.
    return (1 + np.tanh(scores / 2)) / 2
