"""Training samples without end: digits and non-digits made anew for every chunk, the same on every machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.types import Images
from tools.reader import data, draw, glyphs, negatives, variants

CHUNK = 4096
"""Samples that are made and shuffled together."""

SHARES = {"mnist": 0.5, "pen": 0.25, "glyph": 0.07, "printed": 0.01, "negative": 0.17}
"""Where samples come from."""

HABITS = {0: 0.12, 1: 0.22, 7: 0.15}
"""How often a digit of MNIST gets a slash, flag and foot, or a bar."""

AHEAD = 3

_material: data.Material | None = None


def chunks(n: int, workers: int = 1) -> Iterator[tuple[Images, NDArray[np.int64]]]:
    """Chunks of samples, made in other processes while the net trains.

    Args:
        n: how many chunks.
        workers: processes.

    Yields:
        Images uint8 (4096, 28, 28) and classes int64 (4096,), -1 for a non-digit; chunk i is the same in every run.
    """
    with ProcessPoolExecutor(workers, get_context("spawn"), _start) as pool:
        waiting = deque(pool.submit(make, i) for i in range(min(n, workers + AHEAD)))
        for i in range(n):
            made = waiting.popleft().result()
            if i + workers + AHEAD < n:
                waiting.append(pool.submit(make, i + workers + AHEAD))
            yield made


def _start() -> None:
    global _material
    cv2.setNumThreads(1)
    _material = data.load()


def make(chunk: int) -> tuple[Images, NDArray[np.int64]]:
    """Chunk number `chunk`."""
    if _material is None:
        _start()
    assert _material is not None
    random = np.random.default_rng((data.SEED, chunk))
    sources = random.choice(len(SHARES), CHUNK, p=list(SHARES.values()))
    makers = (_mnist, _pen, _glyph, _printed, _negative)
    made = [makers[source](random, _material) for source in sources]
    return np.stack([image for image, _ in made]), np.array([label for _, label in made], np.int64)


def _mnist(random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    i = int(random.integers(len(material.labels)))
    image, label = material.images[i], int(material.labels[i])
    if random.random() < HABITS.get(label, 0):
        image = draw.habit(image, label, random)
    return draw.warp(image, random), label


def _pen(random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    i = int(random.integers(len(material.pen.labels)))
    label = int(material.pen.labels[i])
    return draw.ink(draw.bend(variants.vary(material.pen.strokes[i], label, random), random), random), label


def _glyph(random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    label = int(random.integers(10))
    strokes = glyphs.write(str(random.choice(glyphs.DIGITS[label])), random)
    return draw.ink(draw.bend(strokes, random), random), label


def _printed(random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    label = int(random.integers(10))
    return draw.warp(draw.printed(str(label), random), random), label


def _negative(random: np.random.Generator, material: data.Material) -> tuple[NDArray[np.uint8], int]:
    return negatives.make(negatives.seen_kind(random), random, material.pen), -1
