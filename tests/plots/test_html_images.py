"""Small pictures as HTML: what comes out of them again, and the words for numbers."""

from __future__ import annotations

import re
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hdr.formatting import format_count, format_duration, format_percent, format_points
from hdr.plots import html_images
from hdr.plots.colours import CYCLIC, DIGITS, DIVERGING, SECOND
from hdr.types import Drawing
from tests.support.markup import HOSTILE, drawing_in, elements, picture_in


@pytest.fixture
def noise() -> NDArray[np.uint8]:
    """Every grey value, nothing smooth."""
    return np.random.default_rng(0).permutation(np.arange(784) % 256).reshape(28, 28).astype(np.uint8)


def test_a_digit_keeps_every_pixel_and_is_enlarged_by_the_browser(noise: NDArray[np.uint8]) -> None:
    html = html_images.digit(noise, 168, "noise")
    assert np.array_equal(picture_in(html), noise)
    assert "width:168px" in html
    assert "aspect-ratio:28/28" in html


def test_a_wide_picture_keeps_its_shape() -> None:
    assert "aspect-ratio:40/20" in html_images.digit(np.zeros((20, 40), np.uint8), 80, "wide")


def test_a_signed_picture_is_blue_white_and_orange() -> None:
    image = np.array([[0, 128, 255]], np.uint8)
    found = picture_in(html_images.digit(image, 84, "signed", "signed"))
    assert np.array_equal(found, DIVERGING[image])
    low, middle, high = found[0].astype(int)
    assert low[2] > low[0] + 100, "the lowest value is blue"
    assert middle.min() > 240, "nothing is white"
    assert high[0] > high[2] + 100, "the highest value is orange"


def test_a_step_that_is_off_is_faded() -> None:
    image = np.zeros((28, 28), np.uint8)
    assert "hdr-dim" in html_images.digit(image, 28, "off", dim=True)
    assert "hdr-dim" not in html_images.digit(image, 28, "on")


@pytest.mark.parametrize(
    "make",
    [
        lambda text: html_images.digit(np.zeros((28, 28), np.uint8), 28, text),
        lambda text: html_images.drawing(Drawing(text, np.zeros((28, 28), np.uint8)), 28),
        lambda text: html_images.sheet(np.zeros((1, 28, 28), np.uint8), [text]),
        lambda text: html_images.values([text], np.ones(1, np.float32)),
    ],
    ids=["digit", "drawing", "sheet", "values"],
)
def test_words_are_escaped(make) -> None:
    html = make(HOSTILE)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert '"&gt;' not in html.replace("&quot;&gt;", ""), "the quote is escaped, too"


def test_a_sheet_has_a_caption_for_every_picture() -> None:
    html = html_images.sheet(np.zeros((3, 28, 28), np.uint8), ["one", "two", "three"])
    assert re.findall(r"<figcaption>(\w+)</figcaption>", html) == ["one", "two", "three"]
    with pytest.raises(ValueError, match="shorter"):
        html_images.sheet(np.zeros((3, 28, 28), np.uint8), ["one", "two"])


def test_a_difference_has_the_sign_and_the_size_of_the_change() -> None:
    before = np.array([[0, 100, 255, 200]], np.uint8)
    after = np.array([[255, 100, 0, 201]], np.uint8)
    assert html_images.difference(before, after).tolist() == [[255, 128, 1, 128]]


def test_a_difference_of_equal_pictures_is_nothing(noise: NDArray[np.uint8]) -> None:
    assert (html_images.difference(noise, noise) == 128).all()


def test_a_histogram_shows_where_the_grey_values_are() -> None:
    image = np.concatenate([np.zeros(400), np.full(100, 255)]).astype(np.uint8).reshape(20, 25)
    bars = re.findall(
        r'<rect x="(\d+)" y="[\d.]+" width="[\d.]+" height="([\d.]+)"', drawing_in(html_images.histogram(image, 100))
    )
    assert [int(x) for x, _ in bars] == [0, 31]
    assert float(bars[0][1]) == 1.0
    assert float(bars[1][1]) == 0.5, "heights follow the square root"


