"""MNIST as published: 60,000 digits for training and 10,000 for testing, verified whenever they are loaded.

Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", 1998.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hdr.datasets.formats import idx
from hdr.datasets.storage import verified_file
from hdr.datasets.storage.verified_file import DataFile, FileStatus, MissingDataError
from hdr.paths import dataset_folders
from hdr.types import Dataset, Split

NAME = "mnist"
TITLE = "MNIST"
NOTE = "60,000 handwritten digits for training and 10,000 for testing, by American census clerks and school pupils."

FILES = (
    DataFile("train-images-idx3-ubyte", 47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    DataFile("train-labels-idx1-ubyte", 60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    DataFile("t10k-images-idx3-ubyte", 7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    DataFile("t10k-labels-idx1-ubyte", 10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
)
"""Training images, training labels, test images, test labels, in this order."""


def own_folder() -> Path:
    """The folder that downloads go to."""
    return dataset_folders()[-1] / NAME


def unpacked_folder() -> Path:
    """The folder of the plain copies that are mapped into memory."""
    return dataset_folders()[-1] / "unpacked"


def candidates(file: DataFile, folders: Sequence[Path] | None = None) -> tuple[Path, ...]:
    """The paths at which a file may lie, plain or gzip, in the order in which they are tried; none need exist.

    Args:
        file: one of `FILES`.
        folders: those of `dataset_folders`, where they are known.
    """
    *provided, own = folders or dataset_folders()
    places = [*(place for folder in provided for place in (folder / NAME, folder)), own / NAME]
    return tuple(place / f"{file.name}{suffix}" for place in places for suffix in ("", ".gz"))


def statuses() -> tuple[FileStatus, ...]:
    """Where each of the files is and whether it is verified, in the order of `FILES`."""
    # Pages ask at every run.
    folders = dataset_folders()
    return tuple(verified_file.status(file, candidates(file, folders)) for file in FILES)


def load() -> Dataset:
    """MNIST from the first verified copy of each of its files.

    Returns:
        Images uint8 (60000, 28, 28) and (10000, 28, 28), ink 255 on 0, with their labels; read-only. They are mapped
        from 55 MB on the disk; where these cannot be written, they are held in memory.

    Raises:
        MissingDataError: a file is absent, or every copy of it is damaged.
    """
    try:
        train_images, train_labels, test_images, test_labels = (
            idx.parse(verified_file.memory_map(file, candidates(file), unpacked_folder())) for file in FILES
        )
    except MissingDataError as error:
        raise MissingDataError(f"MNIST is not complete: {error} To download it: python -m hdr data --fetch") from None
    return Dataset(NAME, TITLE, NOTE, Split(train_images, train_labels), Split(test_images, test_labels))
