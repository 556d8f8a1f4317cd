"""A home with a trained model in it, which every test of reading shares, and a way to call commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hdr.cli.main import main

Call = Callable[..., Result]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Call a command, in an empty home unless a test has set another."""
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "home"))
    return lambda *arguments: CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A home in which the fast preset has learned from the bundled digits, and what the command said about it."""
    home = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HDR_HOME", str(home))
        result = CliRunner().invoke(main, ["train", "--preset", "fast", "--data", "bundled", "--json"])
    assert result.exit_code == 0, result.output
    return home, json.loads(result.stdout.splitlines()[-1])


@pytest.fixture
def with_model(call: Call, trained: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Call a command in the home with the model."""
    monkeypatch.setenv("HDR_HOME", str(trained[0]))
    return call
