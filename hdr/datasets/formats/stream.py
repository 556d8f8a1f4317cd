"""Bounded streams of uploaded files: bytes are read in pieces, within limits of size and time."""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hdr.types import CLASSES, SIDE, HdrError, Images, ProgressCallback, no_progress

BATCH_SIZE = 1_000
"""Digits that are decoded at a time."""

MAX_EXAMPLES = 5
MAX_SIDE = 2_000
"""Most pixels of a picture's side."""

MAX_DIGIT_BYTES = 8_000
"""Most bytes, uncompressed, that a digit may take in a file: 784 numbers of eight bytes each, or as text, and more."""

EXTRA_BYTES = 4_000_000
BUFFER_BYTES = 65_536


class UploadError(HdrError):
    """An unusable upload; the message gives the reason and the expected format."""


@dataclass(frozen=True)
class Limits:
    """How much an upload may take.

    Attributes:
        digits: most digits in all its files.
        seconds: most time for reading it.
    """

    digits: int = 300_000
    seconds: float = 120.0

    @property
    def content_bytes(self) -> int:
        """Most bytes of all content, uncompressed."""
        return self.digits * MAX_DIGIT_BYTES + EXTRA_BYTES


@dataclass
class UploadBudget:
    """The usage of one upload's limits, over all its files."""

    limits: Limits
    report: ProgressCallback = no_progress
    total: int = 0
    used: int = 0
    digits: int = 0
    began: float = field(default_factory=time.monotonic)

    def consume(self, content: int, words: str = "Reading the digits") -> None:
        """Note bytes of content that were read.

        Raises:
            UploadError: it is more than allowed, or has taken too long.
        """
        self.used += content
        if self.used > self.limits.content_bytes:
            raise UploadError(
                f"Uncompressed, this has more than {self.limits.content_bytes:,} bytes, which is what "
                f"{self.limits.digits:,} digits can take at most. Upload fewer digits."
            )
        self.check_time()
        self.report(f"{words}: {self.digits:,} so far", min(1.0, self.used / self.total) if self.total else None)

    def check_time(self) -> None:
        """Raises UploadError where reading has taken too long."""
        if time.monotonic() - self.began > self.limits.seconds:
            raise UploadError(f"Reading this takes longer than {self.limits.seconds:g} s. Upload fewer digits.")

    def count(self, digits: int) -> None:
        """Note digits that were found.

        Raises:
            UploadError: there are more than allowed.
        """
        self.digits += digits
        if self.digits > self.limits.digits:
            raise UploadError(
                f"This has more than {self.limits.digits:,} digits, which is the most that may be uploaded."
            )


@dataclass
class Part:
    """Pictures, labels or both, from one file or one array in it.

    Attributes:
        role: "train", "test" or "" where nothing tells.
        images: uint8 (n, 28, 28), or None.
        labels: int64 (n,), not validated; or None.
        framed: True where pictures had another size and were brought to MNIST's frame.
        skipped: counts of omitted items, by reason.
        examples: where, of some of it.
    """

    role: str = ""
    images: Images | None = None
    labels: NDArray[np.int64] | None = None
    framed: bool = False
    skipped: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def record_skip(self, why: str, where: str, count: int = 1) -> None:
        """Note something that is left out."""
        self.skipped[why] += count
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(display_name(where))

    def take(self) -> tuple[Images, NDArray[np.int64]]:
        """Pictures and labels, which it then holds no longer: there is never more in memory than needed.

        Raises:
            ValueError: it has only one of them, or none.
        """
        if self.images is None or self.labels is None:
            raise ValueError("this part has not got both pictures and labels")
        images, labels = self.images, self.labels
        self.images = self.labels = None
        return images, labels


class _Chunks(io.RawIOBase):
    def __init__(self, chunks: Iterable[bytes], budget: UploadBudget) -> None:
        self._chunks, self._budget, self._rest = iter(chunks), budget, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._budget.consume(len(chunk))
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def open_stream(chunks: Iterable[bytes], budget: UploadBudget) -> io.BufferedReader:
    """Open content that arrives in chunks as a file, and note each chunk's bytes."""
    return io.BufferedReader(_Chunks(chunks, budget), BUFFER_BYTES)


def split_of(name: str) -> str:
    """Which split a file, folder or array is for, as far as its name tells."""
    words = "".join(c if c.isalnum() else " " for c in name.lower()).split()
    if any(word.startswith(("test", "t10k")) or word.endswith("test") for word in words):
        return "test"
    return "train" if any(word.startswith("train") or word.endswith("train") for word in words) else ""


def display_name(name: str) -> str:
    """A name from outside, short and in one line."""
    kept = "".join(c if c.isprintable() else "�" for c in str(name)[-60:])
    return f"…{kept}" if len(str(name)) > 60 else kept


def skip_summary(skipped: Counter[str]) -> str:
    """Return a sentence on the omitted items and their counts; empty if there are none."""
    return f"Left out: {', '.join(f'{n:,} {why}' for why, n in skipped.most_common())}." if skipped else ""


def as_labels(values: NDArray) -> NDArray[np.int64]:
    """Labels as whole numbers, from a row, a column, QMNIST's eight columns or one column for each class.

    Args:
        values: numbers, (n,) or (n, k).

    Returns:
        int64 (n,); -1 where a label is no whole number.
    """
    if values.ndim == 2 and values.shape[1] == CLASSES and _one_hot(values):
        return values.argmax(axis=1).astype(np.int64)
    if values.ndim == 2 and values.shape[1] in (1, 8):
        values = values[:, 0]
    if values.ndim != 1:
        raise UploadError(f"Labels are one number for each digit; these have the shape {values.shape}.")
    whole = np.isfinite(values) & (np.abs(values) < 1e9)
    safe = np.where(whole, values, -1)
    return np.where(safe == np.floor(safe), safe, -1).astype(np.int64)


def _one_hot(values: NDArray) -> bool:
    return bool(np.all((values == 0) | (values == 1)) and np.all(values.sum(axis=1) == 1))


def check_side(height: int, width: int) -> None:
    """Raises UploadError for pictures that are too large or have no pixels."""
    if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE):
        raise UploadError(
            f"Pictures have {height:,} x {width:,} pixels; right would be 28 x 28, and at most "
            f"{MAX_SIDE:,} on each side."
        )


def to_frame(images: Images) -> tuple[Images, bool]:
    """Pictures in 28x28, and whether they had to be brought there."""
    if images.shape[1:] == (SIDE, SIDE):
        return images, False
    from hdr.datasets.formats.mnist_frame import to_mnist_frame

    return to_mnist_frame(images), True


def concatenate_and_clear(parts: list[NDArray]) -> NDArray:
    """Arrays one after the other; the list is emptied, so that both are not there at once for longer than needed."""
    out = np.concatenate(parts) if len(parts) != 1 else parts[0]
    parts.clear()
    return out
