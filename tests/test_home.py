"""Where things live, and that files are whole or not there."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from platformdirs import user_data_path

from hdr import home


def test_home_is_named_or_the_platforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "here"))
    assert home.home() == tmp_path / "here" and not home.home().exists()
    monkeypatch.setenv("HDR_HOME", " ")
    assert home.home() == user_data_path("hdr", appauthor=False)
    monkeypatch.delenv("HDR_HOME")
    assert home.home() == user_data_path("hdr", appauthor=False)


def test_home_does_not_move_with_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HDR_HOME", "relative")
    assert home.home() == tmp_path / "relative"
    monkeypatch.setenv("HDR_HOME", "~/somewhere")
    assert home.home() == Path.home() / "somewhere"


def test_provided_data_sets_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDR_HOME", str(tmp_path))
    monkeypatch.delenv("HDR_DATASETS", raising=False)
    assert home.dataset_folders() == (tmp_path / "datasets",)
    monkeypatch.setenv("HDR_DATASETS", str(tmp_path / "provided"))
    assert home.dataset_folders() == (tmp_path / "provided", tmp_path / "datasets")


def test_importing_makes_nothing(tmp_path: Path) -> None:
    code = "import hdr.home, hdr.datasets, hdr.datasets.download, hdr.datasets.background, hdr.cli.main"
    root = Path(__file__).parents[1]
    env = {**os.environ, "HDR_HOME": str(tmp_path / "home"), "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=env)
    assert list(tmp_path.iterdir()) == []


def test_writing_makes_folders_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    home.write_atomically(path, b"one")
    home.write_atomically(path, memoryview(b"two"))
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["b"]


def test_the_file_has_the_rights_that_any_new_file_has(tmp_path: Path) -> None:
    home.write_atomically(tmp_path / "ours", b"")
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
        home.write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_the_new_content_is_on_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch) -> None:
    done: list[str] = []
    for step in ("fsync", "replace"):
        original = getattr(os, step)
        monkeypatch.setattr(os, step, lambda *args, s=step, o=original: (done.append(s), o(*args)))
    home.write_atomically(tmp_path / "file", b"new")
    assert done == ["fsync", "replace"]


def test_only_old_parts_are_removed(tmp_path: Path) -> None:
    old, new, other = tmp_path / ".x.1234.part", tmp_path / ".y.1234.part", tmp_path / "z.part"
    for path in (old, new, other):
        path.write_bytes(b"")
    for path in (old, other):
        os.utime(path, (time.time() - 3600,) * 2)
    home.remove_stale_parts(tmp_path)
    home.remove_stale_parts(tmp_path / "absent")
    assert sorted(os.listdir(tmp_path)) == [".y.1234.part", "z.part"]
