"""The chain: written and read back, traced, cut into pieces, and safe against whatever an address may hold."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, quote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

import hdr.preprocessing  # noqa: F401 - registers the steps
from hdr import catalogue
from hdr.preprocessing import PRESETS, Pipeline, pipeline
from hdr.preprocessing.pipeline import LONGEST, PipelineError, chain
from hdr.types import HdrError, Images, Split, Step


def probe(
    images: Images,
    *,
    offset: Annotated[int, Field(ge=-90, le=90, title="Offset", description="What is added.")] = 0,
    factor: Annotated[float, Field(ge=-1e9, le=1e9, title="Factor", description="Is not used.")] = 1.0,
    mode: Annotated[Literal["near", "far_away", "k-means"], Field(title="Mode", description="Is not used.")] = "near",
    turn: Annotated[Literal[-1, 1], Field(title="Turn", description="Is not used.")] = 1,
    wrap: Annotated[bool, Field(title="Wrap", description="Is not used.")] = False,
) -> Images:
    """Adds a number: a step with every kind of value that a declaration allows."""
    return (images.astype(int) + offset).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module", autouse=True)
def catalogue_with_probe() -> Iterator[None]:
    """The real steps and the probe, for this file only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "_entries", {kind: dict(table) for kind, table in catalogue._entries.items()})
        catalogue.register("step", "Probe", family="Probes", display="signed")(probe)
        yield


def values(parameter: catalogue.Parameter) -> st.SearchStrategy:
    """Every value that a parameter may have."""
    if parameter.choices:
        return st.sampled_from(parameter.choices)
    if parameter.type is bool:
        return st.booleans()
    numbers = st.integers if parameter.type is int else st.floats
    return numbers(parameter.type(parameter.minimum), parameter.type(parameter.maximum))


@st.composite
def chains(draw: st.DrawFn, most: int = LONGEST) -> Pipeline:
    steps = []
    for entry in draw(st.lists(st.sampled_from(catalogue.entries("step")), max_size=most)):
        params = {p.name: draw(values(p)) for p in entry.parameters if draw(st.booleans())}
        steps.append(Step(entry.name, params, draw(st.booleans())))
    return Pipeline(tuple(steps))


@given(chains())
def test_json_comes_back_as_the_same_chain(found: Pipeline) -> None:
    again = Pipeline.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False)))
    assert again == found
    assert again.to_json() == found.to_json() and again.key == found.key


@given(chains())
def test_text_comes_back_as_the_same_chain(found: Pipeline) -> None:
    again = Pipeline.from_text(found.to_text())
    assert again == found
    assert again.to_json() == found.to_json() and again.key == found.key


@given(chains())
def test_text_needs_no_escaping_in_an_address(found: Pipeline) -> None:
    text = found.to_text()
    assert re.fullmatch("[A-Za-z0-9~._-]*", text)
    assert quote(text, safe="") == text
    if text:
        assert parse_qs(f"chain={text}")["chain"] == [text]


def test_text_by_example() -> None:
    made = Pipeline((Step("median", {"size": 5}), Step("otsu"), Step("deskew", {"limit": 0.5}, on=False)))
    assert made.to_text() == "median-size-5~otsu~_deskew-limit-0.5"
    assert Pipeline.from_text("median~otsu").steps == chain("median", "otsu").steps
    assert Pipeline.from_text("probe-offset-_7-factor-_2.5e_05").to_json() == [
        {"name": "probe", "offset": -7, "factor": -2.5e-05, "mode": "near", "turn": 1, "wrap": False}
    ]
    assert Pipeline.from_text("") == Pipeline() == Pipeline.from_json([])


@pytest.mark.parametrize("low", [0.00001, 1e-7, 5e-324])
def test_small_numbers_survive_the_address(low: float) -> None:
    made = Pipeline((Step("contrast_stretching", {"low": low}),))
    assert Pipeline.from_text(made.to_text()) == made


def test_json_by_example() -> None:
    made = Pipeline((Step("median"), Step("otsu", on=False)))
    assert made.to_json() == [{"name": "median", "size": 3}, {"name": "otsu", "on": False}]


@given(chains(), st.data())
def test_the_key_knows_what_is_done_and_nothing_else(found: Pipeline, data: st.DataObject) -> None:
    assert found.key == found.active.key and re.fullmatch("[0-9a-f]{16}", found.key)
    assert all(s.on for s in found.active.steps)
    at = data.draw(st.integers(0, len(found.steps)))
    off = (*found.steps[:at], Step("mean", {"size": 9}, on=False), *found.steps[at:])
    on = (*found.steps[:at], Step("mean", {"size": 9}), *found.steps[at:])
    if len(found.steps) < LONGEST:
        assert Pipeline(off).key == found.key
        assert Pipeline(on).key != found.key


