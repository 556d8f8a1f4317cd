"""The IDX format of the MNIST files, read without trusting a single byte of it.

Format: two zero bytes, a type byte, the number of dimensions, each dimension as a big-endian uint32, then the elements
(Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", section "File formats").
"""

from __future__ import annotations

import io
import math
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from hdr.types import HdrError

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAX_DIMENSIONS = 4
_PIECE = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"


class DamagedDataError(HdrError):
    """Content that is not what it should be."""


def read_header(read: Callable[[int], bytes]) -> tuple[np.dtype, tuple[int, ...]]:
    """Read the header of an IDX file: the type of its elements and its dimensions, 1 to 4.

    Args:
        read: reads up to a number of bytes, as a file's method does.

    Raises:
        DamagedDataError: it is not a header of IDX, ends early, or describes an empty array.
    """
    head = read(4)
    if len(head) < 4 or head[:2] != b"\0\0":
        raise DamagedDataError(
            f"not an IDX file: it begins with {head.hex(' ') or 'nothing'}, expected 00 00 08 and a count"
        )
    code, count = head[2], head[3]
    if code not in _TYPES:
        raise DamagedDataError(f"IDX type 0x{code:02x} is not supported, expected 0x08 (unsigned byte)")
    if not 1 <= count <= _MAX_DIMENSIONS:
        raise DamagedDataError(f"the IDX header announces {count} dimensions, expected 1 to {_MAX_DIMENSIONS}")
    sizes = read(4 * count)
    if len(sizes) < 4 * count:
        raise DamagedDataError(f"the IDX header ends after {4 + len(sizes)} bytes, expected {4 + 4 * count}")
    shape = struct.unpack(f">{count}I", sizes)
    if 0 in shape:
        raise DamagedDataError(f"the IDX header announces an empty array of {_times(shape)}")
    return np.dtype(_TYPES[code]), shape


def parse(data: bytes | bytearray | memoryview) -> NDArray[np.uint8]:
    """Read an IDX file of bytes as an array, without copying it.

    Args:
        data: the whole file, uncompressed.

    Returns:
        uint8, with 1 to 4 dimensions as the file says; a view of `data`, read-only where `data` is.

    Raises:
        DamagedDataError: the header is invalid, its type is not unsigned byte, or its dimensions do not fit the length
            exactly. The header alone allocates nothing.
    """
    kind, shape = read_header(io.BytesIO(data[: 4 + 4 * _MAX_DIMENSIONS]).read)
    if kind != np.uint8:
        raise DamagedDataError(f"IDX type 0x{data[2]:02x} is not supported, expected 0x08 (unsigned byte)")
    start = 4 + 4 * len(shape)
    expected, actual = math.prod(shape), len(data) - start
    if expected != actual:
        raise DamagedDataError(
            f"the IDX header announces {_times(shape)} = {expected:,} bytes, but {actual:,} follow it"
        )
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)


def inflate(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Content from chunks that are gzip or already plain, in pieces of at most 1 MiB, never more than `limit` in all.

    Args:
        chunks: the file or download, in order, in chunks of any size.
        limit: the largest number of bytes that the content may have.

    Raises:
        DamagedDataError: the content exceeds `limit`, the gzip stream is broken or ends early, or something follows its
            end. A gzip bomb is left after `limit` bytes.
    """
    produced = 0
    for piece in _decompressed(_with_first_two_bytes_whole(chunks)):
        produced += len(piece)
        if produced > limit:
            raise DamagedDataError(f"has more than the expected {limit:,} bytes")
        if piece:
            yield piece


def _decompressed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(chunks, b"")
    if not first.startswith(_GZIP_MAGIC):
        yield first
        yield from chunks
        return
    engine = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    chunk: bytes | None = first
    while chunk is not None:
        try:
            # A bounded step: one small chunk can hold a thousand times its size.
            piece = engine.decompress(chunk, _PIECE)
        except zlib.error as error:
            raise DamagedDataError(f"is not sound gzip data ({error})") from None
        yield piece
        if engine.eof and engine.unused_data:
            raise DamagedDataError("goes on after the end of its gzip data")
        chunk = engine.unconsumed_tail or next(chunks, None)
    if not engine.eof:
        raise DamagedDataError("ends in the middle of its gzip data")


def _with_first_two_bytes_whole(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Join chunks until the magic number can be told; a slow connection may deliver it byte by byte."""
    pending = b""
    for chunk in chunks:
        if len(pending) < len(_GZIP_MAGIC):
            pending += chunk
            if len(pending) >= len(_GZIP_MAGIC):
                yield pending
        else:
            yield chunk
    if 0 < len(pending) < len(_GZIP_MAGIC):
        yield pending


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{n:,}" for n in shape)
