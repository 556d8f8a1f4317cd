"""Noise reduction: filters that replace a pixel by something about its neighbourhood.

Every step takes uint8 (n, h, w) and returns uint8 (n, h, w). Pixels beyond the edge are taken to repeat the edge.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field

from hdr.catalogue import register
from hdr.preprocessing.arrays import filter_batch
from hdr.types import Images

step = partial(register, "step", family="Noise reduction")

Size = Annotated[
    Literal[3, 5, 7, 9],
    Field(title="Size", description="Width and height of the neighbourhood.", json_schema_extra={"unit": "px"}),
]


@step("Mean filter")
def mean(images: Images, *, size: Size = 3) -> Images:
    """Replaces each pixel by the average of its neighbours. Noise averages out, but strokes blur with it.

    Formula: g(x, y) = \\frac{1}{k^2} \\sum_{|i|, |j| \\le k / 2} f(x + i, y + j)

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 3.5; cv2.blur.
    """
    kernel = (size, size)
    return filter_batch(images, size // 2, lambda p: cv2.blur(p, kernel, borderType=cv2.BORDER_REPLICATE))


@step("Gaussian filter")
def gaussian(
    images: Images,
    *,
    sigma: Annotated[
        float,
        Field(
            ge=0.3,
            le=4.0,
            title="Sigma",
            description="Width of the bell: two thirds of the weight lie within this distance on either side.",
            json_schema_extra={"unit": "px", "step": 0.1},
        ),
    ] = 1.0,
) -> Images:
    """Averages with weights that fall off like a bell, so near pixels count most. Softer than the mean, without its
    boxy traces; the usual first step before edges are sought.

    Formula: w(i, j) \\propto e^{-(i^2 + j^2) / 2 \\sigma^2}

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 3.5; cv2.GaussianBlur.
    """
    radius = int(np.ceil(3 * sigma))
    kernel = (2 * radius + 1, 2 * radius + 1)
    return filter_batch(images, radius, lambda p: cv2.GaussianBlur(p, kernel, sigma, borderType=cv2.BORDER_REPLICATE))


@step("Median filter")
def median(images: Images, *, size: Size = 3) -> Images:
    """Replaces each pixel by the middle value of its neighbours. Single specks vanish while edges stay sharp, which no
    averaging can do.

    Formula: g(x, y) = \\mathrm{median}\\{f(x + i, y + j) : |i|, |j| \\le k / 2\\}

    Source: Tukey, Exploratory Data Analysis (1977); cv2.medianBlur.
    """
    return filter_batch(images, size // 2, lambda p: cv2.medianBlur(p, size))
