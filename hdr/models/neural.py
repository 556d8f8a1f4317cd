"""Neural networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from hdr.catalogue import register
from hdr.models.fit_context import FitContext

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier


LIVE = ("learning_rate", "batch_size", "penalty")
"""Hyperparameters that may be changed while a network learns."""

LATER = ("patience", "keep_best")
"""Hyperparameters that older specs do not have."""


@register("classifier", "Multilayer perceptron", family="Neural networks", progress="epochs", live=LIVE, later=LATER)
def mlp(
    context: FitContext,
    *,
    layers: Annotated[
        int, Field(ge=1, le=4, title="Hidden layers", description="Layers between input and output.")
    ] = 1,
    units: Annotated[
        int,
        Field(
            ge=5,
            le=500,
            title="Units per layer",
            description="Neurons in each hidden layer: more can learn more, and take longer.",
            json_schema_extra={"step": 5},
        ),
    ] = 100,
    activation: Annotated[
        Literal["relu", "tanh", "logistic"],
        Field(title="Activation", description="What a neuron makes of its weighted sum."),
    ] = "relu",
    epochs: Annotated[
        int, Field(ge=1, le=100, title="Epochs", description="How often the network sees each digit.")
    ] = 10,
    batch_size: Annotated[
        int,
        Field(
            ge=16,
            le=1024,
            title="Batch size",
            description="Digits per update of the weights.",
            json_schema_extra={"log": True},
        ),
    ] = 200,
    learning_rate: Annotated[
        float,
        Field(
            ge=1e-5,
            le=0.1,
            title="Learning rate",
            description="Length of a step down the slope of the loss: too short is slow, too long never settles.",
            json_schema_extra={"log": True},
        ),
    ] = 1e-3,
    penalty: Annotated[
        float,
        Field(
            ge=1e-7,
            le=1.0,
            title="Penalty (L2)",
            description="How much large weights cost. It holds back learning by heart.",
            json_schema_extra={"log": True},
        ),
    ] = 1e-4,
    patience: Annotated[
        int,
        Field(
            ge=0,
            le=20,
            title="Patience",
            description="Early stopping: ends after so many epochs in a row without a better validation accuracy. "
            "0 never stops early.",
            json_schema_extra={"unit": "epochs"},
        ),
    ] = 0,
    keep_best: Annotated[
        bool,
        Field(
            title="Keep the best epoch",
            description="Keeps the weights of the epoch with the best validation accuracy rather than the last one's.",
        ),
    ] = False,
) -> MLPClassifier:
    """Layers of simple units, each a weighted sum and a bend. The weights are moved a little after every batch of
    digits, down the slope of the loss, by Adam.

    Source: Rumelhart, Hinton and Williams, Learning representations by back-propagating errors (1986),
    doi:10.1038/323533a0; Kingma and Ba, Adam (2015); sklearn.neural_network.MLPClassifier.
    """
    from sklearn.neural_network import MLPClassifier

    # Patience and the best epoch are for those who see the validation digits; scikit-learn's own early stopping would
    # take others, and only from a fit that cannot be steered.
    del patience, keep_best
    return MLPClassifier(
        hidden_layer_sizes=(units,) * layers,
        activation=activation,
        max_iter=epochs,
        batch_size=batch_size,
        learning_rate_init=learning_rate,
        alpha=penalty,
        random_state=context.seed,
    )
