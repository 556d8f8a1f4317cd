"""Classifiers and reductions, one file per family: functions that give an unfitted scikit-learn estimator."""

from hdr.catalogue import discover
from hdr.models.context import FitContext

discover(__name__, __path__)

__all__ = ["FitContext"]
