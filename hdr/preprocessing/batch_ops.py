"""What the families share: a parameter, running a filter over a batch, moments, and moving pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.types import Element, Images

Ink = Annotated[
    int,
    Field(
        ge=1,
        le=90,
        title="Ink from",
        description="Pixels brighter than this share of the brightest one count as the digit.",
        json_schema_extra={"unit": "%"},
    ),
]


def filter_batch(
    images: Images, radius: int, operator: Callable[[Images], NDArray[Element]]
) -> NDArray[Element] | Images:
    """Run a local operator over all images in one call.

    The images are stacked into one tall picture, each with its edge rows repeated `radius` times above and below, so
    that no neighbourhood reaches into the next image. The operator must repeat edge pixels sideways itself.

    Args:
        images: uint8 (n, h, w).
        radius: how many rows the operator looks up and down.
        operator: takes and returns a picture of one size.

    Returns:
        (n, h, w) of the operator's dtype; no images are returned as they are.
    """
    n, h, w = images.shape
    if n == 0:
        return images
    padded = np.pad(images, ((0, 0), (radius, radius), (0, 0)), mode="edge")
    out = operator(padded.reshape(n * (h + 2 * radius), w))
    return np.ascontiguousarray(out.reshape(n, h + 2 * radius, w)[:, radius : radius + h])


def filter_row(
    images: Images, radius: int, operator: Callable[[Images], NDArray[Element]]
) -> NDArray[Element] | Images:
    """Run a local operator over all images in one call, side by side in one wide picture.

    Rows of 28 pixels are too short for the vector units that some operators of OpenCV are written for: in long ones a
    median is 6 to 25 times as fast. Only for operators that calculate in whole numbers, because fractions may be
    rounded in another way at the end of a row, and a batch would then differ from its images one by one.

    Args, Returns:
        as `filter_batch`; every image has its edge repeated `radius` times on all sides.
    """
    n, h, w = images.shape
    if n == 0:
        return images
    padded = np.pad(images, ((0, 0), (radius, radius), (radius, radius)), mode="edge")
    tall, wide = h + 2 * radius, w + 2 * radius
    out = operator(padded.swapaxes(0, 1).reshape(tall, n * wide)).reshape(tall, n, wide)
    return np.ascontiguousarray(out[radius : radius + h, :, radius : radius + w].swapaxes(0, 1))


def each(images: NDArray[Element], operator: Callable[[NDArray[Element]], NDArray[Any]]) -> NDArray[Element]:
    """Run an operator that keeps the size over one image at a time: (n, h, w) to the same, of the same type."""
    out = np.empty_like(images, order="C")
    for source, target in zip(images, out, strict=True):
        target[...] = operator(source)
    return out


def apply_tables(images: Images, tables: NDArray[np.uint8]) -> Images:
    """Replace every grey value by its entry in the image's own table: uint8 (n, h, w) and (n, 256)."""
    n, h, w = images.shape
    flat = images.reshape(n, h * w)
    return np.take_along_axis(tables, flat, axis=1).reshape(images.shape)


def histograms(images: Images) -> NDArray[np.int64]:
    """How often each grey value occurs in each image: int64 (n, 256)."""
    n, h, w = images.shape
    offsets = (np.arange(n, dtype=np.int64) * 256)[:, None]
    counts = np.bincount((images.reshape(n, h * w) + offsets).ravel(), minlength=n * 256)
    return counts.reshape(n, 256)


Moments = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def moments(images: Images) -> Moments:
    """Mass, centroid and the second central moments that slant needs.

    All sums are of whole numbers below 2**53, hence exact in float64 and the same in any order: a batch gives bit for
    bit what one image gives.

    Returns:
        mass, cx, cy (pixels), mu11, mu02 (squared pixels, divided by the mass): float64 (n,). A blank image has
        mass 0, its centroid in the middle of the frame, and moments 0.
    """
    _, h, w = images.shape
    pixels = images.astype(np.float64)
    x, y = np.arange(w, dtype=np.float64), np.arange(h, dtype=np.float64)
    rows, columns, along = pixels.sum(axis=2), pixels.sum(axis=1), pixels @ x
    mass = rows.sum(axis=1)
    safe = np.where(mass > 0, mass, 1.0)
    m10, m01 = (columns * x).sum(axis=1), (rows * y).sum(axis=1)
    m11, m02 = (along * y).sum(axis=1), (rows * y * y).sum(axis=1)
    cx, cy = m10 / safe, m01 / safe
    inked = mass > 0
    return (
        mass,
        np.where(inked, cx, (w - 1) / 2),
        np.where(inked, cy, (h - 1) / 2),
        np.where(inked, m11 / safe - cx * cy, 0.0),
        np.where(inked, m02 / safe - cy * cy, 0.0),
    )


def boxes(ink: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Bounding boxes of what is True: int64 (n, 4) of x0, y0, x1, y1, the last two exclusive; zeros where nothing is.

    Args:
        ink: bool (n, h, w).
    """
    n, h, w = ink.shape
    if n == 0 or h == 0 or w == 0:
        return np.zeros((n, 4), np.int64)
    across, down = np.any(ink, axis=1), np.any(ink, axis=2)
    found = np.stack(
        [across.argmax(1), down.argmax(1), w - across[:, ::-1].argmax(1), h - down[:, ::-1].argmax(1)], axis=1
    )
    return np.where(down.any(axis=1)[:, None], found, 0)


def warp(image: Images, matrix: NDArray[np.float64], shape: tuple[int, int] | None = None) -> Images:
    """Resample one picture bilinearly with zeros outside.

    Args:
        image: uint8 (h, w).
        matrix: float64 (2, 3), from a target pixel to the source pixel it takes.
        shape: height and width of the result; those of the image where none is given.
    """
    h, w = shape or image.shape
    return cv2.warpAffine(image, matrix, (w, h), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def move(images: Images, dx: NDArray[np.int64], dy: NDArray[np.int64]) -> Images:
    """Shift every image by its own whole number of pixels, zeros coming in: uint8 (n, h, w), dx and dy (n,)."""
    _, h, w = images.shape
    out = np.zeros_like(images, order="C")
    for i, (x, y) in enumerate(zip(dx.tolist(), dy.tolist(), strict=True)):
        if abs(x) < w and abs(y) < h:
            out[i, max(y, 0) : h + min(y, 0), max(x, 0) : w + min(x, 0)] = images[
                i, max(-y, 0) : h + min(-y, 0), max(-x, 0) : w + min(-x, 0)
            ]
    return out
