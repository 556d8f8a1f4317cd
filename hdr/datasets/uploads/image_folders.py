"""Pictures of any size in folders 0 to 9, such as sorted photos."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from hdr.datasets.formats.mnist_frame import to_mnist_frame
from hdr.datasets.formats.stream import Part, UploadBudget, UploadError, skip_summary, split_of
from hdr.datasets.uploads.zip_guard import Archive, path_of
from hdr.images import MAX_BYTES, SUFFIXES, ImageError, open_image
from hdr.types import SIDE


def is_picture(name: str) -> bool:
    """Whether a file is one, by its name."""
    return name.lower().endswith(SUFFIXES)


def read_pictures(archive: Archive, budget: UploadBudget) -> list[Part]:
    """Pictures in folders 0 to 9, below folders for training and testing where there are such.

    Raises:
        UploadError: it holds none, or too much.
    """
    parts = {"train": _Album(), "test": _Album(), "": _Album()}
    for member in archive.members:
        budget.check_time()
        folders = path_of(member).parts[:-1]
        label = next((f for f in reversed(folders) if len(f) == 1 and f in "0123456789"), None)
        role = next((r for f in reversed(folders) if (r := split_of(f))), "")
        album = parts[role]
        if not is_picture(member.filename):
            album.part.record_skip("files that are no pictures", member.filename)
        elif label is None:
            album.part.record_skip("pictures outside folders 0 to 9", member.filename)
        elif member.file_size > MAX_BYTES:
            album.part.record_skip("pictures that are too large", member.filename)
        else:
            data = b"".join(archive.content(member))
            budget.consume(len(data), "Opening pictures")
            try:
                album.add(open_image(data), int(label), budget)
            except ImageError:
                album.part.record_skip("pictures that cannot be opened", member.filename)
    found = [album.close(role) for role, album in parts.items()]
    if not any(album.count for album in parts.values()):
        why = skip_summary(sum((p.skipped for p in found), Counter()))
        raise UploadError(f"The ZIP holds no pictures in folders named 0 to 9, such as 7/first.png. {why}".strip())
    return found


class _Album:
    """Pictures of any size, brought to 28x28."""

    def __init__(self) -> None:
        self.part = Part()
        self._images: list[NDArray[np.uint8]] = []
        self._native: list[int] = []
        self._labels: list[int] = []

    def add(self, image: NDArray[np.uint8], label: int, budget: UploadBudget) -> None:
        budget.count(1)
        self._labels.append(label)
        if image.shape == (SIDE, SIDE):
            self._native.append(len(self._images))
        else:
            # One by one: each may have a size of its own, and a polarity.
            self.part.framed = True
            image = to_mnist_frame(image[None])[0]
        self._images.append(image)

    @property
    def count(self) -> int:
        return len(self._labels)

    def close(self, role: str) -> Part:
        images = np.stack(self._images) if self._images else np.zeros((0, SIDE, SIDE), np.uint8)
        if self.part.framed and self._native:
            # One rule for all.
            images[self._native] = to_mnist_frame(images[self._native])
        self.part.role, self.part.images, self.part.labels = role, images, np.array(self._labels, np.int64)
        return self.part
