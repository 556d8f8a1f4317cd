"""Arrays of digits in files from outside: IDX, NPY inside NPZ, and CSV in MNIST's layout, read in pieces."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from io import BufferedReader

import numpy as np
from numpy.typing import NDArray

from hdr.datasets.formats import idx
from hdr.datasets.formats.stream import (
    BATCH_SIZE,
    Part,
    UploadBudget,
    UploadError,
    as_labels,
    check_side,
    concatenate_and_clear,
    display_name,
    split_of,
    to_frame,
)
from hdr.types import SIDE

PIXELS = SIDE * SIDE
MAX_LINE_BYTES = 32_000
MAX_HEADER_BYTES = 10_000
_LABEL_NAMES = {"label", "labels", "class", "target", "y", "digit"}
_DEEP = 65_535


def read_idx(name: str, stream: BufferedReader, budget: UploadBudget) -> Part:
    """An IDX file of pictures (n, h, w) or (n, 784), or of labels (n,) or, as QMNIST's, (n, 8).

    Raises:
        UploadError: its header is not one of IDX, or does not fit what follows.
    """
    try:
        kind, shape = idx.read_header(stream.read)
    except idx.DamagedDataError as error:
        raise UploadError(f"{display_name(name)} cannot be read: {error}.") from None
    count = len(shape)
    if count > 3:
        raise UploadError(f"{display_name(name)} has {count} dimensions; pictures have 3 or 2, labels 1 or 2.")
    part = Part(split_of(name))
    if count == 1 or (count == 2 and shape[1] in (1, 8, 10)):
        _check_count(name, shape[0], budget)
        part.labels = as_labels(_rows(name, stream, kind, shape, shape[0]))
    else:
        if kind != np.uint8:
            raise UploadError(f"{display_name(name)}: pictures are bytes (IDX type 0x08), these are {kind}.")
        height, width = shape[1:] if count == 3 else _square(shape[1])
        _pictures(name, stream, kind, (shape[0], height, width), part, budget, lambda values: values)
    _check_end(name, stream)
    return part


def read_npy(name: str, opened: Callable[[], BufferedReader], labels: bool | None, budget: UploadBudget) -> Part:
    """An array in numpy's format, without pickled objects.

    Args:
        name: of the array.
        opened: gives its content from the beginning; called twice, since the range of values determines white.
        labels: whether it holds labels; None where its shape is to tell.
        budget: of the upload.

    Raises:
        UploadError: it is damaged, or of a kind that digits do not have.
    """
    stream = opened()
    shape, kind = _npy_header(name, stream)
    part = Part(split_of(name))
    if labels or (labels is None and (len(shape) == 1 or (len(shape) == 2 and shape[1] in (1, 8, 10)))):
        _check_count(name, shape[0], budget)
        if math.prod(shape[1:]) > 10:
            raise UploadError(f"{display_name(name)} is to hold labels, and has the shape {shape}.")
        part.labels = as_labels(_rows(name, stream, kind, shape, shape[0]))
    else:
        height, width = _picture_shape(name, shape)
        check_side(height, width)
        scaled = _scale(name, *_range(name, stream, kind, (shape[0], height * width), budget))
        again = opened()
        _npy_header(name, again)
        _pictures(name, again, kind, (shape[0], height, width), part, budget, scaled)
    return part


def read_csv(name: str, stream: BufferedReader, budget: UploadBudget) -> Part:
    """Lines of a label and 784 grey values, with or without a line of names before them.

    Values are parted by commas, semicolons or tabs. Where there are names, one of them may say that the label is last.
    Lines that are not so are left out and counted.

    Raises:
        UploadError: it is not text, or hardly any line is as it should be.
    """
    lines = _lines(stream)
    first = next(lines, b"").removeprefix(b"\xef\xbb\xbf").strip()
    if b"\0" in first or not first:
        raise UploadError(
            f"{display_name(name)} is none of the files that are understood: a ZIP of pictures, CSV, IDX or NPZ."
        )
    mark = max(b",;\t", key=lambda m: first.count(bytes([m])))
    fields = [f.strip(b' "').decode("utf-8", "replace").lower() for f in first.split(bytes([mark]))]
    if len(fields) != PIXELS + 1:
        raise UploadError(
            f"The first line of {display_name(name)} has {len(fields):,} values; in MNIST's layout it is 785: "
            "a label and 784 grey values."
        )
    named = not all(_is_number(f) for f in fields)
    column = PIXELS if named and fields[-1] in _LABEL_NAMES else 0
    table = _Table(name, bytes([mark]).decode(), column, budget)
    if not named:
        table.add(1, first)
    for number, line in enumerate(lines, 2):
        if line.strip():
            table.add(number, line)
    return table.part()


def _lines(stream: BufferedReader) -> Iterator[bytes]:
    while line := stream.readline(MAX_LINE_BYTES + 2):
        if len(line.rstrip(b"\n")) > MAX_LINE_BYTES:
            raise UploadError(f"A line has more than {MAX_LINE_BYTES:,} letters; 785 numbers are shorter.")
        yield line


class _Table:
    """Lines of a CSV, parsed many at a time."""

    def __init__(self, name: str, mark: str, column: int, budget: UploadBudget) -> None:
        self._mark, self._column, self._budget = mark, column, budget
        self._lines: list[tuple[int, bytes]] = []
        self._images: list[NDArray[np.uint8]] = []
        self._labels: list[NDArray[np.int64]] = []
        self._scale: float | None = None
        self._part = Part(split_of(name))

    def add(self, number: int, line: bytes) -> None:
        self._lines.append((number, line))
        if len(self._lines) >= BATCH_SIZE:
            self._parse()

    def part(self) -> Part:
        self._parse()
        if not self._images:
            raise UploadError("No line has a label and 784 grey values from 0 to 255.")
        self._part.images, self._part.labels = concatenate_and_clear(self._images), concatenate_and_clear(self._labels)
        return self._part

    def _parse(self) -> None:
        numbers, lines = [n for n, _ in self._lines], [line for _, line in self._lines]
        self._lines = []
        if not lines:
            return
        found = self._numbers(lines)
        if found is None:
            # One line is wrong: which, is found by looking at each.
            rows = [self._numbers([line]) for line in lines]
            good = [i for i, row in enumerate(rows) if row is not None]
            for i in sorted(set(range(len(lines))) - set(good)):
                self._part.record_skip("lines without 785 numbers", f"line {numbers[i]}")
            if not good:
                self._budget.check_time()
                return
            found, numbers = np.concatenate([rows[i] for i in good]), [numbers[i] for i in good]
        labels, values = found[:, self._column], np.delete(found, self._column, axis=1)
        if self._scale is None:
            # A file of shares from 0 to 1 shows it in its first thousand digits.
            self._scale = 255.0 if 0 < values.max() <= 1 else 1.0
        values = values * self._scale
        right = (values >= 0).all(axis=1) & (values <= 255).all(axis=1)
        for number in (numbers[i] for i in np.flatnonzero(~right)):
            self._part.record_skip("lines with values that are not 0 to 255", f"line {number}")
        self._budget.count(int(right.sum()))
        self._images.append(np.rint(values[right]).astype(np.uint8).reshape(-1, SIDE, SIDE))
        self._labels.append(as_labels(labels[right]))

    def _numbers(self, lines: list[bytes]) -> NDArray[np.float32] | None:
        try:
            text = [line.decode("ascii") for line in lines]
            found = np.loadtxt(text, np.float32, comments=None, delimiter=self._mark, quotechar='"', ndmin=2)
        except (ValueError, UnicodeDecodeError, OverflowError):
            return None
        wrong = found.shape != (len(lines), PIXELS + 1) or not np.isfinite(found).all()
        return None if wrong else found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_count(name: str, count: int, budget: UploadBudget) -> None:
    if not 1 <= count <= budget.limits.digits:
        raise UploadError(
            f"{display_name(name)} announces {count:,} entries; 1 to {budget.limits.digits:,} are allowed."
        )


def _rows(name: str, stream: BufferedReader, kind: np.dtype, shape: tuple[int, ...], count: int) -> NDArray:
    wanted = count * math.prod(shape[1:]) * kind.itemsize
    data = stream.read(wanted)
    if len(data) < wanted:
        raise UploadError(
            f"{display_name(name)} ends too early: {wanted:,} more bytes were announced, {len(data):,} came."
        )
    return np.frombuffer(data, kind).reshape(count, *shape[1:])


def _check_end(name: str, stream: BufferedReader) -> None:
    if stream.peek(1):
        raise UploadError(f"{display_name(name)} goes on after the end that its header announces.")


def _pictures(
    name: str,
    stream: BufferedReader,
    kind: np.dtype,
    shape: tuple[int, int, int],
    part: Part,
    budget: UploadBudget,
    scaled: Callable[[NDArray], NDArray],
) -> None:
    count, height, width = shape
    _check_count(name, count, budget)
    check_side(height, width)
    rows = max(1, min(BATCH_SIZE, 2_000_000 // (height * width)))
    out: list[NDArray[np.uint8]] = []
    for start in range(0, count, rows):
        values = _rows(name, stream, kind, shape, min(rows, count - start))
        images, part.framed = to_frame(scaled(values))
        budget.count(len(images))
        budget.check_time()
        out.append(images)
    part.images = concatenate_and_clear(out)


def _square(pixels: int) -> tuple[int, int]:
    side = math.isqrt(pixels)
    if side * side != pixels or side < 4:
        raise UploadError(f"{pixels:,} values for each picture are not those of a square one; right would be 784.")
    return side, side


def _picture_shape(name: str, shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) == 4 and 1 in (shape[1], shape[3]):
        # One channel, before or after height and width.
        return (shape[2], shape[3]) if shape[1] == 1 else (shape[1], shape[2])
    if len(shape) == 3:
        return shape[1], shape[2]
    if len(shape) == 2:
        return _square(shape[1])
    raise UploadError(f"{display_name(name)} has the shape {shape}; pictures have (n, 28, 28) or (n, 784).")


def _npy_header(name: str, stream: BufferedReader) -> tuple[tuple[int, ...], np.dtype]:
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(stream)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        shape, by_column, kind = read(stream, max_header_size=MAX_HEADER_BYTES)
    except Exception as error:
        # NumPy parses headers as Python literals, which can raise any of these errors.
        if isinstance(error, UploadError):
            raise
        raise UploadError(f"{display_name(name)} is not a sound array of numpy's.") from None
    if kind.kind not in "uifb" or kind.itemsize > 8:
        raise UploadError(
            f"{display_name(name)} holds {display_name(str(kind))}; only plain numbers are read, never Python objects."
        )
    if by_column and len(shape) > 1:
        raise UploadError(
            f"{display_name(name)} is stored column by column; save it again with numpy.ascontiguousarray."
        )
    if not shape or any(n < 1 for n in shape):
        raise UploadError(f"{display_name(name)} is empty: its shape is {shape}.")
    return shape, kind


def _range(
    name: str, stream: BufferedReader, kind: np.dtype, shape: tuple[int, int], budget: UploadBudget
) -> tuple[np.dtype, float, float]:
    _check_count(name, shape[0], budget)
    rows, low, high = max(1, min(BATCH_SIZE, 2_000_000 // shape[1])), math.inf, -math.inf
    for start in range(0, shape[0], rows):
        values = _rows(name, stream, kind, shape, min(rows, shape[0] - start))
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        if not (math.isfinite(low) and math.isfinite(high)):
            raise UploadError(f"{display_name(name)} holds values that are no numbers (NaN or infinite).")
        budget.check_time()
    return kind, low, high


def _scale(name: str, kind: np.dtype, low: float, high: float) -> Callable[[NDArray], NDArray]:
    """Return the scaling of the values to grey values from 0 to 255."""
    # A network's inputs are often -1 to 1 or 0 to 1, and 16 is the white of scikit-learn's small digits.
    for bottom, top in ((-1.0, 1.0), (0.0, 1.0), (0.0, 16.0), (0.0, 255.0), (0.0, float(_DEEP))):
        if (low < 0) == (bottom < 0) and low >= bottom and high <= top:
            break
    else:
        raise UploadError(f"{display_name(name)} has values from {low:g} to {high:g}; right would be 0 to 255.")
    if kind == np.uint8 and top == 255:
        return lambda values: values

    def scaled(values: NDArray) -> NDArray:
        return np.rint((values.astype(np.float32) - bottom) * (255 / (top - bottom))).astype(np.uint8)

    return scaled
