"""Where things live, and that files are whole or not there."""

from __future__ import annotations

import errno
import logging
import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from platformdirs import user_data_path

from hdr import paths


def test_home_is_named_or_the_platforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "here"))
    assert paths.home() == tmp_path / "here" and not paths.home().exists()
    monkeypatch.setenv("HDR_HOME", " ")
    assert paths.home() == user_data_path("hdr", appauthor=False)
    monkeypatch.delenv("HDR_HOME")
    assert paths.home() == user_data_path("hdr", appauthor=False)


def test_home_does_not_move_with_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HDR_HOME", "relative")
    assert paths.home() == tmp_path / "relative"
    monkeypatch.setenv("HDR_HOME", "~/somewhere")
    assert paths.home() == Path.home() / "somewhere"


def test_provided_data_sets_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDR_HOME", str(tmp_path))
    monkeypatch.delenv("HDR_DATASETS", raising=False)
    assert paths.dataset_folders() == (tmp_path / "datasets",)
    monkeypatch.setenv("HDR_DATASETS", str(tmp_path / "provided"))
    assert paths.dataset_folders() == (tmp_path / "provided", tmp_path / "datasets")


def test_importing_makes_nothing(tmp_path: Path) -> None:
    datasets = "hdr.datasets, hdr.datasets.public.download, hdr.datasets.public.background_download"
    code = f"import hdr.paths, {datasets}, hdr.cli.main"
    root = Path(__file__).parents[1]
    env = {**os.environ, "HDR_HOME": str(tmp_path / "home"), "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=env)
    assert list(tmp_path.iterdir()) == []


def test_writing_makes_folders_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    paths.write_atomically(path, b"one")
    paths.write_atomically(path, memoryview(b"two"))
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["b"]


def test_the_file_has_the_rights_that_any_new_file_has(tmp_path: Path) -> None:
    paths.write_atomically(tmp_path / "ours", b"")
    (tmp_path / "any").write_bytes(b"")
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == stat.S_IMODE((tmp_path / "any").stat().st_mode)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_keeps_the_old_content_and_leaves_nothing(tmp_path: Path, monkeypatch, step: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="No space left"):
        paths.write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_the_new_content_is_on_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch) -> None:
    done: list[str] = []
    for step in ("fsync", "replace"):
        original = getattr(os, step)
        monkeypatch.setattr(os, step, lambda *args, s=step, o=original: (done.append(s), o(*args)))
    paths.write_atomically(tmp_path / "file", b"new")
    assert done == ["fsync", "replace"]


def test_only_old_parts_are_removed(tmp_path: Path) -> None:
    old, new, other = tmp_path / ".x.1234.part", tmp_path / ".y.1234.part", tmp_path / "z.part"
    for path in (old, new, other):
        path.write_bytes(b"")
    for path in (old, other):
        os.utime(path, (time.time() - 3600,) * 2)
    paths.remove_stale_parts(tmp_path)
    paths.remove_stale_parts(tmp_path / "absent")
    assert sorted(os.listdir(tmp_path)) == [".y.1234.part", "z.part"]


@pytest.fixture
def barred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that cannot be made, since a file lies where its folder should be."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setenv("HDR_DATASETS", "")
    monkeypatch.setattr(paths, "_makeshift", None)
    monkeypatch.setattr(paths, "_temporary", None)
    return tmp_path / "file" / "home"


def test_a_home_that_can_be_written_to_stays_and_nothing_is_left_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "new"))
    assert paths.settle() is None and paths.makeshift() is None
    assert os.environ["HDR_HOME"] == str(tmp_path / "new") and list((tmp_path / "new").iterdir()) == []


def test_without_a_home_a_temporary_folder_takes_its_place_and_it_is_said_once(
    barred: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = [paths.settle() for _ in range(3)]
    assert found[0] is found[1] is found[2] is paths.makeshift() and found[0].way == "temporary" and found[0].can_keep
    assert os.environ["HDR_HOME"] == str(paths.home()) != str(barred)
    paths.write_atomically(paths.home() / "models" / "a", b"kept for now")
    assert found[0].sentence == (
        "Nothing that is trained or fetched here is kept after this server ends, because "
        f"{barred} cannot be written to (Not a directory): set HDR_HOME to a folder that can."
    )
    assert caplog.messages == [found[0].sentence]


def test_a_temporary_home_is_removed_with_its_process(barred: Path, tmp_path: Path) -> None:
    code = (
        "from hdr import paths; paths.settle(); "
        "paths.write_atomically(paths.home() / 'a' / 'b', b'c'); print(paths.home())"
    )
    env = os.environ | {"TMPDIR": str(tmp_path)}
    root = Path(__file__).resolve().parents[1]
    said = subprocess.run([sys.executable, "-c", code], cwd=root, env=env, capture_output=True, text=True, check=True)
    folder = Path(said.stdout.strip())
    assert folder.parent == tmp_path and folder.name.startswith("hdr-") and not folder.exists()


def test_where_no_folder_at_all_can_be_written_to_it_is_said_and_asked_again(
    barred: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(barred))
    found = paths.settle()
    assert found.way == "nothing" and not found.can_keep and paths.home() == barred
    assert found.sentence == (
        f"Nothing can be kept or trained here, because neither {barred} (Not a directory) nor a temporary folder can "
        "be written to: set HDR_HOME to a folder that can."
    )
    barred.parent.unlink()
    assert paths.settle() is None and paths.makeshift() is None


def test_a_full_disk_is_named_and_its_data_sets_are_read(
    barred: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, refusal = tmp_path / "full", paths._refusal
    (full / "datasets").mkdir(parents=True)
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(paths, "_refusal", lambda folder: error if folder == full else refusal(folder))
    monkeypatch.setenv("HDR_HOME", str(full))
    found = paths.settle()
    assert found.way == "temporary" and "(No space left on device): make room there, or set HDR_HOME" in found.sentence
    assert paths.dataset_folders() == (full / "datasets", paths.home() / "datasets")


def test_runs_of_a_home_that_can_only_be_read_keep_it_in_use(
    barred: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "_refusal", lambda folder: OSError(errno.EROFS, os.strerror(errno.EROFS)))
    monkeypatch.setenv("HDR_HOME", str(tmp_path))
    (tmp_path / paths.STORE).write_bytes(b"runs")
    found = paths.settle()
    assert found.way == "read" and paths.home() == tmp_path
    assert found.sentence.startswith(f"Nothing new can be kept or trained here, because {tmp_path} cannot be written")
