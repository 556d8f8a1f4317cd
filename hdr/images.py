"""Open pictures from users: photos and the digits of an upload, which may be damaged or hostile.

A file states its size before anything of it is decoded. What decoding needs besides depends on the format, so the
limits and the decoding that needs the least memory are in one module.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hdr.types import HdrError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
"""Formats that are opened; Pillow knows many more, and every decoder is a risk."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
"""Ends of the names of such files, in lower case."""

MAX_BYTES = 25_000_000
"""Size limit of a file."""

MAX_PIXELS = 20_000_000
"""Pixel limit of a picture; a phone's photo has 12 million."""

MAX_SIDE = 65_535
"""Limit of a picture's longer side in pixels, as in JPEG and GIF: each row takes memory of its own."""

MAX_DECODING_BYTES = 88_000_000
"""Memory limit for decoding one picture, its result included."""

MAX_JPEG_SCANS = 40
"""Limit of the passes over all pixels that a JPEG can request; those of cameras and programs have 1 to 10."""

_BAND_PIXELS = 500_000
_ORIENTATION = 0x0112
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_MARKERS_WITHOUT_SEGMENT = {0x01, 0xD8, *range(0xD0, 0xD8)}


class ImageError(HdrError):
    """A file is not a picture that can be opened; the message says why."""


def open_image(source: str | Path | bytes) -> NDArray[np.uint8]:
    """Open a picture that may be damaged or hostile.

    Size, format and number of pixels are checked before anything is decoded. Of a picture with several frames the
    first is taken; EXIF rotation is applied; transparent parts become white.

    Args:
        source: a file, or its content.

    Returns:
        Grey values, uint8 (h, w), 255 white.

    Raises:
        ImageError: it says what is wrong and what would be right.
    """
    data = source if isinstance(source, bytes) else _read(Path(source))
    if not data:
        raise ImageError(f"The file is empty (0 bytes). A picture is needed: {_listed()}.")
    if len(data) > MAX_BYTES:
        raise ImageError(f"The file has {len(data):,} bytes; at most {MAX_BYTES:,} are allowed.")
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise ImageError(f"The picture has far too many pixels; at most {MAX_PIXELS:,} are allowed.") from None
    except Exception:  # noqa: BLE001
        # Damaged headers make the decoders raise errors of many kinds (struct, Value, Syntax, Overflow).
        raise ImageError(f"This is not a picture that can be opened. Allowed are {_listed()}.") from None
    with picture:
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise ImageError(
                f"The picture has {width:,} x {height:,} pixels, {width * height:,} in all; at most {MAX_PIXELS:,} "
                "are allowed. Make it smaller first."
            )
        if max(width, height) > MAX_SIDE:
            raise ImageError(
                f"The picture has {width:,} x {height:,} pixels; its longer side may have at most {MAX_SIDE:,}."
            )
        allowed = int(MAX_DECODING_BYTES / _bytes_per_pixel(picture))
        if width * height > allowed:
            raise ImageError(
                f"The picture has {width:,} x {height:,} pixels, {width * height:,} in all; of this kind "
                f"({picture.format}, {picture.mode}) at most {allowed:,} are allowed. Save it as an ordinary JPEG."
            )
        if _has_too_many_scans(data, picture):
            raise ImageError(
                f"The {picture.format} picture is packed in a way that takes very long to open. Save it as an "
                "ordinary JPEG or PNG."
            )
        try:
            return _grey_values(picture)
        except Exception as error:  # noqa: BLE001 - decoders raise errors of many kinds
            raise ImageError(
                f"The {picture.format} picture is damaged or incomplete ({type(error).__name__}) and cannot be "
                "decoded. Save it again, or take another."
            ) from None


def _read(path: Path) -> bytes:
    try:
        # A pipe or a device may never end.
        if not path.is_file():
            raise ImageError(f"{path} is not a file." if path.exists() else f"There is no file {path}.")
        with open(path, "rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ImageError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def _listed() -> str:
    return ", ".join(FORMATS[:-1]) + " and " + FORMATS[-1]


def _bytes_per_pixel(picture: Image.Image) -> float:
    """Return the memory limit of decoding, the grey values included."""
    if picture.format == "WEBP":
        # Its decoder keeps several frames in colour, and measured, no less than this.
        return 22
    # A progressive JPEG is kept as numbers of two bytes until its last scan; then there is no result yet.
    kept = (2 * len(picture.getbands()) - 1) * bool(picture.info.get("progressive"))
    if picture.mode in ("1", "L", "P") or (picture.format == "JPEG" and picture.mode == "RGB"):
        return 2 + kept
    return 3 if picture.mode.startswith("I;16") else 5 + kept


def _has_too_many_scans(data: bytes, picture: Image.Image) -> bool:
    """Whether a JPEG makes its decoder pass over the whole picture so often that some kilobytes take a minute."""
    if picture.format == "TIFF":
        # In TIFF there may be a JPEG for every stripe; hardly anything writes such files.
        return picture.info.get("compression") in ("jpeg", "tiff_jpeg")
    return picture.format in ("JPEG", "MPO") and _count_scans(data) > MAX_JPEG_SCANS


def _count_scans(data: bytes) -> int:
    """Count the scans of the first picture of a JPEG file, up to one more than the limit."""
    at, found = 2, 0
    while found <= MAX_JPEG_SCANS and (marker := _MARKER.search(data, at)):
        kind, at = data[marker.end() - 1], marker.end()
        if kind == 0xD9:
            break
        found += kind == 0xDA
        if kind not in _MARKERS_WITHOUT_SEGMENT:
            # A thumbnail in a segment has scans too, which are never decoded.
            at += max(2, int.from_bytes(data[at : at + 2], "big"))
    return found


def _grey_values(picture: Image.Image) -> NDArray[np.uint8]:
    """Decode an opened picture: apply its EXIF orientation and make transparent parts white."""
    # With this, the decoder of a colour photo makes only its brightness, in a quarter of the memory.
    picture.draft("L", picture.size)
    # Some formats give their EXIF data only after decoding.
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
    # Cameras and scanners store 10, 12 or 14 bits in 16; the brightest pixel shows how many are used.
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
    rows = max(1, _BAND_PIXELS // max(picture.width, 1))
    return [(top, min(top + rows, picture.height)) for top in range(0, picture.height, rows)]


def _upright(grey: NDArray[np.uint8], orientation: object) -> NDArray[np.uint8]:
    # Values of the EXIF tag; 1 is upright.
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
