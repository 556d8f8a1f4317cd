"""Moment invariants: numbers that stay when a digit is moved, enlarged or turned."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.catalogue import register
from hdr.features.batching import batched
from hdr.features.overlays import as_brightness, as_signed, points
from hdr.features.shape import centroid
from hdr.preprocessing.batch_ops import warp
from hdr.types import Drawing, Features, Images

SMALLEST = -12
"""Power of ten below which a moment counts as 0."""

TURN, SHRINK = 40, 0.7
"""What the drawing does to the digit: degrees, and the share of its size that is left."""

ORDERS = [(p, q) for p in range(4) for q in range(4 - p)]


def _columns(shape: tuple[int, int]) -> tuple[str, ...]:
    return tuple(f"Hu moment {i}" for i in range(1, 8))


def _draw(image: NDArray[np.uint8]) -> tuple[Drawing, ...]:
    h, w = image.shape
    x, y = (float(v) for v in centroid(image[None])[0])
    matrix = cv2.getRotationMatrix2D((x, y), TURN, 1 / SHRINK).astype(np.float64)
    turned = warp(image, matrix)
    down, across = np.mgrid[:h, :w]
    away = (across - x) ** 2 + (down - y) ** 2
    third = image * ((across - x) ** 3 - 3 * (across - x) * (down - y) ** 2)
    return (
        Drawing("The digit", image, marks=(points([(x, y)]),), note=_said(image)),
        Drawing(f"Turned by {TURN}°, smaller", turned, note=_said(turned)),
        Drawing("What moment 1 adds up", as_brightness(image * away), note="Ink counts by its squared distance."),
        Drawing(
            "A part of moment 3",
            as_signed(third, float(np.abs(third).max())),
            "signed",
            note="Ink counts for or against, by direction: what looks the same after half a turn adds up to nothing.",
        ),
    )


def _said(image: NDArray[np.uint8]) -> str:
    return "Moments 1 to 4: " + ", ".join(f"{v:.1f}" for v in hu_moments(image[None])[0, :4]) + "."


@register("feature", "Hu moments", family="Global", columns=_columns, draw=_draw)
def hu_moments(images: Images) -> Features:
    """Seven numbers that stay the same wherever the digit lies, whatever its size and however it is turned. For that
    very reason they take a 6 for a 9, so they help only beside other features.

    Takes uint8 (n, h, w), returns float32 (n, 7) on a logarithmic scale with its zero at 10 to the power of -12: below,
    a moment counts as none. Mirroring changes the sign of the last one. Grey values count from 0 to 1.

    Formula: \\operatorname{sgn}(h) \\max(0,\\, 12 + \\log_{10} |h|), \\quad h_1 = \\eta_{20} + \\eta_{02}, \\quad
    \\eta_{pq} = \\frac{\\mu_{pq}}{\\mu_{00}^{1 + (p + q) / 2}}

    Source: Hu, Visual pattern recognition by moment invariants (1962), doi:10.1109/TIT.1962.1057692; cv2.HuMoments,
    skimage.measure.moments_hu.
    """
    return batched(images, 7, _hu)


def _hu(images: Images) -> NDArray[np.float64]:
    h = _invariants(_normalised_moments(images))
    with np.errstate(divide="ignore"):
        found: NDArray[np.float64] = np.sign(h) * np.maximum(0, np.log10(np.abs(h)) - SMALLEST)
    return found


def _normalised_moments(images: Images) -> dict[tuple[int, int], NDArray[np.float64]]:
    # eta_pq of order 2 and 3 by (power of x, power of y); 0 where there is no ink.
    _, h, w = images.shape
    powers_x, powers_y = (np.arange(side, dtype=np.float64)[:, None] ** np.arange(4) for side in (w, h))
    # Whole numbers below 2**53: exact in any order, so that a batch gives what one image gives.
    raw = np.einsum("nxp,xq->npq", np.swapaxes(images.astype(np.float64), 1, 2) @ powers_y, powers_x)
    m = {(p, q): raw[:, q, p] for p, q in ORDERS}
    mass = m[0, 0]
    safe = np.where(mass > 0, mass, 1)
    cx, cy = m[1, 0] / safe, m[0, 1] / safe
    mu = {
        (2, 0): m[2, 0] - cx * m[1, 0],
        (1, 1): m[1, 1] - cx * m[0, 1],
        (0, 2): m[0, 2] - cy * m[0, 1],
        (3, 0): m[3, 0] - 3 * cx * m[2, 0] + 2 * cx**2 * m[1, 0],
        (2, 1): m[2, 1] - 2 * cx * m[1, 1] - cy * m[2, 0] + 2 * cx**2 * m[0, 1],
        (1, 2): m[1, 2] - 2 * cy * m[1, 1] - cx * m[0, 2] + 2 * cy**2 * m[1, 0],
        (0, 3): m[0, 3] - 3 * cy * m[0, 2] + 2 * cy**2 * m[0, 1],
    }
    return {(p, q): value / 255 / (safe / 255) ** (1 + (p + q) / 2) for (p, q), value in mu.items()}


def _invariants(eta: dict[tuple[int, int], NDArray[np.float64]]) -> NDArray[np.float64]:
    difference = eta[2, 0] - eta[0, 2]
    p, q = eta[3, 0] - 3 * eta[1, 2], 3 * eta[2, 1] - eta[0, 3]
    a, b = eta[3, 0] + eta[1, 2], eta[2, 1] + eta[0, 3]
    of_a, of_b = a * (a**2 - 3 * b**2), b * (3 * a**2 - b**2)
    return np.stack(
        [
            eta[2, 0] + eta[0, 2],
            difference**2 + 4 * eta[1, 1] ** 2,
            p**2 + q**2,
            a**2 + b**2,
            p * of_a + q * of_b,
            difference * (a**2 - b**2) + 4 * eta[1, 1] * a * b,
            q * of_a - p * of_b,
        ],
        axis=1,
    )
