"""Support vector machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from hdr.catalogue import register
from hdr.models.fit_context import Cost, FitContext

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline
    from sklearn.svm import SVC


Gamma = Annotated[
    float,
    Field(
        ge=0.01,
        le=100.0,
        title="Gamma",
        description="How fast likeness falls with distance, as a multiple of 1 / (features x variance). "
        "The linear kernel has none.",
        json_schema_extra={"log": True},
    ),
]


SVM = Cost(fit=1.8, read=0.6, held=lambda rows, features, params: 200e6 + 8 * rows * features)
"""The cache of the kernel, and LIBSVM's copy in float64. Support vectors are the smaller a share, the more digits."""

APPROXIMATE = Cost(held=lambda rows, features, params: 3 * 4 * rows * params["components"])
"""The components of all digits, and the optimiser's copies."""


@register("classifier", "Support vector machine", family="Support vector machines", progress="sizes", cost=SVM)
def svm(
    context: FitContext,
    *,
    kernel: Annotated[
        Literal["rbf", "linear", "poly"],
        Field(title="Kernel", description="How alike two digits are: by distance, by product, or by a power of it."),
    ] = "rbf",
    C: Annotated[
        float,
        Field(
            ge=1e-3,
            le=1e3,
            title="C",
            description="What a digit on the wrong side costs. Large C bends the border around single digits.",
            json_schema_extra={"log": True},
        ),
    ] = 5.0,
    gamma: Gamma = 1.0,
    degree: Annotated[
        int, Field(ge=2, le=6, title="Degree", description="The power of the polynomial kernel; others have none.")
    ] = 3,
) -> SVC:
    """Seeks the border between each two classes that leaves the widest margin; only the digits next to it, the support
    vectors, decide. A kernel bends the border.

    Source: Cortes and Vapnik, Support-vector networks (1995), doi:10.1007/BF00994018; sklearn.svm.SVC (LIBSVM).
    """
    from sklearn.svm import SVC

    return SVC(
        C=C,
        kernel=kernel,
        degree=degree,
        gamma=gamma * _scale(context),
        cache_size=200,
        # Every class against every other, by how much: probabilities come from these margins.
        decision_function_shape="ovo",
        random_state=context.seed,
    )


@register("classifier", "Kernel approximation", family="Support vector machines", progress="sizes", cost=APPROXIMATE)
def kernel_approximation(
    context: FitContext,
    *,
    method: Annotated[
        Literal["nystroem", "fourier"],
        Field(
            title="Method",
            description="Likeness to some of the training digits (Nyström), or waves of random lengths and directions.",
        ),
    ] = "nystroem",
    components: Annotated[
        int,
        Field(
            ge=50,
            le=2000,
            title="Components",
            description="How many digits or waves: the more, the nearer to the kernel itself, and the slower.",
            json_schema_extra={"log": True},
        ),
    ] = 500,
    gamma: Gamma = 1.0,
    C: Annotated[
        float,
        Field(
            ge=1e-2,
            le=1e4,
            title="C",
            description="Freedom of the weights: the inverse of the penalty on large ones.",
            json_schema_extra={"log": True},
        ),
    ] = 50.0,
) -> Pipeline:
    """Writes the RBF kernel out as features, as many as wanted, and weighs them with logistic regression. Its time
    grows with the number of digits, not with its square as that of a support vector machine.

    Formula: k(x, y) = e^{-\\gamma \\lVert x - y \\rVert^2} \\approx z(x)^\\top z(y)

    Source: Williams and Seeger, Using the Nyström method to speed up kernel machines (2001); Rahimi and Recht, Random
    features for large-scale kernel machines (2007); sklearn.kernel_approximation.Nystroem and RBFSampler.
    """
    from sklearn.kernel_approximation import Nystroem, RBFSampler
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

    found = Nystroem if method == "nystroem" else RBFSampler
    features = found(gamma=gamma * _scale(context), n_components=components, random_state=context.seed)
    linear = LogisticRegression(C=C, max_iter=300, random_state=context.seed)
    return Pipeline([("features", features), ("linear", linear)])


def _scale(context: FitContext) -> float:
    return 1 / (context.dimensions * context.variance) if context.variance > 0 else 1.0
