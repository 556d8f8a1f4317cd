"""Classifiers and reductions, one file per family: functions that give an unfitted scikit-learn estimator."""

from hdr.catalogue import discover
from hdr.models.fit_context import FitContext

discover(__name__, __path__)

FAMILIES = (
    "Neighbours",
    "Gaussian models",
    "Linear",
    "Trees",
    "Support vector machines",
    "Neural networks",
)
"""The families of classifiers, from what is quickly explained to what learns most."""

__all__ = ["FAMILIES", "FitContext"]
