"""Training samples without end: digits and non-digits made anew for every chunk, the same on every machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.types import Images
from tools.reader import data, draw, glyphs, negatives, variants

CHUNK = 4096
"""Samples that are made and shuffled together."""

SHARES = (0.51, 0.2, 0.06, 0.01, 0.22)
"""Where samples come from: MNIST, pen strokes, glyphs, print; and non-digits."""

HABITS = {0: 0.12, 7: 0.15}
"""How often a digit of MNIST gets a slash or a bar."""

AHEAD = 3

Chunk = tuple[Images, NDArray[np.int64]]


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


FIRST = Way(draw.PLAIN, False)


_material: data.Material | None = None


def chunks(n: int, workers: int, first: int, way: Way) -> Iterator[Chunk]:
    """Chunks of samples, made in other processes while the net trains.

    Args:
        n: how many chunks.
        workers: processes.
        first: number of the first one.
        way: how they are made.

    Yields:
        Images uint8 (4096, 28, 28) and classes int64 (4096,), -1 for a non-digit; chunk i is the same in every run.
    """
    with ProcessPoolExecutor(workers, get_context("spawn"), _start) as pool:
        waiting = deque(pool.submit(make, first + i, way) for i in range(min(n, workers + AHEAD)))
        for i in range(n):
            made = waiting.popleft().result()
            if i + workers + AHEAD < n:
                waiting.append(pool.submit(make, first + i + workers + AHEAD, way))
            yield made


def _start() -> None:
    global _material
    cv2.setNumThreads(1)
    _material = data.load()


def make(chunk: int, way: Way = FIRST) -> Chunk:
    """Chunk number `chunk`."""
    if _material is None:
        _start()
    assert _material is not None
    random = np.random.default_rng((data.SEED, chunk))
    sources = random.choice(len(way.shares), CHUNK, p=way.shares)
    makers = (partial(_mnist, way), partial(_pen, way), _glyph, _printed, partial(_negative, way.later))
    made = [makers[source](random, _material) for source in sources]
    return np.stack([image for image, _ in made]), np.array([label for _, label in made], np.int64)


def _mnist(way: Way, random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    i = int(random.integers(len(material.labels)))
    image, label = material.images[i], int(material.labels[i])
    if random.random() < (way.ones if label == 1 else HABITS.get(label, 0)):
        image = draw.habit(image, label, random, way.flags * draw.FLAG)
    return draw.warp(image, random, way.plain, way.strength), label


def _pen(way: Way, random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    i = int(random.integers(len(material.pen.labels)))
    label = int(material.pen.labels[i])
    varied = variants.vary(material.pen.strokes[i], label, random, way.flags * variants.FLAG)
    return draw.ink(draw.bend(varied, random), random), label


def _glyph(random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    label = int(random.integers(10))
    strokes = glyphs.write(str(random.choice(glyphs.DIGITS[label])), random)
    return draw.ink(draw.bend(strokes, random), random), label


def _printed(random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    label = int(random.integers(10))
    return draw.warp(draw.printed(str(label), random), random), label


def _negative(later: bool, random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    return negatives.make(negatives.seen_kind(random, later), random, material.pen), -1
