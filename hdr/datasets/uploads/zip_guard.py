"""Untrusted ZIPs: the list of members is validated before any member is opened."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath

from hdr.datasets.formats.stream import Limits, UploadError, display_name

MAX_COMPRESSION_RATIO = 300
"""Most times that a ZIP may be larger uncompressed; digits as text are 10 times, a bomb is 1,000 times."""

CHUNK = 1 << 16
"""Bytes that are read at a time."""

_DIRECTORY_BYTES, _ENTRY_BYTES = 1 << 20, 150


class Archive:
    """A ZIP whose list of files is one that an honest program makes.

    Args:
        data: its content.
        limits: how much it may hold.

    Attributes:
        members: its files, without folders and operating systems' metadata files.

    Raises:
        UploadError: it is no such ZIP, or too large.
        zipfile.BadZipFile: it is damaged.
    """

    def __init__(self, data: bytes, limits: Limits) -> None:
        most = max(_DIRECTORY_BYTES, limits.digits * _ENTRY_BYTES)
        self._zip = zipfile.ZipFile(_Bounded(data, most))
        self.members = _checked(self._zip.infolist(), len(data), limits)

    def content(self, member: zipfile.ZipInfo) -> Iterator[bytes]:
        """Yield the uncompressed content of one of its files, in pieces."""
        with self._zip.open(member) as stream:
            while chunk := stream.read(CHUNK):
                yield chunk


def path_of(member: zipfile.ZipInfo) -> PurePosixPath:
    """Where a file lies in its ZIP. Some programs for Windows part folders with backslashes."""
    return PurePosixPath(member.filename.replace("\\", "/"))


class _Bounded(io.BytesIO):
    """A stream that limits the size of a single read, since zipfile reads a ZIP's directory at once."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > self._most:
            raise UploadError("The ZIP lists far more files than digits may be uploaded.")
        return super().read(size)


def _checked(members: list[zipfile.ZipInfo], size: int, limits: Limits) -> list[zipfile.ZipInfo]:
    """Return the files of an archive, without folders and operating systems' metadata files."""
    if len(members) > limits.digits + 1_000:
        raise UploadError(f"The ZIP lists {len(members):,} files; at most {limits.digits:,} digits are allowed.")
    total = sum(m.file_size for m in members)
    if total > limits.content_bytes or total > MAX_COMPRESSION_RATIO * max(size, 1):
        raise UploadError(
            f"Uncompressed, the ZIP would have {total:,} bytes, {total / max(size, 1):,.0f} times its size; "
            f"{limits.content_bytes:,} and {MAX_COMPRESSION_RATIO} times are allowed."
        )
    kept = []
    for member in members:
        path = path_of(member)
        if path.is_absolute() or ".." in path.parts or "".join(path.parts[:1]).endswith(":"):
            raise UploadError(f"The ZIP names a place outside itself: {display_name(member.filename)}.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise UploadError(f"The ZIP holds a link instead of a file: {display_name(member.filename)}.")
        if member.flag_bits & 1:
            raise UploadError("The ZIP is encrypted; save it without a password.")
        beside = any(part.startswith((".", "__")) for part in path.parts) or path.name in ("Thumbs.db", "desktop.ini")
        if not member.is_dir() and not beside:
            kept.append(member)
    if not kept:
        raise UploadError("The ZIP holds no files.")
    return kept
