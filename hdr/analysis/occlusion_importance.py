"""Which parts of a picture a model needs: what happens to its probabilities when they are covered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hdr.training.model import TrainedModel
from hdr.types import CLASSES, SIDE, Dataset, Images, ImmutableArrays, Labels, ProgressCallback, no_progress

DIGITS = 200
PATCH, STRIDE = 6, 2
"""Side of the patch that covers the picture, and how far it moves each time, in pixels."""


@dataclass(frozen=True)
class Importance(ImmutableArrays):
    """How much each place of the picture matters.

    Attributes:
        overall: float64 (28, 28), by how much the probability of the right class falls, on average, when a patch lies
            over the pixel; negative where covering helps.
        by_class: float64 (10, 28, 28), the same for the digits of each class; 0 where there are none.
        digits: how many digits it was measured on.
    """

    overall: NDArray[np.float64]
    by_class: NDArray[np.float64]
    digits: int


def occlusion(
    model: TrainedModel, images: Images, labels: Labels, report: ProgressCallback = no_progress
) -> Importance:
    """Cover each place in turn with a patch of paper and measure the change in the model's probabilities.

    Source: Zeiler and Fergus, Visualizing and understanding convolutional networks (2014), arXiv:1311.2901,
    section 4.2.

    Args:
        model: a fitted model; nothing of it is looked at but its probabilities.
        images: uint8 (n, 28, 28).
        labels: uint8 (n,).
        report: called with the current stage.
    """
    rows = np.arange(len(images))
    clean = model.predict_proba(images)[rows, labels]
    sums, times = np.zeros((len(images), SIDE, SIDE)), np.zeros((SIDE, SIDE))
    places = range(0, SIDE - PATCH + 1, STRIDE)
    for number, y in enumerate(places):
        report("Covering one part of the digits after another", number / len(places))
        covered = np.repeat(images[None], len(places), axis=0)
        for i, x in enumerate(places):
            covered[i, :, y : y + PATCH, x : x + PATCH] = 0
        said = model.predict_proba(covered.reshape(-1, SIDE, SIDE)).reshape(len(places), len(images), CLASSES)
        for i, x in enumerate(places):
            sums[:, y : y + PATCH, x : x + PATCH] += (clean - said[i, rows, labels])[:, None, None]
            times[y : y + PATCH, x : x + PATCH] += 1
    fall = sums / np.maximum(times, 1)
    by_class = np.stack([fall[labels == d].mean(axis=0) if (labels == d).any() else times * 0 for d in range(CLASSES)])
    return Importance(fall.mean(axis=0), by_class, len(images))


def of_model(
    model: TrainedModel, dataset: Dataset, digits: int = DIGITS, report: ProgressCallback = no_progress
) -> Importance:
    """`occlusion` on the first test digits of each class, as many of each as `digits` allows."""
    labels = dataset.test.labels
    drawn = np.concatenate([np.flatnonzero(labels == d)[: digits // CLASSES] for d in range(CLASSES)])
    return occlusion(model, dataset.test.images[drawn], labels[drawn], report)
