"""A picture with several digits: where they are found, in which order, and how they are cut out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from hdr.reading.cutting import MOST_DIGITS, SMALLEST_SHARE, cut, find_digits
from hdr.types import Split


def blots(*boxes: tuple[int, int, int, int], shape: tuple[int, int] = (200, 300)) -> NDArray[np.uint8]:
    """A dark picture with full boxes of x, y, width, height."""
    picture = np.zeros(shape, np.uint8)
    for x, y, w, h in boxes:
        picture[y : y + h, x : x + w] = 255
    return picture


def extent(image: NDArray[np.uint8], level: int = 127) -> tuple[int, int, int, int]:
    """First column and row of what is brighter than a level, and those behind the last."""
    rows, columns = np.nonzero(image > level)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


@pytest.fixture(scope="module")
def page(digits: Split) -> NDArray[np.uint8]:
    """Twelve real digits in three lines of four, three times as large, none of them in a straight row."""
    picture = np.zeros((360, 460), np.uint8)
    for i, digit in enumerate(digits.images[:12]):
        # Digits of several strokes would be several blots: here each hangs together.
        joined = cv2.morphologyEx(digit, cv2.MORPH_CLOSE, np.ones((5, 5)))
        large = cv2.resize(joined, (84, 84), interpolation=cv2.INTER_CUBIC)
        x, y = 15 + i % 4 * 110 + i * 3 % 7, 15 + i // 4 * 115 + i * 5 % 9
        picture[y : y + 84, x : x + 84] = np.maximum(picture[y : y + 84, x : x + 84], large)
    return picture


def test_boxes_are_those_of_the_parts_that_hang_together(page: NDArray[np.uint8]) -> None:
    level, _ = cv2.threshold(page, 0, 255, cv2.THRESH_OTSU)
    labels, _ = ndimage.label(page > level, np.ones((3, 3)))
    expected = {
        (s[1].start, s[0].start, s[1].stop - s[1].start, s[0].stop - s[0].start) for s in ndimage.find_objects(labels)
    }
    found = find_digits(page)
    assert len(found) == 12
    assert set(found) == expected


def test_they_come_line_by_line_from_left_to_right(page: NDArray[np.uint8]) -> None:
    found = find_digits(page)
    places = [((y + h / 2) // 120, (x + w / 2) // 112) for x, y, w, h in found]
    assert places == [(line, column) for line in range(3) for column in range(4)]


def test_a_line_may_rise_and_fall() -> None:
    boxes = [(10 + 40 * i, 60 + step, 20, 50) for i, step in enumerate((0, 18, 30, 18, 0, -20))]
    assert find_digits(blots(*boxes)) == boxes


def test_what_stands_below_another_is_of_the_next_line() -> None:
    first, second = (150, 10, 30, 60), (20, 100, 30, 60)
    assert find_digits(blots(second, first)) == [first, second]


@pytest.mark.parametrize("shape", [(0, 0), (0, 7), (1, 1), (1, 30), (30, 1), (40, 50)])
@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_blank_and_a_full_picture_hold_no_digit(shape: tuple[int, int], level: int) -> None:
    assert find_digits(np.full(shape, level, np.uint8)) == []


def test_a_frame_around_the_page_is_no_digit() -> None:
    picture = blots((100, 60, 30, 60))
    cv2.rectangle(picture, (0, 0), (299, 199), 255, 2)
    assert find_digits(picture) == [(100, 60, 30, 60)]


def test_dirt_is_passed_over_and_a_lying_stroke_is_not() -> None:
    tallest = (100, 60, 30, 100)
    least = int(SMALLEST_SHARE * 100)
    dirt, lying = (20, 20, least - 1, least - 1), (200, 100, least, 3)
    assert find_digits(blots(tallest, dirt, lying)) == [tallest, lying]


def test_the_bar_of_a_5_is_a_part_of_it() -> None:
    body, bar = (60, 60, 40, 70), (75, 45, 45, 8)
    whole = (60, 45, 60, 85)
    assert find_digits(blots(body, bar)) == [whole]
    neighbours = (10, 50, 40, 80), (140, 40, 35, 90)
    assert find_digits(blots(neighbours[0], body, bar, neighbours[1])) == [neighbours[0], whole, neighbours[1]]


def test_three_parts_are_one_digit_whatever_comes_first() -> None:
    parts, neighbour = [(100, 20, 14, 20), (120, 22, 24, 30), (98, 56, 40, 65)], (20, 25, 40, 90)
    picture = blots(*parts, neighbour)
    assert find_digits(picture) == [neighbour, (98, 20, 46, 101)]
    assert find_digits(np.ascontiguousarray(picture[:, ::-1])) == [(300 - 144, 20, 46, 101), (240, 25, 40, 90)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((50, 20, 30, 60), (50, 100, 30, 60)),
        ((50, 20, 30, 30), (50, 54, 30, 60)),
        ((50, 20, 30, 20), (68, 42, 30, 20)),
        ((50, 20, 30, 30), (50, 64, 30, 15)),
    ],
    ids=["lines", "lines that nearly touch", "a step aside", "too far below"],
)
def test_two_digits_are_not_joined(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    tallest = (200, 20, 30, 60)
    assert set(find_digits(blots(first, second, tallest))) == {first, second, tallest}


def test_strokes_hold_together_by_their_corners() -> None:
    picture = np.zeros((40, 40), np.uint8)
    np.fill_diagonal(picture[5:30, 8:33], 255)
    assert find_digits(picture) == [(8, 5, 25, 25)]


@pytest.mark.parametrize("top", [62, 110, 155])
def test_a_dash_is_of_the_line_of_the_digit_that_it_stands_beside(top: int) -> None:
    left, digit, right = (10, top, 25, 4), (50, 60, 30, 100), (100, top, 25, 4)
    assert find_digits(blots(left, digit)) == [left, digit]
    assert find_digits(blots(digit, right)) == [digit, right]


def test_two_pixels_are_no_digit_even_where_nothing_is_larger() -> None:
    assert find_digits(blots((10, 10, 2, 2))) == []
    assert find_digits(blots((10, 10, 3, 2))) == [(10, 10, 3, 2)]


def test_of_too_many_the_largest_are_taken() -> None:
    boxes = [(10 * (i % 12) + 1, 12 * (i // 12) + 1, 4, 6 + (i % 5 == 0)) for i in range(72)]
    found = find_digits(blots(*boxes))
    assert len(found) == MOST_DIGITS
    assert set(found) >= {b for b in boxes if b[3] == 7}


def test_grey_strokes_are_parted_from_grey_paper() -> None:
    picture = np.where(blots((30, 40, 25, 60), (90, 40, 25, 60)) > 0, 140, 60).astype(np.uint8)
    picture += np.random.default_rng(0).integers(0, 20, picture.shape, np.uint8)
    assert find_digits(picture) == [(30, 40, 25, 60), (90, 40, 25, 60)]


def test_no_boxes_give_no_digits() -> None:
    assert cut(np.zeros((50, 60), np.uint8), []).shape == (0, 28, 28)


@pytest.mark.parametrize("size", [(20, 20), (6, 20), (40, 60), (60, 40), (150, 200), (200, 12), (3, 1), (1, 1)])
def test_the_longer_side_takes_20_of_28_pixels_in_the_middle(size: tuple[int, int]) -> None:
    w, h = size
    picture = blots((30, 20, w, h), shape=(260, 300))
    (digit,) = cut(picture, [(30, 20, w, h)])
    assert (digit.shape, digit.dtype) == ((28, 28), np.uint8)
    x0, y0, x1, y1 = extent(digit)
    wide, high = (max(1, round(20 * side / max(w, h))) for side in size)
    # A box of an odd number of pixels cannot lie in the middle of 28: it may be one pixel larger or smaller.
    assert abs(x1 - x0 - wide) <= 1 and abs(y1 - y0 - high) <= 1
    assert abs(x0 + x1 - 28) <= 1 and abs(y0 + y1 - 28) <= 1


def test_a_digit_of_20_pixels_keeps_every_pixel(digits: Split) -> None:
    image = np.zeros((90, 90), np.uint8)
    digit = np.random.default_rng(0).integers(1, 256, (20, 14), np.uint8)
    image[31:51, 40:54] = digit
    (found,) = cut(image, [(40, 31, 14, 20)])
    assert np.array_equal(found[4:24, 7:21], digit)
    assert found.sum() == digit.sum()


def test_neighbours_stay_out_of_the_frame() -> None:
    picture = blots((100, 20, 6, 120), (80, 20, 15, 120), (110, 20, 15, 120), (100, 145, 6, 20))
    (alone,) = cut(blots((100, 20, 6, 120)), [(100, 20, 6, 120)])
    (found,) = cut(picture, [(100, 20, 6, 120)])
    assert np.array_equal(found, alone)


def test_a_digit_at_the_very_edge_is_cut_whole() -> None:
    picture = blots((0, 0, 40, 60))
    inside = blots((50, 50, 40, 60))
    assert np.array_equal(cut(picture, [(0, 0, 40, 60)]), cut(inside, [(50, 50, 40, 60)]))


def test_thin_strokes_of_a_large_photo_are_not_lost() -> None:
    picture = np.zeros((900, 900), np.uint8)
    cv2.circle(picture, (450, 450), 400, 255, 9)
    (found,) = cut(picture, find_digits(picture))
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    around = ndimage.map_coordinates(
        found.astype(float), [13.5 + 9.8 * np.sin(turn), 13.5 + 9.8 * np.cos(turn)], order=1
    )
    assert around.min() > 30, "the ring is closed"
    assert around.max() < 2.5 * around.min(), "and equally strong all around"


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_whatever_is_found_can_be_cut(h: int, w: int, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (h, w), np.uint8)
    before = picture.copy()
    boxes = find_digits(picture)
    assert all(0 <= x < x + bw <= w and 0 <= y < y + bh <= h for x, y, bw, bh in boxes)
    digits = cut(picture, boxes)
    assert digits.shape == (len(boxes), 28, 28) and digits.dtype == np.uint8
    assert np.array_equal(picture, before)


def test_one_by_one_gives_what_all_at_once_gives(page: NDArray[np.uint8]) -> None:
    boxes = find_digits(page)
    for box, digit in zip(boxes, cut(page, boxes), strict=True):
        assert np.array_equal(cut(page, [box])[0], digit)
