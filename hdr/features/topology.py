"""Topology: what stays when a digit is bent and stretched, namely its parts and its holes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.catalogue import register
from hdr.features.batching import Places, Zones, batched, count_in_zones, ink_of, stack, zone_names
from hdr.features.overlays import area, grid, outlines
from hdr.preprocessing.batch_ops import Ink
from hdr.types import Drawing, Features, Images

GAP = 1
"""Paper around each digit, so that the paper outside is one piece."""


def _columns(shape: tuple[int, int], ink: int, zones: int) -> tuple[str, ...]:
    return (*(f"holes{zone}" for zone in zone_names(zones)), "components", "Euler number")


def _draw(image: NDArray[np.uint8], ink: int, zones: int) -> tuple[Drawing, ...]:
    mask = ink_of(image[None], ink)[0]
    _, paper = cv2.connectedComponents(np.pad(~mask, GAP, constant_values=True).astype(np.uint8), connectivity=4)
    count, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    paper = paper[GAP:-GAP, GAP:-GAP]
    holes = [outline for label in range(2, int(paper.max(initial=0)) + 1) for outline in outlines(paper == label)]
    pieces = [outline for label in range(1, count) for outline in outlines(parts == label)]
    ground = mask.astype(np.uint8) * np.uint8(255)
    return (
        Drawing(
            "Holes",
            ground,
            marks=(*grid(image.shape, zones), *(area(outline) for outline in holes)),
            note=f"Paper with ink all around it: {len(holes)}.",
        ),
        Drawing(
            "Components",
            ground,
            marks=tuple(area(outline, series) for series, outline in enumerate(pieces)),
            note=f"Ink that hangs together: {len(pieces)}; less the holes, that is an Euler number of "
            f"{len(pieces) - len(holes)}.",
        ),
    )


@register("feature", "Loops", family="Local", columns=_columns, draw=_draw)
def loops(images: Images, *, ink: Ink = 50, zones: Zones = 1) -> Features:
    """Counts holes and connected components: a 0 has one hole, an 8 has two, a 1 none, however they are bent. One stray
    pixel can open or close a hole, so clean the picture first.

    Takes uint8 (n, h, w), returns float32 (n, zones * zones + 2). Ink touches at sides and corners, paper at sides
    only; a hole belongs to the zone in which the middle of its box lies.

    Formula: E = C - H, \\quad C \\text{ components}, \\; H \\text{ holes}

    Source: Gonzalez and Woods, Digital Image Processing (2018), section 12.4; skimage.measure.euler_number,
    cv2.connectedComponents.
    """

    def count(part: Images) -> NDArray[np.float64]:
        n, h, w = part.shape
        mask = stack(ink_of(part, ink).astype(np.uint8), GAP)
        whole = (n, h, w)
        parts = count_in_zones(_middles(mask, 8, h), whole, 1)
        holes = count_in_zones(_middles(1 - mask, 4, h), whole, zones)
        return np.hstack([holes, parts, parts - holes.sum(axis=1, keepdims=True)])

    return batched(images, zones * zones + 2, count)


def _middles(picture: NDArray[np.uint8], connectivity: int, height: int) -> Places:
    # Number of the digit, y and x in it, of the middle of each component's box.
    _, labels, found, _ = cv2.connectedComponentsWithStats(picture, connectivity=connectivity)
    # Label 0 is what is not set; the paper in the corner hangs together with that around all digits, and is no hole.
    x, y, width, rows = np.delete(found, (0, labels[0, 0]), axis=0)[:, :4].T.astype(np.int64)
    number, top = np.divmod(y, height + 2 * GAP)
    return number, top - GAP + (rows - 1) / 2, x - GAP + (width - 1) / 2
