"""Histograms of oriented gradients, against scikit-image and against a sum over single pixels."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import feature

from hdr.features.extract import drawings
from hdr.features.hog import cell_histograms, hog
from hdr.types import HdrError, Images, Split, Step


@pytest.fixture(scope="module")
def batch(digits: Split) -> Images:
    noise = np.random.default_rng(0).integers(0, 256, (4, 28, 28), np.uint8)
    odd = np.zeros((3, 28, 28), np.uint8)
    odd[1], odd[2, 9, 14] = 255, 255
    return np.concatenate([digits.images[:12], noise, odd])


def hog_of_scikit_image(images: Images, cell: int, block: int, orientations: int) -> np.ndarray:
    # By 256 and not by 255: then 45 degrees stay 45 degrees, which is the border of two bins.
    return np.stack(
        [
            feature.hog(
                image / 256,
                orientations=orientations,
                pixels_per_cell=(cell, cell),
                cells_per_block=(block, block),
                block_norm="L2-Hys",
            )
            for image in images
        ]
    )


@pytest.mark.parametrize("orientations", range(2, 19))
def test_hog_is_that_of_scikit_image_for_any_number_of_directions(batch: Images, orientations: int) -> None:
    expected = hog_of_scikit_image(batch, 4, 3, orientations)
    np.testing.assert_allclose(hog(batch, orientations=orientations, soft=False), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("cell", "block"), [(2, 1), (2, 4), (3, 2), (4, 1), (5, 2), (7, 2), (7, 4), (9, 3), (14, 2)])
def test_hog_is_that_of_scikit_image_for_any_grid(batch: Images, cell: int, block: int) -> None:
    expected = hog_of_scikit_image(batch, cell, block, 9)
    np.testing.assert_allclose(hog(batch, cell=cell, block=block, soft=False), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("shape", [(27, 27), (29, 31), (12, 50), (40, 13), (64, 64)])
def test_hog_is_that_of_scikit_image_for_odd_sizes(shape: tuple[int, int]) -> None:
    images = np.random.default_rng(3).integers(0, 256, (4, *shape), np.uint8)
    for cell, block in ((4, 3), (3, 2), (5, 2)):
        expected = hog_of_scikit_image(images, cell, block, 8)
        np.testing.assert_allclose(
            hog(images, cell=cell, block=block, orientations=8, soft=False), expected, rtol=0, atol=1e-4
        )


def softly(image: np.ndarray, cell: int, orientations: int) -> np.ndarray:
    """Soft counts as Dalal and Triggs describe them, one pixel at a time."""
    values, (h, w) = image.astype(float) / 255, image.shape
    out = np.zeros((h // cell, w // cell, orientations))
    for y in range(h):
        for x in range(w):
            gy = values[y + 1, x] - values[y - 1, x] if 0 < y < h - 1 else 0.0
            gx = values[y, x + 1] - values[y, x - 1] if 0 < x < w - 1 else 0.0
            place = np.rad2deg(np.arctan2(gy, gx)) % 180 * orientations / 180
            for row in range(h // cell):
                for column in range(w // cell):
                    near = max(0, 1 - abs((y + 0.5) / cell - row - 0.5)) * max(
                        0, 1 - abs((x + 0.5) / cell - column - 0.5)
                    )
                    for k in range(orientations):
                        away = abs((place - k - 0.5 + orientations / 2) % orientations - orientations / 2)
                        out[row, column, k] += np.hypot(gx, gy) * near * max(0, 1 - away) / cell**2
    return out


@pytest.mark.parametrize(("cell", "orientations"), [(4, 9), (3, 4), (5, 7), (2, 3)])
def test_soft_counts_are_shared_with_neighbouring_cells_and_directions(cell: int, orientations: int) -> None:
    image = np.random.default_rng(4).integers(0, 256, (13, 11), np.uint8)
    found = cell_histograms(image[None], cell, orientations, soft=True)[0]
    np.testing.assert_allclose(found, softly(image, cell, orientations), rtol=0, atol=1e-5)


def test_hog_says_what_does_not_fit() -> None:
    images = np.zeros((1, 28, 28), np.uint8)
    assert hog(images, cell=7, block=4).shape == (1, 4 * 4 * 9)
    with pytest.raises(HdrError, match=r"3 cells of 14 px do not fit into 28x28 px.*at most 28"):
        hog(images, cell=14, block=3)
    with pytest.raises(HdrError, match="do not fit into 1x40 px"):
        hog(np.zeros((1, 40, 1), np.uint8))


def test_lines_run_along_the_stroke() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 13:16] = 255
    strongest = max(drawings(Step("hog"), image)[0].marks, key=lambda mark: mark.strength)
    (x0, y0), (x1, y1) = strongest.points
    assert strongest.kind == "line" and abs(x1 - x0) < 0.5 * abs(y1 - y0)
    assert strongest.strength == 1 and 8 <= (x0 + x1) / 2 <= 20
