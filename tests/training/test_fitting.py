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
from hdr.training.controller import TrainingController
from hdr.training.fitting import FitError, fit, fit_once, split
from hdr.training.model import TrainedModel
from hdr.training.run_spec import Change, RunSpec
from hdr.types import Dataset, HdrError, Split, Step

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
@pytest.mark.parametrize("classes", [(0, 1, 2, 4, 5, 6, 7, 9), (3, 7)], ids=["eight classes", "two classes"])
@pytest.mark.parametrize("name", NAMES)
def test_a_class_that_training_never_saw_has_probability_zero(
    name: str, classes: tuple[int, ...], bundled: Dataset
) -> None:
    known = np.isin(bundled.train.labels, classes)
    train = Split(bundled.train.images[known], bundled.train.labels[known])
    model = fit(plan(name), replace(bundled, train=train))
    found = model.predict_proba(bundled.test.images)
    unseen = [c for c in range(10) if c not in classes]
    assert not found[:, unseen].any()
    assert np.allclose(found.sum(axis=1), 1)
    of_seen = np.isin(bundled.test.labels, classes)
    assert (found.argmax(axis=1) == bundled.test.labels)[of_seen].mean() > 0.75


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("name", NAMES)
def test_every_classifier_reports_learns_and_repeats(name: str, bundled: Dataset) -> None:
    events: list[dict[str, Any]] = []
    model = fit(plan(name), bundled, events.append)

    phases = list(dict.fromkeys(e["phase"] for e in events))
    assert phases == ["features", "fitting", "testing"]
    points = [e for e in events if "step" in e]
    progress = catalogue.get("classifier", name).facts["progress"]
    assert {p["unit"] for p in points} == {{"epochs": "epoch", "sizes": "digits"}.get(progress, progress)}
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


def weights(model: TrainedModel) -> list[np.ndarray]:
    """All weights of a network."""
    return [*model.classifier.coefs_, *model.classifier.intercepts_]


def same(one: TrainedModel, other: TrainedModel) -> bool:
    """Whether two networks have the same weights, bit for bit."""
    return all((a == b).all() for a, b in zip(weights(one), weights(other), strict=True))


NETWORK = RunSpec("bundled", 1000, classifier=Step("mlp", {"epochs": 6, "units": 30, "batch_size": 32}))


def changed(*changes: Change) -> RunSpec:
    """A network whose training was changed."""
    return replace(NETWORK, changes=changes)


def test_the_loop_that_can_be_steered_gives_the_weights_of_plain_partial_fit(bundled: Dataset) -> None:
    from sklearn.neural_network import MLPClassifier

    model, (chosen, _) = fit(NETWORK, bundled), split(NETWORK, bundled)
    pixels, labels = bundled.train.images[chosen].reshape(1000, -1) / np.float32(255), bundled.train.labels[chosen]
    plain = MLPClassifier((30,), batch_size=32)
    for epoch in range(6):
        plain.set_params(random_state=epoch).partial_fit(pixels, labels, classes=np.arange(10, dtype=np.uint8))
    assert all((a == b).all() for a, b in zip(weights(model), [*plain.coefs_, *plain.intercepts_], strict=True))
    assert set(vars(model.classifier)) == set(vars(plain)), "nothing of ours stays on the estimator"


@pytest.mark.parametrize("values", [{"learning_rate": 0.05}, {"batch_size": 256}, {"penalty": 1.0}])
def test_a_change_takes_effect_at_its_epoch_and_not_before(values: dict[str, Any], bundled: Dataset) -> None:
    def curve(spec: RunSpec) -> tuple[list[float], list[dict[str, Any]]]:
        events: list[dict[str, Any]] = []
        fit(spec, bundled, events.append)
        return [e["loss"] for e in events if "loss" in e], [e for e in events if "changed" in e]

    (before, none), (after, marks) = curve(NETWORK), curve(changed(Change(4, tuple(values.items()))))
    assert before[:3] == after[:3] and before[3] != after[3]
    assert not none and [(m["epoch"], m["changed"]) for m in marks] == [(4, values)]


