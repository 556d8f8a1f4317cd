"""What features say about many digits: a sample with its features, and how well each tells the classes apart.

Everything works on a sample of the training split, for pictures of a hundred points would look no different with all
60,000. All results are frozen, with read-only arrays: they are shared between visitors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from hdr.features.extract import columns, extract
from hdr.preprocessing import Pipeline
from hdr.types import (
    CLASSES,
    Features,
    HdrError,
    Images,
    ImmutableArrays,
    Labels,
    ProgressCallback,
    Split,
    Step,
    no_progress,
)

DIGITS = 2000
"""Digits in a sample, where there are as many."""

VALUES = 8_000_000
"""Most feature values that a sample holds (32 MB); with very many columns it has fewer digits, but at least 500."""

INFORMED_DIGITS, INFORMED_COLUMNS = 1500, 2000
"""Mutual information is estimated on so many digits, for so many columns with the highest F: 6 ms for each."""

PAIRS = tuple(combinations(range(CLASSES), 2))
"""The 45 pairs of classes."""


@dataclass(frozen=True)
class Sample(ImmutableArrays):
    """Some digits of a training split with their features.

    Attributes:
        index: int64 (n,), ascending: where each digit is in the training split.
        labels: uint8 (n,), 0 to 9.
        images: uint8 (n, h, w), after the pipeline.
        columns: the names of the d features.
        features: float32 (n, d).
    """

    index: NDArray[np.int64]
    labels: Labels
    images: Images
    columns: tuple[str, ...]
    features: Features

    @property
    def pictured(self) -> bool:
        """True where every column belongs to one pixel, so that what is known of columns can be shown as a picture."""
        pixels: int = self.images.shape[1] * self.images.shape[2]
        return len(self.columns) == pixels


@dataclass(frozen=True)
class Ranking(ImmutableArrays):
    """How well each column tells the classes apart.

    Attributes:
        columns: the names of the d features.
        f: float64 (d,), the F of a one-way analysis of variance: variance between the classes over variance within
            them; 0 for a constant column, infinite where classes do not vary at all and yet differ.
        pair: uint8 (d, 2), the two classes that the column tells apart best; the second has the larger values.
        auc: float64 (d,), 0.5 to 1: how probably a digit of the second class has a larger value than one of the first.
    """

    columns: tuple[str, ...]
    f: NDArray[np.float64]
    pair: NDArray[np.uint8]
    auc: NDArray[np.float64]


@dataclass(frozen=True)
class Information(ImmutableArrays):
    """What each column says about the class, by whatever dependence.

    Attributes:
        bits: float64 (d,), mutual information with the class, 0 to 3.32 bits; NaN where it was not computed.
        digits: how many digits it was estimated on.
    """

    bits: NDArray[np.float64]
    digits: int


def sample(
    split: Split,
    pipeline: Pipeline,
    features: Sequence[Step],
    size: int = DIGITS,
    seed: int = 0,
    report: ProgressCallback = no_progress,
) -> Sample:
    """Draw digits, send them through a pipeline, and take their features.

    Args:
        split: a training split; the test split is for the final figure only.
        pipeline: what comes first.
        features: extractors, at least one.
        size: how many digits, at most.
        seed: which ones.
        report: is told what is being done.
    """
    report("Preprocessing digits")
    one = extract(split.images[:1], pipeline, features)
    drawn = draw(len(split), min(size, max(500, VALUES // one.shape[1])), seed)
    images = pipeline.apply(split.images[drawn])
    report("Taking features")
    found = extract(images, Pipeline(), features)
    names = columns(features, images.shape[1:])
    return Sample(drawn, split.labels[drawn], images, names, found)


def draw(of: int, size: int = DIGITS, seed: int = 0) -> NDArray[np.int64]:
    """Which digits a sample holds: int64 (size,), ascending, fewer where there are fewer; a seed gives the same."""
    return np.sort(np.random.default_rng(seed).permutation(of)[:size])


def ranking(drawn: Sample, report: ProgressCallback = no_progress) -> Ranking:
    """How well each column tells the classes apart, alone: by its means (F), and for its best pair by order.

    Source: Fisher, Statistical methods for research workers (1925); sklearn.feature_selection.f_classif. The area under
    the ROC curve by ranks: Mann and Whitney (1947).
    """
    report("Analysis of variance")
    return Ranking(
        drawn.columns, f_values(drawn.features, drawn.labels), *best_pairs(drawn.features, drawn.labels, report)
    )


def f_values(features: Features, labels: Labels) -> NDArray[np.float64]:
    """The F of a one-way analysis of variance for each column of float32 (n, d): float64 (d,), 0 for constant ones."""
    from sklearn.feature_selection import f_classif

    # A constant column would get any F at all, by rounding.
    varied = np.flatnonzero(np.ptp(features, axis=0) > 0)
    out = np.zeros(features.shape[1])
    if len(varied):
        with np.errstate(divide="ignore", invalid="ignore"):
            f = f_classif(features[:, varied].astype(np.float64), labels)[0]
        out[varied] = np.nan_to_num(f, nan=0.0, posinf=np.inf)
    return out


def best_pairs(
    features: Features, labels: Labels, report: ProgressCallback = no_progress
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """For each column the two classes that it tells apart best, by the area under the ROC curve.

    Args:
        features: float32 (n, d).
        labels: uint8 (n,).
        report: is told how many columns are done.

    Returns:
        uint8 (d, 2), of which the second has the larger values, and the areas, float64 (d,), 0.5 to 1.
    """
    d = features.shape[1]
    counts = np.bincount(labels, minlength=CLASSES).astype(np.float64)
    both = np.maximum(np.outer(counts, counts), 1)
    pair, auc = np.zeros((d, 2), np.uint8), np.full(d, 0.5)
    pair[:, 1] = 1
    # Absent classes tell nothing.
    lower, upper = np.array([p for p in PAIRS if counts[p[0]] and counts[p[1]]] or [(0, 0)]).T
    for column in range(d):
        if column % 50 == 0:
            report("Which pair of classes each column tells apart", column / d)
        values, place = np.unique(features[:, column], return_inverse=True)
        if len(values) == 1:
            continue
        size = len(values)
        seen = np.bincount(labels.astype(np.intp) * size + place, minlength=CLASSES * size).reshape(CLASSES, size)
        below = seen.cumsum(axis=1) - seen / 2
        # areas[a, b]: how probably a value of class a lies below one of class b, ties counting half.
        areas = (below @ seen.T.astype(np.float64)) / both
        found = areas[lower, upper]
        at = int(np.argmax(np.abs(found - 0.5)))
        a, b = int(lower[at]), int(upper[at])
        pair[column] = (a, b) if found[at] >= 0.5 else (b, a)
        auc[column] = max(found[at], 1 - found[at])
    return pair, auc


def information(drawn: Sample, f: NDArray[np.float64], report: ProgressCallback = no_progress) -> Information:
    """The mutual information of each column with the class. It finds any dependence, also where classes differ in
    spread and not in their mean, which F does not see.

    Args:
        drawn: of its digits `INFORMED_DIGITS` are used.
        f: float64 (d,), of `ranking`: where there are more than `INFORMED_COLUMNS`, those with the highest F are taken.
        report: is told which share of the columns is done.

    Source: Ross, Mutual information between discrete and continuous data sets (2014),
    doi:10.1371/journal.pone.0087357; sklearn.feature_selection.mutual_info_classif.
    """
    from sklearn.feature_selection import mutual_info_classif

    rows = np.random.default_rng(0).permutation(len(drawn.labels))[:INFORMED_DIGITS]
    likely = order(f)[:INFORMED_COLUMNS]
    likely = likely[f[likely] > 0]
    # A constant says nothing, and that is certain.
    bits, chunk = np.where(f == 0, 0.0, np.nan), 25
    for start in range(0, len(likely), chunk):
        report("Mutual information, column by column", start / len(likely))
        chosen = likely[start : start + chunk]
        part = drawn.features[np.ix_(rows, chosen)].astype(np.float64)
        bits[chosen] = mutual_info_classif(part, drawn.labels[rows], random_state=0) / np.log(2)
    return Information(bits, len(rows))


def order(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Columns from the largest value to the smallest; equal ones in their own order, unknown ones (NaN) last."""
    return np.argsort(-np.nan_to_num(values, nan=-1.0, posinf=np.inf), kind="stable")


def informative_columns(drawn: Sample) -> tuple[int, int]:
    """Two columns that show much together: the one with the highest F, and the best that is little like it.

    Raises:
        HdrError: there is only one column.
    """
    if len(drawn.columns) < 2:
        raise HdrError("There is only one column; two are needed for a plane.")
    f = f_values(drawn.features, drawn.labels)
    best = order(f)
    first = drawn.features[:, best[0]] - drawn.features[:, best[0]].mean(dtype=np.float64)
    others = drawn.features[:, best[1:500]]
    others = others - others.mean(axis=0)
    norms = np.linalg.norm(others, axis=0) * np.linalg.norm(first)
    alike = np.abs(first @ others) / np.maximum(norms, 1e-12)
    return int(best[0]), int(best[1 + int(np.argmax(alike < 0.5))])
