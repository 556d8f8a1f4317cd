"""Loops, end points, junctions and corners: on drawn shapes whose answer is known, and against scikit-image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import feature, measure
from skimage.morphology import skeletonize

from hdr.features.batching import ink_of, unstack
from hdr.features.corners import harris_corners, shi_tomasi_corners
from hdr.features.extract import drawings
from hdr.features.skeleton_points import GAP, end_points_and_junctions, skeletons
from hdr.features.topology import loops
from hdr.types import Images, Split, Step

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def drawn(*lines: tuple[tuple[int, int], ...], width: int = 1) -> Images:
    """Strokes through points x, y on 28x28."""
    image = np.zeros((28, 28), np.uint8)
    for points in lines:
        cv2.polylines(image, [np.array(points, np.int32)], False, 255, width)
    return image[None]


RING = tuple((round(14 + 8 * np.cos(t)), round(14 + 8 * np.sin(t))) for t in np.linspace(0, 2 * np.pi, 30))

SHAPES = {
    "nothing": ((), 0, 0),
    "dot": ((((9, 9), (9, 9)),), 1, 0),
    "line": ((((5, 5), (5, 22)),), 2, 0),
    "slanted line": ((((5, 5), (15, 22)),), 2, 0),
    "bend": ((((5, 5), (5, 22), (20, 22)),), 2, 0),
    "ring": ((RING,), 0, 0),
    "T": ((((4, 6), (24, 6)), ((14, 6), (14, 24))), 3, 1),
    "plus": ((((4, 14), (24, 14)), ((14, 4), (14, 24))), 4, 1),
    "X": ((((4, 4), (24, 24)), ((24, 4), (4, 24))), 4, 1),
    "X without a middle": ((((4, 4), (23, 23)), ((23, 4), (4, 23))), 4, 1),
    "Y": ((((14, 24), (14, 14), (6, 4)), ((14, 14), (22, 4))), 3, 1),
    "ring with a tail": ((RING, ((22, 14), (27, 14))), 1, 1),
    "ladder": ((((5, 2), (5, 25)), ((20, 2), (20, 25)), ((5, 8), (20, 8)), ((5, 19), (20, 19))), 4, 4),
}


@pytest.mark.parametrize("merge", [1, 2, 5, 7])
@pytest.mark.parametrize("name", SHAPES)
def test_ends_and_junctions_of_thin_shapes(name: str, merge: int) -> None:
    lines, ends, junctions = SHAPES[name]
    assert end_points_and_junctions(drawn(*lines), merge=merge).tolist() == [[ends, junctions]]


@pytest.mark.parametrize("name", ["line", "bend", "ring", "T", "plus", "X", "Y", "ladder"])
def test_ends_and_junctions_of_strokes_of_a_pen(name: str) -> None:
    lines, ends, junctions = SHAPES[name]
    assert end_points_and_junctions(drawn(*lines, width=3)).tolist() == [[ends, junctions]]


def test_zones_say_where_strokes_end() -> None:
    found = end_points_and_junctions(drawn(((3, 3), (24, 3))), zones=2)
    assert found.tolist() == [[1, 1, 0, 0, 0, 0, 0, 0]]
    assert end_points_and_junctions(drawn(((3, 3), (3, 24))), zones=4).reshape(2, 4, 4)[0].tolist() == [
        [1, 0, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [1, 0, 0, 0],
    ]


def test_many_digits_are_thinned_as_each_alone(digits: Split) -> None:
    images = np.concatenate([digits.images[:100], np.full((3, 28, 28), 255, np.uint8)])
    ink = ink_of(images, 50)
    expected = np.stack([skeletonize(mask) for mask in ink])
    np.testing.assert_array_equal(unstack(skeletons(ink), ink.shape, GAP), expected)


def test_marks_lie_on_the_skeleton(digits: Split) -> None:
    for image in digits.images[:50]:
        first, second = drawings(Step("end_points_and_junctions"), image)
        counts = end_points_and_junctions(image[None])[0]
        by_series = {mark.series: mark.points for mark in first.marks}
        assert [len(by_series.get(series, ())) for series in (0, 1)] == counts.tolist()
        for points in by_series.values():
            x, y = points.astype(int).T
            assert (second.image[y, x] == 255).all()


def test_loops_are_those_of_scikit_image(digits: Split) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (10, 28, 28), np.uint8)
    images = np.concatenate([digits.images[:200], noise])
    found = loops(images)
    for (holes, components, euler), mask in zip(found, ink_of(images, 50), strict=True):
        assert components == measure.label(mask, connectivity=2).max()
        assert euler == measure.euler_number(mask, connectivity=2) == components - holes


def test_each_hole_belongs_to_one_zone() -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    cv2.circle(image[0], (14, 8), 5, 255, 2)
    cv2.circle(image[0], (14, 19), 6, 255, 2)
    assert loops(image).tolist() == [[2, 1, -1]]
    assert loops(image, zones=3)[0, :9].reshape(3, 3).tolist() == [[0, 1, 0], [0, 0, 0], [0, 1, 0]]
    assert loops(drawn(((0, 14), (14, 0)))).tolist() == [[0, 1, 1]], "paper that reaches the edge is no hole"


@pytest.mark.parametrize("corners", [harris_corners, shi_tomasi_corners])
def test_a_square_has_four_corners_and_a_straight_edge_none(corners) -> None:
    image = np.zeros((2, 40, 40), np.uint8)
    image[0, 10:30, 10:30], image[1, :, 20:] = 255, 255
    found = corners(image, zones=2)
    assert found[0].tolist() == [1, 1, 1, 1]
    assert corners(image, zones=1)[0] == 4 and not corners(image[1:, 5:-5])[0].any()


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("harris_corners", lambda image: feature.corner_harris(image, k=0.04, sigma=1)),
        ("shi_tomasi_corners", lambda image: feature.corner_shi_tomasi(image, sigma=1)),
    ],
)
def test_corners_are_where_scikit_image_measures_them(name: str, theirs, digits: Split) -> None:
    # The windows differ, a square here and a bell there: what has to agree is where the measure is high.
    for image in digits.images[:30]:
        measured = theirs(image.astype(float))
        near = cv2.dilate(measured, np.ones((3, 3)))
        marks = [mark for mark in drawings(Step(name, {"zones": 1}), image)[0].marks if mark.kind == "points"]
        x, y = marks[0].points.astype(int).T
        assert (near[y, x] > 0.02 * measured.max()).mean() > 0.9
        apart = np.hypot(*(at[:, None] - at for at in (x, y)))[~np.eye(len(x), dtype=bool)]
        assert not len(apart) or apart.min() >= 4
