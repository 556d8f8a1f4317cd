"""The detector: finds at one place, rows, even light, and the pieces of pages that it learns from."""

from __future__ import annotations

import numpy as np
import pytest

from hdr.reading.detector import KINDS, Found, apart, evened, in_rows
from hdr.types import CLASSES


def found(
    label: int, x: float, y: float, w: float = 20, h: float = 30, score: float = 0.9, kind: str = "digit"
) -> Found:
    """Something that was found."""
    return Found(kind, np.array([x, y, w, h], float), score, np.eye(CLASSES)[label])


def test_of_two_at_one_place_the_surer_one_is_kept() -> None:
    kept = apart([found(3, 0, 0, score=0.5), found(8, 2, 1, score=0.8), found(1, 30, 0, score=0.7)])
    assert [one.label for one in kept] == [8, 1]


def test_the_loop_of_a_digit_is_no_digit() -> None:
    assert [one.label for one in apart([found(8, 0, 0, 24, 40), found(0, 3, 1, 18, 18, score=0.8)])] == [8]


def test_a_point_under_the_arm_of_a_7_stays() -> None:
    kept = apart([found(7, 0, 0), found(0, 15, 26, 4, 4, score=0.6, kind="point")])
    assert [one.kind for one in kept] == ["digit", "point"]


def test_the_points_of_a_colon_are_no_points() -> None:
    colon = found(0, 0, 0, 5, 20, score=0.7, kind="colon")
    assert apart([colon, found(0, 0, 0, 5, 5, score=0.6, kind="point")]) == [colon]


def test_unsure_digits_count_only_in_a_row() -> None:
    sure = [found(3, 0, 0), found(4, 24, 2)]
    assert len(apart([*sure, found(1, 50, 0, score=0.4)])) == 3
    assert apart([*sure, found(1, 50, 300, score=0.4), found(1, 50, 0, h=8, score=0.4)]) == sure
    assert apart([*sure, found(6, 300, 300, 8, 9, score=0.6)]) == sure, "a speck of grain"


def test_a_leaning_one_is_no_slash() -> None:
    kept = apart([found(1, 30, 0, score=0.45), found(0, 29, -1, score=0.6, kind="slash"), found(2, 0, 0)])
    assert sorted((one.kind, one.label) for one in kept) == [("digit", 1), ("digit", 2)]


def test_rows_rise_and_fall_and_are_read_from_left_to_right() -> None:
    first = [found(label, 28 * label, 100 - 6 * label) for label in range(6)]
    second = [found(label, 30 * (label - 6), 150 - 6 * (label - 6)) for label in range(6, 10)]
    rows = in_rows([*second[::-1], *first[::-1]])
    assert [[one.label for one in row] for row in rows] == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]


def test_marks_are_in_no_row() -> None:
    assert in_rows([found(0, 0, 0, kind=kind) for kind in KINDS[1:]]) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (20, 30), (130, 250)])
def test_light_and_contrast_do_not_matter(shape: tuple[int, int]) -> None:
    grey = np.random.default_rng(0).integers(60, 180, shape).astype(np.uint8)
    slope = 0.15 * np.arange(shape[1])[None]
    plain, lit = evened(grey), evened(np.rint(grey * 0.8 + slope).astype(np.uint8))
    assert plain.shape == shape and plain.dtype == np.float32 and np.abs(plain).max() <= 4
    assert np.abs(plain - lit).mean() < 0.25


def test_what_it_learns_from_has_ink_in_every_box_of_a_digit() -> None:
    samples = pytest.importorskip("tools.detector.samples")
    try:
        samples.material()
    except Exception as error:
        pytest.skip(f"the recipe's data are not here: {str(error).splitlines()[0]}")
    random = np.random.default_rng(1)
    spread = []
    for _ in range(40):
        image, boxes = samples.make(random)
        assert image.shape == (samples.HIGH, samples.WIDE) and image.dtype == np.uint8
        for kind, x, y, w, h in boxes[(boxes[:, 0] >= 0) & (boxes[:, 0] < CLASSES)]:
            assert x >= 0 and y >= 0 and x + w <= samples.WIDE and y + h <= samples.HIGH and 0 <= kind <= 9
            spread.append(float(np.std(image[int(y) : int(y + h), int(x) : int(x + w)])))
    assert len(spread) > 100 and np.quantile(spread, 0.02) > 8


def test_what_is_shown_again_is_where_its_box_is() -> None:
    training = pytest.importorskip("tools.detector.training")
    images = np.full((1, 96, 192), 128, np.uint8)
    images[0, 40:60, 80:110] = 10
    boxes = np.array([[[4, 80, 40, 30, 20]]], np.float32)
    for seed in range(20):
        moved, ((_, x, y, w, h),) = (v[0] for v in training._moved(images, boxes, np.random.default_rng(seed)))
        x, y, w, h = (int(v) for v in (x, y, w, h))
        assert (moved[y : y + h, x : x + w] == 10).all() and (moved == 10).sum() == 600
