"""QMNIST, EMNIST's digits and USPS: small files of the published layouts, from mirrors that do everything wrong."""

from __future__ import annotations

import bz2
import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hdr import datasets
from hdr.datasets.formats.mnist_frame import to_mnist_frame
from hdr.datasets.public import background_download, download, extra
from hdr.datasets.public.download import FetchError, Limits
from hdr.datasets.public.extra import ChangedDataError, ExtraDataset
from hdr.datasets.storage import array_store
from hdr.datasets.storage.verified_file import MissingDataError
from hdr.types import HdrError
from tests.datasets.conftest import RAW, MirrorServer
from tests.datasets.test_background_download import wait_until
from tests.support.fake_datasets import digits, idx, zipped

FAST = Limits(connect=2.0, silence=2.0, window=1.0, speed=2_000.0, total=10.0)
IMAGES, LABELS = digits(60)
TEST_IMAGES, TEST_LABELS = digits(20, 1)


def _qmnist() -> dict[str, bytes]:
    columns = [np.zeros((len(k), 8), np.int32) for k in (LABELS, TEST_LABELS)]
    columns[0][:, 0], columns[1][:, 0] = LABELS, TEST_LABELS
    columns[0][:, 1:] = 4_711
    contents = (idx(IMAGES), idx(columns[0]), idx(TEST_IMAGES), idx(columns[1]))
    return {s.name: gzip.compress(c) for s, c in zip(extra.QMNIST.sources, contents, strict=True)}


def _emnist() -> dict[str, bytes]:
    pairs = {"train": (IMAGES, LABELS), "test": (TEST_IMAGES, TEST_LABELS)}
    files = {"gzip/emnist-letters-train-images-idx3-ubyte.gz": b"not looked at"}
    for which, (images, labels) in pairs.items():
        files[f"gzip/emnist-digits-{which}-images-idx3-ubyte.gz"] = gzip.compress(idx(images.transpose(0, 2, 1).copy()))
        files[f"gzip/emnist-digits-{which}-labels-idx1-ubyte.gz"] = gzip.compress(idx(labels))
    return {"gzip.zip": zipped(files).data}


SMALL = IMAGES[:, 6:22, 6:22]


def _libsvm(images: np.ndarray, labels: np.ndarray) -> bytes:
    lines = []
    for image, label in zip(images, labels, strict=True):
        values = image.ravel() / 127.5 - 1
        # A value of exactly 0 is left out in this format.
        pairs = " ".join(f"{k}:{v:.6f}" for k, v in enumerate(values, 1) if v)
        lines.append(f"{int(label) + 1} {pairs} \n")
    return bz2.compress("".join(lines).encode())


def _usps() -> dict[str, bytes]:
    return {"usps.bz2": _libsvm(SMALL, LABELS), "usps.t.bz2": _libsvm(SMALL[:20], LABELS[:20])}


FILES = {"qmnist": _qmnist(), "emnist-digits": _emnist(), "usps": _usps()}


@pytest.fixture(autouse=True)
def small_ones(own: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ExtraDataset]]:
    """The three sets with small files in place of the published ones."""
    found = {}
    for each in extra.ALL:
        sources = tuple(replace(s, md5=_md5(FILES[each.NAME][s.name])) for s in each.sources)
        found[each.NAME] = replace(each, sources=sources, counts=(60, 20))
        RAW.update(FILES[each.NAME])
    monkeypatch.setattr(extra, "ALL", tuple(found.values()))
    monkeypatch.setattr(datasets, "_MODULES", {**datasets._MODULES, **found})
    yield found
    RAW.clear()


def _md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


@pytest.mark.parametrize("name", FILES)
def test_each_is_fetched_checked_and_loaded(small_ones, mirror: MirrorServer, monkeypatch, name: str) -> None:
    monkeypatch.setenv("HDR_MIRRORS", mirror.at("good"))
    assert name not in datasets.available()
    with pytest.raises(MissingDataError, match=f"data --fetch {name}"):
        datasets.load(name)
    told: list[tuple[str, int, int]] = []
    download.fetch_extra(small_ones[name], lambda *said: told.append(said), Limits())
    assert name in datasets.available() and datasets.available()[0] != name
    data = datasets.load(name)
    images = to_mnist_frame(SMALL, paper=0) if name == "usps" else IMAGES
    close = 1 if name == "usps" else 0
    assert np.abs(data.train.images.astype(int) - images).max() <= close
    np.testing.assert_array_equal(data.train.labels, LABELS)
    assert len(data.test) == 20 and not data.train.images.flags.writeable
    assert {file for file, _, _ in told} == set(FILES[name])
    assert not list(small_ones[name].own_folder().parent.glob(".*.part"))
    asked = len(mirror.asked)
    download.fetch(name)
    assert len(mirror.asked) == asked


def test_mirrors_of_the_secrets_file_are_asked(small_ones, mirror: MirrorServer, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".streamlit").mkdir()
    Path(".streamlit/secrets.toml").write_text(f'HDR_MIRRORS = ["{mirror.at("404")}", "{mirror.at("good")}"]')
    download.fetch_extra(small_ones["usps"], limits=FAST)
    assert [way for way, _ in mirror.asked] == ["404", "good"] * 2
    assert len(datasets.load("usps").train) == 60


