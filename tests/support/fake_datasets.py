"""Small data sets as files, in every form that may be uploaded."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

import cv2
import numpy as np

from hdr.datasets.uploads.reader import Upload

IDX_TYPES = {"u1": 0x08, "i4": 0x0C}


def digits(n: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures that differ, with dark border_medians, and labels in turn: uint8 (n, 28, 28) and (n,)."""
    rng = np.random.default_rng(seed)
    images = np.zeros((n, 28, 28), np.uint8)
    images[:, 6:22, 8:20] = rng.integers(0, 256, (n, 16, 12), np.uint8)
    images[:, 6:22, 13] = 255
    return images, (np.arange(n) % 10).astype(np.uint8)


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def zipped(files: Mapping[str, bytes], name: str = "digits.zip") -> Upload:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return Upload(name, stream.getvalue())


def album(images: np.ndarray, labels: np.ndarray, under: str = "") -> dict[str, bytes]:
    return {f"{under}{label}/{k}.png": png(image) for k, (image, label) in enumerate(zip(images, labels, strict=True))}


def idx(array: np.ndarray) -> bytes:
    kind = IDX_TYPES[array.dtype.str[1:]]
    return (
        struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape)
        + array.astype(array.dtype.newbyteorder(">")).tobytes()
    )


def npz(**arrays: np.ndarray) -> Upload:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return Upload("digits.npz", stream.getvalue())


def csv(images: np.ndarray, labels: np.ndarray, header: bool = True, mark: str = ",", last: bool = False) -> bytes:
    names = [f"pixel{i}" for i in range(784)]
    rows = [
        [*i.ravel().tolist(), int(k)] if last else [int(k), *i.ravel().tolist()]
        for i, k in zip(images, labels, strict=True)
    ]
    lines = [mark.join([*names, "class"] if last else ["label", *names])] if header else []
    return "\n".join(lines + [mark.join(map(str, row)) for row in rows]).encode()
