"""The steps, one file per family, the pipeline that chains them, and the capture rule."""

from hdr.catalogue import discover
from hdr.preprocessing.pipeline import PRESETS, Pipeline

discover(__name__, __path__)

FAMILIES = ("Noise reduction", "Contrast", "Thresholding", "Edges", "Morphology", "Normalisation")
"""The families of steps in the order in which a course has them."""

__all__ = ["FAMILIES", "PRESETS", "Pipeline"]
