"""Augmentation: training digits once more, each time a little different, to teach a model what does not matter."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.preprocessing.batch_ops import filter_batch
from hdr.types import Images

CHUNK = 1024
"""Digits that are bent at a time: their displacements take 12 kB each."""

MOST_COPIES = 10

STROKE = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@register("augmentation", "Distorted copies", family="Augmentation")
def distort(
    images: Images,
    seed: int,
    indices: NDArray[np.int64],
    *,
    copies: Annotated[
        int,
        Field(
            ge=1,
            le=MOST_COPIES,
            title="Copies",
            description="Distorted versions of every training digit, besides itself.",
        ),
    ] = 1,
    shift: Annotated[
        float,
        Field(
            ge=0,
            le=4,
            title="Shift",
            description="Moves by at most this much to any side.",
            json_schema_extra={"unit": "px", "step": 0.5},
        ),
    ] = 1.0,
    rotation: Annotated[
        int,
        Field(
            ge=0,
            le=30,
            title="Rotation",
            description="Turns by at most this much to either side.",
            json_schema_extra={"unit": "°"},
        ),
    ] = 8,
    scale: Annotated[
        int,
        Field(
            ge=0,
            le=30,
            title="Scale",
            description="Makes larger or smaller by at most this share.",
            json_schema_extra={"unit": "%"},
        ),
    ] = 8,
    shear: Annotated[
        int,
        Field(
            ge=0,
            le=30,
            title="Shear",
            description="Slants by at most this much to either side.",
            json_schema_extra={"unit": "°"},
        ),
    ] = 0,
    alpha: Annotated[
        int,
        Field(
            ge=0,
            le=60,
            title="Elastic",
            description="How strongly the sheet is stretched and squeezed here and there; 34 is the paper's value.",
        ),
    ] = 20,
    sigma: Annotated[
        int,
        Field(
            ge=2,
            le=8,
            title="Elastic smoothness",
            description="Over how many pixels neighbouring places move together.",
            json_schema_extra={"unit": "px"},
        ),
    ] = 4,
    stroke: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            title="Stroke width",
            description="Thickens or thins strokes by at most this much on either side.",
            json_schema_extra={"unit": "px", "step": 0.1},
        ),
    ] = 0.3,
) -> Images:
    """Makes a version of every digit that is shifted, turned, scaled, slanted, bent or drawn with another pen, each by
    a random amount within limits. A model that learns from such copies too is less put off by handwriting that it has
    never seen.

    Takes uint8 (n, h, w), returns uint8 (n, 1 + copies, h, w), new: every digit as it is, then its copies. A limit of 0
    leaves that distortion out.

    Formula: (x, y) \\leftarrow A\\,(x, y) + t + \\alpha\\,(G_\\sigma * u)(x, y), \\quad u \\sim U(-1, 1)

    Source: Simard, Steinkraus and Platt, Best practices for convolutional neural networks (2003),
    doi:10.1109/ICDAR.2003.1227801; cv2.remap.

    Args:
        images: ink 255 on 0.
        seed: of the run.
        indices: int64 (n,), each digit's place in the training split. A digit's copies depend on its pixels, `seed` and
            its index only, not on the digits beside it.
    """
    limits = np.array([shift, shift, np.deg2rad(rotation), scale / 100, np.deg2rad(shear), stroke], np.float64)
    out = np.empty((len(images), 1 + copies, *images.shape[1:]), np.uint8)
    out[:, 0] = images
    for start in range(0, len(images), CHUNK):
        chunk = slice(start, start + CHUNK)
        generators = [np.random.default_rng((seed, int(i))) for i in indices[chunk]]
        # All are drawn whatever is wanted, so that a slider changes its own distortion and no other.
        drawn = np.stack([g.uniform(-1, 1, (MOST_COPIES, len(limits))) for g in generators]) * limits
        for copy in range(1, 1 + copies):
            random = drawn[:, copy - 1]
            field = np.stack([g.random((2, *images.shape[1:]), np.float32) for g in generators]) if alpha else None
            part = _stroke(images[chunk], random[:, 5]) if stroke else images[chunk]
            x, y = _places(random, images.shape[1:])
            if field is not None:
                x, y = (place + alpha * _smooth(2 * field[:, i] - 1, sigma) for i, place in enumerate((x, y)))
            for image, map_x, map_y, target in zip(part, x, y, out[chunk, copy], strict=True):
                cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR, target, cv2.BORDER_CONSTANT, 0)
    return out


def _stroke(images: Images, widths: NDArray[np.float64]) -> Images:
    # Between the picture and the one whose strokes are a whole pixel wider or thinner, by as much as is wanted.
    wide = filter_batch(images, 1, lambda tall: cv2.dilate(tall, STROKE)).astype(np.float32)
    thin = filter_batch(images, 1, lambda tall: cv2.erode(tall, STROKE)).astype(np.float32)
    share = widths.astype(np.float32)[:, None, None]
    mixed = images + np.abs(share) * (np.where(share > 0, wide, thin) - images)
    return np.rint(mixed).astype(np.uint8)


def _places(random: NDArray[np.float64], shape: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    # From every target pixel to the place it is taken from, about the middle of the frame: two float32 (n, h, w).
    h, w = shape
    dx, dy, angle, scale, shear = (v[:, None, None] for v in random.T[:5])
    x, y = np.arange(w)[None, None] - (w - 1) / 2, np.arange(h)[None, :, None] - (h - 1) / 2
    x, y = x - dx, y - dy
    x = x + np.tan(shear) * y
    cos, sin = np.cos(angle) / (1 + scale), np.sin(angle) / (1 + scale)
    return (
        (cos * x + sin * y + (w - 1) / 2).astype(np.float32),
        (cos * y - sin * x + (h - 1) / 2).astype(np.float32),
    )


def _smooth(noise: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    # A Gaussian filter as two products of small matrices, one for each digit, so that its neighbours in the batch do
    # not decide how sums are rounded. The noise goes on as zeros outside.
    across, down = (_gaussian(side, sigma) for side in (noise.shape[2], noise.shape[1]))
    smooth: NDArray[np.float32] = np.matmul(np.matmul(down, noise), across)
    return smooth


def _gaussian(side: int, sigma: float) -> NDArray[np.float32]:
    place = np.arange(side)
    weights = np.exp(-((place[:, None] - place) ** 2) / (2 * sigma**2))
    scaled: NDArray[np.float64] = weights / (np.sqrt(2 * np.pi) * sigma)
    return scaled.astype(np.float32)
