"""Pictures of digits from anywhere, brought to MNIST's frame: ink 255 on 0, 28x28, by the capture rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hdr.types import SIDE, Images

FULL = 255
MAX_INPUT_SIDE, ENLARGEMENT = 160, 8
CHUNK = 256
PAPER_THRESHOLD = 127
"""A border brighter than this is paper, with dark ink on it."""


def border_medians(images: Images) -> NDArray[np.float64]:
    """The median grey value of each picture's outermost pixels.

    Args:
        images: uint8 (n, h, w).

    Returns:
        float64 (n,).
    """
    edges = [images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]]
    return np.median(np.concatenate(edges, axis=1), axis=1)


def to_mnist_frame(images: Images, paper: int | None = None) -> Images:
    """Convert pictures of one digit each to MNIST's frame, from any size and with dark or bright ink.

    The paper is the grey value of a picture's border. Small pictures are enlarged smoothly first, so that no
    edge of a pixel becomes the edge of a stroke.

    Args:
        images: uint8 (n, h, w).
        paper: the grey value of the paper, where it is known for all.

    Returns:
        uint8 (n, 28, 28), ink 255 on 0; blank where a picture is blank.
    """
    # A local import, since OpenCV is slow to import and most callers do not need it.
    from hdr.preprocessing import size_normalisation

    out = np.zeros((len(images), SIDE, SIDE), np.uint8)
    for start in range(0, len(images), CHUNK):
        chunk = images[start : start + CHUNK]
        levels = border_medians(chunk) if paper is None else np.full(len(chunk), paper)
        # A photo is shrunk while it is bytes: as floating-point numbers it would take hundreds of megabytes.
        out[start : start + CHUNK] = size_normalisation.from_pixels(_enlarged(_ink(_shrunk(chunk), levels)))
    return out


def _ink(images: Images, levels: NDArray[np.float64]) -> Images:
    paper = levels[:, None, None]
    values = images.astype(np.float32)
    ink = np.where(
        paper > PAPER_THRESHOLD, (paper - values) / np.maximum(paper, 1), (values - paper) / np.maximum(FULL - paper, 1)
    )
    return np.rint(np.clip(ink, 0, 1) * FULL).astype(np.uint8)


def _shrunk(images: Images) -> Images:
    import cv2

    h, w = images.shape[1:]
    if max(h, w) <= MAX_INPUT_SIDE:
        return images
    scale = MAX_INPUT_SIDE / max(h, w)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    return np.stack([cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images])


def _enlarged(images: Images) -> Images:
    import cv2

    if max(images.shape[1:]) >= SIDE:
        return images
    # Ink at the border is to fade out, too. Cubic interpolation overshoots at edges.
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1))).astype(np.float32)
    large = [cv2.resize(p, None, fx=ENLARGEMENT, fy=ENLARGEMENT, interpolation=cv2.INTER_CUBIC) for p in padded]
    return np.clip(np.rint(large), 0, FULL).astype(np.uint8)
