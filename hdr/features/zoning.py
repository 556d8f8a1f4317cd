"""How the ink is spread over the picture: by rows, by columns and by zones."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.features.batching import batched, zone_means, zone_of
from hdr.features.overlays import grid as grid_lines
from hdr.features.overlays import line
from hdr.types import Drawing, Features, Images


def _profile_columns(shape: tuple[int, int]) -> tuple[str, ...]:
    h, w = shape
    return (*(f"ink in row {y} (%)" for y in range(h)), *(f"ink in column {x} (%)" for x in range(w)))


def _draw_profiles(image: NDArray[np.uint8]) -> tuple[Drawing, ...]:
    h, w = image.shape
    rows, columns = np.split(profiles(image[None])[0] / 100, [h])
    # From edge to edge, so that one row alone is a line as well.
    down, across = (np.concatenate([[-0.5], np.arange(side), [side - 0.5]]) for side in (h, w))
    by_row = line(np.stack([np.pad(rows, 1, "edge") * w - 0.5, down], axis=1))
    by_column = line(np.stack([across, h - 0.5 - np.pad(columns, 1, "edge") * h], axis=1), series=1)
    return (
        Drawing("Rows", image, marks=(by_row,), note="The further to the right, the more ink is in the row."),
        Drawing("Columns", image, marks=(by_column,), note="The higher, the more ink is in the column."),
    )


@register("feature", "Row and column profiles", family="Zones", columns=_profile_columns, draw=_draw_profiles)
def profiles(images: Images) -> Features:
    """Adds up the ink of every row and of every column, like the shadows that the digit throws to the side and
    downwards. In place of 784 pixels there are 56 numbers, in which a 1 is one narrow peak and an 8 has two humps.

    Takes uint8 (n, h, w), returns float32 (n, h + w), from 0 to 100: how much of the row or column is ink.

    Formula: r_y = \\frac{1}{w} \\sum_x f(x, y), \\quad c_x = \\frac{1}{h} \\sum_y f(x, y)

    Source: Trier, Jain and Taxt, Feature extraction methods for character recognition (1996),
    doi:10.1016/0031-3203(95)00118-2, projection histograms.
    """
    _, h, w = images.shape

    def sums(part: Images) -> NDArray[np.float64]:
        rows, columns = (part.sum(axis=axis, dtype=np.int64) for axis in (2, 1))
        return np.hstack([rows / w, columns / h]) * (100 / 255)

    return batched(images, h + w, sums)


def _zoning_columns(shape: tuple[int, int], grid: int) -> tuple[str, ...]:
    return tuple(f"ink in zone {x + 1}, {y + 1} (%)" for y in range(grid) for x in range(grid))


def _draw_zoning(image: NDArray[np.uint8], grid: int) -> tuple[Drawing, ...]:
    h, w = image.shape
    means = zoning(image[None], grid=grid)[0].reshape(grid, grid) * 2.55
    spread = np.rint(means[zone_of(h, grid)][:, zone_of(w, grid)]).astype(np.uint8)
    marks = grid_lines(image.shape, grid)
    return (
        Drawing("Zones", image, marks=marks),
        Drawing("Mean of each zone", spread, marks=marks, note=f"{grid * grid} numbers are left of the digit."),
    )


@register("feature", "Zoning", family="Zones", columns=_zoning_columns, draw=_draw_zoning)
def zoning(
    images: Images,
    *,
    grid: Annotated[int, Field(ge=1, le=14, title="Grid", description="Zones along each side of the picture.")] = 4,
) -> Features:
    """Lays a grid over the picture and takes the mean grey value of each zone. It is the simplest summary of where the
    ink is, short enough for any classifier, and small shifts within a zone do not matter.

    Takes uint8 (n, h, w), returns float32 (n, grid * grid), from 0 to 100, row by row; 0 in zones without pixels, where
    the grid is finer than the picture.

    Source: Trier, Jain and Taxt, Feature extraction methods for character recognition (1996),
    doi:10.1016/0031-3203(95)00118-2, zoning.
    """
    return batched(images, grid * grid, lambda part: zone_means(part * (100 / 255), grid))
