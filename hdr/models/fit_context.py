"""What an estimator may know about the data before it is fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Progress = Literal["epochs", "trees", "rounds", "sizes"]
"""How a classifier's learning can be watched: passes over the data, trees grown so far, rounds of boosting, or growing
training sizes."""


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


@dataclass(frozen=True)
class Cost:
    """How what a classifier takes grows, so that a probe on few digits tells of many.

    Attributes:
        fit: the time of fitting grows with the digits to this power.
        read: the time of reading one digit grows with the digits that were fitted on to this power.
        per: the parameter that the time of fitting is in proportion to; empty where there is none. Epochs, trees
            and rounds need not be named.
        held: bytes that fitting holds besides the features, from rows, features per row and parameters.
    """

    fit: float = 1.0
    read: float = 0.0
    per: str = ""
    held: Callable[[int, int, Mapping[str, Any]], float] = lambda rows, features, params: 0.0
