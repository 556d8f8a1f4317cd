"""The fast preset, fitted once for all tests of a process that read numbers."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from hdr import datasets
from hdr.training.fitting import fit
from hdr.training.model import TrainedModel
from hdr.training.run_spec import PRESETS, for_dataset
from hdr.types import Split


@cache
def fast_model() -> TrainedModel:
    """Fitted on some thousands of training digits: of MNIST where it is at hand, or else of the bundled ones."""
    whole = datasets.load(datasets.available()[0])
    train, test = whole.train, whole.test
    few = replace(
        whole, train=Split(train.images[:6000], train.labels[:6000]), test=Split(test.images[:500], test.labels[:500])
    )
    return fit(for_dataset(PRESETS["fast"].spec, whole.name), few)
