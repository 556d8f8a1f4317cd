"""Capture: a drawing or a picture becomes what MNIST would have made of it."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage
from threadpoolctl import threadpool_limits

from hdr.preprocessing import size_normalisation
from hdr.preprocessing.size_normalisation import CaptureError, from_pixels, from_strokes, parse_strokes, stroke_box
from hdr.training.fitting import fit
from hdr.training.model import TrainedModel
from hdr.training.run_spec import PRESETS
from hdr.types import Dataset, Images, Split, Strokes


def arc(cx: float, cy: float, rx: float, ry: float, start: float, stop: float) -> NDArray[np.float64]:
    """A part of an ellipse, angles in degrees from the right, clockwise."""
    t = np.deg2rad(np.linspace(start, stop, 40))
    return np.stack([cx + rx * np.cos(t), cy + ry * np.sin(t)], axis=1)


DRAWINGS: dict[str, Strokes] = {
    "0": [arc(140, 140, 60, 95, 0, 360)],
    "1": [np.array([[120.0, 80], [150, 50], [150, 230]])],
    "3": [arc(130, 95, 45, 45, -150, 90), arc(130, 190, 55, 50, -90, 150)],
    "4": [np.array([[150.0, 50], [80, 160], [190, 160]]), np.array([[160.0, 110], [158, 240]])],
    "7": [np.array([[80.0, 60], [190, 60], [120, 230]]), np.array([[100.0, 150], [180, 145]])],
    "lying 1": [np.array([[30.0, 140], [250, 150]])],
}


@pytest.fixture(params=DRAWINGS)
def drawing(request: pytest.FixtureRequest) -> Strokes:
    return DRAWINGS[request.param]


def apart(one: Images, other: Images) -> tuple[float, float]:
    """Largest and mean difference in grey values."""
    difference = np.abs(one.astype(float) - other)
    return difference.max(), difference.mean()


def assert_same(image: Images, drawing: Strokes) -> None:
    """The same but for rounding: one sub-pixel more or less in a row of a pixel is an eighth of the range."""
    largest, mean = apart(image, from_strokes(drawing))
    assert largest <= 32 and mean < 0.3


def test_a_drawing_becomes_a_digit_as_mnist_has_them(drawing: Strokes) -> None:
    image = from_strokes(drawing)
    assert (image.shape, image.dtype, image.max()) == ((28, 28), np.uint8, 255)
    ink = np.argwhere(image > 40)
    assert abs((ink.max(axis=0) - ink.min(axis=0) + 1).max() - size_normalisation.BOX) <= 1
    assert np.abs(np.array(ndimage.center_of_mass(image)) - 14).max() < 0.2


def test_strokes_are_as_wide_as_the_pen() -> None:
    image = from_strokes([np.array([[100.0, 20], [100, 260]])]) / 255
    widths = image[8:20].sum(axis=1)
    # OpenCV's lines are up to three sub-pixels wider than asked for.
    np.testing.assert_allclose(widths, size_normalisation.PEN, atol=0.4)
    thick = from_strokes([np.array([[100.0, 20], [100, 260]])], pen=4.0) / 255
    np.testing.assert_allclose(thick[8:20].sum(axis=1), 4.0, atol=0.4)


@pytest.mark.parametrize("shift", [(17, -40), (0.37, 0.81), (-1000, 5000.5)])
def test_place_does_not_matter(drawing: Strokes, shift: tuple[float, float]) -> None:
    assert_same(from_strokes([s + shift for s in drawing]), drawing)


@pytest.mark.parametrize("scale", [0.05, 0.31, 0.5, 2, 3.7, 100])
def test_size_does_not_matter(drawing: Strokes, scale: float) -> None:
    assert_same(from_strokes([s * scale for s in drawing]), drawing)


def test_order_and_direction_do_not_matter(drawing: Strokes) -> None:
    for other in (drawing[::-1], [s[::-1] for s in drawing], [s[::-1] for s in drawing[::-1]]):
        assert_same(from_strokes(other), drawing)


def test_doubled_points_do_not_matter(drawing: Strokes) -> None:
    assert_same(from_strokes([np.repeat(s, 3, axis=0) for s in drawing]), drawing)


def test_different_drawings_are_different() -> None:
    made = [from_strokes(s) for s in DRAWINGS.values()]
    assert all(apart(a, b)[1] > 10 for i, a in enumerate(made) for b in made[:i])


@pytest.mark.parametrize(
    "strokes",
    [
        [np.array([[50.0, 50]])],
        [np.array([[50.0, 50], [50, 50]])],
        [np.array([[50.0, 50], [51, 50.5]])],
        [np.array([[50.0, 50]]), np.array([[50.0, 51]])],
        [np.array([[-9e5, 9e5]])],
    ],
)
def test_a_dot_stays_a_dot(strokes: Strokes) -> None:
    image = from_strokes(strokes)
    ink = np.argwhere(image > 40)
    assert 1 <= len(ink) <= 25 and (np.ptp(ink, axis=0) <= 5).all()
    assert np.abs(np.array(ndimage.center_of_mass(image)) - 14).max() < 0.2


def test_no_strokes_are_refused() -> None:
    with pytest.raises(CaptureError, match="no strokes"):
        from_strokes([])


numbers = st.floats(-999_999, 999_999) | st.integers(-999_999, 999_999)


@given(st.lists(st.lists(st.tuples(numbers, numbers).map(list), max_size=5), max_size=4))
def test_whatever_is_a_drawing_can_be_drawn(data: list) -> None:
    strokes = parse_strokes(json.loads(json.dumps(data)))
    assert [s.tolist() for s in strokes] == [s for s in data if s]
    assert all(s.dtype == np.float64 for s in strokes)
    if strokes:
        image = from_strokes(strokes)
        assert (image.shape, image.dtype) == ((28, 28), np.uint8) and image.any()
        x, y, width, height = stroke_box(strokes)
        points = np.concatenate(strokes)
        assert (points >= [x, y]).all() and (points <= [x + width, y + height]).all() and min(width, height) >= 1


HOSTILE = {
    "nothing": None,
    "a number": 3,
    "text": "strokes",
    "an object": {"strokes": []},
    "a stroke that is a number": [3],
    "a stroke that is text": ["ab"],
    "points that are numbers": [[1, 2]],
    "one coordinate": [[[1]]],
    "three coordinates": [[[1, 2, 3]]],
    "uneven points": [[[1, 2], [3]]],
    "text for numbers": [[["1", "2"]]],
    "booleans for numbers": [[[True, False]]],
    "none for a number": [[[1, None]]],
    "an object for a point": [[{"x": 1, "y": 2}]],
    "not a number": [[[float("nan"), 1]]],
    "infinite": [[[1, float("-inf")]]],
    "huge": [[[1, 1e6]]],
    "huge whole": [[[10**400, 1]]],
    "too deep": [[[[1, 2]]]],
    "too many points": [[[0, 0]] * (size_normalisation.MAX_POINTS // 2 + 1)] * 2,
    "one long text": [[["a" * 10**6, 1], [1, 2]]],
    "empty points": [[[]]],
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_is_not_a_drawing_is_refused(data: object) -> None:
    with pytest.raises(CaptureError) as caught:
        parse_strokes(data)
    assert len(str(caught.value)) < 250


def test_empty_strokes_are_dropped() -> None:
    assert parse_strokes([]) == [] == parse_strokes([[], []])
    (only,) = parse_strokes([[], [[1, 2.5]], []])
    np.testing.assert_array_equal(only, [[1, 2.5]])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3), lambda x: st.lists(x, max_size=3)
)


@given(json_values | st.lists(st.lists(st.lists(json_values, min_size=1, max_size=3), max_size=3), max_size=3))
def test_any_json_is_a_drawing_or_refused(data: object) -> None:
    try:
        strokes = parse_strokes(data)
    except CaptureError:
        return
    assert all(s.ndim == 2 and s.shape[1] == 2 and np.isfinite(s).all() for s in strokes)


def enlarge(images: Images) -> Images:
    """Digits as drawings of 280x280 pixels."""
    return np.stack([cv2.resize(i, (280, 280), interpolation=cv2.INTER_CUBIC) for i in images])


def test_pictures_come_back_as_what_they_were_made_from(digits: Split) -> None:
    source = digits.images[:200]
    back = from_pixels(enlarge(source))
    assert (back.shape, back.dtype) == (source.shape, np.uint8)
    centres = np.array([ndimage.center_of_mass(i) for i in back])
    assert np.abs(centres - 14).max() < 0.2
    assert np.abs(back.astype(float) - source).mean() < 12
    ink = [np.argwhere(i > 60) for i in back]
    longer = np.array([(np.ptp(points, axis=0) + 1).max() for points in ink])
    assert (
        abs(np.median(longer) - size_normalisation.BOX) <= 1
        and np.percentile(np.abs(longer - size_normalisation.BOX), 95) <= 2
    )


def test_place_and_size_of_a_picture_do_not_matter(digits: Split) -> None:
    large = enlarge(digits.images[:30])
    expected = from_pixels(large)
    wide = np.pad(large, ((0, 0), (100, 7), (0, 300)))
    np.testing.assert_array_equal(from_pixels(wide), expected)
    small = np.stack([cv2.resize(i, (140, 140), interpolation=cv2.INTER_AREA) for i in large])
    assert np.abs(from_pixels(small).astype(float) - expected).mean() < 3


def test_a_batch_of_pictures_gives_what_one_by_one_gives(digits: Split) -> None:
    source = np.frombuffer(digits.images[:20].tobytes(), np.uint8).reshape(20, 28, 28)
    together = from_pixels(source)
    for i in range(20):
        np.testing.assert_array_equal(together[i], from_pixels(source[i : i + 1])[0])


@pytest.mark.parametrize("shape", [(28, 28), (1, 1), (1, 28), (28, 1), (300, 7), (3, 900)])
def test_blank_full_and_one_pixel_pictures(shape: tuple[int, int]) -> None:
    blank = np.zeros((1, *shape), np.uint8)
    assert not from_pixels(blank).any()
    assert from_pixels(blank[:0]).shape == (0, 28, 28)
    pixel = blank.copy()
    pixel[0, shape[0] // 2, shape[1] // 2] = 1
    for picture in (pixel, np.full_like(blank, 255), np.full_like(blank, 60)):
        out = from_pixels(picture)
        assert (out.shape, out.dtype) == ((1, 28, 28), np.uint8) and out.any()
        assert np.abs(np.array(ndimage.center_of_mass(out[0])) - 14).max() < 0.3


def test_paper_that_is_not_quite_white_does_not_count(digits: Split) -> None:
    large = enlarge(digits.images[:20])
    large[:, :30, :30] = np.maximum(large[:, :30, :30], 25)
    assert np.abs(from_pixels(large).astype(float) - from_pixels(enlarge(digits.images[:20]))).mean() < 1


FITTED = 5_000


@pytest.fixture(scope="module")
def model(mnist: Dataset) -> TrainedModel:
    """The fast preset on 5,000 digits."""
    validation = 1_250
    part = Split(mnist.train.images[: FITTED + validation], mnist.train.labels[: FITTED + validation])
    test = Split(mnist.test.images[:100], mnist.test.labels[:100])
    with threadpool_limits(1):
        return fit(replace(PRESETS["fast"].spec, train_size=FITTED), replace(mnist, train=part, test=test))


def as_it_is(drawings: Images) -> Images:
    return drawings


def small_in_a_corner(drawings: Images) -> Images:
    out = np.zeros_like(drawings)
    for target, drawing in zip(out, drawings, strict=True):
        target[10:150, 130:270] = cv2.resize(drawing, (140, 140), interpolation=cv2.INTER_AREA)
    return out


@pytest.mark.parametrize("place", [as_it_is, small_in_a_corner])
def test_captured_drawings_lose_less_than_a_point(mnist: Dataset, model: TrainedModel, place) -> None:
    images, labels = mnist.test.images[::3], mnist.test.labels[::3]
    captured = np.concatenate([from_pixels(place(enlarge(images[i : i + 250]))) for i in range(0, len(images), 250)])
    with threadpool_limits(1):
        before = (model.predict_proba(images).argmax(axis=1) == labels).mean()
        after = (model.predict_proba(captured).argmax(axis=1) == labels).mean()
    assert before > 0.975
    assert before - after < 0.01, f"{before:.2%} of the originals, {after:.2%} of the drawings"
