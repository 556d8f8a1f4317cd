"""A page becomes ink on nothing: light, grain and polarity are taken off it, then the ruling."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.reading.ink import FAINTEST, paper_surface
from hdr.reading.ruling import find_ruling, without_ruling
from hdr.types import Stage

MOST_PIXELS = 2_000_000
"""Pixels of a page that is worked on; a larger one is averaged down."""

LONGEST_SIDE = 4_000
"""Longest side of a page that is worked on, in pixels."""

_NEAR = 7
_FAINT = 0.3
# What is ink is measured against the strongest within a disc so many pixels wide, but never against less than this
# share of a full stroke: the paper has its spots, too.

_SMALL = 240
_FAR = 0.5
# Of a picture made small, the paper is the median over windows of this share of its shorter side: wider than strokes,
# narrower than shadows.


@dataclass(frozen=True)
class Sheet:
    """A page as it is worked on.

    Attributes:
        ink: uint8 (h, w), ink up to 255 on 0; all 0 where nothing stands out from the paper.
        matrix: float64 (2, 3), from a point x, y of `ink` to one of the picture that it was made from.
        turned: the degrees by which ruling was found to be turned; None where there is no ruling.
        stages: pictures on the way.
    """

    ink: NDArray[np.uint8]
    matrix: NDArray[np.float64]
    turned: float | None
    stages: tuple[Stage, ...]


def to_sheet(grey: NDArray[np.uint8]) -> Sheet:
    """Separate what is written from what it is written on.

    Light may vary, slowly or as a shadow does; ink may be dark on light or light on dark. Ruling that crosses the page
    is taken off, and strokes that it cut are closed.

    Args:
        grey: uint8 (h, w) of any size.
    """
    if grey.size == 0:
        return Sheet(np.zeros_like(grey), np.eye(2, 3), None, ())
    page = _bounded(grey)
    matrix = np.diag([grey.shape[1] / page.shape[1], grey.shape[0] / page.shape[0], 1.0])[:2]
    contrast, noise = _contrast(page)
    full = _full(contrast, noise)
    stages = (Stage("page", page), Stage("light and paper taken off", _as_ink(contrast, noise, full)))
    if full == 0:
        return Sheet(np.zeros_like(page), matrix, None, stages)
    ruling = find_ruling(contrast, noise, full)
    if ruling is None:
        return Sheet(_written(contrast, noise, full), matrix, None, stages)
    clean = without_ruling(contrast, ruling, noise, full)
    ink = _written(clean, noise, _full(clean, noise))
    # From the sheet to the page and from there to the picture.
    whole = np.vstack([matrix, [0, 0, 1]]) @ np.vstack([ruling.matrix, [0, 0, 1]])
    return Sheet(ink, whole[:2], ruling.angle, (*stages, Stage("ruling taken off", ink)))


def _bounded(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    h, w = grey.shape
    scale = min(1.0, (MOST_PIXELS / grey.size) ** 0.5, LONGEST_SIDE / max(h, w))
    if scale == 1:
        return np.ascontiguousarray(grey)
    return cv2.resize(grey, (max(1, round(w * scale)), max(1, round(h * scale))), interpolation=cv2.INTER_AREA)


def _contrast(page: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """How far each pixel differs from the paper towards ink, in grey levels on white paper, and the noise of it."""
    smooth = cv2.GaussianBlur(page, (0, 0), 0.8).astype(np.float32) if min(page.shape) > 60 else page.astype(np.float32)
    paper = _paper(page)
    difference = smooth - paper
    # Strokes are what differs most, and all of them to the same side: the third power sees hardly anything else.
    lean = np.einsum("ij,ij,ij->", difference, difference, difference, dtype=np.float64)
    if lean < 0:
        # Ink takes away a share of the light, so under a shadow it differs less.
        difference *= -200 / np.maximum(paper, 60)
    sample = difference.ravel()[:: max(1, difference.size // 200_000)]
    quarter, middle = (float(v) for v in np.percentile(sample, (25, 50)))
    return difference - middle, max(1.0, 1.4826 * (middle - quarter))


def _paper(page: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The level of the paper: a median that is wider than strokes, then an average of what it takes for paper."""
    h, w = page.shape
    scale = min(1.0, _SMALL / max(h, w))
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    # What varies slowly is taken off first: a median would level it out at the page's edges.
    surface = cv2.resize(paper_surface(page), size, interpolation=cv2.INTER_LINEAR)
    small = cv2.resize(page, size, interpolation=cv2.INTER_AREA).astype(np.float32) - surface
    window = max(5, int(_FAR * min(small.shape))) | 1
    margin = window // 2
    # The median repeats the edge's pixels; mirrored ones keep a slope in the light.
    wide = np.clip(cv2.copyMakeBorder(small, *(margin,) * 4, cv2.BORDER_REFLECT) + 128, 0, 255).astype(np.uint8)
    middle = cv2.medianBlur(wide, window)[margin:-margin, margin:-margin].astype(np.float32) - 128
    for _ in range(3):
        difference = small - middle
        spread = 1.4826 * float(np.median(np.abs(difference)))
        paper = (np.abs(difference) <= 2.5 * spread + 2).astype(np.float32)
        # Where ink is thick there is little paper near, and what there is is farther away.
        sums, shares = (_blurred(v, window / 8) + 0.02 * _blurred(v, window / 2) for v in (small * paper, paper))
        middle = np.where(shares > 1e-4, sums / np.maximum(shares, 1e-4), middle)
    return cv2.resize(middle + surface, (w, h), interpolation=cv2.INTER_LINEAR)


def _blurred(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def _full(contrast: NDArray[np.float32], noise: float) -> float:
    """The contrast of a full stroke; 0 where nothing stands out."""
    standing = contrast[contrast > 5 * noise]
    if standing.size < 3:
        return 0.0
    full = float(np.percentile(standing, 85))
    return full if full >= max(FAINTEST, 6 * noise) else 0.0


def _as_ink(contrast: NDArray[np.float32], noise: float, full: float) -> NDArray[np.uint8]:
    """How much of a stroke each pixel is, measured against the strongest ink near it: a fine or fading stroke differs
    from the paper half as much as the rest of the page, and yet is a whole one."""
    full = full or 255.0
    low = max(2.5 * noise, 0.22 * full)
    near = cv2.dilate(contrast, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_NEAR, _NEAR)))
    least = max(low + 1.0, _FAINT * full, 5 * noise)
    high = np.minimum(np.maximum(0.75 * near, least), max(low + 1.0, 0.75 * full))
    return np.clip((contrast - low) * (255 / (high - low)), 0, 255).astype(np.uint8)


def _written(contrast: NDArray[np.float32], noise: float, full: float) -> NDArray[np.uint8]:
    """Ink, without what is faint all over: a stroke may fade, but somewhere it is strong (hysteresis)."""
    if full == 0:
        return np.zeros(contrast.shape, np.uint8)
    ink = _as_ink(contrast, noise, full)
    count, labels = cv2.connectedComponents((ink > 40).astype(np.uint8), connectivity=8)
    strong = np.zeros(count, bool)
    strong[labels[contrast > max(5 * noise, 0.5 * full)]] = True
    strong[0] = False
    # The soft edge of a stroke is kept with it.
    kept = cv2.dilate(strong[labels].astype(np.uint8), np.ones((3, 3), np.uint8))
    return ink * kept
