"""Data sets from outside: every form that is understood, and everything that is wrong with them."""

from __future__ import annotations

import gzip
import io
import pickle
import stat
import struct
import tracemalloc
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as patience
from hypothesis import strategies as st
from PIL import Image

from hdr.datasets.uploads.reader import Limits, Upload, UploadedDigits, UploadError, read
from hdr.images import open_image
from tests.support.fake_datasets import album, csv, digits, idx, npz, png, zipped

IMAGES, LABELS = digits()
TEST_IMAGES, TEST_LABELS = digits(60, 1)


def same(found: UploadedDigits, test: bool = False) -> None:
    np.testing.assert_array_equal(found.train.images, IMAGES)
    np.testing.assert_array_equal(found.train.labels, LABELS)
    assert not found.skipped and not found.train.framed
    assert (found.test is not None) == test
    if found.test:
        np.testing.assert_array_equal(found.test.images, TEST_IMAGES)
        np.testing.assert_array_equal(found.test.labels, TEST_LABELS)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("header", [True, False])
def test_csv_in_mnists_layout(header: bool, mark: str) -> None:
    same(read([Upload("d.csv", csv(IMAGES, LABELS, header, mark))]))


def test_csv_with_the_label_last_where_its_name_says_so() -> None:
    same(read([Upload("d.csv", csv(IMAGES, LABELS, last=True))]))


def test_csv_with_windows_lines_a_mark_at_its_start_and_compressed() -> None:
    data = b"\xef\xbb\xbf" + csv(IMAGES, LABELS).replace(b"\n", b"\r\n")
    same(read([Upload("d.csv", data)]))
    same(read([Upload("d.csv.gz", gzip.compress(data))]))
    same(read([zipped({"mnist_train.csv": data})]))


def test_two_tables_in_a_zip_are_training_and_test() -> None:
    files = {"mnist_train.csv": csv(IMAGES, LABELS), "mnist_test.csv": csv(TEST_IMAGES, TEST_LABELS)}
    same(read([zipped(files)]), test=True)


def test_a_test_file_of_ones_own() -> None:
    same(read([Upload("a.csv", csv(IMAGES, LABELS))], [Upload("b.csv", csv(TEST_IMAGES, TEST_LABELS))]), test=True)


def test_idx_as_two_files_plain_or_compressed() -> None:
    same(read([Upload("labels", idx(LABELS)), Upload("images", gzip.compress(idx(IMAGES)))]))


def test_idx_as_mnist_is_published_in_a_zip() -> None:
    files = {
        "train-images-idx3-ubyte.gz": gzip.compress(idx(IMAGES)),
        "train-labels-idx1-ubyte.gz": gzip.compress(idx(LABELS)),
        "t10k-images-idx3-ubyte": idx(TEST_IMAGES),
        "t10k-labels-idx1-ubyte": idx(TEST_LABELS),
    }
    same(read([zipped(files)]), test=True)


def test_idx_with_qmnists_eight_columns_of_labels() -> None:
    columns = np.zeros((len(LABELS), 8), np.int32)
    columns[:, 0], columns[:, 2] = LABELS, 4711
    same(read([Upload("images", idx(IMAGES)), Upload("labels", idx(columns))]))


@pytest.mark.parametrize(
    "arrays",
    [
        {"x_train": IMAGES, "y_train": LABELS, "x_test": TEST_IMAGES, "y_test": TEST_LABELS},
        {"train_images": IMAGES, "train_labels": LABELS, "test_images": TEST_IMAGES, "test_labels": TEST_LABELS},
        {"images": IMAGES, "labels": LABELS.astype(np.int64)},
        {"data": IMAGES.reshape(-1, 784) / 255.0, "target": LABELS.astype(np.float64)},
        {"X": IMAGES[:, None].astype(np.float32), "y": LABELS},
        {"x": IMAGES[..., None].astype(np.int16), "y": np.eye(10)[LABELS]},
        {"images": (IMAGES / 127.5 - 1).astype(np.float64), "labels": LABELS[:, None]},
        {"images": IMAGES, "labels": LABELS, "names": np.array(["a", "b"], dtype=object)},
    ],
)
def test_npz_by_the_common_names(arrays: dict[str, np.ndarray]) -> None:
    same(read([npz(**arrays)]), test="test" in "".join(arrays))


