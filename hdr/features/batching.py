"""What the extractors share: parameters, working in pieces, many pictures in one, and zones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.types import Element, Features, Images

Float = TypeVar("Float", np.float32, np.float64)

Places = tuple[NDArray[np.int64], NDArray[np.floating], NDArray[np.floating]]
"""The number of the image, y and x (pixels, may lie between two) of every point, each (points,)."""

PIXELS = 1 << 17
"""Pixels that are worked on at a time: what is computed for each of them then stays in the processor's cache."""

Zones = Annotated[
    int,
    Field(
        ge=1,
        le=4,
        title="Zones",
        description="Zones along each side of the picture, each looked at by itself; 1 takes it as a whole.",
    ),
]


def batched(
    images: Images, dimensions: int, function: Callable[[Images], NDArray[Any]], pixels: int = PIXELS
) -> Features:
    """Run an extractor over few images at a time, so that what it needs in between does not grow with their number.

    Args:
        images: uint8 (n, h, w).
        dimensions: features for each image, d.
        function: takes uint8 (m, h, w) with m of at least 1, returns (m, d).
        pixels: how many are worked on at a time.

    Returns:
        float32 (n, d).
    """
    n, h, w = images.shape
    out = np.empty((n, dimensions), np.float32)
    count = max(1, pixels // (h * w))
    for start in range(0, n, count):
        out[start : start + count] = function(images[start : start + count])
    return out


def ink_of(images: Images, share: int) -> NDArray[np.bool_]:
    """Which pixels are brighter than a share (in %) of their image's brightest one: bool (n, h, w)."""
    peak = images.max(axis=(1, 2), keepdims=True).astype(np.int32)
    bright: NDArray[np.bool_] = images.astype(np.int32) * 100 > peak * share
    return bright


def stack(images: NDArray[Element], gap: int) -> NDArray[Element]:
    """All images in one tall picture with `gap` rows and columns of zeros around each, so that one call treats all.

    Args:
        images: (n, h, w).
        gap: what no neighbourhood may bridge.

    Returns:
        (n * (h + 2 gap), w + 2 gap) of the same dtype; image i begins at row i * (h + 2 gap).
    """
    n, h, w = images.shape
    out = np.zeros((n, h + 2 * gap, w + 2 * gap), images.dtype)
    out[:, gap : gap + h, gap : gap + w] = images
    return out.reshape(n * (h + 2 * gap), w + 2 * gap)


def unstack(picture: NDArray[Element], shape: tuple[int, ...], gap: int) -> NDArray[Element]:
    """The images that `stack` put into one picture: (n, h, w) for `shape` (n, h, w)."""
    n, h, w = shape
    return picture.reshape(n, h + 2 * gap, w + 2 * gap)[:, gap : gap + h, gap : gap + w]


def zone_of(side: int, zones: int) -> NDArray[np.int64]:
    """In which zone each pixel of a side lies: int (side,), from 0; on a side shorter than `zones` some stay empty."""
    return np.arange(side) * zones // side


def zone_names(zones: int) -> tuple[str, ...]:
    """What is put behind a name for each zone, row by row: " in zone 2, 1" is the second of the first row.

    Nothing where there is one zone.
    """
    if zones == 1:
        return ("",)
    return tuple(f" in zone {x + 1}, {y + 1}" for y in range(zones) for x in range(zones))


def zone_means(maps: NDArray[Float], zones: int) -> NDArray[Float]:
    """The mean of each zone: (..., h, w) of floats to (..., zones * zones), row by row; 0 in a zone without pixels."""
    down, across = (_averaging(side, zones).astype(maps.dtype) for side in maps.shape[-2:])
    means: NDArray[Float] = np.matmul(np.matmul(down, maps), across.T)
    return means.reshape(*maps.shape[:-2], zones * zones)


def _averaging(side: int, zones: int) -> NDArray[np.float64]:
    inside = zone_of(side, zones) == np.arange(zones)[:, None]
    shares: NDArray[np.float64] = inside / np.maximum(inside.sum(axis=1, keepdims=True), 1)
    return shares


def count_in_zones(places: Places, shape: tuple[int, ...], zones: int) -> NDArray[np.int64]:
    """How many points lie in each zone of each image.

    Args:
        places: where the points are.
        shape: (n, h, w).
        zones: zones on each side.

    Returns:
        int (n, zones * zones), row by row.
    """
    n, h, w = shape
    number, y, x = places
    row, column = (np.clip((at + 0.5) * zones // side, 0, zones - 1) for at, side in ((y, h), (x, w)))
    index = (number * zones + row.astype(np.int64)) * zones + column.astype(np.int64)
    return np.bincount(index.astype(np.int64), minlength=n * zones * zones).reshape(n, zones * zones)
