"""One trial of a search: the same features, stages and scores as in a run, without its test."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hdr.training.controller import TrainingController
from hdr.training.fitting import Fitted, Prepared, fit_stages, prepare, split
from hdr.training.limits import check_memory, memory_limit_mb
from hdr.training.run_spec import RunSpec
from hdr.tuning.search_spec import SearchSpec
from hdr.types import Dataset

MAX_CACHED_BYTES = 400e6
"""Bytes of features that are kept for trials to come, at most."""


class Objective:
    """Fits the trials of one search, one after another; those that differ in their classifier share their features.

    Args:
        spec: the search.
        dataset: the data; of its test split, nothing is looked at.
    """

    def __init__(self, spec: SearchSpec, dataset: Dataset) -> None:
        self._spec, self._dataset = spec, dataset
        self._kept: OrderedDict[str, Prepared] = OrderedDict()

    def ready(self, plan: RunSpec) -> None:
        """Get ready for a plan: nothing of its classifier is fitted yet.

        Raises:
            HdrError: the plan does not suit the data, or would need more memory than there is.
        """
        needed, limit = check_memory(plan, self._dataset), memory_limit_mb()
        if limit is not None:
            self._forget(max(0.0, 1e6 * (limit - needed)))
        self._prepared(plan, 0)

    def fit(self, plan: RunSpec, seen: Callable[[float, float], None]) -> float:
        """Fit a plan.

        Args:
            plan: one that is `ready`.
            seen: called with the percent of the full effort, 0 to 100, and the validation accuracy there; what it
                raises ends the trial.

        Returns:
            Validation accuracy of the model that is kept; with a cross-validation, the mean over its folds.

        Raises:
            HdrError: it cannot be fitted.
        """
        if self._spec.validation == "split":
            return self._learn(plan, 0, lambda stage, score: seen(100 * stage.step / stage.of, score))
        found: list[float] = []
        for fold in range(self._spec.validation):
            found.append(self._learn(plan, fold, lambda stage, score: None))
            seen(100 * len(found) / self._spec.validation, float(np.mean(found)))
        return float(np.mean(found))

    def _learn(self, plan: RunSpec, fold: int, seen: Callable[[Fitted, float], None]) -> float:
        # Fits on fewer digits come first only where they can spare the fit on all.
        curve = self._spec.prune and self._spec.validation == "split"
        data = self._prepared(plan, fold)
        told = fit_stages(
            data,
            TrainingController(plan),
            lambda stage, scores: seen(stage, scores["validation_accuracy"]),
            curve=curve,
        )
        return told[1]["validation_accuracy"]

    def _prepared(self, plan: RunSpec, fold: int) -> Prepared:
        other = {"classifier", "threads"}
        key = json.dumps([fold, {k: v for k, v in plan.to_json().items() if k not in other}])
        found = self._kept.pop(key, None)
        if found is None:
            images, labels = self._dataset.train.images, self._dataset.train.labels
            found = prepare(plan, images, labels, *self._parts(plan)[fold])
            self._forget(MAX_CACHED_BYTES - _size(found))
        self._kept[key] = found
        return replace(found, model=replace(found.model, spec=plan))

    def _parts(self, plan: RunSpec) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        chosen, held = split(plan, self._dataset)
        if self._spec.validation == "split":
            return [(chosen, held)]
        from sklearn.model_selection import StratifiedKFold

        folds = StratifiedKFold(self._spec.validation, shuffle=True, random_state=plan.seed)
        labels = self._dataset.train.labels[chosen]
        return [(chosen[fitted], chosen[out]) for fitted, out in folds.split(labels, labels)]

    def _forget(self, room: float) -> None:
        # The oldest first, until what is kept takes no more than this many bytes.
        while self._kept and sum(map(_size, self._kept.values())) > room:
            self._kept.popitem(last=False)


def _size(data: Prepared) -> int:
    return data.train.nbytes + data.validation.nbytes
