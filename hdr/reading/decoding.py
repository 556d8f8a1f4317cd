"""A picture's pixels as grey values, with bounds on what a small file can cost.

A file says how large its picture is before anything of it is decoded. What decoding takes besides depends on its
format, so that the bounds are here together with the ways that need the least.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MOST_MEMORY = 88_000_000
"""Bytes that a picture may take while it is decoded, the result among them."""

MOST_SCANS = 40
"""Most passes over its pixels that a JPEG may ask for; those of cameras and programs have 1 to 10."""

BAND = 500_000
"""Pixels that are turned grey at a time."""

_ORIENTATION = 0x0112
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_ALONE = {0x01, 0xD8, *range(0xD0, 0xD8)}


def memory(picture: Image.Image) -> float:
    """Bytes per pixel that decoding takes at most, the grey values among them."""
    if picture.format == "WEBP":
        # Its decoder keeps several frames in colour, and measured, no less than this.
        return 22
    # A progressive JPEG is kept as numbers of two bytes until its last scan; then there is no result yet.
    kept = (2 * len(picture.getbands()) - 1) * bool(picture.info.get("progressive"))
    if picture.mode in ("1", "L", "P") or (picture.format == "JPEG" and picture.mode == "RGB"):
        return 2 + kept
    return 3 if picture.mode.startswith("I;16") else 5 + kept


def too_many_scans(data: bytes, picture: Image.Image) -> bool:
    """Whether a JPEG lets its decoder go over the whole picture again and again: a minute for some kilobytes."""
    if picture.format == "TIFF":
        # In TIFF there may be a JPEG for every stripe; hardly anything writes such files.
        return picture.info.get("compression") in ("jpeg", "tiff_jpeg")
    return picture.format in ("JPEG", "MPO") and _scans(data) > MOST_SCANS


def _scans(data: bytes) -> int:
    """Scans of the first picture of a JPEG file, at most one more than are allowed."""
    at, found = 2, 0
    while found <= MOST_SCANS and (marker := _MARKER.search(data, at)):
        kind, at = data[marker.end() - 1], marker.end()
        if kind == 0xD9:
            break
        found += kind == 0xDA
        if kind not in _ALONE:
            # A thumbnail within a segment has scans of its own, which nobody decodes.
            at += max(2, int.from_bytes(data[at : at + 2], "big"))
    return found


def grey_values(picture: Image.Image) -> NDArray[np.uint8]:
    """Decode a picture: EXIF rotation is applied, transparent parts become white.

    Args:
        picture: opened and not decoded.

    Returns:
        uint8 (h, w), 255 white.
    """
    # Of a photo in colour the decoder makes nothing but the brightness then, in a quarter of the memory.
    picture.draft("L", picture.size)
    # Pictures are read from the file now: EXIF data of some formats are only known afterwards.
    picture.load()
    values = _deep(picture) if picture.mode[0] in "IF" else _flat(picture)
    return _upright(values, picture.getexif().get(_ORIENTATION))


def _flat(picture: Image.Image) -> NDArray[np.uint8]:
    out = np.empty((picture.height, picture.width), np.uint8)
    for top, bottom in _bands(picture):
        band = picture.crop((0, top, picture.width, bottom))
        if band.has_transparency_data:
            band = band.convert("RGBA")
            band = Image.alpha_composite(Image.new("RGBA", band.size, "white"), band)
        if band.mode not in ("1", "L"):
            band = band.convert("RGB")
        out[top:bottom] = np.asarray(band.convert("L"))
    return out


def _deep(picture: Image.Image) -> NDArray[np.uint8]:
    # Cameras and scanners put 10, 12 or 14 bits into 16; the brightest pixel tells how many are in use.
    brightest = max(
        float(band.max(initial=0, where=np.isfinite(band)))
        for band in (np.asarray(picture.crop((0, top, picture.width, bottom))) for top, bottom in _bands(picture))
    )
    full = 1.0 if 0 < brightest <= 1 else 2.0 ** max(8, np.ceil(np.log2(brightest + 1))) - 1
    out = np.empty((picture.height, picture.width), np.uint8)
    for top, bottom in _bands(picture):
        values = np.asarray(picture.crop((0, top, picture.width, bottom)))
        grey = np.nan_to_num(values.astype(np.float32), copy=False, posinf=0, neginf=0)
        grey *= np.float32(255 / full)
        out[top:bottom] = np.rint(grey, out=grey).clip(0, 255, out=grey)
    return out


def _bands(picture: Image.Image) -> list[tuple[int, int]]:
    rows = max(1, BAND // max(picture.width, 1))
    return [(top, min(top + rows, picture.height)) for top in range(0, picture.height, rows)]


def _upright(grey: NDArray[np.uint8], orientation: object) -> NDArray[np.uint8]:
    # Values of the EXIF tag: the first row is to be at the top, and the first column on the left.
    turned = {
        2: lambda: np.fliplr(grey),
        3: lambda: np.rot90(grey, 2),
        4: lambda: np.flipud(grey),
        5: lambda: grey.T,
        6: lambda: np.rot90(grey, -1),
        7: lambda: np.rot90(grey, 2).T,
        8: lambda: np.rot90(grey, 1),
    }
    if not isinstance(orientation, int) or orientation not in turned:
        return grey
    return np.ascontiguousarray(turned[orientation]())
