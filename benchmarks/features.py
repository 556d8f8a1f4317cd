"""How fast are the feature extractors? Processor time for 10,000 digits on one core, beside what they may take.

    python benchmarks/features.py [--digits N] [--repeats N]

Every figure is the median of the repeats, with the default parameters; HOG is measured with hard counts too, and beside
scikit-image's, which counts hard, one digit at a time.
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

import hdr.features  # noqa: F401 - registers the entries
from benchmarks.timing import seconds
from hdr import catalogue, datasets
from hdr.features.hog import hog
from hdr.types import Images

ALLOWED, ALLOWED_HOG = 2.0, 0.3
"""Seconds that 10,000 digits may take."""

COMPARED = 500
"""Digits for the other library."""


def digits(number: int) -> tuple[str, Images]:
    """MNIST's test split where it is on this machine, or else the bundled digits, as often as it takes."""
    found = datasets.load(datasets.available()[0])
    return found.title, np.resize(found.test.images, (number, 28, 28))


def scikit_image(images: Images) -> None:
    """HOG of the same cells, blocks and directions as ours by default."""
    from skimage.feature import hog as theirs

    for image in images:
        theirs(image, orientations=9, pixels_per_cell=(4, 4), cells_per_block=(3, 3), block_norm="L2-Hys")


@click.command(help=__doc__.splitlines()[0])
@click.option("--digits", "number", default=10_000, show_default=True)
@click.option("--repeats", default=5, show_default=True)
def main(number: int, repeats: int) -> None:
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        title, images = digits(number)
        click.echo(f"{title}, {number:,} digits of 28x28, one core, median of {repeats}\n")
        click.echo("extractor                   features   seconds   allowed")
        rows = [(e.name, e.function, ALLOWED_HOG if e.name == "hog" else ALLOWED) for e in catalogue.entries("feature")]
        rows.append(("hog, hard counts", lambda images: hog(images, soft=False), ALLOWED_HOG))
        for name, function, allowed in rows:
            taken = seconds(partial(function, images), repeats)
            over = "" if taken <= allowed * number / 10_000 else "   too slow"
            width = function(images[:1]).shape[1]
            click.echo(f"{name:<26} {width:>9,} {taken:>9.3f} {allowed * number / 10_000:>9.2f}{over}")
        try:
            theirs = seconds(lambda: scikit_image(images[:COMPARED]), 1) * number / COMPARED
        except ImportError:
            return
        click.echo(f"\nscikit-image's HOG, one by one: {theirs:.1f} s")


if __name__ == "__main__":
    main()
