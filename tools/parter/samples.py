"""Training samples without end: pieces of made lines, and whether each is one whole digit."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.reading.hypotheses import Pieces, overlaps, suppose
from hdr.reading.lines import TALL, Line, find_lines
from hdr.reading.splitting import to_atoms
from hdr.reading.windows import windows
from hdr.types import CLASSES
from tools.parter.writing import MANY, Hands, Written, write
from tools.reader import data
from tools.reader.chunks import CHUNK, Chunk
from tools.reader.samples import material as own

NONE = CLASSES
"""The class of what is not one whole digit."""

WHOLE, PART = 0.85, 0.75
"""Shares of ink (intersection over union): from the first on a piece is a digit, up to the second it is none; what lies
between teaches nothing."""

SECOND = 0.5
"""What holds this share of a second digit's ink is no digit, however little ink that is: a 1 beside a 0."""

RIVALS = 2
"""Non-digits for each digit of a line."""


def make(chunk: int, strict: bool = True, hands: Hands = MANY, material: data.Material | None = None) -> Chunk:
    """Chunk number `chunk`: windows uint8 (4096, 2, 32, 48) and classes int64 (4096,), 10 for what is not one whole
    digit; the same in every run.

    Args:
        chunk: its number.
        strict: whether what holds most of a second digit is no digit, and half of the non-digits are hard ones.
        hands: who writes.
        material: the digits; those for training where no others are given.
    """
    material = material or own()
    random = np.random.default_rng((data.SEED, 1, chunk))
    parts: list[Chunk] = []
    while sum(len(labels) for _, labels in parts) < CHUNK:
        written = write(random, material, hands)
        parts += [_samples(line, written, random, strict) for line in find_lines(written.ink)]
    order = random.permutation(sum(len(labels) for _, labels in parts))[:CHUNK]
    return np.concatenate([w for w, _ in parts])[order], np.concatenate([c for _, c in parts])[order]


def _samples(line: Line, written: Written, random: np.random.Generator, strict: bool) -> Chunk:
    atoms = to_atoms(line.ink)
    boxes = atoms.boxes / TALL
    spans = suppose(Pieces(boxes, atoms.blots, atoms.cuts, overlaps(boxes, atoms.blots))).spans
    if len(spans) == 0:
        return windows(line.ink, atoms, spans), np.zeros(0, np.int64)
    shares, held = _shares(line, atoms.labels, len(atoms), spans, written)
    best, owner = shares.max(axis=1), shares.argmax(axis=1)
    several = strict & ((held >= SECOND).sum(axis=1) > 1)
    # Cuts are not everywhere: the nearest that there is to a digit is to be taken for it.
    nearest = np.isin(np.arange(len(spans)), shares.argmax(axis=0)) & (best > PART)
    digits = np.flatnonzero(((best >= WHOLE) | nearest) & ~several)
    others = random.permutation(np.flatnonzero((best < PART) | several))
    most = RIVALS * max(1, len(digits))
    if strict:
        # Half of them are those that are most like digits.
        hardest = others[np.argsort(-best[others], kind="stable")[: most // 2]]
        others = np.concatenate([hardest, others[~np.isin(others, hardest)]])
    others = others[:most]
    chosen = np.concatenate([digits, others])
    classes = np.concatenate([written.labels[owner[digits]], np.full(len(others), NONE)]).astype(np.int64)
    return windows(line.ink, atoms, spans[chosen]), classes


def _shares(
    line: Line, labels: NDArray[np.int32], count: int, spans: NDArray[np.int64], written: Written
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each run of atoms and each digit the intersection over union of their ink, and the share of the digit's ink
    that the run holds; both float64 (n, digits)."""
    owners = cv2.warpAffine(
        written.owners, line.matrix, labels.shape[::-1], flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    )
    digits = len(written.labels)
    inked = line.ink > 100
    pairs = labels[inked].astype(np.int64) * (digits + 1) + owners[inked]
    table = np.bincount(pairs, minlength=(count + 1) * (digits + 1)).reshape(count + 1, digits + 1).astype(float)
    sums = np.concatenate([np.zeros((1, digits + 1)), np.cumsum(table[1:], axis=0)])
    held = sums[spans[:, 1]] - sums[spans[:, 0]]
    whole = np.maximum(table.sum(axis=0)[1:], 1)
    return held[:, 1:] / np.maximum(held.sum(axis=1)[:, None] + whole - held[:, 1:], 1), held[:, 1:] / whole
