"""What may vary follows from the declarations; nothing else is taken, and everything comes back from JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hdr import catalogue
from hdr.preprocessing import Pipeline
from hdr.training.run_spec import PRESETS, Change, RunSpec
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import NONE, SpaceError, all_dimensions, base_value, dimension, is_active, reachable_dimensions
from hdr.types import HdrError, Step

BEST = PRESETS["best"].spec
STEPS = [e.name for e in catalogue.entries("step")]
PLANS = [BEST, RunSpec(), *(RunSpec(pipeline=Pipeline((Step(name),))) for name in STEPS)]


def space(base: RunSpec, *paths: str, **options: Any) -> SearchSpec:
    """A search over some dimensions, each as far as it is declared."""
    return SearchSpec(base, tuple(dimension(base, path) for path in paths), **{"method": "random", **options})


@pytest.mark.parametrize("base", PLANS, ids=lambda plan: plan.summary)
def test_every_declared_parameter_is_a_dimension_with_its_declared_range(base: RunSpec) -> None:
    found = {d.path: d for d in all_dimensions(base)}
    for kind, prefix in (("classifier", "classifier"), ("feature", "features"), ("reduction", "reduction")):
        for entry in catalogue.entries(kind):
            for one in entry.parameters:
                mine = found[f"{prefix}.{entry.name}.{one.name}"]
                assert mine.parameter == one and mine.needs is not None
    for number, step in enumerate(base.pipeline.steps, 1):
        assert found[f"pipeline.{number}.on"].choices == (False, True)
        for one in catalogue.get("step", step.name).parameters:
            assert found[f"pipeline.{number}.{one.name}"].parameter == one
    for entry in catalogue.entries("augmentation"):
        assert all(f"augmentation.{one.name}" in found for one in entry.parameters)
    assert len(found) == len(all_dimensions(base)), "no path twice"
    for path, one in found.items():
        if one.ranged:
            assert (one.low, one.high) == (one.parameter.minimum, one.parameter.maximum)
        assert path == "features" or one.contains(base_value(base, path))
        values = one.grid()
        assert all(one.check(v) == v for v in values) and len(set(values)) == len(values)
        assert (2 <= len(values) <= 7) if one.ranged else values == one.choices
        data = json.loads(json.dumps(one.to_json()))
        assert dimension(base, **data) == one, "the whole range and the whole list come back"


@pytest.mark.parametrize("base", PLANS, ids=lambda plan: plan.summary)
def test_every_value_of_every_dimension_makes_a_plan_that_has_it(base: RunSpec) -> None:
    for one in all_dimensions(base):
        head, wanted = one.needs or ("", "")
        beside = {head: "+".join([wanted[0]] * wanted[1]) if isinstance(wanted, tuple) else wanted} if head else {}
        heads = (dimension(base, head),) if head else ()
        if head == "features":
            heads = (heads[0].narrow(choices=[beside[head]]),)
        search = SearchSpec(base, (*heads, one), "random")
        assert [d.path for d in search.asked(beside)] == [*beside, one.path]
        for value in one.grid():
            plan = search.apply({**beside, one.path: value})
            has = base_value(plan, one.path) if one.path != "pipeline.1.on" else bool(plan.pipeline.steps)
            assert has == value
    own = SearchSpec(base, (dimension(base, "classifier"),), "random")
    assert own.apply(own.own_values()) == base, "what is not said stays"


def test_a_plan_with_two_of_an_extractor_varies_each_by_itself() -> None:
    search = space(BEST, "features.hog.cell", "features.hog.2.cell")
    plan = search.apply({"features.hog.cell": 3, "features.hog.2.cell": 9})
    assert [s.params["cell"] for s in plan.features] == [3, 9]
    assert plan.features[1].params["block"] == 2
    assert search.own_values() == {"features.hog.cell": 4, "features.hog.2.cell": 7}


def test_a_parameter_is_asked_for_where_its_entry_is_chosen() -> None:
    search = space(BEST, "classifier", "classifier.svm.C", "classifier.mlp.units", "pipeline.1.limit", "pipeline.1.on")
    assert [d.path for d in search.space] == [
        *("pipeline.1.on", "pipeline.1.limit", "classifier", "classifier.mlp.units", "classifier.svm.C")
    ]
    assert [d.path for d in search.asked({"classifier": "mlp", "pipeline.1.on": False})] == [
        *("pipeline.1.on", "classifier", "classifier.mlp.units")
    ]
    plan = search.apply({"classifier": "mlp", "pipeline.1.on": False})
    assert plan.pipeline.steps == () and plan.classifier == catalogue.with_defaults("classifier", Step("mlp"))
    assert search.apply({"classifier": "svm"}) == BEST, "the plan's own parameters where its own entry is chosen"
    ticked = (dimension(BEST, "classifier", choices=["mlp", "naive_bayes"]),)
    offered = {
        d.path.rpartition(".")[0] for d in reachable_dimensions(BEST, ticked) if d.path.startswith("classifier.")
    }
    assert offered == {"classifier.mlp", "classifier.naive_bayes"}
    assert not is_active(dimension(BEST, "reduction.pca.components"), {"reduction": NONE}, BEST)


@pytest.mark.parametrize(
    ("path", "narrowed", "message"),
    [
        ("classifier.svm.C", {"low": 0.0001}, "low is '0.0001'; it must be a number from 0.001 to 1000"),
        ("classifier.svm.C", {"low": 10, "high": 1}, "goes from 10 to 1; its low must be less than its high"),
        ("classifier.svm.C", {"low": True}, "low is 'True'; it must be a number"),
        ("classifier.svm.C", {"low": float("nan")}, "low is 'nan'"),
        ("classifier.svm.C", {"high": "9" * 500}, "it must be a number"),
        ("classifier.svm.degree", {"high": 4.5}, "high is '4.5'; it must be a whole number from 2 to 6"),
        ("classifier.svm.kernel", {"low": 1}, "has no range; list its values in choices"),
        ("classifier.svm.kernel", {"choices": ["rbf", "cubic"]}, "'cubic'; it must be one of rbf, linear, poly"),
        ("classifier.svm.kernel", {"choices": []}, "a list of 1 to 40 values"),
        ("classifier.svm.kernel", {"choices": "rbf"}, "a list of 1 to 40 values"),
        ("classifier.svm.kernel", {"choices": ["rbf", "rbf"]}, "names a value twice"),
        ("classifier.svm.C", {"choices": [1, 10], "low": 1}, "either a range or a list"),
        ("classifier.svm.C", {"choices": [1, 1e6]}, "'1000000.0'; it must be a number from 0.001 to 1000"),
        ("classifier.mlp.keep_best", {"choices": [1]}, "must be true or false"),
        ("classifier", {"choices": ["oracle"]}, "one of gradient_boosting"),
        ("features", {"choices": ["hog+tea"]}, "There is no feature 'tea'"),
        ("features", {"choices": ["hog+" * 4 + "hog"]}, "1 to 4 extractors"),
        ("classifier.svm.c", {}, "no 'classifier.svm.c' that could vary; it has classifier.svm.C"),
        ("pipeline.2.on", {}, "no 'pipeline.2.on'"),
        ("x" * 5000, {}, "that could vary"),
    ],
)
def test_what_is_not_declared_is_refused_with_what_would_be_right(
    path: str, narrowed: dict[str, Any], message: str
) -> None:
    with pytest.raises(HdrError) as caught:
        dimension(BEST, path, **narrowed)
    assert message in str(caught.value) and len(str(caught.value)) < 400


def test_narrowed_values_are_settled_by_their_type() -> None:
    assert dimension(BEST, "classifier.svm.C", 1, 10).low == 1.0
    assert dimension(BEST, "classifier.svm.degree", high=4.0).high == 4
    assert dimension(BEST, "classifier.svm.C", choices=[1, 10]).choices == (1.0, 10.0)
    assert dimension(BEST, "features", choices=["hog+zoning"]).contains("hog+zoning")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": []}, "at least one dimension"),
        ({"space": 3}, "A space is written as a list, not as '3'"),
        ({"space": [3]}, "A dimension is written as an object with a path, not as '3'"),
        ({"space": [{"path": "classifier", "from": 1}]}, "A dimension has no 'from'"),
        ({"space": [{"path": "classifier"}, {"path": "classifier"}]}, "'classifier' is in the space twice"),
        ({"space": [{"path": "classifier.mlp.units"}]}, "never be asked for: classifier is 'svm' in the plan"),
        ({"method": "magic"}, "method is 'magic'; it must be one of tpe, random, grid, halving"),
        ({"method": ["tpe"]}, "must be one of"),
        ({"prune": 1}, "must be true or false"),
        ({"validation": 4}, "must be one of split, 3, 5"),
        ({"validation": True}, "must be one of split, 3, 5"),
        ({"most_trials": 0}, "whole number from 1 to 500"),
        ({"most_trials": 2.5}, "whole number from 1 to 500"),
        ({"most_minutes": -1}, "a number from 0 to 1,440"),
        ({"seed": -1}, "whole number from 0"),
        ({"budget": 3}, "A search has no 'budget'"),
        ({"base": {"train_size": 3}}, "train_size is '3'"),
    ],
)
def test_a_search_that_is_not_one_says_what_would_be_right(changes: dict[str, Any], message: str) -> None:
    whole = {"base": BEST.to_json(), "space": [{"path": "classifier"}]}
    with pytest.raises(HdrError) as caught:
        SearchSpec.from_json({**whole, **changes})
    assert message in str(caught.value)
    for other in (3, {"space": []}, {"base": BEST.to_json()}):
        with pytest.raises(SpaceError):
            SearchSpec.from_json(other)


def test_a_search_comes_back_from_json_and_has_a_key() -> None:
    search = space(BEST, "classifier.svm.C", "augmentation.on", method="grid", validation=3, most_minutes=2, seed=9)
    again = SearchSpec.from_json(json.loads(json.dumps(search.to_json())))
    assert again == search and again.key == search.key != space(BEST, "classifier.svm.C").key
    assert search.summary == "Grid over Distorted copies, C"
    steered = RunSpec(changes=(Change(2, (("penalty", 0.1),)),))
    assert space(steered, "classifier").base.changes == ()
    assert space(BEST, "classifier", method="halving", prune=False).prune


def test_values_from_elsewhere_are_checked() -> None:
    search = space(BEST, "classifier.svm.C")
    for values, message in (({"classifier.svm.C": 1e9}, "must be a number"), ({"seed": 1}, "does not vary 'seed'")):
        with pytest.raises(SpaceError, match=message):
            search.apply(values)


def test_a_grid_is_every_combination_that_makes_a_difference() -> None:
    parts = (
        dimension(BEST, "classifier", choices=["svm", "mlp"]),
        dimension(BEST, "classifier.svm.C", 1, 100),
        dimension(BEST, "classifier.mlp.activation"),
        dimension(BEST, "reduction.pca.components", choices=[50, 100]),
    )
    assert parts[1].grid() == (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
    search = SearchSpec(BEST, parts, "grid")
    points = list(search.grid())
    assert len(points) == search.grid_size == 2 * (7 + 3)
    assert len({search.apply(p).key for p in points}) == len(points)
    assert all(("classifier.svm.C" in p) == (p["classifier"] == "svm") for p in points)


def test_a_range_in_a_grid_is_thinned_evenly() -> None:
    assert dimension(BEST, "classifier.svm.gamma").grid() == (0.01, 0.05, 0.2, 1.0, 5.0, 20.0, 100.0)
    assert dimension(BEST, "classifier.svm.gamma", 0.3, 0.4).grid() == (0.3, 0.4)
    assert dimension(BEST, "augmentation.shift", 1, 2).grid() == (1.0, 1.5, 2.0)
    assert dimension(BEST, "augmentation.rotation", 0, 3).grid() == (0, 1, 2, 3)


def test_a_grid_that_is_too_large_is_refused_with_its_size() -> None:
    paths = ("classifier.svm.C", "classifier.svm.gamma", "features.hog.cell", "reduction.pca.components")
    with pytest.raises(SpaceError, match=r"This grid has 2,401 points; at most 1,000 are allowed\."):
        space(BEST, *paths, method="grid")
    assert space(BEST, *paths).grid_size == 2401
    everything = [d.path for d in reachable_dimensions(BEST, ())]
    assert space(BEST, *everything).grid_size > 1e12, "counted without being made"
