"""Which training digits a model finds most like a digit, in the space in which it sees both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hdr.features.extract import CHUNK, extract
from hdr.training.fitting import split
from hdr.training.model import TrainedModel
from hdr.types import Dataset, Features, Images, ImmutableArrays, Labels, ProgressCallback, no_progress

MAX_REFERENCE = 3_000
"""Training digits that are compared with: enough for a near one of every kind, and a second's work."""


@dataclass(frozen=True)
class ReferenceSet(ImmutableArrays):
    """Training digits of a run as its model sees them.

    Attributes:
        index: int64 (n,), where each is in the training split.
        labels: uint8 (n,).
        features: float32 (n, d), after the reduction.
    """

    index: NDArray[np.int64]
    labels: Labels
    features: Features


@dataclass(frozen=True)
class Neighbour:
    """A training digit with its distance from another digit.

    Attributes:
        index: into the training split.
        label: its class.
        distance: Euclidean, in the model's own features after the reduction.
    """

    index: int
    label: int
    distance: float


def embed(model: TrainedModel, images: Images, report: ProgressCallback = no_progress) -> Features:
    """Return the classifier's input for digits, uint8 (n, 28, 28): float32 (n, d), after the reduction."""
    parts = []
    for start in range(0, len(images), CHUNK):
        report("Turning digits into features", start / len(images))
        part = extract(images[start : start + CHUNK], model.spec.pipeline, model.spec.features)
        parts.append(np.asarray(model.reduce(part), np.float32))
    return np.concatenate(parts)


def reference(
    model: TrainedModel, dataset: Dataset, most: int = MAX_REFERENCE, report: ProgressCallback = no_progress
) -> ReferenceSet:
    """The first digits that a model was fitted on, as it sees them.

    Args:
        model: a fitted model.
        dataset: the data that it was fitted on.
        most: how many at most.
        report: called with the current stage.
    """
    chosen = split(model.spec, dataset)[0][:most]
    return ReferenceSet(chosen, dataset.train.labels[chosen], embed(model, dataset.train.images[chosen], report))


def nearest(known: ReferenceSet, features: Features, count: int) -> list[Neighbour]:
    """Return the training digits nearest to one digit, the nearest first.

    Args:
        known: what to search.
        features: float32 (d,), the digit's features by the same model.
        count: how many.
    """
    distance = np.linalg.norm(known.features - features, axis=1)
    order = np.argsort(distance, kind="stable")[:count]
    return [Neighbour(int(known.index[i]), int(known.labels[i]), float(distance[i])) for i in order]


def knn_voters(model: TrainedModel, dataset: Dataset, image: Images) -> list[Neighbour] | None:
    """The very training digits that vote about one digit, the nearest first; None where none do.

    Args:
        model: a fitted model; only k-nearest neighbours let digits vote.
        dataset: the data that it was fitted on.
        image: uint8 (28, 28).
    """
    if not hasattr(model.classifier, "kneighbors"):
        return None
    chosen, _ = split(model.spec, dataset)
    distances, rows = model.classifier.kneighbors(embed(model, image[None]))
    labels = dataset.train.labels
    return [
        Neighbour(int(chosen[row]), int(labels[chosen[row]]), float(distance))
        for row, distance in zip(rows[0], distances[0], strict=True)
        # Copies that were made of training digits come behind all of those; they have no place in the data.
        if row < len(chosen)
    ]
