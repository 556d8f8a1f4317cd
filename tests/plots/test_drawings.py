"""Pictures with marks on them: where marks stand, how they look, and what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hdr.plots import html_images
from hdr.plots.colours import DIVERGING, MARKS
from hdr.types import Drawing, Mark
from tests.support.markup import HOSTILE, drawing_in, elements, picture_in


@pytest.fixture
def noise() -> NDArray[np.uint8]:
    """Every grey value, nothing smooth."""
    return np.random.default_rng(0).permutation(np.arange(784) % 256).reshape(28, 28).astype(np.uint8)


def drawn(*marks: Mark, image: NDArray[np.uint8] | None = None, side: int = 168, **options: str) -> str:
    """The HTML of a digit with marks."""
    shown = np.zeros((28, 28), np.uint8) if image is None else image
    return html_images.drawing(Drawing("title", shown, marks=marks, **options), side)


def mark(kind: str, *points: tuple[float, float], **options: Any) -> Mark:
    """A mark through some points."""
    return Mark(kind, np.array(points, float).reshape(-1, 2), **options)


def test_a_drawing_holds_every_pixel_of_its_picture(noise: NDArray[np.uint8]) -> None:
    html = drawn(image=noise)
    (image,) = elements(html, "image")
    assert np.array_equal(picture_in(f'{image["href"]}"'), noise)
    assert (image["width"], image["height"]) == (28, 28)
    assert "image-rendering:pixelated" in image["style"]
    assert "width:168px;aspect-ratio:28/28" in html
    (signed,) = elements(drawn(image=noise, display="signed"), "image")
    assert np.array_equal(picture_in(f'{signed["href"]}"'), DIVERGING[noise])


def test_marks_stand_where_pixels_have_their_middles() -> None:
    html = drawn(mark("points", (0, 0), (27, 13)))
    (moved,) = elements(html, "g")
    assert moved["transform"] == "translate(0.5 0.5)"
    assert [(c["cx"], c["cy"]) for c in elements(html, "circle")] == [(0, 0), (27, 13)]
    assert 'viewBox="0 0 28 28"' in drawing_in(html)


def test_a_line_stays_open_and_an_area_closes() -> None:
    html = drawn(mark("line", (1, 2), (3, 4), (5, 6.5)), mark("area", (7, 8), (9, 8), (9, 10)))
    assert [e["points"] for e in elements(html, "polyline")] == ["1.00,2.00 3.00,4.00 5.00,6.50"]
    assert [e["points"] for e in elements(html, "polygon")] == ["7.00,8.00 9.00,8.00 9.00,10.00"]
    assert {e["fill"] for name in ("polyline", "polygon") for e in elements(html, name)} == {"none"}


@pytest.mark.parametrize("corners", [((2, 3), (12, 23)), ((12, 23), (2, 3)), ((12, 3), (2, 23))])
def test_a_box_has_any_two_opposite_corners(corners: tuple[tuple[float, float], ...]) -> None:
    (box,) = elements(drawn(mark("box", *corners)), "rect")
    assert (box["x"], box["y"], box["width"], box["height"]) == (2, 3, 10, 20)


def test_marks_of_one_series_have_one_colour_and_others_another() -> None:
    boxes = [mark("box", (i, i), (i + 3, i + 3), series=i) for i in (0, 1, 0, 1, len(MARKS))]
    colours = [b["stroke"] for b in elements(drawn(*boxes), "rect")]
    assert colours == [MARKS[0], MARKS[1], MARKS[0], MARKS[1], MARKS[0]]
    (dot,) = elements(drawn(mark("points", (3, 3), series=1)), "circle")
    assert dot["fill"] == MARKS[1]


@pytest.mark.parametrize("kind", ["points", "line", "area", "box"])
def test_a_weak_mark_shines_through(kind: str) -> None:
    html = drawn(mark(kind, (2, 3), (12, 23), strength=0.4))
    tag = {"points": "circle", "line": "polyline", "area": "polygon", "box": "rect"}[kind]
    shown = elements(html, tag)
    assert shown and all(e.get("opacity", 1) * e.get("stroke-opacity", 1) == 0.4 for e in shown)


def test_a_label_stands_beside_the_first_point_where_there_is_room_for_words() -> None:
    labelled = mark("points", (10, 20), (3, 4), series=2, label="a fork")
    (label,) = elements(drawn(labelled), "text")
    assert (label["text"], label["fill"]) == ("a fork", MARKS[2])
    assert 0 < label["x"] - 10 < 2 and -2 < label["y"] - 20 < 2
    assert not elements(drawn(mark("points", (10, 20))), "text")
    assert not elements(drawn(labelled, side=56), "text"), "on a thumbnail nobody could read it"


@pytest.mark.parametrize("kind", ["points", "line", "area"])
def test_nothing_to_mark_is_no_error(kind: str) -> None:
    assert not elements(drawn(mark(kind, label="none")), "text")


def test_lines_are_as_wide_on_a_photo_as_on_a_digit() -> None:
    box = mark("box", (2, 3), (12, 23))
    widths = []
    for shape in ((28, 28), (480, 900)):
        (shown,) = elements(drawn(box, image=np.zeros(shape, np.uint8)), "rect")
        widths.append(shown["stroke-width"] / max(shape))
    assert widths[0] == pytest.approx(widths[1], rel=0.02)


def test_a_photo_with_marks_is_sent_small_and_keeps_its_coordinates() -> None:
    html = drawn(mark("box", (100, 200), (1100, 700)), image=np.zeros((900, 1800), np.uint8))
    (image,), (box,) = elements(html, "image"), elements(html, "rect")
    assert picture_in(f'{image["href"]}"').shape == (320, 640)
    assert (image["width"], image["height"]) == (1800, 900)
    assert (box["x"], box["width"]) == (100, 1000)
    assert "aspect-ratio:1800/900" in html


def test_words_within_a_drawing_are_escaped() -> None:
    html = drawn(mark("points", (3, 3), label=HOSTILE + "<&"))
    (label,) = elements(html, "text")
    assert label["text"] == HOSTILE + "<&"
    assert "<script" not in drawing_in(html)
