"""Reductions: what is made of the features before they are learned from, so that what matters counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from hdr.catalogue import register

if TYPE_CHECKING:
    from sklearn.decomposition import PCA
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler


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
    standardise: Annotated[
        bool,
        Field(
            title="Standardise first",
            description="Brings every feature to mean 0 and variance 1 before, so that none leads by its unit alone.",
        ),
    ] = False,
) -> PCA | Pipeline:
    """Turns the features so that the first directions hold most of the variance, and keeps only those. Less to learn
    from, and less noise in it.

    Source: Pearson, On lines and planes of closest fit (1901); sklearn.decomposition.PCA, by the
    randomised method of Halko, Martinsson and Tropp (2011), doi:10.1137/090771806.
    """
    from sklearn.decomposition import PCA
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    found = PCA(n_components=components, svd_solver="randomized", random_state=seed)
    return Pipeline([("standardise", StandardScaler()), ("pca", found)]) if standardise else found


@register("reduction", "Standardised features", family="Reduction")
def standardise(seed: int) -> StandardScaler:
    """Takes from every feature its mean over the training digits and divides by its standard deviation. Then pixels,
    degrees and counts weigh alike, which classifiers that measure distances need, but a feature that hardly ever
    varies is blown up.

    Formula: z_j = \\frac{x_j - \\bar x_j}{\\sigma_j}

    Source: LeCun et al., Efficient backprop (1998), section 4.3; sklearn.preprocessing.StandardScaler.
    """
    from sklearn.preprocessing import StandardScaler

    return StandardScaler()
