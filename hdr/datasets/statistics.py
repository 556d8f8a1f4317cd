"""Measured statistics of data sets, and facts about their origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hdr.datasets.public import mnist, sklearn_digits
from hdr.types import CLASSES, Dataset, Images, Split

CHUNK = 2048
INK_THRESHOLD = 127
"""A pixel counts as ink above this grey value, wherever sizes are measured."""

STROKE_SAMPLE = 10_000
"""Digits of a split, spread over it, whose stroke width is measured; 60,000 skeletons would take half a second."""


@dataclass(frozen=True)
class Fact:
    """Something that no file tells, with the source that does."""

    text: str
    source: str


_LECUN = "Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits (yann.lecun.com/exdb/mnist)"
_BOTTOU = "C. Yadav, L. Bottou, Cold case: the lost MNIST digits (2019)"
_UCI = "E. Alpaydin, C. Kaynak, Optical recognition of handwritten digits, UCI Machine Learning Repository (1998)"

FACTS: dict[str, tuple[Fact, ...]] = {
    mnist.NAME: (
        Fact(
            "The writers of the two splits are different people, so the test asks for hands never seen before. Of 500 "
            "high-school students one half wrote for training and the other half for the test.",
            _LECUN,
        ),
        Fact(
            "Each split comes half from employees of the US Census Bureau (NIST's SD-3) and half from high-school "
            "students (SD-1).",
            _LECUN,
        ),
        Fact(
            "The set's own page calls the first 5,000 test digits the cleaner and easier ones, but in the files it is "
            "the other way round: the students' come first, and models make about twice as many mistakes on them.",
            _BOTTOU,
        ),
        Fact(
            "Scans in black and white were scaled into 20x20 pixels with their aspect kept, which made the grey edges, "
            "and centred in 28x28 by their centre of mass.",
            _LECUN,
        ),
    ),
    sklearn_digits.NAME: (
        Fact(
            "All digits here are by the same 13 people: they are the test part of a set for whose training part 30 "
            "others wrote. The split in this app is drawn at random, so the same hand is on both sides, and accuracy "
            "flatters.",
            _UCI,
        ),
        Fact(
            "Bitmaps of 32x32 pixels were reduced to 8x8 numbers from 0 to 16 by counting ink in squares of 4x4; the "
            "app has enlarged them to 28x28, so they are smooth and have no fine detail.",
            _UCI,
        ),
    ),
}
"""Facts about each data set that cannot be measured, by name."""


@dataclass(frozen=True)
class SplitFigures:
    """One split in figures; the arrays are read-only.

    Attributes:
        counts: int64 (10,), digits of each class.
        low, high: the smallest and the largest grey value.
        mean, deviation: of all pixels of all digits, in grey values.
        class_mean, class_deviation: float64 (10, 28, 28), of each pixel over the digits of a class; zeros for a class
            without digits.
        ink: float64 (n,), the mean grey value of each digit as a share of full ink, in percent.
        width, height: float64 (n,), of each digit's box, in pixels.
        stroke: float64 (m,), the stroke width of up to `STROKE_SAMPLE` digits in pixels: ink area over skeleton length.
    """

    counts: NDArray[np.int64]
    low: int
    high: int
    mean: float
    deviation: float
    class_mean: NDArray[np.float64]
    class_deviation: NDArray[np.float64]
    ink: NDArray[np.float64]
    width: NDArray[np.float64]
    height: NDArray[np.float64]
    stroke: NDArray[np.float64]

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def __len__(self) -> int:
        return len(self.ink)


@dataclass(frozen=True)
class Description:
    """A data set in figures and facts."""

    name: str
    title: str
    note: str
    train: SplitFigures
    test: SplitFigures
    facts: tuple[Fact, ...]


def describe(dataset: Dataset) -> Description:
    """Measure both splits; 70,000 digits take half a second. Keep the result."""
    facts = FACTS.get(dataset.name, ())
    return Description(dataset.name, dataset.title, dataset.note, measure(dataset.train), measure(dataset.test), facts)


def measure(split: Split) -> SplitFigures:
    """One split in figures."""
    from hdr.preprocessing.batch_ops import boxes

    n, h, w = split.images.shape
    sums, squares = np.zeros((CLASSES, h * w)), np.zeros((CLASSES, h * w))
    ink, box = np.zeros(n), np.zeros((n, 4))
    for start in range(0, n, CHUNK):
        images = split.images[start : start + CHUNK]
        values = images.reshape(len(images), h * w).astype(np.float64)
        member = (split.labels[start : start + CHUNK] == np.arange(CLASSES)[:, None]).astype(np.float64)
        sums += member @ values
        squares += member @ np.square(values)
        ink[start : start + CHUNK] = values.mean(axis=1) / 255 * 100
        box[start : start + CHUNK] = boxes(images > INK_THRESHOLD)
    counts = np.bincount(split.labels, minlength=CLASSES)
    each = np.maximum(counts, 1)[:, None]
    class_mean = sums / each
    variance = np.maximum(squares / each - class_mean**2, 0)
    mean = float(sums.sum() / (n * h * w))
    return SplitFigures(
        counts=counts,
        low=int(split.images.min()),
        high=int(split.images.max()),
        mean=mean,
        deviation=float(np.sqrt(max(squares.sum() / (n * h * w) - mean**2, 0))),
        class_mean=class_mean.reshape(CLASSES, h, w),
        class_deviation=np.sqrt(variance).reshape(CLASSES, h, w),
        ink=ink,
        width=box[:, 2] - box[:, 0],
        height=box[:, 3] - box[:, 1],
        stroke=stroke_widths(split.images[:: -(-n // STROKE_SAMPLE)]),
    )


def stroke_widths(images: Images) -> NDArray[np.float64]:
    """How wide the pen was: the area of the ink over the length of its skeleton.

    Args:
        images: uint8 (n, h, w), ink 255 on 0.

    Returns:
        float64 (n,), in pixels; 0 for a blank picture. The length counts 1 for each pixel of the skeleton and so is too
        short for slanting strokes, by a tenth or so.

    Source: skimage.morphology.skeletonize (Zhang and Suen, 1984).
    """
    from skimage.morphology import skeletonize

    ink = images > INK_THRESHOLD
    length = np.array([skeletonize(one).sum() for one in ink], dtype=np.float64)
    return ink.sum(axis=(1, 2)) / np.maximum(length, 1)
