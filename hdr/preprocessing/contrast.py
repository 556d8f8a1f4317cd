"""Contrast: steps that give each grey value a new one, the same everywhere in an image.

Every step takes uint8 (n, h, w) and returns uint8 (n, h, w).
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

import cv2
import numpy as np
from pydantic import Field

from hdr.catalogue import register
from hdr.preprocessing.arrays import apply_tables, each, histograms
from hdr.types import Images

step = partial(register, "step", family="Contrast")


@step("Contrast stretching")
def contrast_stretching(
    images: Images,
    *,
    low: Annotated[
        float,
        Field(
            ge=0,
            le=45,
            title="Low",
            description="This share of the pixels becomes black.",
            json_schema_extra={"unit": "%", "step": 0.5},
        ),
    ] = 1.0,
    high: Annotated[
        float,
        Field(
            ge=55,
            le=100,
            title="High",
            description="Pixels above this percentile become white.",
            json_schema_extra={"unit": "%", "step": 0.5},
        ),
    ] = 99.0,
) -> Images:
    """Spreads the grey values between two percentiles over the whole range. Pale ink becomes as strong as dark ink, and
    a few extreme pixels cannot spoil it.

    Formula: g = 255 \\cdot \\frac{f - p_{low}}{p_{high} - p_{low}}, \\text{ clipped to } [0, 255]

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 3.2; skimage.exposure.rescale_intensity.
    An image whose two percentiles coincide is returned unchanged.
    """
    counts = histograms(images).cumsum(axis=1)
    total = counts[:, -1:]
    # The lowest percentile is the smallest grey value that occurs, not 0.
    bottom = (counts >= np.maximum(total * (low / 100), 1)).argmax(axis=1)[:, None].astype(np.float64)
    top = (counts >= total * (high / 100)).argmax(axis=1)[:, None].astype(np.float64)
    grey = np.arange(256, dtype=np.float64)[None]
    spread = np.clip((grey - bottom) * 255 / np.maximum(top - bottom, 1), 0, 255)
    tables = np.where(top > bottom, np.rint(spread), grey).astype(np.uint8)
    return apply_tables(images, tables)


@step("Histogram equalisation")
def histogram_equalisation(images: Images) -> Images:
    """Gives every grey value the share of pixels below it, so that all values are used about equally. Faint detail
    comes out, and so does faint noise.

    Formula: g = 255 \\cdot \\frac{C(f) - C_{min}}{N - C_{min}}, \\quad C(f) = \\#\\{\\text{pixels} \\le f\\}

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 3.3; cv2.equalizeHist.
    """
    return each(images, cv2.equalizeHist)
