"""Support vector machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from hdr.catalogue import register
from hdr.models.context import FitContext

if TYPE_CHECKING:
    from sklearn.svm import SVC


@register("classifier", "Support vector machine", family="Support vector machines", progress="sizes")
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
    gamma: Annotated[
        float,
        Field(
            ge=0.01,
            le=100.0,
            title="Gamma",
            description="How fast likeness falls with distance, as a multiple of 1 / (features x variance). "
            "The linear kernel has none.",
            json_schema_extra={"log": True},
        ),
    ] = 1.0,
    degree: Annotated[
        int, Field(ge=2, le=6, title="Degree", description="The power of the polynomial kernel; others have none.")
    ] = 3,
) -> SVC:
    """Seeks the border between each two classes that leaves the widest margin; only the digits next to it, the support
    vectors, decide. A kernel bends the border.

    Source: Cortes and Vapnik, Support-vector networks (1995), doi:10.1007/BF00994018; sklearn.svm.SVC (LIBSVM).
    """
    from sklearn.svm import SVC

    scale = 1 / (context.dimensions * context.variance) if context.variance > 0 else 1.0
    return SVC(
        C=C,
        kernel=kernel,
        degree=degree,
        gamma=gamma * scale,
        cache_size=200,
        # Every class against every other, by how much: probabilities come from these margins.
        decision_function_shape="ovo",
        random_state=context.seed,
    )
