"""Features that are the picture itself."""

from __future__ import annotations

import numpy as np

from hdr.catalogue import register
from hdr.types import Features, Images


@register("feature", "Pixels", family="Global")
def pixels(images: Images) -> Features:
    """Every grey value as it is, between 0 and 1. Nothing is lost and nothing is explained: the classifier has to find
    out by itself which pixels matter.

    Takes uint8 (n, h, w), returns float32 (n, h * w).
    """
    n, h, w = images.shape
    return images.reshape(n, h * w).astype(np.float32) / np.float32(255)