def test_npz_without_names() -> None:
    stream = io.BytesIO()
    np.savez(stream, IMAGES, LABELS)
    same(read([Upload("d.npz", stream.getvalue())]))


def test_a_zip_of_pictures_in_folders() -> None:
    found = read([zipped({**album(IMAGES, LABELS), "readme.txt": b"hello", "__MACOSX/1/._a.png": b"x"})])
    order = np.argsort(LABELS, kind="stable")
    assert sorted(found.train.labels) == sorted(LABELS[order])
    assert {i.tobytes() for i in found.train.images} == {i.tobytes() for i in IMAGES}
    assert found.skipped == {"files that are no pictures": 1} and found.examples == ("readme.txt",)


def test_a_zip_with_folders_for_training_and_testing() -> None:
    found = read([zipped(album(IMAGES, LABELS, "d/train/") | album(TEST_IMAGES, TEST_LABELS, "d/test/"))])
    assert len(found.train.labels) == 200 and len(found.test.labels) == 60


def test_pictures_of_another_size_and_dark_ink_come_into_mnists_frame() -> None:
    large = np.stack([cv2.resize(i, (60, 60), interpolation=cv2.INTER_AREA) for i in IMAGES[:40]])
    dark = read([zipped(album(255 - large, LABELS[:40]))]).train
    bright = read([npz(images=large, labels=LABELS[:40])]).train
    assert dark.framed and bright.framed
    key = lambda p: sorted((int(k), i.tobytes()) for k, i in zip(p.labels, p.images, strict=True))  # noqa: E731
    assert key(dark) == key(bright)
    # The longer side is 20 pixels, on a dark border.
    assert (np.array([cv2.boundingRect((i > 40).astype(np.uint8))[2:] for i in dark.images]).max(axis=1) <= 22).all()


def _as_photo(image: np.ndarray, kind: str) -> bytes:
    picture = Image.fromarray(255 - cv2.resize(image, (120, 90), interpolation=cv2.INTER_CUBIC))
    stream = io.BytesIO()
    if kind == "rotated":
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.transpose(Image.Transpose.ROTATE_90).save(stream, "JPEG", quality=95, exif=exif)
    elif kind == "CMYK":
        picture.convert("CMYK").save(stream, "JPEG", quality=95)
    elif kind == "16 bit":
        Image.fromarray(np.asarray(picture).astype(np.uint16) * 16).save(stream, "PNG")
    elif kind == "transparent":
        ink = Image.new("L", picture.size, 0)
        Image.merge("LA", (ink, Image.eval(picture, lambda v: 255 - v))).save(stream, "PNG")
    else:
        picture.save(stream, "TIFF")
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["rotated", "CMYK", "16 bit", "transparent", "TIFF"])
def test_a_photo_in_a_zip_opens_as_it_does_on_the_draw_page(kind: str) -> None:
    end = {"rotated": "JPG", "CMYK": "jpeg", "TIFF": "tif"}.get(kind, "png")
    data = _as_photo(IMAGES[3], kind)
    found = read([zipped({f"{LABELS[3]}/photo.{end}": data})]).train
    plain = read([zipped({f"{LABELS[3]}/photo.png": png(open_image(data))})]).train
    np.testing.assert_array_equal(found.images, plain.images)
    upright = read([zipped({f"{LABELS[3]}/photo.tif": _as_photo(IMAGES[3], "TIFF")})]).train
    assert np.abs(found.images.astype(int) - upright.images).mean() < 3


def test_a_photo_of_twelve_million_pixels_becomes_a_digit_in_little_memory() -> None:
    photo = cv2.resize(255 - IMAGES[3], (4_000, 3_000), interpolation=cv2.INTER_CUBIC)
    small = cv2.resize(255 - IMAGES[3], (400, 300), interpolation=cv2.INTER_CUBIC)
    upload = zipped({f"{LABELS[3]}/photo.jpg": cv2.imencode(".jpg", photo)[1].tobytes()})
    tracemalloc.start()
    found = read([upload]).train
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000_000
    expected = read([zipped({f"{LABELS[3]}/photo.png": png(small)})]).train
    assert np.abs(found.images.astype(int) - expected.images).mean() < 4


