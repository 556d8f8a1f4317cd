"""A data set as two plain arrays in a folder, mapped into memory: processes and sessions share what they look at.

`metadata.json` holds the sizes and hashes of the two arrays; a folder is complete or absent.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hdr.datasets.storage import verified_file
from hdr.datasets.storage.verified_file import DataFile, FileStatus, MissingDataError
from hdr.paths import write_atomically
from hdr.types import CLASSES, SIDE, Dataset, Split

METADATA, IMAGES, LABELS = "metadata.json", "images.npy", "labels.npy"
_PART = ".part"
_STALE_SECONDS = 3_600.0
_MAX_METADATA_BYTES = 20_000


def write(folder: Path, dataset: Dataset, **more: Any) -> None:
    """Write a data set into a folder and replace its content.

    Args:
        folder: where; its parent is made where it is missing.
        dataset: what.
        more: additional entries of `metadata.json`, as plain JSON values.

    Raises:
        OSError: it cannot be written.
    """
    part = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}{_PART}")
    part.mkdir(parents=True)
    try:
        noted = {
            name: _write_array(part / name, [getattr(dataset.train, which), getattr(dataset.test, which)])
            for name, which in ((IMAGES, "images"), (LABELS, "labels"))
        }
        described = {
            "name": dataset.name,
            "title": dataset.title,
            "note": dataset.note,
            "train": len(dataset.train),
            "test": len(dataset.test),
            "files": noted,
            **more,
        }
        write_atomically(part / METADATA, json.dumps(described).encode())
        try:
            os.rename(part, folder)
        except OSError:
            # Something is there already; a folder cannot be replaced in one step.
            delete(folder)
            os.rename(part, folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def metadata(folder: Path) -> dict[str, Any] | None:
    """What `metadata.json` says; None where there is none, or it is damaged."""
    try:
        if (folder / METADATA).stat().st_size > _MAX_METADATA_BYTES:
            return None
        found = json.loads((folder / METADATA).read_bytes())
        texts = [found[k] for k in ("name", "title", "note")]
        sizes = [found["files"][name]["size"] for name in (IMAGES, LABELS)]
        counts = [found["train"], found["test"], *sizes]
        hashes = [found["files"][name]["sha256"] for name in (IMAGES, LABELS)]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    sound = all(isinstance(v, str) for v in texts + hashes) and all(type(v) is int and v >= 0 for v in counts)
    return found if sound else None


def exists(folder: Path) -> bool:
    """Whether a data set is there, as far as sizes tell; `load` looks at every byte."""
    found = metadata(folder)
    try:
        return found is not None and all(
            (folder / name).stat().st_size == found["files"][name]["size"] for name in (IMAGES, LABELS)
        )
    except OSError:
        return False


def statuses(folder: Path) -> tuple[FileStatus, ...]:
    """Where the two arrays are, and whether they are what was written."""
    found = metadata(folder)
    if found is None:
        return tuple(FileStatus(name, None, False, "") for name in (IMAGES, LABELS))
    return tuple(verified_file.status(_file(found, name), (folder / name,)) for name in (IMAGES, LABELS))


def load(folder: Path) -> Dataset:
    """The data set in a folder, its arrays mapped from the files and read-only.

    Raises:
        MissingDataError: it is not there, or damaged.
    """
    found = metadata(folder)
    if found is None:
        raise MissingDataError("its files are not here")
    for status in statuses(folder):
        if not status.verified:
            raise MissingDataError(status.problem or f"{status.name} is not here")
    try:
        images, labels = (np.asarray(np.load(folder / name, "r", allow_pickle=False)) for name in (IMAGES, LABELS))
    except (OSError, ValueError, EOFError) as error:
        raise MissingDataError(f"its files cannot be read ({type(error).__name__})") from None
    n, total = found["train"], found["train"] + found["test"]
    if (
        images.shape != (total, SIDE, SIDE)
        or labels.shape != (total,)
        or {images.dtype, labels.dtype} != {np.dtype(np.uint8)}
    ):
        raise MissingDataError("its files do not belong together")
    if labels.max(initial=0) >= CLASSES:
        raise MissingDataError("its labels are not all 0 to 9")
    return Dataset(
        found["name"], found["title"], found["note"], Split(images[:n], labels[:n]), Split(images[n:], labels[n:])
    )


def size(folder: Path) -> int:
    """Bytes that a folder takes."""
    return sum(path.stat().st_size for path in folder.glob("*") if path.is_file())


def delete(folder: Path) -> None:
    """Delete a data set; arrays that are already mapped remain readable."""
    # The description first: without it, the rest is nothing.
    (folder / METADATA).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def remove_stale_parts(parent: Path) -> None:
    """Delete what processes killed while writing have left."""
    oldest = time.time() - _STALE_SECONDS
    for part in parent.glob(f".*{_PART}"):
        try:
            if part.stat().st_mtime < oldest:
                shutil.rmtree(part, ignore_errors=True)
        except OSError:
            continue


def _write_array(path: Path, arrays: list[np.ndarray]) -> dict[str, Any]:
    """Write arrays as one `.npy` file, piece by piece, and say its size and hash."""
    shape = (sum(map(len, arrays)), *arrays[0].shape[1:])
    head = io.BytesIO()
    described = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(head, described)
    digest, written = hashlib.sha256(), 0
    with open(path, "xb") as stream:
        for piece in (head.getvalue(), *_pieces(arrays)):
            stream.write(piece)
            digest.update(piece)
            written += len(piece)
        stream.flush()
        os.fsync(stream.fileno())
    return {"size": written, "sha256": digest.hexdigest()}


def _pieces(arrays: list[np.ndarray]) -> Iterator[bytes]:
    for array in arrays:
        for start in range(0, len(array), 4096):
            yield np.ascontiguousarray(array[start : start + 4096]).tobytes()


def _file(found: dict[str, Any], name: str) -> DataFile:
    return DataFile(name, found["files"][name]["size"], found["files"][name]["sha256"])
