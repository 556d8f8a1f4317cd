"""Uploaded data sets: stored for a day by owner and content, where training processes can load them.

A name is a hash of the content: the same digits have the same name. Only its owner can load it. It is deleted
when the session that uploaded it ends, or a day after its last use.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from hdr.datasets.storage import array_store
from hdr.datasets.storage.verified_file import MissingDataError
from hdr.paths import home
from hdr.types import Dataset, HdrError, Split

PREFIX = "own-"
MAX_TITLE_LENGTH = 40
MAX_IDLE_SECONDS = 86_400.0
LOCAL = "local"
_USED_SECONDS = 600.0

_lock = threading.Lock()


class UploadQuotaError(HdrError):
    """The server keeps as much of people's own data as it may."""


def is_own(name: str) -> bool:
    """Return whether a name belongs to an uploaded data set."""
    return name.startswith(PREFIX)


def create(title: str, note: str, train: Split, test: Split) -> Dataset:
    """An uploaded data set, named by its content.

    Args:
        title: the owner's title for it; only letters, digits, spaces and hyphens of it are kept.
        note: a sentence on it.
        train, test: its digits.
    """
    digest = hashlib.sha256(len(train).to_bytes(8, "big"))
    for split in (train, test):
        for start in range(0, len(split), 4096):
            digest.update(split.images[start : start + 4096].tobytes())
        digest.update(split.labels.tobytes())
    return Dataset(PREFIX + digest.hexdigest()[:12], clean(title), note, train, test)


def clean(title: str) -> str:
    """A title that means nothing else anywhere: letters, digits, spaces and hyphens, 40 of them at most."""
    kept = "".join(c if c.isalnum() or c == "-" else " " for c in title[: 4 * MAX_TITLE_LENGTH])
    return " ".join(kept.split())[:MAX_TITLE_LENGTH].strip() or "My digits"


def store(dataset: Dataset, owner: str, max_mb: float | None = None) -> None:
    """Write a data set where its owner's trainings find it; where it is there already, it lives on.

    Args:
        dataset: made by `create`.
        owner: whose it is.
        max_mb: megabytes that all data sets of this kind may take together; None for no limit.

    Raises:
        UploadQuotaError: they would take more.
        HdrError: it cannot be written.
    """
    folder = _folder(dataset.name, owner)
    with _lock:
        if mark_used(dataset.name, owner):
            return
        needed, used = dataset.train.images.nbytes + dataset.test.images.nbytes, sum(map(array_store.size, _all()))
        if max_mb is not None and needed + used > max_mb * 1e6:
            raise UploadQuotaError(
                f"This needs {needed / 1e6:.2g} MB, and visitors' own data take {used / 1e6:.2g} of {max_mb:g} MB "
                "on this server. Upload fewer digits, or try again later."
            )
        try:
            array_store.write(folder, dataset)
        except OSError as error:
            raise HdrError(f"The data cannot be kept on this server ({error.strerror or error}).") from error


def load(name: str, owner: str) -> Dataset:
    """A data set of its owner's.

    Raises:
        MissingDataError: it was deleted, or another user owns it.
    """
    try:
        found = array_store.load(_folder(name, owner))
    except MissingDataError as error:
        raise MissingDataError(
            f"The data set {name} is not here any more ({error}): data of one's own are kept while they are in use, "
            "for a day at most. Upload it again; the same file has the same name."
        ) from None
    mark_used(name, owner)
    return found


def mark_used(name: str, owner: str) -> bool:
    """Note that a data set is in use; False where it is not there."""
    folder = _folder(name, owner)
    try:
        if time.time() - folder.stat().st_mtime > _USED_SECONDS:
            os.utime(folder)
    except OSError:
        return False
    return array_store.exists(folder)


def delete(name: str, owner: str) -> None:
    """Delete a data set."""
    with _lock:
        array_store.delete(_folder(name, owner))


def purge(in_use: Collection[tuple[str, str]] = ()) -> int:
    """Delete data sets unused for a day, and incomplete ones left by killed processes.

    Args:
        in_use: name and owner of data sets that stay, since a training waits for them.

    Returns:
        How many data sets were deleted.
    """
    oldest, stay, gone = time.time() - MAX_IDLE_SECONDS, {_folder(*each) for each in in_use}, 0
    for folder in list(_all()):
        try:
            old = folder.stat().st_mtime < oldest
        except OSError:
            continue
        if old and folder not in stay:
            array_store.delete(folder)
            gone += 1
    for place in _places():
        array_store.remove_stale_parts(place)
    return gone


def _root() -> Path:
    return home() / "own"


def _folder(name: str, owner: str) -> Path:
    # Both come from users: neither may be a path.
    place, own = (hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() for text in (owner, name))
    return _root() / place[:24] / own[:24]


def _places() -> Iterator[Path]:
    root = _root()
    return (p for p in (root.iterdir() if root.is_dir() else ()) if p.is_dir())


def _all() -> Iterator[Path]:
    return (f for place in _places() for f in place.iterdir() if f.is_dir() and not f.name.startswith("."))
