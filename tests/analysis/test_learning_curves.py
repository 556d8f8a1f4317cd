"""Learning and validation curves: which models are fitted, and on what they are scored."""

from __future__ import annotations

import numpy as np
import pytest

from hdr import catalogue
from hdr.analysis import learning_curves
from hdr.analysis.learning_curves import best, learning_curve, sizes, validation_curve, values, variable
from hdr.training.fitting import fit_once, split
from hdr.training.run_spec import RunSpec
from hdr.types import Dataset, HdrError, Step

SPEC = RunSpec("bundled", 1000, reduction=Step("pca", {"components": 20}), classifier=Step("logistic_regression"))


def test_sizes_go_as_far_as_the_run_does(bundled: Dataset) -> None:
    assert sizes(SPEC, bundled) == (500, 1000)
    assert sizes(RunSpec("bundled", 999), bundled) == (500,)


def test_a_learning_curve_is_of_models_that_were_really_fitted(bundled: Dataset) -> None:
    seen: list[float] = []
    points = learning_curve(SPEC, bundled, lambda words, share: seen.append(share))
    assert [p.value for p in points] == [500, 1000] and seen == pytest.approx([0, 1 / 3])
    chosen, held = split(SPEC, bundled)
    images, labels = bundled.train.images, bundled.train.labels
    model = fit_once(SPEC, images[chosen[:500]], labels[chosen[:500]])
    right = model.predict_proba(images[held]).argmax(axis=1) == labels[held]
    assert points[0].validation == pytest.approx(right.mean()) and points[0].validated_on == len(held)
    assert points[0].train > points[0].validation and points[0].seconds > 0


def test_every_declared_parameter_can_be_varied() -> None:
    for entry in (*catalogue.entries("classifier"), *catalogue.entries("reduction")):
        for parameter in entry.parameters:
            found = values(parameter)
            assert len(found) == len(set(found)) >= 2
            for value in found:
                entry.validate({parameter.name: value})
            if parameter.log and not parameter.choices:
                ratios = np.diff(np.log(np.array(found, float)))
                assert ratios.max() < 4 * ratios.min() or parameter.type is int


def test_a_validation_curve_varies_one_value(bundled: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning_curves, "FITTED", 500)
    named = {p.name: (part, p) for part, p in variable(SPEC)}
    assert list(named) == ["C", "iterations", "components", "standardise"]
    points = validation_curve(SPEC, *named["C"], bundled)
    assert [p.value for p in points] == list(values(named["C"][1]))
    assert points[0].train < points[-1].train, "more freedom fits what it has seen better"
    assert best(points).validation == max(p.validation for p in points)
    again = validation_curve(SPEC, *named["standardise"], bundled)
    assert [p.value for p in again] == [False, True]


def test_values_that_do_not_suit_are_left_out(bundled: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning_curves, "FITTED", 500)
    spec = RunSpec(
        "bundled", 500, features=(Step("zoning"),), reduction=Step("pca", {"components": 2}), classifier=SPEC.classifier
    )
    part, parameter = next((a, p) for a, p in variable(spec) if p.name == "components")
    points = validation_curve(spec, part, parameter, bundled)
    assert 0 < len(points) < len(values(parameter))
    with pytest.raises(HdrError):
        monkeypatch.setattr(learning_curves, "values", lambda p: (300,))
        validation_curve(spec, part, parameter, bundled)