def test_a_rate_that_changes_reaches_the_optimiser_and_its_moments_stay(bundled: Dataset) -> None:
    optimiser = fit(changed(Change(3, (("learning_rate", 0.01),))), bundled).classifier._optimizer
    assert optimiser.learning_rate_init == 0.01 and optimiser.t == 6 * 32


def test_a_run_that_ends_early_is_the_one_that_ended_there(bundled: Dataset) -> None:
    early, short = fit(changed(Change(4, stop=True)), bundled), replace(NETWORK, classifier=_epochs(3))
    assert same(early, fit(short, bundled))
    assert early.metrics["stopped_early"] == {"step": 3, "of": 6, "unit": "epoch", "by": "request"}
    assert "stopped_early" not in fit(short, bundled).metrics


def _epochs(count: int, **more: Any) -> Step:
    return Step("mlp", {**NETWORK.classifier.params, "epochs": count, **more})


@pytest.mark.parametrize("name", ["svm", "random_forest"])
def test_what_has_no_epochs_ends_early_by_stages(name: str, bundled: Dataset) -> None:
    early = fit(plan(name, changes=(Change(3, stop=True),)), bundled)
    step, of, fitted = {"svm": (250, 1000, 250), "random_forest": (4, 20, 1000)}[name]
    assert early.metrics["stopped_early"] | {"unit": ""} == {"step": step, "of": of, "unit": "", "by": "request"}
    assert early.metrics["fitted_on"] == fitted
    if name == "random_forest":
        assert len(early.classifier.estimators_) == early.classifier.n_estimators == 4
    else:
        whole = fit(replace(early.spec, changes=()), bundled)
        assert len(early.classifier.support_) < len(whole.classifier.support_)


def test_patience_ends_a_run_and_the_best_epoch_is_kept(bundled: Dataset) -> None:
    events: list[dict[str, Any]] = []
    wild = {"learning_rate": 0.02, "patience": 3}
    spec = replace(NETWORK, classifier=_epochs(60, **wild, keep_best=True))
    model = fit(spec, bundled, events.append)
    curve = [e["validation_accuracy"] for e in events if "step" in e]
    best = int(np.argmax(curve)) + 1
    assert len(curve) == best + 3 < 60
    assert model.metrics["kept_epoch"] == best and model.metrics["validation_accuracy"] == max(curve)
    assert model.metrics["stopped_early"] == {"step": best + 3, "of": 60, "unit": "epoch", "by": "patience"}
    # Weights of the best epoch are those of a run that had no more, and of the last without keeping.
    assert same(model, fit(replace(NETWORK, classifier=_epochs(best, learning_rate=0.02)), bundled))
    last = fit(replace(NETWORK, classifier=_epochs(60, **wild)), bundled)
    assert "kept_epoch" not in last.metrics and last.metrics["validation_accuracy"] == curve[-1]
    assert same(last, fit(replace(NETWORK, classifier=_epochs(best + 3, learning_rate=0.02)), bundled))


def test_one_fit_repeats_changes_too(bundled: Dataset) -> None:
    spec = changed(Change(2, (("learning_rate", 0.01),)), Change(5, stop=True))
    chosen, _ = split(spec, bundled)
    once = fit_once(spec, bundled.train.images[chosen], bundled.train.labels[chosen])
    assert same(once, fit(spec, bundled))


def test_a_steered_fit_is_the_same_fit(bundled: Dataset) -> None:
    for spec in (plan("svm"), plan("random_forest"), NETWORK):
        plain, steered = fit(spec, bundled), fit(spec, bundled, control=TrainingController(spec, steered=True))
        images = bundled.test.images
        assert (plain.predict_proba(images) == steered.predict_proba(images)).all() and steered.spec == spec
