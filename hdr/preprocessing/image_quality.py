"""How much of a picture is left: two measures against a clean one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WINDOW = 7
"""Side of the neighbourhoods in which structures are compared, in pixels, as scikit-image has it by default."""


@dataclass(frozen=True)
class Quality:
    """What is left of a clean picture.

    Attributes:
        psnr: peak signal-to-noise ratio in dB, infinite where the two are equal.
        ssim: structural similarity, at most 1; None where the pictures are smaller than its window.
    """

    psnr: float
    ssim: float | None


def quality(clean: NDArray[np.uint8], image: NDArray[np.uint8]) -> Quality:
    """Compare a picture with the clean one.

    Source: PSNR is 10 log10(255^2 / mean squared error), skimage.metrics.peak_signal_noise_ratio; SSIM: Wang et
    al., Image quality assessment: from error visibility to structural similarity (2004),
    doi:10.1109/TIP.2003.819861; skimage.metrics.structural_similarity.

    Args:
        clean, image: uint8 (h, w) of one size.

    Raises:
        ValueError: the sizes differ.
    """
    if clean.shape != image.shape:
        raise ValueError(f"pictures of {clean.shape} and {image.shape} cannot be compared")
    error = float(((clean.astype(np.float64) - image) ** 2).mean())
    psnr = float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))
    if min(clean.shape) < WINDOW:
        return Quality(psnr, None)
    from skimage.metrics import structural_similarity

    return Quality(psnr, float(structural_similarity(clean, image, win_size=WINDOW, data_range=255)))
