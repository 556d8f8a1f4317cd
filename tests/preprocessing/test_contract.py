"""What every step and every disturbance keeps, whoever wrote it: these tests run over the catalogue."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import hdr.preprocessing  # noqa: F401 - registers the entries
from hdr import catalogue
from hdr.catalogue import Entry
from hdr.types import Images, Split

ENTRIES = [*catalogue.entries("step"), *catalogue.entries("disturbance")]
STEPS = catalogue.entries("step")
DISTURBANCES = catalogue.entries("disturbance")


def extremes(entry: Entry) -> Iterator[dict[str, Any]]:
    """The defaults; then each parameter at each end or choice; then all at the lower and all at the upper end."""
    yield {}
    ends = {p.name: list(p.choices) or [p.type(p.minimum), p.type(p.maximum)] for p in entry.parameters}
    for name, values in ends.items():
        for value in values:
            yield {name: value}
    if len(ends) > 1:
        yield {name: values[0] for name, values in ends.items()}
        yield {name: values[-1] for name, values in ends.items()}


def by_name(entry: Entry) -> str:
    return entry.name


def frozen(images: Images) -> Images:
    """The same images in memory that cannot be written to, not even by a library that ignores numpy's flags."""
    return np.frombuffer(images.tobytes(), np.uint8).reshape(images.shape)


Pictures = dict[str, NDArray[np.uint8]]
"""Pictures of one size, by name."""

SIZES = [(1, 1), (1, 28), (28, 1), (2, 2), (3, 28), (41, 60), (60, 41)]


