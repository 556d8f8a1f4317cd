"""Disturbances: what goes wrong before a digit reaches the machine, on purpose and by a slider.

Every function takes uint8 (n, h, w) with ink 255 on 0 and returns the same; its default changes nothing. Noise depends
on the seed only, so the same seed gives the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import get, register, with_defaults
from hdr.preprocessing.batch_ops import each, warp
from hdr.preprocessing.noise_reduction import gaussian
from hdr.preprocessing.pipeline import CHUNK
from hdr.types import Images, Step

disturbance = partial(register, "disturbance", family="Disturbances")

Seed = Annotated[
    int, Field(ge=0, le=9999, title="Seed", description="Another number gives other noise of the same kind.")
]
Percent = {"unit": "%"}


def _to_uint8(values: NDArray[Any]) -> Images:
    whole: NDArray[Any] = np.rint(values)
    return whole.clip(0, 255).astype(np.uint8)


@disturbance("Rotation")
def rotation(
    images: Images,
    *,
    angle: Annotated[
        int,
        Field(
            ge=-45,
            le=45,
            title="Rotation",
            description="Turns the digit, clockwise where positive.",
            json_schema_extra={"unit": "°"},
        ),
    ] = 0,
) -> Images:
    """Turns the digit about the middle of the picture, as a tilted sheet of paper would."""
    if angle == 0:
        return images
    _, h, w = images.shape
    matrix = cv2.getRotationMatrix2D(((w - 1) / 2, (h - 1) / 2), angle, 1.0)
    return each(images, lambda image: warp(image, matrix))


@disturbance("Shift")
def shift(
    images: Images,
    *,
    dx: Annotated[
        int,
        Field(
            ge=-10,
            le=10,
            title="Shift right",
            description="Moves the digit sideways.",
            json_schema_extra={"unit": "px"},
        ),
    ] = 0,
    dy: Annotated[
        int,
        Field(ge=-10, le=10, title="Shift down", description="Moves the digit down.", json_schema_extra={"unit": "px"}),
    ] = 0,
) -> Images:
    """Moves the digit away from the middle, as sloppy cutting would."""
    matrix = np.array([[1.0, 0.0, -dx], [0.0, 1.0, -dy]])
    return each(images, lambda image: warp(image, matrix)) if dx or dy else images


@disturbance("Scale")
def scale(
    images: Images,
    *,
    factor: Annotated[
        int,
        Field(
            ge=40,
            le=160,
            title="Scale",
            description="Shrinks the digit below 100% and enlarges it above.",
            json_schema_extra={"unit": "%", "step": 5},
        ),
    ] = 100,
) -> Images:
    """Shrinks or enlarges the digit about the middle of the picture, as writing smaller or larger would."""
    if factor == 100:
        return images
    _, h, w = images.shape
    matrix = cv2.getRotationMatrix2D(((w - 1) / 2, (h - 1) / 2), 0, 100 / factor)
    return each(images, lambda image: warp(image, matrix))


@disturbance("Pen pressure")
def pen_pressure(
    images: Images,
    *,
    pressure: Annotated[
        float,
        Field(
            ge=-1.5,
            le=1.5,
            title="Pen pressure",
            description="Thickens strokes where positive and thins them where negative.",
            json_schema_extra={"unit": "px", "step": 0.1},
        ),
    ] = 0.0,
) -> Images:
    """Makes strokes thicker or thinner on either side, as another pen or hand would."""
    if pressure == 0:
        return images
    kernel = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    operate = cv2.dilate if pressure > 0 else cv2.erode
    whole, part = int(abs(pressure)), abs(pressure) % 1

    def press(image: np.ndarray) -> np.ndarray:
        before = operate(image, kernel, iterations=whole) if whole else image
        return _to_uint8((1 - part) * before + part * operate(before, kernel).astype(np.float64)) if part else before

    return each(images, press)


@disturbance("Blur")
def blur(
    images: Images,
    *,
    sigma: Annotated[
        float,
        Field(
            ge=0,
            le=4,
            title="Blur",
            description="Width of the blur, as a lens out of focus gives it.",
            json_schema_extra={"unit": "px", "step": 0.1},
        ),
    ] = 0.0,
) -> Images:
    """Smears the picture as a lens out of focus does."""
    return gaussian(images, sigma=sigma) if sigma > 0 else images


@disturbance("Uneven light")
def uneven_light(
    images: Images,
    *,
    amount: Annotated[
        int,
        Field(
            ge=0,
            le=100,
            title="Uneven light",
            description="Brightens the lower right corner by this share of the range.",
            json_schema_extra=Percent,
        ),
    ] = 0,
) -> Images:
    """Adds a slope of light across the picture, as a lamp at one side of the paper does."""
    if amount == 0:
        return images
    _, h, w = images.shape
    slope = (np.linspace(0, 1, h)[:, None] + np.linspace(0, 1, w)[None]) / 2
    return _to_uint8(images + slope * (amount / 100 * 255))


@disturbance("Low contrast")
def low_contrast(
    images: Images,
    *,
    amount: Annotated[
        int,
        Field(
            ge=0,
            le=95,
            title="Low contrast",
            description="Takes away this share of the contrast.",
            json_schema_extra=Percent,
        ),
    ] = 0,
) -> Images:
    """Draws all grey values towards the middle, as pale ink on grey paper would."""
    return _to_uint8(127.5 + (images - 127.5) * (1 - amount / 100)) if amount else images


@disturbance("Occlusion")
def occlusion(
    images: Images,
    *,
    side: Annotated[
        int,
        Field(
            ge=0,
            le=80,
            title="Occlusion",
            description="Side of a square that covers part of the digit, as a share of the picture's shorter side.",
            json_schema_extra=Percent,
        ),
    ] = 0,
    seed: Seed = 0,
) -> Images:
    """Hides a square of the picture under blank paper, as a correction or a torn corner does. Where it lies is random,
    with its middle in the middle half of the picture."""
    if side == 0:
        return images
    _, h, w = images.shape
    length = side / 100 * min(h, w)
    down, across = (
        _covered(size, (0.25 + 0.5 * at) * size - length / 2, length)
        for size, at in zip((h, w), np.random.default_rng(seed).random(2), strict=True)
    )
    return _to_uint8(images * (1 - down[:, None] * across))


def _covered(size: int, start: float, length: float) -> NDArray[np.float64]:
    # How much of each of a row's pixels lies under a bar: 0 to 1.
    edges = np.arange(size)
    shared: NDArray[np.float64] = np.minimum(edges + 1, start + length) - np.maximum(edges, start)
    return shared.clip(0, 1)


@disturbance("Gaussian noise")
def gaussian_noise(
    images: Images,
    *,
    sigma: Annotated[
        int,
        Field(
            ge=0,
            le=100,
            title="Gaussian noise",
            description="Standard deviation of what is added to each pixel, in grey values.",
        ),
    ] = 0,
    seed: Seed = 0,
) -> Images:
    """Adds a random amount to each pixel, as a sensor in dim light does."""
    if sigma == 0:
        return images
    noise = np.random.default_rng(seed).normal(0, sigma, images.shape[1:])
    return _to_uint8(images + noise)


@disturbance("Salt and pepper")
def salt_and_pepper(
    images: Images,
    *,
    share: Annotated[
        int,
        Field(
            ge=0,
            le=50,
            title="Salt and pepper",
            description="This share of the pixels turns black or white.",
            json_schema_extra=Percent,
        ),
    ] = 0,
    seed: Seed = 0,
) -> Images:
    """Turns single pixels black or white, as dust and faulty transmission do."""
    if share == 0:
        return images
    chance = np.random.default_rng(seed).random(images.shape[1:])
    out = images.copy()
    out[:, chance < share / 200] = 0
    out[:, chance > 1 - share / 200] = 255
    return out


def spoil(images: Images, disturbances: Sequence[Step], seed: int) -> Images:
    """Disturb many digits, each with noise of its own.

    Args:
        images: uint8 (n, h, w), ink 255 on 0.
        disturbances: what is done, in this order; those that are off are left out.
        seed: of the noise. Image i takes `seed` + i, whatever seed a disturbance names: with one seed for all, every
            digit would have the same specks, and a model would learn to look past them.

    Returns:
        uint8 (n, h, w), new. Image i depends on itself and `seed` + i only.

    Raises:
        HdrError: a disturbance or a value is unknown.
    """
    active = [with_defaults("disturbance", d) for d in disturbances if d.on]
    out = images.copy()
    for start in range(0, len(images), CHUNK):
        part = out[start : start + CHUNK]
        for found in active:
            function = get("disturbance", found.name).function
            if "seed" in found.params:
                for i, image in enumerate(part):
                    image[...] = function(image[None], **{**found.params, "seed": seed + start + i})[0]
            else:
                part[...] = function(part, **found.params)
    return out
