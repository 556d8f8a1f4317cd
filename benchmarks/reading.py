"""How fast is the reading? Processor time on one core, beside what it may take.

    python benchmarks/reading.py [--drawings N] [--reader FILE]

A drawing's way is measured stroke file to probabilities: capture, then the ready-made reader. With the strokes of the
pen data set where they are on this machine, or else with digits of the data set as images and capture left out.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import process_time
from typing import TypeVar

import click
import cv2
import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.timing import seconds
from hdr import datasets, paths
from hdr.preprocessing.size_normalisation import from_strokes
from hdr.reading import adaptation, counterfactual, occlusion, ready, sharing
from hdr.types import Images, Split, Strokes

MEDIAN, LATE, MANY, WHY = 2.0, 5.0, 2.0, 300.0
"""Milliseconds that a drawing may take, in the middle and at the 99th percentile; seconds for 10,000 digits;
milliseconds for any one explanation."""

Input = TypeVar("Input")

BATCH = 10_000
EXPLAINED = 100


def drawings(number: int) -> list[tuple[Strokes, int]]:
    """Drawings with their labels from the pen strokes; none where they are not on this machine."""
    for folder in paths.dataset_folders():
        path = folder / "strokes" / "pendigits-train.jsonl.gz"
        if path.is_file():
            with gzip.open(path, "rt") as stream:
                lines = [json.loads(line) for line, _ in zip(stream, range(number), strict=False)]
            return [([np.array(s, np.float64) for s in line["strokes"]], line["label"]) for line in lines]
    return []


def each(work: Callable[[Input], object], inputs: Sequence[Input]) -> tuple[float, float]:
    """Median and 99th percentile of the milliseconds that each takes, after one round that is not counted."""
    for one in inputs[:20]:
        work(one)
    taken = []
    for one in inputs:
        start = process_time()
        work(one)
        taken.append(1000 * (process_time() - start))
    return float(np.median(taken)), float(np.percentile(taken, 99))


def show(title: str, taken: tuple[float, float], allowed: tuple[float, float]) -> None:
    """Print one line: the measured value and its limit."""
    over = "   too slow" if taken[0] > allowed[0] or taken[1] > allowed[1] else ""
    click.echo(f"{title:<44} {taken[0]:>8.2f} {taken[1]:>8.2f} {allowed[0]:>8.0f} {allowed[1]:>4.0f}{over}")


@click.command(help=__doc__)
@click.option("--drawings", "number", default=2000, show_default=True, help="How many drawings.")
@click.option("--reader", "path", type=click.Path(path_type=Path), help="The reader's file; the app's own by default.")
def main(number: int, path: Path | None) -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    reader = ready.load(path)
    found = datasets.load(datasets.available()[0])
    images = np.resize(found.test.images, (BATCH, 28, 28))
    with threadpool_limits(1):
        taken = seconds(lambda: reader.predict_proba(images), 3)
        click.echo(f"{BATCH:,} digits of {found.title}: {taken:.2f} s of {MANY:g}{' too slow' if taken > MANY else ''}")
        written = drawings(number)
        if not written:
            click.echo("The pen strokes are not on this machine: drawings are not measured.")
            return
        strokes = [s for s, _ in written]
        click.echo(f"\n{len(strokes):,} drawings, ms {'':<25} {'median':>8} {'99%':>8} {'allowed':>13}")
        captured = [from_strokes(s) for s in strokes]
        show("capture", each(from_strokes, strokes), (MEDIAN, LATE))
        show("the network", each(lambda i: reader.look(i[None]), captured), (MEDIAN, LATE))
        show("drawing to probabilities", each(lambda s: reader.look(from_strokes(s)[None]), strokes), (MEDIAN, LATE))
        explain(reader, strokes[:EXPLAINED], captured[:EXPLAINED])
        show("a link, there and back", each(lambda s: sharing.from_text(sharing.to_text(s)), strokes), (MEDIAN, LATE))
        learn(reader, written, found.train)


def explain(reader: ready.Reader, strokes: Sequence[Strokes], captured: Sequence[Images]) -> None:
    """Measure the time of each kind of explanation."""
    allowed = (WHY, WHY)
    accept = reader.accepts
    show("evidence of regions", each(lambda i: occlusion.evidence(i, reader), captured), allowed)
    show("evidence of strokes", each(lambda s: occlusion.stroke_evidence(s, reader), strokes), allowed)
    show("a change of strokes", each(lambda s: counterfactual.of_strokes(s, reader, accept=accept), strokes), allowed)
    show("a change of regions", each(lambda i: counterfactual.of_image(i, reader, accept=accept), captured), allowed)
    rng = np.random.default_rng(0)
    scribble = [[rng.uniform(0, 300, (500, 2)) for _ in range(40)]] * 3
    show("a scribble of 20,000 points: both of strokes", each(lambda s: both(s, reader), scribble), (2 * WHY, 2 * WHY))


def both(strokes: Strokes, reader: ready.Reader) -> None:
    """Evidence and change of one drawing."""
    occlusion.stroke_evidence(strokes, reader)
    counterfactual.of_strokes(strokes, reader, accept=reader.accepts)


def learn(reader: ready.Reader, written: list[tuple[Strokes, int]], train: Split) -> None:
    """Measure the time to adapt a model to a user's handwriting."""
    ordinary = Split(train.images[-600:], train.labels[-600:])
    for count in (10, 100, 500):
        images = np.stack([from_strokes(s) for s, _ in written[:count]])
        own = Split(images, np.array([label for _, label in written[:count]], np.uint8))
        taken = seconds(partial(adaptation.adapt, reader, own, ordinary), 1)
        click.echo(f"learning from {len(own)} drawings: {taken:.2f} s")


if __name__ == "__main__":
    main()
