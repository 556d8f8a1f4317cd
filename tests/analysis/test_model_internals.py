"""What is shown of a model's inside is what it computes with."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from hdr import catalogue, datasets
from hdr.analysis.calibration import calibrate
from hdr.analysis.model_internals import (
    NotInterpretableError,
    class_means,
    kept_variance,
    path,
    pixel_positions,
    signed,
    support_vectors,
    weights,
)
from hdr.analysis.nearest_examples import embed, knn_voters, nearest, reference
from hdr.analysis.occlusion_importance import PATCH, occlusion, of_model
from hdr.features.extract import extract
from hdr.preprocessing import Pipeline
from hdr.training.fitting import fit_once, split
from hdr.training.model import TrainedModel
from hdr.training.run_spec import RunSpec
from hdr.types import Dataset, Images, Step


@cache
def taught(classifier: str, reduction: Step | None = None, feature: str = "pixels") -> TrainedModel:
    data = datasets.load("bundled")
    step = Step(classifier, {"epochs": 3, "units": 12} if classifier == "mlp" else {})
    spec = RunSpec("bundled", 600, features=(Step(feature),), reduction=reduction, classifier=step)
    chosen, _ = split(spec, data)
    return fit_once(spec, data.train.images[chosen], data.train.labels[chosen])


REDUCTIONS = [
    None,
    Step("standardise"),
    Step("pca", {"components": 20}),
    Step("pca", {"components": 20, "standardise": True}),
]


@pytest.mark.parametrize("reduction", REDUCTIONS, ids=["none", "standardised", "pca", "both"])
@pytest.mark.parametrize("classifier", ["mlp", "logistic_regression"])
def test_weights_of_pixels_give_the_sums_that_the_model_takes(
    classifier: str, reduction: Step | None, bundled: Dataset
) -> None:
    model = taught(classifier, reduction)
    found = weights(model)
    assert found.pictures.shape == ((12 if classifier == "mlp" else 10), 28, 28)
    assert (found.units, found.through) == (classifier == "mlp", reduction is not None)
    pixels = extract(bundled.test.images[:30], Pipeline(), model.spec.features).astype(np.float64)
    rows = model.classifier.coefs_[0].T if classifier == "mlp" else model.classifier.coef_
    taken = embed(model, bundled.test.images[:30]) @ rows[found.numbers].T
    shown = pixels @ found.pictures.reshape(len(found.pictures), -1).T
    # The same but for a constant of each unit, which is no picture.
    np.testing.assert_allclose(np.diff(shown, axis=0), np.diff(taken, axis=0), rtol=1e-3, atol=2e-3)


def test_what_cannot_be_shown_says_why() -> None:
    with pytest.raises(NotInterpretableError, match="not pixels"):
        weights(taught("mlp", None, "hog"))
    with pytest.raises(NotInterpretableError, match="does not weigh"):
        weights(taught("decision_tree"))
    with pytest.raises(NotInterpretableError, match="no support vectors"):
        support_vectors(taught("mlp"), datasets.load("bundled"))
    with pytest.raises(NotInterpretableError, match="no principal components"):
        kept_variance(taught("mlp", Step("standardise")))
    with pytest.raises(NotInterpretableError, match="not a single decision tree"):
        path(taught("mlp"), np.zeros((28, 28), np.uint8))


@pytest.mark.parametrize("name", [e.name for e in catalogue.entries("classifier")])
def test_every_classifier_shows_something_or_says_why_not(name: str, bundled: Dataset) -> None:
    model, image = taught(name), bundled.test.images[0]
    for look in (weights, kept_variance, lambda m: support_vectors(m, bundled), lambda m: path(m, image)):
        try:
            look(model)
        except NotInterpretableError as error:
            assert str(error).endswith(".")
    p = model.predict_proba(bundled.test.images)
    found = calibrate(model, bundled, p.astype(np.float32))
    assert found.before.shape == found.after.shape == (len(bundled.test), 10)


def test_variance_that_is_kept() -> None:
    ratio = kept_variance(taught("mlp", Step("pca", {"components": 20, "standardise": True})))
    assert len(ratio) == 20 and (np.diff(ratio) <= 0).all() and 0.3 < ratio.sum() < 1


@pytest.mark.parametrize("reduction", [None, Step("pca", {"components": 10})], ids=["pixels", "components"])
def test_a_way_through_the_tree_ends_where_the_tree_says(reduction: Step | None, bundled: Dataset) -> None:
    model = taught("decision_tree", reduction)
    for image in bundled.test.images[:20]:
        asked, digits, shares = path(model, image)
        assert asked[0].digits == 600 and digits < asked[-1].digits
        np.testing.assert_allclose(shares, model.predict_proba(image[None])[0])
        features = embed(model, image[None])[0]
        tree = model.classifier.tree_
        node = 0
        for question in asked:
            assert question.value == features[question.feature]
            node = (tree.children_left if question.left else tree.children_right)[node]
        assert tree.children_left[node] == -1
        assert question.shares.sum() == pytest.approx(1)
    where = pixel_positions(model, asked)
    if reduction:
        assert where is None and asked[0].column == f"component {asked[0].feature + 1}"
    else:
        x, y = where[0]
        assert asked[0].value == pytest.approx(image[y, x] / 255)
        assert asked[0].column == f"pixel {x}, {y}"


def test_support_vectors_are_training_digits(bundled: Dataset) -> None:
    model = taught("svm")
    found = support_vectors(model, bundled)
    machine = model.classifier
    assert len(found.index) == len(machine.support_) and found.fitted_on == 600
    assert found.per_class.sum() == len(found.index)
    np.testing.assert_array_equal(np.bincount(bundled.train.labels[found.index], minlength=10), found.per_class)
    assert (np.diff(found.weight) <= 0).all() and found.weight[-1] > 0
    first = embed(model, bundled.train.images[found.index[:1]])[0]
    heaviest = machine.support_vectors_[np.abs(machine.dual_coef_).sum(axis=0).argmax()]
    np.testing.assert_allclose(first, heaviest, atol=1e-6)


def test_class_means_by_hand(bundled: Dataset) -> None:
    model = taught("mlp")
    chosen, _ = split(model.spec, bundled)
    found = class_means(model, bundled)
    images, labels = bundled.train.images[chosen], bundled.train.labels[chosen]
    np.testing.assert_allclose(found.pictures[3], images[labels == 3].mean(axis=0))
    from sklearn.neighbors import NearestCentroid

    oracle = NearestCentroid().fit(images.reshape(600, -1).astype(float), labels)
    said = oracle.predict(bundled.test.images.reshape(len(bundled.test), -1).astype(float))
    assert found.accuracy == pytest.approx((said == bundled.test.labels).mean())


def test_signed_pictures_have_nothing_in_the_middle() -> None:
    shown = signed(np.array([[-2.0, 0.0, 1.0]]))
    np.testing.assert_array_equal(shown, [[1, 128, 192]])
    np.testing.assert_array_equal(signed(np.zeros((2, 2))), np.full((2, 2), 128))


def test_the_nearest_digit_to_a_training_digit_is_itself(bundled: Dataset) -> None:
    model = taught("mlp", Step("pca", {"components": 20}))
    known = reference(model, bundled, most=100)
    chosen, _ = split(model.spec, bundled)
    np.testing.assert_array_equal(known.index, chosen[:100])
    found = nearest(known, embed(model, bundled.train.images[chosen[7]][None])[0], 5)
    assert (found[0].index, found[0].label) == (chosen[7], bundled.train.labels[chosen[7]])
    assert found[0].distance == pytest.approx(0, abs=1e-4)
    assert [n.distance for n in found] == sorted(n.distance for n in found) and len(found) == 5


def test_the_digits_that_vote_are_those_of_the_classifier(bundled: Dataset) -> None:
    model = taught("k_nearest_neighbours")
    image = bundled.test.images[3]
    found = knn_voters(model, bundled, image)
    known = reference(model, bundled, most=600)
    expected = nearest(known, embed(model, image[None])[0], 5)
    assert [n.index for n in found] == [n.index for n in expected]
    assert knn_voters(taught("mlp"), bundled, image) is None


class Corner(TrainedModel):
    """Says 1 for sure where there is ink in the upper left corner, and 0 otherwise."""

    def predict_proba(self, images: Images) -> np.ndarray:
        return np.eye(10)[(images[:, :PATCH, :PATCH] > 0).any(axis=(1, 2)).astype(int)]


def test_only_what_a_model_looks_at_matters() -> None:
    images = np.zeros((3, 28, 28), np.uint8)
    images[:, 2, 2] = 255
    labels = np.array([1, 1, 0], np.uint8)
    found = occlusion(Corner(RunSpec("bundled"), None, None), images, labels)
    ones = found.by_class[1]
    assert ones[2, 2] == pytest.approx(1.0) and ones[0, 0] == pytest.approx(1.0)
    assert not ones[10:].any() and not ones[:, 10:].any()
    np.testing.assert_allclose(found.by_class[0], -ones, err_msg="covering turns a wrong answer into a right one")
    np.testing.assert_allclose(found.overall, ones / 3)
    assert not found.by_class[5].any()


def test_importance_of_a_real_model_lies_where_the_ink_is(bundled: Dataset) -> None:
    seen: list[float] = []
    found = of_model(taught("mlp"), bundled, 40, lambda words, share: seen.append(share))
    assert found.digits == 40 and seen == sorted(seen) and seen[-1] < 1
    assert found.overall[8:20, 8:20].mean() > found.overall[:3].mean()