def test_what_is_wrong_with_single_digits_is_counted_and_the_rest_is_used() -> None:
    lines = csv(IMAGES, LABELS).split(b"\n")
    lines[3], lines[7], lines[9] = b"1,2,3", lines[7].replace(b",0,", b",999,", 1), b"12" + lines[9][1:]
    found = read([Upload("d.csv", b"\n".join(lines))])
    assert len(found.train.labels) == 197
    assert found.skipped == {
        "lines without 785 numbers": 1,
        "lines with values that are not 0 to 255": 1,
        "labels that are not 0 to 9": 1,
    }
    assert "line 4" in found.examples and "line 8" in found.examples


def patched(data: bytes, flag: int = 0, attributes: int | None = None) -> bytes:
    """A ZIP whose list of files says something else."""
    out, start = bytearray(data), 0
    while (start := out.find(b"PK\x01\x02", start)) >= 0:
        struct.pack_into("<H", out, start + 8, flag)
        if attributes is not None:
            struct.pack_into("<I", out, start + 38, attributes << 16)
        start += 4
    return bytes(out)


def evil_header(text: str) -> bytes:
    head = text.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head


class Evil:
    def __reduce__(self) -> tuple:
        return (open, (str(Path(__file__).parent / "pwned"), "w"))


GOOD_ZIP = zipped(album(IMAGES[:50], LABELS[:50])).data

