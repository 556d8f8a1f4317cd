"""Corners: points around which the picture changes in more than one direction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.features.batching import Zones, count_in_zones, zone_names
from hdr.features.overlays import as_brightness, as_signed, counted, grid, points
from hdr.types import Drawing, Features, Images

Window = Annotated[
    int,
    Field(
        ge=2,
        le=9,
        title="Window",
        description="Side of the square in which gradients are compared.",
        json_schema_extra={"unit": "px"},
    ),
]

Quality = Annotated[
    int,
    Field(
        ge=1,
        le=90,
        title="Quality from",
        description="Corners weaker than this share of the strongest one are left out.",
        json_schema_extra={"unit": "%"},
    ),
]

Distance = Annotated[
    int,
    Field(
        ge=1,
        le=10,
        title="Distance",
        description="Of corners nearer to each other than this, only the strongest stays.",
        json_schema_extra={"unit": "px"},
    ),
]


def _columns(shape: tuple[int, int], zones: int, **params: float) -> tuple[str, ...]:
    return tuple(f"corners{zone}" for zone in zone_names(zones))


def _draw_harris(
    image: NDArray[np.uint8], window: int, k: float, quality: int, distance: int, zones: int
) -> tuple[Drawing, ...]:
    response = cv2.cornerHarris(image, window, 3, k)
    shown = as_signed(np.cbrt(response), float(np.cbrt(np.abs(response).max())))
    note = "Above 0 at corners, below it along edges, 0 where nothing changes (cube root)."
    return _drawings(
        image, _find(image, window, quality, distance, k), zones, Drawing("Measure", shown, "signed", (), note)
    )


def _draw_shi_tomasi(
    image: NDArray[np.uint8], window: int, quality: int, distance: int, zones: int
) -> tuple[Drawing, ...]:
    # In flat areas rounding can leave it a little below 0.
    shown = as_brightness(np.sqrt(np.maximum(cv2.cornerMinEigenVal(image, window), 0)))
    note = "How much the picture changes in the direction in which it changes least (square root)."
    return _drawings(image, _find(image, window, quality, distance), zones, Drawing("Measure", shown, note=note))


def _drawings(
    image: NDArray[np.uint8], found: NDArray[np.float64], zones: int, measure: Drawing
) -> tuple[Drawing, ...]:
    marks = (*grid(image.shape, zones), *((points(found),) if len(found) else ()))
    return Drawing("Corners", image, marks=marks, note=f"{counted(len(found), 'corner')}."), measure


@register("feature", "Harris corners", family="Local", columns=_columns, draw=_draw_harris)
def harris_corners(
    images: Images,
    *,
    window: Window = 3,
    k: Annotated[
        float,
        Field(
            ge=0.02,
            le=0.2,
            title="k",
            description="The higher, the more surely edges are told from corners, and the fewer weak corners are left.",
            json_schema_extra={"step": 0.01},
        ),
    ] = 0.04,
    quality: Quality = 20,
    distance: Distance = 4,
    zones: Zones = 2,
) -> Features:
    """Counts the points around which the picture changes whichever way one moves, as at the bends and ends of strokes.
    A 7 bends sharply where a 0 is round, and counted by zone, they say where a digit bends and ends.

    Takes uint8 (n, h, w), returns float32 (n, zones * zones). Only the strongest of close corners stays, and the
    outermost pixels are left out.

    Formula: R = \\det M - k\\, (\\operatorname{tr} M)^2, \\quad M = \\sum_{\\text{window}} \\begin{pmatrix} f_x^2 & f_x
    f_y \\\\ f_x f_y & f_y^2 \\end{pmatrix}

    Source: Harris and Stephens, A combined corner and edge detector (1988), doi:10.5244/C.2.23; cv2.cornerHarris,
    cv2.goodFeaturesToTrack.
    """
    return _count((_find(image, window, quality, distance, k) for image in images), images.shape, zones)


@register("feature", "Shi-Tomasi corners", family="Local", columns=_columns, draw=_draw_shi_tomasi)
def shi_tomasi_corners(
    images: Images, *, window: Window = 3, quality: Quality = 30, distance: Distance = 4, zones: Zones = 2
) -> Features:
    """Looks for the direction in which the picture changes least, and calls a point a corner where even that is a lot.
    These points are easy to find again after a small change, and it needs no constant as Harris' measure does.

    Takes uint8 (n, h, w), returns float32 (n, zones * zones). Only the strongest of close corners stays, and the
    outermost pixels are left out.

    Formula: R = \\min(\\lambda_1, \\lambda_2) \\text{ of } M

    Source: Shi and Tomasi, Good features to track (1994), doi:10.1109/CVPR.1994.323794; cv2.goodFeaturesToTrack.
    """
    return _count((_find(image, window, quality, distance) for image in images), images.shape, zones)


def _find(
    image: NDArray[np.uint8], window: int, quality: int, distance: int, k: float | None = None
) -> NDArray[np.float64]:
    # Corners as x, y: float (count, 2); with k by Harris' measure.
    found = cv2.goodFeaturesToTrack(
        image, 0, quality / 100, distance, blockSize=window, useHarrisDetector=k is not None, k=k or 0.04
    )
    return np.zeros((0, 2)) if found is None else found.reshape(-1, 2).astype(np.float64)


def _count(corners: Iterator[NDArray[np.float64]], shape: tuple[int, ...], zones: int) -> Features:
    found = list(corners)
    number = np.repeat(np.arange(len(found)), [len(f) for f in found])
    x, y = np.concatenate([np.zeros((0, 2)), *found]).T
    return count_in_zones((number, y, x), shape, zones).astype(np.float32)
