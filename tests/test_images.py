"""Pictures from outside: every format, every depth, every kind of damage; and ink on paper."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hdr.images import FORMATS, MAX_BYTES, MAX_PIXELS, ImageError, open_image


def seven(paper: int = 255, ink: int = 0) -> np.ndarray:
    """A 7 of thick strokes, uint8 (90, 60)."""
    picture = np.full((90, 60), paper, np.uint8)
    cv2.polylines(picture, [np.array([[15, 15], [45, 15], [25, 75]])], False, ink, 6)
    return picture


def saved(picture: Image.Image, form: str, **options: object) -> bytes:
    """A picture as a file's content."""
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def png_header(width: int, height: int, pixels: bytes = b"", **more: bytes) -> bytes:
    """A PNG that claims a size, with no pixels or those, and maybe with other chunks before them."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [chunk(b"IHDR", header), *(chunk(name.encode(), data) for name, data in more.items())]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_opens(form: str) -> None:
    mode = "P" if form == "GIF" else "RGB"
    grey = open_image(saved(Image.fromarray(seven()).convert(mode), form))
    assert grey.shape == (90, 60) and grey.dtype == np.uint8 and grey.flags.writeable
    assert np.abs(grey.astype(int) - seven()).mean() < 6


def test_a_file_opens_by_its_path(tmp_path: Path) -> None:
    Image.fromarray(seven()).save(tmp_path / "seven.png")
    assert (open_image(tmp_path / "seven.png") == seven()).all()
    assert (open_image(str(tmp_path / "seven.png")) == seven()).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I", "F", "I;16"])
def test_every_mode_gives_the_same_grey(mode: str) -> None:
    picture = Image.fromarray(seven())
    if mode == "I;16":
        picture = Image.fromarray(seven().astype(np.uint16) * 257)
    elif mode == "LAB":
        picture = Image.merge("LAB", (picture, Image.new("L", (60, 90), 128), Image.new("L", (60, 90), 128)))
    elif mode not in ("L",):
        picture = picture.convert(mode)
    grey = open_image(saved(picture, "PNG" if mode in ("1", "LA", "P", "RGBA") else "TIFF"))
    assert np.abs(grey.astype(int) - seven()).max() < 8


def test_twelve_bits_in_sixteen_are_seen() -> None:
    values = seven().astype(np.uint16) * 16
    assert open_image(saved(Image.fromarray(values), "PNG")).max() > 240


def test_what_is_transparent_is_white() -> None:
    alpha = 255 - seven()
    picture = Image.merge("RGBA", [Image.new("L", (60, 90), 0)] * 3 + [Image.fromarray(alpha)])
    assert (open_image(saved(picture, "PNG")) == seven()).all()


def test_infinite_and_undefined_values_count_as_black() -> None:
    values = np.full((4, 6), 0.5, np.float32)
    values[0] = [np.nan, np.inf, -np.inf, -3, 1, 0]
    grey = open_image(saved(Image.fromarray(values), "TIFF"))
    assert grey[0].tolist() == [0, 0, 0, 0, 255, 0]
    assert (grey[1:] == 128).all()


@pytest.mark.parametrize("form", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_in_grey_colour_and_with_alpha(channels: int, form: str) -> None:
    deep = np.repeat(seven().astype(np.uint16)[:, :, None] * 257, channels, axis=2)
    if channels == 4:
        deep[:, :, 3] = 65535
    grey = open_image(cv2.imencode(form, deep)[1].tobytes())
    assert np.abs(grey.astype(int) - seven()).max() <= 1


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_four_inks_are_paper_where_none_is(form: str) -> None:
    picture = Image.new("CMYK", (60, 90), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (10, 10, 30, 50))
    picture.paste((255, 255, 255, 0), (35, 10, 50, 50))
    grey = open_image(saved(picture, form))
    assert grey[70, 30] > 250
    assert grey[30, 20] < 5
    assert grey[30, 42] < 5, "all three colours over each other are black"


def test_colours_are_as_grey_as_they_look() -> None:
    picture = Image.new("RGB", (4, 1))
    for x, colour in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]):
        picture.putpixel((x, 0), colour)
    assert open_image(saved(picture, "PNG"))[0].tolist() == [76, 150, 29, 255]


@pytest.mark.parametrize("form", ["PNG", "GIF", "WEBP"])
def test_of_moving_pictures_the_first_is_taken(form: str) -> None:
    frames = [Image.fromarray(seven()), Image.new("L", (60, 90), 0), Image.new("L", (60, 90), 255)]
    moving = saved(frames[0], form, save_all=True, append_images=frames[1:])
    assert np.abs(open_image(moving).astype(int) - seven()).mean() < 2


TURNS = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).T,
    8: lambda a: np.rot90(a, -1),
}
"""How a camera stores a picture, by the number that its EXIF data then have."""


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", TURNS)
def test_exif_rotation_is_applied(orientation: int, form: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = saved(Image.fromarray(TURNS[orientation](seven()).copy()), form, exif=exif)
    grey = open_image(stored)
    assert grey.shape == (90, 60)
    assert np.abs(grey.astype(int) - seven()).mean() < 6


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"just some text, not a picture", "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "not a picture"),
        (b"%PDF-1.4 " + bytes(100), "not a picture"),
        (b"P5 2 2 255 " + bytes(4), "not a picture"),
        (png_header(5000, 5000), "5,000 x 5,000"),
        (png_header(60000, 60000), "too many pixels"),
        (png_header(50, 50), "damaged or incomplete"),
        (bytes(MAX_BYTES + 1), "at most"),
    ],
    ids=["empty", "text", "only a signature", "pdf", "pnm", "25 megapixels", "bomb", "no pixels", "too long"],
)
def test_what_is_no_picture_is_refused_in_plain_words(data: bytes, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        open_image(data)


BOMB = bytes(200_000_000)
"""What 200 kB of a file can hold when they are unpacked."""

BOMBS = {
    "more pixels than the header says": lambda: png_header(50, 50, BOMB),
    "a text": lambda: png_header(50, 50, bytes(51 * 50), zTXt=b"note\0\0" + zlib.compress(BOMB)),
    "a colour profile": lambda: png_header(50, 50, bytes(51 * 50), iCCP=b"name\0\0" + zlib.compress(BOMB)),
}


COST = """
import contextlib, resource, sys
from hdr.images import ImageError, open_image
data = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with contextlib.suppress(ImageError):
    open_image(data)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def cost(data: bytes) -> float:
    """Bytes of memory that it takes to open a picture or refuse it in a new process."""
    pytest.importorskip("resource", reason="this system does not say how much memory a process took")
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", COST], input=data, capture_output=True, check=True, cwd=root)
    # Bytes on macOS, kilobytes elsewhere.
    return float(done.stdout) * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.parametrize("kind", BOMBS)
