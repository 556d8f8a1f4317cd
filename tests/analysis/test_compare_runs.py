"""Runs beside each other: differences of specs, the Pareto front, two models on the same digits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hdr.analysis import compare_runs
from hdr.analysis.compare_runs import CompareError, diff_specs, format_setting, paired, pareto_front, settings
from hdr.preprocessing.pipeline import chain
from hdr.training.run_spec import PRESETS, RunSpec
from hdr.types import Step

SVM = PRESETS["fast"].spec
NETWORK = PRESETS["article"].spec


def rows(*specs: RunSpec) -> dict[str, list[str]]:
    """What differs, in words, by title."""
    found = diff_specs([s.to_json() for s in specs])
    return {next(s for s in row if s).title: [format_setting(s) for s in row] for row in found.values()}


def test_settings_are_all_that_a_spec_says_under_names_for_people() -> None:
    found = settings(SVM.to_json())
    assert (found["train_size"].title, found["train_size"].value) == ("Training digits", 10_000)
    assert format_setting(found["train_size"]) == "10,000"
    assert found["pipeline"].value == "Deskew, Scale to box, Centre by mass" and found["features"].value == "HOG"
    c = found["classifier.svm.C"]
    assert c.title == "Support vector machine: C" and c.value == SVM.classifier.params["C"]
    for field in ("classifier", "reduction"):
        step = getattr(SVM, field)
        assert {f"{field}.{step.name}.{name}" for name in step.params} < set(found)


def test_every_parameter_of_every_preset_is_a_setting() -> None:
    for preset in PRESETS.values():
        spec, found = preset.spec, settings(preset.spec.to_json())
        for field, steps in (("pipeline", spec.pipeline.steps), ("features", spec.features)):
            for index, step in enumerate(steps):
                number = [s.name for s in steps[: index + 1]].count(step.name)
                path = f"{field}.{step.name}" + (f" {number}" if number > 1 else "")
                assert all(found[f"{path}.{k}"].value == v for k, v in step.params.items())


def test_a_step_that_occurs_twice_keeps_both_values() -> None:
    spec = RunSpec(pipeline=chain(Step("median", {"size": 3}), "otsu", Step("median", {"size": 5})))
    found = settings(spec.to_json())
    assert found["pipeline.median.size"].value == 3 and found["pipeline.median 2.size"].value == 5


def test_what_this_version_does_not_know_keeps_its_names() -> None:
    found = settings({"classifier": {"name": "oracle", "depth": 3}, "weight_decay": 0.5, "changes": [{"epoch": 4}]})
    assert found["classifier"].value == "oracle" and found["classifier.oracle.depth"].title == "oracle: depth"
    assert found["weight_decay"].title == "Weight decay" and found["changes"].value == "epoch 4"


def test_only_what_differs_is_listed() -> None:
    assert rows(SVM, SVM) == {}
    assert rows(SVM, replace(SVM, train_size=5_000, seed=3)) == {
        "Training digits": ["10,000", "5,000"],
        "Seed": ["0", "3"],
    }
    other = replace(SVM, classifier=Step("svm", {**SVM.classifier.params, "C": 0.5}))
    assert list(rows(SVM, other)) == ["Support vector machine: C"]


def test_what_one_run_does_without_is_a_dash() -> None:
    assert rows(SVM, replace(SVM, reduction=None)) == {"Reduction": ["Principal components (PCA)", "–"]}
    found = rows(SVM, NETWORK)
    assert found["Preprocessing"][1] == "–" and found["Features"] == ["HOG", "Pixels"]
    assert "Support vector machine: C" not in found, "that follows from the classifier"


def test_parameters_are_listed_where_those_that_have_them_disagree() -> None:
    other = replace(SVM, classifier=Step("svm", {**SVM.classifier.params, "C": 0.5}))
    found = rows(SVM, other, NETWORK)
    assert found["Support vector machine: C"][1:] == ["0.5", "–"]
    assert list(found)[-1] == "Support vector machine: C", "parameters come after what they belong to"
    assert list(rows(NETWORK, SVM, other))[-1] == "Support vector machine: C"


def test_a_plan_of_an_earlier_version_without_a_field_equals_one_that_does_without_it() -> None:
    before = {k: v for k, v in NETWORK.to_json().items() if v is not None and v != []}
    assert diff_specs([before, NETWORK.to_json()]) == {}


def test_one_and_true_are_different_settings() -> None:
    assert diff_specs([{"x": 1}, {"x": True}]) and not diff_specs([{"x": 1}, {"x": 1}])
    assert format_setting(settings({"x": True})["x"]) == "yes"


def test_the_front_has_what_nothing_beats() -> None:
    costs, gains = [1, 2, 3, 2, 1], [0.90, 0.95, 0.94, 0.96, 0.90]
    assert pareto_front(costs, gains).tolist() == [True, False, False, True, True], "equals do not beat each other"
    assert pareto_front([5], [0.1]).tolist() == [True]


def test_the_front_of_many_runs_is_that_of_the_definition() -> None:
    random = np.random.default_rng(0)
    costs, gains = random.integers(0, 12, 60), random.integers(0, 12, 60)
    expected = [
        not any(
            costs[j] <= costs[i] and gains[j] >= gains[i] and (costs[j] < costs[i] or gains[j] > gains[i])
            for j in range(60)
        )
        for i in range(60)
    ]
    assert pareto_front(costs, gains).tolist() == expected


def said(answers: list[int], sure: list[float]) -> np.ndarray:
    """Probabilities of a model that answers so, each with such a probability."""
    out = np.zeros((len(answers), 10), np.float32)
    out[:] = ((1 - np.array(sure)) / 9)[:, None]
    out[np.arange(len(answers)), answers] = sure
    return out


def test_two_models_on_the_same_digits() -> None:
    labels = np.array([0, 1, 2, 3, 4, 5, 6, 7], np.uint8)
    first = said([0, 1, 2, 3, 9, 9, 6, 7], [0.9] * 8)
    second = said([0, 7, 2, 8, 4, 9, 6, 1], [0.9, 0.6, 0.9, 0.8, 0.9, 0.9, 0.9, 0.7])
    found = paired(labels, first, second)
    assert [(d.index, d.label, d.said) for d in found.only_first] == [(3, 3, 8), (7, 7, 1), (1, 1, 7)]
    assert [round(d.probability, 3) for d in found.only_first] == [0.8, 0.7, 0.6]
    assert [(d.index, d.said) for d in found.only_second] == [(4, 9)] and found.both_wrong == 1
    assert (found.first_accuracy, found.second_accuracy, found.difference) == (0.75, 0.5, 0.25)
    low, high = found.interval
    assert low < 0.25 < high and found.p == pytest.approx(2 * (1 + 4) / 16), "1 or fewer of 4, on both sides"
    other_way = paired(labels, second, first)
    assert other_way.difference == -0.25 and other_way.only_first == found.only_second
    assert other_way.interval == pytest.approx((-high, -low))


def test_models_that_agree_do_not_differ() -> None:
    labels, one = np.array([1, 2], np.uint8), said([1, 3], [0.9, 0.9])
    found = paired(labels, one, one)
    assert found.difference == 0 and found.p == 1 and found.only_first == () == found.only_second


def test_models_of_other_digits_cannot_be_compared() -> None:
    labels = np.array([1, 2], np.uint8)
    with pytest.raises(CompareError, match="on 2 digits and the other on 1"):
        paired(labels, said([1, 2], [0.9, 0.9]), said([1], [0.9]))


def test_titles_are_of_fields_that_a_spec_has() -> None:
    assert set(compare_runs.TITLES) <= set(RunSpec().to_json()) | {"changes"}
