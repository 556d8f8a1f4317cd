"""Models elsewhere: in an S3 on 127.0.0.1, and in a place that fails in every way."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from hdr import cluster, datasets
from hdr.cluster import fsspec_artifacts
from hdr.jobs import retention
from hdr.jobs.worker import execute
from hdr.paths import home
from hdr.store import artifacts
from hdr.store.artifacts import ArtifactsError
from hdr.store.runs import RunStore
from hdr.training.model import TrainedModel, load_test_probabilities
from hdr.training.run_spec import RunSpec
from hdr.types import Step
from tests.cluster.postgresql import free_port

ROOT = Path(__file__).parents[2]
SMALL = RunSpec("bundled", 500, classifier=Step("mlp", {"epochs": 2, "units": 10}))
FILES = {"model.skops", "test.npy", "model.json", "manifest.json"}


class Faulty(MemoryFileSystem):
    """A place in this process's memory that does as it is told."""

    protocol = "faulty"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    errors: ClassVar[list[Exception | None]] = []
    """What the next calls fail with, one after the other; None for one that works."""

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("faulty://").strip("/")

    def _fail(self) -> None:
        if self.errors and (error := self.errors.pop(0)):
            raise error

    def pipe_file(self, path: str, value: bytes, **more: Any) -> None:
        """Half of it is written before it fails."""
        try:
            self._fail()
        except Exception:
            super().pipe_file(path, value[: len(value) // 2], **more)
            raise
        super().pipe_file(path, value, **more)

    def cat_file(self, path: str, **more: Any) -> bytes:
        """As it is, or not."""
        self._fail()
        return super().cat_file(path, **more)

    def find(self, path: str, **more: Any) -> Any:
        """As it is, or not."""
        self._fail()
        return super().find(path, **more)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    fsspec_artifacts.remote.cache_clear()
    retention._measured.clear()
    yield
    fsspec_artifacts.remote.cache_clear()
    retention._measured.clear()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """An empty store, which does not change when `machine` changes the home."""
    monkeypatch.setenv("HDR_STORE", f"sqlite:///{tmp_path / 'runs.sqlite'}")
    machine(tmp_path / "one", monkeypatch)
    return RunStore()


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> type[Faulty]:
    """Models go to a place that does as it is told."""
    fsspec.register_implementation("faulty", Faulty, clobber=True)
    Faulty.store.clear()
    Faulty.errors.clear()
    Faulty.pseudo_dirs[:] = [""]
    monkeypatch.setenv("HDR_ARTIFACTS", "faulty://here/models")
    cluster.register()
    monkeypatch.setattr(fsspec_artifacts.time, "sleep", lambda _: None)
    return Faulty


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of an S3."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=free_port())
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    yield f"http://127.0.0.1:{server._port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Models go to an empty bucket."""
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "hunter2-hunter2",
        "AWS_DEFAULT_REGION": "us-east-1",
        "HDR_ARTIFACTS": "s3://digits/models",
    }.items():
        monkeypatch.setenv(name, value)
    cluster.register()
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    files = fsspec.filesystem("s3", use_listings_cache=False)
    if files.exists("digits"):
        files.rm("digits", recursive=True)
    files.mkdir("digits")
    yield files
    fsspec.get_filesystem_class("s3").clear_instance_cache()


def machine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be another machine, which has nothing yet."""
    monkeypatch.setenv("HDR_HOME", str(folder))


def trained(store: RunStore, token: str = "t") -> str:
    """A run that is done."""
    run = store.create(SMALL, "ann", token).id
    assert execute(store, run), store.get(run).message
    return run


def cached() -> set[str]:
    """What this machine has."""
    folder = home() / "cache" / "models"
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def test_what_one_machine_makes_another_uses(
    store: RunStore, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(store)
    assert {path.rsplit("/", 1)[1] for path in s3.find(f"digits/models/{run}")} == FILES
    assert not (home() / "models").exists() and cached() == {run}
    here = TrainedModel.load(artifacts.artifact_store().fetch(run))
    machine(tmp_path / "two", monkeypatch)
    assert not store.get(run).folder.exists()
    there = TrainedModel.load(artifacts.artifact_store().fetch(run))
    images = datasets.load("bundled").test.images[:50]
    assert np.array_equal(here.predict_proba(images), there.predict_proba(images)) and there.spec == SMALL
    assert load_test_probabilities(artifacts.artifact_store().fetch(run)).shape[1] == 10
    size = sum(s3.info(path)["size"] for path in s3.find("digits/models")) / 1e6
    assert artifacts.artifact_store().sizes() == {run: pytest.approx(size)}


def test_another_process_reads_with_it(store: RunStore, s3: Any, tmp_path: Path) -> None:
    run = trained(store)
    code = (
        "from hdr.cli.read import find_model\nfrom hdr import datasets\n"
        f"print(find_model({run!r}).predict_proba(datasets.load('bundled').test.images[:1]).sum())"
    )
    environment = {**os.environ, "HDR_HOME": str(tmp_path / "three")}
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=100
    )
    assert float(ended.stdout) == pytest.approx(1.0), ended.stderr


def test_a_deleted_run_takes_its_model_along(store: RunStore, s3: Any) -> None:
    run, other = trained(store), trained(store, "other")
    store.delete([run], "ann")
    assert store.purge() == 0 and s3.exists(f"digits/models/{run}/model.skops"), "it can still be brought back"
    _long_ago(store, run)
    assert store.purge() == 1 and not s3.find(f"digits/models/{run}") and cached() == {other}
    assert s3.find(f"digits/models/{other}")


def test_what_is_no_place_is_said_in_plain_words(
    store: RunStore, s3: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HDR_ARTIFACTS", "s3://no-such-bucket/models")
    cluster.register()
    run = store.create(SMALL, "ann", "t").id
    assert not execute(store, run)
    assert store.get(run).message.startswith("The model could not be put to s3://no-such-bucket/models: ")
    monkeypatch.setenv("HDR_ARTIFACTS", "nonsense://x/models")
    cluster.register()
    assert not execute(store, other := store.create(SMALL, "ann", "t2").id)
    assert store.get(other).message.startswith("Models cannot be kept in nonsense://x/models: ")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("HDR_ARTIFACTS", "s3://digits/models")
    cluster.register()
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    fsspec_artifacts.remote.cache_clear()
    with pytest.raises(
        ArtifactsError, match=f"The model of run {run} cannot be fetched from s3://digits/models: "
    ) as e:
        artifacts.artifact_store().fetch(run)
    assert "hunter2" not in str(e.value) + caplog.text + store.get(run).message


def test_half_an_upload_is_no_model(store: RunStore, faulty: type[Faulty], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(fsspec_artifacts, "PUT_SECONDS", -1.0)
    for count in range(4):
        faulty.errors[:] = [None] * count + [ConnectionError("reset by peer")]
        run = store.create(SMALL, "ann", f"t{count}").id
        assert not execute(store, run)
        assert store.get(run).message == "The model could not be put to faulty://here/models: reset by peer."
        assert cached() == set()
        with pytest.raises(ArtifactsError, match=r"it is not there, or not all of it|manifest\.json cannot be read"):
            artifacts.artifact_store().fetch(run)
        assert cached() == set(), "nothing is left of it"


def test_a_network_that_is_away_for_a_while_costs_nothing(store: RunStore, faulty: type[Faulty], caplog) -> None:
    faulty.errors[:] = [ConnectionError("away"), None, TimeoutError(), OSError(5, "Input/output error")]
    with caplog.at_level(logging.WARNING, "hdr.artifacts"):
        run = trained(store)
    assert caplog.text.count("Trying again.") == 3 and not faulty.errors
    assert TrainedModel.load(artifacts.artifact_store().fetch(run)).spec == SMALL


def test_nobody_asks_again_where_it_is_not_allowed(store: RunStore, faulty: type[Faulty]) -> None:
    faulty.errors[:] = [PermissionError("Access Denied"), None]
    run = store.create(SMALL, "ann", "t").id
    assert not execute(store, run) and len(faulty.errors) == 1
    assert store.get(run).message == "The model could not be put to faulty://here/models: Access Denied."


def test_what_was_damaged_on_its_way_is_found_out(
    store: RunStore, faulty: type[Faulty], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(store)
    machine(tmp_path / "two", monkeypatch)
    place, kept = artifacts.artifact_store(), dict(faulty.store)
    about = json.loads(kept[f"/here/models/{run}/manifest.json"].getvalue())
    assert set(about["files"]) == FILES - {"manifest.json"}
    harms = {
        "its model.skops is not what was put there": ("model.skops", b"x" * about["files"]["model.skops"]["bytes"]),
        "its model.json is not what was put there": ("model.json", b"{}"),
        "its manifest.json cannot be read": ("manifest.json", b'{"files": {"model.sk'),
        "its manifest.json names something that is no file": ("manifest.json", b'{"files": {"../../x": {}}}'),
    }
    for said, (name, data) in harms.items():
        whole = place._files.cat_file(f"/here/models/{run}/{name}")
        MemoryFileSystem.pipe_file(place._files, f"/here/models/{run}/{name}", data)
        with pytest.raises(ArtifactsError, match=said):
            place.fetch(run)
        MemoryFileSystem.pipe_file(place._files, f"/here/models/{run}/{name}", whole)
    place._files.rm_file(f"/here/models/{run}/test.npy")
    with pytest.raises(ArtifactsError, match=r"its test\.npy is not there"):
        place.fetch(run)
    faulty.errors[:] = [ConnectionError("away: faulty://here/models")]
    with pytest.raises(ArtifactsError, match="cannot be fetched from faulty://here/models: away"):
        place.fetch(run)
    assert cached() == set()


def test_what_is_damaged_here_is_fetched_again(store: RunStore, faulty: type[Faulty]) -> None:
    run = trained(store)
    place = artifacts.artifact_store()
    for harm in (
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: (folder / "model.skops").write_bytes(b""),
        lambda folder: [path.unlink() for path in folder.iterdir()],
    ):
        harm(place.folder(run))
        assert TrainedModel.load(place.fetch(run)).spec == SMALL
    # What is whole here needs nobody elsewhere.
    faulty.errors[:] = [ConnectionError("away")]
    assert place.fetch(run).exists() and len(faulty.errors) == 1


def test_many_fetch_at_once(store: RunStore, faulty: type[Faulty], tmp_path: Path, monkeypatch) -> None:
    run = trained(store)
    machine(tmp_path / "two", monkeypatch)
    start, found = threading.Barrier(8), []

    def fetch() -> None:
        start.wait()
        found.append(TrainedModel.load(artifacts.artifact_store().fetch(run)).spec)

    threads = [threading.Thread(target=fetch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [SMALL] * 8 and cached() == {run}


def test_this_machine_keeps_what_was_used_last(store: RunStore, faulty: type[Faulty], monkeypatch) -> None:
    first, second, third = (trained(store, f"t{k}") for k in range(3))
    part = home() / "cache" / "models" / ".x.part"
    part.mkdir()
    size = artifacts.folder_mb(artifacts.artifact_store().folder(first))
    monkeypatch.setattr(fsspec_artifacts, "CACHE_MB", 2.5 * size)
    artifacts.artifact_store().fetch(first)
    assert cached() == {first, second, third, ".x.part"}, "somebody may be reading them"
    for age, name in enumerate((third, second, ".x.part"), 1):
        os.utime(part.with_name(name), (time.time() - age * 1000,) * 2)
    artifacts.artifact_store().fetch(first)
    assert cached() == {first, third}
    assert TrainedModel.load(artifacts.artifact_store().fetch(second)).spec == SMALL, "it is fetched again"


def test_cleaning(store: RunStore, faulty: type[Faulty], monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [trained(store, f"t{k}") for k in range(4)]
    place = artifacts.artifact_store()
    place._files.pipe_file("/here/models/of-no-run/model.skops", b"x" * 1000)
    assert retention.clean(store).orphans == 0
    now = time.time() + 8 * 24 * 3600.0
    with monkeypatch.context() as later:
        later.setattr(fsspec_artifacts.time, "time", lambda: now)
        assert retention.clean(store).orphans == 1 and set(place.sizes()) == set(runs)
    monkeypatch.setenv("HDR_DISK_MB", "10")
    place._files.pipe_file(f"/here/models/{runs[0]}/model.skops", b"x" * 9_800_000)
    assert retention.make_room(store)
    place._files.pipe_file(f"/here/models/{runs[1]}/model.skops", b"x" * 900_000)
    retention._measured.clear()
    assert retention.make_room(store) and runs[0] not in place.sizes() and runs[0] not in {r.id for r in store.listed()}
    # A place that does not answer keeps nobody from anything, and nothing is removed blindly.
    retention._measured.clear()
    faulty.errors[:] = [ConnectionError("away")] * 10
    assert retention.make_room(store)
    assert retention.clean(store).old == 0 and len(store.listed()) == 3
    faulty.errors.clear()
    store.delete([runs[1]], "ann")
    _long_ago(store, runs[1])
    monkeypatch.setattr(Faulty, "rm", lambda *_, **__: (_ for _ in ()).throw(ConnectionError("away")))
    assert store.purge() == 0, "it is removed another time"


def _long_ago(store: RunStore, run: str) -> None:
    from hdr.store.schema import runs

    with store.database.writing() as connection:
        connection.execute(runs.update().where(runs.c.id == run).values(deleted=1.0))
