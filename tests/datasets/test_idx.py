"""The IDX parser and the bounded decompression: nothing that a file says is believed."""

from __future__ import annotations

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr.datasets.formats.idx import DamagedDataError, inflate, parse
from tests.datasets.conftest import idx_bytes

shapes = st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple)


@given(shapes)
def test_a_sound_file_gives_its_array(shape: tuple[int, ...]) -> None:
    array = (np.arange(np.prod(shape)) % 251).astype(np.uint8).reshape(shape)
    assert np.array_equal(parse(idx_bytes(array)), array)


def test_the_array_is_a_view_that_is_as_writable_as_its_data() -> None:
    data = idx_bytes(np.arange(6, dtype=np.uint8).reshape(2, 3))
    assert not parse(data).flags.writeable
    assert not parse(memoryview(bytearray(data)).toreadonly()).flags.writeable


@given(st.binary(max_size=64))
def test_random_bytes_raise_nothing_but_the_declared_error(data: bytes) -> None:
    try:
        array = parse(data)
    except DamagedDataError:
        return
    assert array.size == len(data) - 4 - 4 * array.ndim


@given(shapes, st.lists(st.tuples(st.integers(0, 19), st.integers(0, 255)), min_size=1, max_size=5))
def test_mutated_headers_are_refused_or_still_fit_the_length(
    shape: tuple[int, ...], changes: list[tuple[int, int]]
) -> None:
    data = bytearray(idx_bytes(np.zeros(shape, np.uint8)))
    for position, value in changes:
        data[position % (4 + 4 * len(shape))] = value
    try:
        array = parse(data)
    except DamagedDataError:
        return
    assert array.size == len(data) - 4 - 4 * array.ndim


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "begins with nothing"),
        (b"\0\0\x08", "begins with 00 00 08"),
        (b"<html>", "begins with 3c 68 74 6d"),
        (b"\0\0\x0d\x01\0\0\0\x01\0\0\0\0", "type 0x0d"),
        (b"\0\0\x08\0", "0 dimensions"),
        (b"\0\0\x08\xff" + bytes(2000), "255 dimensions"),
        (b"\0\0\x08\x03\0\0\0\x01", "ends after 8 bytes, expected 16"),
        (b"\0\0\x08\x02\0\0\0\0\xff\xff\xff\xff", "empty array"),
        (b"\0\0\x08\x01\0\0\0\x03ab", "3 = 3 bytes, but 2"),
        (b"\0\0\x08\x01\0\0\0\x01ab", "1 = 1 bytes, but 2"),
    ],
)
def test_what_is_wrong_is_named(data: bytes, says: str) -> None:
    with pytest.raises(DamagedDataError, match=says):
        parse(data)


def test_a_header_that_announces_a_world_allocates_nothing() -> None:
    data = struct.pack(">BBBB4I", 0, 0, 8, 4, *[0xFFFFFFFF] * 4) + bytes(100)
    tracemalloc.start()
    with pytest.raises(DamagedDataError):
        parse(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@given(st.binary(max_size=3000), st.lists(st.integers(1, 200), max_size=20), st.booleans())
def test_content_does_not_depend_on_how_it_is_cut(content: bytes, cuts: list[int], compressed: bool) -> None:
    sent = gzip.compress(b"plain" + content) if compressed else b"plain" + content
    chunks, start = [], 0
    for cut in cuts:
        chunks.append(sent[start : start + cut])
        start += cut
    assert b"".join(inflate([*chunks, sent[start:]], 4000)) == b"plain" + content


@given(st.lists(st.binary(max_size=50), max_size=5), st.booleans())
def test_random_chunks_raise_nothing_but_the_declared_error(chunks: list[bytes], magic: bool) -> None:
    try:
        content = b"".join(inflate(([b"\x1f\x8b"] if magic else []) + chunks, 100))
    except DamagedDataError:
        return
    assert len(content) <= 100


def test_a_gzip_bomb_is_left_at_the_limit() -> None:
    bomb = gzip.compress(bytes(200_000_000), compresslevel=1)
    tracemalloc.start()
    with pytest.raises(DamagedDataError, match="more than the expected 5,000 bytes"):
        list(inflate([bomb], 5000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data[:-9], "ends in the middle"),
        (lambda data: data + b"x", "goes on after the end"),
        (lambda data: data[:-8] + bytes(8), "not sound gzip data"),
        (lambda data: data[:2] + b"\xff" + data[3:], "not sound gzip data"),
    ],
)
def test_broken_gzip_is_refused(change, says: str) -> None:
    with pytest.raises(DamagedDataError, match=says):
        list(inflate([change(gzip.compress(b"some content"))], 1000))
