"""Normalisation: one digit, brought to one slant, one size and one place; and the plain moves that this takes.

Every step takes uint8 (n, h, w) with light ink on dark paper, and returns uint8 (n, h, w); what comes in from beyond
the edge is 0, dark paper. Steps that measure the ink take one digit each. Crop, pad and resize change the size.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.preprocessing.batch_ops import Ink, boxes, each, moments, move, warp
from hdr.types import SIDE, Images

step = partial(register, "step", family="Normalisation")

PIXELS = {"unit": "px"}


def ink_boxes(images: Images, ink: int) -> NDArray[np.int64]:
    """Boxes around what is above `ink` percent of the brightest pixel: int64 (n, 4), as `boxes` has them."""
    n, h, w = images.shape
    peak = images.reshape(n, h * w).max(axis=1, initial=0).astype(np.float64)
    return boxes(images > (peak * (ink / 100))[:, None, None])


@step("Rotate")
def rotate(
    images: Images,
    *,
    angle: Annotated[
        int,
        Field(
            ge=-180,
            le=180,
            title="Angle",
            description="How far the picture is turned, clockwise where positive.",
            json_schema_extra={"unit": "°"},
        ),
    ] = 15,
) -> Images:
    """Turns the whole picture about its middle by one angle. It sets a tilted page straight, or shows how soon a model
    that never saw tilted digits loses them.

    Formula: \\begin{pmatrix} x' \\\\ y' \\end{pmatrix} =
    \\begin{pmatrix} \\cos\\theta & -\\sin\\theta \\\\ \\sin\\theta & \\cos\\theta \\end{pmatrix}
    \\begin{pmatrix} x \\\\ y \\end{pmatrix}, \\quad y \\text{ downwards}

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 2.6; cv2.warpAffine, bilinear.
    """
    _, h, w = images.shape
    # OpenCV turns counter-clockwise; taken as the way back from the result to the source, that is clockwise.
    matrix = cv2.getRotationMatrix2D(((w - 1) / 2, (h - 1) / 2), angle, 1.0)
    return each(images, lambda image: warp(image, matrix))


@step("Translate")
def translate(
    images: Images,
    *,
    dx: Annotated[
        int,
        Field(ge=-28, le=28, title="Right", description="How far to the right.", json_schema_extra=PIXELS),
    ] = 3,
    dy: Annotated[
        int,
        Field(ge=-28, le=28, title="Down", description="How far downwards.", json_schema_extra=PIXELS),
    ] = 0,
) -> Images:
    """Moves the whole picture sideways and up or down by whole pixels. Nothing is blurred, but what leaves the frame is
    lost.

    Formula: x' = x + d_x, \\quad y' = y + d_y

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 2.6.
    """
    n = len(images)
    return move(images, np.full(n, dx, np.int64), np.full(n, dy, np.int64))


@step("Scale")
def scale(
    images: Images,
    *,
    factor: Annotated[
        float,
        Field(
            ge=0.5,
            le=2.0,
            title="Factor",
            description="Above 1 enlarges, below 1 shrinks.",
            json_schema_extra={"step": 0.05, "unit": "×"},
        ),
    ] = 0.8,
) -> Images:
    """Enlarges or shrinks what is in the picture about its middle, while the picture keeps its size. Unlike scaling to
    a box it does not look at the digit, so big ones stay bigger than small ones.

    Formula: x' = s\\, x, \\quad y' = s\\, y

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 2.6; cv2.warpAffine, bilinear.
    """
    _, h, w = images.shape
    back = 1 / factor
    matrix = np.array([[back, 0.0, (1 - back) * (w - 1) / 2], [0.0, back, (1 - back) * (h - 1) / 2]])
    return each(images, lambda image: warp(image, matrix))


@step("Deskew", scope="digit")
def deskew(
    images: Images,
    *,
    limit: Annotated[
        float,
        Field(
            ge=0.1,
            le=2.0,
            title="Limit",
            description="Strongest slant that is taken back: pixels sideways for each pixel up.",
            json_schema_extra={"step": 0.1},
        ),
    ] = 1.0,
) -> Images:
    """Measures the slant of the ink and shears it upright. People lean their digits differently; afterwards a leaning 1
    and an upright 1 look alike.

    Formula: x' = x - \\frac{\\mu_{11}}{\\mu_{02}} (y - \\bar y)

    Source: LeCun et al., Gradient-based learning applied to document recognition (1998), section III; the moments are
    those of Hu (1962).
    """
    _, _, cy, mu11, mu02 = moments(images)
    slant = np.clip(np.where(mu02 > 1e-6, mu11 / np.maximum(mu02, 1e-6), 0.0), -limit, limit)
    out = np.empty_like(images, order="C")
    for i, (a, y) in enumerate(zip(slant.tolist(), cy.tolist(), strict=True)):
        out[i] = warp(images[i], np.array([[1.0, a, -a * y], [0.0, 1.0, 0.0]]))
    return out


@step("Rotation to the principal axis", scope="digit")
def principal_axis(
    images: Images,
    *,
    limit: Annotated[
        int,
        Field(
            ge=1,
            le=90,
            title="Limit",
            description="Largest turn; a digit that leans further is turned by this much.",
            json_schema_extra={"unit": "°"},
        ),
    ] = 20,
) -> Images:
    """Finds the line along which the ink is longest and turns the digit until that line is upright. Unlike deskewing it
    keeps every angle and curve of the digit, because it turns instead of shearing.

    Formula: \\theta = \\tfrac{1}{2}\\, \\mathrm{atan2}(2 \\mu_{11},\\; \\mu_{02} - \\mu_{20})

    Source: Hu, Visual pattern recognition by moment invariants (1962), doi:10.1109/TIT.1962.1057692. Theta is the angle
    between the axis and the vertical. An axis has no top, so that the shorter way, of at most 90 degrees, is taken;
    where all directions are equally long there is no axis, and nothing is turned.
    """
    _, cx, cy, mu11, mu02 = moments(images)
    _, _, _, _, mu20 = moments(images.swapaxes(1, 2))
    along, apart = 2 * mu11, mu02 - mu20
    lean = np.where(np.hypot(along, apart) > 1e-6, np.degrees(np.arctan2(along, apart)) / 2, 0.0)
    turns = np.clip(lean, -limit, limit)
    out = np.empty_like(images, order="C")
    for i, (x, y, turn) in enumerate(zip(cx.tolist(), cy.tolist(), turns.tolist(), strict=True)):
        out[i] = warp(images[i], cv2.getRotationMatrix2D((x, y), turn, 1.0))
    return out


@step("Scale to box", scope="digit")
def scale_to_box(
    images: Images,
    *,
    size: Annotated[
        int,
        Field(
            ge=8,
            le=28,
            title="Box",
            description="Longer side of the digit afterwards, in 28ths of the picture's side.",
            json_schema_extra={"unit": "px"},
        ),
    ] = 20,
    ink: Ink = 20,
) -> Images:
    """Finds the digit's bounding box and scales it to one size, keeping its proportions, in the middle of the picture.
    Big and small handwriting become comparable.

    Formula: s = \\frac{\\text{box}}{\\max(w, h)}

    Source: LeCun et al., Gradient-based learning applied to document recognition (1998), section III: digits fitted
    into a 20x20 box with their aspect ratio kept.
    """
    _, h, w = images.shape
    found = ink_boxes(images, ink)
    target = size / SIDE * min(h, w)
    out = np.zeros_like(images, order="C")
    for i, (x0, y0, x1, y1) in enumerate(found.tolist()):
        longer = max(x1 - x0, y1 - y0)
        if longer:
            back = longer / target
            left = (x0 + x1 - 1) / 2 - back * (w - 1) / 2
            top = (y0 + y1 - 1) / 2 - back * (h - 1) / 2
            # Shrunk to less than half, pixels would be skipped and thin strokes lost: they are spread out first, by as
            # much as skimage.transform.resize does.
            source = images[i]
            if back > 2:
                source = cv2.GaussianBlur(source, (0, 0), (back - 1) / 2, borderType=cv2.BORDER_CONSTANT)
            out[i] = warp(source, np.array([[back, 0.0, left], [0.0, back, top]]))
    return out


@step("Centre by mass", scope="digit")
def centre_by_mass(images: Images) -> Images:
    """Moves the digit so that its centre of mass lies in the middle. A model that compares pixels then compares the
    right ones: after a shift of three pixels, little else would match.

    Formula: \\bar x = \\frac{\\sum x\\, f(x, y)}{\\sum f(x, y)}

    Source: LeCun et al., Gradient-based learning applied to document recognition (1998), section III: centred by the
    centre of mass of the pixels, which in the published files is pixel 14 of 0 to 27. The shift is by whole pixels, so
    nothing is blurred.
    """
    _, h, w = images.shape
    _, cx, cy, _, _ = moments(images)
    dx = np.rint(w // 2 - cx).astype(np.int64)
    dy = np.rint(h // 2 - cy).astype(np.int64)
    return move(images, dx, dy)


@step("Centre by box", scope="digit")
def centre_by_box(images: Images, *, ink: Ink = 20) -> Images:
    """Moves the digit so that its bounding box lies in the middle. The margins become equal, but a long thin tail pulls
    as hard as a thick stroke, so most classes line up a little less well than by mass.

    Formula: d_x = \\left\\lfloor \\frac{w - x_0 - x_1}{2} \\right\\rfloor

    Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits (1998), which found some classifiers,
    such as nearest neighbours, better with it than with the centre of mass of LeCun et al., Gradient-based learning
    applied to document recognition (1998), section III. x_0 is the box's first column and x_1 the one behind its last;
    the shift is by whole pixels, so nothing is blurred.
    """
    _, h, w = images.shape
    x0, y0, x1, y1 = ink_boxes(images, ink).T
    inked = x1 > x0
    return move(images, np.where(inked, (w - x0 - x1) // 2, 0), np.where(inked, (h - y0 - y1) // 2, 0))


@step("Crop", resizes=True)
def crop(
    images: Images,
    *,
    margin: Annotated[
        int,
        Field(ge=0, le=14, title="Margin", description="How much is cut off each side.", json_schema_extra=PIXELS),
    ] = 4,
) -> Images:
    """Cuts the same margin off all four sides, so the picture becomes smaller. An empty frame costs time and tells a
    model nothing: MNIST's digits lie in the middle 20 by 20 of 28 by 28 pixels, give or take.

    Formula: g(x, y) = f(x + m,\\; y + m), \\quad w' = w - 2m

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 2.6. At least one pixel is always left.
    """
    _, h, w = images.shape
    y, x = min(margin, (h - 1) // 2), min(margin, (w - 1) // 2)
    return images[:, y : h - y, x : w - x].copy()


@step("Pad", resizes=True)
def pad(
    images: Images,
    *,
    margin: Annotated[
        int,
        Field(ge=0, le=14, title="Margin", description="How much is put on each side.", json_schema_extra=PIXELS),
    ] = 2,
) -> Images:
    """Puts the same margin of dark paper on all four sides, so the picture becomes larger. Filters and turns then have
    room: LeNet-5 read its digits in 32 by 32 pixels for that reason.

    Formula: g(x, y) = f(x - m,\\; y - m), \\quad w' = w + 2m

    Source: LeCun et al., Gradient-based learning applied to document recognition (1998), section II.
    """
    return np.pad(images, ((0, 0), (margin, margin), (margin, margin)))


@step("Resize", resizes=True)
def resize(
    images: Images,
    *,
    side: Annotated[
        int,
        Field(
            ge=8,
            le=56,
            title="Side",
            description="Width and height of the picture afterwards.",
            json_schema_extra=PIXELS,
        ),
    ] = 14,
) -> Images:
    """Gives the picture another number of pixels, the same across and down. Half the side means a quarter of the pixels
    to learn from: digits stay legible to surprisingly few.

    Formula: g(x', y') = \\text{mean of } f \\text{ over the pixel's area}, \\quad x' = x\\, \\tfrac{side}{w}

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 2.4; cv2.resize. Across and down by themselves:
    the mean over the area where that side shrinks, bilinear where it grows. A picture that is not square is stretched.
    """
    n, h, w = images.shape
    across = cv2.INTER_AREA if side < w else cv2.INTER_LINEAR
    down = cv2.INTER_AREA if side < h else cv2.INTER_LINEAR
    out = np.empty((n, side, side), np.uint8)
    for source, target in zip(images, out, strict=True):
        wide = cv2.resize(source.astype(np.float32), (side, h), interpolation=across)
        target[...] = np.rint(cv2.resize(wide, (side, side), interpolation=down))
    return out
