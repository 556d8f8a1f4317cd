"""Data sets from outside, read with suspicion: sizes, counts and types are checked before anything is decoded.

Nothing is written, no name becomes a path, and nothing in a file is run.
"""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader

import numpy as np

from hdr.datasets.formats import arrays
from hdr.datasets.formats.idx import DamagedDataError, inflate
from hdr.datasets.formats.mnist_frame import to_mnist_frame
from hdr.datasets.formats.stream import (
    Limits,
    Part,
    UploadBudget,
    UploadError,
    concatenate_and_clear,
    display_name,
    open_stream,
    skip_summary,
)
from hdr.datasets.uploads.image_folders import is_picture, read_pictures
from hdr.datasets.uploads.zip_guard import CHUNK, Archive, path_of
from hdr.types import CLASSES, Images, Labels, ProgressCallback, no_progress

__all__ = ["DigitPool", "Limits", "Upload", "UploadError", "UploadedDigits", "read"]

MAX_FILES = 4
DEFAULT_LIMITS = Limits()
_IMAGE_WORDS = {"x", "image", "images", "img", "imgs", "data", "digits", "pixels", "features"}
_LABEL_WORDS = {"y", "label", "labels", "class", "classes", "target", "targets"}


@dataclass(frozen=True)
class Upload:
    """An uploaded file: its name and content."""

    name: str
    data: bytes


@dataclass(frozen=True)
class DigitPool:
    """Digits that were found.

    Attributes:
        images: uint8 (n, 28, 28), with the polarity that they had, unless `framed`.
        labels: uint8 (n,), 0 to 9.
        framed: True where they had another size and are in MNIST's frame already.
    """

    images: Images
    labels: Labels
    framed: bool


@dataclass(frozen=True)
class UploadedDigits:
    """The content of an upload.

    Attributes:
        train: its digits.
        test: those that are for testing, where it says so.
        skipped: counts of omitted items, by reason.
        examples: where some of it was.
    """

    train: DigitPool
    test: DigitPool | None
    skipped: dict[str, int]
    examples: tuple[str, ...]


