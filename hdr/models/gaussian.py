"""Classifiers that describe every class by a Gaussian distribution of its features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.models.fit_context import Cost, FitContext
from hdr.types import Features

if TYPE_CHECKING:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
    from sklearn.naive_bayes import GaussianNB

FAMILY = "Gaussian models"

COPIED = Cost(held=lambda rows, features, params: 8 * rows * features)
"""Deviations from the mean, in float64."""


def _in_double(classifier: Any, features: Features) -> NDArray[np.float64]:
    # Logarithms of thousands, from hundreds of features: in float32, what is left of them would not sum to 1.
    probabilities: NDArray[np.float64] = classifier.predict_proba(features.astype(np.float64))
    return probabilities


@register("classifier", "Gaussian naive Bayes", family=FAMILY, progress="sizes", probabilities=_in_double)
def naive_bayes(
    context: FitContext,
    *,
    smoothing: Annotated[
        float,
        Field(
            ge=1e-9,
            le=1.0,
            title="Smoothing",
            description="What is added to every variance, as a share of the largest one: pixels that never vary in a "
            "class would otherwise decide alone.",
            json_schema_extra={"log": True},
        ),
    ] = 0.01,
) -> GaussianNB:
    """Learns the mean and the variance of every feature in every class, and reads a digit as if its features had
    nothing to do with each other. They do, so that it is far too sure of itself, but it learns in a moment.

    Formula: p(c \\mid x) \\propto p(c) \\prod_j \\mathcal N(x_j;\\ \\mu_{cj},\\ \\sigma_{cj}^2 + \\epsilon)

    Source: Hand and Yu, Idiot's Bayes: not so stupid after all? (2001), doi:10.1111/j.1751-5823.2001.tb00465.x;
    sklearn.naive_bayes.GaussianNB.
    """
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB(var_smoothing=smoothing)


@register("classifier", "Linear discriminant", family=FAMILY, progress="sizes", cost=COPIED)
def linear_discriminant(
    context: FitContext,
    *,
    shrinkage: Annotated[
        float,
        Field(
            ge=0.0,
            le=1.0,
            title="Shrinkage",
            description="How far the covariance is drawn towards equal variances without any correlation; 0 trusts "
            "the training digits.",
            json_schema_extra={"step": 0.01},
        ),
    ] = 0.1,
) -> LinearDiscriminantAnalysis:
    """Gives every class its own mean and all classes one common spread, so that the border between each two of them is
    flat. It is solved in one step, without a search, and shows how far straight borders go.

    Formula: \\delta_c(x) = x^\\top \\Sigma^{-1} \\mu_c - \\tfrac12\\, \\mu_c^\\top \\Sigma^{-1} \\mu_c + \\ln p(c)

    Source: Fisher, The use of multiple measurements in taxonomic problems (1936),
    doi:10.1111/j.1469-1809.1936.tb02137.x; sklearn.discriminant_analysis.LinearDiscriminantAnalysis.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)


@register("classifier", "Quadratic discriminant", family=FAMILY, progress="sizes", cost=COPIED)
def quadratic_discriminant(
    context: FitContext,
    *,
    shrinkage: Annotated[
        float,
        Field(
            ge=1e-3,
            le=1.0,
            title="Shrinkage",
            description="How far each class's covariance is drawn towards equal variances without any correlation: "
            "without some, directions in which a class never varies would have no width.",
            json_schema_extra={"log": True},
        ),
    ] = 0.2,
) -> QuadraticDiscriminantAnalysis:
    """Gives every class its own mean and its own spread, so that the border between each two of them is curved. On a
    hundred or so principal components of HOG it learns in a moment and comes close to a support vector machine.

    Formula: \\delta_c(x) = -\\tfrac12 \\ln\\lvert\\Sigma_c\\rvert
    - \\tfrac12\\,(x - \\mu_c)^\\top \\Sigma_c^{-1} (x - \\mu_c) + \\ln p(c)

    Source: Friedman, Regularized discriminant analysis (1989), doi:10.1080/01621459.1989.10478752;
    sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis.
    """
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

    # The other solver refuses classes with fewer digits than features, however much is shrunk; and what counts as no
    # variance at all would depend on the unit of the features.
    return QuadraticDiscriminantAnalysis(solver="eigen", shrinkage=shrinkage, tol=0.0)
