"""What every feature extractor keeps: these tests run over the catalogue."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import hdr.features  # noqa: F401 - registers the entries
from hdr import catalogue
from hdr.catalogue import Entry, Parameter
from hdr.features.extract import columns, drawings
from hdr.types import Drawing, Features, HdrError, Split, Step

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

ENTRIES = catalogue.entries("feature")

FAMILIES = {"Global", "Local", "Texture", "Transforms", "Zones"}

SIZES = [(28, 28), (1, 1), (1, 28), (28, 1), (2, 2), (3, 5), (27, 31), (64, 64)]


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


def by_name(entry: Entry) -> str:
    return entry.name


def odd_ones(shape: tuple[int, int]) -> dict[str, NDArray[np.uint8]]:
    """Pictures of one size, by name; none of them is a digit."""
    h, w = shape
    rng = np.random.default_rng(0)
    pixel, half = np.zeros((h, w), np.uint8), np.zeros((h, w), np.uint8)
    pixel[h // 3, w // 2], half[h // 2 :] = 255, 200
    plain = {"blank": np.zeros((h, w), np.uint8), "full": np.full((h, w), 255, np.uint8)}
    noise = {f"noise {i}": rng.integers(0, 256, (h, w), np.uint8) for i in range(2)}
    return {**plain, "one pixel": pixel, "half": half, **noise}


@pytest.mark.parametrize("entry", ENTRIES, ids=by_name)
def test_every_default_fits_a_digit(entry: Entry) -> None:
    assert entry(np.zeros((1, 28, 28), np.uint8)).shape[0] == 1


def check(step: Step, function: Callable[..., Features], pictures: dict[str, NDArray[np.uint8]]) -> None:
    """Everything that features of pictures of one size keep, with their names and their drawings."""
    stacked = np.stack(list(pictures.values()))
    # In memory that cannot be written to, not even by a library that ignores numpy's flags.
    images = np.frombuffer(stacked.tobytes(), np.uint8).reshape(stacked.shape)
    params, shape = dict(step.params), images.shape[1:]
    found = function(images, **params)
    assert found.dtype == np.float32 and found.ndim == 2 and found.shape[0] == len(images) and found.shape[1] > 0
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(function(images, **params), found, "the same twice")
    for name, image, row in zip(pictures, images, found, strict=True):
        alone = function(image[None], **params)[0]
        np.testing.assert_allclose(row, alone, rtol=0, atol=1e-5, err_msg=f"{name}: alone, and in a batch")
    nothing = function(images[:0], **params)
    assert nothing.shape == (0, found.shape[1]) and nothing.dtype == np.float32
    names = columns((step,), shape)
    assert len(names) == found.shape[1] and len(set(names)) == len(names)
    assert all(name == name.strip() and 3 < len(name) <= 48 for name in names), names[:3]
    for name in ("digit 0", "digit 5", "digit 9", "blank", "full", "one pixel", "half", "noise 0"):
        if name in pictures:
            check_drawings(drawings(step, pictures[name]), pictures[name])
    assert images.tobytes() == stacked.tobytes(), "the input stays as it is"


def check_refused(step: Step, function: Callable[..., Features], picture: NDArray[np.uint8]) -> None:
    """Blocks larger than the picture are refused, for its features and for their names."""
    with pytest.raises(HdrError, match="do not fit"):
        function(picture[None], **dict(step.params))
    with pytest.raises(HdrError, match="do not fit"):
        columns((step,), picture.shape)


def check_drawings(drawn: tuple[Drawing, ...], image: np.ndarray) -> None:
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


@pytest.mark.parametrize("entry", ENTRIES, ids=by_name)
def test_the_contract_is_kept_with_all_parameters_on_images_of_any_size_and_content(
    entry: Entry, digits: Split, subtests: pytest.Subtests
) -> None:
    usual = {f"digit {i}": image for i, image in enumerate(digits.images[:12])}
    for changed in extremes(entry):
        params = entry.validate(changed)
        step = Step(entry.name, params)
        for shape in SIZES:
            with subtests.test(f"{shape[0]}x{shape[1]}", **changed):
                pictures = {**(usual if shape == (28, 28) else {}), **odd_ones(shape)}
                if entry.name == "hog" and params["cell"] * params["block"] > min(shape):
                    check_refused(step, entry.function, pictures["blank"])
                    continue
                check(step, entry.function, pictures)
                if shape == (28, 28):
                    rows = entry.function(digits.images[:40], **params)
                    assert len(np.unique(rows, axis=0)) > 1, "digits differ in their features"


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


@pytest.mark.parametrize("entry", ENTRIES, ids=by_name)
def test_everything_has_words(entry: Entry) -> None:
    assert entry.title and entry.family in FAMILIES and entry.source
    assert len(re.findall(r"[.!?](?= |$)", entry.caption)) == 2 and entry.caption.endswith("."), entry.caption
    for parameter in entry.parameters:
        assert parameter.title and len(parameter.help.split()) >= 3 and parameter.help.endswith("."), parameter.name
