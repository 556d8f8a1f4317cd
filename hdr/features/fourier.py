"""The picture as a sum of waves."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.features.batching import batched
from hdr.features.overlays import as_angle, as_brightness, ellipse
from hdr.types import Drawing, Features, Images

FAINT = 1e-3
"""Size of a coefficient (in white pixels) below which its phase fades out: what has no size has no phase."""

Parts = Literal["magnitude", "magnitude and phase"]


def _frequencies(shape: tuple[int, int], radius: int) -> NDArray[np.int64]:
    # (count, 2) of waves down and across the picture within the radius, lowest first. The picture is real, so that each
    # frequency and its negative say the same, and only one of the two is kept.
    h, w = shape
    down, across = np.arange(-((h - 1) // 2), h // 2 + 1), np.arange(w // 2 + 1)
    v, u = (f.ravel() for f in np.meshgrid(down, across, indexing="ij"))
    own_mirror = (u == 0) | (2 * u == w)
    kept = (v**2 + u**2 <= radius**2) & ~(own_mirror & (v < 0))
    v, u = v[kept], u[kept]
    order = np.lexsort((v, u, v**2 + u**2))
    return np.stack([v[order], u[order]], axis=1)


def _columns(shape: tuple[int, int], radius: int, parts: Parts) -> tuple[str, ...]:
    names = [f"{u}, {v}" for v, u in _frequencies(shape, radius).tolist()]
    kinds = ("log magnitude", "cos phase", "sin phase") if parts == "magnitude and phase" else ("log magnitude",)
    return tuple(f"{kind} at {name}" for kind in kinds for name in names)


def _draw(image: NDArray[np.uint8], radius: int, parts: Parts) -> tuple[Drawing, ...]:
    h, w = image.shape
    spectrum = np.fft.fftshift(np.fft.fft2(image / 255))
    down, across = np.arange(h)[:, None] - h // 2, np.arange(w) - w // 2
    inside = down**2 + across**2 <= radius**2
    rebuilt = np.fft.ifft2(np.fft.ifftshift(np.where(inside, spectrum, 0))).real
    # A circle beyond the picture would only make it small.
    reach = (min(radius + 0.5, w * 0.75), min(radius + 0.5, h * 0.75))
    circle = (ellipse((w // 2, h // 2), reach, 0.0),)
    share = inside.sum() / inside.size
    error = float(np.sqrt(np.mean((rebuilt - image / 255) ** 2))) * 255
    return (
        Drawing(
            "Magnitude (logarithm)",
            as_brightness(np.log1p(np.abs(spectrum))),
            marks=circle,
            note="Slow waves are in the middle, fine detail is outside.",
        ),
        Drawing("Phase", as_angle(np.angle(spectrum)), "angle", circle, "Where each wave has its crests, as a colour."),
        Drawing(
            "Rebuilt from within the radius",
            np.rint(np.clip(rebuilt, 0, 1) * 255).astype(np.uint8),
            note=f"From {100 * share:.0f}% of the coefficients; pixels are off by {error:.0f} of 255 (RMS).",
        ),
    )


@register("feature", "Fourier transform", family="Transforms", columns=_columns, draw=_draw)
def fourier_transform(
    images: Images,
    *,
    radius: Annotated[
        int,
        Field(
            ge=1,
            le=20,
            title="Radius",
            description="Highest frequency that is kept.",
            json_schema_extra={"unit": "waves per picture"},
        ),
    ] = 6,
    parts: Annotated[
        Parts,
        Field(title="Parts", description="Only how strong each wave is, or also where it has its crests."),
    ] = "magnitude and phase",
) -> Features:
    """Takes the picture apart into waves and keeps the slow ones, which hold the digit's rough shape. Magnitudes alone
    do not change when the digit is moved around the picture, but the phases hold most of what the eye sees.

    Takes uint8 (n, h, w), returns float32 (n, d): for each frequency the logarithm of 1 plus the magnitude, with grey
    values from 0 to 1; then, where asked for, the cosines and the sines of all phases. A frequency is named by waves
    across and waves down; of two opposite ones, which say the same, one is kept.

    Formula: F(u, v) = \\sum_{x, y} f(x, y)\\, e^{-2 \\pi i (u x / w + v y / h)}

    Source: Gonzalez and Woods, Digital Image Processing (2018), sections 4.5 and 4.6; numpy.fft.fft2.
    """
    h, w = images.shape[1:]
    v, u = _frequencies((h, w), radius).T
    # Few frequencies are wanted: two products of matrices give just these.
    down = np.exp(-2j * np.pi / h * np.arange(v.min(), v.max() + 1)[:, None] * np.arange(h))
    across = np.exp(-2j * np.pi / w * np.arange(w)[:, None] * np.arange(u.max() + 1))
    row = v - v.min()

    def transform(part: Images) -> NDArray[np.float64]:
        values = part / 255
        found = (down @ (values @ across.real + 1j * (values @ across.imag)))[:, row, u]
        size = np.abs(found)
        strength: NDArray[np.float64] = np.log1p(size)
        if parts == "magnitude":
            return strength
        phase = found / (size + FAINT)
        # The mean, which comes first, has no crests: what fades with its size would only say the size once more.
        phase[:, 0] = size[:, 0] > 0
        return np.hstack([strength, phase.real, phase.imag])

    return batched(images, len(v) * (3 if parts == "magnitude and phase" else 1), transform)
