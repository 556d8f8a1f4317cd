"""Fitting: real progress, the same model for the same spec, and the figures that are promised."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from hdr import catalogue
from hdr.preprocessing import Pipeline
from hdr.training import fitting
from hdr.training.fitting import FitError, fit, fit_once, split
from hdr.training.spec import RunSpec
from hdr.types import Dataset, HdrError, Step

SMALL: dict[str, Any] = {
    "mlp": {"epochs": 3},
    "random_forest": {"trees": 20},
    "extra_trees": {"trees": 20},
    "gradient_boosting": {"rounds": 5},
    "kernel_approximation": {"components": 100},
}
NAMES = [e.name for e in catalogue.entries("classifier")]


def plan(name: str, **changes: Any) -> RunSpec:
    """A small run of a classifier on the bundled digits; those that are slow on many features have fewer."""
    if name in ("quadratic_discriminant", "gradient_boosting"):
        changes.setdefault("reduction", Step("pca", {"components": 40}))
    return RunSpec("bundled", 1000, classifier=Step(name, SMALL.get(name, {})), **changes)


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("name", NAMES)
def test_every_classifier_reports_learns_and_repeats(name: str, bundled: Dataset) -> None:
    events: list[dict[str, Any]] = []
    model = fit(plan(name), bundled, events.append)

    phases = list(dict.fromkeys(e["phase"] for e in events))
    assert phases == ["features", "fitting", "testing"]
    points = [e for e in events if "step" in e]
    progress = catalogue.get("classifier", name).facts["progress"]
    assert {p["unit"] for p in points} == {{"epochs": "epoch", "trees": "trees", "sizes": "digits"}[progress]}
    assert [p["step"] for p in points] == sorted({p["step"] for p in points})
    assert points[-1]["step"] == points[-1]["of"]
    assert all(0 <= p[k] <= 1 for p in points for k in ("train_accuracy", "validation_accuracy"))
    assert [p["elapsed"] for p in points] == sorted(p["elapsed"] for p in points)
    assert all(("loss" in p) == (progress == "epochs") for p in points)

    metrics = model.metrics
    assert metrics["test_accuracy"] > 0.75
    assert metrics["validation_accuracy"] == points[-1]["validation_accuracy"]
    assert (metrics["fitted_on"], metrics["validated_on"], metrics["features"]) == (
        1000,
        269,
        40 if model.reduction else 784,
    )
    assert 0 < metrics["fit_seconds"] <= metrics["total_seconds"]

    probabilities = model.predict_proba(bundled.test.images)
    assert probabilities.shape == (len(bundled.test), 10) and (probabilities >= 0).all()
    assert np.allclose(probabilities.sum(axis=1), 1)
    again = fit(plan(name), bundled).predict_proba(bundled.test.images)
    assert (again == probabilities).all()


def test_the_same_spec_gives_the_same_weights_bit_for_bit(bundled: Dataset) -> None:
    one, two = (fit(plan("mlp", seed=7), bundled).classifier for _ in range(2))
    other = fit(plan("mlp", seed=8), bundled).classifier
    assert all((a == b).all() for a, b in zip(one.coefs_, two.coefs_, strict=True))
    assert not (one.coefs_[0] == other.coefs_[0]).all()


def test_every_epoch_sees_the_digits_in_another_order(bundled: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.neural_network import _multilayer_perceptron as module

    orders: list[np.ndarray] = []
    shuffle = module.shuffle
    monkeypatch.setattr(module, "shuffle", lambda *a, **k: orders.append(shuffle(*a, **k)) or orders[-1])
    fit(plan("mlp"), bundled)
    assert len(orders) == 3 and len({o.tobytes() for o in orders}) == 3


def test_a_forest_that_grows_is_as_good_as_one_grown_at_once(bundled: Dataset) -> None:
    model = fit(plan("random_forest"), bundled)
    chosen, _ = split(model.spec, bundled)
    pixels = bundled.train.images[chosen].reshape(len(chosen), -1) / np.float32(255)
    at_once = RandomForestClassifier(20, max_depth=25, random_state=0).fit(pixels, bundled.train.labels[chosen])
    accuracy = at_once.score(bundled.test.images.reshape(-1, 784) / np.float32(255), bundled.test.labels)
    assert model.metrics["test_accuracy"] == pytest.approx(accuracy, abs=0.005)
    assert len(model.classifier.estimators_) == 20


@pytest.mark.parametrize("size", [500, 1000, 60_000])
def test_training_and_validation_digits_are_disjoint_and_comparable(size: int, bundled: Dataset) -> None:
    chosen, held = split(RunSpec("bundled", size, seed=3), bundled)
    assert not np.intersect1d(chosen, held).size
    assert len(np.unique(chosen)) == len(chosen) == min(size, len(bundled.train) - len(held))
    assert (held == split(RunSpec("bundled", 700, seed=3), bundled)[1]).all()
    assert not (held == split(RunSpec("bundled", size, seed=4), bundled)[1]).all()


def test_features_are_joined_and_reduced(bundled: Dataset) -> None:
    features = (Step("pixels"), Step("hog", {"cell": 7, "block": 2}))
    spec = plan("svm", features=features, reduction=Step("pca", {"components": 30}), pipeline=Pipeline((Step("otsu"),)))
    model = fit(spec, bundled)
    assert model.metrics["features"] == 30 and model.metrics["test_accuracy"] > 0.9
    assert [s.title for s in model.stages(bundled.test.images[0])] == [catalogue.get("step", "otsu").title]


def test_too_many_components_are_refused_with_both_numbers(bundled: Dataset) -> None:
    coarse = Step("hog", {"cell": 14, "block": 1, "orientations": 4})
    with pytest.raises(FitError, match="100 components cannot be taken from 16 features"):
        fit(plan("svm", features=(coarse,), reduction=Step("pca", {"components": 100})), bundled)


def test_features_that_do_not_fit_the_picture_are_refused(bundled: Dataset) -> None:
    with pytest.raises(HdrError, match="HOG"):
        fit(plan("svm", features=(Step("hog", {"cell": 14, "block": 4}),)), bundled)


def test_scores_become_probabilities_that_mean_something(bundled: Dataset) -> None:
    model = fit(plan("svm"), bundled)
    assert not hasattr(model.classifier, "predict_proba") and model.temperature != 1
    probabilities = model.predict_proba(bundled.test.images)
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == bundled.test.labels
    assert abs(sure.mean() - right.mean()) < 0.05


def test_a_model_that_makes_no_mistake_in_validation_is_not_certain(bundled: Dataset) -> None:
    spec = RunSpec(
        "bundled", 1000, features=(Step("hog"),), reduction=Step("pca", {"components": 60}), classifier=Step("svm")
    )
    model = fit(spec, bundled)
    assert model.metrics["validation_accuracy"] > 0.98
    sure = model.predict_proba(bundled.test.images).max(axis=1)
    assert 0.9 < sure.mean() < 0.998, "its certainty on new digits is that of a few hundred right answers, and no more"


def test_copies_are_learned_from_and_nothing_else_is_distorted(
    bundled: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, np.ndarray]] = []
    entry = catalogue.get("augmentation", "distort")

    def watched(images: np.ndarray, seed: int, indices: np.ndarray, **params: Any) -> np.ndarray:
        seen.append((seed, indices))
        assert (images == bundled.train.images[indices]).all()
        return entry.function(images, seed, indices, **params)

    monkeypatch.setitem(catalogue._entries["augmentation"], "distort", replace(entry, function=watched))
    spec = plan("svm", augmentation=Step("distort", {"copies": 2, "alpha": 20}), seed=4)
    events: list[dict[str, Any]] = []
    model = fit(spec, bundled, events.append)
    chosen, held = split(spec, bundled)
    assert {seed for seed, _ in seen} == {4} and (np.concatenate([i for _, i in seen]) == chosen).all()
    assert events[-2]["step"] == 3 * len(chosen), "the digits and their copies"
    assert model.metrics["fitted_on"] == len(chosen) and model.metrics["validated_on"] == len(held)
    assert model.metrics["validation_accuracy"] > 0.9
    again = fit(spec, bundled).classifier
    assert (again.support_vectors_ == model.classifier.support_vectors_).all()


def test_a_share_of_the_digits_comes_with_all_their_copies(bundled: Dataset) -> None:
    spec = plan("k_nearest_neighbours", augmentation=Step("distort", {"copies": 3, "shift": 4.0}))
    chosen, _ = split(spec, bundled)
    model = fit_once(spec, bundled.train.images[chosen[:9]], bundled.train.labels[chosen[:9]])
    rows, labels = model.classifier._fit_X, model.classifier.classes_[model.classifier._y]
    assert rows.shape == (36, 784) and (labels == np.repeat(bundled.train.labels[chosen[:9]], 4)).all()
    assert (rows[::4] == bundled.train.images[chosen[:9]].reshape(9, -1) / np.float32(255)).all()


def test_what_is_left_of_a_model_does_not_depend_on_the_chunks(
    bundled: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = plan("k_nearest_neighbours", augmentation=Step("distort", {"copies": 2, "alpha": 30, "stroke": 0.5}))
    images, labels = bundled.train.images[:50], bundled.train.labels[:50]
    rows = [fit_once(spec, images, labels).classifier._fit_X]
    monkeypatch.setattr(fitting, "CHUNK", 21)
    rows.append(fit_once(spec, images, labels).classifier._fit_X)
    assert (rows[0] == rows[1]).all()
