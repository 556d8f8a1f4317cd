"""The ready-made reader's wrapper: what it promises of any file, and what it says of files that are none."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from onnx import TensorProto

from hdr.analysis import nearest_examples
from hdr.reading import read_drawings, read_image, read_page, read_strokes, ready
from hdr.reading.ready import Reader, ReaderError, on_pages
from hdr.types import HdrError, Split
from tests.reading.conftest import FOUR, SEVEN
from tests.support import small_reader
from tests.support.fakes import SaysSeven

WEIGHTS = [np.zeros(s, np.float32) for s in ((784, 4), (4,), (4, 10), (10,))]


def test_it_reads(small: Reader, digits: Split) -> None:
    seen = small.look(digits.images[:400])
    assert seen.probabilities.shape == (400, 10) and seen.probabilities.dtype == np.float64
    assert seen.digit.shape == (400,) and seen.features.shape == (400, 48) and seen.features.dtype == np.float32
    assert np.allclose(seen.probabilities.sum(axis=1), 1, atol=1e-12)
    assert np.array_equal(seen.probabilities, small.predict_proba(digits.images[:400]))
    assert np.array_equal(seen.digit, small.digit_probability(digits.images[:400]))
    assert np.array_equal(seen.features, small.features(digits.images[:400]))
    assert small.accepts(digits.images[:50]).all() and not small.accepts(np.zeros((1, 28, 28), np.uint8)).any()
    assert small.metadata["recipe"] == "test" and small.metadata["metrics"] == {"accuracy": 0.9}
    assert small.threshold == 0.5


def test_it_is_a_classifier_for_the_reading(small: Reader) -> None:
    reading = read_strokes(SEVEN, small)
    assert [s.title for s in reading.digits[0].stages] == ["captured"]
    assert read_strokes([], small).abstained
    many = read_drawings([SEVEN, [], FOUR], small)
    assert [r.abstained for r in many] == [False, True, False]


def test_many_at_once_give_what_one_by_one_gives(small: Reader, digits: Split) -> None:
    images = digits.images[: ready.CHUNK + 40]
    together = small.look(images)
    for i in (0, 1, ready.CHUNK - 1, ready.CHUNK, len(images) - 1):
        alone = small.look(images[i : i + 1])
        assert np.allclose(alone.probabilities[0], together.probabilities[i], atol=1e-5)
        assert np.allclose(alone.features[0], together.features[i], atol=1e-4)
    assert np.array_equal(small.look(images).probabilities, together.probabilities)
    # A view that skips rows is read as the digits that it shows.
    assert np.allclose(small.predict_proba(images[::2]), together.probabilities[::2], atol=1e-5)


def test_the_nearest_digits_in_its_features_are_of_the_same_class(small: Reader, digits: Split) -> None:
    images, labels = digits.images[:400], digits.labels[:400]
    features = small.features(images)
    known = nearest_examples.ReferenceSet(np.arange(300), labels[:300], features[:300])
    near = [nearest_examples.nearest(known, features[i], 3) for i in range(300, 400)]
    assert np.mean([n.label == labels[300 + i] for i, found in enumerate(near) for n in found]) > 0.5
    assert all(a.distance <= b.distance <= c.distance for a, b, c in near)


def test_none_at_all(small: Reader) -> None:
    seen = small.look(np.zeros((0, 28, 28), np.uint8))
    assert seen.probabilities.shape == (0, 10) and seen.digit.shape == (0,) and seen.features.shape == (0, 48)


@pytest.mark.parametrize(
    "images", [np.zeros((1, 27, 28), np.uint8), np.zeros((28, 28), np.uint8), np.zeros((1, 28, 28))]
)
def test_what_are_no_digits_is_a_mistake_of_the_caller(small: Reader, images: Any) -> None:
    with pytest.raises(ValueError, match="uint8"):
        small.predict_proba(images)


def test_threads_share_one_session(small: Reader, digits: Split) -> None:
    parts = [digits.images[i * 7 : i * 7 + 1 + i] for i in range(40)]
    alone = [small.look(p).probabilities for p in parts]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            together = list(pool.map(lambda p: small.look(p).probabilities, parts))
            assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_a_network_that_takes_floats(tmp_path: Path, small: Reader, small_reader_file: Path, digits: Split) -> None:
    weights = small_reader.fit(Split(digits.images[:100], digits.labels[:100]), units=4)
    whole = ready.load(small_reader.write(tmp_path / "u.onnx", weights))
    floats = ready.load(small_reader.write(tmp_path / "f.onnx", weights, kind=TensorProto.FLOAT))
    assert np.array_equal(whole.predict_proba(digits.images[:9]), floats.predict_proba(digits.images[:9]))


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08\x09" * 500, b"PK\x03\x04" + bytes(1000)])
def test_a_damaged_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "reader.onnx"
    path.write_bytes(content)
    with pytest.raises(ReaderError, match=r"reader\.onnx cannot be used.*Install the app again"):
        ready.load(path)


def test_a_file_that_was_cut_off_or_changed(tmp_path: Path, small_reader_file: Path) -> None:
    whole = small_reader_file.read_bytes()
    path = tmp_path / "reader.onnx"
    for length in (1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(HdrError):
            ready.load(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match="missing"):
        ready.load(tmp_path / "reader.onnx")
    with pytest.raises(ReaderError, match="cannot be used"):
        ready.load(tmp_path)


@pytest.mark.parametrize("threshold", [None, "high", -0.1, 1.5, True, float("nan")])
def test_a_threshold_that_is_none(tmp_path: Path, threshold: Any) -> None:
    metadata = {} if threshold is None else {"threshold": threshold}
    with pytest.raises(ReaderError, match="threshold"):
        ready.load(small_reader.write(tmp_path / "r.onnx", WEIGHTS, metadata))


def test_weights_that_are_no_numbers(tmp_path: Path) -> None:
    broken = [np.full_like(w, np.nan) for w in WEIGHTS]
    with pytest.raises(ReaderError, match="answers"):
        ready.load(small_reader.write(tmp_path / "r.onnx", broken))


def test_another_network(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match="cannot be used"):
        ready.load(
            small_reader.write(tmp_path / "r.onnx", [*WEIGHTS[:2], np.zeros((4, 7), np.float32), WEIGHTS[3][:7]])
        )


def test_metadata_cannot_be_changed(small: Reader) -> None:
    with pytest.raises(TypeError):
        small.metadata["threshold"] = 0  # type: ignore[index]


def test_who_imports_it_does_not_wait_for_the_library() -> None:
    code = "import sys, hdr.reading.ready; sys.exit('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_readers_own_file(digits: Split) -> None:
    if not ready.FILE.is_file():
        pytest.skip("The reader's file is not there: not tested")
    reader = ready.load()
    assert ready.FILE.stat().st_size <= 1_000_000
    seen = reader.look(digits.images[:300])
    assert (seen.probabilities.argmax(axis=1) == digits.labels[:300]).mean() > 0.95
    assert (seen.digit >= reader.threshold).mean() > 0.95


def test_another_reader_reads_pages_itself_unless_it_is_given_one(small: Reader, small_reader_file: Path) -> None:
    assert small.on_pages is small and on_pages(small) is small
    both = ready.load(small_reader_file, pages=small_reader_file)
    assert both.on_pages is not both and both.on_pages.on_pages is both.on_pages is on_pages(both)


def test_a_damaged_page_reader(tmp_path: Path, small_reader_file: Path) -> None:
    path = tmp_path / "page_reader.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(ReaderError, match=r"page_reader\.onnx cannot be used"):
        ready.load(small_reader_file, pages=path)


def test_what_knows_no_pages_reads_them_as_anything() -> None:
    model = SaysSeven()
    assert on_pages(model) is model


def test_on_photos_the_page_reader_reads(tmp_path: Path, small_reader_file: Path) -> None:
    other = small_reader.write(tmp_path / "other.onnx", [*WEIGHTS[:3], (50 * np.eye(10)[4]).astype(np.float32)])
    reader = ready.load(small_reader_file, pages=other)
    picture = np.full((200, 300), 255, np.uint8)
    cv2.line(picture, (140, 40), (130, 160), 0, 12, cv2.LINE_AA)
    assert [d.label for d in read_page(picture, reader).digits] == [4]
    assert [d.label for d in read_image(picture, reader).digits] == [4]
    assert [d.label for d in read_strokes([np.array([[140.0, 40], [130, 160]])], reader).digits] == [1]
