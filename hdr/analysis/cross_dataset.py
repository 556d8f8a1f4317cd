"""Train on one, test on another: how good a model is on digits of another data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hdr.training.metrics import evaluate
from hdr.training.model import TrainedModel
from hdr.types import Dataset, ProgressCallback, no_progress

MAX_DIGITS = 10_000
"""Test digits that are read; of more, as many are drawn."""

CONFIDENT_MISTAKES = 10
"""Mistakes that are shown: the most confident ones."""

_PIECE = 500


@dataclass(frozen=True)
class Transfer:
    """A model's results on another data set's test split.

    Attributes:
        dataset: its name.
        title: its displayed name.
        figures: of `hdr.training.metrics.evaluate`; mistakes have their index into the whole test split.
        of: digits of the whole test split.
    """

    dataset: str
    title: str
    figures: dict[str, Any]
    of: int


def transfer(
    model: TrainedModel,
    dataset: Dataset,
    most: int = MAX_DIGITS,
    report: ProgressCallback = no_progress,
) -> Transfer:
    """Read the test digits of a data set with a model that may have learned from another.

    Args:
        model: the model.
        dataset: the data.
        most: digits to read at most; of more, as many are drawn, always the same.
        report: called with how far it is.
    """
    test = dataset.test
    # RandomState, because its stream is frozen for good.
    chosen = np.sort(np.random.RandomState(0).permutation(len(test))[:most])
    said = []
    for start in range(0, len(chosen), _PIECE):
        report(f"Reading digits of {dataset.title}", start / len(chosen))
        said.append(model.predict_proba(test.images[chosen[start : start + _PIECE]]))
    figures = evaluate(test.labels[chosen], np.concatenate(said))
    mistakes = [{**m, "index": int(chosen[m["index"]])} for m in figures["mistakes"]]
    return Transfer(dataset.name, dataset.title, {**figures, "mistakes": mistakes}, len(test))