def read(
    files: Sequence[Upload],
    tests: Sequence[Upload] = (),
    limits: Limits = DEFAULT_LIMITS,
    report: ProgressCallback = no_progress,
) -> UploadedDigits:
    """Read a data set.

    Args:
        files: one file, or two where pictures and labels are apart, or four where they are so for both splits.
        tests: the same for the test split, where it comes by itself.
        limits: how much it may take.
        report: called with how far it is.

    Raises:
        UploadError: it is not a data set, too large or malicious; the message describes the expected format.
    """
    budget = UploadBudget(limits, report, sum(len(f.data) for f in (*files, *tests)))
    try:
        first, second = _pools(files, budget), _pools(tests, budget) if tests else None
    except (DamagedDataError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UploadError(f"A file is damaged or incomplete: {display_name(str(error))}.") from None
    except (NotImplementedError, RuntimeError, ValueError, OverflowError, OSError) as error:
        # A damaged directory sends Python's own reader to places that are not in the file.
        raise UploadError(f"A file cannot be read: {display_name(str(error))}.") from None
    train, test, parts = first
    if second:
        if test is not None:
            raise UploadError("The first file has a test split already; upload it without a test file of its own.")
        train, test, parts = train, _only(second), parts + second[2]
    if train is None:
        train, test = test, None
    skipped: Counter[str] = sum((p.skipped for p in parts), Counter())
    examples = [e for p in parts for e in p.examples]
    if train is None or not len(train.labels):
        raise UploadError(f"No digit with a label from 0 to 9 was found. {skip_summary(skipped)}".strip())
    count = len(train.labels) + (len(test.labels) if test else 0)
    if sum(skipped.values()) > count:
        raise UploadError(
            f"More was left out ({sum(skipped.values()):,}) than found ({count:,}). {skip_summary(skipped)}"
        )
    return UploadedDigits(train, test, dict(skipped), tuple(examples[:5]))


def _only(pools: tuple[DigitPool | None, DigitPool | None, list[Part]]) -> DigitPool:
    # The test file's own idea of its splits does not count.
    found = [p for p in pools[:2] if p is not None]
    if not found:
        raise UploadError("The test file holds no digit with a label from 0 to 9.")
    return DigitPool(
        np.concatenate([p.images for p in found]),
        np.concatenate([p.labels for p in found]),
        all(p.framed for p in found),
    )


def _pools(files: Sequence[Upload], budget: UploadBudget) -> tuple[DigitPool | None, DigitPool | None, list[Part]]:
    if not files or len(files) > MAX_FILES:
        raise UploadError(f"{len(files)} files were chosen; right would be 1 to {MAX_FILES}.")
    parts: list[Part] = []
    for file in files:
        if not file.data:
            raise UploadError(f"{display_name(file.name)} is empty (0 bytes).")
        parts += _parts(file, budget)
    whole = _paired(parts)
    train = _pool([p for p in whole if p.role != "test"])
    return train, _pool([p for p in whole if p.role == "test"]), whole


def _pool(parts: list[Part]) -> DigitPool | None:
    """The digits of some parts whose labels are 0 to 9; the others are counted."""
    images: list[Images] = []
    labels: list[Labels] = []
    sized = any(p.framed for p in parts)
    for part in parts:
        found = _right(part, sized)
        images.append(found[0])
        labels.append(found[1])
    if not sum(map(len, labels)):
        return None
    return DigitPool(concatenate_and_clear(images), concatenate_and_clear(labels), sized)


def _right(part: Part, sized: bool) -> tuple[Images, Labels]:
    """The digits of a part whose labels are 0 to 9; its own pictures are not needed any longer."""
    images, labels = part.take()
    if sized and not part.framed:
        # One rule for all.
        images = to_mnist_frame(images)
    right = (labels >= 0) & (labels < CLASSES)
    wrong = labels[~right]
    if len(wrong):
        some = ", ".join(str(v) for v in np.unique(wrong)[:3])
        part.record_skip("labels that are not 0 to 9", f"label {some}", len(wrong))
    return images if right.all() else images[right], labels[right].astype(np.uint8)


def _paired(parts: list[Part]) -> list[Part]:
    """Return parts with both pictures and labels; separate files are joined by role."""
    whole = [p for p in parts if p.images is not None and p.labels is not None]
    images = [(p, p.images) for p in parts if p.labels is None and p.images is not None]
    labels = [(p.role, p.labels) for p in parts if p.images is None and p.labels is not None]
    for one, pictures in images:
        fitting = [k for k, (role, _) in enumerate(labels) if role == one.role]
        fitting = fitting or ([0] if len(labels) == len(images) == 1 else [])
        if len(fitting) != 1:
            raise UploadError(
                f"{len(images)} sets of pictures and {len(labels)} of labels do not go together. Upload both, with "
                "train or test in their names where there are several."
            )
        _, one.labels = labels.pop(fitting[0])
        if len(one.labels) != len(pictures):
            raise UploadError(f"There are {len(pictures):,} pictures, but {len(one.labels):,} labels for them.")
        whole.append(one)
    if labels:
        raise UploadError("There are labels without pictures. Upload the file with the pictures, too.")
    return whole


def _parts(file: Upload, budget: UploadBudget) -> list[Part]:
    if file.data.startswith(b"PK"):
        return _zip(file, budget)
    return [_table(file.name, _inflated(_slices(file.data), budget), budget)]


def _slices(data: bytes) -> Iterator[bytes]:
    view = memoryview(data)
    for start in range(0, len(data), CHUNK):
        yield bytes(view[start : start + CHUNK])


def _inflated(chunks: Iterator[bytes], budget: UploadBudget) -> BufferedReader:
    return open_stream(inflate(chunks, budget.limits.content_bytes), budget)


def _table(name: str, stream: BufferedReader, budget: UploadBudget) -> Part:
    start = stream.peek(8)[:8]
    if start.startswith(b"\0\0"):
        return arrays.read_idx(name, stream, budget)
    if start.startswith((b"\x93NUMPY", b"PK", b"\x80\x04", b"\x80\x03", b"\x80\x02", b"\x89PNG", b"\xff\xd8")):
        raise UploadError(
            f"{display_name(name)} is not understood by itself. Upload a ZIP of pictures in folders 0 to 9, CSV, "
            "IDX or NPZ."
        )
    return arrays.read_csv(name, stream, budget)


def _zip(file: Upload, budget: UploadBudget) -> list[Part]:
    archive = Archive(file.data, budget.limits)
    names = [m.filename for m in archive.members]
    if any(name.lower().endswith(".npy") for name in names):
        return _arrays(archive, budget)
    if any(map(is_picture, names)):
        return read_pictures(archive, budget)
    return [
        _table(path_of(m).name, _inflated(archive.content(m), budget), budget) for m in archive.members[: 2 * MAX_FILES]
    ]


def _arrays(archive: Archive, budget: UploadBudget) -> list[Part]:
    """Return parts from the arrays of an NPZ, recognised by name."""
    members = archive.members
    named: list[tuple[zipfile.ZipInfo, str, bool | None]] = []
    for member in members:
        name = path_of(member).name.removesuffix(".npy")
        words = set("".join(c if c.isalnum() else " " for c in name.lower()).split())
        if words & _IMAGE_WORDS or words & _LABEL_WORDS:
            named.append((member, name, not words & _IMAGE_WORDS))
    if not named and len(members) in (2, 4):
        # As numpy.savez names arrays that were given no names; their shapes tell.
        named = [(m, path_of(m).name, None) for m in members]
    if not 2 <= len(named) <= 6:
        keys = ", ".join(display_name(m.filename.removesuffix(".npy")) for m in members[:6])
        raise UploadError(
            f"The NPZ has the arrays {keys}; right would be x_train and y_train, images and labels, or data and target."
        )
    parts = []
    for member, name, labels in named:

        def opened(member: zipfile.ZipInfo = member) -> BufferedReader:
            return open_stream(archive.content(member), budget)

        parts.append(arrays.read_npy(name, opened, labels, budget))
    return parts
