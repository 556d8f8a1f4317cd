"""Preprocess with a photo: the made-up sheet, cutting into digits, and uploads of every kind."""

from __future__ import annotations

import base64
import io
import re
import struct
import zlib

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from streamlit.testing.v1 import AppTest

from hdr import datasets
from hdr.plots.html_images import shrunk
from hdr.preprocessing import PRESETS, Pipeline
from hdr.preprocessing.pipeline import chain
from hdr.types import Split
from hdr.ui.inputs.image_source import MOST_PIXELS
from tests.pages.conftest import Open, healthy, text, unescaped
from tests.pages.looking import add, click, disturb, images, look_at, open_tab, panels, pictures, select, steps

NOISY_PHOTO = [s.name for s in chain(*PRESETS["Noisy photo"]).steps]


@pytest.fixture
def sheet(open_page: Open) -> AppTest:
    """The page with the made-up sheet."""
    return look_at(open_page("preprocess"), "photo")


def upload(app: AppTest, data: bytes, name: str = "photo.png") -> AppTest:
    """Upload a file."""
    app.file_uploader[0].set_value((name, data, "image/png")).run()
    healthy(app)
    return app


def saved(picture: NDArray[np.uint8], form: str = "PNG", **options: object) -> bytes:
    """A picture as a file's content."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, form, **options)
    return stream.getvalue()


def found(app: AppTest) -> int:
    """How many digits the page says were found."""
    return int(re.search(r">(\d+) found<", text(app))[1])


@pytest.fixture(scope="module")
def photo(digits: Split) -> NDArray[np.uint8]:
    """Three digits in dark ink on grey paper, uint8 (300, 700)."""
    picture = np.full((300, 700), 190.0)
    for i, digit in enumerate(digits.images[:3]):
        joined = cv2.morphologyEx(digit, cv2.MORPH_CLOSE, np.ones((5, 5)))
        picture[60:228, 40 + i * 220 : 208 + i * 220] -= 0.6 * cv2.resize(joined, (168, 168))
    return np.clip(picture + np.random.default_rng(0).normal(0, 4, picture.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("dataset", datasets.available())
def test_at_first_there_is_a_sheet_that_is_cut_into_ten_digits(dataset: str, open_page: Open) -> None:
    app = look_at(look_at(open_page("preprocess"), dataset), "photo")
    assert "a made-up sheet" in text(app)
    assert not app.warning
    assert found(app) == 10
    assert len(images(app, 28)) == 10, "each of them is shown"
    assert app.number_input(key="cut_digit").max == 10


def test_its_digits_are_those_of_the_data_set(sheet: AppTest) -> None:
    sources = datasets.load(datasets.available()[0]).test.images[:10]
    rule = chain("otsu", "scale_to_box", "centre_by_mass")
    for source, digit in zip(rule.apply(sources), rule.apply(np.stack(images(sheet, 28))), strict=True):
        both = ((source > 0) & (cv2.dilate(digit, np.ones((3, 3))) > 0)).sum()
        assert both > 0.75 * (source > 0).sum()


def test_another_digit_goes_on(sheet: AppTest) -> None:
    sheet.query_params["chain"] = "inversion~sauvola~deskew~centre_by_mass"
    sheet.run()
    thumbnails = images(sheet, 28)
    for number in (1, 7, 10):
        sheet.number_input(key="cut_digit").set_value(number).run()
        healthy(sheet)
        strip = pictures(sheet)
        assert np.array_equal(strip[-1], chain("deskew", "centre_by_mass").apply(thumbnails[number - 1][None])[0])
        before = panels(select(sheet, 2))[0]
        assert before["title"] == f"before · digit {number} of 10"
        assert np.array_equal(before["pictures"][0], thumbnails[number - 1])


def test_a_number_beyond_what_is_found_is_the_last_one(sheet: AppTest, photo: NDArray[np.uint8]) -> None:
    select(sheet, NOISY_PHOTO.index("deskew"))
    sheet.number_input(key="cut_digit").set_value(9).run()
    healthy(sheet)
    upload(sheet, saved(photo))
    assert found(sheet) == 3
    number, title = (int(sheet.number_input(key="cut_digit").value), panels(sheet)[0]["title"])
    assert title == f"before · digit {number} of 3", "the widget and the picture agree"


def test_steps_before_the_cut_show_the_photo_and_those_after_it_one_digit(sheet: AppTest) -> None:
    shapes = [p.shape for p in pictures(sheet)]
    first_single = NOISY_PHOTO.index("deskew")
    whole = shapes[0]
    assert max(whole) == 280 and whole[0] < whole[1], "a photo is sent no larger than it is shown"
    assert shapes[: first_single + 1] == [whole] * (first_single + 1)
    assert set(shapes[first_single + 1 :]) == {(28, 28)}
    assert panels(select(sheet, 0))[0]["pictures"][0].shape == (341, 640)
    assert panels(select(sheet, first_single))[0]["pictures"][0].shape == (28, 28)


def test_where_digits_were_found_is_drawn_before_the_first_step_that_works_on_one(sheet: AppTest) -> None:
    said = text(sheet)
    at = said.index("cut into digits")
    assert "after Sauvola threshold" in said[:at] and "after Deskew" in said[at:]
    assert "after Deskew" not in said[:at]


def test_a_photo_takes_the_chain_for_photos_where_the_chain_was_a_ready_made_one(sheet: AppTest) -> None:
    assert steps(sheet) == NOISY_PHOTO
    look_at(sheet, datasets.available()[0])
    assert steps(sheet) == NOISY_PHOTO, "and keeps it"


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_ready_made_chain_gives_way(name: str, open_page: Open) -> None:
    app = look_at(open_page("preprocess", {"chain": chain(*PRESETS[name]).to_text()}), "photo")
    assert steps(app) == NOISY_PHOTO


@pytest.mark.parametrize(
    "own", ["median-size-5~contrast_stretching~otsu~deskew~scale_to_box~centre_by_mass", "sauvola"]
)
def test_a_chain_of_ones_own_stays(own: str, open_page: Open) -> None:
    app = look_at(open_page("preprocess", {"chain": own}), "photo")
    assert app.query_params["chain"] == Pipeline.from_text(own).to_text()


def test_other_sources_leave_the_chain_alone(open_page: Open) -> None:
    app = look_at(look_at(open_page("preprocess"), "bundled"), "drawing")
    assert steps(app) == list(PRESETS["Default"])


def test_without_a_step_for_one_digit_a_photo_stays_whole(open_page: Open) -> None:
    app = look_at(open_page("preprocess", {"chain": "inversion~sauvola"}), "photo")
    assert "cut into digits" not in text(app)
    assert not [n for n in app.number_input if n.key == "cut_digit"]
    assert {p.shape for p in pictures(app)} == {pictures(app)[0].shape}
    add(select(app, 1), "deskew")
    assert found(app) == 10


def test_where_no_digit_is_found_it_is_said_what_to_do(sheet: AppTest) -> None:
    upload(sheet, saved(np.full((100, 150), 200, np.uint8)))
    (warning,) = sheet.warning
    assert "No digit was found" in warning.value and "Noisy photo" in warning.value
    assert found(sheet) == 0
    assert not [n for n in sheet.number_input if n.key == "cut_digit"]
    assert not pictures(sheet)[-1].any()


@pytest.mark.parametrize("tab", ["Its whole family", "All ten digits", "Does it help?", "Show me the code"])
@pytest.mark.parametrize("index", [0, 4])
def test_the_tabs_work_with_a_photo(tab: str, index: int, sheet: AppTest) -> None:
    open_tab(select(sheet, index), tab)


def test_a_photo_is_disturbed_and_compared_with_the_clean_one(sheet: AppTest) -> None:
    assert "PSNR " not in text(sheet)
    disturb(sheet)
    over = re.findall(r'<div class="hdr-over" title="(\d)[^"]*PSNR ([\d.]+)', text(sheet))
    assert len(over) == len(NOISY_PHOTO)
    told = panels(select(sheet, 1))[1]["notes"]
    assert told and told[0].startswith("PSNR ")


def test_a_photo_of_ones_own_goes_through_the_chain_at_its_full_resolution(
    sheet: AppTest, photo: NDArray[np.uint8]
) -> None:
    upload(sheet, saved(photo))
    assert not sheet.warning
    assert "your photo, 700×300" in text(sheet)
    assert np.array_equal(pictures(sheet)[0], shrunk(photo, 280))
    assert found(sheet) == 3
    sheet.query_params["chain"] = "inversion~median"
    assert np.array_equal(panels(select(sheet.run(), 0))[0]["pictures"][0], shrunk(photo))
    whole = chain("inversion").apply(photo[None])[0]
    assert np.array_equal(panels(sheet)[1]["pictures"][0], shrunk(whole)), "small is only what is shown"


def test_another_photo_takes_its_place_and_without_one_the_sheet_is_back(
    sheet: AppTest, photo: NDArray[np.uint8]
) -> None:
    upload(sheet, saved(photo))
    upload(sheet, saved(photo[:, :480]))
    assert found(sheet) == 2
    assert "your photo, 480×300" in text(sheet)
    sheet.file_uploader[0].clear().run()
    healthy(sheet)
    assert "a made-up sheet" in text(sheet) and found(sheet) == 10


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_photos_of_every_format_are_read(form: str, sheet: AppTest, photo: NDArray[np.uint8]) -> None:
    ending = form.lower()
    assert f".{ending}" in sheet.file_uploader[0].allowed_type
    upload(sheet, saved(photo, form), f"photo.{ending}")
    assert "your photo, 700×300" in text(sheet) and found(sheet) == 3


@pytest.mark.parametrize("name", ["photo.jpg", "PHOTO.JPG", "scan.tif", "IMG_0001.JPEG"])
def test_other_endings_of_names_are_taken(name: str, sheet: AppTest, photo: NDArray[np.uint8]) -> None:
    upload(sheet, saved(photo, "JPEG"), name)
    assert "your photo, 700×300" in text(sheet)


def test_a_photo_that_was_taken_sideways_is_turned_upright(sheet: AppTest, photo: NDArray[np.uint8]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upload(sheet, saved(np.rot90(photo).copy(), "JPEG", exif=exif), "photo.jpg")
    assert "your photo, 700×300" in text(sheet) and found(sheet) == 3


def test_sixteen_bits_are_read(sheet: AppTest, photo: NDArray[np.uint8]) -> None:
    upload(sheet, cv2.imencode(".png", photo.astype(np.uint16) * 257)[1].tobytes())
    assert np.array_equal(pictures(sheet)[0], shrunk(photo, 280))


def test_a_large_photo_is_averaged_down_and_says_so(sheet: AppTest, photo: NDArray[np.uint8]) -> None:
    large = cv2.resize(photo, (4200, 1800), interpolation=cv2.INTER_CUBIC)
    upload(sheet, saved(large, "JPEG"), "photo.jpg")
    width, height = map(int, re.search(r"your photo, (\d+)×(\d+)", text(sheet)).groups())
    assert 0.98 * MOST_PIXELS < width * height < 1.01 * MOST_PIXELS
    assert width / height == pytest.approx(4200 / 1800, rel=0.01)
    sheet.query_params["chain"] = "inversion~otsu~deskew"
    assert found(sheet.run()) == 3


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 5000), (5000, 1), (1, 65_535)])
def test_photos_of_odd_shapes_are_no_error(size: tuple[int, int], sheet: AppTest) -> None:
    stream = io.BytesIO()
    Image.new("L", size, 200).save(stream, "PNG")
    upload(sheet, stream.getvalue())
    assert "your photo, " in text(sheet)


def png_header(width: int, height: int) -> bytes:
    """A PNG of 60 bytes that claims a size and has no pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def truncated(picture: NDArray[np.uint8]) -> bytes:
    """The first half of a JPEG."""
    data = saved(picture, "JPEG")
    return data[: len(data) // 2]


HOSTILE = {
    "zero bytes": (lambda photo: b"", "empty (0 bytes)"),
    "a text": (lambda photo: b"Dear reader, this is no picture. " * 50, "not a picture that can be opened"),
    "a page": (lambda photo: b"<script>alert(1)</script>", "not a picture that can be opened"),
    "truncated": (truncated, "damaged or incomplete"),
    "too large": (lambda photo: png_header(5000, 4001), "5,000 x 4,001 pixels"),
    "a bomb": (lambda photo: png_header(60_000, 60_000), "far too many pixels"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_picture_is_told_in_plain_words_and_the_sheet_stays(
    kind: str, sheet: AppTest, photo: NDArray[np.uint8]
) -> None:
    make, message = HOSTILE[kind]
    data = make(photo)
    upload(sheet, data)
    (warning,) = sheet.warning
    assert message in unescaped(warning.value)
    assert len(warning.value) < 400 and "Traceback" not in warning.value
    assert "a made-up sheet" in text(sheet) and found(sheet) == 10
    upload(sheet, saved(photo))
    assert not sheet.warning, "and the next file is read"
    assert found(sheet) == 3


def test_a_file_that_is_refused_does_not_bring_back_the_one_before(sheet: AppTest, photo: NDArray[np.uint8]) -> None:
    upload(sheet, saved(photo))
    upload(sheet, b"no picture")
    assert len(sheet.warning) == 1
    assert "a made-up sheet" in text(sheet)


def test_the_same_photo_is_decoded_once(
    sheet: AppTest, photo: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(sheet, saved(photo))
    monkeypatch.setattr("hdr.ui.inputs.image_source.open_image", lambda data: pytest.fail("decoded again"))
    sheet.run()
    healthy(sheet)
    click(sheet, "select-1")
    assert found(sheet) == 3


def test_the_digit_that_goes_on_is_framed_in_another_colour(sheet: AppTest) -> None:
    def colours() -> list[str]:
        (svg,) = re.findall(r'alt="where digits were found" src="data:image/svg\+xml;base64,([^"]+)"', text(sheet))
        return re.findall(r'<rect [^>]*stroke="(#\w+)"', base64.b64decode(svg).decode())

    first = colours()
    assert len(first) == 10 and len(set(first)) == 2 and first.count(first[0]) == 1
    sheet.number_input(key="cut_digit").set_value(4).run()
    assert colours() == [first[1], first[1], first[1], first[0], *[first[1]] * 6]
