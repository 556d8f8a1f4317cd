"""From images to one matrix; names and drawings by extractor."""

from __future__ import annotations

import numpy as np
import pytest

from hdr import catalogue
from hdr.features import extract as extraction
from hdr.features.extract import columns, drawings, extract
from hdr.features.hog import hog
from hdr.features.pixels import pixels
from hdr.preprocessing import PRESETS, Pipeline
from hdr.preprocessing.pipeline import chain
from hdr.types import HdrError, Split, Step


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


def test_columns_are_in_the_order_of_extraction(digits: Split) -> None:
    features = (Step("bounding_box"), Step("zoning", {"grid": 2}))
    names = columns(features, (28, 28))
    assert len(names) == extract(digits.images[:1], Pipeline(), features).shape[1]
    assert names[0] == "Bounding box: left (px)" and names[5] == "Zoning: ink in zone 1, 1 (%)"
    assert columns(features[:1], (28, 28))[0] == "left (px)"
    assert columns((Step("pixels"),), (2, 3)) == tuple(f"pixel {x}, {y}" for y in (0, 1) for x in (0, 1, 2))


def test_many_features_at_once_have_names_of_their_own() -> None:
    names = columns([Step(e.name) for e in catalogue.entries("feature")], (28, 28))
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("shape", [(65, 28), (28, 65), (1000, 1000)])
def test_large_pictures_are_refused(shape: tuple[int, int]) -> None:
    images, words = np.zeros((2, *shape), np.uint8), rf"{shape[1]}x{shape[0]} px.*at most 64x64 px"
    with pytest.raises(HdrError, match=words):
        extract(images, Pipeline(), (Step("pixels"),))
    with pytest.raises(HdrError, match=words):
        columns((Step("pixels"),), shape)
    with pytest.raises(HdrError, match=words):
        drawings(Step("pixels"), images[0])


def test_more_features_than_fit_into_memory_are_refused() -> None:
    finest = Step("hog", {"cell": 2, "block": 4, "orientations": 18, "soft": True})
    with pytest.raises(HdrError, match=r"64x64 px has 242,208 of these features; at most 50,000"):
        extract(np.zeros((500, 64, 64), np.uint8), Pipeline(), (finest,))
    assert extract(np.zeros((2, 28, 28), np.uint8), Pipeline(), (finest,)).shape == (2, 34_848)


def test_names_and_drawings_know_what_is_wrong() -> None:
    with pytest.raises(HdrError, match="no feature 'hogg'"):
        columns((Step("hogg"),), (28, 28))
    with pytest.raises(HdrError, match="grid is '99'"):
        drawings(Step("zoning", {"grid": 99}), np.zeros((28, 28), np.uint8))


def test_columns_of_one_extractor_that_is_there_twice_are_told_apart() -> None:
    names = columns((Step("hog", {"cell": 7}), Step("centroid"), Step("hog", {"cell": 14, "block": 1})), (28, 28))
    assert len(set(names)) == len(names)
    assert (
        names[0].startswith("HOG 1: ")
        and names[-1].startswith("HOG 2: ")
        and any(n.startswith("Centroid: ") for n in names)
    )
