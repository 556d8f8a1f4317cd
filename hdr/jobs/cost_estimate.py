"""What a run will take, before it is begun: measured on few digits by the very spec, and extrapolated.

The probe runs in a process of its own, ``python -m hdr.jobs.cost_estimate``, as a run does: it has its own threads,
nothing else of the server is in its way, and its memory is its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter, process_time

import numpy as np

from hdr import catalogue, datasets
from hdr.datasets.uploads import user_datasets
from hdr.jobs import resource_limits, worker_process
from hdr.models.fit_context import Cost
from hdr.training import fitting
from hdr.training.limits import check_memory, row_count
from hdr.training.model import TrainedModel
from hdr.training.run_spec import RunSpec, versions
from hdr.training.strategies import GROWN
from hdr.types import Dataset, Features, HdrError, Labels, Step

SMALLEST, LARGEST = 250, 4_000
"""Rows on which a classifier is fitted as a probe: the first time, and at most."""

ENOUGH_SECONDS = 0.5
"""A probe that took as long needs no larger one after it."""

PATIENCE_SECONDS = 90.0

EARLIER = (1 / 8, 1 / 4, 1 / 2)
"""Shares of the digits on which a classifier that has no epochs is fitted first, for the curve."""


@dataclass(frozen=True)
class Estimate:
    """What a run will take on this machine while it has nothing else to do.

    Attributes:
        fit_seconds: features, reduction and the fitting of the final model, as in a run's metrics.
        total_seconds: besides, the learning curve, scoring and the test.
        peak_mb: most memory at a time.
        rows: digits with their copies.
        features: per digit, after the reduction.
        probed: rows of the largest probe.
    """

    fit_seconds: float
    total_seconds: float
    peak_mb: float
    rows: int
    features: int
    probed: int


def estimate(spec: RunSpec, owner: str = user_datasets.LOCAL) -> Estimate:
    """Probe a spec in a process of its own; it takes some seconds.

    Args:
        spec: the plan.
        owner: whose it is, where its data are somebody's own.

    Raises:
        HdrError: the spec does not suit its data, needs more memory than there is, or the probe took too long.
    """
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(spec.threads))
    try:
        done = subprocess.run(  # nosec B603 # a fixed command; the plan goes in as JSON, and is checked there
            [*worker_process.PYTHON, "-W", "ignore", "-m", "hdr.jobs.cost_estimate"],
            input=json.dumps({"spec": spec.to_json(), "owner": owner}),
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_SECONDS,
            env={**os.environ, **threads, "PYTHONPATH": worker_process.python_path()},
        )
        said = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise HdrError(f"Even a probe of this run took more than {PATIENCE_SECONDS:.0f} s.") from None
    except ValueError:
        raise HdrError("A probe of this run came to no end: what it takes is not known.") from None
    if "error" in said:
        raise HdrError(said["error"])
    return Estimate(**said)


def probe(spec: RunSpec, dataset: Dataset) -> Estimate:
    """Do small parts of a run in this process and extrapolate.

    Raises:
        HdrError: as `estimate`.
    """
    peak_mb, clock = check_memory(spec, dataset), _clock(spec)
    chosen, held = fitting.split(spec, dataset)
    rows, each = row_count(spec, dataset), versions(spec.augmentation)

    start = clock()
    # A reduction is fitted as the run will fit it: nothing of it has to be extrapolated.
    model = TrainedModel(
        spec, fitting.fit_reduction(spec, dataset.train.images[chosen[: fitting.REDUCTION_DIGITS]]), None
    )
    reducing = clock() - start

    digits = chosen[: max(1, min(LARGEST, rows) // each)]
    fitting.reduced_features(model, dataset.train.images, digits[:1])
    start = clock()
    train = fitting.reduced_features(model, dataset.train.images, digits, spec.augmentation)
    per_row = (clock() - start) / len(train)

    labels = fitting.repeat_labels(spec, dataset.train.labels[digits])
    times = _Times(spec, train, labels, rows)
    fit_seconds = reducing + rows * per_row + times.fit(rows)
    scored = min(fitting.SCORED_DIGITS, rows) + len(held)
    other = (len(held) + len(dataset.test)) * per_row + times.read(rows) * len(dataset.test)
    return Estimate(
        fit_seconds, fit_seconds + times.curve(rows, scored) + other, peak_mb, rows, train.shape[1], times.probed
    )


class _Times:
    """How long a classifier fits and reads, by the number of rows it learns from: seconds."""

    def __init__(self, spec: RunSpec, train: Features, labels: Labels, rows: int) -> None:
        entry = catalogue.get("classifier", spec.classifier.name)
        self._cost: Cost = entry.facts.get("cost", Cost())
        self._progress, self._repeats, params = entry.facts["progress"], 1.0, dict(spec.classifier.params)
        per = self._cost.per or (self._progress if self._progress != "sizes" else "")
        if per:
            # One epoch, tree or round takes as long as another: the fewest are timed.
            (few,) = (int(p.limits[0]) for p in entry.parameters if p.name == per)
            self._repeats, params[per] = params[per] / few, few
        self._spec = RunSpec(classifier=Step(spec.classifier.name, params), seed=spec.seed, threads=spec.threads)
        self._points: list[tuple[int, float]] = []
        size = min(SMALLEST, len(train))
        while True:
            self._probe(train[:size], labels[:size])
            if size == len(train) or self._points[-1][1] > ENOUGH_SECONDS:
                break
            size = min(2 * size, len(train))

    @property
    def probed(self) -> int:
        """Rows of the largest probe."""
        return self._points[-1][0]

    def _probe(self, train: Features, labels: Labels) -> None:
        clock = _clock(self._spec)
        classifier, _ = fitting.new_classifier(self._spec, train)
        start = clock()
        classifier.fit(train, labels)
        self._points.append((len(train), clock() - start))
        model = TrainedModel(self._spec, None, classifier)
        some = train[:SMALLEST]
        model.probabilities(some)
        start = clock()
        model.probabilities(some)
        self._read = (clock() - start) / len(some)

    def fit(self, rows: float) -> float:
        """Seconds of one fit: a part that is always there, and a part that grows."""
        (n, seconds), power = self._points[-1], self._cost.fit
        if len(self._points) == 1:
            return self._repeats * seconds * (rows / n) ** power
        before, less = self._points[-2]
        grows = max(0.0, (seconds - less) / (n**power - before**power))
        always = seconds - grows * n**power
        if always < 0:
            always, grows = 0.0, seconds / n**power
        return self._repeats * (always + grows * rows**power)

    def read(self, rows: float) -> float:
        """Seconds for one digit. What takes time in proportion to epochs is not read by epochs, but trees are."""
        repeats = self._repeats if self._progress in GROWN else 1.0
        return repeats * self._read * (rows / self.probed) ** self._cost.read

    def curve(self, rows: int, scored: int) -> float:
        """Seconds for all points of the learning curve, without the last fit."""
        if self._progress == "epochs":
            return self._repeats * scored * self.read(rows)
        if self._progress in GROWN:
            # Ten points, with half of the trees or rounds on average.
            return 5.5 * scored * self.read(rows)
        earlier = (rows * share for share in EARLIER)
        return scored * self.read(rows) + sum(self.fit(n) + scored * self.read(n) for n in earlier)


def _clock(spec: RunSpec) -> Callable[[], float]:
    # What else the machine does at this moment, it may not do when the run is begun.
    return process_time if spec.threads == 1 else perf_counter


def main() -> None:
    """Probe the spec on standard input, which says whose it is, and write the estimate, or what is wrong, as JSON."""
    import cv2
    from threadpoolctl import threadpool_limits

    resource_limits.lower_priority()
    cv2.setNumThreads(1)
    try:
        said = json.load(sys.stdin)
        spec = RunSpec.from_json(said["spec"])
        with threadpool_limits(spec.threads), np.errstate(all="ignore"):
            said = asdict(probe(spec, datasets.load(spec.dataset, said["owner"])))
    except HdrError as error:
        said = {"error": str(error)}
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
