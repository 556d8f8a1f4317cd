"""From digits that were found to a data set: blank ones and duplicates go, and a test split is made."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hdr.datasets.formats.mnist_frame import PAPER_THRESHOLD, border_medians, to_mnist_frame
from hdr.datasets.formats.stream import BATCH_SIZE, UploadError
from hdr.datasets.uploads.reader import DigitPool, UploadedDigits
from hdr.types import CLASSES, SIDE, Images, Labels, ProgressCallback, Split, no_progress

MIN_TRAIN, MIN_TEST, MIN_CLASSES = 40, 10, 2
"""Digits that must be left to learn from and to test on, and classes among them: fewer teach nothing."""

MIN_CONTRAST = 16
"""Least difference of grey values within a picture: with less it is blank."""


@dataclass(frozen=True)
class Options:
    """How digits become a data set.

    Attributes:
        frame: "mnist" to scale and centre each digit by the capture rule; "as is" to leave pictures of 28x28 alone.
        test_share: of each class, drawn by the seed, where the upload has no test split; 0.05 to 0.5.
        seed: of that draw.
    """

    frame: Literal["mnist", "as is"] = "as is"
    test_share: float = 0.2
    seed: int = 0


@dataclass(frozen=True)
class CleaningReport:
    """Counts of found, removed and kept digits.

    Attributes:
        read: digits that were read.
        skipped, examples: as of `UploadedDigits`.
        blank: pictures without anything on them, left out.
        repeated: pictures that were there before in the same split with the same label, left out.
        contradicting: pictures that are there with different labels; all of them are left out.
        shared: training pictures that are test pictures as well, left out of training.
        inverted: True where dark ink on bright paper was turned round.
        framed: True where digits were brought to MNIST's frame.
        own_test: True where the upload said what is for testing.
        train, test: digits of each class that are left, int64 (10,).
    """

    read: int
    skipped: dict[str, int]
    examples: tuple[str, ...]
    blank: int
    repeated: int
    contradicting: int
    shared: int
    inverted: bool
    framed: bool
    own_test: bool
    train: NDArray[np.int64]
    test: NDArray[np.int64]

    @property
    def missing(self) -> tuple[int, ...]:
        """Return the classes without training digits."""
        return tuple(np.flatnonzero(self.train == 0).tolist())


def prepare(
    found: UploadedDigits, options: Options, report: ProgressCallback = no_progress
) -> tuple[Split, Split, CleaningReport]:
    """Make a training and a test split.

    Args:
        found: the content of the upload.
        options: how.
        report: called with how far it is.

    Raises:
        UploadError: too little is left.
    """
    if not 0.05 <= options.test_share <= 0.5:
        raise UploadError(f"The test share is {options.test_share:g}; right would be 0.05 to 0.5.")
    pools = [found.train, *([found.test] if found.test else [])]
    inverted = [_inverted(pool) for pool in pools]
    images = [_suited(pool, turn, options, report) for pool, turn in zip(pools, inverted, strict=True)]
    report("Looking for blank and repeated digits", None)
    seen = [i.reshape(len(i), SIDE * SIDE) for i in images]
    inked = [np.ptp(rows, axis=1) >= MIN_CONTRAST for rows in seen]
    kept, repeated, contradicting, shared = _distinct(seen, [p.labels for p in pools], inked)
    if found.test:
        (train, test), (train_labels, test_labels) = images, (p.labels for p in pools)
        train_kept, test_kept = kept
    else:
        train, train_labels = images[0], pools[0].labels
        test, test_labels = train, train_labels
        train_kept, test_kept = held_out(train_labels, kept[0], options)
    result = Split(train[train_kept], train_labels[train_kept]), Split(test[test_kept], test_labels[test_kept])
    counts = [np.bincount(s.labels, minlength=CLASSES) for s in result]
    _check_left(*counts)
    return *result, CleaningReport(
        read=sum(len(p.labels) for p in pools),
        skipped=found.skipped,
        examples=found.examples,
        blank=int(sum((~i).sum() for i in inked)),
        repeated=repeated,
        contradicting=contradicting,
        shared=shared,
        inverted=any(inverted) or False,
        framed=any(p.framed for p in pools) or options.frame == "mnist",
        own_test=found.test is not None,
        train=counts[0],
        test=counts[1],
    )


def held_out(labels: Labels, among: NDArray[np.intp], options: Options) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Digits to learn from and to test on: of each class the share that is asked for, one at least where there are two.

    Args:
        labels: uint8 (n,).
        among: the digits to split.
        options: share and seed.

    Returns:
        Indices, each in ascending order.
    """
    # RandomState, because its stream is frozen for good: a new numpy must not make another split.
    order = among[np.random.RandomState(options.seed).permutation(len(among))]
    test = []
    for label in range(CLASSES):
        members = order[labels[order] == label]
        count = round(len(members) * options.test_share)
        test.append(members[: max(count, 1) if len(members) > 1 else 0])
    chosen = np.sort(np.concatenate(test))
    return np.setdiff1d(among, chosen), chosen


