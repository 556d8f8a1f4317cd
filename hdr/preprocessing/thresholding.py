"""Thresholding: every pixel becomes ink (255) or paper (0).

Every step takes uint8 (n, h, w) with light ink on dark paper and returns uint8 (n, h, w) that holds only 0 and 255. A
pixel is ink where it is brighter than the threshold, which each step's own `level` function gives: float64 (n,) where
it is one for the image, (n, h, w) where it varies by pixel. Pixels beyond the edge are taken to repeat the edge.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.preprocessing.batch_ops import filter_batch
from hdr.types import Images

step = partial(register, "step", family="Thresholding")

Size = Annotated[
    Literal[5, 7, 9, 11, 15, 21, 31, 51, 101],
    Field(
        title="Size",
        description="Width and height of the neighbourhood; it should be wider than a stroke.",
        json_schema_extra={"unit": "px"},
    ),
]
Offset = Annotated[
    int,
    Field(
        ge=0,
        le=100,
        title="Offset",
        description="Ink must be brighter than its surroundings by more than this; keeps noisy paper clean.",
    ),
]


def ink_above(images: Images, level: NDArray[np.float64]) -> Images:
    """255 where images, uint8 (n, h, w), are above the level, float64 (n,) or (n, h, w); 0 elsewhere."""
    # Grey values are whole, so that nothing is lost by rounding down, and short numbers compare much faster.
    whole = np.floor(level).astype(np.int16)
    ink = images > (whole[:, None, None] if whole.ndim == 1 else whole)
    return np.where(ink, np.uint8(255), np.uint8(0))


def local_mean(images: Images, size: int) -> NDArray[np.float64]:
    """The mean of the size x size pixels around each one, exact but for one division: float64 (n, h, w)."""
    return (
        filter_batch(
            images,
            size // 2,
            lambda p: cv2.boxFilter(p, cv2.CV_64F, (size, size), normalize=False, borderType=cv2.BORDER_REPLICATE),
        )
        / size**2
    )


def local_deviation(images: Images, size: int, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """The standard deviation of the size x size pixels around each one, given their mean: float64 (n, h, w)."""
    squares = filter_batch(
        images,
        size // 2,
        lambda p: cv2.sqrBoxFilter(p, cv2.CV_64F, (size, size), normalize=False, borderType=cv2.BORDER_REPLICATE),
    )
    return np.sqrt(np.maximum(squares / size**2 - mean**2, 0))


def fixed_level(images: Images, *, level: int) -> NDArray[np.float64]:
    """The same threshold for every image: float64 (n,)."""
    return np.full(len(images), level, np.float64)


@step("Fixed threshold", level=fixed_level)
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
    return ink_above(images, fixed_level(images, level=level))


def otsu_level(images: Images) -> NDArray[np.float64]:
    """Otsu's threshold of each image: float64 (n,)."""
    flags = cv2.THRESH_BINARY | cv2.THRESH_OTSU
    return np.array([cv2.threshold(image, 0, 255, flags)[0] for image in images], np.float64)


@step("Otsu threshold", level=otsu_level)
def otsu(images: Images) -> Images:
    """Finds the level by itself: the one that parts the grey values into two groups as distinct as can be. It suits any
    evenly lit scan, without a slider.

    Formula: t^* = \\arg\\max_t \\; w_0(t)\\, w_1(t)\\, (\\mu_0(t) - \\mu_1(t))^2

    Source: Otsu, A threshold selection method from gray-level histograms (1979), doi:10.1109/TSMC.1979.4310076;
    cv2.threshold with THRESH_OTSU.
    """
    return ink_above(images, otsu_level(images))


def triangle_level(images: Images) -> NDArray[np.float64]:
    """The triangle threshold of each image: float64 (n,)."""
    flags = cv2.THRESH_BINARY | cv2.THRESH_TRIANGLE
    return np.array([cv2.threshold(image, 0, 255, flags)[0] for image in images], np.float64)


@step("Triangle threshold", level=triangle_level)
def triangle(images: Images) -> Images:
    """Draws a line from the histogram's highest peak to its far end and takes the level that lies deepest below it. It
    suits pictures that are nearly all paper, where the ink is too little to make a peak of its own.

    Formula: t^* = \\arg\\max_t \\; d\\left( (t, h(t)),\\; \\overline{(t_{peak}, h_{peak})\\,(t_{end}, 0)} \\right)

    Source: Zack, Rogers and Latt, Automatic measurement of sister chromatid exchange frequency (1977),
    doi:10.1177/25.7.70454; cv2.threshold with THRESH_TRIANGLE.
    """
    return ink_above(images, triangle_level(images))


def adaptive_mean_level(images: Images, *, size: int, offset: int) -> NDArray[np.float64]:
    """The local mean and the offset: float64 (n, h, w)."""
    return local_mean(images, size) + offset


