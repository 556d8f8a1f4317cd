"""Edges: where the grey value changes fast.

Every step takes uint8 (n, h, w) and returns uint8 (n, h, w). Pixels beyond the edge are taken to repeat the edge. What
has a sign is stored as 128 + 127 v / v_max, where v_max is the strongest answer the operator can give to any picture.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.preprocessing.batch_ops import each, filter_batch
from hdr.preprocessing.noise_reduction import gaussian
from hdr.types import Images

step = partial(register, "step", family="Edges")

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)
SCHARR = np.array([[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]], np.float32)
PREWITT = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]], np.float32)
LAPLACIANS = {
    4: np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], np.float32),
    8: np.array([[1, 1, 1], [1, -8, 1], [1, 1, 1]], np.float32),
}


def correlate(images: Images, kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weigh the neighbours of every pixel by a 3x3 kernel of whole numbers; exact: float32 (n, h, w)."""
    return filter_batch(
        images, 1, lambda p: cv2.filter2D(p, cv2.CV_16S, kernel, borderType=cv2.BORDER_REPLICATE)
    ).astype(np.float32)


def magnitude(images: Images, kernel: NDArray[np.float32]) -> Images:
    """Length of the gradient by a derivative's kernel, 255 for an edge from black to white: uint8 (n, h, w)."""
    steepest = kernel[:, 2].sum()
    squared = correlate(images, kernel) ** 2 + correlate(images, kernel.T) ** 2
    shown: NDArray[np.float32] = np.minimum(np.rint(np.sqrt(squared) / steepest), 255)
    return shown.astype(np.uint8)


def signed(values: NDArray[Any], largest: float) -> Images:
    """Store what has a sign: 1 for -largest, 128 for 0, 255 for +largest."""
    return np.rint(128 + values * (127 / largest)).clip(1, 255).astype(np.uint8)


@step("Sobel x", display="signed")
def sobel_x(images: Images) -> Images:
    """Measures how fast the grey value rises from left to right. The left side of a bright stroke answers with plus and
    its right side with minus, while level strokes leave no trace.

    Formula: g = S_x \\star f, \\quad S_x = \\begin{pmatrix} -1 & 0 & 1 \\\\ -2 & 0 & 2 \\\\ -1 & 0 & 1 \\end{pmatrix}

    Source: Sobel and Feldman, An isotropic 3x3 image gradient operator (1968); cv2.Sobel. The star lays the kernel over
    the picture as it is written, without turning it: correlation. Stored as 128 + 127 g / 1020, for 1020 = 4 times 255
    is the answer to an edge from black to white.
    """
    return signed(correlate(images, SOBEL), 4 * 255)


@step("Sobel y", display="signed")
def sobel_y(images: Images) -> Images:
    """Measures how fast the grey value rises from top to bottom. The upper side of a bright stroke answers with plus
    and its lower side with minus, while upright strokes leave no trace.

    Formula: g = S_y \\star f, \\quad S_y = \\begin{pmatrix} -1 & -2 & -1 \\\\ 0 & 0 & 0 \\\\ 1 & 2 & 1 \\end{pmatrix}

    Source: Sobel and Feldman, An isotropic 3x3 image gradient operator (1968); cv2.Sobel. The star lays the kernel over
    the picture as it is written, without turning it: correlation. Stored as 128 + 127 g / 1020, for 1020 = 4 times 255
    is the answer to an edge from black to white.
    """
    return signed(correlate(images, SOBEL.T), 4 * 255)


@step("Sobel magnitude")
def sobel_magnitude(images: Images) -> Images:
    """Measures how steeply the grey value changes, whatever the direction. Strokes turn into outlines: an edge from
    black to white gives full brightness, flat regions give none.

    Formula: g = \\tfrac{1}{4} \\sqrt{(S_x \\star f)^2 + (S_y \\star f)^2}, \\quad
    S_x = \\begin{pmatrix} -1 & 0 & 1 \\\\ -2 & 0 & 2 \\\\ -1 & 0 & 1 \\end{pmatrix}

    Source: Sobel and Feldman, An isotropic 3x3 image gradient operator (1968); cv2.Sobel. S_y is S_x with rows and
    columns exchanged. Values above 255, which corners and hard slanting edges reach, are clipped.
    """
    return magnitude(images, SOBEL)


@step("Gradient direction", display="angle")
def gradient_direction(
    images: Images,
    *,
    weakest: Annotated[
        int,
        Field(
            ge=1,
            le=255,
            title="Weakest",
            description="Where the Sobel magnitude is below this, there is no direction to speak of.",
        ),
    ] = 20,
) -> Images:
    """Shows in which direction the grey value rises fastest, as an angle. Each piece of an outline is labelled by the
    way it faces, which is what histograms of oriented gradients count.

    Formula: \\theta = \\mathrm{atan2}(S_y \\star f,\\; S_x \\star f)

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 10.2; Sobel and Feldman (1968). 0 degrees is to
    the right and 90 degrees is down. Stored as 1 to 255 for 0 to 360 degrees; 0 stands for no direction.
    """
    dx, dy = correlate(images, SOBEL), correlate(images, SOBEL.T)
    turn = np.arctan2(dy, dx) / (2 * np.pi) % 1
    angle = 1 + np.rint(turn * 255) % 255
    return np.where(dx**2 + dy**2 >= (4 * weakest) ** 2, angle, 0).astype(np.uint8)


