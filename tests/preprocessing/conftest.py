"""Pictures that steps are compared on: real digits, noise of an odd size, and smooth grey hills with noise on them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage

from hdr.types import Images, Split


def hills(rng: np.random.Generator) -> Images:
    smooth = ndimage.gaussian_filter(rng.normal(size=(20, 31, 40)), (0, 4, 4))
    smooth = (smooth - smooth.min()) / np.ptp(smooth) * 140 + 60
    return np.rint(smooth + rng.normal(0, 6, smooth.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module", params=["digits", "noise", "hills"])
def images(request: pytest.FixtureRequest, digits: Split) -> Images:
    rng = np.random.default_rng(7)
    if request.param == "digits":
        return digits.images[:60]
    return rng.integers(0, 256, (20, 23, 31), np.uint8) if request.param == "noise" else hills(rng)


def strewn(images: Images, shape: tuple[int, int]) -> Images:
    """Digits at half their size, each at a random place of a picture of that shape."""
    rng = np.random.default_rng(0)
    frame = np.zeros((len(images), *shape), np.uint8)
    for target, digit in zip(frame, images, strict=True):
        small = cv2.resize(digit[2:26, 2:26], (14, 14), interpolation=cv2.INTER_AREA)
        y, x = rng.integers(0, shape[0] - 13), rng.integers(0, shape[1] - 13)
        target[y : y + 14, x : x + 14] = small
    return frame
