"""Linear classifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from hdr.catalogue import register
from hdr.models.fit_context import FitContext

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression


@register("classifier", "Logistic regression", family="Linear", progress="sizes")
def logistic_regression(
    context: FitContext,
    *,
    C: Annotated[
        float,
        Field(
            ge=1e-4,
            le=1e3,
            title="C",
            description="Freedom of the weights: the inverse of the penalty on large ones.",
            json_schema_extra={"log": True},
        ),
    ] = 1.0,
    iterations: Annotated[
        int,
        Field(
            ge=10,
            le=1000,
            title="Iterations",
            description="Most steps of the search for the best weights.",
            json_schema_extra={"log": True},
        ),
    ] = 100,
) -> LogisticRegression:
    """Weighs every feature once for each class; the largest sum wins. The plainest classifier, and the yardstick for
    all others.

    Source: Bishop, Pattern recognition and machine learning (2006), section 4.3;
    sklearn.linear_model.LogisticRegression.
    """
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=C, max_iter=iterations, random_state=context.seed)
