"""Accuracy on increasingly corrupted digits, which predicts accuracy on drawings and photos."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hdr import catalogue
from hdr.paths import write_atomically
from hdr.preprocessing.corruptions import spoil
from hdr.training.model import TrainedModel
from hdr.types import Dataset, Images, ProgressCallback, Step, no_progress

TESTED_DIGITS = 1_000
"""Test digits that are corrupted: the 95% interval of an accuracy of 90% is then 2 points to either side."""

SEED = 0
FILE = "robustness.json"


@dataclass(frozen=True)
class CorruptionSweep:
    """One kind of corruption, at levels from none to strong.

    Attributes:
        name: in the file.
        title: for people.
        unit: of a level.
        levels: ascending; one of them is `clean`.
        clean: the level at which nothing is changed.
        steps: the disturbances at one level. Where there are several, digits cycle through them, so that no direction
            is preferred.
    """

    name: str
    title: str
    unit: str
    levels: tuple[float, ...]
    clean: float
    steps: Callable[[float], tuple[Step, ...]]


def _one(disturbance: str, parameter: str) -> Callable[[float], tuple[Step, ...]]:
    return lambda level: (Step(disturbance, {parameter: level}),)


def _shifts(level: float) -> tuple[Step, ...]:
    return tuple(Step("shift", {axis: sign * level}) for axis in ("dx", "dy") for sign in (1, -1))


SWEEPS = (
    CorruptionSweep("shift", "Shift", "px", (0, 1, 2, 3, 4, 6), 0, _shifts),
    CorruptionSweep("scale", "Scale", "%", (50, 60, 70, 80, 90, 100, 110, 120, 130), 100, _one("scale", "factor")),
    CorruptionSweep("rotation", "Rotation", "°", (-45, -30, -15, 0, 15, 30, 45), 0, _one("rotation", "angle")),
    CorruptionSweep(
        "stroke", "Stroke width", "px", (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5), 0, _one("pen_pressure", "pressure")
    ),
    CorruptionSweep(
        "noise", "Gaussian noise", "grey values", (0, 10, 20, 40, 60, 80), 0, _one("gaussian_noise", "sigma")
    ),
    CorruptionSweep("blur", "Blur", "px", (0.0, 0.5, 1.0, 1.5, 2.0, 3.0), 0, _one("blur", "sigma")),
    CorruptionSweep("contrast", "Contrast taken away", "%", (0, 20, 40, 60, 80, 90), 0, _one("low_contrast", "amount")),
    CorruptionSweep("occlusion", "Occlusion", "%", (0, 10, 20, 30, 40, 50), 0, _one("occlusion", "side")),
)
"""The measured corruptions. All levels use the same digits, with the same noise for every model."""


@dataclass(frozen=True)
class Robustness:
    """A model's accuracy on corrupted digits.

    Attributes:
        clean: the accuracy on the same digits as they are, 0 to 1.
        curves: for each sweep by name, the accuracy at each of its levels.
        digits: how many digits.
    """

    clean: float
    curves: Mapping[str, tuple[float, ...]]
    digits: int

    def mean_of(self, sweep: CorruptionSweep) -> float:
        """The mean accuracy over all levels of a sweep that change something."""
        found = [a for a, level in zip(self.curves[sweep.name], sweep.levels, strict=True) if level != sweep.clean]
        return float(np.mean(found))

    @property
    def mean(self) -> float:
        """The mean of all sweeps' means: the one number.

        Source: after Hendrycks and Dietterich, Benchmarking neural network robustness to common corruptions and
        perturbations (2019), arXiv:1903.12261, whose mean corruption error it is but for the comparison with a
        reference model; on MNIST: Mu and Gilmer, MNIST-C (2019), arXiv:1906.02337.
        """
        return float(np.mean([self.mean_of(sweep) for sweep in SWEEPS]))


def measure(
    model: TrainedModel, dataset: Dataset, digits: int = TESTED_DIGITS, report: ProgressCallback = no_progress
) -> Robustness:
    """Read test digits at every level of every sweep.

    Args:
        model: a fitted model.
        dataset: the data whose test digits are corrupted.
        digits: how many of them, drawn by `SEED`.
        report: called with the current stage.
    """
    drawn = np.random.default_rng(SEED).permutation(len(dataset.test))[:digits]
    images, labels = dataset.test.images[drawn], dataset.test.labels[drawn]

    def accuracy(shown: Images) -> float:
        return float((model.predict_proba(shown).argmax(axis=1) == labels).mean())

    report("Digits as they are", 0.0)
    clean, curves = accuracy(images), {}
    total, done = 1 + sum(len(s.levels) for s in SWEEPS), 1
    for sweep in SWEEPS:
        found = []
        for level in sweep.levels:
            report(f"{sweep.title} {level:g} {sweep.unit}", done / total)
            found.append(clean if level == sweep.clean else accuracy(_spoilt(images, sweep.steps(level))))
            done += 1
        curves[sweep.name] = tuple(found)
    return Robustness(clean, curves, len(images))


def _spoilt(images: Images, steps: tuple[Step, ...]) -> Images:
    out = np.empty_like(images)
    for turn, step in enumerate(steps):
        out[turn :: len(steps)] = spoil(images[turn :: len(steps)], [step], SEED)
    return out


def load(folder: Path) -> Robustness | None:
    """Load the robustness of the model in a folder; None if it was never measured, or at other levels."""
    try:
        data = json.loads((folder / FILE).read_bytes())
        if data["plan"] != _plan():
            return None
        curves = {s.name: tuple(map(float, data["curves"][s.name])) for s in SWEEPS}
        return Robustness(float(data["clean"]), curves, int(data["digits"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save(folder: Path, found: Robustness) -> None:
    """Save the measurement in the model's folder.

    Raises:
        OSError: the folder cannot be written to.
    """
    data: dict[str, Any] = {"plan": _plan(), "digits": found.digits, "clean": found.clean, "mean": found.mean}
    write_atomically(folder / FILE, json.dumps({**data, "curves": found.curves}).encode())


def _plan() -> str:
    # Another set of levels or digits gives other numbers, which must not be shown beside these.
    steps = [[[catalogue.step_to_json(d) for d in s.steps(level)] for level in s.levels] for s in SWEEPS]
    return catalogue.key_of([TESTED_DIGITS, SEED, steps])
