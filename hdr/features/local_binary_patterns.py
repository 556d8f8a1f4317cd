"""Local binary patterns."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.features.batching import Zones, batched, zone_names, zone_of
from hdr.features.overlays import area, as_brightness, grid, points
from hdr.types import Drawing, Features, Images

FINE = 4096
"""Interpolation counts in whole parts of this size: sums are exact, and in flat areas all is equal, not nearly so."""

Patterns = Literal["uniform", "rotation-invariant"]


def _columns(shape: tuple[int, int], radius: int, samples: int, patterns: Patterns, zones: int) -> tuple[str, ...]:
    if patterns == "rotation-invariant":
        names = [f"{ones} of {samples} as bright" for ones in range(samples + 1)]
    else:
        # Of as many brighter places, pattern i begins at place samples - i and goes on upwards; named is its middle.
        some = [
            f"{ones} of {samples} as bright, at {360 / samples * (i - (ones - 1) / 2) % 360:g}°"
            for ones in range(1, samples)
            for i in range(samples)
        ]
        names = [f"0 of {samples} as bright", *some, f"{samples} of {samples} as bright"]
    return tuple(name + zone for zone in zone_names(zones) for name in [*names, "other pattern"])


def _draw(image: NDArray[np.uint8], radius: int, samples: int, patterns: Patterns, zones: int) -> tuple[Drawing, ...]:
    codes = _codes(image[None], radius, samples)[0]
    bright = np.bitwise_count(codes)
    # Shown around a pixel at an edge, whose pattern is about half and half, as near to the middle as there is one.
    rows, columns = (np.abs(np.arange(side) - (side - 1) / 2) / side for side in image.shape)
    y, x = np.unravel_index(np.argmin(np.abs(bright - samples / 2) + rows[:, None] / 2 + columns / 2), image.shape)
    ring = np.array([(x, y)]) + radius * _circle(samples)
    on = (codes[y, x] >> np.arange(samples)) & 1 == 1
    sides = [points(ring[which], series) for series, which in enumerate((on, ~on)) if which.any()]
    uniform = _bins(samples, "rotation-invariant")[codes] <= samples
    return (
        Drawing(
            "One pixel's pattern",
            image,
            marks=(area(ring), *sides),
            note=f"Of {samples} places around it, {int(on.sum())} are at least as bright as the pixel in the middle.",
        ),
        Drawing(
            "How many are as bright",
            as_brightness(bright),
            marks=grid(image.shape, zones),
            note="White in flat areas and on dark spots, dark on thin strokes.",
        ),
        Drawing(
            "Uniform patterns",
            uniform.astype(np.uint8) * np.uint8(255),
            note="White where the brighter places lie side by side, as at edges, corners and line ends.",
        ),
    )


@register("feature", "Local binary patterns (LBP)", family="Texture", columns=_columns, draw=_draw)
def local_binary_patterns(
    images: Images,
    *,
    radius: Annotated[
        int,
        Field(
            ge=1,
            le=4,
            title="Radius",
            description="Of the circle on which a pixel is compared with its surroundings.",
            json_schema_extra={"unit": "px"},
        ),
    ] = 1,
    samples: Annotated[
        Literal[8, 12, 16], Field(title="Points", description="Places on the circle that are compared.")
    ] = 8,
    patterns: Annotated[
        Patterns,
        Field(
            title="Patterns",
            description="Whether it counts in which direction the brighter places lie, or only how many they are.",
        ),
    ] = "uniform",
    zones: Zones = 2,
) -> Features:
    """Compares every pixel with a ring of places around it, brighter or darker, and counts which patterns occur in each
    zone. Only the order of grey values counts, so paler ink or more contrast changes next to nothing.

    Takes uint8 (n, h, w), returns float32 (n, zones * zones * patterns): shares of the zone's pixels, from 0 to 1. A
    pattern is uniform if its brighter places lie side by side; all others are counted as one. There are samples + 2 of
    them, or samples * (samples - 1) + 3 where the direction counts. Outside the picture all is black.

    Formula: \\text{LBP} = \\sum_{p=0}^{P-1} [\\, g_p \\ge g_c \\,]\\, 2^p

    Source: Ojala, Pietikäinen and Mäenpää, Multiresolution gray-scale and rotation invariant texture classification
    with local binary patterns (2002), doi:10.1109/TPAMI.2002.1017623; skimage.feature.local_binary_pattern, methods
    nri_uniform and uniform.
    """
    _, h, w = images.shape
    table = _bins(samples, patterns)
    kinds = int(table.max()) + 1
    zone = zone_of(h, zones)[:, None] * zones + zone_of(w, zones)
    pixels = np.maximum(np.bincount(zone.ravel(), minlength=zones * zones), 1)

    def shares(part: Images) -> NDArray[np.float64]:
        image = np.arange(len(part))[:, None, None] * (zones * zones)
        index = (image + zone) * kinds + table[_codes(part, radius, samples)]
        counts = np.bincount(index.ravel(), minlength=len(part) * zones * zones * kinds)
        return (counts.reshape(len(part), zones * zones, kinds) / pixels[:, None]).reshape(len(part), -1)

    return batched(images, zones * zones * kinds, shares)


def _circle(samples: int) -> NDArray[np.float64]:
    # x, y of places on a circle of radius 1: to the right first, then upwards.
    turn = 2 * np.pi * np.arange(samples) / samples
    return np.round(np.stack([np.cos(turn), -np.sin(turn)], axis=1), 12)


def _codes(images: Images, radius: int, samples: int) -> NDArray[np.uint16]:
    # Each pixel's pattern, (n, h, w): bit p is set where place p is at least as bright as the pixel.
    _, h, w = images.shape
    gap = radius + 1
    padded = np.pad(images.astype(np.int32), ((0, 0), (gap, gap), (gap, gap)))
    centre = images.astype(np.int32) * FINE
    codes = np.zeros(images.shape, np.uint16)
    for p, (x, y) in enumerate(_circle(samples) * radius):
        value = np.zeros_like(centre)
        for row, column, weight in _neighbours(x, y):
            top, left = gap + row, gap + column
            value += padded[:, top : top + h, left : left + w] * weight
        codes |= (value >= centre).astype(np.uint16) << np.uint16(p)
    return codes


def _neighbours(x: float, y: float) -> list[tuple[int, int, int]]:
    # Rows, columns and weights (together FINE) of the pixels between which a place lies.
    row, column = int(np.floor(y)), int(np.floor(x))
    right, below = x - column, y - row
    corners = [(0, 0, (1 - below) * (1 - right)), (0, 1, (1 - below) * right), (1, 0, below * (1 - right))]
    weights = [(row + dy, column + dx, round(share * FINE)) for dy, dx, share in corners]
    weights.append((row + 1, column + 1, FINE - sum(weight for *_, weight in weights)))
    return [found for found in weights if found[2]]


@lru_cache(maxsize=6)
def _bins(samples: int, patterns: Patterns) -> NDArray[np.int64]:
    # Of every pattern its number, in the order of scikit-image.
    code = np.arange(1 << samples)
    ones = np.bitwise_count(code).astype(np.int64)
    turned = (code >> 1) | ((code & 1) << (samples - 1))
    uniform = np.bitwise_count(code ^ turned) <= 2
    if patterns == "rotation-invariant":
        return np.where(uniform, ones, samples + 1)
    lowest_one, lowest_zero = (np.bitwise_count((c & -c) - 1).astype(np.int64) for c in (code, ~code))
    turn = np.where(code & 1, ones - lowest_zero, samples - lowest_one)
    found = np.where(ones == 0, 0, 1 + (ones - 1) * samples + turn)
    found[-1] = samples * (samples - 1) + 1
    return np.where(uniform, found, samples * (samples - 1) + 2)
