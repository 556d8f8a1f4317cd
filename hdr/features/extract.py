"""From images to one matrix of features, by chunks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hdr import catalogue
from hdr.preprocessing import Pipeline
from hdr.types import Features, Images, Step

CHUNK = 2048
"""Images that are turned into features at a time: intermediate arrays stay small, whatever the number of images."""


def extract(images: Images, pipeline: Pipeline, features: Sequence[Step]) -> Features:
    """Send images through a pipeline and join what the extractors find.

    Args:
        images: uint8 (n, 28, 28).
        pipeline: what comes first.
        features: extractors with their parameters, at least one.

    Returns:
        float32 (n, d).
    """
    calls = [(catalogue.get("feature", s.name).function, s.params) for s in features]
    out = None
    for start in range(0, len(images), CHUNK):
        part = pipeline.apply(images[start : start + CHUNK])
        found = np.hstack([function(part, **params) for function, params in calls])
        if out is None:
            out = np.empty((len(images), found.shape[1]), np.float32)
        out[start : start + CHUNK] = found
    if out is None:
        raise ValueError("there are no images to extract features from")
    return out
