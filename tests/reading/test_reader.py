"""From capture to a reading: boxes, stages, and the cases in which nothing may be said."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from hdr.preprocessing.size_normalisation import from_strokes
from hdr.reading import read_drawings, read_image, read_strokes
from hdr.reading.canvas import strokes_from_canvas
from tests.support.fakes import SaysSeven

STROKES = [np.array([[20.0, 30.0], [60.5, 30.0], [40.0, 90.0]])]


def test_a_drawing_is_read_with_its_box_and_stages() -> None:
    model = SaysSeven()
    reading = read_strokes(STROKES, model)
    (digit,) = reading.digits
    assert reading.number == "7" and not reading.abstained
    assert digit.label == 7 and digit.probability == pytest.approx(0.91)
    assert digit.box == (20, 30, 42, 61)
    assert [s.title for s in digit.stages] == ["captured", "as it is"]
    assert (digit.stages[0].image == from_strokes(STROKES)).all()
    assert len(model.shown) == 1


@pytest.mark.parametrize("strokes", [[], [np.empty((0, 2))]])
def test_an_empty_drawing_is_never_predicted(strokes: list[np.ndarray]) -> None:
    model = SaysSeven()
    reading = read_strokes(strokes, model)
    assert reading.abstained and reading.number == "" and model.shown == []


def test_a_dot_is_a_drawing() -> None:
    strokes = strokes_from_canvas([{"type": "path", "path": [["M", 219.98, 220], ["L", 220.02, 220]]}])
    reading = read_strokes(strokes, SaysSeven())
    assert not reading.abstained
    assert np.count_nonzero(reading.digits[0].stages[0].image) < 20


def test_many_drawings_read_as_one_by_one() -> None:
    rng = np.random.default_rng(0)
    drawings = [[], STROKES, [rng.uniform(0, 300, (9, 2)), rng.uniform(0, 300, (1, 2))], [np.empty((0, 2))]]
    model = SaysSeven()
    many = read_drawings(drawings, model)
    assert len(model.shown) == 1
    single = [read_strokes(d, model) for d in drawings]
    assert [r.abstained for r in many] == [True, False, False, True] == [r.abstained for r in single]
    assert [d.box for r in many for d in r.digits] == [d.box for r in single for d in r.digits]
    assert (model.shown[0] == np.concatenate(model.shown[1:])).all()


def test_no_drawings_and_only_empty_ones() -> None:
    assert read_drawings([], SaysSeven()) == []
    model = SaysSeven()
    assert [r.abstained for r in read_drawings([[], []], model)] == [True, True] and model.shown == []


@pytest.mark.parametrize("dark", [True, False])
def test_the_box_of_a_picture_is_that_of_its_ink(dark: bool) -> None:
    picture = np.zeros((200, 300), np.uint8)
    picture[50:120, 100:110] = 220
    reading = read_image(255 - picture if dark else picture, SaysSeven())
    x, y, w, h = reading.digits[0].box
    assert abs(x - 100) <= 1 and abs(y - 50) <= 1 and abs(w - 10) <= 2 and abs(h - 70) <= 2


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_a_blank_picture_is_never_predicted(level: int) -> None:
    model = SaysSeven()
    assert read_image(np.full((100, 80), level, np.uint8), model).abstained and model.shown == []


def test_shadows_alone_are_never_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hdr.reading.reader.to_ink", lambda grey: np.where(grey, 80, 0).astype(np.uint8))
    picture = np.zeros((60, 60), np.uint8)
    picture[20:40, 25:30] = 255
    model = SaysSeven()
    assert read_image(picture, model).abstained and model.shown == []


def test_size_and_place_in_a_picture_do_not_matter() -> None:
    def capture(scale: float, x: int, y: int) -> np.ndarray:
        picture = np.full((500, 500), 255, np.uint8)
        points = np.rint(np.array([[10, 10], [60, 10], [30, 90]]) * scale + [x, y]).astype(np.int32)
        cv2.polylines(picture, [points], False, 0, round(10 * scale), cv2.LINE_AA)
        return read_image(picture, SaysSeven()).digits[0].stages[0].image.astype(int)

    base = capture(2, 50, 60)
    for other in (capture(4, 30, 20), capture(1, 350, 300)):
        assert np.abs(base - other).mean() < 6
