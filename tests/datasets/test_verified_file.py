"""Verification of copies on disk."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr.datasets.formats.idx import DamagedDataError
from hdr.datasets.storage import verified_file
from hdr.datasets.storage.verified_file import DataFile, MissingDataError

CONTENT = bytes(range(256)) * 8
FILE = DataFile("some-file", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


@given(st.integers(0, 10_000), st.integers(1, 255), st.booleans())
def test_no_changed_byte_gets_through(position: int, change: int, compressed: bool) -> None:
    sent = bytearray(gzip.compress(CONTENT, mtime=0) if compressed else CONTENT)
    sent[position % len(sent)] ^= change
    try:
        content = verified_file.collected(FILE, [bytes(sent)])
    except DamagedDataError:
        return
    # A byte of gzip's header may change without a change of the content.
    assert compressed and content == CONTENT


def test_progress_is_counted_in_bytes_of_content() -> None:
    seen: list[int] = []
    half = len(CONTENT) // 2
    verified_file.collected(FILE, [CONTENT[:half], CONTENT[half:]], seen.append)
    assert seen == [half, len(CONTENT)]


@pytest.mark.parametrize("compressed", [False, True])
def test_read_gives_the_content_and_status_says_where_it_is(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "copy"
    path.write_bytes(gzip.compress(CONTENT) if compressed else CONTENT)
    content = verified_file.read(FILE, [tmp_path / "absent", path])
    assert content == CONTENT and content.readonly
    assert verified_file.status(FILE, [tmp_path / "absent", path]) == verified_file.FileStatus(
        "some-file", path, True, ""
    )


def test_a_damaged_copy_is_skipped_with_a_message(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    damaged, good = tmp_path / "damaged", tmp_path / "good"
    damaged.write_bytes(CONTENT[:-1])
    good.write_bytes(CONTENT)
    with caplog.at_level(logging.WARNING):
        assert verified_file.read(FILE, [damaged, good]) == CONTENT
    assert f"{damaged} ends after 2,047 of 2,048 bytes" in caplog.text
    status = verified_file.status(FILE, [damaged, good])
    assert status.path == good and status.verified and str(damaged) in status.problem


def test_only_damaged_copies_are_named_in_the_error(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(
        MissingDataError, match=rf"some-file, 2,048 bytes.*{damaged} has the SHA-256 .* expected {FILE.sha256}"
    ):
        verified_file.read(FILE, [damaged])
    status = verified_file.status(FILE, [damaged])
    assert status.path == damaged and not status.verified and "SHA-256" in status.problem


def test_a_copy_of_absurd_size_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    huge = tmp_path / "huge"
    with open(huge, "wb") as stream:
        stream.truncate(1 << 40)  # sparse: it takes no disk
    assert "1,099,511,627,776 bytes" in verified_file.status(FILE, [huge]).problem


def test_a_pipe_or_a_folder_in_its_place_is_no_copy(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for ever
    (tmp_path / "folder").mkdir()
    assert verified_file.status(FILE, [tmp_path / "pipe", tmp_path / "folder"]) == verified_file.FileStatus(
        "some-file", None, False, ""
    )
    with pytest.raises(MissingDataError, match="Looked in"):
        verified_file.read(FILE, [tmp_path / "pipe", tmp_path / "folder"])


def test_status_reads_again_only_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "copy"
    path.write_bytes(CONTENT)
    reads = []
    original = verified_file._chunks
    monkeypatch.setattr(verified_file, "_chunks", lambda *args: reads.append(args) or original(*args))
    assert [verified_file.status(FILE, [path]).verified for _ in range(3)] == [True] * 3
    assert len(reads) == 1
    path.write_bytes(CONTENT[:-1])
    assert not verified_file.status(FILE, [path]).verified
    assert len(reads) == 2
