"""What every feature extractor keeps: these tests run over the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import hdr.features  # noqa: F401 - registers the entries
from hdr import catalogue
from hdr.catalogue import Entry, Parameter
from hdr.features.extract import columns, drawings
from hdr.types import Drawing, HdrError, Images, Split, Step

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

ENTRIES = catalogue.entries("feature")

FAMILIES = {"Global", "Local", "Texture", "Transforms", "Zones"}

SIZES = [(1, 1), (1, 28), (28, 1), (2, 2), (3, 5), (27, 31), (64, 64)]


def ends(parameter: Parameter) -> tuple[Any, ...]:
    """Every choice, or both ends of the range."""
    if parameter.type is bool:
        return False, True
    return parameter.choices or (parameter.type(parameter.minimum), parameter.type(parameter.maximum))


def extremes(entry: Entry) -> Iterator[dict[str, Any]]:
    """The defaults, then each parameter at each end or choice."""
    yield {}
    for p in entry.parameters:
        for value in ends(p):
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


def odd_ones(shape: tuple[int, int]) -> Images:
    """A blank, a full and a one-pixel image, one half black, and noise."""
    h, w = shape
    images = np.zeros((6, h, w), np.uint8)
    images[1], images[2, h // 3, w // 2], images[3, h // 2 :] = 255, 255, 200
    images[4:] = np.random.default_rng(0).integers(0, 256, (2, h, w))
    return images


@pytest.fixture(scope="module")
def batch(digits: Split) -> Images:
    """Digits and odd pictures, in memory that cannot be written to."""
    images = np.concatenate([digits.images[:12], odd_ones((28, 28))])
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
def test_digits_differ_in_their_features(entry: Entry, params: dict, digits: Split) -> None:
    assert len(np.unique(entry.function(digits.images[:40], **params), axis=0)) > 1


@pytest.mark.parametrize("entry", ENTRIES, ids=by_name)
def test_no_parameter_is_idle(entry: Entry, digits: Split) -> None:
    for parameter in entry.parameters:
        made = set()
        for value in ends(parameter):
            try:
                found = entry(digits.images[:40], **{parameter.name: value})
            except HdrError as error:
                made.add(str(error))
            else:
                made.add((found.shape, found.tobytes()))
        assert len(made) > 1, parameter.name


@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize(("entry", "params"), cases())
def test_any_size_will_do(entry: Entry, params: dict, shape: tuple[int, int]) -> None:
    images = odd_ones(shape)
    if entry.name == "hog" and params["cell"] * params["block"] > min(shape):
        for work in (entry.function, lambda images, **p: columns((Step("hog", p),), shape)):
            with pytest.raises(HdrError, match="do not fit"):
                work(images, **params)
        return
    found = entry.function(images, **params)
    assert found.dtype == np.float32 and len(found) == len(images) and np.isfinite(found).all()
    alone = np.concatenate([entry.function(image[None], **params) for image in images])
    np.testing.assert_allclose(found, alone, rtol=0, atol=1e-5)
    assert len(columns((Step(entry.name, params),), shape)) == found.shape[1]
    for image in images[:5]:
        check(drawings(Step(entry.name, params), image), image)


def check(drawn: tuple[Drawing, ...], image: np.ndarray) -> None:
    """Drawings are pictures with marks that lie on them or near, and words."""
    assert 1 <= len(drawn) <= 4
    for drawing in drawn:
        assert drawing.title and drawing.title[0].isupper() and not drawing.title.endswith(".")
        assert drawing.image.dtype == np.uint8 and drawing.image.ndim == 2 and drawing.image.size
        assert drawing.display in ("intensity", "signed", "angle")
        assert not drawing.note or drawing.note.endswith(".")
        for mark in drawing.marks:
            assert mark.kind in ("points", "line", "area", "box") and 0 <= mark.strength <= 1 and mark.series >= 0
            assert mark.points.dtype == np.float64 and mark.points.ndim == 2 and mark.points.shape[1] == 2
            assert len(mark.points) >= (1 if mark.kind in ("points", "area") else 2)
            assert mark.kind != "box" or len(mark.points) == 2
            assert np.isfinite(mark.points).all()
            h, w = drawing.image.shape
            # Ellipses and rings may reach over the edge by as much again, or by a sampling radius on tiny pictures.
            reach = np.array([w, h]) * 0.5 + 8
            assert (mark.points >= -reach).all() and (mark.points <= np.array([w, h]) + reach).all(), mark


@pytest.mark.parametrize(("entry", "params"), cases())
def test_columns_have_names_of_their_own(entry: Entry, params: dict) -> None:
    names = columns((Step(entry.name, params),), (28, 28))
    assert len(names) == entry.function(np.zeros((1, 28, 28), np.uint8), **params).shape[1]
    assert len(set(names)) == len(names)
    assert all(name == name.strip() and 3 < len(name) <= 48 for name in names), names[:3]


@pytest.mark.parametrize(("entry", "params"), cases())
def test_drawings_show_digits_and_change_nothing(entry: Entry, params: dict, batch: Images) -> None:
    before = batch.tobytes()
    for image in batch[[0, 5, 9]]:
        check(drawings(Step(entry.name, params), image), image)
    assert batch.tobytes() == before


@pytest.mark.parametrize("entry", ENTRIES, ids=by_name)
def test_everything_has_words(entry: Entry) -> None:
    assert entry.title and entry.family in FAMILIES and entry.source
    assert len(re.findall(r"[.!?](?= |$)", entry.caption)) == 2 and entry.caption.endswith("."), entry.caption
    for parameter in entry.parameters:
        assert parameter.title and len(parameter.help.split()) >= 3 and parameter.help.endswith("."), parameter.name
