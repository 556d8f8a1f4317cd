"""The steps, one file per family, the pipeline that chains them, and the capture rule."""

from hdr.catalogue import discover
from hdr.preprocessing.pipeline import PRESETS, Pipeline

discover(__name__, __path__)

__all__ = ["PRESETS", "Pipeline"]
