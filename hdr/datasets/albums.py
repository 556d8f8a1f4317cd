"""Pictures in folders 0 to 9, of any size: what people photograph and sort themselves."""

from __future__ import annotations

import io
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from hdr.datasets.archives import Archive, path_of
from hdr.datasets.framing import framed
from hdr.datasets.pieces import LONGEST_SIDE, Meter, Part, UploadError, reasons, role_of
from hdr.types import SIDE, HdrError

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
PICTURE_BYTES = 4_000_000


def is_picture(name: str) -> bool:
    """Whether a file is one, by its name."""
    return name.lower().endswith(PICTURES)


def read_pictures(archive: Archive, meter: Meter) -> list[Part]:
    """Pictures in folders 0 to 9, below folders for training and testing where there are such.

    Raises:
        UploadError: it holds none, or too much.
    """
    parts = {"train": _Album(), "test": _Album(), "": _Album()}
    for member in archive.members:
        meter.check_time()
        folders = path_of(member).parts[:-1]
        label = next((f for f in reversed(folders) if len(f) == 1 and f in "0123456789"), None)
        role = next((r for f in reversed(folders) if (r := role_of(f))), "")
        album = parts[role]
        if not is_picture(member.filename):
            album.part.skip("files that are no pictures", member.filename)
        elif label is None:
            album.part.skip("pictures outside folders 0 to 9", member.filename)
        elif member.file_size > PICTURE_BYTES:
            album.part.skip("pictures that are too large", member.filename)
        else:
            data = b"".join(archive.content(member))
            meter.spend(len(data), "Opening pictures")
            try:
                album.add(_opened(data), int(label), meter)
            except HdrError as error:
                if isinstance(error, UploadError):
                    raise
                album.part.skip("pictures that cannot be opened", member.filename)
    found = [album.close(role) for role, album in parts.items()]
    if not any(album.count for album in parts.values()):
        why = reasons(sum((p.skipped for p in found), Counter()))
        raise UploadError(f"The ZIP holds no pictures in folders named 0 to 9, such as 7/first.png. {why}".strip())
    return found


class _Unreadable(HdrError):
    """A picture that cannot be opened."""


class _Album:
    """Pictures of any size, brought to 28x28."""

    def __init__(self) -> None:
        self.part = Part()
        self._images: list[NDArray[np.uint8]] = []
        self._native: list[int] = []
        self._labels: list[int] = []

    def add(self, image: NDArray[np.uint8], label: int, meter: Meter) -> None:
        meter.found(1)
        self._labels.append(label)
        if image.shape == (SIDE, SIDE):
            self._native.append(len(self._images))
        else:
            # One by one: each may have a size of its own, and a polarity.
            self.part.framed = True
            image = framed(image[None])[0]
        self._images.append(image)

    @property
    def count(self) -> int:
        return len(self._labels)

    def close(self, role: str) -> Part:
        images = np.stack(self._images) if self._images else np.zeros((0, SIDE, SIDE), np.uint8)
        if self.part.framed and self._native:
            # One rule for all.
            images[self._native] = framed(images[self._native])
        self.part.role, self.part.images, self.part.labels = role, images, np.array(self._labels, np.int64)
        return self.part


def _opened(data: bytes) -> NDArray[np.uint8]:
    """A picture as grey values, uint8 (h, w); what is transparent is white."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if not (1 <= width <= LONGEST_SIDE and 1 <= height <= LONGEST_SIDE):
                raise _Unreadable("too large")
            if picture.mode[0] in "IF":
                deep = np.asarray(picture, np.float32)
                return np.rint(deep * (255 / max(255.0, float(deep.max(initial=0))))).clip(0, 255).astype(np.uint8)
            if not picture.has_transparency_data:
                return np.array(picture.convert("L"))
            above = picture.convert("RGBA")
            return np.array(Image.alpha_composite(Image.new("RGBA", above.size, "white"), above).convert("L"))
    except MemoryError:
        raise
    except Exception as error:
        # Damaged pictures make the decoders raise errors of every kind.
        raise _Unreadable(type(error).__name__) from None
