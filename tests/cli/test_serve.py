"""hdr serve: which files it opens, and what it passes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hdr import __version__, entry
from hdr.cli import serve
from hdr.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


class Started(Exception):
    """What would have been started."""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch):
    """Call the command and return the words of what it starts."""

    def exec_(path: str, command: list[str]) -> None:
        raise Started(path, command)

    monkeypatch.setattr(serve, "REPLACES", True)
    monkeypatch.setattr(serve.os, "execv", exec_)

    def started(*arguments: str) -> list[str]:
        done = CliRunner().invoke(main, ["serve", *arguments])
        assert isinstance(done.exception, Started), done.output
        path, command = done.exception.args
        assert path == command[0] == sys.executable
        return command[1:]

    return started


def checkout(folder: Path) -> Path:
    for name in ("streamlit_app.py", "hdr/entry.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_streamlits_options_are_passed_on_as_they_are(started) -> None:
    words = ["--server.port", "9000", "--server.headless=true"]
    assert started(*words)[-3:] == words


def test_from_any_folder_the_files_beside_the_package_are_opened(started, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "streamlit_app.py").touch()
    assert started() == ["-P", "-m", "streamlit", "run", str(ROOT / "streamlit_app.py")]


def test_in_a_checkout_its_own_files_are_opened(started, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(checkout(tmp_path))
    assert started()[-1] == str(tmp_path / "streamlit_app.py")


def test_without_exec_the_exit_code_is_that_of_streamlit(monkeypatch) -> None:
    commands = []
    monkeypatch.setattr(serve, "REPLACES", False)
    monkeypatch.setattr(subprocess, "call", lambda command: commands.append(command) or 7)
    done = CliRunner().invoke(main, ["serve", "--server.port", "9000"])
    assert done.exit_code == 7 and commands[0][0] == sys.executable and commands[0][-2:] == ["--server.port", "9000"]


def test_where_there_is_no_checkout_the_files_of_the_wheel_are_opened(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(entry, "ROOT", tmp_path)
    assert entry.folder() == tmp_path / "hdr" / "app"
    found = checkout(tmp_path)
    # A process looks once.
    entry.is_checkout.cache_clear()
    assert entry.folder() == found


def test_the_version_and_the_commands() -> None:
    assert CliRunner().invoke(main, ["--version"]).output == f"hdr {__version__}\n"
    assert isinstance(main, click.Group)
    assert set(main.commands) == {"serve", "read", "train", "tune", "evaluate", "data"}
    assert "--server.port 9000" in CliRunner().invoke(main, ["serve", "-h"]).output


def test_the_module_is_called_as_people_type_it() -> None:
    done = subprocess.run([sys.executable, "-m", "hdr", "--help"], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.startswith("Usage: python -m hdr [OPTIONS] COMMAND")
