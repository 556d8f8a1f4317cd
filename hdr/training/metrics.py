"""How good a model is, in numbers that say how sure they are."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hdr.types import CLASSES, Labels

MAX_MISTAKES = 500
"""Wrong digits that are kept, the most confident first."""


def wilson_interval(right: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """The interval that holds the true share with 95% confidence.

    Source: Wilson, Probable inference (1927), doi:10.1080/01621459.1927.10502953.

    Args:
        right: how many were right.
        total: of how many; 0 gives the interval from 0 to 1.
        z: the normal quantile.
    """
    if total == 0:
        return 0.0, 1.0
    share = right / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return max(0.0, middle - half), min(1.0, middle + half)


def paired_interval(gained: int, lost: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """The interval that holds the true difference of two shares with 95% confidence, where both were counted on the
    same digits: Wald's, with half a digit more in each cell of the two-by-two table.

    Source: Agresti and Min, Simple improved confidence intervals for comparing matched proportions (2005),
    doi:10.1002/sim.1781.

    Args:
        gained: digits that only the first model has right.
        lost: digits that only the second has right.
        total: of how many; 0 gives the interval from -1 to 1.
        z: the normal quantile.

    Returns:
        Lower and upper bound of the first share minus the second, -1 to 1.
    """
    if total == 0:
        return -1.0, 1.0
    middle = (gained - lost) / (total + 2)
    half = z * sqrt(gained + lost + 1 - (gained - lost) ** 2 / (total + 2)) / (total + 2)
    return max(-1.0, middle - half), min(1.0, middle + half)


def mcnemar(gained: int, lost: int) -> float:
    """How probable it is that two models which are equally good differ at least as much: the exact, two-sided p-value.

    Source: McNemar, Note on the sampling error of the difference between correlated proportions or percentages
    (1947), doi:10.1007/BF02295996; exact, by scipy.stats.binomtest.

    Args:
        gained: digits that only the first model has right.
        lost: digits that only the second has right; where both are 0, the answer is 1.
    """
    from scipy.stats import binomtest

    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def confusion(labels: Labels, said: Labels) -> NDArray[np.int64]:
    """How often a digit of the row's class was called the column's: int64 (10, 10)."""
    pairs = labels.astype(np.int64) * CLASSES + said.astype(np.int64)
    return np.bincount(pairs, minlength=CLASSES * CLASSES).reshape(CLASSES, CLASSES)


def per_class(matrix: NDArray[np.int64]) -> list[dict[str, float]]:
    """Precision, recall, F1 and count of each class, from a confusion matrix; 0 where a share is of nothing."""
    right = matrix.diagonal().astype(float)
    called, truly = matrix.sum(axis=0), matrix.sum(axis=1)
    precision = np.divide(right, called, out=np.zeros(CLASSES), where=called > 0)
    recall = np.divide(right, truly, out=np.zeros(CLASSES), where=truly > 0)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros(CLASSES), where=both > 0)
    return [
        {"digit": d, "precision": precision[d], "recall": recall[d], "f1": f1[d], "count": int(truly[d])}
        for d in range(CLASSES)
    ]


def evaluate(labels: Labels, probabilities: NDArray[np.float64]) -> dict[str, Any]:
    """Everything the result page shows about the test split, ready for JSON.

    Args:
        labels: uint8 (n,).
        probabilities: float (n, 10).

    Returns:
        `test_accuracy`, its `interval`, `tested_on`, the `confusion` matrix, `per_class`, how many are `wrong`, and the
        most confident of those as `mistakes` (index into the test split, label, what was said, its probability).
    """
    said = probabilities.argmax(axis=1).astype(np.uint8)
    matrix = confusion(labels, said)
    right = int(matrix.trace())
    wrong = np.flatnonzero(said != labels)
    order = wrong[np.argsort(-probabilities[wrong, said[wrong]], kind="stable")][:MAX_MISTAKES]
    return {
        "test_accuracy": right / len(labels),
        "interval": list(wilson_interval(right, len(labels))),
        "tested_on": len(labels),
        "confusion": matrix.tolist(),
        "per_class": per_class(matrix),
        "wrong": len(wrong),
        "mistakes": [
            {
                "index": int(i),
                "label": int(labels[i]),
                "said": int(said[i]),
                "probability": float(probabilities[i, said[i]]),
            }
            for i in order
        ],
    }
