"""Digits spoilt on purpose, many at a time: each with noise of its own."""

from __future__ import annotations

import numpy as np
import pytest

import hdr.preprocessing  # noqa: F401 - registers the disturbances
from hdr import catalogue
from hdr.catalogue import Entry, ParameterError
from hdr.preprocessing.corruptions import spoil
from hdr.preprocessing.pipeline import CHUNK
from hdr.types import Images, Split, Step

ENTRIES = catalogue.entries("disturbance")


def strongest(entry: Entry) -> Step:
    return Step(entry.name, {p.name: p.type(p.maximum) for p in entry.parameters if p.name != "seed"})


@pytest.fixture(scope="module")
def batch(digits: Split) -> Images:
    """More than one chunk of digits, read-only."""
    return digits.images[: CHUNK + 5] if len(digits) > CHUNK else np.resize(digits.images, (CHUNK + 5, 28, 28))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
def test_every_digit_is_spoilt_as_it_would_be_alone(entry: Entry, batch: Images) -> None:
    before = batch.tobytes()
    out = spoil(batch, [strongest(entry)], 7)
    assert (out.shape, out.dtype) == (batch.shape, np.uint8) and batch.tobytes() == before
    assert (out != batch).any(axis=(1, 2)).all()
    for i in (0, 1, CHUNK - 1, CHUNK, CHUNK + 4):
        np.testing.assert_array_equal(out[i], spoil(batch[i : i + 1], [strongest(entry)], 7 + i)[0])
    np.testing.assert_array_equal(out, spoil(batch, [strongest(entry)], 7))


@pytest.mark.parametrize("name", [e.name for e in ENTRIES if "seed" in e.validate()])
def test_noise_differs_from_digit_to_digit(name: str) -> None:
    grey = np.full((CHUNK + 5, 28, 28), 100, np.uint8)
    noise = spoil(grey, [strongest(catalogue.get("disturbance", name))], 0)
    assert len({image.tobytes() for image in noise}) == len(grey)
    named = Step(name, {**strongest(catalogue.get("disturbance", name)).params, "seed": 99})
    np.testing.assert_array_equal(spoil(grey, [named], 0), noise, "the seed of the call counts, none other")


def test_disturbances_come_in_their_order_and_only_those_that_are_on(batch: Images) -> None:
    pale, noise = Step("low_contrast", {"amount": 80}), Step("gaussian_noise", {"sigma": 40})
    few = batch[:20]
    np.testing.assert_array_equal(spoil(few, [pale, noise], 3), spoil(spoil(few, [pale], 3), [noise], 3))
    assert (spoil(few, [pale, noise], 3) != spoil(few, [noise, pale], 3)).any()
    np.testing.assert_array_equal(
        spoil(few, [pale, Step(noise.name, noise.params, on=False)], 3), spoil(few, [pale], 3)
    )
    np.testing.assert_array_equal(spoil(few, [], 3), few)
    assert spoil(few[:0], [pale, noise], 3).shape == (0, 28, 28)


def test_a_value_that_is_not_allowed_is_named(batch: Images) -> None:
    with pytest.raises(ParameterError, match="sigma is '101'"):
        spoil(batch[:1], [Step("gaussian_noise", {"sigma": 101})], 0)
