"""What all tests share: a home of their own, and digits."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from hdr import datasets, paths
from hdr.datasets import MissingDataError
from hdr.datasets.public import download
from hdr.store.runs import RunStore
from hdr.training.run_spec import RunSpec
from hdr.types import Dataset, Split, Step

# No deadline: a busy machine is no fault of the code. `--hypothesis-profile=full` takes the other one. Tests that need
# more or fewer examples than others ask for a share of the profile's.
settings.register_profile("full", deadline=None, max_examples=100)
settings.register_profile("fast", deadline=None, max_examples=25)
settings.load_profile("fast")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more worker than there are cores: some of the time is waiting, for processes, clocks and browsers."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh HDR_HOME, so that nobody's real one is touched; data sets that lie in the real one are read from it."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        if not os.environ.get("HDR_DATASETS", "").strip():
            patch.setenv("HDR_DATASETS", str(paths.dataset_folders()[-1]))
        patch.setenv("HDR_HOME", str(folder))
        # Tests keep every core busy: a training that made room for them would never end.
        patch.setenv("HDR_NICENESS", "0")
        yield folder


@pytest.fixture(scope="session", autouse=True)
def components_looked_for_once() -> Iterator[None]:
    """Every new AppTest would go through all installed packages anew: most of the time that opening a page takes."""
    if "streamlit.testing.v1" not in sys.modules:
        # No test of these opens any.
        yield
        return
    from streamlit.components.v2 import manifest_scanner

    found = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda: found)
        yield


@pytest.fixture(scope="session")
def mnist(own_home: Path) -> Dataset:
    """MNIST from HDR_DATASETS or fetched; where neither can be had, the test is skipped."""
    try:
        return datasets.load("mnist")
    except MissingDataError:
        try:
            download.fetch_mnist(limits=download.Limits(connect=5, silence=10, total=120))
            return datasets.load("mnist")
        except (download.FetchError, MissingDataError):
            pytest.skip("MNIST is neither in HDR_DATASETS nor to be fetched: not tested on it")


@pytest.fixture(scope="session")
def digits(own_home: Path) -> Split:
    """Real handwriting that no test has to wait for: MNIST's test split, or else that of the bundled digits."""
    return datasets.load(datasets.available()[0]).test


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
