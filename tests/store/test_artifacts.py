"""Where models go: a folder as ever, a shared one, and that nothing else is missed where nothing else is asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hdr import cluster
from hdr.jobs import scheduler
from hdr.jobs.worker import execute
from hdr.paths import home
from hdr.store import artifacts, database
from hdr.store.artifacts import ArtifactsError
from hdr.store.runs import RunStore
from hdr.training.model import TrainedModel
from hdr.training.run_spec import RunSpec
from hdr.types import HdrError

ROOT = Path(__file__).parents[2]


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_without_a_setting_models_are_in_the_home(store: RunStore, small: RunSpec) -> None:
    run = store.create(small, "ann", "t").id
    assert execute(store, run)
    kept = home() / "models" / run
    assert artifacts.artifact_store().fetch(run) == store.get(run).folder == kept
    assert files(kept) == {"model.skops", "test.npy", "model.json"}
    assert artifacts.artifact_store().sizes() == {run: pytest.approx(artifacts.folder_mb(kept))}
    assert not (home() / "cache").exists()


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_shared_folder(
    store: RunStore, small: RunSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    monkeypatch.setenv("HDR_ARTIFACTS", f"{prefix}{tmp_path / 'shared'}")
    run = store.create(small, "ann", "t").id
    assert execute(store, run)
    assert TrainedModel.load(artifacts.artifact_store().fetch(run)).spec == small
    assert store.get(run).folder == tmp_path / "shared" / run and not (home() / "models").exists()
    lost = tmp_path / "shared" / "of-no-run"
    lost.mkdir()
    os.utime(lost, (1, 1))
    assert artifacts.artifact_store().tidy({run}) == 0 and (tmp_path / "shared" / "orphans" / "of-no-run").exists()
    assert set(artifacts.artifact_store().sizes()) == {run}
    os.utime(tmp_path / "shared" / "orphans" / "of-no-run", (1, 1))
    assert artifacts.artifact_store().tidy({run}) == 1 and set(artifacts.artifact_store().sizes()) == {run}
    artifacts.artifact_store().remove(run)
    artifacts.artifact_store().remove(run)
    assert not (tmp_path / "shared" / run).exists()


def test_a_place_that_cannot_be_written_to_fails_the_run_in_plain_words(
    store: RunStore, small: RunSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HDR_ARTIFACTS", str(tmp_path / "file"))
    run = store.create(small, "ann", "t").id
    assert not execute(store, run)
    message = store.get(run).message
    assert message == f"The model could not be written to {tmp_path / 'file'}: Not a directory."


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    monkeypatch.setenv("HDR_ARTIFACTS", "s3://key:hunter2@bucket/elsewhere")
    cluster.register()
    with pytest.raises(ArtifactsError, match=r"pip install -r requirements/cluster\.txt") as error:
        artifacts.artifact_store()
    assert "s3://key:***@bucket/elsewhere" in str(error.value) and "hunter2" not in str(error.value)


def test_what_is_not_registered_is_refused(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "_remotes", [])
    monkeypatch.setattr(database, "_servers", {})
    monkeypatch.setattr(scheduler, "_schedulers", [])
    monkeypatch.setenv("HDR_ARTIFACTS", "s3://key:hunter2@bucket/elsewhere")
    monkeypatch.setenv("HDR_STORE", "postgresql+psycopg://hdr:hunter2@127.0.0.1/hdr")
    for use in (artifacts.artifact_store, RunStore, lambda: scheduler.remote_scheduler(store, "tcp://127.0.0.1:1")):
        with pytest.raises(HdrError, match=r"call hdr\.cluster\.register\(\) first") as error:
            use()
        assert "hunter2" not in str(error.value)


def test_settings_say_what_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "_remotes", [])
    monkeypatch.setattr(database, "_servers", {})
    monkeypatch.setattr(scheduler, "_schedulers", [])
    for name in ("HDR_STORE", "HDR_ARTIFACTS", "HDR_DASK"):
        monkeypatch.delenv(name, raising=False)
    cluster.register()
    assert not (artifacts._remotes or database._servers or scheduler._schedulers)
    monkeypatch.setenv("HDR_STORE", "postgresql+psycopg://hdr@127.0.0.1/hdr")
    cluster.register()
    assert set(database._servers) == {"postgresql"} and not artifacts._remotes
    monkeypatch.setenv("HDR_ARTIFACTS", "s3://bucket/models")
    monkeypatch.setenv("HDR_DASK", "tcp://127.0.0.1:8786")
    cluster.register()
    assert artifacts._remotes and scheduler._schedulers


@pytest.mark.slow
def test_the_app_and_a_training_import_nothing_of_a_cluster(tmp_path: Path) -> None:
    # As where they are not installed: what is not here cannot be imported, by us or by what we use.
    code = """
import sys
NAMES = ("psycopg", "dask", "distributed", "fsspec", "s3fs", "botocore", "aiobotocore")
sys.modules |= dict.fromkeys(NAMES)
from streamlit.testing.v1 import AppTest
from hdr.training.run_spec import RunSpec
from hdr.store.runs import RunStore
from hdr.jobs.worker import execute
from hdr.types import Step
from hdr.ui.shell import startup
startup._prepare = lambda *_: None
app = AppTest.from_file("streamlit_app.py", default_timeout=300).run()
assert not app.exception
store = RunStore()
assert execute(store, store.create(RunSpec("bundled", 500, classifier=Step("nearest_centroid")), "ann", "t").id)
app.switch_page("pages/runs.py").run()
assert not app.exception
assert not any(sys.modules[name] for name in NAMES)
"""
    bare = {name: value for name, value in os.environ.items() if name not in ("HDR_STORE", "HDR_ARTIFACTS", "HDR_DASK")}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**bare, "HDR_HOME": str(tmp_path)},
        timeout=200,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
