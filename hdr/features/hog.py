"""Histograms of oriented gradients."""

from __future__ import annotations

from functools import cache
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.types import Features, HdrError, Images

CHUNK = 512
"""Images at a time: their gradients by pixel and direction take 40 MB."""


@cache
def _gradient_tables(orientations: int, soft: bool) -> list[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    # Differences of two grey values are whole numbers from -255 to 255, so that bin and weight of every possible
    # gradient fit into tables; nothing is left to compute per pixel.
    gy, gx = np.mgrid[-255:256, -255:256].astype(np.float64)
    magnitude = np.hypot(gx, gy).ravel() / 255
    angle = (np.rad2deg(np.arctan2(gy, gx)) % 180).ravel()
    # Multiplied before it is divided: 180 / 14 is rounded up, and 90 degrees would fall into the bin below theirs.
    place = angle * orientations / 180
    if not soft:
        bins = np.minimum(angle * orientations // 180, orientations - 1)
        return [(bins.astype(np.uint8), magnitude.astype(np.float32))]
    lower = np.floor(place - 0.5)
    share = place - 0.5 - lower
    return [
        ((bins % orientations).astype(np.uint8), (magnitude * weight).astype(np.float32))
        for bins, weight in ((lower, 1 - share), (lower + 1, share))
    ]


@cache
def _pooling(side: int, cell: int, soft: bool) -> NDArray[np.float32]:
    # Weights float32 (side // cell, side) that average pixels over cells: all alike within a cell, or falling off
    # linearly from a cell's middle to the middles of its neighbours.
    cells, pixel = np.arange(side // cell)[:, None], np.arange(side)[None]
    inside = pixel // cell == cells
    middle = (cells + 0.5) * cell - 0.5
    weights = np.maximum(0, 1 - np.abs(pixel - middle) / cell) if soft else inside
    return (weights / cell).astype(np.float32)


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
    soft: Annotated[
        bool,
        Field(
            title="Soft counts",
            description="Lets each gradient count for the neighbouring cells and directions too, the more the nearer. "
            "Then a small shift or turn changes little.",
        ),
    ] = True,
) -> Features:
    """Counts, in small cells, which way the strokes run and how strongly. A little shift, another pen or paler ink
    hardly changes the counts, so classifiers learn from few examples.

    Takes uint8 (n, h, w), returns float32 (n, blocks * block * block * orientations).

    Formula: v \\leftarrow \\frac{v}{\\sqrt{\\lVert v \\rVert^2 + \\epsilon^2}}, \\text{ clipped at } 0.2
    \\text{, and once more}

    Source: Dalal and Triggs, Histograms of oriented gradients for human detection (2005),
    doi:10.1109/CVPR.2005.177, with their interpolation between cells and directions where counts are soft; without it,
    as in skimage.feature.hog.

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
        cells = cell_histograms(part, cell, orientations, soft)
        blocks = np.lib.stride_tricks.sliding_window_view(cells, (block, block), axis=(1, 2))
        flat = blocks.transpose(0, 1, 2, 4, 5, 3).reshape(len(part), down * across, -1)
        flat = np.minimum(_normalise(flat), np.float32(0.2))
        out[start : start + CHUNK] = _normalise(flat).reshape(len(part), -1)
    return out


def cell_histograms(images: Images, cell: int, orientations: int, soft: bool) -> NDArray[np.float32]:
    """The strength of the gradients in each cell, by direction.

    Args:
        images: uint8 (n, h, w).
        cell: side of a cell in pixels; what does not fill a cell at the right and bottom is left out.
        orientations: directions between 0 and 180 degrees.
        soft: whether gradients count for neighbouring cells and directions too.

    Returns:
        float32 (n, h // cell, w // cell, orientations), as magnitudes of grey values between 0 and 1.
    """
    n, h, w = images.shape
    values = images.astype(np.int32)
    # The index of a gradient in the tables: (gy + 255) * 511 + (gx + 255). The outermost differences are 0.
    index = np.full(images.shape, 255 * 511 + 255, np.int32)
    index[:, 1:-1] += (values[:, 2:] - values[:, :-2]) * 511
    index[:, :, 1:-1] += values[:, :, 2:] - values[:, :, :-2]
    pixel = np.arange(n * h * w, dtype=np.int32).reshape(n, h, w) * orientations
    size = n * h * w * orientations
    counts = sum(
        np.bincount((pixel + bins[index]).ravel(), weights[index].ravel(), minlength=size)
        for bins, weights in _gradient_tables(orientations, soft)
    )
    across = _pooling(h, cell, soft) @ counts.astype(np.float32).reshape(n, h, w * orientations)
    return _pooling(w, cell, soft) @ across.reshape(n, -1, w, orientations)


def _normalise(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    squared = np.einsum("nbd,nbd->nb", vectors, vectors)
    return vectors / np.sqrt(squared + np.float32(1e-10))[:, :, None]