@step("Scharr magnitude")
def scharr(images: Images) -> Images:
    """Measures steepness like Sobel, with weights chosen so that the direction of the gradient comes out as true as
    nine pixels allow. It matters where angles are measured; the brightness of a stroke hardly differs from Sobel's.

    Formula: g = \\tfrac{1}{16} \\sqrt{(H_x \\star f)^2 + (H_y \\star f)^2}, \\quad
    H_x = \\begin{pmatrix} -3 & 0 & 3 \\\\ -10 & 0 & 10 \\\\ -3 & 0 & 3 \\end{pmatrix}

    Source: Scharr, Optimale Operatoren in der digitalen Bildverarbeitung (2000), doi:10.11588/heidok.00000962;
    cv2.Scharr. H_y is H_x with rows and columns exchanged. Values above 255, which corners and hard slanting edges
    reach, are clipped.
    """
    return magnitude(images, SCHARR)


@step("Prewitt magnitude")
def prewitt(images: Images) -> Images:
    """Measures steepness with three equal weights on either side of the pixel. It is the simplest operator of its kind,
    and suits upright and level edges better than slanting ones.

    Formula: g = \\tfrac{1}{3} \\sqrt{(P_x \\star f)^2 + (P_y \\star f)^2}, \\quad
    P_x = \\begin{pmatrix} -1 & 0 & 1 \\\\ -1 & 0 & 1 \\\\ -1 & 0 & 1 \\end{pmatrix}

    Source: Prewitt, Object enhancement and extraction (1970); skimage.filters.prewitt. P_y is P_x with rows
    and columns exchanged. Values above 255, which corners and hard slanting edges reach, are clipped.
    """
    return magnitude(images, PREWITT)


@step("Laplacian", display="signed")
def laplacian(
    images: Images,
    *,
    neighbours: Annotated[
        Literal[4, 8],
        Field(title="Neighbours", description="Whether the four diagonal neighbours count as well."),
    ] = 4,
) -> Images:
    """Compares each pixel with its neighbours: plus where they are brighter, minus where they are darker. It answers to
    edges of every direction at once, and to noise even more.

    Formula: g = L * f, \\quad L_4 = \\begin{pmatrix} 0 & 1 & 0 \\\\ 1 & -4 & 1 \\\\ 0 & 1 & 0 \\end{pmatrix}, \\quad
    L_8 = \\begin{pmatrix} 1 & 1 & 1 \\\\ 1 & -8 & 1 \\\\ 1 & 1 & 1 \\end{pmatrix}

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 3.6; cv2.Laplacian. Stored as
    128 + 127 g / (255 k) for k neighbours.
    """
    return signed(correlate(images, LAPLACIANS[neighbours]), neighbours * 255)


@step("Laplacian of Gaussian", display="signed")
def laplacian_of_gaussian(
    images: Images,
    *,
    sigma: Annotated[
        float,
        Field(
            ge=0.5,
            le=4.0,
            title="Sigma",
            description="Width of the bell that smooths before; strokes about twice as wide answer most.",
            json_schema_extra={"unit": "px", "step": 0.1},
        ),
    ] = 1.0,
) -> Images:
    """Smooths with a bell and applies the Laplacian in one operation, so noise no longer drowns the edges. Bright
    strokes answer with minus inside and plus around, and edges run where the sign changes.

    Formula: g = \\nabla^2 G_\\sigma * f, \\quad
    \\nabla^2 G_\\sigma = \\frac{x^2 + y^2 - 2\\sigma^2}{2 \\pi \\sigma^6}\\, e^{-(x^2 + y^2) / 2 \\sigma^2}

    Source: Marr and Hildreth, Theory of edge detection (1980), doi:10.1098/rspb.1980.0020;
    scipy.ndimage.gaussian_laplace. Stored as 128 + 127 g / g_max, where g_max is the answer to white wherever the
    operator is positive.
    """
    radius = int(np.ceil(4 * sigma))
    x = np.arange(-radius, radius + 1, dtype=np.float64)
    bell = np.exp(-(x**2) / (2 * sigma**2))
    bell /= bell.sum()
    second = (x**2 / sigma**4 - 1 / sigma**2) * bell
    # Cut off and sampled, it no longer adds up to nothing by itself, and flat grey would answer.
    second -= second.sum() * bell
    whole = np.outer(bell, second) + np.outer(second, bell)

    def operator(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
        across, down = (
            cv2.sepFilter2D(picture, cv2.CV_64F, kx, ky, borderType=cv2.BORDER_REPLICATE)
            for kx, ky in [(second, bell), (bell, second)]
        )
        both: NDArray[np.float64] = across + down
        return both

    return signed(filter_batch(images, radius, operator), 255 * whole[whole > 0].sum())


@step("Canny")
def canny(
    images: Images,
    *,
    sigma: Annotated[
        float,
        Field(
            ge=0.3,
            le=4.0,
            title="Sigma",
            description="Width of the bell that smooths before edges are sought.",
            json_schema_extra={"unit": "px", "step": 0.1},
        ),
    ] = 0.8,
    low: Annotated[
        int, Field(ge=1, le=255, title="Low", description="An edge goes on where it is at least this steep.")
    ] = 30,
    high: Annotated[
        int, Field(ge=1, le=255, title="High", description="An edge begins where it is at least this steep.")
    ] = 80,
) -> Images:
    """Thins edges to lines one pixel wide, and follows weak ones only where they hang together with strong ones. The
    result is a clean outline drawing instead of blurred ridges.

    Formula: |\\nabla f| > t_{high} \\text{ begins an edge}, \\quad |\\nabla f| > t_{low} \\text{ continues it}

    Source: Canny, A computational approach to edge detection (1986), doi:10.1109/TPAMI.1986.4767851; cv2.Canny with
    L2gradient after a Gaussian filter. Both levels are in units of the Sobel magnitude, 255 for an edge from black to
    white; where low is above high, they change places.
    """
    weak, strong = sorted((low, high))
    smooth = gaussian(images, sigma=sigma)
    return each(smooth, lambda image: cv2.Canny(image, 4 * weak, 4 * strong, L2gradient=True))
