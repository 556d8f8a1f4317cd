"""Finding and loading MNIST: the stand-ins in every place, and the real one where it is."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from hdr import datasets
from hdr.datasets import MissingDataError, UnknownDatasetError
from hdr.datasets.public import mnist
from tests.datasets.conftest import CONTENTS

NAMES = tuple(CONTENTS)


def put(folder: Path, compressed: bool = False) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in CONTENTS.items():
        path = folder / f"{name}{'.gz' if compressed else ''}"
        path.write_bytes(gzip.compress(data) if compressed else data)


@pytest.mark.parametrize("place", ["provided/mnist", "provided", "home/datasets/mnist"])
@pytest.mark.parametrize("compressed", [False, True])
def test_it_is_found_in_every_place(own: Path, tmp_path: Path, monkeypatch, place: str, compressed: bool) -> None:
    monkeypatch.setenv("HDR_DATASETS", str(tmp_path / "provided"))
    put(tmp_path / place, compressed)
    assert datasets.available() == ("mnist", "bundled")
    loaded = datasets.load("mnist")
    assert (loaded.name, loaded.title, len(loaded.train), len(loaded.test)) == ("mnist", "MNIST", 60, 20)
    assert loaded.train.images.tobytes() == CONTENTS[NAMES[0]][16:]
    assert loaded.test.labels.tobytes() == CONTENTS[NAMES[3]][8:]
    assert {status.path.parent for status in mnist.statuses() if status.path} == {tmp_path / place}


def test_files_may_lie_in_different_places(provided: Path, own: Path) -> None:
    own.mkdir(parents=True)
    shutil.move(provided / "mnist" / f"{NAMES[2]}.gz", own / f"{NAMES[2]}.gz")
    shutil.move(provided / "mnist" / f"{NAMES[1]}.gz", provided / f"{NAMES[1]}.gz")
    assert len(datasets.load("mnist").test) == 20


def test_without_it_the_bundled_digits_are_left(own: Path) -> None:
    assert datasets.available() == ("bundled",)
    with pytest.raises(
        MissingDataError, match=rf"{NAMES[0]}, 47,056 bytes.*Looked in: {own}.*python -m hdr data --fetch"
    ):
        datasets.load("mnist")
    assert not own.parent.parent.exists(), "looking must not make folders"


def test_one_missing_file_makes_it_incomplete(provided: Path) -> None:
    (provided / "mnist" / f"{NAMES[3]}.gz").unlink()
    assert datasets.available() == ("bundled",)
    with pytest.raises(MissingDataError, match=NAMES[3]):
        datasets.load("mnist")


def test_a_flipped_bit_is_never_loaded(provided: Path) -> None:
    assert datasets.available()[0] == "mnist"
    damaged = bytearray(CONTENTS[NAMES[0]])
    damaged[5000] ^= 1
    path = provided / "mnist" / f"{NAMES[0]}.gz"
    path.write_bytes(gzip.compress(bytes(damaged)))
    assert datasets.available() == ("bundled",)
    with pytest.raises(MissingDataError, match=f"{path} has the SHA-256"):
        datasets.load("mnist")


def test_a_damaged_provided_file_gives_way_to_ours(provided: Path, own: Path) -> None:
    path = provided / "mnist" / f"{NAMES[0]}.gz"
    path.write_bytes(b"damaged")
    put(own)
    assert len(datasets.load("mnist").train) == 60
    status = datasets.describe()[0]
    assert status.ready and status.files[0].path == own / NAMES[0] and str(path) in status.files[0].problem


def test_arrays_cannot_be_written(provided: Path) -> None:
    images = datasets.load("mnist").train.images
    with pytest.raises(ValueError, match="read-only"):
        images[0, 0, 0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        images.flags.writeable = True


def unpacked() -> list[Path]:
    return [mnist.unpacked_folder() / name for name in NAMES]


def test_it_is_mapped_from_a_plain_copy_that_all_processes_share(provided: Path) -> None:
    datasets.load("mnist")
    assert [copy.read_bytes() for copy in unpacked()] == list(CONTENTS.values())
    stamps = [copy.stat().st_mtime_ns for copy in unpacked()]
    kept = datasets.load("mnist")
    assert [copy.stat().st_mtime_ns for copy in unpacked()] == stamps, "a copy is made once"
    unpacked()[0].unlink()
    assert kept.train.images.tobytes() == CONTENTS[NAMES[0]][16:], "who has mapped a file keeps it"
    assert not list(mnist.unpacked_folder().glob(".*"))


@pytest.mark.parametrize("damage", [b"", b"damaged", CONTENTS[NAMES[0]][:-1] + b"\1", CONTENTS[NAMES[0]] + b"\0"])
def test_a_damaged_copy_is_made_anew(provided: Path, damage: bytes) -> None:
    datasets.load("mnist")
    unpacked()[0].write_bytes(damage)
    assert datasets.load("mnist").train.images.tobytes() == CONTENTS[NAMES[0]][16:]
    assert unpacked()[0].read_bytes() == CONTENTS[NAMES[0]]


def test_where_no_copy_can_be_made_it_is_held_in_memory(provided: Path) -> None:
    mnist.unpacked_folder().parent.mkdir(parents=True)
    mnist.unpacked_folder().write_bytes(b"a file where the folder would be")
    assert datasets.load("mnist").train.images.tobytes() == CONTENTS[NAMES[0]][16:]


def test_the_copy_alone_is_not_the_data_set(provided: Path) -> None:
    datasets.load("mnist")
    (provided / "mnist" / f"{NAMES[0]}.gz").unlink()
    with pytest.raises(MissingDataError):
        datasets.load("mnist")


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(UnknownDatasetError, match='"minst"; there are: mnist, bundled'):
        datasets.load("minst")


@pytest.fixture(scope="module")
def real() -> datasets.Dataset:
    if "mnist" not in datasets.available():
        pytest.record_skip("not tested: loading the real MNIST. Set HDR_DATASETS, or run python -m hdr data --fetch")
    return datasets.load("mnist")


def test_the_real_one_is_as_published(real: datasets.Dataset) -> None:
    assert real.train.images.shape == (60_000, 28, 28) and real.test.images.shape == (10_000, 28, 28)
    assert real.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(real.train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(real.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert real.train.images.max() == 255 and 33.3 < real.train.images.mean() < 33.4


def test_the_real_one_is_held_once(real: datasets.Dataset) -> None:
    base = real.train.images
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    assert not isinstance(base, np.ndarray), "the images must be a view of the file's content, not a copy"


def test_the_table_is_the_published_one() -> None:
    assert [file.size for file in mnist.FILES] == [47_040_016, 60_008, 7_840_016, 10_008]
    together = hashlib.sha256("".join(file.sha256 for file in mnist.FILES).encode()).hexdigest()
    assert together == "c65580678af93f1ea48c2c0d01d543ec89307c6b8a0eb7ca542d7c18c5f4c681"
