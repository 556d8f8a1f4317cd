"""Edges and morphology against SciPy and scikit-image, and against edges and strokes whose answer is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from skimage import feature, measure
from skimage import morphology as sk

from hdr.preprocessing import edges, morphology
from hdr.types import Images, Split
from tests.support.tolerances import assert_close


def gradient(image: NDArray, weights: list[float]) -> tuple[NDArray, NDArray]:
    """Derivatives to the right and down, with these weights across."""
    values = image.astype(float)
    along = [ndimage.correlate1d(values, [-1, 0, 1], axis=axis, mode="nearest") for axis in (1, 0)]
    across = [ndimage.correlate1d(v, weights, axis=axis, mode="nearest") for v, axis in zip(along, (0, 1), strict=True)]
    return across[0], across[1]


@pytest.mark.parametrize(("step", "axis"), [(edges.sobel_x, 1), (edges.sobel_y, 0)])
def test_signed_sobel_is_that_of_scipy(images: Images, step, axis: int) -> None:
    expected = [128 + 127 * ndimage.sobel(i.astype(float), axis=axis, mode="nearest") / 1020 for i in images]
    assert_close(step(images), expected, 0.5 + 1e-4)


@pytest.mark.parametrize(
    ("step", "weights"),
    [(edges.sobel_magnitude, [1, 2, 1]), (edges.scharr, [3, 10, 3]), (edges.prewitt, [1, 1, 1])],
)
def test_magnitudes_are_those_of_scipy(images: Images, step, weights: list[float]) -> None:
    expected = [np.minimum(np.hypot(*gradient(i, weights)) / sum(weights), 255) for i in images]
    assert_close(step(images), expected, 0.5 + 1e-3)


def test_a_full_edge_is_white_and_its_sign_tells_the_side() -> None:
    edge = np.zeros((1, 8, 8), np.uint8)
    edge[:, :, 4:] = 255
    for step in (edges.sobel_magnitude, edges.scharr, edges.prewitt):
        assert (step(edge)[0, :, 3:5] == 255).all() and (step(edge)[0, :, :3] == 0).all()
    assert (edges.sobel_x(edge)[0, :, 3:5] == 255).all() and (edges.sobel_x(255 - edge)[0, :, 3:5] == 1).all()
    assert (edges.sobel_y(edge) == 128).all()
    down = edge.swapaxes(1, 2)
    assert (edges.sobel_y(down)[0, 3:5] == 255).all() and (edges.sobel_x(down) == 128).all()


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 135, 180, 200, 270, 315, 350])
def test_the_direction_of_a_slope_is_clockwise_from_the_right(degrees: int) -> None:
    y, x = np.mgrid[-20:21, -20:21]
    turn = np.deg2rad(degrees)
    slope = np.rint(127 + 5 * (x * np.cos(turn) + y * np.sin(turn))).clip(0, 255).astype(np.uint8)
    inner = edges.gradient_direction(slope[None], weakest=5)[0, 12:-12, 12:-12]
    assert inner.min() >= 1
    turns = (inner - 1.0) / 255 * 360
    assert np.abs((turns - degrees + 180) % 360 - 180).max() < 12
    mean = np.rad2deg(np.angle(np.exp(1j * np.deg2rad(turns)).mean()))
    assert abs((mean - degrees + 180) % 360 - 180) < 1.5


def test_directions_are_those_of_scipy_where_there_are_any(images: Images) -> None:
    out = edges.gradient_direction(images, weakest=20)
    for image, result in zip(images, out, strict=True):
        gx, gy = gradient(image, [1, 2, 1])
        steep = np.hypot(gx, gy) / 4 >= 20
        np.testing.assert_array_equal(result > 0, steep)
        expected = np.rad2deg(np.arctan2(gy, gx))
        off = ((result - 1.0) / 255 * 360 - expected + 180) % 360 - 180
        assert not steep.any() or np.abs(off[steep]).max() <= 360 / 255 / 2 + 1e-3


@pytest.mark.parametrize("neighbours", [4, 8])
def test_laplacian_is_that_of_scipy(images: Images, neighbours: int) -> None:
    kernel = ndimage.generate_binary_structure(2, neighbours // 4).astype(float)
    kernel[1, 1] = -neighbours
    expected = [
        128 + 127 * ndimage.correlate(i.astype(float), kernel, mode="nearest") / (255 * neighbours) for i in images
    ]
    assert_close(edges.laplacian(images, neighbours=neighbours), expected, 0.5 + 1e-4)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 1.7, 4.0])
def test_laplacian_of_gaussian_is_that_of_scipy(images: Images, sigma: float) -> None:
    # SciPy's kernel does not quite add up to nothing where it is cut off; ours does.
    radius = int(np.ceil(4 * sigma))
    delta = np.zeros((2 * radius + 1, 2 * radius + 1))
    delta[radius, radius] = 1
    kernel = ndimage.gaussian_laplace(delta, sigma, mode="constant", radius=radius)
    largest = 255 * kernel[kernel > 0].sum()
    expected = [
        128 + 127 / largest * ndimage.gaussian_laplace(i.astype(float), sigma, mode="nearest", radius=radius)
        for i in images
    ]
    tolerance = 0.5 + 1e-3 + 127 / largest * 255 * abs(kernel.sum()) + (4 if sigma < 1 else 0.1)
    assert_close(edges.laplacian_of_gaussian(images, sigma=sigma), expected, tolerance)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.5, 4.0])
def test_the_strongest_answer_of_the_laplacian_of_gaussian_is_255(sigma: float) -> None:
    radius = int(np.ceil(4 * sigma))
    delta = np.zeros((2 * radius + 1, 2 * radius + 1))
    delta[radius, radius] = 1
    positive = ndimage.gaussian_laplace(delta, sigma, mode="constant", radius=radius) > 0
    best = np.where(positive, 255, 0).astype(np.uint8)[None]
    for picture, strongest in ((best, 255), (255 - best, 1)):
        out = edges.laplacian_of_gaussian(picture, sigma=sigma)
        assert abs(int(out[0, radius, radius]) - strongest) <= 1


@pytest.mark.parametrize("sigma", [0.8, 1.5])
def test_canny_finds_the_edges_of_scikit_image(digits: Split, sigma: float) -> None:
    source = digits.images[:60]
    out = edges.canny(source, sigma=sigma, low=20, high=50) > 0
    near = np.ones((3, 3))
    for image, ours in zip(source, out, strict=True):
        theirs = feature.canny(image.astype(float), sigma, 20, 50, mode="nearest")
        assert (ours & ndimage.binary_dilation(theirs, near)).sum() >= 0.9 * ours.sum()
        assert (theirs & ndimage.binary_dilation(ours, near)).sum() >= 0.9 * theirs.sum()


def test_canny_takes_its_levels_in_either_order_and_follows_weak_edges_from_strong_ones(images: Images) -> None:
    np.testing.assert_array_equal(edges.canny(images, low=90, high=20), edges.canny(images, low=20, high=90))
    strong, both = (edges.canny(images, low=low, high=90) > 0 for low in (90, 20))
    assert (both | ~strong).all() and both.sum() >= strong.sum()
    alone = np.full((1, 20, 20), 100, np.uint8)
    alone[:, 10:] = 140
    assert not edges.canny(alone, low=20, high=90).any(), "a weak edge with no strong one"


ELEMENTS = {
    "square": lambda size: np.ones((size, size), bool),
    "cross": lambda size: (np.mgrid[-(size // 2) : size // 2 + 1, -(size // 2) : size // 2 + 1] == 0).any(axis=0),
    "disc": lambda size: cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)).astype(bool),
}
SAME = {
    morphology.erode: lambda i, e: ndimage.grey_erosion(i, footprint=e, mode="nearest"),
    morphology.dilate: lambda i, e: ndimage.grey_dilation(i, footprint=e, mode="nearest"),
    morphology.opening: lambda i, e: ndimage.grey_opening(i, footprint=e, mode="nearest"),
    morphology.closing: lambda i, e: ndimage.grey_closing(i, footprint=e, mode="nearest"),
    morphology.morphological_gradient: lambda i, e: ndimage.morphological_gradient(i, footprint=e, mode="nearest"),
}


@pytest.mark.parametrize("shape", ELEMENTS)
@pytest.mark.parametrize("size", [3, 5, 9])
@pytest.mark.parametrize("step", SAME, ids=lambda f: f.__name__)
def test_morphology_is_that_of_scipy(images: Images, step, size: int, shape: str) -> None:
    element = ELEMENTS[shape](size)
    expected = np.stack([SAME[step](i, element) for i in images])
    np.testing.assert_array_equal(step(images, size=size, shape=shape), expected)


@pytest.mark.parametrize("level", [0, 127, 200])
def test_a_skeleton_keeps_components_and_holes_and_is_thin(digits: Split, level: int) -> None:
    source = digits.images[:200]
    for image, out in zip(source, morphology.skeleton(source, level=level), strict=True):
        ink, thin = image > level, out == 255
        assert set(np.unique(out)) <= {0, 255} and (ink | ~thin).all()
        np.testing.assert_array_equal(thin, sk.skeletonize(ink))
        assert measure.label(ink, connectivity=2).max() == measure.label(thin, connectivity=2).max()
        holes = [measure.euler_number(picture, connectivity=2) for picture in (ink, thin)]
        assert holes[0] == holes[1]


def test_a_stroke_is_drawn_as_scipys_distance_says(digits: Split) -> None:
    source = digits.images[:60]
    for width in (1.0, 2.5, 8.0):
        expected = [
            255 * np.clip(width / 2 + 0.5 - ndimage.distance_transform_edt(thin == 0), 0, 1)
            for thin in morphology.skeleton(source)
        ]
        assert_close(morphology.stroke_width(source, width=width), expected, 0.5 + 1e-2)


@pytest.mark.parametrize("width", [2.0, 3.0, 4.5])
@pytest.mark.parametrize("thickness", [1, 3, 7])
def test_every_stroke_gets_the_same_width(width: float, thickness: int) -> None:
    bar = np.zeros((1, 40, 40), np.uint8)
    bar[0, 5:35, 18 : 18 + thickness] = 255
    rows = morphology.stroke_width(bar, width=width)[0, 15:25] / 255
    np.testing.assert_allclose(rows.sum(axis=1), width, atol=0.01)


def test_a_blank_picture_has_no_stroke() -> None:
    assert not morphology.stroke_width(np.zeros((2, 28, 28), np.uint8)).any()
