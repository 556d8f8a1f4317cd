"""What would have to change for a digit to be read as another: the least of what was tried.

Single parts are taken away or added first, then the most promising of them together. It is a search by trial with a
bounded number of trials, so that "nothing found" means just that, and what was found is known to work, not to be the
least of all.

Source: Wachter, Mittelstadt and Russell, Counterfactual explanations without opening the black box (2017),
arXiv:1711.00399, for the idea; the search goes greedily along the results of occlusion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.preprocessing.size_normalisation import from_strokes
from hdr.reading.occlusion import LEAST, PATCH, Region, bounded, pieces, regions
from hdr.types import SIDE, Classifier, Images, Strokes

MOST_CHANGED = 0.5
"""Most ink that may be changed, as a share of what there is: with more it is not this digit any more."""

PAIRED, CHAINED = 9, 6
"""How many of the most promising parts are tried in pairs, and how many are changed together at most."""

ENDS = 10
"""Most ends of strokes that lines are added to."""

Accept = Callable[[Images], NDArray[np.bool_]]
Part = TypeVar("Part")


@dataclass(frozen=True)
class Change(Generic[Part]):
    """A change under which a digit is read as another.

    Attributes:
        label: what it is then read as.
        probabilities: float64 (10,), of the changed digit.
        removed, added: what was taken away and what was added: lines float64 (n, 2) in pixels of the drawing, or
            regions of the digit.
        share: how much was changed, as a share of the ink.
        image: uint8 (28, 28), the changed digit as the model saw it.
    """

    label: int
    probabilities: NDArray[np.float64]
    removed: tuple[Part, ...]
    added: tuple[Part, ...]
    share: float
    image: Images


@dataclass(frozen=True)
class _Edit(Generic[Part]):
    part: Part
    adds: bool
    ink: float


def of_strokes(
    strokes: Strokes, model: Classifier, target: int | None = None, accept: Accept | None = None
) -> Change[NDArray[np.float64]] | None:
    """Which pieces of strokes would have to be left out, or which short straight lines added.

    Args:
        strokes: in pixels, y down, at least one point in all.
        model: what reads.
        target: what it is to be read as, 0 to 9; the model's second guess where none is given.
        accept: tells which pictures are digits at all (`Reader.accepts`); others do not count as found.

    Returns:
        The change of least ink that was found; None where none of some 100 works, where the target is what it is read
        as anyway, and for dots and scribbles (see `occlusion.PIECES`).
    """
    strokes = bounded(strokes)
    cut = pieces(strokes)
    total = sum(_length(p.points) for p in cut)
    if not total:
        return None
    edits = [_Edit(k, False, _length(p.points) / total) for k, p in enumerate(cut)]
    lines = additions(strokes)
    edits += [_Edit(len(cut) + k, True, _length(line) / total) for k, line in enumerate(lines)]
    parts = [p.points for p in cut] + lines

    def draw(chosen: Sequence[_Edit[int]]) -> Images:
        gone = {e.part for e in chosen if not e.adds}
        kept = [p.points for k, p in enumerate(cut) if k not in gone]
        return from_strokes(kept + [parts[e.part] for e in chosen if e.adds])

    found = _search(from_strokes(strokes), edits, lambda sets: np.stack([*map(draw, sets)]), model, target, accept)
    return None if found is None else _with_parts(found, lambda k: parts[k])


def of_image(
    image: Images, model: Classifier, target: int | None = None, accept: Accept | None = None
) -> Change[Region] | None:
    """Which regions of a digit would have to be without ink, or where a dab of ink would have to be.

    Args:
        image: uint8 (28, 28), a captured digit.
        model, target, accept: as for `of_strokes`.

    Returns:
        As `of_strokes`, with regions.
    """
    total = float(image.sum()) or 1.0
    gone = regions(image)
    edits = [_Edit(r, False, float(image[_place(r)].sum()) / total) for r in gone]
    # Only ink of some amount makes a difference that can be seen, and only near the digit's own ink is it likely.
    edits = [e for e in edits if e.ink > 0.01]
    edits += [e for e in (_dab_edit(image, r, total) for r in gone) if e.ink > 0.01]

    def paint(sets: Sequence[Sequence[_Edit[Region]]]) -> Images:
        pictures = np.repeat(image[None], len(sets), axis=0)
        for picture, chosen in zip(pictures, sets, strict=True):
            for e in chosen:
                place = picture[_place(e.part)]
                place[...] = np.maximum(place, _dab(e.part)) if e.adds else 0
        return pictures

    return _search(image, edits, paint, model, target, accept)


def additions(strokes: Strokes) -> list[NDArray[np.float64]]:
    """Short lines that a hand might have drawn as well: from an end of a stroke to another end, to the nearest place of
    another part of the drawing, or straight on.

    Args:
        strokes: at least one, each of at least one point, in pixels.

    Returns:
        Lines float64 (2, 2), none longer than half of the drawing's longer side.
    """
    points = np.concatenate(strokes)
    extent = float(np.ptp(points, axis=0).max())
    ends = [end for s in strokes if len(s) > 1 for end in (s, s[::-1])][:ENDS]
    lines = [np.stack([a[0], b[0]]) for a, b in combinations(ends, 2)]
    for end in ends:
        away = np.hypot(*(end - end[0]).T)
        # What was drawn right before or after an end is near it anyway.
        own = {tuple(p) for p in end[: int((np.maximum.accumulate(away) < 0.3 * extent).sum())]}
        others = np.array([p for p in points if tuple(p) not in own])
        if len(others):
            lines.append(np.stack([end[0], others[np.hypot(*(others - end[0]).T).argmin()]]))
        back = end[min(len(end) - 1, int((away < 0.1 * extent).sum()))]
        direction = (end[0] - back) / max(1e-9, float(np.hypot(*(end[0] - back))))
        lines += [np.stack([end[0], end[0] + direction * extent * share]) for share in (0.2, 0.4)]
    return [line for line in lines if 0.02 * extent < _length(line) <= 0.5 * extent]


def _search(
    image: Images,
    edits: Sequence[_Edit[Part]],
    make: Callable[[Sequence[Sequence[_Edit[Part]]]], Images],
    model: Classifier,
    target: int | None,
    accept: Accept | None,
) -> Change[Part] | None:
    before = model.predict_proba(image[None])[0]
    order = np.argsort(before, kind="stable")[::-1]
    target = int(order[1]) if target is None else target
    if target == order[0] or not edits:
        return None
    singles = [(e,) for e in edits if e.ink <= MOST_CHANGED]
    if not singles:
        return None
    found, gains = _try(singles, make, model, target, accept)
    if found is None:
        found, _ = _try(_together(singles, gains - _margin(before[None], target)[0]), make, model, target, accept)
    return found


def _together(singles: Sequence[tuple[_Edit[Part]]], gains: NDArray[np.float64]) -> list[tuple[_Edit[Part], ...]]:
    """The most promising edits in pairs, and one after the other all together."""
    ranked = [singles[k][0] for k in np.argsort(-gains, kind="stable") if gains[k] > 0]
    sets: list[tuple[_Edit[Part], ...]] = list(combinations(ranked[:PAIRED], 2))
    sets += [tuple(ranked[:count]) for count in range(3, min(len(ranked), CHAINED) + 1)]
    return [s for s in sets if sum(e.ink for e in s) <= MOST_CHANGED]


def _try(
    sets: Sequence[tuple[_Edit[Part], ...]],
    make: Callable[[Sequence[Sequence[_Edit[Part]]]], Images],
    model: Classifier,
    target: int,
    accept: Accept | None,
) -> tuple[Change[Part] | None, NDArray[np.float64]]:
    """The change of least ink among those that lead to the target, and how near each of them comes to it."""
    if not sets:
        return None, np.zeros(0)
    images = make(sets)
    probabilities = model.predict_proba(images)
    margins = _margin(probabilities, target)
    works = np.flatnonzero(margins > 0)
    if accept is not None and len(works):
        works = works[accept(images[works])]
    if not len(works):
        return None, margins
    best = min(works.tolist(), key=lambda k: (sum(e.ink for e in sets[k]), -margins[k]))
    removed = tuple(e.part for e in sets[best] if not e.adds)
    added = tuple(e.part for e in sets[best] if e.adds)
    share = sum(e.ink for e in sets[best])
    return Change(target, probabilities[best], removed, added, share, images[best]), margins


def _margin(probabilities: NDArray[np.floating], target: int) -> NDArray[np.float64]:
    """By how much the target is more probable than the best other label, in nats, float64 (n,)."""
    logs = np.log(np.maximum(probabilities.astype(np.float64), LEAST))
    return logs[:, target] - np.delete(logs, target, axis=1).max(axis=1)


def _with_parts(found: Change[int], part: Callable[[int], Part]) -> Change[Part]:
    removed, added = tuple(map(part, found.removed)), tuple(map(part, found.added))
    return Change(found.label, found.probabilities, removed, added, found.share, found.image)


def _length(line: NDArray[np.float64]) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def _place(region: Region) -> tuple[slice, slice]:
    return slice(region.top, region.bottom), slice(region.left, region.right)


@lru_cache(maxsize=SIDE * SIDE)
def _dab(region: Region) -> NDArray[np.uint8]:
    """A round dab of ink with soft edges, as large as the region."""
    large = np.zeros((PATCH * 8, PATCH * 8), np.uint8)
    cv2.circle(large, (PATCH * 4, PATCH * 4), PATCH * 4 - 4, 255, -1, cv2.LINE_AA)
    whole = cv2.resize(large, (PATCH, PATCH), interpolation=cv2.INTER_AREA)
    rows = slice(PATCH - (region.bottom - region.top), None) if region.top == 0 else slice(region.bottom - region.top)
    cols = slice(PATCH - (region.right - region.left), None) if region.left == 0 else slice(region.right - region.left)
    return whole[rows, cols]


def _dab_edit(image: Images, region: Region, total: float) -> _Edit[Region]:
    ink = np.maximum(image[_place(region)], _dab(region)).astype(np.float64) - image[_place(region)]
    return _Edit(region, True, float(ink.sum()) / total)