@pytest.mark.parametrize(("threshold", "at"), [(127, 16), (0, 0.125), (254, 31.875), (255, 32), (-1, 0), (300, 32)])
def test_a_threshold_stands_between_the_values_that_it_parts(threshold: float, at: float) -> None:
    (line,) = lines_in(html_images.histogram_uri(np.zeros((5, 5), np.uint8), (threshold, threshold)))
    assert (line["x"] + line["width"] / 2) == pytest.approx(at, abs=0.01)
    assert line["width"] < 0.5, "it is a line"
    assert (line["y"], line["height"], line["fill"]) == (0, 1, SECOND)
    assert "fill-opacity" not in line


def test_thresholds_that_differ_by_place_are_a_band_that_bars_shine_through() -> None:
    (band,) = lines_in(html_images.histogram_uri(np.zeros((5, 5), np.uint8), (63, 191)))
    assert band["x"] == pytest.approx(8, abs=0.2)
    assert band["x"] + band["width"] == pytest.approx(24, abs=0.2)
    assert band["fill-opacity"] < 0.7


def test_without_a_threshold_a_histogram_has_bars_only(noise: NDArray[np.uint8]) -> None:
    assert lines_in(html_images.histogram_uri(noise)) == []
    assert len(elements(html_images.histogram_uri(noise), "rect")) == 32


def test_a_small_picture_is_not_shrunk(noise: NDArray[np.uint8]) -> None:
    assert html_images.shrunk(noise) is noise
    assert html_images.shrunk(noise, 28) is noise


@pytest.mark.parametrize(
    ("shape", "shown"),
    [((1000, 800), (640, 512)), ((480, 960), (320, 640)), ((1, 5000), (1, 640)), ((9000, 2), (640, 1))],
)
def test_a_photo_is_shrunk_to_its_longer_side_and_keeps_its_shape(
    shape: tuple[int, int], shown: tuple[int, int]
) -> None:
    assert html_images.shrunk(np.zeros(shape, np.uint8)).shape == shown


def test_a_shrunk_picture_is_averaged_not_sampled() -> None:
    stripes = np.zeros((800, 800), np.uint8)
    stripes[:, ::2] = 200
    assert (html_images.shrunk(stripes, 400) == 100).all()


def test_a_photo_is_sent_no_larger_than_it_is_shown_on_a_fine_screen() -> None:
    assert picture_in(html_images.digit(np.zeros((900, 1200), np.uint8), 140, "photo")).shape == (210, 280)
    assert "aspect-ratio:1200/900" in html_images.digit(np.zeros((900, 1200), np.uint8), 140, "photo")


def test_colours_by_what_the_values_mean(noise: NDArray[np.uint8]) -> None:
    assert np.array_equal(html_images.coloured(noise), noise)
    assert np.array_equal(html_images.coloured(noise, "signed"), DIVERGING[noise])
    assert np.array_equal(html_images.coloured(noise, "angle"), CYCLIC[noise])
    assert np.array_equal(picture_in(html_images.digit(noise, 28, "angles", "angle")), CYCLIC[noise])


def test_directions_go_round_a_circle_of_equally_bright_colours() -> None:
    assert CYCLIC[0].tolist() == [0, 0, 0], "no direction is black"
    lightness, *plane = cv2.cvtColor(CYCLIC[None, 1:].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0].T
    assert np.ptp(lightness) < 1
    assert np.abs(np.diff(CYCLIC[1:].astype(int), axis=0)).max() <= 5, "neighbouring directions look alike"
    assert np.abs(CYCLIC[255].astype(int) - CYCLIC[1]).max() <= 5, "and so do the last and the first"
    hue = np.unwrap(np.arctan2(plane[1], plane[0])) / (2 * np.pi)
    assert hue == pytest.approx(np.arange(255) / 255, abs=0.01), "equal turns of the hue for equal turns"


def lines_in(uri: str) -> list[dict[str, Any]]:
    """What is drawn over the bars of a histogram."""
    return [e for e in elements(uri, "rect") if e.get("fill") == SECOND]


