"""A run's plan: every valid one survives JSON, every bad value is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr import catalogue
from hdr.catalogue import Kind, Parameter
from hdr.preprocessing import Pipeline
from hdr.training.run_spec import MAX_DIGITS, MIN_DIGITS, PRESETS, Change, RunSpec, for_dataset
from hdr.types import HdrError, Step


def values(parameter: Parameter) -> st.SearchStrategy[Any]:
    """Any value that a parameter allows."""
    if parameter.choices:
        return st.sampled_from(parameter.choices)
    if parameter.type is bool:
        return st.booleans()
    low, high = parameter.minimum, parameter.maximum
    return st.integers(int(low), int(high)) if parameter.type is int else st.floats(low, high)


@st.composite
def steps(draw: st.DrawFn, kind: Kind) -> Step:
    """Any entry of a kind with any values that suit each other."""
    entry = draw(st.sampled_from(catalogue.entries(kind)))
    params = {p.name: draw(values(p)) for p in entry.parameters if draw(st.booleans())}
    try:
        return catalogue.with_defaults(kind, Step(entry.name, params, on=kind != "step" or draw(st.booleans())))
    except HdrError:
        return Step(entry.name)


SPECS = st.builds(
    RunSpec,
    dataset=st.sampled_from(["mnist", "bundled"]),
    train_size=st.integers(MIN_DIGITS, MAX_DIGITS),
    seed=st.integers(0, 2**31 - 1),
    threads=st.integers(1, 64),
    pipeline=st.lists(steps("step"), max_size=5).map(lambda s: Pipeline(tuple(s))),
    features=st.lists(steps("feature"), min_size=1, max_size=4).map(tuple),
    reduction=st.none() | steps("reduction"),
    classifier=steps("classifier"),
    augmentation=st.none() | steps("augmentation"),
)


@given(SPECS)
def test_json_gives_the_same_spec_back(spec: RunSpec) -> None:
    again = RunSpec.from_json(json.loads(json.dumps(spec.to_json())))
    assert again == spec and again.key == spec.key and hash(again) == hash(spec)
    assert again.to_json() == spec.to_json()
    assert again.summary == spec.summary


@given(SPECS, SPECS)
def test_keys_are_equal_where_specs_are(one: RunSpec, other: RunSpec) -> None:
    assert (one.key == other.key) == (one.to_json() == other.to_json())


def test_what_is_left_out_takes_its_default() -> None:
    assert RunSpec.from_json({}) == RunSpec()


def test_specs_from_before_there_was_augmentation_keep_their_key() -> None:
    assert RunSpec(classifier=Step("svm")).key == "c4352b624c1e1105" and "augmentation" not in RunSpec().to_json()
    assert RunSpec(augmentation=Step("distort", on=False)).key == RunSpec().key
    assert RunSpec.from_json({"augmentation": None}) == RunSpec()
    assert RunSpec(augmentation=Step("distort")).key != RunSpec().key
    assert "2 distorted" in RunSpec(augmentation=Step("distort", {"copies": 2})).summary


def test_steps_that_are_off_do_not_count() -> None:
    off = Pipeline((Step("median", on=False), Step("otsu")))
    assert RunSpec(pipeline=off).key == RunSpec(pipeline=Pipeline((Step("otsu"),))).key


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ([], "[]"),
        ("mnist", "mnist"),
        (None, "None"),
        ({"colour": 1}, "colour"),
        ({"dataset": 5}, "dataset is '5'"),
        ({"dataset": ""}, "dataset"),
        ({"dataset": "x" * 61}, "dataset"),
        ({"train_size": 499}, "train_size is '499'; it must be a whole number from 500 to 60000"),
        ({"train_size": 60_001}, "60001"),
        ({"train_size": 1000.0}, "1000.0"),
        ({"train_size": True}, "True"),
        ({"train_size": "1000"}, "train_size"),
        ({"seed": -1}, "seed is '-1'"),
        ({"seed": 2**31}, "seed"),
        ({"threads": 0}, "threads is '0'"),
        ({"threads": None}, "threads"),
        ({"pipeline": {}}, "{}"),
        ({"pipeline": [{"name": "medium"}]}, "'medium'"),
        ({"pipeline": [{"name": "median", "size": 4}]}, "size is '4'"),
        ({"features": []}, "not 0"),
        ({"features": "hog"}, "hog"),
        ({"features": [{"name": "pixels"}] * 5}, "not 5"),
        ({"features": [{"name": "hug"}]}, "'hug'"),
        ({"reduction": {"name": "pca", "components": 0}}, "components is '0'"),
        ({"reduction": 0}, "0"),
        ({"reduction": []}, "[]"),
        ({"classifier": None}, "None"),
        ({"classifier": {"name": "svm", "C": float("nan")}}, "C is 'nan'"),
        ({"classifier": {"name": "svm", "c": 1}}, "'c'"),
        ({"classifier": {"name": "mlp", "epochs": 0}}, "epochs is '0'; it must be a whole number from 1 to 100"),
        ({"classifier": {"name": ["mlp"]}}, "mlp"),
        ({"augmentation": {"name": "mirror"}}, "'mirror'"),
        ({"augmentation": {"name": "distort", "copies": 0}}, "copies is '0'; it must be a whole number from 1 to 10"),
        ({"augmentation": [{"name": "distort"}]}, "distort"),
    ],
)
def test_every_bad_value_is_refused_by_name(data: Any, named: str) -> None:
    with pytest.raises(HdrError) as refused:
        RunSpec.from_json(data)
    assert named.replace("'", "") in str(refused.value).replace("'", "")


def test_the_presets_are_what_they_say() -> None:
    assert list(PRESETS) == ["article", "fast", "best"]
    article, fast, best = (PRESETS[n].spec for n in PRESETS)
    assert article.classifier.params["epochs"] == 10 and article.classifier.params["units"] == 100
    assert article.train_size == best.train_size == MAX_DIGITS and fast.train_size == 10_000
    assert not article.pipeline.steps and article.features == (Step("pixels"),)
    assert [s.name for s in best.features] == ["hog", "hog"] and best.features[0] == fast.features[0]
    assert best.classifier == fast.classifier and best.augmentation.params["copies"] == 1
    assert all(p.spec.dataset == "mnist" and p.title and p.note for p in PRESETS.values())


def test_a_summary_names_every_part_once() -> None:
    assert PRESETS["best"].spec.summary == "Support vector machine · 2 × HOG · PCA · 1 distorted · Deskew"
    assert RunSpec(reduction=Step("standardise")).summary == "Multilayer perceptron · Pixels · Standardised features"


def test_another_data_set_is_another_spec() -> None:
    other = for_dataset(PRESETS["fast"].spec, "bundled")
    assert other.dataset == "bundled" and other.key != PRESETS["fast"].spec.key


CHANGES = [{"epoch": 2, "batch_size": 64, "learning_rate": 0.01}, {"epoch": 5, "stop": True}]


def test_changes_survive_json_and_are_a_part_of_the_key() -> None:
    plain, steered = RunSpec(), RunSpec.from_json({"changes": CHANGES})
    assert steered.to_json() == {**plain.to_json(), "changes": CHANGES}
    assert RunSpec.from_json(json.loads(json.dumps(steered.to_json()))) == steered
    assert steered.key != plain.key and hash(steered) != hash(plain) and "changes" not in plain.to_json()
    assert steered.changes_at(2) == {"batch_size": 64, "learning_rate": 0.01} and steered.changes_at(3) == {}
    assert not steered.stops_before(4) and steered.stops_before(5)


def test_changes_come_in_order_one_for_an_epoch_and_none_after_the_end() -> None:
    rate = (("learning_rate", 0.01),)
    spec = RunSpec().with_change(Change(4, rate)).with_change(Change(2, (("penalty", 0.1),)))
    spec = spec.with_change(Change(4, (("learning_rate", 0.02), ("batch_size", 64))))
    assert [(c.epoch, dict(c.values)) for c in spec.changes] == [
        (2, {"penalty": 0.1}),
        (4, {"learning_rate": 0.02, "batch_size": 64}),
    ]
    assert spec.with_change(Change(4, stop=True)).changes == (spec.changes[0], Change(4, stop=True))
    assert RunSpec(classifier=Step("svm"), changes=(Change(3, stop=True),)).stops_before(3)


@pytest.mark.parametrize(
    ("classifier", "changes", "named"),
    [
        ("mlp", {}, "{}"),
        ("mlp", [3], "'3'"),
        ("mlp", [{"learning_rate": 0.1}], "learning_rate"),
        ("mlp", [{"epoch": 0, "learning_rate": 0.1}], "epoch is '0'"),
        ("mlp", [{"epoch": "2"}], "epoch is '2'"),
        ("mlp", [{"epoch": 1, "stop": True}], "epoch is '1'"),
        ("mlp", [{"epoch": 2, "stop": "yes"}], "stop is 'yes'"),
        ("mlp", [{"epoch": 2, "learning_rate": 5}], "learning_rate is '5'"),
        ("mlp", [{"epoch": 2, "units": 50}], "'units' cannot be changed while it learns; learning_rate, batch_size"),
        ("svm", [{"epoch": 2, "C": 1.0}], "'C' cannot be changed"),
    ],
)
def test_a_change_that_cannot_be_is_refused(classifier: str, changes: Any, named: str) -> None:
    with pytest.raises(HdrError) as refused:
        RunSpec.from_json({"classifier": {"name": classifier}, "changes": changes})
    assert named.replace("'", "") in str(refused.value).replace("'", "")


def test_hyperparameters_that_came_later_are_written_where_they_do_something() -> None:
    plain = RunSpec().to_json()["classifier"]
    assert "patience" not in plain and "keep_best" not in plain
    early = RunSpec(classifier=Step("mlp", {"patience": 3, "keep_best": True}))
    assert early.to_json()["classifier"] == {**plain, "patience": 3, "keep_best": True}
    assert RunSpec.from_json(early.to_json()) == early and early.key != RunSpec().key
