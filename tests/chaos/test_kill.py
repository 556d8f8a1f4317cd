"""Three kills at random moments; `make chaos` does a hundred. Disks that are full or read-only say so in words."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hdr.store.runs import RunStore, StoreError
from hdr.training.run_spec import RunSpec
from tests.chaos.kills import killed
from tests.chaos.world import ROOT

needs_signals = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL: not tested")


@needs_signals
def test_kills_lose_nothing_and_tear_nothing(tmp_path: Path) -> None:
    row = killed(tmp_path, 3)
    assert row.times >= 3 and row.acknowledged and row.good, row


FULL = """
import resource, sys
from hdr import datasets
from hdr.training.run_spec import RunSpec
from hdr.store.runs import RunStore
from hdr.jobs.worker import execute
from hdr.types import Step
store = RunStore()
run = store.create(RunSpec("bundled", 500, classifier=Step("mlp", {"epochs": 1, "units": 500})), "ann", "t").id
# No file may grow beyond this: enough for the store, too little for the model.
resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, 900_000))
execute(store, run)
print(store.get(run).status, store.get(run).message)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="this system limits no files: not tested")
def test_a_model_that_does_not_fit_on_the_disk_fails_in_words_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_HOME", str(tmp_path))
    said = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert said.stdout.startswith("failed The model could not be written to"), said.stderr[-2000:]
    assert "Errno" not in said.stdout and str(tmp_path) in said.stdout
    assert not list((tmp_path / "models").rglob("*.*"))


def test_a_store_that_can_only_be_read_shows_its_runs_and_takes_no_new_ones(tmp_path: Path) -> None:
    run = RunStore(f"sqlite:///{tmp_path / 'runs.sqlite'}").create(RunSpec(), "ann", "t").id
    store = RunStore(f"sqlite:///file:{tmp_path / 'runs.sqlite'}?mode=ro&uri=true")
    assert [r.id for r in store.runs("ann")] == [run]
    for write in (lambda: store.create(RunSpec(), "ann", "u"), lambda: store.claim(run, 1)):
        with pytest.raises(StoreError, match=r"cannot be written to: attempt to write a readonly database\."):
            write()


@pytest.mark.skipif(not Path("/proc").exists(), reason="this system has no folder in which nobody may write")
def test_a_home_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDR_HOME", "/proc/no/such/place")
    with pytest.raises(StoreError, match=r"/proc/no/such/place/runs\.sqlite cannot be opened: "):
        RunStore()