WRONG = [
    "truncated",
    "404",
    "500",
    "html",
    "disguised_html",
    "empty",
    "closes",
    "silent",
    "drip",
    "endless",
    "loop",
]


@pytest.mark.parametrize("way", WRONG)
def test_every_wrong_way_ends_in_the_next_mirror_or_in_plain_words(small_ones, mirror, monkeypatch, way: str) -> None:
    monkeypatch.setenv("HDR_MIRRORS", mirror.at(way))
    limits = replace(FAST, total=2.0)
    with pytest.raises(FetchError) as failed:
        download.fetch_extra(small_ones["usps"], limits=limits)
    assert "usps.bz2 could not be fetched" in str(failed.value) and mirror.at(way) in str(failed.value)
    folder = small_ones["usps"].own_folder()
    assert not folder.exists() and not list(folder.parent.glob(".*"))
    monkeypatch.setenv("HDR_MIRRORS", f"{mirror.at(way)}, {mirror.at('good')}")
    download.fetch_extra(small_ones["usps"], limits=limits)
    assert len(datasets.load("usps").train) == 60


def test_a_file_that_changes_after_the_first_time_is_refused(small_ones, mirror, monkeypatch) -> None:
    monkeypatch.setenv("HDR_MIRRORS", mirror.at("good"))
    download.fetch_extra(small_ones["usps"], limits=FAST)
    array_store.delete(small_ones["usps"].own_folder())
    # Another file, of which even the MD5 is as expected.
    other = _libsvm(SMALL[::-1], LABELS[::-1])
    monkeypatch.setitem(RAW, "usps.bz2", other)
    sources = (replace(small_ones["usps"].sources[0], md5=_md5(other)), small_ones["usps"].sources[1])
    with pytest.raises(ChangedDataError, match="changed or exchanged"):
        download.fetch_extra(replace(small_ones["usps"], sources=sources), limits=FAST)
    assert "usps" not in datasets.available()


def test_files_that_were_put_there_by_hand_are_taken(small_ones, mirror, own: Path, monkeypatch) -> None:
    folder = small_ones["emnist-digits"].own_folder()
    folder.mkdir(parents=True)
    (folder / "gzip.zip").write_bytes(FILES["emnist-digits"]["gzip.zip"])
    download.fetch_extra(small_ones["emnist-digits"], limits=FAST)
    assert mirror.asked == [] and len(datasets.load("emnist-digits").test) == 20


BAD = {
    "usps": [
        b"not bz2",
        *map(bz2.compress, [b"", b"1 1:0.5 257:1\n", b"1 1:7\n", b"1 1:nan\n", b"99 1:0.5\n", b"x\n" * 9]),
        bz2.compress(b"1 " + b"1:0 " * 100_000),
    ],
    "qmnist": [b"no", gzip.compress(idx(IMAGES))[:-9], gzip.compress(idx(LABELS)), gzip.compress(bytes(9))],
    "emnist-digits": [b"no", zipped({"a": b""}).data, FILES["emnist-digits"]["gzip.zip"][:-99]],
}


@pytest.mark.parametrize(("name", "number"), [(n, k) for n, bad in BAD.items() for k in range(len(bad))])
def test_what_is_not_of_the_layout_is_refused_and_nothing_is_kept(small_ones, name: str, number: int) -> None:
    each = small_ones[name]
    folder = each.own_folder()
    folder.mkdir(parents=True)
    for source in each.sources:
        (folder / source.name).write_bytes(FILES[name][source.name])
    (folder / each.sources[0].name).write_bytes(BAD[name][number])
    with pytest.raises(HdrError):
        download.fetch_extra(each, limits=FAST)
    assert not each.exists() and not (folder.parent / "pins.json").exists()


def test_another_number_of_digits_is_refused(small_ones, mirror, monkeypatch) -> None:
    monkeypatch.setenv("HDR_MIRRORS", mirror.at("good"))
    with pytest.raises(FetchError, match="60 and 20 digits for training and testing, expected 60 and 21"):
        download.fetch_extra(replace(small_ones["qmnist"], counts=(60, 21)), limits=FAST)


def test_damage_on_disk_is_found(small_ones, mirror, monkeypatch) -> None:
    monkeypatch.setenv("HDR_MIRRORS", mirror.at("good"))
    download.fetch_extra(small_ones["qmnist"], limits=FAST)
    path = small_ones["qmnist"].own_folder() / array_store.IMAGES
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    with pytest.raises(MissingDataError, match="SHA-256"):
        datasets.load("qmnist")


def test_the_background_fetches_each_by_itself(small_ones, mirror, monkeypatch) -> None:
    monkeypatch.setenv("HDR_MIRRORS", mirror.at("good"))
    background_download.start(name="usps")
    wait_until("done", "usps")
    assert background_download.progress().state == "idle" and "usps" in datasets.available()


def test_a_name_that_cannot_be_fetched_is_said() -> None:
    with pytest.raises(HdrError, match="there are: mnist, qmnist, emnist-digits, usps"):
        download.fetch("imagenet")
