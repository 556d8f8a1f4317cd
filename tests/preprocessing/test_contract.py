"""What every step and every disturbance keeps, whoever wrote it: these tests run over the catalogue."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

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


def cases() -> list[Any]:
    """Every entry with every set of parameters."""
    return [
        pytest.param(entry, entry.validate(params), id="-".join([entry.name, *map(str, params.values())]))
        for entry in ENTRIES
        for params in extremes(entry)
    ]


def by_name(entry: Entry) -> str:
    return entry.name


def frozen(images: Images) -> Images:
    """The same images in memory that cannot be written to, not even by a library that ignores numpy's flags."""
    return np.frombuffer(images.tobytes(), np.uint8).reshape(images.shape)


def one_pixel(h: int, w: int) -> Images:
    image = np.zeros((1, h, w), np.uint8)
    image[0, h // 3, w // 2] = 255
    return image


@pytest.fixture(scope="module")
def batch(digits: Split) -> Images:
    """Digits, noise, and what is not a digit: uint8 (18, 28, 28), read-only."""
    noise = np.random.default_rng(0).integers(0, 256, (4, 28, 28), np.uint8)
    odd = [np.zeros((1, 28, 28), np.uint8), np.full((1, 28, 28), 255, np.uint8), one_pixel(28, 28)]
    ramp = np.broadcast_to(np.arange(28, dtype=np.uint8) * 9, (1, 28, 28))
    return frozen(np.concatenate([digits.images[:10], noise, *odd, ramp]))


def odd_batches() -> dict[str, Images]:
    rng = np.random.default_rng(1)
    shapes = [(1, 1), (1, 28), (28, 1), (2, 2), (3, 28), (41, 60), (60, 41)]
    return {
        f"{kind} {h}x{w}": image
        for h, w in shapes
        for kind, image in {
            "blank": np.zeros((2, h, w), np.uint8),
            "full": np.full((2, h, w), 255, np.uint8),
            "grey": np.full((2, h, w), 100, np.uint8),
            "pixel": one_pixel(h, w),
            "noise": rng.integers(0, 256, (3, h, w), np.uint8),
        }.items()
    }


def check_shape(entry: Entry, before: Images, after: Images) -> None:
    """The same number of uint8 images; of the same size, unless the step is one that declares otherwise."""
    assert (len(after), after.ndim, after.dtype) == (len(before), 3, np.uint8)
    assert min(after.shape[1:]) >= 1
    if not entry.facts.get("resizes"):
        assert after.shape == before.shape


@pytest.mark.parametrize(("entry", "params"), cases())
def test_shape_and_type_stay_and_the_input_is_not_changed(entry: Entry, params: dict, batch: Images) -> None:
    before = batch.tobytes()
    out = entry.function(batch, **params)
    check_shape(entry, batch, out)
    assert batch.tobytes() == before


@pytest.mark.parametrize("entry", [e for e in STEPS if e.facts.get("resizes")], ids=by_name)
def test_a_step_that_declares_to_resize_does(entry: Entry, batch: Images) -> None:
    assert entry.function(batch, **entry.validate()).shape != batch.shape


@pytest.mark.parametrize(("entry", "params"), cases())
def test_a_batch_gives_bit_for_bit_what_one_by_one_gives(entry: Entry, params: dict, batch: Images) -> None:
    together = entry.function(batch, **params)
    for i in range(len(batch)):
        np.testing.assert_array_equal(together[i], entry.function(batch[i : i + 1], **params)[0], f"image {i}")


@pytest.mark.parametrize(("entry", "params"), cases())
def test_the_same_twice(entry: Entry, params: dict, batch: Images) -> None:
    np.testing.assert_array_equal(entry.function(batch, **params), entry.function(batch, **params))


@pytest.mark.parametrize(("entry", "params"), cases())
def test_images_of_any_size_and_content(entry: Entry, params: dict) -> None:
    for name, images in odd_batches().items():
        source = frozen(images)
        out = entry.function(source, **params)
        check_shape(entry, images, out)
        alone = np.concatenate([entry.function(image[None], **params) for image in source])
        np.testing.assert_array_equal(out, alone, name)


@pytest.mark.parametrize(("entry", "params"), cases())
def test_no_images_give_no_images(entry: Entry, params: dict) -> None:
    for shape in [(0, 28, 28), (0, 1, 1), (0, 41, 60)]:
        out = entry.function(np.zeros(shape, np.uint8), **params)
        check_shape(entry, np.zeros(shape, np.uint8), out)
        one = entry.function(np.zeros((1, *shape[1:]), np.uint8), **params)
        assert out.shape[1:] == one.shape[1:]


@pytest.mark.parametrize(("entry", "params"), cases())
def test_how_the_images_lie_in_memory_does_not_matter(entry: Entry, params: dict, batch: Images) -> None:
    wide = np.repeat(np.repeat(batch, 2, axis=0), 2, axis=2)
    turned = np.asfortranarray(batch)
    expected = entry.function(batch, **params)
    np.testing.assert_array_equal(entry.function(wide[::2, :, ::2], **params), expected)
    np.testing.assert_array_equal(entry.function(turned, **params), expected)


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


LEVELS = [
    pytest.param(*case.values, id=case.id) for case in cases() if "level" in case.values[0].facts
]  # fmt: skip


@pytest.mark.parametrize(("entry", "params"), LEVELS)
def test_ink_is_what_lies_above_the_level(entry: Entry, params: dict, batch: Images) -> None:
    for images in [batch, *odd_batches().values(), batch[:0]]:
        level = entry.facts["level"](images, **params)
        assert level.dtype == np.float64 and level.shape in ((len(images),), images.shape)
        shaped = level.reshape(level.shape + (1,) * (3 - level.ndim))
        np.testing.assert_array_equal(entry.function(images, **params), np.where(images > shaped, 255, 0))


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
