"""Thresholding: every pixel becomes ink (255) or paper (0).

Every step takes uint8 (n, h, w) and returns uint8 (n, h, w) that holds only 0 and 255.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

import cv2
import numpy as np
from pydantic import Field

from hdr.catalogue import register
from hdr.preprocessing.arrays import each
from hdr.types import Images

step = partial(register, "step", family="Thresholding")


@step("Fixed threshold")
def threshold(
    images: Images,
    *,
    level: Annotated[
        int, Field(ge=0, le=254, title="Level", description="Grey values above this one become ink.")
    ] = 127,
) -> Images:
    """Calls a pixel ink where it is brighter than one fixed level. Simple and predictable, but the level that suits one
    scan is wrong for the next.

    Formula: g = 255 \\text{ if } f > t \\text{, else } 0

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 10.3; cv2.threshold.
    """
    return np.where(images > level, np.uint8(255), np.uint8(0))


@step("Otsu threshold")
def otsu(images: Images) -> Images:
    """Finds the level by itself: the one that parts the grey values into two groups as distinct as can be. It suits any
    evenly lit scan, without a slider.

    Formula: t^* = \\arg\\max_t \\; w_0(t)\\, w_1(t)\\, (\\mu_0(t) - \\mu_1(t))^2

    Source: Otsu, A threshold selection method from gray-level histograms (1979), doi:10.1109/TSMC.1979.4310076;
    cv2.threshold with THRESH_OTSU.
    """
    return each(images, lambda image: cv2.threshold(image, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1])
