"""Where the digit is, how large it is and how it stands: a few numbers for the whole picture."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hdr.catalogue import register
from hdr.features.batching import batched, ink_of
from hdr.features.overlays import box, ellipse, line, points
from hdr.preprocessing.batch_ops import Ink, boxes
from hdr.types import Drawing, Features, Images


def _box_columns(shape: tuple[int, int], ink: int) -> tuple[str, ...]:
    return "left (px)", "top (px)", "width (px)", "height (px)", "aspect ratio"


def _draw_box(image: NDArray[np.uint8], ink: int) -> tuple[Drawing, ...]:
    x, y, width, height, aspect = (float(v) for v in bounding_box(image[None], ink=ink)[0])
    if not width:
        return (Drawing("Bounding box", image, note="There is no ink to put a box around."),)
    mark = box(x, y, width, height, label=f"{width:.0f}×{height:.0f} px")
    return (Drawing("Bounding box", image, marks=(mark,), note=f"Width divided by height is {aspect:.2f}."),)


@register("feature", "Bounding box", family="Global", columns=_box_columns, draw=_draw_box)
def bounding_box(images: Images, *, ink: Ink = 20) -> Features:
    """Says where the smallest box around the digit lies, how large it is, and how wide for its height. A 1 is narrow
    and a 0 is wide, so the aspect ratio alone tells some digits apart.

    Takes uint8 (n, h, w), returns float32 (n, 5): pixels, and width divided by height; zeros where there is no ink.

    Formula: \\text{aspect ratio} = \\frac{w}{h}

    Source: Trier, Jain and Taxt, Feature extraction methods for character recognition (1996),
    doi:10.1016/0031-3203(95)00118-2; skimage.measure.regionprops, bbox.
    """

    def measure(part: Images) -> NDArray[np.float64]:
        x0, y0, x1, y1 = boxes(ink_of(part, ink)).T
        width, height = x1 - x0, y1 - y0
        return np.stack([x0, y0, width, height, width / np.maximum(height, 1)], axis=1)

    return batched(images, 5, measure)


def _amount_columns(shape: tuple[int, int], ink: int) -> tuple[str, ...]:
    return "ink area (%)", "mean grey value (%)", "strength of the ink (%)", "filling of the box (%)"


def _draw_amount(image: NDArray[np.uint8], ink: int) -> tuple[Drawing, ...]:
    area, mean, strength, filling = ink_amount(image[None], ink=ink)[0]
    mask = ink_of(image[None], ink)
    x0, y0, x1, y1 = (int(v) for v in boxes(mask)[0])
    around = (box(x0, y0, x1 - x0, y1 - y0),) if x1 else ()
    return (
        Drawing("Grey values", image, note=f"On average {mean:.1f}% of white, and {strength:.1f}% where there is ink."),
        Drawing(
            "Ink",
            mask[0].astype(np.uint8) * np.uint8(255),
            marks=around,
            note=f"It covers {area:.1f}% of the picture, and {filling:.1f}% of its box.",
        ),
    )


@register("feature", "Amount of ink", family="Global", columns=_amount_columns, draw=_draw_amount)
def ink_amount(images: Images, *, ink: Ink = 50) -> Features:
    """Measures how much of the picture and of the digit's box is ink, and how strong that ink is. An 8 takes more ink
    than a 1, but a broad pen takes more as well: normalise the strokes first.

    Takes uint8 (n, h, w), returns float32 (n, 4), each from 0 to 100.

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 12.4; skimage.measure.regionprops, area,
    intensity_mean and extent.
    """

    def measure(part: Images) -> NDArray[np.float64]:
        _, h, w = part.shape
        mask = ink_of(part, ink)
        area = mask.sum(axis=(1, 2))
        total = part.sum(axis=(1, 2), dtype=np.int64)
        inked = np.where(mask, part, 0).sum(axis=(1, 2), dtype=np.int64)
        x0, y0, x1, y1 = boxes(mask).T
        around = np.maximum((x1 - x0) * (y1 - y0), 1)
        shares = (area / (h * w), total / (255 * h * w), inked / (255 * np.maximum(area, 1)), area / around)
        return 100 * np.stack(shares, axis=1)

    return batched(images, 4, measure)


def _centroid_columns(shape: tuple[int, int]) -> tuple[str, ...]:
    return "centre x (px)", "centre y (px)"


def _draw_centroid(image: NDArray[np.uint8]) -> tuple[Drawing, ...]:
    h, w = image.shape
    x, y = (float(v) for v in centroid(image[None])[0])
    marks = (
        line([(x, -0.5), (x, h - 0.5)], strength=0.4),
        line([(-0.5, y), (w - 0.5, y)], strength=0.4),
        points([(x, y)], label=f"{x:.1f}, {y:.1f}"),
    )
    return (Drawing("Centroid", image, marks=marks, note="Cut out of card, the digit would balance on this point."),)


@register("feature", "Centroid", family="Global", columns=_centroid_columns, draw=_draw_centroid)
def centroid(images: Images) -> Features:
    """Finds the centre of mass of the ink, on which the digit would balance if it were cut out of card. It tells a 6,
    heavy at the bottom, from a 9, unless the digits have been centred by it.

    Takes uint8 (n, h, w), returns float32 (n, 2) of x and y in pixels; the middle of the picture where there is no ink.

    Formula: \\bar x = \\frac{\\sum x\\, f(x, y)}{\\sum f(x, y)}, \\quad \\bar y = \\frac{\\sum y\\, f(x, y)}{\\sum f(x,
    y)}

    Source: Hu, Visual pattern recognition by moment invariants (1962), doi:10.1109/TIT.1962.1057692; cv2.moments.
    """
    return batched(images, 2, lambda part: np.stack(_second_order(part)[1:3], axis=1))


def _orientation_columns(shape: tuple[int, int]) -> tuple[str, ...]:
    return "principal axis (°)", "slant (°)", "eccentricity", "long axis (px)", "short axis (px)"


def _draw_orientation(image: NDArray[np.uint8]) -> tuple[Drawing, ...]:
    h = image.shape[0]
    angle, slant, eccentricity, long, short = (float(v) for v in orientation(image[None])[0])
    x, y = (float(v) for v in centroid(image[None])[0])
    # From upright, to the right: in a picture, where y runs down, that is this way.
    turn = math.radians(angle - 90)
    along, aside = (np.array([math.cos(t), math.sin(t)]) for t in (turn, turn + math.pi / 2))
    middle = np.array([x, y])
    axes = (
        ellipse((x, y), (long / 2, short / 2), turn),
        line([middle - along * long / 2, middle + along * long / 2], label=f"{angle:.0f}°"),
        line([middle - aside * short / 2, middle + aside * short / 2], strength=0.6),
    )
    reach = min(y + 0.5, h - 0.5 - y)
    lean = reach * math.tan(math.radians(np.clip(slant, -60, 60)))
    slanted = (
        line([(x, y - reach), (x, y + reach)], strength=0.4),
        line([(x + lean, y - reach), (x - lean, y + reach)], series=1, label=f"{slant:.0f}°"),
    )
    return (
        Drawing(
            "Axes",
            image,
            marks=axes,
            note=f"The ellipse that spreads as the ink does, {long:.1f} by {short:.1f} px, eccentricity "
            f"{eccentricity:.2f}.",
        ),
        Drawing("Slant", image, marks=slanted, note="How far the ink leans from upright: what deskewing takes back."),
    )


@register("feature", "Orientation", family="Global", columns=_orientation_columns, draw=_draw_orientation)
def orientation(images: Images) -> Features:
    """Finds the ellipse that spreads as the ink does, and says which way its long axis points, how far the digit leans,
    and how stretched it is. A 1 is a line and a 0 almost a circle, and the lean says more about the writer than about
    the digit.

    Takes uint8 (n, h, w), returns float32 (n, 5): the long axis from -90 to 90 degrees and the slant, both 0 for
    upright and above it for leaning to the right; eccentricity from 0 (circle) to 1 (line); axes in pixels. Zeros where
    there is no ink.

    Formula: \\theta = \\tfrac{1}{2}\\, \\mathrm{atan2}(-2 \\mu_{11},\\; \\mu_{02} - \\mu_{20}), \\quad
    \\text{slant} = \\arctan \\frac{-\\mu_{11}}{\\mu_{02}}, \\quad e = \\sqrt{1 - \\lambda_2 / \\lambda_1}

    Source: Hu, Visual pattern recognition by moment invariants (1962), doi:10.1109/TIT.1962.1057692;
    skimage.measure.regionprops, orientation, eccentricity and axis_major_length.
    """
    return batched(images, 5, _orientation)


def _orientation(images: Images) -> NDArray[np.float64]:
    _, _, _, mu20, mu11, mu02 = _second_order(images)
    spread = np.hypot(2 * mu11, mu20 - mu02)
    large, small = (mu20 + mu02 + spread) / 2, np.maximum((mu20 + mu02 - spread) / 2, 0)
    angle = np.degrees(np.arctan2(-2 * mu11, mu02 - mu20)) / 2
    # With ink in one row only there is no up and down that it could lean along.
    slant = np.degrees(np.arctan2(-mu11, np.where(mu02 > 1e-6, mu02, np.inf)))
    eccentricity = np.sqrt(1 - small / np.where(large > 0, large, np.inf)) * (large > 0)
    # Adding 0 makes 0 of -0.
    return np.stack([angle, slant, eccentricity, 4 * np.sqrt(large), 4 * np.sqrt(small)], axis=1) + 0.0


def _second_order(images: Images) -> tuple[NDArray[np.float64], ...]:
    # Mass, centroid, mu20, mu11, mu02 (squared pixels, divided by the mass). Up to the divisions all are whole numbers
    # below 2**53 for pictures up to 64x64, so that what is 0 comes out as 0, and a circle has no axis by rounding.
    _, h, w = images.shape
    pixels = images.astype(np.float64)
    x, y = np.arange(w, dtype=np.float64), np.arange(h, dtype=np.float64)
    rows, columns = pixels.sum(axis=2), pixels.sum(axis=1)
    mass, m10, m01 = rows.sum(axis=1), columns @ x, rows @ y
    m20, m11, m02 = columns @ (x * x), (pixels @ x) @ y, rows @ (y * y)
    safe = np.where(mass > 0, mass, 1)
    mu20, mu11, mu02 = ((mass * m - a * b) / safe**2 for m, a, b in ((m20, m10, m10), (m11, m10, m01), (m02, m01, m01)))
    middle_x, middle_y = (np.where(mass > 0, m / safe, (side - 1) / 2) for m, side in ((m10, w), (m01, h)))
    return mass, middle_x, middle_y, mu20, mu11, mu02
