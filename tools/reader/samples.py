"""Training samples without end: digits and non-digits made anew for every chunk, the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from hdr.types import Strokes
from tools.reader import data, draw, glyphs, negatives, variants
from tools.reader.chunks import CHUNK, Chunk

SHARES = (0.51, 0.2, 0.06, 0.01, 0.22)
"""Where samples come from: MNIST, pen strokes, glyphs, print; and non-digits. Two more may follow: MNIST and pen
strokes as large as on a page, and captured there."""

PAGED = 5
"""From this place on they are as on a page."""

HABITS = {0: 0.12, 7: 0.15}
"""How often a digit of MNIST gets a slash or a bar."""


@dataclass(frozen=True)
class Way:
    """How samples are made.

    Attributes:
        plain: how often a digit of MNIST is left as it is, 0 to 1.
        later: whether all kinds of non-digits are made, those of `negatives.LATER` too.
        ones: how often a 1 of MNIST gets a flag, a foot or both.
        flags: how long flags of ones without a foot are: 1 for as long as some people's, which others read as 7.
        shares: as `SHARES`.
        strength: how strongly MNIST's digits are distorted.
    """

    plain: float
    later: bool
    ones: float = 0.22
    flags: float = 1.0
    shares: tuple[float, ...] = SHARES
    strength: float = 1.0

    def make(self, chunk: int) -> Chunk:
        """Chunk number `chunk`: images uint8 (4096, 28, 28) and classes int64 (4096,), -1 for a non-digit; the same in
        every run."""
        random = np.random.default_rng((data.SEED, chunk))
        made = some(self, CHUNK, random, material())
        return np.stack([image for image, _ in made]), np.array([label for _, label in made], np.int64)


FIRST = Way(draw.PLAIN, False)


@cache
def material() -> data.Material:
    """The recipe's digits, loaded once in each process."""
    return data.load()


def some(way: Way, n: int, random: np.random.Generator, material: data.Material) -> list[tuple[NDArray[np.uint8], int]]:
    """Samples one by one: an image uint8 (28, 28), and its class, -1 for a non-digit."""
    sources = random.choice(len(way.shares), n, p=way.shares)
    makers = (
        partial(_mnist, way),
        partial(_pen, way),
        _glyph,
        _printed,
        partial(_negative, way.later),
        partial(_enlarged, way),
        partial(_written, way),
    )
    return [makers[source](random, material) for source in sources]


def _digit(way: Way, random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    i = int(random.integers(len(material.labels)))
    image, label = material.images[i], int(material.labels[i])
    if random.random() < (way.ones if label == 1 else HABITS.get(label, 0)):
        image = draw.habit(image, label, random, way.flags * draw.FLAG)
    return image, label


def _drawing(way: Way, random: np.random.Generator, material: data.Material) -> tuple[Strokes, int]:
    i = int(random.integers(len(material.pen.labels)))
    label = int(material.pen.labels[i])
    varied = variants.vary(material.pen.strokes[i], label, random, way.flags * variants.FLAG)
    return draw.bend(varied, random), label


def _mnist(way: Way, random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    image, label = _digit(way, random, material)
    return draw.warp(image, random, way.plain, way.strength), label


def _pen(way: Way, random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    strokes, label = _drawing(way, random, material)
    return draw.ink(strokes, random), label


def _enlarged(way: Way, random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    image, label = _digit(way, random, material)
    return draw.enlarged(image, random, way.strength), label


def _written(way: Way, random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    strokes, label = _drawing(way, random, material)
    return draw.written(strokes, random), label


def _glyph(random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    label = int(random.integers(10))
    strokes = glyphs.write(str(random.choice(glyphs.DIGITS[label])), random)
    return draw.ink(draw.bend(strokes, random), random), label


def _printed(random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    label = int(random.integers(10))
    return draw.warp(draw.printed(str(label), random), random), label


def _negative(later: bool, random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    return negatives.make(negatives.seen_kind(random, later), random, material.pen), -1
