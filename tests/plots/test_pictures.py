"""Small pictures as HTML: what comes out of them again, and the words for numbers."""

from __future__ import annotations

import base64
import re

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hdr.plots import pictures
from hdr.plots.colours import DIGITS, DIVERGING


def picture_in(html: str) -> NDArray[np.uint8]:
    """The pixels of the PNG picture in an HTML text: uint8 (h, w), or RGB (h, w, 3)."""
    data = base64.b64decode(re.search(r"data:image/png;base64,([^\"]+)", html)[1])
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return found if found.ndim == 2 else found[:, :, ::-1]


def drawing_in(html: str) -> str:
    """The SVG text of the picture in an HTML text."""
    return base64.b64decode(re.search(r"data:image/svg\+xml;base64,([^\"]+)", html)[1]).decode()


@pytest.fixture
def noise() -> NDArray[np.uint8]:
    """Every grey value, nothing smooth."""
    return np.random.default_rng(0).permutation(np.arange(784) % 256).reshape(28, 28).astype(np.uint8)


def test_a_digit_keeps_every_pixel_and_is_enlarged_by_the_browser(noise: NDArray[np.uint8]) -> None:
    html = pictures.digit(noise, 168, "noise")
    assert np.array_equal(picture_in(html), noise)
    assert "width:168px" in html
    assert "aspect-ratio:28/28" in html


def test_a_wide_picture_keeps_its_shape() -> None:
    assert "aspect-ratio:40/20" in pictures.digit(np.zeros((20, 40), np.uint8), 80, "wide")


def test_a_signed_picture_is_blue_white_and_orange() -> None:
    image = np.array([[0, 128, 255]], np.uint8)
    found = picture_in(pictures.digit(image, 84, "signed", "signed"))
    assert np.array_equal(found, DIVERGING[image])
    low, middle, high = found[0].astype(int)
    assert low[2] > low[0] + 100, "the lowest value is blue"
    assert middle.min() > 240, "nothing is white"
    assert high[0] > high[2] + 100, "the highest value is orange"


def test_a_step_that_is_off_is_faded() -> None:
    image = np.zeros((28, 28), np.uint8)
    assert "hdr-dim" in pictures.digit(image, 28, "off", dim=True)
    assert "hdr-dim" not in pictures.digit(image, 28, "on")


HOSTILE = '"><script>alert(1)</script>'


@pytest.mark.parametrize(
    "make",
    [
        lambda text: pictures.digit(np.zeros((28, 28), np.uint8), 28, text),
        lambda text: pictures.orientations(np.ones((2, 2, 9), np.float32), 28, text),
        lambda text: pictures.sheet(np.zeros((1, 28, 28), np.uint8), [text]),
    ],
    ids=["digit", "orientations", "sheet"],
)
def test_words_are_escaped(make) -> None:
    html = make(HOSTILE)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert '"&gt;' not in html.replace("&quot;&gt;", ""), "the quote is escaped, too"


def test_a_sheet_has_a_caption_for_every_picture() -> None:
    html = pictures.sheet(np.zeros((3, 28, 28), np.uint8), ["one", "two", "three"])
    assert re.findall(r"<figcaption>(\w+)</figcaption>", html) == ["one", "two", "three"]
    with pytest.raises(ValueError, match="shorter"):
        pictures.sheet(np.zeros((3, 28, 28), np.uint8), ["one", "two"])


def test_a_difference_has_the_sign_and_the_size_of_the_change() -> None:
    before = np.array([[0, 100, 255, 200]], np.uint8)
    after = np.array([[255, 100, 0, 201]], np.uint8)
    assert pictures.difference(before, after).tolist() == [[255, 128, 1, 128]]


def test_a_difference_of_equal_pictures_is_nothing(noise: NDArray[np.uint8]) -> None:
    assert (pictures.difference(noise, noise) == 128).all()


def test_a_histogram_shows_where_the_grey_values_are() -> None:
    image = np.concatenate([np.zeros(400), np.full(100, 255)]).astype(np.uint8).reshape(20, 25)
    bars = re.findall(
        r'<rect x="(\d+)" y="[\d.]+" width="[\d.]+" height="([\d.]+)"', drawing_in(pictures.histogram(image, 100))
    )
    assert [int(x) for x, _ in bars] == [0, 31]
    assert float(bars[0][1]) == 1.0
    assert float(bars[1][1]) == 0.5, "heights follow the square root"


def test_orientations_are_strokes_across_their_gradient() -> None:
    cells = np.zeros((1, 2, 4), np.float32)
    cells[0, 1, 0] = 1
    lines = re.findall(
        r'<line x1="([\d.-]+)" y1="([\d.-]+)" x2="([\d.-]+)" y2="([\d.-]+)"',
        drawing_in(pictures.orientations(cells, 56, "hog")),
    )
    assert len(lines) == 1, "nothing is drawn where nothing is"
    x1, y1, x2, y2 = map(float, lines[0])
    assert (x1 + x2) / 2 == pytest.approx(1.5, abs=0.01)
    # The gradient points at 22.5 degrees, so that the stroke runs at 112.5.
    assert abs((y2 - y1) / (x2 - x1)) == pytest.approx(np.tan(np.deg2rad(67.5)), rel=0.1)


def test_bars_single_out_the_most_probable_class() -> None:
    probabilities = np.full(10, 0.01)
    probabilities[7] = 0.91
    html = pictures.bars(probabilities)
    rows = re.findall(
        r'<div class="hdr-bar( hdr-best)?">.*?hdr-label">(\d)<.*?width:([\d.]+)%.*?hdr-value">([^<]*)<', html
    )
    assert [int(label) for _, label, _, _ in rows] == list(range(10))
    assert [int(label) for best, label, _, _ in rows if best] == [7]
    assert rows[7][2:] == ("91.0", "91.0\u202f%")
    assert html.count("background:") == 1
    assert DIGITS[7] in html


def test_bars_of_nothing_keep_their_place_and_claim_nothing() -> None:
    html = pictures.bars(None)
    assert html.count('class="hdr-bar"') == 10
    assert "hdr-best" not in html
    assert "%</span>" not in html


@pytest.mark.parametrize(
    ("share", "digits", "text"),
    [
        (0.9892, 2, "98.92 %"),
        (0.5, 0, "50 %"),
        (1.0, 2, "100.00 %"),
        (0.999999, 2, "99.99 %"),
        (0.9996, 1, "99.9 %"),
        (0.0, 1, "0.0 %"),
    ],
)
def test_percent(share: float, digits: int, text: str) -> None:
    assert pictures.percent(share, digits) == text.replace(" ", "\u202f")


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 3))
def test_percent_never_claims_all_of_what_is_not(share: float, digits: int) -> None:
    assert not pictures.percent(share, digits).startswith("100")


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (999, "999"), (60000, "60 000"), (1234567, "1 234 567")])
def test_count(number: int, text: str) -> None:
    assert pictures.count(number) == text.replace(" ", "\u202f")


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
    assert pictures.duration(seconds) == text.replace(" ", "\u202f")
