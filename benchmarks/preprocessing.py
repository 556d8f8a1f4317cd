"""How fast is preprocessing? Digits per second on one core, beside scikit-image or SciPy called digit by digit.

    python benchmarks/preprocessing.py [--digits N] [--repeats N]

Every figure is the median of the repeats, our own and the other library's alike, in processor time; the last line is
the default chain over 70,000 digits, independent of --digits.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click
import cv2
import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.rivals import Rivals, everything
from benchmarks.timing import seconds
from hdr import catalogue, datasets
from hdr.preprocessing import PRESETS, Pipeline
from hdr.preprocessing.pipeline import chain
from hdr.types import Images

ALL = 70_000
"""Digits in all of MNIST."""


def digits() -> tuple[str, Images]:
    """MNIST, both splits, where it is on this machine; or else the bundled digits, as often as it takes."""
    found = datasets.load(datasets.available()[0])
    images = np.concatenate([found.train.images, found.test.images])
    return found.title, images if len(images) == ALL else np.resize(images, (ALL, 28, 28))


@click.command(help=__doc__.splitlines()[0])
@click.option("--digits", "number", default=10_000, show_default=True, help="Digits that our steps are timed on.")
@click.option("--others", "compared", default=500, show_default=True, help="Digits for the other libraries.")
@click.option("--repeats", default=5, show_default=True)
def main(number: int, compared: int, repeats: int) -> None:
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        title, images = digits()
        rivals = everything()
        click.echo(f"{title}, {number:,} digits of 28x28, one core, median of {repeats}\n")
        click.echo("step                     digits/s   beside                      digits/s   times as fast")
        default = chain(*PRESETS["Default"])
        for name, made in [*((e.name, chain(e.name)) for e in catalogue.entries("step")), ("default chain", default)]:
            ours = number / seconds(partial(made.apply, images[:number]), repeats)
            beside, theirs = rival(name, default, rivals, images[:compared], repeats)
            figures = f"{theirs:>9,.0f}   {ours / theirs:>8.1f}" if theirs else ""
            click.echo(f"{name:<22} {ours:>10,.0f}   {beside:<26} {figures}".rstrip())
        whole = seconds(lambda: default.apply(images), 3)
        click.echo(f"\ndefault chain over {ALL:,} digits: {whole:.2f} s")


def rival(name: str, default: Pipeline, rivals: Rivals, images: Images, repeats: int) -> tuple[str, float]:
    """Return the library that a step is compared with, and its digits per second; 0 if there is none."""
    steps = [s.name for s in default.steps] if name == "default chain" else [name]
    if not all(step in rivals for step in steps):
        return "", 0.0
    functions = [rivals[step][1] for step in steps]

    def one_by_one() -> None:
        for image in images:
            for function in functions:
                image = as_grey(function(image))

    return "the same, one by one" if len(steps) > 1 else rivals[name][0], len(images) / seconds(one_by_one, repeats)


def as_grey(image: np.ndarray) -> np.ndarray:
    """Back to uint8 between steps, as a chain of the other library's functions would need it too."""
    if image.dtype == bool:
        return image.astype(np.uint8) * np.uint8(255)
    return image if image.dtype == np.uint8 else (image * 255).astype(np.uint8)


if __name__ == "__main__":
    main()
