"""A photo on Preprocess: the made-up sheet, a photo of one's own, and files that are none or mean harm."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from hdr.types import Split
from tests.browser.conftest import Server, settled
from tests.browser.looking import choose, click, decoded, figures, overflow, step_titles

SPARE = 150_000_000
"""Bytes by which a server may grow while it refuses files."""


@pytest.fixture(scope="module")
def photo(digits: Split) -> NDArray[np.uint8]:
    """Five digits in dark ink on paper under a lamp, uint8 (360, 1100)."""
    light = 225 - 60 * np.linspace(0, 1, 1100)[None] - 25 * np.linspace(0, 1, 360)[:, None]
    for place in range(5):
        joined = cv2.morphologyEx(digits.images[place], cv2.MORPH_CLOSE, np.ones((5, 5)))
        x, y = 50 + place * 205, 90 + 12 * (place % 3)
        light[y : y + 168, x : x + 168] -= 0.55 * cv2.resize(joined, (168, 168), interpolation=cv2.INTER_CUBIC)
    return np.clip(light + np.random.default_rng(0).normal(0, 4, light.shape), 0, 255).astype(np.uint8)


def jpeg(picture: NDArray[np.uint8], turned: bool = False) -> bytes:
    """A picture as a camera saves it; `turned` where it was held sideways, and the file says so."""
    exif = Image.Exif()
    if turned:
        picture, exif[0x0112] = np.rot90(picture).copy(), 6
    stream = io.BytesIO()
    Image.fromarray(picture).convert("RGB").save(stream, "JPEG", quality=92, exif=exif)
    return stream.getvalue()


def png(width: int, height: int, pixels: bytes) -> bytes:
    """A PNG that claims a size; `pixels` is what is packed inside."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def upload(page: Page, name: str, data: bytes) -> None:
    """Choose a file as people do in the dialog of their system."""
    settled(page)
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    )


def source(page: Page) -> Locator:
    """The first card of the strip."""
    return page.locator(".st-key-card-0-source")


def found(page: Page, count: int) -> None:
    """The page says how many digits it has found, and shows them."""
    expect(page.locator(".st-key-card-cut")).to_contain_text(f"{count} found")
    settled(page)
    expect(page.locator(".st-key-chain_menu .hdr-sheet img")).to_have_count(count)


def memory(server: Server) -> int:
    """Bytes that the server has had at most."""
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def open_photo(page: Page, server: Server) -> None:
    """Open Preprocess and choose a photo."""
    page.goto(f"{server.url}/preprocess")
    expect(step_titles(page)).to_have_count(6)
    choose(page, "A photo")
    expect(source(page)).to_contain_text("a made-up sheet")


def test_the_made_up_sheet_is_cut_into_its_ten_digits(server: Server, page: Page) -> None:
    open_photo(page, server)
    found(page, 10)
    sheet = page.locator(".st-key-chain_menu .hdr-sheet img")
    digits = [decoded(i.get_attribute("src")) for i in sheet.all()]
    assert {d.shape for d in digits} == {(28, 28)}
    assert len({d.tobytes() for d in digits}) == 10
    # The step after the cut is shown large: what it gets is the digit that goes on.
    index = step_titles(page).all_inner_texts().index("Deskew")
    click(page, f"select-{index}")
    expect(figures(page).first).to_contain_text("digit 1 of 10")
    last = page.locator(".st-key-strip img.hdr-digit").last
    before = last.get_attribute("src")
    page.locator(".st-key-cut_digit").get_by_role("button", name="Increment").click()
    expect(figures(page).first).to_contain_text("digit 2 of 10")
    expect(last).not_to_have_attribute("src", before)


def test_a_photo_of_ones_own_is_turned_upright_and_cut_and_outlives_a_change_of_the_chain(
    server: Server, page: Page, photo: NDArray[np.uint8]
) -> None:
    open_photo(page, server)
    upload(page, "IMG_0001.JPG", jpeg(photo, turned=True))
    expect(source(page)).to_contain_text("your photo, 1100×360")
    found(page, 5)
    shown = decoded(source(page).locator("img.hdr-digit").get_attribute("src"))
    small = cv2.resize(photo, shown.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(shown.astype(int) - small).mean() < 3, "upright, and nothing but smaller"
    assert overflow(page) == []
    click(page, "select-1")
    expect(page.locator(".st-key-settings")).to_contain_text("2. ")
    steps = step_titles(page).count()
    click(page, "remove")
    expect(step_titles(page)).to_have_count(steps - 1)
    settled(page)
    expect(source(page)).to_contain_text("your photo, 1100×360")
    page.get_by_role("button", name="Remove IMG_0001.JPG").click()
    expect(source(page)).to_contain_text("a made-up sheet")


def test_what_is_no_picture_is_told_plainly_and_the_page_goes_on(
    server: Server, page: Page, photo: NDArray[np.uint8]
) -> None:
    whole = jpeg(photo)
    hostile = {
        "empty.png": (b"", "is empty"),
        "letter.png": (b"Dear reader, this is no picture. " * 50, "not a picture that can be opened"),
        "script.png": (b"<script>alert(1)</script>", "not a picture that can be opened"),
        "half.jpg": (whole[: len(whole) // 2], "damaged or incomplete"),
        "header.png": (png(10_000, 5_000, b""), "10,000 x 5,000 pixels"),
        "bomb.png": (png(30_000, 30_000, bytes(30_000 * 2_000)), "far too many pixels"),
    }
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
    open_photo(page, server)
    found(page, 10)
    before = memory(server)
    for name, (data, message) in hostile.items():
        upload(page, name, data)
        warning = page.get_by_test_id("stAlert")
        expect(warning).to_contain_text(message)
        assert len(warning.inner_text()) < 400
        found(page, 10)
        page.get_by_role("button", name=f"Remove {name}").click()
        expect(warning).to_have_count(0)
    assert memory(server) - before < SPARE
    assert "Traceback" not in page.locator("body").inner_text()
    upload(page, "photo.jpg", whole)
    found(page, 5)
    assert "Traceback" not in server.log