def test_the_key_knows_order_and_values() -> None:
    made = [
        chain("median", "otsu"),
        chain("otsu", "median"),
        chain(Step("median", {"size": 5}), "otsu"),
        chain("median"),
        chain(),
    ]
    assert len({p.key for p in made}) == len(made)
    assert chain("median").key == chain(Step("median", {"size": 3})).key


def test_equal_chains_are_equal_and_hashable() -> None:
    assert {chain("median"), chain(Step("median", {"size": 3}))} == {chain("median")}


@pytest.fixture(scope="module")
def batch(digits: Split) -> Images:
    return np.concatenate([digits.images[:20], np.zeros((1, 28, 28), np.uint8), np.full((1, 28, 28), 255, np.uint8)])


@given(found=chains(most=6))
def test_the_trace_ends_where_apply_does(found: Pipeline, batch: Images) -> None:
    before = batch.tobytes()
    applied = found.apply(batch)
    assert len(applied) == len(batch) and applied.dtype == np.uint8
    for image, result in zip(batch[:2], applied[:2], strict=True):
        stages = found.trace(image)
        assert [s.step for s in stages] == list(found.active.steps)
        assert [s.title for s in stages] == [catalogue.get("step", s.name).title for s in found.active.steps]
        assert [s.display for s in stages] == [catalogue.get("step", s.name).display for s in found.active.steps]
        np.testing.assert_array_equal(stages[-1].image if stages else image, result)
        for i, stage in enumerate(stages, start=1):
            np.testing.assert_array_equal(stage.image, Pipeline(found.active.steps[:i]).apply(image[None])[0])
    assert batch.tobytes() == before


@given(found=chains())
def test_a_chain_is_parted_before_the_first_step_that_works_on_one_digit(found: Pipeline) -> None:
    whole, single = found.parted()
    assert (*whole.steps, *single.steps) == found.steps, "steps that are off stay where they are"
    assert "digit" not in [catalogue.get("step", s.name).scope for s in whole.active.steps]
    if single.steps:
        assert single.steps[0].on and catalogue.get("step", single.steps[0].name).scope == "digit"


def test_parting_by_example() -> None:
    def parted(text: str) -> list[str]:
        return [part.to_text() for part in Pipeline.from_text(text).parted()]

    assert parted("otsu~centre_by_mass~median-size-5~deskew") == [
        "otsu",
        "centre_by_mass~median-size-5~deskew-limit-1.0",
    ]
    assert parted("_centre_by_mass~otsu~_median~centre_by_mass") == [
        "_centre_by_mass~otsu~_median-size-3",
        "centre_by_mass",
    ]
    assert parted("median-size-3~_centre_by_mass") == ["median-size-3~_centre_by_mass", ""]
    assert parted("centre_by_mass~otsu") == ["", "centre_by_mass~otsu"]
    assert parted("") == ["", ""]


def test_steps_are_applied_from_left_to_right() -> None:
    image = np.full((1, 4, 4), 100, np.uint8)
    up, level = Step("probe", {"offset": 50}), Step("threshold", {"level": 120})
    assert (chain(up, level).apply(image) == 255).all()
    assert (chain(level, up).apply(image) == 50).all()
    assert (chain(Step("probe", {"offset": 50}, on=False), level).apply(image) == 0).all()


