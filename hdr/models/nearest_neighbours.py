"""Classifiers that compare a digit with the training digits, or with the average of each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.models.fit_context import Cost, FitContext
from hdr.types import Features

if TYPE_CHECKING:
    from sklearn.neighbors import KNeighborsClassifier, NearestCentroid


@register("classifier", "k-nearest neighbours", family="Neighbours", progress="sizes", cost=Cost(read=1.0))
def k_nearest_neighbours(
    context: FitContext,
    *,
    k: Annotated[int, Field(ge=1, le=50, title="Neighbours", description="How many of the nearest digits vote.")] = 5,
    weights: Annotated[
        Literal["uniform", "distance"],
        Field(title="Weights", description="Whether all neighbours count alike, or nearer ones more."),
    ] = "distance",
) -> KNeighborsClassifier:
    """Looks up the training digits that are most alike and lets them vote. There is nothing to fit; all the work comes
    when a digit is read.

    Source: Cover and Hart, Nearest neighbor pattern classification (1967), doi:10.1109/TIT.1967.1053964;
    sklearn.neighbors.KNeighborsClassifier.
    """
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(n_neighbors=k, weights=weights, algorithm="brute", n_jobs=context.threads)


COPIED = Cost(held=lambda rows, features, params: 2 * 8 * rows * features)
"""Deviations from the centroids, in float64, and their squares."""


def _from_distances(classifier: Any, features: Features) -> NDArray[np.float64]:
    """How probable each class is where all classes scatter alike in all directions about their centroids.

    scikit-learn's own probabilities belong to features that were divided by their standard deviations, and name other
    classes than its labels do.
    """
    from scipy.special import softmax
    from sklearn.metrics import pairwise_distances

    squared = pairwise_distances(features, classifier.centroids_, metric="sqeuclidean")
    scores = -squared / (2 * np.mean(classifier.within_class_std_dev_**2))
    probabilities: NDArray[np.float64] = softmax(scores, axis=1)
    return probabilities


@register(
    "classifier", "Nearest centroid", family="Neighbours", progress="sizes", cost=COPIED, probabilities=_from_distances
)
def nearest_centroid(
    context: FitContext,
    *,
    shrink: Annotated[
        float,
        Field(
            ge=0.0,
            le=5.0,
            title="Shrinkage",
            description="Draws the centroids towards their common middle, by this many standard errors: features that "
            "hardly differ between classes drop out. 0 leaves them.",
            json_schema_extra={"step": 0.1},
        ),
    ] = 0.0,
) -> NearestCentroid:
    """Keeps nothing of a class but its average digit and takes the class whose average is nearest. The simplest idea
    of all, and the floor under all others.

    Formula: \\hat c = \\arg\\min_c \\lVert x - \\mu_c \\rVert

    Source: Tibshirani, Hastie, Narasimhan and Chu, Diagnosis of multiple cancer types by shrunken centroids (2002),
    doi:10.1073/pnas.082099299; sklearn.neighbors.NearestCentroid.
    """
    from sklearn.neighbors import NearestCentroid

    return NearestCentroid(shrink_threshold=shrink or None)
