"""What every feature extractor keeps; HOG against scikit-image; and extraction in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from skimage import feature

import hdr.features  # noqa: F401 - registers the entries
from hdr import catalogue
from hdr.catalogue import Entry
from hdr.features import extract as extraction
from hdr.features.extract import extract
from hdr.features.hog import hog
from hdr.features.pixels import pixels
from hdr.preprocessing import PRESETS, Pipeline
from hdr.preprocessing.pipeline import chain
from hdr.types import HdrError, Images, Split, Step

ENTRIES = catalogue.entries("feature")


def extremes(entry: Entry) -> Iterator[dict[str, Any]]:
    """The defaults, then each parameter at each end or choice."""
    yield {}
    for p in entry.parameters:
        for value in p.choices or (p.type(p.minimum), p.type(p.maximum)):
            yield {p.name: value}


def cases() -> list[Any]:
    """Every extractor with every set of parameters that fits into 28x28."""
    found = []
    for entry in ENTRIES:
        for params in extremes(entry):
            try:
                entry(np.zeros((1, 28, 28), np.uint8), **params)
            except HdrError:
                continue
            name = "-".join([entry.name, *(f"{k}={v}" for k, v in params.items())])
            found.append(pytest.param(entry, entry.validate(params), id=name))
    return found


def by_name(entry: Entry) -> str:
    return entry.name


@pytest.fixture(scope="module")
def batch(digits: Split) -> Images:
    """Digits, noise, a blank, a full and a one-pixel image, in memory that cannot be written to."""
    noise = np.random.default_rng(0).integers(0, 256, (4, 28, 28), np.uint8)
    odd = np.zeros((3, 28, 28), np.uint8)
    odd[1], odd[2, 9, 14] = 255, 255
    images = np.concatenate([digits.images[:12], noise, odd])
    return np.frombuffer(images.tobytes(), np.uint8).reshape(images.shape)


@pytest.mark.parametrize("entry", ENTRIES, ids=by_name)
def test_every_default_fits_a_digit(entry: Entry) -> None:
    assert entry(np.zeros((1, 28, 28), np.uint8)).shape[0] == 1


@pytest.mark.parametrize(("entry", "params"), cases())
def test_features_are_finite_and_the_images_are_not_changed(entry: Entry, params: dict, batch: Images) -> None:
    before = batch.tobytes()
    found = entry.function(batch, **params)
    assert found.dtype == np.float32 and found.ndim == 2 and found.shape[0] == len(batch) and found.shape[1] > 0
    assert np.isfinite(found).all()
    assert batch.tobytes() == before
    np.testing.assert_array_equal(found, entry.function(batch, **params))


@pytest.mark.parametrize(("entry", "params"), cases())
def test_a_batch_gives_what_one_by_one_gives(entry: Entry, params: dict, batch: Images) -> None:
    alone = np.concatenate([entry.function(image[None], **params) for image in batch])
    np.testing.assert_allclose(entry.function(batch, **params), alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("entry", "params"), cases())
def test_no_images_give_no_rows(entry: Entry, params: dict, batch: Images) -> None:
    none, some = (entry.function(batch[:n], **params) for n in (0, 2))
    assert none.shape == (0, some.shape[1]) and none.dtype == np.float32


@pytest.mark.parametrize(("entry", "params"), cases())
def test_different_digits_have_different_features(entry: Entry, params: dict, digits: Split) -> None:
    found = entry.function(digits.images[:20], **params)
    assert len(np.unique(found, axis=0)) == 20


@pytest.mark.parametrize("entry", ENTRIES, ids=by_name)
def test_everything_has_words(entry: Entry) -> None:
    assert entry.title and entry.family
    assert len(entry.caption.split()) >= 6 and entry.caption.endswith(".")
    for parameter in entry.parameters:
        assert parameter.title and len(parameter.help.split()) >= 3 and parameter.help.endswith("."), parameter.name


def test_pixels_are_the_picture_itself(batch: Images) -> None:
    found = pixels(batch)
    np.testing.assert_allclose(found.reshape(batch.shape) * 255, batch, atol=1e-4)
    assert found.min() == 0 and found.max() == 1


def hog_of_scikit_image(images: Images, cell: int, block: int, orientations: int) -> np.ndarray:
    # By 256 and not by 255: then 45 degrees stay 45 degrees, which is the border of two bins.
    return np.stack(
        [
            feature.hog(
                image / 256,
                orientations=orientations,
                pixels_per_cell=(cell, cell),
                cells_per_block=(block, block),
                block_norm="L2-Hys",
            )
            for image in images
        ]
    )


@pytest.mark.parametrize("orientations", range(2, 19))
def test_hog_is_that_of_scikit_image_for_any_number_of_directions(batch: Images, orientations: int) -> None:
    expected = hog_of_scikit_image(batch, 4, 3, orientations)
    np.testing.assert_allclose(hog(batch, orientations=orientations, soft=False), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("cell", "block"), [(2, 1), (2, 4), (3, 2), (4, 1), (5, 2), (7, 2), (7, 4), (9, 3), (14, 2)])
def test_hog_is_that_of_scikit_image_for_any_grid(batch: Images, cell: int, block: int) -> None:
    expected = hog_of_scikit_image(batch, cell, block, 9)
    np.testing.assert_allclose(hog(batch, cell=cell, block=block, soft=False), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("shape", [(27, 27), (29, 31), (12, 50), (40, 13)])
def test_hog_is_that_of_scikit_image_for_odd_sizes(shape: tuple[int, int]) -> None:
    images = np.random.default_rng(3).integers(0, 256, (4, *shape), np.uint8)
    for cell, block in ((4, 3), (3, 2), (5, 2)):
        expected = hog_of_scikit_image(images, cell, block, 8)
        np.testing.assert_allclose(
            hog(images, cell=cell, block=block, orientations=8, soft=False), expected, rtol=0, atol=1e-4
        )


def test_hog_says_what_does_not_fit() -> None:
    images = np.zeros((1, 28, 28), np.uint8)
    assert hog(images, cell=7, block=4).shape == (1, 4 * 4 * 9)
    with pytest.raises(HdrError, match=r"3 cells of 14 px do not fit into 28x28 px.*at most 28"):
        hog(images, cell=14, block=3)
    with pytest.raises(HdrError, match="do not fit into 1x40 px"):
        hog(np.zeros((1, 40, 1), np.uint8))


@pytest.mark.parametrize("chunk", [1, 7, 30, 31])
def test_extraction_in_pieces_makes_no_difference(digits: Split, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    images, features = digits.images[:30], (Step("pixels"), Step("hog", {"cell": 7, "block": 2, "orientations": 9}))
    whole = extract(images, chain("deskew"), features)
    monkeypatch.setattr(extraction, "CHUNK", chunk)
    np.testing.assert_allclose(extract(images, chain("deskew"), features), whole, rtol=0, atol=1e-5)


def test_extraction_joins_features_after_the_pipeline(digits: Split) -> None:
    images = digits.images[:30]
    made = chain(*PRESETS["Default"])
    params = {"cell": 4, "block": 3, "orientations": 9}
    found = extract(images, made, (Step("hog", params), Step("pixels")))
    expected = np.hstack([hog(made.apply(images), **params), pixels(made.apply(images))])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert (extract(images, Pipeline(), (Step("pixels"),)) == pixels(images)).all()


def test_nothing_cannot_be_extracted_from() -> None:
    with pytest.raises(ValueError, match="no images"):
        extract(np.zeros((0, 28, 28), np.uint8), Pipeline(), (Step("pixels"),))