def odd_ones(h: int, w: int, rng: np.random.Generator) -> Pictures:
    pixel = np.zeros((h, w), np.uint8)
    pixel[h // 3, w // 2] = 255
    plain = {name: np.full((h, w), value, np.uint8) for name, value in (("blank", 0), ("full", 255), ("grey", 100))}
    noise = {f"noise {i}": rng.integers(0, 256, (h, w), np.uint8) for i in range(3)}
    return {**plain, **noise, "one pixel": pixel}


@pytest.fixture(scope="module")
def pictures(digits: Split) -> list[Pictures]:
    """Digits, a ramp and odd pictures of 28x28; and odd pictures of other sizes."""
    rng = np.random.default_rng(0)
    ramp = np.broadcast_to(np.arange(28, dtype=np.uint8) * 9, (28, 28))
    usual = {f"digit {i}": image for i, image in enumerate(digits.images[:10])}
    return [{**usual, "ramp": ramp, **odd_ones(28, 28, rng)}, *(odd_ones(h, w, rng) for h, w in SIZES)]


@pytest.fixture(scope="module")
def batch(pictures: list[Pictures]) -> Images:
    """The pictures of 28x28, in memory that cannot be written to."""
    return stacked(pictures[0])


def stacked(pictures: Pictures) -> Images:
    return frozen(np.stack(list(pictures.values())))


def check_shape(entry: Entry, before: Images, after: Images) -> None:
    """The same number of uint8 images; of the same size, unless the step is one that declares otherwise."""
    assert (len(after), after.ndim, after.dtype) == (len(before), 3, np.uint8)
    assert min(after.shape[1:]) >= 1
    if not entry.facts.get("resizes"):
        assert after.shape == before.shape


def check(entry: Entry, params: dict[str, Any], pictures: Pictures) -> None:
    """Everything that a batch of pictures of one size keeps."""
    images = stacked(pictures)
    before = images.tobytes()
    together = entry.function(images, **params)
    check_shape(entry, images, together)
    assert images.tobytes() == before, "the input stays as it is"
    for name, image, out in zip(pictures, images, together, strict=True):
        # Each picture is computed a second time here, so a step that is random without a seed fails, too.
        alone = entry.function(image[None], **params)[0]
        np.testing.assert_array_equal(alone, out, f"{name}: alone, and in a batch")
    nothing = entry.function(images[:0], **params)
    assert (nothing.dtype, nothing.shape) == (np.uint8, (0, *together.shape[1:])), "no images give no images"
    if "level" in entry.facts:
        for some, inked in ((images, together), (images[:0], nothing)):
            level = entry.facts["level"](some, **params)
            assert level.dtype == np.float64 and level.shape in ((len(some),), some.shape)
            shaped = level.reshape(level.shape + (1,) * (3 - level.ndim))
            np.testing.assert_array_equal(inked, np.where(some > shaped, 255, 0), "every pixel above the level is ink")


def check_memory(entry: Entry, params: dict[str, Any], batch: Images) -> None:
    """How the images lie in memory does not matter."""
    expected = entry.function(batch, **params)
    wide = np.repeat(np.repeat(batch, 2, axis=0), 2, axis=2)
    np.testing.assert_array_equal(entry.function(wide[::2, :, ::2], **params), expected)
    np.testing.assert_array_equal(entry.function(np.asfortranarray(batch), **params), expected)


@pytest.mark.parametrize("entry", ENTRIES, ids=by_name)
def test_the_contract_is_kept_with_all_parameters_on_images_of_any_size_and_content(
    entry: Entry, pictures: list[Pictures], batch: Images, subtests: pytest.Subtests
) -> None:
    for changed in extremes(entry):
        params = entry.validate(changed)
        for some in pictures:
            h, w = next(iter(some.values())).shape
            with subtests.test(f"{h}x{w}", **changed):
                check(entry, params, some)
        with subtests.test("memory", **changed):
            check_memory(entry, params, batch)


@pytest.mark.parametrize("entry", [e for e in STEPS if e.facts.get("resizes")], ids=by_name)
def test_a_step_that_declares_to_resize_does(entry: Entry, batch: Images) -> None:
    assert entry.function(batch, **entry.validate()).shape != batch.shape


@pytest.mark.parametrize("entry", ENTRIES, ids=by_name)
def test_everything_has_words(entry: Entry) -> None:
    assert entry.title and entry.family
    assert len(entry.caption.split()) >= 6 and entry.caption.endswith(".") and entry.caption[0].isupper()
    for parameter in entry.parameters:
        assert parameter.title and parameter.title[0].isupper(), parameter.name
        assert len(parameter.help.split()) >= 3 and parameter.help.endswith("."), parameter.name


@pytest.mark.parametrize("entry", STEPS, ids=by_name)
def test_steps_have_a_formula_and_a_source(entry: Entry) -> None:
    assert "=" in entry.formula or "\\" in entry.formula
    assert "$" not in entry.formula
    assert entry.formula.count("{") == entry.formula.count("}")
    assert re.search(r"\b(1[89]|20)\d\d\b", entry.source), "a source has a year"


@pytest.mark.parametrize("entry", STEPS, ids=by_name)
def test_captions_are_two_sentences(entry: Entry) -> None:
    assert len(re.findall(r"[.!?](?=\s|$)", entry.caption)) == 2


@pytest.mark.parametrize("entry", STEPS, ids=by_name)
def test_what_a_step_looks_up_is_in_its_module(entry: Entry) -> None:
    """A step is printed as a script of its own: it must hang on nothing but names of its module."""
    assert inspect.isfunction(entry.function) and entry.function.__closure__ is None
    assert getattr(inspect.getmodule(entry.function), entry.name) is entry.function


def test_every_threshold_tells_its_level() -> None:
    assert {e.name for e in STEPS if "level" in e.facts} == {e.name for e in STEPS if e.family == "Thresholding"}


@pytest.mark.parametrize("entry", ENTRIES, ids=by_name)
def test_facts_are_known_ones(entry: Entry) -> None:
    assert entry.scope in ("image", "digit")
    assert entry.display in ("intensity", "signed", "angle")
    assert set(entry.facts) <= {"scope", "display", "resizes", "level"}


@pytest.mark.parametrize("entry", [e for e in STEPS if e.display == "signed"], ids=by_name)
def test_nothing_is_128_where_values_have_a_sign(entry: Entry) -> None:
    for grey in (0, 1, 100, 255):
        assert (entry.function(np.full((2, 9, 12), grey, np.uint8), **entry.validate()) == 128).all()


@pytest.mark.parametrize("entry", ENTRIES, ids=by_name)
def test_parameters_fit_a_widget_and_an_address(entry: Entry) -> None:
    for parameter in entry.parameters:
        assert re.fullmatch("[A-Za-z][A-Za-z0-9_]*", parameter.name)
        assert parameter.name not in ("name", "on"), "JSON has these for itself"
        if parameter.choices:
            assert parameter.default in parameter.choices
        elif parameter.type is not bool:
            assert parameter.minimum <= parameter.default <= parameter.maximum
            for beyond in (parameter.minimum - 1, parameter.maximum + 1):
                with pytest.raises(catalogue.ParameterError, match=parameter.name):
                    entry.validate({parameter.name: parameter.type(beyond)})


def test_titles_tell_entries_apart() -> None:
    for entries in (STEPS, DISTURBANCES):
        titles = [e.title for e in entries]
        assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("entry", STEPS, ids=by_name)
def test_every_step_does_something(entry: Entry, batch: Images) -> None:
    moved = np.roll(batch, (3, -2), axis=(1, 2)) // 2 + 20
    assert not np.array_equal(entry.function(moved, **entry.validate()), moved)


@pytest.mark.parametrize("entry", DISTURBANCES, ids=by_name)
def test_a_disturbance_at_its_default_changes_nothing(entry: Entry, batch: Images) -> None:
    np.testing.assert_array_equal(entry.function(batch, **entry.validate()), batch)
    for parameter in entry.parameters:
        if parameter.name == "seed":
            out = entry.function(batch, **entry.validate({"seed": int(parameter.maximum)}))
            np.testing.assert_array_equal(out, batch)


@pytest.mark.parametrize("entry", DISTURBANCES, ids=by_name)
def test_every_slider_of_a_disturbance_disturbs(entry: Entry, digits: Split) -> None:
    batch = digits.images[:5]
    strongest = {p.name: p.type(p.maximum) for p in entry.parameters if p.name != "seed"}
    for name, value in strongest.items():
        assert (entry.function(batch, **entry.validate({name: value})) != batch).any(axis=(1, 2)).all()
    if "seed" in entry.validate():
        one, two = (entry.function(batch, **entry.validate(strongest | {"seed": seed})) for seed in (1, 2))
        assert (one != two).any()
