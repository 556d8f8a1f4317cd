"""Digits of one's own: what is left out, how they are split, and where they are kept, for whom and how long."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from hdr import datasets
from hdr.datasets.formats.stream import UploadError
from hdr.datasets.storage import array_store
from hdr.datasets.storage.verified_file import MissingDataError
from hdr.datasets.uploads import user_datasets
from hdr.datasets.uploads.clean_and_split import Options, prepare
from hdr.datasets.uploads.reader import DigitPool, UploadedDigits
from hdr.types import Dataset, Split
from tests.support.fake_datasets import digits


@pytest.fixture(autouse=True)
def fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HDR_HOME", str(tmp_path))
    return tmp_path


def found(images: np.ndarray, labels: np.ndarray, test: tuple[np.ndarray, np.ndarray] | None = None) -> UploadedDigits:
    return UploadedDigits(DigitPool(images, labels, False), DigitPool(*test, False) if test else None, {}, ())


def test_a_share_of_each_class_is_for_testing_by_the_seed() -> None:
    images, labels = digits(300)
    train, test, checked = prepare(found(images, labels), Options(test_share=0.2, seed=3))
    assert (checked.train == 24).all() and (checked.test == 6).all() and not checked.own_test
    again = prepare(found(images, labels), Options(test_share=0.2, seed=3))
    other = prepare(found(images, labels), Options(test_share=0.2, seed=4))
    np.testing.assert_array_equal(again[1].images, test.images)
    assert (other[1].images != test.images).any()
    together = {i.tobytes() for i in train.images} | {i.tobytes() for i in test.images}
    assert len(together) == 300


def test_blank_repeated_contradicting_and_shared_digits_are_left_out_and_counted() -> None:
    images, labels = digits(200)
    images[5] = 40  # blank: all the same
    images[17] = images[7]  # there twice
    images[29], labels[29] = images[18], 1  # an 8 that is called a 1 as well
    test_images, test_labels = digits(50, 1)
    test_images[3], test_labels[3] = images[33], labels[33]
    train, test, checked = prepare(found(images, labels, (test_images, test_labels)), Options())
    assert (checked.blank, checked.repeated, checked.contradicting, checked.shared) == (1, 1, 2, 1)
    assert len(train) == 200 - 5 and len(test) == 50 and checked.own_test and checked.read == 250
    assert not {i.tobytes() for i in train.images} & {i.tobytes() for i in test.images}


def test_dark_ink_is_turned_round_and_said() -> None:
    images, labels = digits(200)
    train, _, checked = prepare(found(255 - images, labels), Options())
    straight, _, other = prepare(found(images, labels), Options())
    np.testing.assert_array_equal(train.images, straight.images)
    assert checked.inverted and not other.inverted


def test_digits_can_be_brought_to_mnists_frame() -> None:
    images, labels = digits(200)
    corner = np.roll(images, (-6, -8), (1, 2))
    train, _, checked = prepare(found(corner, labels), Options(frame="mnist"))
    assert checked.framed
    weight = train.images.astype(float)
    middle = (weight * np.arange(28)[None, :, None]).sum((1, 2)) / weight.sum((1, 2))
    assert np.abs(middle - 14).max() < 1


@pytest.mark.parametrize("n", [0, 12])
def test_too_few_are_refused(n: int) -> None:
    with pytest.raises(UploadError, match="at least 40"):
        prepare(found(*digits(n)), Options())


def test_one_class_alone_is_refused() -> None:
    images, labels = digits(200)
    with pytest.raises(UploadError, match="1 classes"):
        prepare(found(images, np.zeros_like(labels)), Options())


def made(seed: int = 0) -> Dataset:
    images, labels = digits(200, seed)
    return user_datasets.create("Mine", "A note.", Split(images[:150], labels[:150]), Split(images[150:], labels[150:]))


def test_what_is_kept_comes_back_for_its_owner_alone() -> None:
    data = made()
    user_datasets.store(data, "anna")
    back = datasets.load(data.name, "anna")
    np.testing.assert_array_equal(back.train.images, data.train.images)
    np.testing.assert_array_equal(back.test.labels, data.test.labels)
    assert (back.title, back.note) == ("Mine", "A note.") and not back.train.images.flags.writeable
    for owner in ("", "bert", "../anna"):
        with pytest.raises(MissingDataError, match="Upload it again"):
            datasets.load(data.name, owner)


def test_names_say_what_is_in_them() -> None:
    assert made().name == made().name != made(1).name and user_datasets.is_own(made().name)


@pytest.mark.parametrize(
    ("said", "kept_"),
    [
        ("<b>*bold*</b> [x](http://a.b)", "b bold b x http a b"),
        ("a\u202eb\x00c\n#d", "a b c d"),
        ("", "My digits"),
        ("x" * 10_000, "x" * 40),
        ("手書き ٣ é-1", "手書き ٣ é-1"),
    ],
)
def test_titles_mean_nothing_to_a_page(said: str, kept_: str) -> None:
    assert user_datasets.clean(said) == kept_


def test_no_name_leads_out_of_the_home(fresh_home: Path) -> None:
    for name in ("own-../../../etc", "own-/etc/passwd", "own-\0", "own-" + "x" * 5_000):
        with pytest.raises(MissingDataError):
            datasets.load(name, "../..")
        user_datasets.delete(name, "../..")
    assert not list(fresh_home.iterdir())


def test_damage_is_found() -> None:
    data = made()
    user_datasets.store(data, "anna")
    (folder,) = user_datasets._all()
    path = folder / array_store.IMAGES
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(MissingDataError, match="SHA-256"):
        user_datasets.load(data.name, "anna")
    (folder / array_store.METADATA).write_text("[" * 10_000)
    with pytest.raises(MissingDataError):
        user_datasets.load(data.name, "anna")


def test_there_is_room_for_so_much() -> None:
    user_datasets.store(made(), "anna", max_mb=0.2)
    with pytest.raises(user_datasets.UploadQuotaError, match="try again later"):
        user_datasets.store(made(1), "bert", max_mb=0.2)
    # What is there already needs no room.
    user_datasets.store(made(), "anna", max_mb=0.1)
    user_datasets.delete(made().name, "anna")
    user_datasets.store(made(1), "bert", max_mb=0.2)


def test_what_nobody_used_for_a_day_is_deleted_unless_a_training_waits_for_it(fresh_home: Path) -> None:
    first, second, third = made(), made(1), made(2)
    for data in (first, second, third):
        user_datasets.store(data, "anna")
    old = time.time() - 90_000
    for folder in user_datasets._all():
        os.utime(folder, (old, old))
    user_datasets.mark_used(third.name, "anna")
    assert user_datasets.purge({(second.name, "anna")}) == 1
    with pytest.raises(MissingDataError):
        user_datasets.load(first.name, "anna")
    user_datasets.load(second.name, "anna")
    user_datasets.load(third.name, "anna")
    assert not list(fresh_home.rglob("*.part"))
