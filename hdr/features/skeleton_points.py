"""Where strokes end and where they meet."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hdr.catalogue import register
from hdr.features.batching import Places, Zones, batched, count_in_zones, ink_of, stack, zone_names
from hdr.features.overlays import counted, grid, points
from hdr.preprocessing.batch_ops import Ink
from hdr.types import Drawing, Features, Images

GAP = 8
"""Paper between digits in the tall picture: more than any distance over which junctions are merged."""

AROUND = ((0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0))
"""The eight neighbours of a pixel, in turn, as row and column from the first of them."""

AROUND_FOUR = ((0, 1), (0, 2), (0, 3), (1, 3), (2, 3), (3, 3), (3, 2), (3, 1), (3, 0), (2, 0), (1, 0), (0, 0))
"""The twelve neighbours of four pixels in a square, in turn."""


def _columns(shape: tuple[int, int], ink: int, merge: int, zones: int) -> tuple[str, ...]:
    names = zone_names(zones)
    return (*(f"end points{zone}" for zone in names), *(f"junctions{zone}" for zone in names))


def _draw(image: NDArray[np.uint8], ink: int, merge: int, zones: int) -> tuple[Drawing, ...]:
    h, w = image.shape
    skeleton = skeletons(ink_of(image[None], ink))
    (_, *ends), (_, *junctions) = _ends(skeleton, h), _junctions(skeleton, merge, h)
    marks = (
        *grid(image.shape, zones),
        *(points(np.stack(at[::-1], axis=1), series) for series, at in enumerate((ends, junctions)) if len(at[0])),
    )
    note = f"{counted(len(ends[0]), 'end point')} and {counted(len(junctions[0]), 'junction')}."
    thin = skeleton[GAP : GAP + h, GAP : GAP + w] * np.uint8(255)
    return (
        Drawing("End points and junctions", image, marks=marks, note=note),
        Drawing("Skeleton", thin, marks=marks, note="The strokes, one pixel thin, on which they are found."),
    )


@register("feature", "End points and junctions", family="Local", columns=_columns, draw=_draw)
def end_points_and_junctions(
    images: Images,
    *,
    ink: Ink = 50,
    merge: Annotated[
        int,
        Field(
            ge=1,
            le=7,
            title="Merge within",
            description="Junctions that are no further apart count as one: thick strokes that cross make two.",
            json_schema_extra={"unit": "px"},
        ),
    ] = 5,
    zones: Zones = 1,
) -> Features:
    """Thins the strokes to one pixel and counts where they end and where three or more meet. A 1 has two ends, a 0
    none, a 4 has ends and a crossing: nearly a description in words.

    Takes uint8 (n, h, w), returns float32 (n, 2 * zones * zones): end points, then junctions. A pixel of the skeleton
    is an end where its eight neighbours, walked around once, hold one run of ink, or none; it is a junction where they
    hold three runs or more, and so are four pixels in a square whose twelve neighbours do. Junction pixels up to
    `merge` px apart in rows and columns are one junction, at the pixel nearest to their mean, so that none is counted
    twice.

    Source: Rutovitz, Pattern recognition (1966), for the runs around a pixel; Zhang and Suen, A fast parallel algorithm
    for thinning digital patterns (1984), doi:10.1145/357994.358023; skimage.morphology.skeletonize.
    """

    def count(part: Images) -> NDArray[np.int64]:
        skeleton = skeletons(ink_of(part, ink))
        found = (_ends(skeleton, part.shape[1]), _junctions(skeleton, merge, part.shape[1]))
        return np.hstack([count_in_zones(places, part.shape, zones) for places in found])

    # Thinning has a cost for every call, whatever the size.
    return batched(images, 2 * zones * zones, count, pixels=1 << 20)


def skeletons(ink: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The skeletons of many digits in one tall picture: uint8 (n * (h + 16), w + 16) of 0 and 1 for bool (n, h, w).

    Thinning looks at a pixel's eight neighbours and goes on until nothing changes, so that digits with paper between
    them do not know of each other, and one call does the work of n.
    """
    from skimage.morphology import skeletonize

    thin: NDArray[np.bool_] = skeletonize(stack(ink, GAP))
    return thin.astype(np.uint8)


def _runs(skeleton: NDArray[np.uint8], around: tuple[tuple[int, int], ...]) -> NDArray[np.uint8]:
    # How often ink begins on a walk around each place: (rows, columns) less what the walk reaches over.
    h, w = skeleton.shape
    reach = max(max(place) for place in around)
    ring = [skeleton[y : h - reach + y, x : w - reach + x] for y, x in around]
    runs = np.zeros_like(ring[0])
    for before, here in zip([ring[-1], *ring[:-1]], ring, strict=True):
        runs += here & ~before & 1
    return runs


def _ends(skeleton: NDArray[np.uint8], height: int) -> Places:
    y, x = np.nonzero((_runs(skeleton, AROUND) <= 1) & (skeleton[1:-1, 1:-1] == 1))
    return _places(y + 1.0, x + 1.0, height)


def _junctions(skeleton: NDArray[np.uint8], merge: int, height: int) -> Places:
    meets = np.zeros_like(skeleton)
    meets[1:-1, 1:-1] = (_runs(skeleton, AROUND) >= 3) & (skeleton[1:-1, 1:-1] == 1)
    square = skeleton[:-1, :-1] & skeleton[1:, :-1] & skeleton[:-1, 1:] & skeleton[1:, 1:]
    # Crossing diagonals can leave a square of four pixels, none of which has three runs around it.
    y, x = np.nonzero((_runs(skeleton, AROUND_FOUR) >= 3) & (square[1:-1, 1:-1] == 1))
    for dy in (1, 2):
        for dx in (1, 2):
            meets[y + dy, x + dx] = 1
    # Squares of that side around two pixels touch if the pixels are no further apart.
    spread = cv2.dilate(meets, np.ones((merge, merge), np.uint8))
    _, labels = cv2.connectedComponents(spread, connectivity=8)
    y, x = np.nonzero(meets)
    which = labels[y, x]
    size = np.maximum(np.bincount(which), 1)
    off_y, off_x = ((at - (np.bincount(which, at) / size)[which]) ** 2 for at in (y, x))
    order = np.lexsort((off_y + off_x, which))
    nearest = order[np.flatnonzero(np.diff(which[order], prepend=0))]
    return _places(y[nearest].astype(np.float64), x[nearest].astype(np.float64), height)


def _places(y: NDArray[np.floating], x: NDArray[np.floating], height: int) -> Places:
    number = y.astype(np.int64) // (height + 2 * GAP)
    return number, y - number * (height + 2 * GAP) - GAP, x - GAP
