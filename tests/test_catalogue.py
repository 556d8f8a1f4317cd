"""The catalogue: what a signature declares, and what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from hdr import catalogue
from hdr.catalogue import Entry, ParameterError, UnknownEntryError, format_value, key_of
from hdr.types import HdrError, Step


def probe(
    images: Any,
    *,
    count: Annotated[
        int,
        Field(ge=-5, le=9, title="Count", description="How many.", json_schema_extra={"unit": "px", "step": 2}),
    ] = 3,
    ratio: Annotated[
        float, Field(ge=0.001, le=1000, title="Ratio", description="How much.", json_schema_extra={"log": True})
    ] = 0.5,
    mode: Annotated[Literal["near", "far_away", "k-means"], Field(title="Mode", description="Which.")] = "near",
    size: Annotated[Literal[1, 3, 5], Field(title="Size", description="How large.")] = 3,
    sharp: Annotated[bool, Field(title="Sharp", description="Whether.")] = False,
) -> Any:
    """Does nothing at all. It is here
    to be looked at.

    A second paragraph: not a part of the caption.

    Formula: a = b,
    \\quad c = d

    Source: Somebody, Something (1999), section 3;
    elsewhere.
    """
    return images, count, ratio, mode, size, sharp


def bare(images: Any) -> Any:
    """Has no parameters."""
    return images


@pytest.fixture(scope="module", autouse=True)
def separate_catalogue() -> Iterator[None]:
    """Entries of this file go into a catalogue of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "_entries", {})
        catalogue.register("step", "A probe", family="Probes", scope="digit", display="signed", extra=7)(probe)
        catalogue.register("step", "Bare", family="Probes")(bare)
        yield


@pytest.fixture
def entry() -> Entry:
    return catalogue.get("step", "probe")


def test_the_decorator_leaves_the_function_as_it_is() -> None:
    def another(images: Any) -> Any:
        """Another."""
        return images

    assert catalogue.register("feature", "Another", family="F")(another) is another
    assert catalogue.get("feature", "another").function is another
    assert catalogue.entries("feature") == (catalogue.get("feature", "another"),)


def test_entries_come_in_the_order_of_their_declaration() -> None:
    assert [e.name for e in catalogue.entries("step")] == ["probe", "bare"]
    assert catalogue.entries("classifier") == ()


def test_a_second_function_of_the_same_name_is_refused() -> None:
    def bare(images: Any) -> Any:
        """An impostor from elsewhere."""

    bare.__module__ = "elsewhere"
    with pytest.raises(ValueError, match="'bare' is declared twice"):
        catalogue.register("step", "Impostor", family="F")(bare)
    assert catalogue.get("step", "bare").title == "Bare"


def test_what_was_declared_can_be_read(entry: Entry) -> None:
    assert (entry.kind, entry.name, entry.title, entry.family) == ("step", "probe", "A probe", "Probes")
    assert (entry.scope, entry.display, entry.facts["extra"]) == ("digit", "signed", 7)
    plain = catalogue.get("step", "bare")
    assert (plain.scope, plain.display, plain.parameters) == ("image", "intensity", ())


def test_parameters_in_the_order_of_the_signature(entry: Entry) -> None:
    count, ratio, mode, size, sharp = entry.parameters
    assert (count.name, count.title, count.help, count.type) == ("count", "Count", "How many.", int)
    assert (count.default, count.minimum, count.maximum, count.step, count.unit) == (3, -5, 9, 2, "px")
    assert (count.log, count.choices) == (False, ())
    assert (ratio.type, ratio.log, ratio.step, ratio.unit) == (float, True, None, "")
    assert (mode.type, mode.choices, mode.minimum) == (str, ("near", "far_away", "k-means"), None)
    assert (size.type, size.choices, size.default) == (int, (1, 3, 5), 3)
    assert (sharp.type, sharp.default, sharp.choices) == (bool, False, ())


def test_the_docstring_is_the_text(entry: Entry) -> None:
    assert entry.caption == "Does nothing at all. It is here to be looked at."
    assert entry.formula == "a = b, \\quad c = d"
    assert entry.source == "Somebody, Something (1999), section 3; elsewhere."
    plain = catalogue.get("step", "bare")
    assert (plain.caption, plain.formula, plain.source) == ("Has no parameters.", "", "")


def test_defaults_are_filled_in(entry: Entry) -> None:
    defaults = {"count": 3, "ratio": 0.5, "mode": "near", "size": 3, "sharp": False}
    assert entry.validate() == entry.validate({}) == defaults
    assert entry.validate({"count": -5, "ratio": 1000.0}) == defaults | {"count": -5, "ratio": 1000.0}
    assert entry("x", size=5) == ("x", 3, 0.5, "near", 5, False)


