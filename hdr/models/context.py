"""What an estimator may know about the data before it is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Progress = Literal["epochs", "trees", "sizes"]
"""How a classifier's learning can be watched: passes over the data, trees grown so far, or growing training sizes."""


@dataclass(frozen=True)
class FitContext:
    """Facts that some estimators need.

    Attributes:
        seed: of every random choice.
        dimensions: features per digit, after the reduction.
        variance: of all feature values together.
        threads: most threads that the estimator may use.
    """

    seed: int
    dimensions: int
    variance: float
    threads: int