def test_what_swells_when_unpacked_takes_little_memory(kind: str) -> None:
    data = BOMBS[kind]()
    assert len(data) < 400_000
    assert cost(data) < 50_000_000


def test_the_largest_deep_picture_takes_little_more_than_a_coloured_one() -> None:
    side = int(MAX_PIXELS**0.5)
    deep = np.full((side, side), 30_000, np.uint16)
    data = cv2.imencode(".png", deep, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
    assert cost(data) < 16 * deep.size


def test_size_is_checked_before_anything_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(ImageError, match=f"{MAX_PIXELS:,}"):
        open_image(png_header(5000, 4001))


@pytest.mark.parametrize("form", FORMATS)
def test_a_truncated_picture_is_refused(form: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (80, 80), np.uint8)
    data = saved(Image.fromarray(noise), form)
    with pytest.raises(ImageError):
        open_image(data[: len(data) // 2])


@pytest.mark.filterwarnings("ignore")
@given(st.sampled_from(FORMATS), st.integers(0, 2**32 - 1))
def test_damage_never_gives_another_exception(form: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = bytearray(saved(Image.fromarray(seven()), form))
    for at in rng.integers(0, len(data), 8):
        data[at] = rng.integers(0, 256)
    try:
        grey = open_image(bytes(data))
    except ImageError:
        return
    assert grey.dtype == np.uint8 and grey.ndim == 2


@pytest.mark.parametrize("name", ["missing.png", "", "nul\0byte.png"])
def test_a_path_that_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageError):
        open_image(str(tmp_path / name))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="not a file"):
        open_image(tmp_path / "pipe.png")