def _inverted(pool: DigitPool) -> bool:
    # Of pictures that are in MNIST's frame already, each was turned by itself.
    if pool.framed or not len(pool.images):
        return False
    sample = pool.images[:: max(1, len(pool.images) // 2_000)]
    return bool(np.median(border_medians(sample)) > PAPER_THRESHOLD)


def _suited(pool: DigitPool, turn: bool, options: Options, report: ProgressCallback) -> Images:
    if pool.framed or (options.frame == "as is" and not turn):
        return pool.images
    if options.frame == "as is":
        return 255 - pool.images
    out = np.empty_like(pool.images)
    for start in range(0, len(out), BATCH_SIZE):
        report("Bringing the digits to MNIST's frame", start / len(out))
        out[start : start + BATCH_SIZE] = to_mnist_frame(pool.images[start : start + BATCH_SIZE])
    return out


def _distinct(
    seen: Sequence[NDArray[np.uint8]], labels: Sequence[Labels], inked: Sequence[NDArray[np.bool_]]
) -> tuple[list[NDArray[np.intp]], int, int, int]:
    """Which digits of each split stay, and how many were repeated, contradicting, and shared by both splits."""
    keys = [[hashlib.blake2b(row, digest_size=16).digest() for row in rows] for rows in seen]
    said: dict[bytes, int] = {}
    clash: set[bytes] = set()
    for split_keys, split_labels, there in zip(keys, labels, inked, strict=True):
        for key, label, ink in zip(split_keys, split_labels.tolist(), there.tolist(), strict=True):
            if ink and said.setdefault(key, label) != label:
                clash.add(key)
    kept: list[list[int]] = [[] for _ in keys]
    before: set[bytes] = set()
    repeated = contradicting = shared = 0
    # The test split first: duplicates across the splits stay in the test split only.
    for which in reversed(range(len(keys))):
        here: set[bytes] = set()
        for index, (key, ink) in enumerate(zip(keys[which], inked[which].tolist(), strict=True)):
            if not ink:
                continue
            if key in clash:
                contradicting += 1
            elif key in here:
                repeated += 1
            elif key in before:
                shared += 1
            else:
                kept[which].append(index)
                here.add(key)
        before |= here
    return [np.array(k, np.intp) for k in kept], repeated, contradicting, shared


def _check_left(train: NDArray[np.int64], test: NDArray[np.int64]) -> None:
    classes = int((train > 0).sum())
    if train.sum() < MIN_TRAIN or test.sum() < MIN_TEST or classes < MIN_CLASSES:
        raise UploadError(
            f"{train.sum():,} different digits of {classes} classes are left to learn from and {test.sum():,} to test "
            f"on; at least {MIN_TRAIN} of {MIN_CLASSES} classes and {MIN_TEST} are needed."
        )
