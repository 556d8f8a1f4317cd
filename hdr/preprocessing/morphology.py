"""Morphology: the shape of the ink, and how thick it is.

Every step takes uint8 (n, h, w) with light ink on dark paper and returns uint8 (n, h, w). Beyond the edge there is
neither ink nor paper: only pixels of the picture count.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.preprocessing.batch_ops import each, filter_batch
from hdr.types import Images

step = partial(register, "step", family="Morphology")

SHAPES = {"square": cv2.MORPH_RECT, "disc": cv2.MORPH_ELLIPSE, "cross": cv2.MORPH_CROSS}

Size = Annotated[
    Literal[3, 5, 7, 9],
    Field(title="Size", description="Width and height of the structuring element.", json_schema_extra={"unit": "px"}),
]
Shape = Annotated[
    Literal["square", "disc", "cross"],
    Field(title="Shape", description="Which neighbours belong to the structuring element."),
]
InkLevel = Annotated[int, Field(ge=0, le=254, title="Ink from", description="Grey values above this one count as ink.")]


def smallest(images: Images, size: int, shape: str) -> Images:
    """The darkest grey value under the structuring element: uint8 (n, h, w)."""
    element = cv2.getStructuringElement(SHAPES[shape], (size, size))
    return filter_batch(images, size // 2, lambda p: cv2.erode(p, element))


def largest(images: Images, size: int, shape: str) -> Images:
    """The brightest grey value under the structuring element: uint8 (n, h, w)."""
    element = cv2.getStructuringElement(SHAPES[shape], (size, size))
    return filter_batch(images, size // 2, lambda p: cv2.dilate(p, element))


@step("Erosion")
def erode(images: Images, *, size: Size = 3, shape: Shape = "cross") -> Images:
    """Gives each pixel the darkest value around it, so that strokes lose a layer on every side. Specks and thin bridges
    between strokes vanish, and so do thin strokes.

    Formula: (f \\ominus B)(p) = \\min_{q \\in B} f(p + q)

    Source: Serra, Image Analysis and Mathematical Morphology (1982); cv2.erode.
    """
    return smallest(images, size, shape)


@step("Dilation")
def dilate(images: Images, *, size: Size = 3, shape: Shape = "cross") -> Images:
    """Gives each pixel the brightest value around it, so that strokes gain a layer on every side. Broken strokes join
    again, but small loops may fill up.

    Formula: (f \\oplus B)(p) = \\max_{q \\in B} f(p + q)

    Source: Serra, Image Analysis and Mathematical Morphology (1982); cv2.dilate.
    """
    return largest(images, size, shape)


@step("Opening")
def opening(images: Images, *, size: Size = 3, shape: Shape = "cross") -> Images:
    """Erodes and then dilates: what is too small to hold the structuring element is gone, the rest comes back nearly as
    it was. It takes specks off the paper and hairs off a stroke without making the stroke thinner.

    Formula: f \\circ B = (f \\ominus B) \\oplus B

    Source: Serra, Image Analysis and Mathematical Morphology (1982); cv2.morphologyEx with MORPH_OPEN.
    """
    return largest(smallest(images, size, shape), size, shape)


@step("Closing")
def closing(images: Images, *, size: Size = 3, shape: Shape = "cross") -> Images:
    """Dilates and then erodes: gaps too small to hold the structuring element are filled, the rest comes back nearly as
    it was. It mends strokes that a dry pen left broken, without making them thicker.

    Formula: f \\bullet B = (f \\oplus B) \\ominus B

    Source: Serra, Image Analysis and Mathematical Morphology (1982); cv2.morphologyEx with MORPH_CLOSE.
    """
    return smallest(largest(images, size, shape), size, shape)


@step("Morphological gradient")
def morphological_gradient(images: Images, *, size: Size = 3, shape: Shape = "cross") -> Images:
    """Takes the difference between the brightest and the darkest value around each pixel. Only the outlines of strokes
    remain, as wide as the structuring element makes them.

    Formula: g = (f \\oplus B) - (f \\ominus B)

    Source: Rivest, Soille and Beucher, Morphological gradients (1993), doi:10.1117/12.159642; cv2.morphologyEx with
    MORPH_GRADIENT.
    """
    return largest(images, size, shape) - smallest(images, size, shape)


@step("Speck removal")
def speck_removal(
    images: Images,
    *,
    size: Annotated[
        int,
        Field(
            ge=1,
            le=400,
            title="Smallest",
            description="Blots of fewer pixels than this become paper.",
            json_schema_extra={"unit": "px", "log": True},
        ),
    ] = 8,
    level: InkLevel = 127,
) -> Images:
    """Looks for blots of ink that hang together, and wipes out the small ones. One speck in a corner is enough to spoil
    the digit's box and its centre, so clean before you scale.

    Formula: g = f \\text{ on blots } B \\text{ with } |B| \\ge n \\text{, and off the ink; } 0 \\text{ on the others}

    Source: Vincent, Morphological area openings and closings for grey-scale images (1994),
    doi:10.1007/978-3-662-03039-4_13; cv2.connectedComponentsWithStats, with the eight neighbours of a pixel.
    """

    def clean(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        ink = np.ascontiguousarray(image > level).view(np.uint8)
        _, blots, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
        small = stats[:, cv2.CC_STAT_AREA] < size
        # The first of them is the paper.
        small[0] = False
        return np.where(small[blots], np.uint8(0), image)

    return each(images, clean)


@step("Skeleton")
def skeleton(images: Images, *, level: InkLevel = 127) -> Images:
    """Thins the ink from all sides until lines one pixel wide are left, which still hang together as before. The shape
    remains without the pen: ends, crossings and loops can be counted on it.

    Formula: S \\subseteq A, \\quad A = \\{p : f(p) > t\\}, \\quad \\text{with the components and holes of } A

    Source: Zhang and Suen, A fast parallel algorithm for thinning digital patterns (1984),
    doi:10.1145/357994.358023; skimage.morphology.skeletonize.
    """
    from skimage.morphology import skeletonize

    return each(images > level, skeletonize) * np.uint8(255)


@step("Stroke-width normalisation")
def stroke_width(
    images: Images,
    *,
    width: Annotated[
        float,
        Field(
            ge=1.0,
            le=8.0,
            title="Width",
            description="How wide every stroke is drawn.",
            json_schema_extra={"unit": "px", "step": 0.1},
        ),
    ] = 3.0,
    level: InkLevel = 127,
) -> Images:
    """Thins the ink to its skeleton and draws that again with one pen. Felt-tip and ballpoint then look alike, so a
    model need not learn every thickness.

    Formula: g = 255 \\cdot \\min\\left( \\max\\left( \\tfrac{w}{2} + \\tfrac{1}{2} - d, 0 \\right), 1 \\right)

    Source: Zhang and Suen, A fast parallel algorithm for thinning digital patterns (1984), for the skeleton;
    Felzenszwalb and Huttenlocher, Distance transforms of sampled functions (2012), doi:10.4086/toc.2012.v008a019, for
    the distance d to it; cv2.distanceTransform.
    """

    def draw(lines: NDArray[np.uint8]) -> NDArray[np.float32]:
        distance = cv2.distanceTransform(255 - lines, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        drawn: NDArray[np.float32] = np.rint(255 * np.clip(width / 2 + 0.5 - distance, 0, 1))
        return drawn

    return each(skeleton(images, level=level), draw)
