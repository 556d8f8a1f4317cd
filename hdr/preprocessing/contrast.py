"""Contrast: steps that give each grey value a new one.

Every step takes uint8 (n, h, w) and returns uint8 (n, h, w).
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.preprocessing.batch_ops import apply_tables, each, filter_batch, histograms
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


@step("Gamma correction")
def gamma(
    images: Images,
    *,
    exponent: Annotated[
        float,
        Field(
            ge=0.1,
            le=5.0,
            title="Gamma",
            description="Below 1 brightens middle greys, above 1 darkens them.",
            json_schema_extra={"step": 0.05},
        ),
    ] = 0.5,
) -> Images:
    """Brightens or darkens the middle greys while black stays black and white stays white. It brings out pale strokes,
    or pushes a grey haze back into the dark.

    Formula: g = 255 \\left( \\frac{f}{255} \\right)^\\gamma

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 3.2; skimage.exposure.adjust_gamma.
    """
    table = np.rint(255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)
    return table[images]


@step("Histogram equalisation")
def histogram_equalisation(images: Images) -> Images:
    """Gives every grey value the share of pixels below it, so that all values are used about equally. Faint detail
    comes out, and so does faint noise.

    Formula: g = 255 \\cdot \\frac{C(f) - C_{min}}{N - C_{min}}, \\quad C(f) = \\#\\{\\text{pixels} \\le f\\}

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 3.3; cv2.equalizeHist.
    """
    return each(images, cv2.equalizeHist)


@step("Adaptive equalisation (CLAHE)")
def adaptive_equalisation(
    images: Images,
    *,
    clip: Annotated[
        float,
        Field(
            ge=1.0,
            le=40.0,
            title="Clip limit",
            description="A grey value counts at most this many times its fair share; higher means more contrast.",
            json_schema_extra={"step": 0.5},
        ),
    ] = 4.0,
    tiles: Annotated[
        int,
        Field(
            ge=1,
            le=16,
            title="Tiles",
            description="The picture is divided into this many tiles across and as many down.",
        ),
    ] = 2,
) -> Images:
    """Equalises each part of the picture by its own histogram and blends from part to part. Shadows and highlights both
    gain detail, and a limit on every histogram keeps noise from being blown up.

    Formula: g = \\frac{255}{N} \\sum_{k \\le f} \\left( \\min(h(k), c) + e \\right), \\quad
    e = \\frac{1}{256} \\sum_k \\max(h(k) - c, 0)

    Source: Pizer et al., Adaptive histogram equalization and its variations (1987),
    doi:10.1016/S0734-189X(87)80186-X; Zuiderveld, Contrast limited adaptive histogram equalization (1994);
    cv2.createCLAHE. h counts the N pixels of a tile, and c is the clip limit times N / 256 but at least one pixel: in
    small tiles, low limits all act alike.
    """
    return each(images, cv2.createCLAHE(clip, (tiles, tiles)).apply)


def paper_is_bright(images: Images) -> NDArray[np.bool_]:
    """Whether ink is darker than the paper it lies on: bool (n,) for uint8 (n, h, w).

    Ink is what stands out from its surroundings most, so that the differences from the local mean, over half the
    picture's shorter side, are skewed towards it: noise cancels out, and a slope of light is in the mean as well. A
    picture that is skewed to neither side is taken for paper alone, bright above 127.
    """
    size = min(images.shape[1:]) // 2 | 1
    around = filter_batch(images, size // 2, lambda p: cv2.blur(p, (size, size), borderType=cv2.BORDER_REPLICATE))
    skew = ((images.astype(np.int32) - around) ** 3).sum(axis=(1, 2), dtype=np.int64)
    found: NDArray[np.bool_] = np.where(skew == 0, images.mean(axis=(1, 2)) > 127, skew < 0)
    return found


@step("Inversion")
def inversion(
    images: Images,
    *,
    when: Annotated[
        Literal["automatic", "always"],
        Field(title="When", description="Always, or automatic: only where the ink is darker than the paper."),
    ] = "automatic",
) -> Images:
    """Turns bright into dark and dark into bright, as in a photographic negative. All later steps and every model here
    expect light ink on dark paper, while pens write dark on bright.

    Formula: g = 255 - f

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 3.2. Automatic inverts where the third powers
    of the differences from the local mean, over half the picture's shorter side, add up to less than zero: what stands
    out from its surroundings is then darker than they are. Where they add up to nothing, as on a blank sheet, the mean
    decides: above 127 is paper.
    """
    inverted = 255 - images
    if when == "always":
        return inverted
    return np.where(paper_is_bright(images)[:, None, None], inverted, images)
