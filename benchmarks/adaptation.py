"""How much does the reader gain by learning a hand?

    python benchmarks/adaptation.py [--repeats N] [--reader FILE]

For each of the six writers whom the reader never trained on: some of their drawings of every digit are learned, chosen
at random, and all the others are read before and after. So it is with their own hand, and with habits on purpose, which
are put onto the same drawings: a strong slant, a turned pad, low digits, zeros and sevens with a bar, ones with a flag
and a foot, and a child's mirrored digits. Beside it stands what becomes of other people's digits.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))

from hdr import datasets
from hdr.preprocessing.size_normalisation import from_strokes
from hdr.reading import ready
from hdr.reading.adaptation import adapt
from hdr.types import CLASSES, Split, Strokes
from tools.reader import data

LEARNED = (1, 3, 10)
"""Drawings of each digit that are learned."""

ORDINARY = 1_000
MIRRORED = (2, 3, 5, 7)


def turned(x: NDArray[np.float64], matrix: list[list[float]]) -> NDArray[np.float64]:
    """Points, float64 (n, 2), under a matrix."""
    return x @ np.array(matrix).T


def slanted(strokes: Strokes, label: int) -> Strokes:
    """Leaning to the right by 40 degrees."""
    return [turned(s, [[1, -0.84], [0, 1]]) for s in strokes]


def on_a_turned_pad(strokes: Strokes, label: int) -> Strokes:
    """Turned to the left by 30 degrees."""
    return [turned(s, [[0.866, 0.5], [-0.5, 0.866]]) for s in strokes]


def low(strokes: Strokes, label: int) -> Strokes:
    """Less than half as high."""
    return [turned(s, [[1, 0], [0, 0.4]]) for s in strokes]


def barred(strokes: Strokes, label: int) -> Strokes:
    """Zeros with a slash that sticks out at both ends, sevens with a long bar."""
    (x0, y0), (x1, y1) = box(strokes)
    w, h = x1 - x0, y1 - y0
    if label == 0:
        return [*strokes, np.array([[x0 - 0.2 * w, y1 + 0.05 * h], [x1 + 0.2 * w, y0 - 0.05 * h]])]
    return [*strokes, np.array([[x0, y0 + 0.5 * h], [x1 + 0.1 * w, y0 + 0.45 * h]])] if label == 7 else strokes


def flagged(strokes: Strokes, label: int) -> Strokes:
    """Ones with a long flag and a foot."""
    if label != 1:
        return strokes
    (x0, y0), (x1, y1) = box(strokes)
    middle, h = (x0 + x1) / 2, y1 - y0
    flag = np.array([[x1 - 0.45 * h, y0 + 0.45 * h], [x1, y0]])
    return [*strokes, flag, np.array([[middle - 0.3 * h, y1], [middle + 0.3 * h, y1]])]


def mirrored(strokes: Strokes, label: int) -> Strokes:
    """2, 3, 5 and 7 the wrong way round."""
    return [s * np.array([-1, 1]) for s in strokes] if label in MIRRORED else strokes


def box(strokes: Strokes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The least and the greatest x and y."""
    points = np.concatenate(strokes)
    return points.min(axis=0), points.max(axis=0)


HABITS: dict[str, Callable[[Strokes, int], Strokes]] = {
    "as they write": lambda strokes, label: strokes,
    "slanted by 40 degrees": slanted,
    "turned by 30 degrees": on_a_turned_pad,
    "low": low,
    "bars through 0 and 7": barred,
    "1 with flag and foot": flagged,
    "2, 3, 5, 7 mirrored": mirrored,
}


def held_out() -> data.Pen:
    """The drawings of the six writers.

    Raises:
        ClickException: they are not on this machine.
    """
    try:
        pen, _ = data.load_pen()
    except FileNotFoundError as error:
        raise click.ClickException(str(error)) from None
    return pen.of(np.isin(pen.writers, data.HELD_OUT))


def parted(labels: NDArray[np.uint8], each: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Select training drawings, bool (n,): a fixed number of each digit, or half of them if there are fewer."""
    chosen = np.zeros(len(labels), bool)
    for digit in range(CLASSES):
        own = rng.permutation(np.flatnonzero(labels == digit))
        chosen[own[: min(each, len(own) // 2)]] = True
    return chosen


@click.command(help=__doc__)
@click.option("--repeats", default=2, show_default=True, help="Choices of what is learned, for each writer.")
@click.option("--reader", "path", type=click.Path(path_type=Path), help="The reader's file; the app's own by default.")
def main(repeats: int, path: Path | None) -> None:
    """Print the tables."""
    cv2.setNumThreads(1)
    reader, pen = ready.load(path), held_out()
    train = datasets.load("mnist").train
    ordinary = Split(train.images[-ORDINARY:], train.labels[-ORDINARY:])
    with threadpool_limits(1):
        for name, habit in HABITS.items():
            images = np.stack([from_strokes(habit(s, int(d))) for s, d in zip(pen.strokes, pen.labels, strict=True)])
            click.echo(f"\n{name}: {len(images)} drawings of {len(set(pen.writers.tolist()))} writers")
            click.echo(
                f"{'each digit learned':>20} {'read':>6} {'before':>8} {'after':>8} {'worst writer':>18} {'others':>16}"
            )
            for each in LEARNED:
                row(reader, Split(images, pen.labels), pen.writers, ordinary, each, repeats)


def row(reader: ready.Reader, own: Split, writers: NDArray[np.int64], ordinary: Split, each: int, repeats: int) -> None:
    """Print one line: drawings per digit, the accuracy over all writers, and that of the worst writer."""
    right: dict[int, NDArray[np.float64]] = {}
    others = []
    for writer in sorted(set(writers.tolist())):
        whose = np.flatnonzero(writers == writer)
        for repeat in range(repeats):
            learned = parted(own.labels[whose], each, np.random.default_rng(1000 * writer + repeat))
            first, rest = whose[learned], whose[~learned]
            found = adapt(reader, Split(own.images[first], own.labels[first]), ordinary)
            counts = [
                (r.predict_proba(own.images[rest]).argmax(1) == own.labels[rest]).sum() for r in (reader, found.reader)
            ]
            right[writer] = right.get(writer, np.zeros(3)) + np.array([*counts, len(rest)])
            others.append((found.ordinary_before, found.ordinary_after))
    before, after, count = np.sum(list(right.values()), axis=0)
    worst = min(right.values(), key=lambda r: r[0] / r[2])
    before_others, after_others = np.mean(others, axis=0)
    click.echo(
        f"{each:>20} {count:>6.0f} {before / count:>8.2%} {after / count:>8.2%}"
        f" {f'{worst[0] / worst[2]:.2%}':>8} to {f'{worst[1] / worst[2]:.2%}':>7}"
        f" {f'{before_others:.2%}':>8} to {f'{after_others:.2%}':>7}"
    )


if __name__ == "__main__":
    main()
