"""Likely label errors: confident learning from out-of-sample probabilities."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hdr.training.fitting import fit_once, split
from hdr.training.run_spec import RunSpec
from hdr.types import CLASSES, Dataset, ImmutableArrays, Labels, ProgressCallback, no_progress

FOLDS = 5
MAX_DIGITS = 10_000
"""Training digits that are cross-validated at most: five models are fitted for it."""

MNIST_TEST = (947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729)
"""Test digits of MNIST whose label fewer than three of five people agreed with, when asked.

Source: Northcutt, Athalye and Mueller, Pervasive label errors in test sets destabilize machine learning benchmarks
(2021), arXiv:2103.14749; their answers: github.com/cleanlab/label-errors, mturk/mnist_mturk.json.
"""


@dataclass(frozen=True)
class LabelErrors(ImmutableArrays):
    """Digits whose label may be wrong, the most suspect first.

    Attributes:
        index: int64 (k,), into what was examined.
        label: uint8 (k,), the given label.
        guess: uint8 (k,), the suggested label.
        own: float64 (k,), the probability of the label.
        other: float64 (k,), the probability of the guess.
        confident: bool (k,), whether the guess is one of confident learning, and not just more probable.
        thresholds: float64 (10,), from which probability on each class counts as confident.
        joint: int64 (10, 10), how many digits labelled as the row are confidently of the column's class.
    """

    index: NDArray[np.int64]
    label: Labels
    guess: Labels
    own: NDArray[np.float64]
    other: NDArray[np.float64]
    confident: NDArray[np.bool_]
    thresholds: NDArray[np.float64]
    joint: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.index)


def find_label_errors(labels: Labels, probabilities: NDArray[np.floating]) -> LabelErrors:
    """Find labels that predictions contradict.

    A digit counts as confidently of a class where its probability reaches the mean that digits with this label have:
    so a class that the model is seldom sure of has a lower bar. Suspect are digits that are confidently of another
    class than their label, and all others with a more probable class: a good model is so sure of most
    digits that few others reach the bar. They are ranked by how far the label's probability lies below the other's.

    Source: Northcutt, Jiang and Chuang, Confident learning: estimating uncertainty in dataset labels (2021),
    doi:10.1613/jair.1.12125: its confident joint, and its ranking by normalised margin.

    Args:
        labels: uint8 (n,).
        probabilities: float (n, 10), from models that were not fitted on the digit in question.
    """
    p = probabilities.astype(np.float64)
    rows = np.arange(len(labels))
    own = p[rows, labels]
    count = np.bincount(labels, minlength=CLASSES)
    # Nothing can be confidently of a class that no digit has.
    thresholds = np.divide(np.bincount(labels, own, CLASSES), count, out=np.full(CLASSES, np.inf), where=count > 0)
    # A mean of equal values may exceed them by a rounding.
    reached = np.where(p >= thresholds - 1e-12, p, -1.0)
    class_of = reached.argmax(axis=1)
    sure = reached[rows, class_of] >= 0
    joint = np.bincount(labels[sure].astype(np.int64) * CLASSES + class_of[sure], minlength=CLASSES**2)

    confident = sure & (class_of != labels)
    guess = np.where(confident, class_of, p.argmax(axis=1))
    found = np.flatnonzero(guess != labels)
    order = found[np.argsort(own[found] - p[found, guess[found]], kind="stable")]
    return LabelErrors(
        order,
        labels[order],
        guess[order].astype(np.uint8),
        own[order],
        p[order, guess[order]],
        confident[order],
        thresholds,
        joint.reshape(CLASSES, CLASSES),
    )


def cross_validated(
    spec: RunSpec,
    dataset: Dataset,
    temperature: float = 1.0,
    most: int = MAX_DIGITS,
    folds: int = FOLDS,
    report: ProgressCallback = no_progress,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Probabilities of a run's training digits, each from a model that was fitted without it.

    Args:
        spec: the plan.
        dataset: the data.
        temperature: of margins, for classifiers without probabilities of their own: that of the run's model.
        most: training digits at most.
        folds: parts; each is read by a model that was fitted on all others.
        report: called with the current stage.

    Returns:
        Where the digits are in the training split, int64 (n,), and their probabilities, float64 (n, 10).

    Raises:
        HdrError: there are too few digits for the spec.
    """
    from sklearn.model_selection import StratifiedKFold

    chosen = split(spec, dataset)[0][:most]
    images, labels = dataset.train.images[chosen], dataset.train.labels[chosen]
    out = np.zeros((len(chosen), CLASSES))
    parts = StratifiedKFold(folds, shuffle=True, random_state=spec.seed).split(images, labels)
    for number, (fitted, held) in enumerate(parts):
        report(f"Fitting model {number + 1} of {folds}", number / folds)
        model = replace(fit_once(spec, images[fitted], labels[fitted]), temperature=temperature)
        out[held] = model.predict_proba(images[held])
    return chosen, out
