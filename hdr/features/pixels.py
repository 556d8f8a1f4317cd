"""Features that are the picture itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hdr.catalogue import register
from hdr.features.batching import batched
from hdr.features.overlays import as_signed
from hdr.types import Drawing, Features, Images

MOST_DEVIATIONS = 3
"""Standardised values beyond so many standard deviations look alike in the drawing."""


def _columns(shape: tuple[int, int]) -> tuple[str, ...]:
    h, w = shape
    return tuple(f"pixel {x}, {y}" for y in range(h) for x in range(w))


def _draw_pixels(image: np.ndarray) -> tuple[Drawing, ...]:
    return (Drawing("Pixels", image, note=f"The picture itself: {image.size} numbers, one for each pixel."),)


def _draw_standardised(image: np.ndarray) -> tuple[Drawing, ...]:
    values = standardised_pixels(image[None])[0].reshape(image.shape)
    mean, deviation = image.mean(), image.std()
    return (
        Drawing("Before", image, note=f"Mean {mean:.0f}, standard deviation {deviation:.0f} of 255."),
        Drawing(
            "Standardised",
            as_signed(values, MOST_DEVIATIONS),
            "signed",
            note=f"From {values.min():.1f} to {values.max():.1f} standard deviations; the colours end at "
            f"{MOST_DEVIATIONS}.",
        ),
    )


@register("feature", "Pixels", family="Global", columns=_columns, draw=_draw_pixels)
def pixels(images: Images) -> Features:
    """Every grey value as it is, between 0 and 1. Nothing is lost and nothing is explained: the classifier has to find
    out by itself which pixels matter.

    Takes uint8 (n, h, w), returns float32 (n, h * w).

    Source: LeCun et al., Gradient-based learning applied to document recognition (1998), where most classifiers that
    are compared start from pixels.
    """
    n, h, w = images.shape
    return images.reshape(n, h * w).astype(np.float32) / np.float32(255)


@register("feature", "Standardised pixels", family="Global", columns=_columns, draw=_draw_standardised)
def standardised_pixels(images: Images) -> Features:
    """Takes the picture's own mean from every pixel and divides by its standard deviation, so that each picture has
    mean 0 and variance 1. Faint and strong writing, darker and lighter paper then give the same numbers.

    Takes uint8 (n, h, w), returns float32 (n, h * w); a flat picture gives zeros.

    Formula: z = \\frac{f - \\bar f}{\\sigma_f}

    Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 12.2.1.1, global contrast normalisation;
    scipy.stats.zscore.
    """
    n, h, w = images.shape
    return batched(images.reshape(n, h * w, 1), h * w, _standardise)


def _standardise(images: Images) -> NDArray[np.float64]:
    values = images[:, :, 0].astype(np.float64)
    values -= values.mean(axis=1, keepdims=True)
    deviation = np.sqrt(np.einsum("np,np->n", values, values) / values.shape[1])
    # The mean of equal values may miss them by a rounding; of values that differ, the deviation is far above this.
    return values / np.where(deviation > 1e-6, deviation, np.inf)[:, None]
