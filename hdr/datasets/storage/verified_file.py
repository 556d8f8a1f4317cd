"""Published files: expected hashes, verification of copies, and the verified content."""

from __future__ import annotations

import hashlib
import logging
import mmap
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hdr.datasets.formats.idx import DamagedDataError, inflate
from hdr.types import HdrError

_CHUNK, _PIECE = 1 << 18, 1 << 16
_log = logging.getLogger(__name__)


class MissingDataError(HdrError):
    """A file of a data set is not here, or every copy of it is damaged."""


@dataclass(frozen=True)
class DataFile:
    """One published file.

    Attributes:
        name: its name without ".gz".
        size: bytes of its uncompressed content.
        sha256: SHA-256 of its uncompressed content, in lower-case hexadecimal.
    """

    name: str
    size: int
    sha256: str

    @property
    def largest_transfer(self) -> int:
        """The most bytes the file can honestly take, gzip or not: deflate adds less than a thousandth at worst."""
        return self.size + self.size // 1000 + 1024


@dataclass(frozen=True)
class FileStatus:
    """Where one file of a data set is.

    Attributes:
        name: the file's name.
        path: the copy that is used; where none can be, the damaged one that was found first, or None.
        verified: True where the content of `path` is the published one.
        problem: the defects of all rejected copies, in words; empty if there are none.
    """

    name: str
    path: Path | None
    verified: bool
    problem: str


def checked(file: DataFile, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The content of a file or download, piece by piece; only once it has ended without an error is it the right one.

    Args:
        file: the expected size and hash.
        chunks: gzip or plain bytes, in order.

    Raises:
        DamagedDataError: the content is longer, shorter or other than it should be.
    """
    digest, done = hashlib.sha256(), 0
    for piece in inflate(chunks, file.size):
        digest.update(piece)
        done += len(piece)
        yield piece
    if done < file.size:
        raise DamagedDataError(f"ends after {done:,} of {file.size:,} bytes")
    if digest.hexdigest() != file.sha256:
        raise DamagedDataError(f"has the SHA-256 {digest.hexdigest()}, expected {file.sha256}")


def collected(file: DataFile, chunks: Iterable[bytes], on_bytes: Callable[[int], None] | None = None) -> bytearray:
    """The whole verified content of a file or download, `file.size` bytes.

    Args:
        file: the expected size and hash.
        chunks: gzip or plain bytes, in order.
        on_bytes: called with the number of bytes of content so far, up to `file.size`.

    Raises:
        DamagedDataError: as `checked`.
    """
    content, done = bytearray(file.size), 0
    for piece in checked(file, chunks):
        content[done : done + len(piece)] = piece
        done += len(piece)
        if on_bytes is not None:
            on_bytes(done)
    return content


def read(file: DataFile, paths: Sequence[Path]) -> memoryview:
    """The content of the first copy that is the published one; damaged copies before it are skipped with a warning.

    Args:
        file: the expected size and hash.
        paths: where copies may lie, gzip or plain; none need exist.

    Returns:
        Read-only, `file.size` bytes.

    Raises:
        MissingDataError: there is no sound copy.
    """
    problems = []
    for path in paths:
        try:
            if path.is_file():
                return memoryview(collected(file, _chunks(file, path))).toreadonly()
        except (DamagedDataError, OSError) as error:
            problems.append(_problem(path, error))
            _log.warning("A data file is not used: %s", problems[-1])
    folders = ", ".join(dict.fromkeys(str(path.parent) for path in paths))
    raise MissingDataError(
        f"{file.name}, {file.size:,} bytes uncompressed, is not here. {'; '.join(problems) or f'Looked in: {folders}'}."
    )


def memory_map(file: DataFile, paths: Sequence[Path], folder: Path) -> memoryview:
    """Map an uncompressed copy of a file into memory. Unread pages take no memory, processes share the others, and the
    system can evict them. The copy is verified on every call.

    Args:
        file, paths: as for `read`.
        folder: where the copy is, or is made; where it cannot be, the content is read into memory.

    Raises:
        MissingDataError: as for `read`.
    """
    copy = folder / file.name
    if any(path.is_file() for path in paths):
        try:
            return _mapped(file, copy)
        except (DamagedDataError, OSError):
            pass  # Missing or incomplete: it is written below.
    content = read(file, paths)
    try:
        _put(copy, content)
        return _mapped(file, copy)
    except (DamagedDataError, OSError) as error:
        _log.info("%s is held in memory: %s", file.name, error)
        return content


def _mapped(file: DataFile, copy: Path) -> memoryview:
    with open(copy, "rb") as stream:
        # Read and not looked at in memory, where every page of it would then be.
        for _ in checked(file, iter(lambda: stream.read(_CHUNK), b"")):
            pass
        return memoryview(mmap.mmap(stream.fileno(), file.size, access=mmap.ACCESS_READ))


def _put(copy: Path, content: memoryview) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    # Renamed, so that no process maps a partial file. Not flushed, which can take seconds: every call verifies it.
    part = copy.with_name(f".{copy.name}.{secrets.token_hex(8)}.part")
    try:
        with open(part, "xb", buffering=0) as stream:
            # In small pieces: Linux maps each written piece as a whole, even if only one digit of it is read.
            for start in range(0, len(content), _PIECE):
                stream.write(content[start : start + _PIECE])
        os.replace(part, copy)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def status(file: DataFile, paths: Sequence[Path]) -> FileStatus:
    """Which copy `read` would take. A copy is read once, and again only after it has changed."""
    problems: dict[Path, str] = {}
    for path in paths:
        try:
            if not path.is_file():
                continue
            problem = _verify(file, path)
        except OSError as error:
            problem = _problem(path, error)
        if not problem:
            return FileStatus(file.name, path, True, "; ".join(problems.values()))
        problems[path] = problem
    return FileStatus(file.name, next(iter(problems), None), False, "; ".join(problems.values()))


_known: dict[tuple[str, int, int, int, str], str] = {}
# Hashing takes up to a fifth of a second and pages ask often, so an answer holds until the copy's stamp changes.


def _verify(file: DataFile, path: Path) -> str:
    found = path.stat()
    stamp = (str(path), found.st_ino, found.st_size, found.st_mtime_ns, file.sha256)
    if stamp not in _known:
        try:
            for _ in checked(file, _chunks(file, path)):
                pass
            _known[stamp] = ""
        except DamagedDataError as error:
            _known[stamp] = _problem(path, error)
    return _known[stamp]


def _chunks(file: DataFile, path: Path) -> Iterator[bytes]:
    length = path.stat().st_size
    if length > file.largest_transfer:
        raise DamagedDataError(f"has {length:,} bytes, more than any form of {file.name} has")
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _problem(path: Path, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{path} cannot be read ({error.strerror or type(error).__name__})"
    return f"{path} {error}"
