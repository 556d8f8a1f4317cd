"""The data sets that the app learns from: MNIST, a small one that is always there, and others on request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hdr.datasets.public import extra, mnist, sklearn_digits
from hdr.datasets.storage.verified_file import FileStatus, MissingDataError
from hdr.datasets.uploads import user_datasets
from hdr.types import Dataset, HdrError

__all__ = [
    "DatasetStatus",
    "FileStatus",
    "MissingDataError",
    "UnknownDatasetError",
    "available",
    "describe",
    "load",
    "title",
]

_MODULES = {mnist.NAME: mnist, sklearn_digits.NAME: sklearn_digits} | {each.NAME: each for each in extra.ALL}


class UnknownDatasetError(HdrError):
    """A name that no data set has."""


@dataclass(frozen=True)
class DatasetStatus:
    """Where a data set is.

    Attributes:
        name: the identifier ("mnist").
        title: its displayed name.
        note: a sentence or two on what it is.
        ready: True where it can be loaded now, without a network.
        files: where each of its files is.
    """

    name: str
    title: str
    note: str
    ready: bool
    files: tuple[FileStatus, ...]


def load(name: str, owner: str = user_datasets.LOCAL) -> Dataset:
    """Load a data set from this machine; nothing is downloaded. Keep the result: every call reads the files again.

    Args:
        name: one of `available`, or the name of an uploaded data set.
        owner: the owner of an uploaded data set; ignored for published ones.

    Returns:
        Read-only arrays, verified against the published content.

    Raises:
        UnknownDatasetError: there is no such name.
        MissingDataError: a file is not here, or damaged.
    """
    if user_datasets.is_own(name):
        return user_datasets.load(name, owner)
    if name not in _MODULES:
        raise UnknownDatasetError(f'there is no data set "{name}"; there are: {", ".join(_MODULES)}')
    return _MODULES[name].load()


def title(name: str) -> str:
    """Return the displayed name of a published data set; other names are returned unchanged."""
    return _MODULES[name].TITLE if name in _MODULES else name


def available() -> tuple[str, ...]:
    """The names that can be loaded now, without a network, best first: "mnist" where every file of it is verified."""
    return tuple(name for name, module in _MODULES.items() if _ready(module))


def _ready(module: Any) -> bool:
    # The extra sets are large: they are verified when they are loaded.
    if isinstance(module, extra.ExtraDataset):
        return module.exists()
    return all(file.verified for file in module.statuses())


def describe() -> tuple[DatasetStatus, ...]:
    """Where every data set is, file by file, whether or not it can be loaded.

    The first call reads the files to verify them (a quarter of a second for MNIST); later ones only what has changed.
    """
    return tuple(_describe(module.NAME, module.TITLE, module.NOTE, module.statuses()) for module in _MODULES.values())


def _describe(name: str, title: str, note: str, files: tuple[FileStatus, ...]) -> DatasetStatus:
    return DatasetStatus(name, title, note, all(file.verified for file in files), files)
