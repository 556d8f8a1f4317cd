"""python -m hdr data."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from hdr.cli.main import main
from hdr.datasets.public import download


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HDR_DATASETS", raising=False)
    return tmp_path / "home" / "datasets" / "mnist"


def test_what_is_missing_and_what_is_there_is_listed_file_by_file() -> None:
    result = CliRunner().invoke(main, ["data"])
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["missing", "train-images-idx3-ubyte"] in lines and ["missing", "t10k-labels-idx1-ubyte"] in lines
    assert any(line[:2] == ["verified", "digits.csv"] and Path(line[2]).is_file() for line in lines)
    assert "python -m hdr data --fetch" in result.stdout


def test_a_damaged_file_is_named_with_what_was_expected(empty_home: Path) -> None:
    empty_home.mkdir(parents=True)
    damaged = empty_home / "train-labels-idx1-ubyte"
    damaged.write_bytes(b"damaged")
    result = CliRunner().invoke(main, ["data"])
    assert f"damaged   train-labels-idx1-ubyte   {damaged}" in result.stdout
    assert f"not used: {damaged} ends after 7 of 60,008 bytes" in result.stdout


def test_fetch_shows_progress_and_what_came(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(name: str, report: download.ProgressCallback) -> tuple[str, ...]:
        # Back to the start in the middle: what happens when the first mirror fails.
        for done in (0, 60, 0, 100):
            report("some-file", done, 100)
        return ("some-file",)

    monkeypatch.setattr(download, "fetch", fetch)
    result = CliRunner().invoke(main, ["data", "--fetch"])
    assert result.exit_code == 0
    assert "Fetched and verified: some-file" in result.stdout
    assert "some-file" in result.stderr


def test_a_failed_fetch_is_one_plain_message_and_exit_code_1(tmp_path: Path) -> None:
    env = {**os.environ, "HDR_MIRRORS": "http://127.0.0.1:9/", "NO_PROXY": "127.0.0.1"}
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "hdr", "data", "--fetch"], capture_output=True, text=True, env=env, cwd=root
    )
    assert done.returncode == 1
    assert "Error: train-images-idx3-ubyte could not be fetched. Expected 47,040,016 bytes" in done.stderr
    assert "http://127.0.0.1:9/train-images-idx3-ubyte.gz: failed (Connection refused)" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_help_names_the_command_without_importing_what_is_slow() -> None:
    code = (
        "import sys; from hdr.cli.main import main; main(['--help'], standalone_mode=False); "
        "print({'requests', 'sklearn', 'cv2', 'streamlit'} & {*sys.modules})"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert "data " in done.stdout and done.stdout.strip().endswith("set()")
