"""Normalisation: one digit, brought to one slant, one size and one place.

Every step takes uint8 (n, h, w), one digit each with ink 255 on 0, and returns uint8 (n, h, w).
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

import cv2
import numpy as np
from pydantic import Field

from hdr.catalogue import register
from hdr.preprocessing.arrays import boxes, moments, move, warp
from hdr.types import SIDE, Images

step = partial(register, "step", family="Normalisation", scope="digit")


@step("Deskew")
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


@step("Scale to box")
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
    ink: Annotated[
        int,
        Field(
            ge=1,
            le=90,
            title="Ink from",
            description="Pixels brighter than this share of the brightest one count as the digit.",
            json_schema_extra={"unit": "%"},
        ),
    ] = 20,
) -> Images:
    """Finds the digit's bounding box and scales it to one size, keeping its proportions, in the middle of the picture.
    Big and small handwriting become comparable.

    Formula: s = \\frac{\\text{box}}{\\max(w, h)}

    Source: LeCun et al., Gradient-based learning applied to document recognition (1998), section III: digits fitted
    into a 20x20 box with their aspect ratio kept.
    """
    n, h, w = images.shape
    peak = images.reshape(n, h * w).max(axis=1, initial=0).astype(np.float64)
    found = boxes(images > (peak * (ink / 100))[:, None, None])
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


@step("Centre by mass")
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
