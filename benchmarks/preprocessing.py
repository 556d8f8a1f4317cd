"""How fast is preprocessing? Digits per second on one core, beside scikit-image or SciPy called digit by digit.

    python benchmarks/preprocessing.py [--digits N] [--repeats N]

Every figure is the median of the repeats, our own and the other library's alike; the last lines are the default chain
over 70,000 digits, whatever --digits says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import click
import cv2
import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))

from hdr import catalogue, datasets
from hdr.preprocessing import PRESETS, Pipeline
from hdr.preprocessing.pipeline import chain
from hdr.types import Images

ALL = 70_000
"""Digits in all of MNIST."""

Other = Callable[[np.ndarray], np.ndarray]


def others() -> dict[str, tuple[str, Other]]:
    """For a step: what does the same to one digit in scikit-image or SciPy, if these are installed."""
    try:
        from scipy import ndimage
        from skimage import exposure, filters, measure, transform
    except ImportError:
        return {}

    def stretch(image: np.ndarray) -> np.ndarray:
        low, high = np.percentile(image, (1, 99))
        return exposure.rescale_intensity(image, (low, high)) if high > low else image

    def deskew(image: np.ndarray) -> np.ndarray:
        found = measure.moments_central(image, order=2)
        slant, middle = found[1, 1] / max(found[2, 0], 1e-6), measure.centroid(image)[0]
        shear = np.array([[1, slant, -slant * middle], [0, 1, 0], [0, 0, 1]])
        return transform.warp(image, shear, order=1, preserve_range=True).astype(np.uint8)

    def scale(image: np.ndarray) -> np.ndarray:
        rows, columns = (np.flatnonzero((image > image.max() * 0.2).any(axis=axis)) for axis in (1, 0))
        digit = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else image
        h, w = (max(1, round(side * 20 / max(digit.shape))) for side in digit.shape)
        out = np.zeros((28, 28), np.uint8)
        y, x = (28 - h) // 2, (28 - w) // 2
        out[y : y + h, x : x + w] = transform.resize(digit, (h, w), order=1, preserve_range=True)
        return out

    def centre(image: np.ndarray) -> np.ndarray:
        y, x = ndimage.center_of_mass(image)
        return ndimage.shift(image, (round(14 - y), round(14 - x)), order=0)

    return {
        "mean": ("ndimage.uniform_filter", lambda i: ndimage.uniform_filter(i, 3, mode="nearest")),
        "gaussian": ("skimage gaussian", lambda i: filters.gaussian(i, 1.0, truncate=3)),
        "median": ("ndimage.median_filter", lambda i: ndimage.median_filter(i, 3, mode="nearest")),
        "contrast_stretching": ("skimage rescale_intensity", stretch),
        "histogram_equalisation": ("skimage equalize_hist", exposure.equalize_hist),
        "sobel_magnitude": ("skimage sobel", filters.sobel),
        "threshold": ("numpy, one by one", lambda i: np.where(i > 127, np.uint8(255), np.uint8(0))),
        "otsu": ("skimage threshold_otsu", lambda i: i > filters.threshold_otsu(i)),
        "deskew": ("skimage moments, warp", deskew),
        "scale_to_box": ("skimage resize", scale),
        "centre_by_mass": ("ndimage shift", centre),
    }


def digits() -> tuple[str, Images]:
    """MNIST, both splits, where it is on this machine; or else the bundled digits, as often as it takes."""
    found = datasets.load(datasets.available()[0])
    images = np.concatenate([found.train.images, found.test.images])
    return found.title, images if len(images) == ALL else np.resize(images, (ALL, 28, 28))


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median duration."""
    durations = []
    for _ in range(repeats):
        start = perf_counter()
        work()
        durations.append(perf_counter() - start)
    return median(durations)


@click.command(help=__doc__.splitlines()[0])
@click.option("--digits", "number", default=10_000, show_default=True, help="Digits that our steps are timed on.")
@click.option("--others", "compared", default=500, show_default=True, help="Digits for the other libraries.")
@click.option("--repeats", default=5, show_default=True)
def main(number: int, compared: int, repeats: int) -> None:
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        title, images = digits()
        rivals = others()
        click.echo(f"{title}, {number:,} digits of 28x28, one core, median of {repeats}\n")
        click.echo("step                     digits/s   beside                      digits/s   times as fast")
        default = chain(*PRESETS["Default"])
        for name, made in [*((e.name, chain(e.name)) for e in catalogue.entries("step")), ("default chain", default)]:
            ours = number / seconds(lambda made=made: made.apply(images[:number]), repeats)
            beside, theirs = rival(name, default, rivals, images[:compared], repeats)
            figures = f"{theirs:>9,.0f}   {ours / theirs:>8.1f}" if theirs else ""
            click.echo(f"{name:<22} {ours:>10,.0f}   {beside:<26} {figures}".rstrip())
        whole = seconds(lambda: default.apply(images), 3)
        began = process_time()
        default.apply(images)
        busy = process_time() - began
        click.echo(f"\ndefault chain over {ALL:,} digits: {whole:.2f} s ({busy:.2f} s of processor time)")


def rival(
    name: str, default: Pipeline, rivals: dict[str, tuple[str, Other]], images: Images, repeats: int
) -> tuple[str, float]:
    """What a step is compared with, and its digits per second; 0 where there is nothing."""
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
