"""Edges: where the grey value changes fast.

Every step takes uint8 (n, h, w) and returns uint8 (n, h, w). Pixels beyond the edge are taken to repeat the edge.
"""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np

from hdr.catalogue import register
from hdr.preprocessing.arrays import filter_batch
from hdr.types import Images

step = partial(register, "step", family="Edges")


@step("Sobel magnitude")
def sobel_magnitude(images: Images) -> Images:
    """Measures how steeply the grey value changes, whatever the direction. Strokes turn into outlines: an edge from
    black to white gives full brightness, flat regions give none.

    Formula: g = \\tfrac{1}{4} \\sqrt{(S_x * f)^2 + (S_y * f)^2}, \\quad
    S_x = \\begin{pmatrix} -1 & 0 & 1 \\\\ -2 & 0 & 2 \\\\ -1 & 0 & 1 \\end{pmatrix}

    Source: Sobel and Feldman, An isotropic 3x3 image gradient operator (1968); cv2.Sobel. Values above 255, which only
    corners reach, are clipped.
    """

    def derivative(dx: int, dy: int) -> np.ndarray:
        found = filter_batch(
            images, 1, lambda p: cv2.Sobel(p, cv2.CV_16S, dx, dy, ksize=3, borderType=cv2.BORDER_REPLICATE)
        )
        return found.astype(np.float32)

    magnitude = np.sqrt(derivative(1, 0) ** 2 + derivative(0, 1) ** 2) / 4
    return np.minimum(np.rint(magnitude), 255).astype(np.uint8)
