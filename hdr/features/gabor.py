"""Gabor filters: waves of one length and direction, fading out around each pixel."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.features.batching import Zones, batched, zone_means, zone_names
from hdr.features.overlays import as_brightness, as_signed, grid, mosaic
from hdr.types import Drawing, Element, Features, Images

BANDWIDTH = 0.5622
"""Standard deviation of the filter in wavelengths: it then lets through one octave."""

REACH = 3
"""Standard deviations after which a filter ends."""

Filter = tuple[NDArray[np.complex64], NDArray[np.complex64], NDArray[np.float32], NDArray[np.float32], complex]


def _bank(wavelength: int, scales: int, orientations: int) -> list[tuple[float, float]]:
    # Wavelength and direction (degrees) of each filter.
    return [(wavelength * 2.0**s, k * 180 / orientations) for s in range(scales) for k in range(orientations)]


def _columns(shape: tuple[int, int], wavelength: int, scales: int, orientations: int, zones: int) -> tuple[str, ...]:
    return tuple(
        f"waves of {length:g} px at {angle:.0f}°{zone}"
        for length, angle in _bank(wavelength, scales, orientations)
        for zone in zone_names(zones)
    )


def _draw(image: NDArray[np.uint8], wavelength: int, scales: int, orientations: int, zones: int) -> tuple[Drawing, ...]:
    bank = _bank(wavelength, scales, orientations)
    found = np.stack([_energy(image[None], *one)[0] for one in bank])
    h, w = image.shape
    x, y = np.arange(w) - (w - 1) / 2, np.arange(h)[:, None] - (h - 1) / 2
    waves = []
    for length, angle in bank:
        c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        fading = np.exp(-(x**2 + y**2) / (2 * (BANDWIDTH * length) ** 2))
        waves.append(as_signed(fading * np.cos(2 * np.pi / length * (c * x + s * y)), 1))
    strongest = found.argmax(axis=0)
    directions = np.array([angle for _, angle in bank])[strongest]
    return (
        Drawing("Digit", image, marks=grid(image.shape, zones), note="Responses are averaged in each zone."),
        Drawing("Filters", mosaic(np.stack(waves), 128), "signed", note="One for each wavelength and direction."),
        Drawing("Responses", mosaic(as_brightness(found)), note="Bright where the digit looks like the filter."),
        # Directions repeat after 180 degrees, colours after 360.
        Drawing(
            "Strongest direction",
            np.rint(directions * (255 / 180)).astype(np.uint8),
            "angle",
            note="Of the waves, as a colour: it runs across the stroke.",
        ),
    )


@register("feature", "Gabor bank", family="Texture", columns=_columns, draw=_draw)
def gabor_bank(
    images: Images,
    *,
    wavelength: Annotated[
        int,
        Field(
            ge=3,
            le=12,
            title="Wavelength",
            description="Of the shortest waves; two strokes' widths is a good start.",
            json_schema_extra={"unit": "px"},
        ),
    ] = 5,
    scales: Annotated[
        int, Field(ge=1, le=3, title="Scales", description="How many wavelengths, each twice as long as the last.")
    ] = 2,
    orientations: Annotated[
        int, Field(ge=2, le=12, title="Directions", description="How many directions between 0 and 180 degrees.")
    ] = 4,
    zones: Zones = 4,
) -> Features:
    """Looks for waves of a few lengths and directions around every pixel, much as cells of our visual cortex do, and
    averages their strength by zone. Strokes of one width answer to one wave wherever exactly they lie, so the numbers
    say which way strokes run in which zone.

    Takes uint8 (n, h, w), returns float32 (n, scales * orientations * zones * zones): the mean size of the complex
    response, with grey values from 0 to 1. The filters have no mean, so flat areas give 0, and the picture goes on at
    its edges as it ends.

    Formula: g(x, y) = e^{-\\frac{x^2 + y^2}{2 \\sigma^2}}\\, e^{\\, 2 \\pi i \\frac{x \\cos\\theta + y
    \\sin\\theta}{\\lambda}}

    Source: Daugman, Uncertainty relation for resolution in space, spatial frequency, and orientation (1985),
    doi:10.1364/JOSAA.2.001160; skimage.filters.gabor_kernel.
    """
    bank = _bank(wavelength, scales, orientations)

    def strengths(part: Images) -> NDArray[np.float32]:
        return np.hstack([zone_means(_energy(part, *one), zones) for one in bank])

    return batched(images, len(bank) * zones * zones, strengths)


def _energy(images: Images, wavelength: float, angle: float) -> NDArray[np.float32]:
    # Size of the response at each pixel, (n, h, w). A wave that fades alike in all directions is a product of one along
    # x and one along y, so two products of matrices do what a sum over a square at each pixel would.
    _, h, w = images.shape
    along_x, along_y, blur_x, blur_y, mean = _filter(h, w, wavelength, angle)
    values = images.astype(np.float32) / np.float32(255)
    response = along_y @ (values @ along_x.real + 1j * (values @ along_x.imag))
    response -= np.complex64(mean) * (blur_y @ (values @ blur_x))
    return np.abs(response)


@lru_cache(maxsize=128)
def _filter(h: int, w: int, wavelength: float, angle: float) -> Filter:
    # Matrices (w, w) that are multiplied from the right and (h, h) from the left, with and without the wave; and the
    # share of a flat area that the wave alone would let through.
    sigma = BANDWIDTH * wavelength
    reach = int(np.ceil(REACH * sigma))
    at = np.arange(-reach, reach + 1)
    bell = np.exp(-(at**2) / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma)
    turn = np.deg2rad(angle)
    waves = [bell * np.exp(2j * np.pi / wavelength * part * at) for part in (np.cos(turn), np.sin(turn))]
    mean = complex(waves[0].sum() * waves[1].sum() / bell.sum() ** 2)
    across, down = (_matrix(side, at, wave).astype(np.complex64) for side, wave in zip((w, h), waves, strict=True))
    blur_x, blur_y = (_matrix(side, at, bell).astype(np.float32) for side in (w, h))
    return np.ascontiguousarray(across.T), down, np.ascontiguousarray(blur_x.T), blur_y, mean


def _matrix(side: int, at: NDArray[np.int64], kernel: NDArray[Element]) -> NDArray[Element]:
    # Row i holds what each pixel counts for the result at i; the pixels at the ends stand for those beyond them.
    out = np.zeros((side, side), kernel.dtype)
    rows = np.arange(side)[:, None]
    np.add.at(out, (np.broadcast_to(rows, (side, len(at))), np.clip(rows + at, 0, side - 1)), kernel)
    return out