HOSTILE = {
    "empty": (b"", "empty"),
    "words": (b"hello world", "785"),
    "binary": (bytes(range(1, 256)) * 50, "785|none of the files"),
    "html": (b"<html><script>alert(1)</script></html>", "785"),
    "pickle": (pickle.dumps(Evil()), "not understood"),
    "a picture": (png(IMAGES[0]), "not understood"),
    "npy": (b"\x93NUMPY\x01\x00" + b"v" * 200, "not understood"),
    "half a zip": (GOOD_ZIP[: len(GOOD_ZIP) // 2], "damaged"),
    "zip in a zip": (zipped({"a.zip": GOOD_ZIP}).data, "not understood"),
    "no labels in names": (zipped({"a/x.png": png(IMAGES[0])}).data, "folders named 0 to 9"),
    "outside": (zipped({"../../1/x.png": png(IMAGES[0])}).data, "outside itself"),
    "outside, by backslash": (zipped({"..\\1\\x.png": png(IMAGES[0])}).data, "outside itself"),
    "from the root": (zipped({"/1/x.png": png(IMAGES[0])}).data, "outside itself"),
    "from a drive": (zipped({"C:/1/x.png": png(IMAGES[0])}).data, "outside itself"),
    "link": (patched(GOOD_ZIP, attributes=stat.S_IFLNK | 0o777), "a link"),
    "encrypted": (patched(GOOD_ZIP, flag=1), "encrypted"),
    "zip bomb": (zipped({"1/a.png": bytes(30_000_000)}).data, "times"),
    "gzip bomb": (gzip.compress(bytes(30_000_000)), "IDX"),
    "gzip bomb of text": (gzip.compress(b"1," * 15_000_000), "letters"),
    "gzip bomb of lines": (gzip.compress(b"\n" * 30_000_000), "none of the files|785"),
    "pictures that are none": (zipped({f"{k}/a.png": b"no" for k in range(9)}).data, "cannot be opened"),
    "idx of a billion": (struct.pack(">BBBBIII", 0, 0, 8, 3, 10**9, 28, 28) + b"x", "announces"),
    "idx of a huge picture": (struct.pack(">BBBBIII", 0, 0, 8, 3, 1, 2**31, 2**31), "at most"),
    "idx that is short": (idx(IMAGES)[:-1], "too early"),
    "idx that is long": (idx(IMAGES) + b"x", "goes on"),
    "idx of floats": (struct.pack(">BBBBIII", 0, 0, 13, 3, 1, 28, 28) + bytes(4 * 784), "bytes"),
    "pictures without labels": (idx(IMAGES), "go together"),
    "labels without pictures": (idx(LABELS), "without pictures"),
    "wrong labels": (npz(images=IMAGES, labels=LABELS + 10).data, "No digit"),
    "too few labels": (npz(images=IMAGES, labels=LABELS[:5]).data, "5 labels"),
    "npz of objects": (npz(images=np.array([Evil()], dtype=object), labels=LABELS).data, "never Python objects"),
    "npz of text": (npz(images=np.array(["x" * 784]), labels=LABELS[:1]).data, "plain numbers"),
    "npz with nan": (npz(images=np.full((9, 28, 28), np.nan), labels=LABELS[:9]).data, "no numbers"),
    "npz of wrong values": (npz(images=IMAGES * 1e9, labels=LABELS).data, "right would be 0 to 255"),
    "npz of other names": (npz(a=IMAGES, b=LABELS, c=LABELS).data, "x_train"),
    "npz by column": (npz(images=np.asfortranarray(IMAGES), labels=LABELS).data, "column by column"),
    "npz of oblong ones": (npz(images=IMAGES.reshape(-1, 784)[:, :700], labels=LABELS).data, "square"),
    "npz with a lying header": (
        zipped(
            {
                "images.npy": evil_header("{'descr': '|u1', 'fortran_order': False, 'shape': (9, 28, 28), }") + b"xx",
                "labels.npy": b"",
            }
        ).data,
        "too early",
    ),
    "npz with a deep header": (
        zipped({"images.npy": evil_header("[" * 90 + "]" * 20), "labels.npy": b""}).data,
        "not a sound array",
    ),
    "npz with a huge type": (
        zipped(
            {
                "images.npy": evil_header("{'descr': '|V999999999', 'fortran_order': False, 'shape': (9, 28, 28), }"),
                "labels.npy": b"",
            }
        ).data,
        "plain numbers",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_is_refused_in_plain_words_and_for_little_memory(name: str) -> None:
    data, why = HOSTILE[name]
    tracemalloc.start()
    with pytest.raises(UploadError, match=why) as refused:
        read([Upload("<img src=x onerror=alert(1)>\u202e", data)], limits=Limits(10_000))
    assert tracemalloc.get_traced_memory()[1] < 60_000_000
    tracemalloc.stop()
    assert "Traceback" not in str(refused.value) and "\u202e" not in str(refused.value)
    assert not (Path(__file__).parent / "pwned").exists()


def test_a_list_of_a_million_files_is_not_even_read() -> None:
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 0) + bytes(16)
    listed = entry * 700_000
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 65_535, 65_535, len(listed), 0, 0)
    with pytest.raises(UploadError, match="far more files"):
        read([Upload("d.zip", listed + end)], limits=Limits(10_000))


def test_more_digits_than_allowed_are_refused() -> None:
    for file in (
        npz(images=IMAGES, labels=LABELS),
        Upload("d.csv", csv(IMAGES, LABELS)),
        zipped(album(IMAGES, LABELS)),
    ):
        with pytest.raises(UploadError, match="100"):
            read([file], limits=Limits(100))


def test_it_does_not_take_for_ever() -> None:
    with pytest.raises(UploadError, match="longer than"):
        read([Upload("d.csv", csv(IMAGES, LABELS))], limits=Limits(seconds=0))


SOURCES = [
    GOOD_ZIP,
    npz(images=IMAGES[:40], labels=LABELS[:40]).data,
    csv(IMAGES[:40], LABELS[:40]),
    gzip.compress(csv(IMAGES[:40], LABELS[:40])),
    zipped({"train-images": idx(IMAGES[:40]), "train-labels": idx(LABELS[:40])}).data,
]


@given(
    source=st.sampled_from(SOURCES),
    places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12),
    cut=st.floats(0.2, 1.5),
)
@patience(max_examples=150 * patience().max_examples // 100)
def test_damage_anywhere_is_found_or_harmless(source: bytes, places: list[tuple[float, int]], cut: float) -> None:
    data = bytearray(source)
    for where, value in places:
        data[min(int(where * len(data)), len(data) - 1)] = value
    try:
        found = read([Upload("d", bytes(data[: int(cut * len(data))]))], limits=Limits(5_000, 20))
    except UploadError:
        return
    assert found.train.images.shape[1:] == (28, 28) and found.train.labels.max() <= 9


def test_a_zip_file_that_python_cannot_unpack_is_said() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("1/a.png", png(IMAGES[0]))
    data = bytearray(stream.getvalue())
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        struct.pack_into("<H", data, data.find(mark) + (8 if mark[2] == 3 else 10), 97)
    with pytest.raises(UploadError, match="cannot be read"):
        read([Upload("d.zip", bytes(data))])
