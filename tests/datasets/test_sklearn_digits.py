"""The offline digits: complete, labelled as what they are, and on the scale of MNIST."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hdr import datasets
from hdr.datasets.public import sklearn_digits
from hdr.types import Dataset


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return datasets.load("bundled")


def test_they_are_those_of_scikit_learn(digits: Dataset) -> None:
    from sklearn.datasets import load_digits

    target = load_digits().target
    test = sklearn_digits.held_out(target.astype(np.uint8))
    assert np.array_equal(digits.test.labels, target[test])
    assert np.array_equal(digits.train.labels, np.delete(target, test))


def test_the_split_is_three_to_one_in_every_class(digits: Dataset) -> None:
    assert (len(digits.train), len(digits.test)) == (1347, 450)
    train, test = np.bincount(digits.train.labels), np.bincount(digits.test.labels)
    assert len(train) == len(test) == 10
    assert np.abs(test - (train + test) / 4).max() <= 0.5


def test_the_split_is_the_same_for_ever(digits: Dataset) -> None:
    assert digits.test.labels[:20].tolist() == [1, 2, 4, 5, 6, 9, 4, 7, 8, 9, 2, 9, 6, 9, 9, 3, 1, 0, 7, 8]


def test_digits_are_captured_as_mnist_has_them(digits: Dataset) -> None:
    images = digits.train.images
    assert images.shape == (1347, 28, 28) and images.dtype == np.uint8 and not images.flags.writeable
    inked = images > 64
    rows, columns = inked.any(axis=2).sum(axis=1), inked.any(axis=1).sum(axis=1)
    longer = np.maximum(rows, columns)
    assert np.percentile(longer, 5) >= 18 and np.percentile(longer, 95) <= 21
    grid = np.arange(28)
    mass = images.sum(axis=(1, 2), dtype=np.float64)
    centres = np.stack([(images.sum(axis=axis) @ grid) / mass for axis in (1, 2)])
    assert np.abs(centres - 14).max() < 1
    assert images.max(axis=(1, 2)).min() > 150, "ink has to reach towards 255"


def test_enlarging_is_smooth_and_keeps_the_scale() -> None:
    small = np.zeros((1, 8, 8), np.uint8)
    small[0, :, 0] = 16
    large = sklearn_digits.enlarged(small)
    assert large.shape == (1, 80, 80) and large.dtype == np.uint8
    assert large.max() == 255 and large[0, 40, 12] >= 250 and large[0, :, 40:].max() == 0
    assert np.abs(np.diff(large[0, 40].astype(int))).max() < 80, "an edge of a pixel must not stay a step"


def test_it_says_what_it_is_not() -> None:
    assert "1,797" in sklearn_digits.NOTE and "8x8" in sklearn_digits.NOTE and "not MNIST" in sklearn_digits.NOTE


def test_it_is_always_there_and_verified() -> None:
    (status,) = sklearn_digits.statuses()
    assert status.verified and status.path is not None and status.path.name == "digits.csv.gz"


def test_another_file_in_its_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = tmp_path / "digits.csv.gz"
    wrong.write_text("0,0,1\n")
    monkeypatch.setattr(sklearn_digits, "candidates", lambda: (wrong,))
    with pytest.raises(datasets.MissingDataError, match=f"{wrong} ends after 6 of 264,712 bytes.*requirements.txt"):
        sklearn_digits.load()
    assert "bundled" not in datasets.available()