@pytest.mark.parametrize("chunk", [1, 3, 22, 23])
@pytest.mark.parametrize("preset", PRESETS)
def test_pieces_make_no_difference(preset: str, chunk: int, batch: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = chain(*PRESETS[preset]).apply(batch)
    monkeypatch.setattr(pipeline, "CHUNK", chunk)
    np.testing.assert_array_equal(chain(*PRESETS[preset]).apply(batch), whole)


def test_more_images_than_one_piece_holds(digits: Split) -> None:
    many = np.resize(digits.images[:300], (pipeline.CHUNK + 5, 28, 28))
    found = chain("median", "otsu")
    np.testing.assert_array_equal(found.apply(many)[-7:], found.apply(many[-7:]))


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_work_and_give_new_arrays(preset: str, batch: Images) -> None:
    made = chain(*PRESETS[preset])
    out = made.apply(batch)
    assert (out.shape, out.dtype) == (batch.shape, np.uint8)
    assert made.apply(batch[:0]).shape == (0, 28, 28)


def test_the_default_chain_is_the_one_that_was_agreed_on() -> None:
    names = ["median", "contrast_stretching", "otsu", "deskew", "scale_to_box", "centre_by_mass"]
    assert [s.name for s in chain(*PRESETS["Default"]).steps] == names
    assert chain(*PRESETS["Default"]).steps[0].params["size"] == 3


def test_too_many_steps_are_refused() -> None:
    full = ["otsu"] * LONGEST
    text, data = "~".join(full), [{"name": n} for n in full]
    assert Pipeline.from_text(text) == Pipeline.from_json(data) == chain(*full)
    for attempt in (
        lambda: Pipeline.from_text(text + "~otsu"),
        lambda: Pipeline.from_text(text + "~_otsu"),
        lambda: Pipeline.from_json([*data, {"name": "otsu", "on": False}]),
        lambda: chain(*full, "otsu"),
    ):
        with pytest.raises(PipelineError, match=f"at most {LONGEST}"):
            attempt()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("medain", "There is no step 'medain'; there are .*median"),
        ("median-size", "'median-size' is not a step: its parameters are written as name-value pairs"),
        ("median-size-4", "Median filter: size is '4'; it must be one of 3, 5, 7, 9"),
        ("median-width-3", "Median filter has no parameter 'width'; it has size"),
        ("gaussian-sigma-nan", "Gaussian filter: sigma is 'nan'; it must be a number from 0.3 to 4"),
        ("gaussian-sigma-_1", "Gaussian filter: sigma is '-1.0'"),
        ("otsu-size-3", "Otsu threshold has no parameter 'size'; it has none"),
        ("probe-wrap-1", "Probe: wrap is '1'; it must be true or false"),
        ("__otsu", "There is no step '_otsu'"),
        ("median otsu", "There is no step 'median otsu'"),
    ],
)
def test_what_is_wrong_with_a_text_is_said(text: str, message: str) -> None:
    with pytest.raises(HdrError, match=message):
        Pipeline.from_text(text)


@pytest.mark.parametrize("data", [None, 3, "median", {"name": "median"}, [3], ["median"], [[]], [{}], [{"name": 1}]])
def test_json_that_is_no_chain_is_refused(data: Any) -> None:
    with pytest.raises(HdrError, match="is written as"):
        Pipeline.from_json(data)


def read_or_refuse(read: Any, data: Any) -> None:
    """Whatever comes in: a valid chain, or an error of ours whose message is short enough to show."""
    try:
        found = read(data)
    except HdrError as error:
        assert 0 < len(str(error)) < 3000
    else:
        assert Pipeline.from_json(found.to_json()) == found
        for step in found.steps:
            assert all(not isinstance(v, float) or math.isfinite(v) for v in step.params.values())


@given(st.text(st.characters()))
def test_hostile_text_is_read_or_refused(text: str) -> None:
    read_or_refuse(Pipeline.from_text, text)


PIECES = [*"~-_*.e\0٣", "--", "~~", "1e999", "nan", "inf", "9" * 4500, "true", "size", "median", "%2A"]


@given(chains(most=4), st.data())
def test_mutated_valid_text_is_read_or_refused(found: Pipeline, data: st.DataObject) -> None:
    text = found.to_text()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        stop = data.draw(st.integers(start, min(len(text), start + 6)))
        text = text[:start] + data.draw(st.sampled_from(PIECES) | st.text(st.characters(), max_size=3)) + text[stop:]
    read_or_refuse(Pipeline.from_text, text)


@pytest.mark.parametrize("piece", PIECES)
def test_long_text_is_read_or_refused_at_once(piece: str) -> None:
    long = piece * (100_000 // len(piece))
    for text in (long, "median-size-" + long, "median-" + long + "-3"):
        read_or_refuse(Pipeline.from_text, text)


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5)
    | st.sampled_from([10**400, -1, 0, 3, 5, 0.5, 1e308])
)  # fmt: skip
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)


@given(JSON | st.lists(st.fixed_dictionaries({"name": JSON}, optional={"on": JSON, "size": JSON}), max_size=3))
def test_hostile_json_is_read_or_refused(data: Any) -> None:
    read_or_refuse(Pipeline.from_json, data)


@given(chains(most=4), st.data())
def test_mutated_valid_json_is_read_or_refused(found: Pipeline, data: st.DataObject) -> None:
    written = found.to_json()
    if written:
        step = written[data.draw(st.integers(0, len(written) - 1))]
        step[data.draw(st.sampled_from([*step, "on", "other", "\ud800"]))] = data.draw(JSON)
    read_or_refuse(Pipeline.from_json, written)


@pytest.mark.parametrize("depth", [900, 100_000])
def test_lists_within_lists_are_refused(depth: int) -> None:
    data: list = []
    for _ in range(depth):
        data = [data]
    with pytest.raises(HdrError):
        Pipeline.from_json(data)
