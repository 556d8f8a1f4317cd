"""The bundled digits, small specs on them, and a store of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from hdr import datasets
from hdr.store.runs import RunStore
from hdr.training.run_spec import RunSpec
from hdr.types import Dataset, Step


@pytest.fixture(scope="session")
def bundled(own_home: Path) -> Dataset:
    """The 1,797 digits that are always there."""
    return datasets.load("bundled")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """An empty store in a home of its own, which processes started from here use, too."""
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "home"))
    return RunStore()


@pytest.fixture
def small() -> RunSpec:
    """A run of a moment."""
    return RunSpec("bundled", 500, classifier=Step("mlp", {"epochs": 2, "units": 10}))


@pytest.fixture
def long() -> RunSpec:
    """A run of many seconds that reports every few milliseconds."""
    slow = {"epochs": 100, "units": 500, "layers": 4, "batch_size": 16}
    return RunSpec("bundled", 1500, classifier=Step("mlp", slow))
