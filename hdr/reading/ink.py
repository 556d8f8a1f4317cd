"""Separate ink from paper in a grey picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FAINTEST = 24
"""Least difference between ink and paper, in grey levels: fainter is taken for unevenness of the paper."""

SPECK = 0.03
"""Blots with less than this share of the largest blot's pixels are dirt."""

_SMALL = 64
_RING = 0.04
_PULL = 0.1
# Distance from the paper, as a share of all contrast, at which a pixel's say in the paper's level has fallen to half.


def to_ink(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Separate ink from paper: dark on light or light on dark, under light that varies smoothly.

    Paper is what dominates the border. Its level over the picture is a quadratic surface, fitted so that ink hardly
    counts (iteratively reweighted least squares with Cauchy's weights). What differs from it by more than the
    noise of the border is ink, stretched so that full strokes are 255; dirt is dropped.

    Args:
        grey: uint8 (h, w).

    Returns:
        uint8 (h, w), ink up to 255 on 0; all 0 where nothing stands out from the paper.
    """
    if grey.size == 0:
        return np.zeros_like(grey)
    if max(grey.shape) > 200:
        # Single grains and hot pixels. On a small picture this would eat thin strokes.
        grey = cv2.medianBlur(np.ascontiguousarray(grey), 3)
    paper = cv2.resize(paper_surface(grey), grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    difference = grey - paper
    # Strokes are what differs most, and all of them to the same side: the third power sees hardly anything else.
    lean = np.einsum("ij,ij,ij->", difference, difference, difference, dtype=np.float64)
    ink = difference if lean > 0 else -difference
    level, noise = _spread(ink[_ring(ink.shape)])
    low = level + 4 * noise
    standing = ink[ink > low]
    if standing.size == 0:
        return np.zeros_like(grey)
    full = float(np.percentile(standing, 95))
    if full - level < max(FAINTEST, 8 * noise):
        return np.zeros_like(grey)
    scaled = np.clip((ink - low) * (255 / (full - low)), 0, 255)
    return _without_specks(np.rint(scaled).astype(np.uint8))


def paper_surface(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The paper's level as a quadratic surface, small: float32 (h, w), its longer side at most 64 pixels."""
    h, w = grey.shape
    scale = min(1.0, _SMALL / max(h, w))
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float64)
    y, x = np.mgrid[-1 : 1 : small.shape[0] * 1j, -1 : 1 : small.shape[1] * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    ring, values = _ring(small.shape).ravel(), small.ravel()
    surface = np.full(values.shape, np.median(values[ring]))
    pull = max(2.0, _PULL * float(np.ptp(values)))
    for _ in range(10):
        weights = np.where(ring, 3.0, 1.0) / (1 + ((values - surface) / pull) ** 2)
        weighted = terms * weights[:, None]
        # A little damping keeps a picture of one row or column solvable.
        factors = np.linalg.solve(weighted.T @ terms + 1e-6 * np.eye(6), weighted.T @ values)
        surface = terms @ factors
    return surface.reshape(small.shape).astype(np.float32)


def _ring(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    width = max(1, round(_RING * min(shape)))
    ring = np.ones(shape, bool)
    ring[width : shape[0] - width, width : shape[1] - width] = False
    return ring


def _spread(values: NDArray[np.float32]) -> tuple[float, float]:
    quarter, middle = (float(v) for v in np.percentile(values, (25, 50)))
    # Ink on the border lies above the paper, so only what lies below tells the noise: in a normal distribution a
    # quarter lies more than 1 / 1.4826 standard deviations below the middle. Less than 1 grey level is rounding.
    return middle, max(1.0, 1.4826 * (middle - quarter))


def _without_specks(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats((ink > 51).astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if count <= 2:
        return ink
    dirt = np.concatenate([[False], areas < SPECK * areas.max()])
    return np.where(dirt[labels], 0, ink).astype(np.uint8)