def test_a_few_numbers_stand_beside_their_names() -> None:
    html = html_images.values(["height", "<b>width"], np.array([20, 0.123456], np.float32))
    assert re.findall(r"<span>([^<]*)</span><span>([^<]*)</span>", html) == [
        ("height", "20"),
        ("&lt;b&gt;width", "0.1235"),
    ]
    with pytest.raises(ValueError, match="zip"):
        html_images.values(["height"], np.zeros(2, np.float32))


def strokes(numbers: list[float]) -> list[tuple[float, float, float]]:
    """The bars of a signature: their places, where they begin and where they end, from 0 at the top to 1."""
    html = html_images.signature(np.array(numbers, np.float32))
    (path,) = elements(html, "path")
    assert f'viewBox="0 0 {len(numbers)} 1"' in drawing_in(html)
    found = re.findall(r"M([\d.]+) ([\d.]+)V(-?[\d.]+)", path["d"])
    return [tuple(map(float, bar)) for bar in found]


def test_many_numbers_are_bars_from_zero_up_and_down() -> None:
    assert strokes([3, 0, -1, 1.5]) == [(0.5, 0.75, 0), (2.5, 0.75, 1), (3.5, 0.75, 0.375)]


@pytest.mark.parametrize(("numbers", "zero"), [([1, 2, 4], 1.0), ([-1, -2, -4], 0.0)])
def test_bars_of_one_sign_begin_at_the_edge(numbers: list[float], zero: float) -> None:
    found = strokes(numbers)
    assert {start for _, start, _ in found} == {zero}
    assert [abs(end - zero) for _, _, end in found] == [0.25, 0.5, 1]


def test_nothing_but_zeros_has_no_bar() -> None:
    assert strokes([0, 0, 0]) == []
    assert strokes([]) == []


def test_bars_single_out_the_most_probable_class() -> None:
    probabilities = np.full(10, 0.01)
    probabilities[7] = 0.91
    html = html_images.bars(probabilities)
    rows = re.findall(
        r'<div class="hdr-bar( hdr-best)?">.*?hdr-label">(\d)<.*?width:([\d.]+)%.*?hdr-value">([^<]*)<', html
    )
    assert [int(label) for _, label, _, _ in rows] == list(range(10))
    assert [int(label) for best, label, _, _ in rows if best] == [7]
    assert rows[7][2:] == ("91.0", "91.0%")
    assert html.count("background:") == 1
    assert DIGITS[7] in html


def test_bars_of_nothing_keep_their_place_and_claim_nothing() -> None:
    html = html_images.bars(None)
    assert html.count('class="hdr-bar"') == 10
    assert "hdr-best" not in html
    assert "%</span>" not in html


@pytest.mark.parametrize(
    ("share", "digits", "text"),
    [
        (0.9892, 2, "98.92%"),
        (0.5, 0, "50%"),
        (1.0, 2, "100.00%"),
        (0.999999, 2, "99.99%"),
        (0.9996, 1, "99.9%"),
        (0.9995, 1, "99.9%"),
        (0.0, 1, "0.0%"),
    ],
)
def test_percent(share: float, digits: int, text: str) -> None:
    assert format_percent(share, digits) == text.replace(" ", "\xa0")


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 3))
def test_percent_never_claims_all_of_what_is_not(share: float, digits: int) -> None:
    assert not format_percent(share, digits).startswith("100")


@pytest.mark.parametrize(("difference", "text"), [(0.0042, "+0.42"), (-0.013, "−1.30"), (0.0, "±0.00")])
def test_points_have_their_sign(difference: float, text: str) -> None:
    assert format_points(difference) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (999, "999"), (60000, "60,000"), (1234567, "1,234,567")])
def test_count(number: int, text: str) -> None:
    assert format_count(number) == text.replace(" ", "\xa0")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0000042, "4.2 µs"),
        (0.00042, "420 µs"),
        (0.0042, "4.2 ms"),
        (0.42, "420 ms"),
        (3.14, "3.1 s"),
        (42, "42 s"),
        (150, "2.5 min"),
        (3000, "50 min"),
        (7200, "2.0 h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text.replace(" ", "\xa0")
