"""Grey-level co-occurrence."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.features.batching import batched
from hdr.features.overlays import as_brightness, line
from hdr.types import Drawing, Features, Images

ANGLES = (0, 45, 90, 135)
"""Directions in which pairs of pixels lie, in degrees."""

PROPERTIES = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation")

Directions = Literal["each", "average"]


def _columns(shape: tuple[int, int], levels: int, distance: int, directions: Directions) -> tuple[str, ...]:
    if directions == "average":
        return PROPERTIES
    return tuple(f"{name} at {angle}°" for name in PROPERTIES for angle in ANGLES)


def _draw(image: NDArray[np.uint8], levels: int, distance: int, directions: Directions) -> tuple[Drawing, ...]:
    grey = _quantised(image[None], levels)[0]
    h, w = image.shape
    middle = np.array([w // 2, h // 2])
    pairs = [
        line([middle, middle + np.array(_offset(angle, distance))[::-1]], series) for series, angle in enumerate(ANGLES)
    ]
    matrices = _matrices(image[None], levels, distance)[0]
    found = _properties(matrices[None])[0]
    drawings = [
        Drawing(
            f"In {levels} grey levels",
            as_brightness(grey),
            marks=tuple(pairs),
            note="From one pixel to its partners in four directions.",
        )
    ]
    for i in (0, 1, 2):
        # The many pairs of paper and paper would leave nothing else to be seen.
        shown = as_brightness(np.log1p(matrices[i] * image.size))
        note = f"Contrast {found[0, i]:.2f}, homogeneity {found[2, i]:.2f}, energy {found[3, i]:.2f}."
        drawings.append(Drawing(f"Pairs at {ANGLES[i]}° (logarithm)", shown, note=note))
    return tuple(drawings)


@register("feature", "Grey-level co-occurrence (GLCM)", family="Texture", columns=_columns, draw=_draw)
def grey_level_cooccurrence(
    images: Images,
    *,
    levels: Annotated[
        Literal[2, 4, 8, 16], Field(title="Grey levels", description="How many grey values are told apart.")
    ] = 8,
    distance: Annotated[
        int,
        Field(
            ge=1,
            le=8,
            title="Distance",
            description="Between the two pixels of a pair.",
            json_schema_extra={"unit": "px"},
        ),
    ] = 1,
    directions: Annotated[
        Directions,
        Field(title="Directions", description="Each of four directions for itself, or their average."),
    ] = "each",
) -> Features:
    """Counts which grey values lie side by side, and sums the table up in five numbers from contrast to correlation.
    Made for textures such as cloth and skin, it sees little of a digit's shape, but tells rough strokes from smooth
    ones.

    Takes uint8 (n, h, w), returns float32 (n, 20), or (n, 5) for the average: each property at 0, 45, 90 and 135
    degrees. Pairs count both ways. Where no pair fits into the picture the first four are 0; a flat picture has
    correlation 1.

    Formula: \\text{contrast} = \\sum_{i,j} P_{ij} (i - j)^2, \\quad \\text{energy} = \\sqrt{\\sum_{i,j} P_{ij}^2}

    Source: Haralick, Shanmugam and Dinstein, Textural features for image classification (1973),
    doi:10.1109/TSMC.1973.4309314; skimage.feature.graycomatrix and graycoprops.
    """

    def measure(part: Images) -> NDArray[np.float64]:
        found = _properties(_matrices(part, levels, distance))
        return found.mean(axis=2) if directions == "average" else found.reshape(len(part), -1)

    return batched(images, len(PROPERTIES) * (1 if directions == "average" else len(ANGLES)), measure)


def _quantised(images: Images, levels: int) -> Images:
    return images // np.uint8(256 // levels)


def _offset(angle: int, distance: int) -> tuple[int, int]:
    # Rows and columns from one pixel of a pair to the other, y down as in scikit-image.
    turn = np.deg2rad(angle)
    return round(np.sin(turn) * distance), round(np.cos(turn) * distance)


def _matrices(images: Images, levels: int, distance: int) -> NDArray[np.float64]:
    # How probable each pair of grey levels is: (n, angles, levels, levels).
    n, h, w = images.shape
    grey = _quantised(images, levels).astype(np.int64)
    number = np.arange(n)[:, None, None] * levels**2
    out = np.zeros((n, len(ANGLES), levels, levels))
    for i, angle in enumerate(ANGLES):
        rows, columns = _offset(angle, distance)
        if rows >= h or abs(columns) >= w:
            continue
        left, right = max(-columns, 0), w - max(columns, 0)
        first = grey[:, : h - rows, left:right]
        second = grey[:, rows:, left + columns : right + columns]
        index = number + first * levels + second
        counts = np.bincount(index.ravel(), minlength=n * levels**2).reshape(n, levels, levels)
        out[:, i] = (counts + counts.swapaxes(1, 2)) / (2 * first[0].size)
    return out


def _properties(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    # (n, angles, levels, levels) to (n, properties, angles).
    levels = matrices.shape[-1]
    i, j = np.mgrid[:levels, :levels].astype(np.float64)
    flat = matrices.reshape(*matrices.shape[:2], levels * levels)
    apart = (i - j).ravel()
    weights = np.stack(
        [apart**2, np.abs(apart), 1 / (1 + apart**2), i.ravel(), (i * i).ravel(), (i * j).ravel()], axis=1
    )
    contrast, dissimilarity, homogeneity, mean, square, product = np.moveaxis(flat @ weights, 2, 0)
    energy = np.sqrt(np.einsum("nal,nal->na", flat, flat))
    variance = square - mean**2
    # Grey levels are whole numbers: what varies at all varies by more than a rounding.
    varies = variance > 1e-9
    correlation = np.where(varies, (product - mean**2) / np.where(varies, variance, 1), 1)
    return np.stack([contrast, dissimilarity, homogeneity, energy, correlation], axis=1)