def test_a_whole_number_does_for_a_real_one_and_reads_the_same(entry: Entry) -> None:
    assert json.dumps(entry.validate({"ratio": 2})) == json.dumps(entry.validate({"ratio": 2.0}))
    assert entry.validate({"count": np.int64(4), "ratio": np.float32(0.5)})["count"] == 4


BAD = [
    ("count", 10, "a whole number from -5 to 9"),
    ("count", -6, "a whole number from -5 to 9"),
    ("count", 2.5, "a whole number from -5 to 9"),
    ("count", True, "a whole number from -5 to 9"),
    ("count", "3", "a whole number from -5 to 9"),
    ("count", b"3", "a whole number from -5 to 9"),
    ("count", None, "a whole number from -5 to 9"),
    ("count", [3], "a whole number from -5 to 9"),
    ("count", float("nan"), "a whole number from -5 to 9"),
    ("count", float("inf"), "a whole number from -5 to 9"),
    ("count", 10**400, "a whole number from -5 to 9"),
    ("ratio", float("nan"), "a number from 0.001 to 1000"),
    ("ratio", float("inf"), "a number from 0.001 to 1000"),
    ("ratio", float("-inf"), "a number from 0.001 to 1000"),
    ("ratio", 0, "a number from 0.001 to 1000"),
    ("ratio", 1000.1, "a number from 0.001 to 1000"),
    ("ratio", True, "a number from 0.001 to 1000"),
    ("ratio", "0.5", "a number from 0.001 to 1000"),
    ("ratio", 10**400, "a number from 0.001 to 1000"),
    ("mode", "nearest", "one of near, far_away, k-means"),
    ("mode", 1, "one of near, far_away, k-means"),
    ("mode", {}, "one of near, far_away, k-means"),
    ("size", 4, "one of 1, 3, 5"),
    ("size", "3", "one of 1, 3, 5"),
    ("size", True, "one of 1, 3, 5"),
    ("size", [3], "one of 1, 3, 5"),
    ("sharp", 1, "true or false"),
    ("sharp", "true", "true or false"),
    ("sharp", None, "true or false"),
]


@pytest.mark.parametrize(("name", "value", "expected"), BAD, ids=lambda v: str(v)[:20])
def test_a_bad_value_is_named_with_what_would_be_right(entry: Entry, name: str, value: Any, expected: str) -> None:
    with pytest.raises(ParameterError) as caught:
        entry.validate({name: value})
    message = str(caught.value)
    assert message.startswith(f"A probe: {name} is ")
    assert repr(str(value)[:80]) in message
    assert message.endswith(f"it must be {expected}.")


def test_every_bad_value_is_named(entry: Entry) -> None:
    with pytest.raises(ParameterError, match=r"count is '77'.*; .*mode is 'up'"):
        entry.validate({"count": 77, "mode": "up"})


def test_an_unknown_parameter_is_named_with_those_there_are(entry: Entry) -> None:
    with pytest.raises(ParameterError, match=r"A probe has no parameter 'colour'; it has count, ratio, mode, size, sh"):
        entry.validate({"colour": 1})
    with pytest.raises(ParameterError, match=r"Bare has no parameter 'colour'; it has none"):
        catalogue.get("step", "bare").validate({"colour": 1})


HUGE = [10**5000, "x" * 10_000, ["x" * 100] * 100, {"a": "x" * 10_000}, "\ud800" * 10_000]


@pytest.mark.parametrize("value", HUGE, ids=lambda v: type(v).__name__)
def test_messages_stay_short_whatever_the_value(entry: Entry, value: Any) -> None:
    attempts = [
        lambda: entry.validate({"count": value}),
        lambda: entry.validate({"mode": value}),
        lambda: entry.validate({str(value)[:9000] if not isinstance(value, int) else "y" * 9000: 1}),
        lambda: catalogue.get("step", "z" * 9000),
        lambda: catalogue.step_from_json("step", value),
        lambda: catalogue.step_from_json("step", {"name": "probe", "on": value}),
        lambda: catalogue.step_from_json("step", {"name": "q" * 9000, "on": value}),
    ]
    for attempt in attempts:
        with pytest.raises(HdrError) as caught:
            attempt()
        assert 10 < len(str(caught.value)) < 800


def test_lists_within_lists_are_refused_not_a_crash() -> None:
    nested: list = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(HdrError):
        catalogue.step_from_json("step", nested)
    with pytest.raises(HdrError):
        catalogue.step_from_json("step", {"name": "probe", "count": nested})


