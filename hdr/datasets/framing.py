"""Pictures of digits from anywhere, brought to MNIST's frame: ink 255 on 0, 28x28, by the capture rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hdr.types import SIDE, Images

FULL = 255
LARGE, SMALL_SCALE = 160, 8
CHUNK = 256
BRIGHT = 127
"""A border brighter than this is paper, with dark ink on it."""


def borders(images: Images) -> NDArray[np.float64]:
    """The median grey value of each picture's outermost pixels.

    Args:
        images: uint8 (n, h, w).

    Returns:
        float64 (n,).
    """
    edges = [images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]]
    return np.median(np.concatenate(edges, axis=1), axis=1)


def framed(images: Images, paper: int | None = None) -> Images:
    """Pictures of one digit each in MNIST's frame, whatever their size and whether ink is dark or bright.

    What a picture's border has for a grey value is its paper. Small pictures are enlarged smoothly first, so that no
    edge of a pixel becomes the edge of a stroke.

    Args:
        images: uint8 (n, h, w).
        paper: the grey value of the paper, where it is known for all.

    Returns:
        uint8 (n, 28, 28), ink 255 on 0; blank where a picture is blank.
    """
    # Imported here, so that nobody who only asks where data is waits for OpenCV.
    from hdr.preprocessing import size_normalisation

    out = np.zeros((len(images), SIDE, SIDE), np.uint8)
    for start in range(0, len(images), CHUNK):
        out[start : start + CHUNK] = size_normalisation.from_pixels(_suited(_ink(images[start : start + CHUNK], paper)))
    return out


def _ink(images: Images, known: int | None) -> Images:
    paper = np.full((1, 1, 1), known) if known is not None else borders(images)[:, None, None]
    values = images.astype(np.float32)
    ink = np.where(
        paper > BRIGHT, (paper - values) / np.maximum(paper, 1), (values - paper) / np.maximum(FULL - paper, 1)
    )
    return np.rint(np.clip(ink, 0, 1) * FULL).astype(np.uint8)


def _suited(images: Images) -> Images:
    import cv2

    h, w = images.shape[1:]
    if max(h, w) > LARGE:
        scale = LARGE / max(h, w)
        size = (max(1, round(w * scale)), max(1, round(h * scale)))
        return np.stack([cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images])
    if max(h, w) >= SIDE:
        return images
    # Ink at the border is to fade out, too. Cubic interpolation overshoots at edges.
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1))).astype(np.float32)
    large = [cv2.resize(p, None, fx=SMALL_SCALE, fy=SMALL_SCALE, interpolation=cv2.INTER_CUBIC) for p in padded]
    return np.clip(np.rint(large), 0, FULL).astype(np.uint8)
