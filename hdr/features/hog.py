"""Histograms of oriented gradients."""

from __future__ import annotations

from functools import cache
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.types import Features, HdrError, Images

CHUNK = 1024


@cache
def _gradient_tables(orientations: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    # Differences of two grey values are whole numbers from -255 to 255, so that magnitude and bin of every possible
    # gradient fit into two tables; nothing is left to compute per pixel.
    gy, gx = np.mgrid[-255:256, -255:256].astype(np.float64)
    magnitude = np.hypot(gx, gy) / 255
    angle = np.rad2deg(np.arctan2(gy, gx)) % 180
    # Multiplied before it is divided: 180 / 14 is rounded up, and 90 degrees would fall into the bin below theirs.
    bins = np.minimum(angle * orientations // 180, orientations - 1)
    return magnitude.astype(np.float32).ravel(), bins.astype(np.uint8).ravel()


@register("feature", "HOG", family="Texture")
def hog(
    images: Images,
    *,
    cell: Annotated[
        int,
        Field(
            ge=2,
            le=14,
            title="Cell",
            description="Side of the squares over which gradients are counted.",
            json_schema_extra={"unit": "px"},
        ),
    ] = 4,
    block: Annotated[
        int,
        Field(
            ge=1,
            le=4,
            title="Block",
            description="Cells on each side of the blocks that are brought to one contrast.",
            json_schema_extra={"unit": "cells"},
        ),
    ] = 3,
    orientations: Annotated[
        int, Field(ge=2, le=18, title="Directions", description="How many directions between 0 and 180 degrees.")
    ] = 9,
) -> Features:
    """Counts, in small cells, which way the strokes run and how strongly. A little shift, another pen or paler ink
    hardly changes the counts, so classifiers learn from few examples.

    Takes uint8 (n, h, w), returns float32 (n, blocks * block * block * orientations).

    Formula: v \\leftarrow \\frac{v}{\\sqrt{\\lVert v \\rVert^2 + \\epsilon^2}}, \\text{ clipped at } 0.2
    \\text{, and once more}

    Source: Dalal and Triggs, Histograms of oriented gradients for human detection (2005),
    doi:10.1109/CVPR.2005.177; binning and L2-Hys as in skimage.feature.hog.

    Raises:
        HdrError: the picture is smaller than one block of cells.
    """
    n, h, w = images.shape
    rows, columns = h // cell, w // cell
    down, across = rows - block + 1, columns - block + 1
    if down < 1 or across < 1:
        raise HdrError(
            f"HOG: {block} cells of {cell} px do not fit into {w}x{h} px; cell times block must be at most {min(h, w)}."
        )
    out = np.empty((n, down * across * block * block * orientations), np.float32)
    for start in range(0, n, CHUNK):
        part = images[start : start + CHUNK]
        cells = cell_histograms(part, cell, orientations)
        blocks = np.lib.stride_tricks.sliding_window_view(cells, (block, block), axis=(1, 2))
        flat = blocks.transpose(0, 1, 2, 4, 5, 3).reshape(len(part), down * across, -1)
        flat = np.minimum(_normalise(flat), np.float32(0.2))
        out[start : start + CHUNK] = _normalise(flat).reshape(len(part), -1)
    return out


def cell_histograms(images: Images, cell: int, orientations: int) -> NDArray[np.float32]:
    """The strength of the gradients in each cell, by direction.

    Args:
        images: uint8 (n, h, w).
        cell: side of a cell in pixels; what does not fill a cell at the right and bottom is left out.
        orientations: directions between 0 and 180 degrees.

    Returns:
        float32 (n, h // cell, w // cell, orientations), as magnitudes of grey values between 0 and 1.
    """
    rows, columns = images.shape[1] // cell, images.shape[2] // cell
    n = len(images)
    values = images.astype(np.int32)
    # The index of a gradient in the tables: (gy + 255) * 511 + (gx + 255). The outermost differences are 0.
    index = np.full(images.shape, 255 * 511 + 255, np.int32)
    index[:, 1:-1] += (values[:, 2:] - values[:, :-2]) * 511
    index[:, :, 1:-1] += values[:, :, 2:] - values[:, :, :-2]
    index = index[:, : rows * cell, : columns * cell]
    magnitude, direction = _gradient_tables(orientations)
    y, x = np.arange(rows * cell) // cell, np.arange(columns * cell) // cell
    place = (y[:, None] * columns + x[None]) * orientations
    bins = direction[index] + place + (np.arange(n) * (rows * columns * orientations))[:, None, None]
    sums = np.bincount(bins.ravel(), magnitude[index].ravel(), minlength=n * rows * columns * orientations)
    return (sums / (cell * cell)).astype(np.float32).reshape(n, rows, columns, orientations)


def _normalise(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    squared = np.einsum("nbd,nbd->nb", vectors, vectors)
    return vectors / np.sqrt(squared + np.float32(1e-10))[:, :, None]
