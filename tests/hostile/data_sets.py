"""Data sets of one's own: sound ones in every layout, and what somebody could make of them."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
from functools import cache

import numpy as np
from PIL import Image

from hdr import datasets
from hdr.datasets.uploads import reader, user_datasets
from hdr.datasets.uploads.clean_and_split import Options, prepare
from hdr.types import Split
from tests.hostile import mutate

NAMES = {b"PK": "mine.zip", b"\x1f\x8b": "mine.gz", b"\x93N": "mine.npy", b"\0\0": "train-images-idx3-ubyte"}
COUNT = 60


@cache
def _split() -> Split:
    whole = datasets.load("bundled").train
    # So many of each class, so that a test split can be held out.
    order = np.concatenate([np.flatnonzero(whole.labels == digit)[: COUNT // 10] for digit in range(10)])
    return Split(whole.images[order], whole.labels[order])


def _png(image: np.ndarray, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, kind)
    return stream.getvalue()


def _zip(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return stream.getvalue()


def _idx(values: np.ndarray) -> bytes:
    return struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


@cache
def sound() -> list[bytes]:
    """A data set in every layout that is taken."""
    images, labels = _split().images, _split().labels
    rows = np.column_stack([labels, images.reshape(len(labels), -1)])
    csv = "\n".join(",".join(map(str, row)) for row in rows.tolist()).encode()
    head = ("label," + ",".join(f"pixel{i}" for i in range(784)) + "\n").encode()
    arrays, plain = io.BytesIO(), io.BytesIO()
    np.savez_compressed(arrays, images=images, labels=labels)
    np.savez(plain, x_train=images, y_train=labels, x_test=images[:20], y_test=labels[:20])
    pairs = list(enumerate(zip(images, labels, strict=True)))
    folders = {f"digits/{label}/{i}.png": _png(image) for i, (image, label) in pairs}
    jpegs = {f"{label}/{i}.jpg": _png(image, "JPEG") for i, (image, label) in pairs}
    files = {"train-images-idx3-ubyte": _idx(images), "train-labels-idx1-ubyte": _idx(labels)}
    return [
        csv,
        head + csv,
        gzip.compress(csv, mtime=0),
        arrays.getvalue(),
        plain.getvalue(),
        _zip(folders),
        _zip(jpegs, zipfile.ZIP_STORED),
        _zip(files),
        _zip({"mine.csv": head + csv}),
    ]


def made(random: random.Random) -> bytes:
    """A data set that is damaged, or means harm."""
    kind = random.random()
    if kind < 0.12:
        return _hostile_zip(random)
    if kind < 0.18:
        return _hostile_array(random)
    if kind < 0.3:
        rows = [[random.choice(CELLS) if random.random() < 0.01 else "0" for _ in range(785)] for _ in range(40)]
        return "\n".join(map(",".join, rows)).encode("utf-8", "surrogatepass")
    return mutate.damaged(random, random.choice(sound()))


CELLS = (*mutate.FORMULAS, *mutate.STRANGE, "nan", "inf", "1e999", "9" * 5_000, "-1", "256", '"', '"a', "0x10", "")


def _hostile_zip(random: random.Random) -> bytes:
    inside = _png(_split().images[0])
    names = ["../../etc/0/a.png", "/0/a.png", "C:\\0\\a.png", "0/../../../a.png", "0/\0.png"]
    names += [
        "0/" + "a" * 60_000 + ".png",
        "0/a.png",
        "__pycache__/0/a.py",
        "0/.a.png",
        "0/<img src=x onerror=alert(1)>.png",
        "0\u202e/a.png",
    ]
    bomb = bytes(60_000_000)
    nested = _zip({"0/a.png": inside})
    return random.choice(
        (
            lambda: _zip({name: inside for name in names}),
            lambda: _zip({f"{i % 10}/{i}.png": bomb for i in range(2)}),
            lambda: _zip({"0/a.png": _png(np.zeros((4_000, 4_000), np.uint8))}),
            lambda: _zip({"0/a.png": mutate.png(60_000, 60_000, b"")}),
            lambda: _zip({"mine.csv": b"0," * 20_000_000}),
            lambda: _zip({"mine.npy": bomb}),
            lambda: _zip({"inner.zip": nested, "0/b.png": nested}),
            lambda: _zip({f"{i % 10}/{i}.png": b"" for i in range(30_000)}, zipfile.ZIP_STORED),
            lambda: _overlapping(inside),
            lambda: gzip.compress(bomb, 1, mtime=0),
            lambda: gzip.compress(gzip.compress(bomb, 1, mtime=0), mtime=0),
            lambda: _link(),
        )
    )()


def _overlapping(inside: bytes) -> bytes:
    # Every name of the directory points at the same content.
    data = bytearray(_zip({f"{i % 10}/{i}.png": inside for i in range(300)}, zipfile.ZIP_STORED))
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        data[at + 42 : at + 46] = bytes(4)
        at = data.find(b"PK\x01\x02", at + 4)
    return bytes(data)


def _link() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        entry = zipfile.ZipInfo("0/a.png")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return stream.getvalue()


def _hostile_array(random: random.Random) -> bytes:
    header = random.choice(
        (
            "{'descr': '|O', 'fortran_order': False, 'shape': (3,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (10**9, 784)}",
            "{'descr': '|u1', 'fortran_order': True, 'shape': (99999999999999999999,)}",
            "{'descr': [('a', '<i4', (1000, 1000, 1000))], 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '<u1', 'fortran_order': __import__('os').system('true'), 'shape': (3,)}",
            "(" * 5_000,
            "{'descr': '<M8[s]', 'fortran_order': False, 'shape': (60, 28, 28)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 28, 28)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (True, 28, 28)}",
        )
    ).encode()
    pickle = b"cos\nsystem\n(S'true'\ntR."
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", min(len(header), 65_535)) + header[:65_535] + pickle + bytes(9_000)
    return array if random.random() < 0.5 else _zip({"images.npy": array, "labels.npy": array})


def take(data: bytes) -> None:
    """As the page does: read, checked, split, and made a data set."""
    name = next((name for start, name in NAMES.items() if data.startswith(start)), "mine.csv")
    found = reader.read([reader.Upload(name, data)])
    train, test, checked = prepare(found, Options())
    made = user_datasets.create(name, "", train, test)
    assert checked and len(made.train) and len(made.test)
