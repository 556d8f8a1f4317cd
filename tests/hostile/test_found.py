"""What was found by sending hostile input, each once and for all."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from hdr.datasets.uploads import reader
from hdr.images import MAX_JPEG_SCANS
from hdr.reading import ImageError, open_image, read_number, ready
from hdr.types import Strokes
from tests.hostile.guard import MEMORY, SECONDS, Cost, measured


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    """A picture as a file."""
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def cost(data: bytes) -> Cost:
    """What opening or refusing a picture takes."""

    def work() -> None:
        with contextlib.suppress(ImageError):
            open_image(data)

    return measured(work)


def with_scans(more: int) -> bytes:
    """A progressive JPEG of 19 million pixels in some kilobytes, whose last scan comes so many times more."""
    data = saved(Image.new("L", (4400, 4400), 200), "JPEG", progressive=True)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * more + data[-2:]


def test_a_jpeg_of_many_scans_is_refused_at_once() -> None:
    # 95 kB took four seconds, and a file as large as is allowed would have taken a quarter of an hour.
    data = with_scans(500)
    assert len(data) < 100_000
    with pytest.raises(ImageError, match="takes very long to open"):
        open_image(data)
    assert cost(data).seconds < SECONDS / 4
    assert open_image(with_scans(MAX_JPEG_SCANS - 10)).shape == (4400, 4400)


def test_a_tiff_that_holds_a_jpeg_is_refused() -> None:
    with pytest.raises(ImageError, match="takes very long to open"):
        open_image(saved(Image.new("L", (64, 64), 200), "TIFF", compression="jpeg"))


COLOURED = Image.fromarray(np.random.default_rng(0).integers(0, 255, (375, 500, 3), dtype=np.uint8)).resize(
    (4000, 3000)
)
EXIF = Image.Exif()
EXIF[0x0112] = 6
PHOTOS = {
    "a phone's photo": lambda: saved(COLOURED, "JPEG", exif=EXIF),
    "a progressive one": lambda: saved(COLOURED, "JPEG", progressive=True),
    "one for printing": lambda: saved(COLOURED.convert("CMYK"), "JPEG", progressive=True),
    "a screenshot": lambda: saved(COLOURED, "PNG", compress_level=1, exif=EXIF),
    "with transparency": lambda: saved(COLOURED.convert("LA"), "PNG", compress_level=1),
    "deep": lambda: saved(Image.fromarray(np.full((3000, 4000), 30_000, np.uint16)), "TIFF"),
    "a large WebP": lambda: saved(COLOURED, "WEBP", method=0),
    "the largest WebP": lambda: saved(COLOURED.resize((2000, 2000)), "WEBP", method=0, lossless=True),
    "a strip of bits": lambda: saved(Image.new("1", (1, 19_999_999)), "PNG"),
    "a tall strip": lambda: saved(Image.new("L", (300, 65_535)), "PNG"),
    "a strip": lambda: saved(Image.new("RGB", (65_535, 268)), "PNG"),
}


@pytest.mark.parametrize("kind", PHOTOS)
def test_no_picture_takes_more_than_is_allowed(kind: str) -> None:
    # A phone's photo took 130 MB, 200 MB where it had been held sideways.
    data = PHOTOS[kind]()
    taken = cost(data)
    assert taken.memory < MEMORY
    assert taken.seconds < SECONDS


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_exif_data_say(orientation: int) -> None:
    # Pillow's own way takes two copies in colour; this is the same.
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(COLOURED.resize((40, 24)), "PNG", exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("L")
    np.testing.assert_array_equal(open_image(data), np.asarray(expected))


def test_a_zip_whose_directory_says_that_it_lies_elsewhere_is_refused_in_plain_words() -> None:
    # Python's reader then looked for a file 200 bytes before the first one, and fell over that.
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for label in range(10):
            archive.writestr(f"{label}/0.png", saved(Image.new("L", (28, 28), 200), "PNG"))
    data = bytearray(stream.getvalue())
    end = data.rindex(b"PK\x05\x06")
    (start,) = struct.unpack_from("<I", data, end + 16)
    struct.pack_into("<I", data, end + 16, start + 200)
    with pytest.raises(reader.UploadError):
        reader.read([reader.Upload("mine.zip", bytes(data))])


def bars(count: int, points: int) -> Strokes:
    """Upright strokes side by side."""
    y = np.linspace(20, 250, points)
    return [np.stack([np.full(points, 10 + 700 / count * i), y], axis=1) for i in range(count)]


@pytest.mark.parametrize("drawing", [bars(60, 300), bars(300, 60), bars(299, 2)], ids=["long", "many", "short"])
def test_no_drawing_takes_long_to_part(drawing: Strokes) -> None:
    # Sixty bars took 22 seconds, three hundred more than a minute: each was drawn anew for all that it stands near.
    reader = ready.load()
    read_number(drawing[:2], reader, reader)
    taken = measured(lambda: read_number(drawing, reader, reader))
    assert taken.seconds < SECONDS
