"""The outline of a digit as a sum of circles."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.features.batching import ink_of
from hdr.features.overlays import area, outlines, points
from hdr.preprocessing.batch_ops import Ink
from hdr.types import Drawing, Features, Images

POINTS = 128
"""Points along the outline, at equal distances."""


def _orders(count: int) -> NDArray[np.int64]:
    # Those that say something: order 0 is the place, and order 1 the size by which all are divided.
    return np.array([k for k in range(-count, count + 1) if k not in (0, 1)])


def _columns(shape: tuple[int, int], count: int, ink: int) -> tuple[str, ...]:
    return tuple(f"descriptor {k:+d}" for k in _orders(count).tolist())


def _draw(image: NDArray[np.uint8], count: int, ink: int) -> tuple[Drawing, ...]:
    outline = _outline(ink_of(image[None], ink)[0])
    if outline is None:
        return (Drawing("Outline", image, note="There is no ink that could have an outline."),)
    found = np.fft.fft(outline)
    order = np.fft.fftfreq(POINTS, 1 / POINTS)
    rebuilt, ellipse = (np.fft.ifft(np.where(np.abs(order) <= most, found, 0)) for most in (count, 1))
    off = float(np.abs(rebuilt - outline).mean())
    return (
        Drawing(
            "Outline",
            image,
            marks=(area(_xy(outline)), points(_xy(outline[:1]), 1)),
            note=f"{POINTS} points at equal distances, from the dot on.",
        ),
        Drawing(
            f"Rebuilt from orders up to {count}",
            image,
            marks=(area(_xy(rebuilt), 1),),
            note=f"On average {off:.2f} px from the outline.",
        ),
        Drawing("Orders −1, 0 and 1 alone", image, marks=(area(_xy(ellipse), 1),), note="Always an ellipse."),
    )


@register("feature", "Fourier descriptors", family="Transforms", columns=_columns, draw=_draw)
def fourier_descriptors(
    images: Images,
    *,
    count: Annotated[
        int,
        Field(
            ge=2,
            le=32,
            title="Orders",
            description="The highest order that is kept: how fine the detail of the outline is.",
        ),
    ] = 10,
    ink: Ink = 50,
) -> Features:
    """Walks along the outer outline as points in the complex plane and takes that path apart into circles, large and
    slow ones first. The sizes of a few circles describe the shape wherever it lies, however large and however it is
    turned, which is why a 6 and a 9 come out alike.

    Takes uint8 (n, h, w), returns float32 (n, 2 * count - 1): sizes of the orders from -count to count without 0 (the
    place) and 1 (by which the others are divided, as it is the size). Turning the digit and starting elsewhere change
    phases only, and these are left out. The outline of the part with the largest outline counts; zeros where there is
    none, or only one pixel.

    Formula: Z_k = \\frac{1}{N} \\sum_{n=0}^{N-1} (x_n + i y_n)\\, e^{-2 \\pi i k n / N}, \\quad d_k =
    \\frac{|Z_k|}{|Z_1|}

    Source: Granlund, Fourier preprocessing for hand print character recognition (1972), doi:10.1109/TC.1972.5008926;
    Gonzalez and Woods, Digital Image Processing (2018), section 12.3; cv2.findContours.
    """
    found = [_outline(mask) for mask in ink_of(images, ink)] if len(images) else []
    paths = np.stack([np.zeros(POINTS, complex) if path is None else path for path in [*found, None]])[:-1]
    sizes = np.abs(np.fft.fft(paths, axis=1)) / POINTS
    size = sizes[:, 1:2]
    # Order 1 is large for whatever goes around something; only a single pixel has none.
    return (sizes[:, _orders(count)] / np.where(size > 1e-6, size, np.inf)).astype(np.float32)


def _outline(mask: NDArray[np.bool_]) -> NDArray[np.complex128] | None:
    # POINTS points along the longest outer outline of bool (h, w), as x + iy, clockwise as one sees it.
    paths = [path @ (1, 1j) for path in outlines(mask)]
    if not paths:
        return None
    closed = [np.append(path, path[0]) for path in paths]
    walked = [np.append(0, np.abs(np.diff(path)).cumsum()) for path in closed]
    longest = max(range(len(paths)), key=lambda i: walked[i][-1])
    # OpenCV walks the other way round, down along the left side first.
    path, way = closed[longest][::-1], walked[longest]
    way = way[-1] - way[::-1]
    points: NDArray[np.complex128] = np.interp(np.linspace(0, way[-1], POINTS, endpoint=False), way, path)
    return points


def _xy(path: NDArray[np.complex128]) -> NDArray[np.float64]:
    return np.stack([path.real, path.imag], axis=1)
