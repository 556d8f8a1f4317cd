"""Internals of fitted models: weights as pictures, the splits of a tree, support vectors, means of classes.

Functions raise `NotInterpretableError` for models that they do not support; its message gives the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hdr.analysis.nearest_examples import embed
from hdr.features.extract import columns
from hdr.training.fitting import split
from hdr.training.model import TrainedModel
from hdr.types import CLASSES, SIDE, Dataset, HdrError, Images, ImmutableArrays

PIXELS = ("pixels", "standardised_pixels")
"""Extractors that give one number for each pixel, at its place."""

AVERAGED_DIGITS = 5_000
"""Training digits at most from which the mean of each class is taken."""


class NotInterpretableError(HdrError):
    """A model has nothing of that kind, or it cannot be shown."""


@dataclass(frozen=True)
class Weights(ImmutableArrays):
    """Weights of the pixels as pictures.

    Attributes:
        pictures: float64 (k, h, w); positive where ink speaks for the unit or class.
        numbers: int64 (k,), which unit or class each belongs to.
        units: True for the hidden units of a network; False for classes.
        through: True where they were carried back through a reduction.
    """

    pictures: NDArray[np.float64]
    numbers: NDArray[np.int64]
    units: bool
    through: bool


def weights(model: TrainedModel) -> Weights:
    """The weights between the pixels and the first layer of a network, or the classes of a linear classifier.

    Units of a network come in the order of the weight that they have in the next layer, the heaviest first. Behind a
    reduction that is linear, the weights are mapped back to the pixels: each unit computes the same sum.

    Raises:
        NotInterpretableError: the classifier has no such weights, or they do not belong to pixels.
    """
    classifier = model.classifier
    if hasattr(classifier, "coefs_"):
        first, second = classifier.coefs_[:2]
        numbers = np.argsort(-np.linalg.norm(first, axis=0) * np.linalg.norm(second, axis=1), kind="stable")
        rows, units = first.T[numbers], True
    elif getattr(classifier, "coef_", np.empty(0)).shape[:1] == (CLASSES,):
        numbers, rows, units = np.asarray(classifier.classes_, np.int64), classifier.coef_, False
    else:
        raise NotInterpretableError(
            "This classifier does not weigh its features by one number each, so there are no such pictures."
        )
    shape = _pixels_of(model)
    flat = _back(model.reduction, np.asarray(rows, np.float64))
    return Weights(flat.reshape(len(flat), *shape), numbers.astype(np.int64), units, model.reduction is not None)


def _pixels_of(model: TrainedModel) -> tuple[int, int]:
    names = [s.name for s in model.spec.features]
    if len(names) != 1 or names[0] not in PIXELS:
        raise NotInterpretableError(
            "Its weights belong to features that are not pixels, so they cannot be drawn as a picture."
        )
    return _shape_of(model)


def _shape_of(model: TrainedModel) -> tuple[int, int]:
    h, w = model.spec.pipeline.apply(np.zeros((1, SIDE, SIDE), np.uint8)).shape[1:]
    return h, w


def _back(reduction: Any, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    # Map weights of a reduction's outputs, (k, reduced), to weights of its inputs, (k, d).
    for part in reversed(_parts(reduction)):
        if hasattr(part, "components_") and not getattr(part, "whiten", False):
            rows = rows @ part.components_
        elif hasattr(part, "scale_") and hasattr(part, "mean_"):
            rows = rows / part.scale_
        else:
            raise NotInterpretableError(
                "Its weights come after a reduction that cannot be undone, so they do not belong to pixels."
            )
    return rows


def _parts(reduction: Any) -> list[Any]:
    if reduction is None:
        return []
    return [part for _, part in reduction.steps] if hasattr(reduction, "steps") else [reduction]


def kept_variance(model: TrainedModel) -> NDArray[np.float64]:
    """The share of the features' variance that each principal component holds: float64 (k,).

    Raises:
        NotInterpretableError: the run has no principal components.
    """
    for part in _parts(model.reduction):
        if hasattr(part, "explained_variance_ratio_"):
            return np.asarray(part.explained_variance_ratio_, np.float64)
    raise NotInterpretableError("This run takes no principal components.")


@dataclass(frozen=True)
class TreeSplit:
    """One question that a tree asks on a digit's way.

    Attributes:
        column: the name of the feature that it is about.
        feature: that feature's place among those that the classifier is given.
        value: the digit's value of that feature.
        threshold: up to it the way goes to the left.
        digits: training digits that came to this question.
        shares: float64 (10,), their classes.
    """

    column: str
    feature: int
    value: float
    threshold: float
    digits: int
    shares: NDArray[np.float64]

    @property
    def left(self) -> bool:
        """True where the value is at most the threshold."""
        return self.value <= self.threshold


def path(model: TrainedModel, image: Images) -> tuple[list[TreeSplit], int, NDArray[np.float64]]:
    """The way of one digit, uint8 (28, 28), through a decision tree.

    Returns:
        The questions in order; how many training digits ended in the same leaf; and their classes, float64 (10,).

    Raises:
        NotInterpretableError: the classifier is not a single tree.
    """
    tree = getattr(model.classifier, "tree_", None)
    if tree is None:
        raise NotInterpretableError("This classifier is not a single decision tree.")
    features = embed(model, image[None])
    names = _names(model, features.shape[1])
    asked = []
    nodes = model.classifier.decision_path(features).indices
    for node in nodes[:-1]:
        column = int(tree.feature[node])
        value, threshold = float(features[0, column]), float(tree.threshold[node])
        shares = _shares(model.classifier, node)
        asked.append(TreeSplit(names[column], column, value, threshold, int(tree.n_node_samples[node]), shares))
    return asked, int(tree.n_node_samples[nodes[-1]]), _shares(model.classifier, nodes[-1])


def _names(model: TrainedModel, count: int) -> Sequence[str]:
    if any(hasattr(part, "components_") for part in _parts(model.reduction)):
        return [f"component {i + 1}" for i in range(count)]
    return columns(model.spec.features, _shape_of(model))


def _shares(classifier: Any, node: int) -> NDArray[np.float64]:
    out = np.zeros(CLASSES)
    value = classifier.tree_.value[node, 0]
    out[np.asarray(classifier.classes_, np.int64)] = value / value.sum()
    return out


def pixel_positions(model: TrainedModel, questions: Sequence[TreeSplit]) -> NDArray[np.int64] | None:
    """Where the pixels lie that a tree asks about: int64 (k, 2) of x, y; None where its features are not pixels."""
    if [s.name for s in model.spec.features] != [PIXELS[0]] or any(
        hasattr(part, "components_") for part in _parts(model.reduction)
    ):
        return None
    width = _shape_of(model)[1]
    return np.array([[q.feature % width, q.feature // width] for q in questions], np.int64).reshape(-1, 2)


@dataclass(frozen=True)
class SupportVectors(ImmutableArrays):
    """The training digits that a support vector machine keeps, the heaviest first.

    Attributes:
        index: int64 (k,), into the training split.
        weight: float64 (k,), the sum of the digit's weights, without their signs, in its 9 borders.
        at_limit: bool (k,), whether one of these is the largest allowed, C: the digit lies within a margin, or on the
            wrong side.
        per_class: int64 (10,), how many of each class are kept.
        fitted_on: digits that the machine was fitted on.
    """

    index: NDArray[np.int64]
    weight: NDArray[np.float64]
    at_limit: NDArray[np.bool_]
    per_class: NDArray[np.int64]
    fitted_on: int


def support_vectors(model: TrainedModel, dataset: Dataset) -> SupportVectors:
    """The digits that alone decide where the borders of a support vector machine run.

    Raises:
        NotInterpretableError: the classifier is none.
    """
    machine = model.classifier
    if not hasattr(machine, "dual_coef_") or not hasattr(machine, "n_support_"):
        raise NotInterpretableError("This classifier has no support vectors.")
    chosen, _ = split(model.spec, dataset)
    dual = np.abs(machine.dual_coef_)
    # Copies that were made of training digits come behind all of those; they have no place in the data.
    real = machine.support_ < len(chosen)
    rows, weight = machine.support_[real], dual.sum(axis=0)[real]
    order = np.argsort(-weight, kind="stable")
    per_class = np.zeros(CLASSES, np.int64)
    per_class[np.asarray(machine.classes_, np.int64)] = machine.n_support_
    at_limit = dual.max(axis=0)[real] >= machine.C * (1 - 1e-6)
    return SupportVectors(chosen[rows][order], weight[order], at_limit[order], per_class, len(chosen))


@dataclass(frozen=True)
class Means(ImmutableArrays):
    """The mean digit of each class as the features see it.

    Attributes:
        pictures: float64 (10, h, w), in grey values.
        digits: how many digits they come from.
        accuracy: the share of the test digits whose nearest mean is that of their class.
    """

    pictures: NDArray[np.float64]
    digits: int
    accuracy: float


def class_means(model: TrainedModel, dataset: Dataset) -> Means:
    """The means of a run's training digits after its own preprocessing, and how far these alone would come."""
    chosen = split(model.spec, dataset)[0][:AVERAGED_DIGITS]
    labels = dataset.train.labels[chosen]
    images = model.spec.pipeline.apply(dataset.train.images[chosen]).astype(np.float64)
    pictures = np.stack([images[labels == d].mean(axis=0) if (labels == d).any() else images[0] * 0 for d in range(10)])
    flat = pictures.reshape(CLASSES, -1)
    tests = model.spec.pipeline.apply(dataset.test.images).reshape(len(dataset.test), -1).astype(np.float64)
    # Of |x - m|² only what differs between the means.
    nearest = (tests @ flat.T - (flat**2).sum(axis=1) / 2).argmax(axis=1)
    return Means(pictures, len(chosen), float((nearest == dataset.test.labels).mean()))


def signed(picture: NDArray[np.floating]) -> NDArray[np.uint8]:
    """A picture with a sign, float (h, w), as it is displayed: 128 for 0, and its own largest value at an end."""
    limit = max(float(np.abs(picture).max()), 1e-12)
    return (128 + np.rint(127 * picture / limit)).astype(np.uint8)
