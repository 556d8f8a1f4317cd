"""Classifiers that remember the training digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from hdr.catalogue import register
from hdr.models.context import FitContext

if TYPE_CHECKING:
    from sklearn.neighbors import KNeighborsClassifier


@register("classifier", "k-nearest neighbours", family="Neighbours", progress="sizes")
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
