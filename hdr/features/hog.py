"""Histograms of oriented gradients."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.features.batching import batched
from hdr.features.overlays import as_angle, as_brightness, line
from hdr.types import Drawing, Features, HdrError, Images

SHOWN = 0.08
"""Counts below this share of the highest are left out of the drawing."""

FEW = 64 * 28 * 28
"""Pixels below which each gradient is computed by itself."""


@lru_cache(maxsize=1)
def _every_vote(orientations: int, soft: bool) -> NDArray[np.float32]:
    # Differences of two grey values are whole numbers from -255 to 255, so that what every possible gradient counts for
    # each direction fits into a table, float32 (511 * 511, orientations); nothing is left to compute per pixel.
    return _votes(np.arange(511 * 511), orientations, soft)


def _votes(index: NDArray[np.integer], orientations: int, soft: bool) -> NDArray[np.float32]:
    """What gradients count for each direction, by their places in the table: int (n,) to float32 (n, orientations)."""
    gy, gx = (part.astype(np.float64) - 255 for part in np.divmod(index, 511))
    magnitude = np.hypot(gx, gy) / 255
    angle = np.rad2deg(np.arctan2(gy, gx)) % 180
    table, rows = np.zeros((len(angle), orientations), np.float32), np.arange(len(angle))
    # Multiplied before it is divided: 180 / 14 is rounded up, and 90 degrees would fall into the bin below theirs.
    place = angle * orientations / 180
    if not soft:
        bins = np.minimum(angle * orientations // 180, orientations - 1)
        table[rows, bins.astype(np.int64)] = magnitude
        return table
    lower = np.floor(place - 0.5)
    share = place - 0.5 - lower
    for bins, weight in ((lower, 1 - share), (lower + 1, share)):
        table[rows, (bins % orientations).astype(np.int64)] += (magnitude * weight).astype(np.float32)
    return table


def _pooling(side: int, cell: int, soft: bool) -> NDArray[np.float32]:
    # Weights float32 (side // cell, side) that average pixels over cells: all alike within a cell, or falling off
    # linearly from a cell's middle to the middles of its neighbours.
    cells, pixel = np.arange(side // cell)[:, None], np.arange(side)[None]
    inside = pixel // cell == cells
    middle = (cells + 0.5) * cell - 0.5
    weights = np.maximum(0, 1 - np.abs(pixel - middle) / cell) if soft else inside
    return (weights / cell).astype(np.float32)


def _grid(shape: tuple[int, int], cell: int, block: int) -> tuple[int, int]:
    # How many blocks fit down and across.
    h, w = shape
    down, across = h // cell - block + 1, w // cell - block + 1
    if down < 1 or across < 1:
        raise HdrError(
            f"HOG: {block} cells of {cell} px do not fit into {w}x{h} px; cell times block must be at most {min(h, w)}."
        )
    return down, across


def _columns(shape: tuple[int, int], cell: int, block: int, orientations: int, soft: bool) -> tuple[str, ...]:
    down, across = _grid(shape, cell, block)
    angles = [f"{(k + 0.5) * 180 / orientations:.0f}° in cell" for k in range(orientations)]
    return tuple(
        f"{angle} {bx + x + 1}, {by + y + 1}" + (f" of block {bx + 1}, {by + 1}" if block > 1 else "")
        for by in range(down)
        for bx in range(across)
        for y in range(block)
        for x in range(block)
        for angle in angles
    )


def _draw(image: NDArray[np.uint8], cell: int, block: int, orientations: int, soft: bool) -> tuple[Drawing, ...]:
    _grid(image.shape, cell, block)
    cells = cell_histograms(image[None], cell, orientations, soft)[0]
    strength = cells / max(float(cells.max()), 1e-9)
    lines = []
    for row, column, k in np.argwhere(strength > SHOWN):
        # A stroke runs across its gradient.
        turn = np.deg2rad((k + 0.5) * 180 / orientations + 90)
        middle = (np.array([column, row]) + 0.5) * cell - 0.5
        reach = 0.46 * cell * np.array([np.cos(turn), np.sin(turn)])
        # The root, as eyes judge brightness: without it only the strongest cell would be seen.
        lines.append(line([middle - reach, middle + reach], strength=float(strength[row, column, k]) ** 0.5))
    gy, gx = (_differences(image[None], axis)[0] for axis in (1, 2))
    return (
        Drawing(
            "Which way strokes run",
            np.zeros_like(image),
            marks=tuple(lines),
            note="In each cell a line along every direction, the stronger the more gradients run across it.",
        ),
        Drawing("Strength of the gradient", as_brightness(np.hypot(gx, gy)), note="Bright where the grey value jumps."),
        Drawing(
            "Direction of the gradient",
            as_angle(np.arctan2(gy, gx)),
            "angle",
            note="From dark to bright; flat areas have none.",
        ),
    )


@register("feature", "HOG", family="Texture", columns=_columns, draw=_draw)
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
    down, across = _grid(images.shape[1:], cell, block)

    def blocks(part: Images) -> Features:
        cells = cell_histograms(part, cell, orientations, soft)
        found = np.lib.stride_tricks.sliding_window_view(cells, (block, block), axis=(1, 2), writeable=True)
        flat = found.transpose(0, 1, 2, 4, 5, 3).reshape(len(part) * down * across, -1)
        _normalise(flat)
        np.minimum(flat, np.float32(0.2), out=flat)
        _normalise(flat)
        return flat.reshape(len(part), -1)

    return batched(images, down * across * block * block * orientations, blocks)


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
    # The index of a gradient in the table: (gy + 255) * 511 + (gx + 255).
    index = _differences(images, 1) * 511 + _differences(images, 2) + (255 * 511 + 255)
    index = index.ravel()
    # For a few digits the table would take longer, and 9 MB that stay.
    few = len(index) < FEW
    votes = _votes(index, orientations, soft) if few else _every_vote(orientations, soft).take(index, axis=0)
    down = _pooling(h, cell, soft) @ votes.reshape(n, h, w * orientations)
    # One large product of matrices takes less time than one small product for each row of cells.
    across = np.kron(_pooling(w, cell, soft).T, np.eye(orientations, dtype=np.float32))
    return (down.reshape(-1, w * orientations) @ across).reshape(n, h // cell, w // cell, orientations)


def _differences(images: Images, axis: int) -> NDArray[np.int32]:
    # Of the two neighbours of each pixel; the outermost differences are 0.
    values, out = np.moveaxis(images.astype(np.int32), axis, 0), np.zeros(images.shape, np.int32)
    np.moveaxis(out, axis, 0)[1:-1] = values[2:] - values[:-2]
    return out


def _normalise(vectors: NDArray[np.float32]) -> None:
    # In place: memory is what takes the time here.
    squared = np.einsum("bd,bd->b", vectors, vectors)
    vectors *= (1 / np.sqrt(squared + np.float32(1e-10)))[:, None]