@step("Adaptive mean threshold", level=adaptive_mean_level)
def adaptive_mean(images: Images, *, size: Size = 31, offset: Offset = 20) -> Images:
    """Calls a pixel ink where it is clearly brighter than the average of its neighbourhood. As the level follows the
    light, a shadow across the page does no harm.

    Formula: t(x, y) = m(x, y) + c

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 10.3; cv2.adaptiveThreshold with
    ADAPTIVE_THRESH_MEAN_C, skimage.filters.threshold_local. m is the mean of the neighbourhood and c the offset, added
    because ink is light here.
    """
    return ink_above(images, adaptive_mean_level(images, size=size, offset=offset))


def adaptive_gaussian_level(images: Images, *, size: int, offset: int) -> NDArray[np.float64]:
    """The local mean with bell-shaped weights, and the offset: float64 (n, h, w)."""

    def blur(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
        values = picture.astype(np.float64)
        return cv2.GaussianBlur(values, (size, size), (size - 1) / 6, borderType=cv2.BORDER_REPLICATE)

    # The weights add up to one but for rounding, which must not make ink of flat paper.
    blurred = filter_batch(images, size // 2, blur).astype(np.float64)
    return np.round(blurred, 6) + offset


@step("Adaptive Gaussian threshold", level=adaptive_gaussian_level)
def adaptive_gaussian(images: Images, *, size: Size = 31, offset: Offset = 20) -> Images:
    """Compares each pixel with an average of its neighbourhood in which near pixels count most. The level follows the
    light more closely than the plain mean does, and leaves fewer square traces around strokes.

    Formula: t(x, y) = (G_\\sigma * f)(x, y) + c, \\quad \\sigma = \\frac{k - 1}{6}

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 10.3; cv2.adaptiveThreshold with
    ADAPTIVE_THRESH_GAUSSIAN_C, skimage.filters.threshold_local. k is the size and c the offset, added because ink is
    light here; sigma is that of scikit-image.
    """
    return ink_above(images, adaptive_gaussian_level(images, size=size, offset=offset))


def niblack_level(images: Images, *, size: int, k: float, offset: int) -> NDArray[np.float64]:
    """Niblack's threshold for light ink: float64 (n, h, w)."""
    mean = local_mean(images, size)
    return mean + k * local_deviation(images, size, mean) + offset


@step("Niblack threshold", level=niblack_level)
def niblack(
    images: Images,
    *,
    size: Size = 15,
    k: Annotated[
        float,
        Field(
            ge=-1.0,
            le=2.0,
            title="Weight k",
            description="How many standard deviations above the local mean ink begins; more makes strokes thinner.",
            json_schema_extra={"step": 0.05},
        ),
    ] = 0.2,
    offset: Offset = 10,
) -> Images:
    """Sets the level from the average and the spread of the grey values around each pixel. Faint strokes are found
    beside strong ones, but without an offset the noise of empty paper is taken for ink as well.

    Formula: t = m + k\\, s + c

    Source: Niblack, An Introduction to Digital Image Processing (1986), page 115; skimage.filters.threshold_niblack.
    m and s are the mean and the standard deviation of the neighbourhood. Niblack wrote k = -0.2 for dark ink, which is
    0.2 for light ink; c = 0 is his rule.
    """
    return ink_above(images, niblack_level(images, size=size, k=k, offset=offset))


def sauvola_level(images: Images, *, size: int, k: float, spread: int) -> NDArray[np.float64]:
    """Sauvola's threshold of the negative, as a threshold for light ink: float64 (n, h, w)."""
    mean = local_mean(images, size)
    return mean + k * (255 - mean) * (1 - local_deviation(images, size, mean) / spread)


@step("Sauvola threshold", level=sauvola_level)
def sauvola(
    images: Images,
    *,
    size: Size = 31,
    k: Annotated[
        float,
        Field(
            ge=0.05,
            le=0.5,
            title="Weight k",
            description="How far above the local mean the level lies on even paper; more keeps noise out.",
            json_schema_extra={"step": 0.05},
        ),
    ] = 0.2,
    spread: Annotated[
        int,
        Field(
            ge=16,
            le=128,
            title="Range R",
            description="The standard deviation of a neighbourhood that holds ink and paper; lower it for pale ink.",
            json_schema_extra={"step": 4},
        ),
    ] = 128,
) -> Images:
    """Raises the level well above the local average where the paper is even, and lowers it to the average where ink
    makes the grey values vary. It was made for old documents: stains and shadows stay paper, strokes stay ink.

    Formula: t = m + k\\, (255 - m) \\left( 1 - \\frac{s}{R} \\right)

    Source: Sauvola and Pietikäinen, Adaptive document image binarization (2000), doi:10.1016/S0031-3203(99)00055-2;
    skimage.filters.threshold_sauvola. m and s are the mean and the standard deviation of the neighbourhood. Their rule
    for dark ink, t = m (1 + k (s / R - 1)) with R = 128, is applied to the negative, because ink is light here.
    """
    return ink_above(images, sauvola_level(images, size=size, k=k, spread=spread))
