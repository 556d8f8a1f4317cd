"""Boosting: trees that are grown one after another, each to mend what the ones before got wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from hdr.catalogue import register
from hdr.models.fit_context import Cost, FitContext

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier


COST = Cost(held=lambda rows, features, params: rows * (features + 10 * 16))
"""One byte for a feature's bin, and for each class what is still wrong and how steep."""


@register("classifier", "Gradient boosting (histogram)", family="Trees", progress="rounds", cost=COST)
def gradient_boosting(
    context: FitContext,
    *,
    rounds: Annotated[
        int,
        Field(
            ge=5,
            le=300,
            title="Rounds",
            description="How often the model is mended. Each round grows one small tree for every class.",
            json_schema_extra={"step": 5},
        ),
    ] = 50,
    learning_rate: Annotated[
        float,
        Field(
            ge=0.01,
            le=1.0,
            title="Learning rate",
            description="How much of its correction each tree may make: smaller steps need more rounds and learn more "
            "carefully.",
            json_schema_extra={"log": True},
        ),
    ] = 0.2,
    leaves: Annotated[
        int,
        Field(
            ge=2,
            le=63,
            title="Leaves per tree",
            description="How many cases one tree tells apart.",
        ),
    ] = 15,
    penalty: Annotated[
        float,
        Field(
            ge=0.0,
            le=10.0,
            title="Penalty (L2)",
            description="How much large corrections cost. It holds back learning by heart.",
            json_schema_extra={"step": 0.5},
        ),
    ] = 1.0,
) -> HistGradientBoostingClassifier:
    """Grows small trees in rounds, each fitted to what is still wrong, and adds up their corrections. Features are
    first sorted into 255 bins, so that a question is found by counting: fast on few features, slow on 784 pixels.

    Source: Friedman, Greedy function approximation: a gradient boosting machine (2001), doi:10.1214/aos/1013203451;
    Ke et al., LightGBM (2017); sklearn.ensemble.HistGradientBoostingClassifier.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=rounds,
        learning_rate=learning_rate,
        max_leaf_nodes=leaves,
        l2_regularization=penalty,
        # Validation digits are kept apart already; its own early stopping would take others away from training.
        early_stopping=False,
        random_state=context.seed,
    )
