"""Noise reduction: filters that replace a pixel by something about its neighbourhood.

Every step takes uint8 (n, h, w) and returns uint8 (n, h, w). Pixels beyond the edge are taken to repeat the edge, but
for the two that say otherwise.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.preprocessing.batch_ops import each, filter_batch, filter_row
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
    return filter_row(images, size // 2, lambda p: cv2.medianBlur(p, size))


@step("Bilateral filter")
def bilateral(
    images: Images,
    *,
    sigma_space: Annotated[
        float,
        Field(
            ge=0.5,
            le=3.0,
            title="Sigma in space",
            description="How far away a neighbour may lie and still count.",
            json_schema_extra={"unit": "px", "step": 0.1},
        ),
    ] = 1.5,
    sigma_grey: Annotated[
        int,
        Field(
            ge=5,
            le=150,
            title="Sigma in grey values",
            description="How much a neighbour may differ in brightness and still count.",
            json_schema_extra={"step": 5},
        ),
    ] = 60,
) -> Images:
    """Averages over neighbours that are both near and alike in brightness. So paper becomes smooth while the border
    between ink and paper stays sharp.

    Formula: g(p) = \\frac{\\sum_q w\\, f(q)}{\\sum_q w}, \\quad
    w = e^{-|p - q|^2 / 2 \\sigma_s^2}\\, e^{-(f(p) - f(q))^2 / 2 \\sigma_g^2}

    Source: Tomasi and Manduchi, Bilateral filtering for gray and color images (1998), doi:10.1109/ICCV.1998.710815;
    cv2.bilateralFilter. Neighbours are sought within three sigma.
    """
    radius = int(np.ceil(3 * sigma_space))
    return filter_batch(
        images,
        radius,
        lambda p: cv2.bilateralFilter(p, 2 * radius + 1, sigma_grey, sigma_space, borderType=cv2.BORDER_REPLICATE),
    )


@step("Non-local means")
def non_local_means(
    images: Images,
    *,
    strength: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            title="Strength",
            description="How different two patches may be and still be averaged, in grey values.",
        ),
    ] = 20,
    patch: Annotated[
        Literal[3, 5, 7],
        Field(
            title="Patch",
            description="Width and height of the patches that are compared.",
            json_schema_extra={"unit": "px"},
        ),
    ] = 5,
    window: Annotated[
        Literal[7, 11, 15, 21],
        Field(
            title="Window",
            description="Width and height of the region in which similar patches are sought.",
            json_schema_extra={"unit": "px"},
        ),
    ] = 11,
) -> Images:
    """Averages each pixel with those whose surroundings look the same, even if they lie far apart. One piece of a
    stroke thus helps to clean another, and fine shapes survive better than under a plain average.

    Formula: g(p) = \\frac{\\sum_q w\\, f(q)}{\\sum_q w}, \\quad w = e^{-\\lVert P_p - P_q \\rVert^2 / (k^2 h^2)}

    Source: Buades, Coll and Morel, A non-local algorithm for image denoising (2005), doi:10.1109/CVPR.2005.38;
    cv2.fastNlMeansDenoising. P are patches of k by k pixels and h is the strength; beyond the edge the picture is
    mirrored.
    """
    return each(images, lambda image: cv2.fastNlMeansDenoising(image, None, strength, patch, window))


@step("Wavelet denoising")
def wavelet_denoising(
    images: Images,
    *,
    wavelet: Annotated[
        Literal["haar", "db2", "sym4", "coif1"],
        Field(title="Wavelet", description="Shape of the little waves; all of these are orthogonal."),
    ] = "db2",
    level: Annotated[
        int,
        Field(
            ge=1,
            le=5,
            title="Levels",
            description="How often the picture is halved; only as many levels as fit into it are used.",
        ),
    ] = 2,
    threshold: Annotated[
        Literal["soft", "hard"],
        Field(title="Threshold", description="Soft also shrinks what it keeps; hard keeps it as it is."),
    ] = "soft",
    rule: Annotated[
        Literal["BayesShrink", "VisuShrink"],
        Field(title="Rule", description="BayesShrink suits the threshold to each detail band; VisuShrink is stronger."),
    ] = "BayesShrink",
) -> Images:
    """Takes the picture apart into waves of several sizes and drops those too weak to be more than noise. Noise spreads
    thinly over all waves while a stroke makes a few strong ones, so the stroke remains.

    Formula: T_{Bayes} = \\frac{\\sigma^2}{\\sqrt{\\max(\\overline{d^2} - \\sigma^2, 0)}}, \\quad
    T_{Visu} = \\sigma \\sqrt{2 \\ln N}, \\quad \\sigma = \\frac{\\mathrm{median}\\,|d_1|}{0.6745}

    Source: Donoho and Johnstone, Ideal spatial adaptation by wavelet shrinkage (1994), doi:10.1093/biomet/81.3.425;
    Chang, Yu and Vetterli, Adaptive wavelet thresholding for image denoising and compression (2000),
    doi:10.1109/83.862633; pywt.wavedec2. The noise is measured in the finest diagonal details d_1, so that a clean
    picture is left as it is; so is one that is too small for the wavelet. Beyond the edge the picture is mirrored.
    """
    import pywt

    n, h, w = images.shape
    fitting = min(level, pywt.dwtn_max_level((h, w), wavelet))
    if n == 0 or fitting == 0:
        return images.copy()
    coarse, *details = pywt.wavedec2(images.astype(np.float64), wavelet, level=fitting, axes=(1, 2))
    noise = np.median(np.abs(details[-1][2]).reshape(n, -1), axis=1) / 0.6745

    def shrink(band: NDArray[np.float64]) -> NDArray[np.float64]:
        if rule == "BayesShrink":
            signal = np.square(band).reshape(n, -1).mean(axis=1) - noise**2
            limit = noise**2 / np.sqrt(np.maximum(signal, np.finfo(np.float64).eps))
        else:
            limit = noise * np.sqrt(2 * np.log(h * w))
        beyond = np.abs(band) - limit[:, None, None]
        return np.where(beyond > 0, np.sign(band) * beyond if threshold == "soft" else band, 0.0)

    kept = [tuple(map(shrink, bands)) for bands in details]
    out: NDArray[np.float64] = pywt.waverec2([coarse, *kept], wavelet, axes=(1, 2))[:, :h, :w]
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)
