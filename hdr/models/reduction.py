"""Reductions: fewer features that keep what matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from hdr.catalogue import register

if TYPE_CHECKING:
    from sklearn.decomposition import PCA


@register("reduction", "Principal components (PCA)", family="Reduction")
def pca(
    seed: int,
    *,
    components: Annotated[
        int,
        Field(
            ge=2,
            le=300,
            title="Components",
            description="How many directions of greatest variance are kept.",
        ),
    ] = 150,
) -> PCA:
    """Turns the features so that the first directions hold most of the variance, and keeps only those. Less to learn
    from, and less noise in it.

    Source: Pearson, On lines and planes of closest fit (1901); sklearn.decomposition.PCA, by the
    randomised method of Halko, Martinsson and Tropp (2011), doi:10.1137/090771806.
    """
    from sklearn.decomposition import PCA

    return PCA(n_components=components, svd_solver="randomized", random_state=seed)