def test_an_unknown_name_is_answered_with_the_valid_ones() -> None:
    with pytest.raises(UnknownEntryError, match=r"There is no step 'prob'; there are probe, bare\."):
        catalogue.get("step", "prob")
    with pytest.raises(UnknownEntryError, match="no classifier 'probe'"):
        catalogue.with_defaults("classifier", Step("probe"))


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of forty reductions."""

    def reduce(features: Any) -> Any:
        """Nothing."""

    monkeypatch.setattr(catalogue, "_entries", {kind: dict(table) for kind, table in catalogue._entries.items()})
    names = [f"{word}_{thing}" for word in ("median", "gaussian", "otsu", "deskew") for thing in "abcdefghij"]
    for name in names:
        reduce.__name__ = name
        catalogue.register("reduction", name, family="F")(reduce)
    return names


@pytest.mark.parametrize(
    ("wrong", "nearest"), [("medain_a", "median_a"), ("gausian_a", "gaussian_a"), ("Deskew_j", "deskew_j")]
)
def test_of_many_names_the_nearest_are_given(wrong: str, nearest: str, many: list[str]) -> None:
    with pytest.raises(UnknownEntryError, match=f"There is no reduction '{wrong}'; there are ") as caught:
        catalogue.get("reduction", wrong)
    named = [name for name in many if name in str(caught.value)]
    assert nearest in named and len(named) <= 3
    assert "others" not in str(caught.value)


@pytest.mark.parametrize("wrong", ["", "qqqqqqq", "?" * 9000, "\ud800"])
def test_where_no_name_is_near_a_few_are_given(wrong: str, many: list[str]) -> None:
    with pytest.raises(UnknownEntryError, match="and others") as caught:
        catalogue.get("reduction", wrong)
    assert [name for name in many if name in str(caught.value)] == many[:6]
    assert len(str(caught.value)) < 300


def test_completing_keeps_the_switch() -> None:
    done = catalogue.with_defaults("step", Step("probe", {"size": 5}, on=False))
    assert (dict(done.params)["size"], dict(done.params)["count"], done.on) == (5, 3, False)


@given(
    count=st.integers(-5, 9),
    ratio=st.floats(0.001, 1000),
    mode=st.sampled_from(["near", "far_away", "k-means"]),
    size=st.sampled_from([1, 3, 5]),
    sharp=st.booleans(),
    on=st.booleans(),
)
def test_json_and_text_round_trips(on: bool, **params: Any) -> None:
    step = catalogue.with_defaults("step", Step("probe", params, on))
    written = json.dumps(catalogue.step_to_json(step))
    assert catalogue.step_from_json("step", json.loads(written)) == step
    for parameter in catalogue.get("step", "probe").parameters:
        value = params[parameter.name]
        back = parameter.parse(format_value(value))
        assert back == value and type(back) is type(value)


def test_the_switch_is_written_only_where_it_is_off() -> None:
    assert catalogue.step_to_json(Step("probe", {"size": 5})) == {"name": "probe", "size": 5}
    assert catalogue.step_to_json(Step("bare", on=False)) == {"name": "bare", "on": False}


@pytest.mark.parametrize("data", [None, 3, "probe", [], ["probe"], {}, {"name": 3}, {"name": None}, {"size": 3}])
def test_what_is_not_a_step_is_refused(data: Any) -> None:
    with pytest.raises(HdrError, match="A step is written as an object with a name, not as"):
        catalogue.step_from_json("step", data)


@pytest.mark.parametrize("on", [0, 1, "false", None])
def test_the_switch_is_true_or_false(on: Any) -> None:
    with pytest.raises(HdrError, match=rf"probe: on is '{on}'; it must be true or false"):
        catalogue.step_from_json("step", {"name": "probe", "on": on})


def test_text_that_is_no_value_comes_back_and_is_then_refused(entry: Entry) -> None:
    for parameter in entry.parameters:
        for text in ("", "x", "1e", "--3", "TRUE", "1 2"):
            assert parameter.parse(text) == text
            with pytest.raises(ParameterError, match=re.escape(repr(text))):
                entry.validate({parameter.name: parameter.parse(text)})


@given(st.text(st.characters()))
def test_parsing_any_text_never_raises(text: str) -> None:
    entry = catalogue.get("step", "probe")
    for parameter in entry.parameters:
        try:
            entry.validate({parameter.name: parameter.parse(text)})
        except HdrError as error:
            assert str(error)


def test_values_as_text() -> None:
    assert [format_value(v) for v in (True, False, 3, -2, 2.5, 1.0, "rbf")] == [
        "true", "false", "3", "-2", "2.5", "1.0", "rbf",
    ]  # fmt: skip


def test_keys() -> None:
    key = key_of({"a": 1, "b": [1, 2]})
    assert re.fullmatch("[0-9a-f]{16}", key)
    assert key == key_of({"b": [1, 2], "a": 1})
    assert len({key, key_of({"a": 1, "b": [2, 1]}), key_of({"a": 2, "b": [1, 2]}), key_of([]), key_of(None)}) == 5
    # Kept in run stores: it must be the same in the next version too.
    assert key_of([{"name": "median", "size": 3}]) == "9a6a63d9d7190c30"
