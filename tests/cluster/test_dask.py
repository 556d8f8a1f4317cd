"""Runs and searches on a real Dask cluster, with a real PostgreSQL: workers and servers die, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from hdr.cluster.dask_scheduler import ClusterProcesses
from hdr.store.runs import RunStore
from hdr.store.searches import SearchStore
from hdr.training.run_spec import RunSpec
from hdr.tuning.records import Search
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import dimension
from hdr.types import HdrError, Step
from tests.browser.conftest import Server, button, children
from tests.cluster.dask_cluster import Cluster, until

SLOW = {"epochs": 15, "units": 50, "batch_size": 16}
BASE = RunSpec("bundled", 1000, classifier=Step("mlp", SLOW))
SEARCH = SearchSpec(BASE, (dimension(BASE, "classifier.mlp.learning_rate"),), "random", False, most_trials=40)
LONG = RunSpec("bundled", 1500, classifier=Step("mlp", {"epochs": 100, "units": 500, "layers": 4, "batch_size": 16}))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A scheduler and two workers."""
    found = Cluster(tmp_path / "dask")
    found.begin()
    yield found
    found.close()


@pytest.fixture
def store(postgresql: str, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """The store of all servers of a test; models go to a folder that all machines share."""
    for name, value in {
        "HDR_STORE": postgresql,
        "HDR_ARTIFACTS": str(tmp_path / "shared"),
        "HDR_DASK": cluster.address,
        "HDR_HOME": str(tmp_path / "home"),
    }.items():
        monkeypatch.setenv(name, value)
    return RunStore()


@pytest.fixture
def serve(store: RunStore, tmp_path: Path) -> Iterator[object]:
    """Starts servers, each on a machine of its own as far as folders go."""
    running: list[Server] = []

    def start() -> Server:
        running.append(Server(tmp_path / f"server-{len(running)}"))
        return running[-1]

    yield start
    for server in running:
        server.stop()


def ended(searches: SearchStore, search: str) -> int:
    """How many trials of a search have ended."""
    return searches.get(search).ended


def begun(server: Server, page: Page, searches: SearchStore) -> Search:
    """The search of forty trials, started on the Tune panel."""
    page.goto(f"{server.url}/train?space={quote(json.dumps(SEARCH.to_json(), separators=(',', ':')))}")
    button(page, "tune_start").click()
    (search,) = until(lambda: searches.searches("local"), "it is in the queue")
    return search


@pytest.mark.timeout(900)
def test_forty_trials_while_a_worker_and_the_server_are_killed(
    store: RunStore, cluster: Cluster, serve, page: Page
) -> None:
    searches, server = SearchStore(store), serve()
    search = begun(server, page, searches)
    until(lambda: searches.at_work().get(search.id) == 2, "both workers are at it")

    until(lambda: ended(searches, search.id) >= 8, "it is on its way")
    killed = cluster.processes()[0]
    os.kill(killed, signal.SIGKILL)
    until(lambda: ended(searches, search.id) >= 16, "it goes on without a worker")
    page.goto("about:blank")
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    now = ended(searches, search.id)
    until(lambda: ended(searches, search.id) >= now + 4, "it goes on without a server")

    again = serve()
    until(lambda: not searches.get(search.id).active, "it comes to its end")
    trials = searches.trials(search.id)
    assert searches.get(search.id).status == "done", searches.get(search.id).message
    assert [t.number for t in trials] == list(range(40)) and all(t.status == "done" for t in trials)
    assert len({t.values_json for t in trials}) == 40
    # What the dead worker was at was done again; it may have been between two.
    assert sum(t.attempts - 1 for t in trials) <= 2
    assert killed not in cluster.processes() and len(cluster.processes()) == 2
    page.goto(f"{again.url}/train?search={search.id}")
    expect(page.get_by_text("40 of 40 trials")).to_be_visible()


def test_a_run_is_trained_elsewhere_and_stopped_from_any_server(store: RunStore, serve, page: Page) -> None:
    ann, bob = serve(), serve()
    page.goto(f"{ann.url}/train")
    button(page, "train").click()
    (first,) = until(lambda: [r.id for r in store.listed("local") if r.owner == "local"], "it is in the queue")
    until(lambda: store.get(first).status == "running", "a worker takes it")
    assert not [args for args in children(ann.process.pid).values() if "hdr.cli.worker" in args]
    until(lambda: not store.get(first).active, "it ends")
    assert store.get(first).status == "done", store.get(first).message
    # What a worker wrote is fetched by a server that has never seen it.
    page.goto(f"{bob.url}/train?run={first}")
    expect(page.get_by_text("test digits that it got wrong").first).to_be_visible()

    second = store.create(LONG, "local", "long", "The long one").id
    until(lambda: len(store.events(second)) > 3, "it learns")
    page.goto(f"{bob.url}/train?run={second}")
    button(page, "stop").click()
    until(lambda: store.get(second).status == "stopped", "it stops")
    for server in (ann, bob):
        page.goto(f"{server.url}/runs")
        # The default model, trained once for both, and these two.
        expect(page.get_by_text("3 runs", exact=True)).to_be_visible()


def test_a_lost_scheduler_is_said_and_all_goes_on_when_it_is_back(
    store: RunStore, cluster: Cluster, serve, page: Page
) -> None:
    searches, server = SearchStore(store), serve()
    search = begun(server, page, searches)
    until(lambda: ended(searches, search.id) >= 3, "it is on its way")
    cluster.end()
    until(lambda: searches.get(search.id).status == "queued", "its silence is noticed")
    expect(page.get_by_text("cannot be reached")).to_be_visible()
    cluster.begin()
    before = ended(searches, search.id)
    until(lambda: ended(searches, search.id) > before + 3, "it goes on")
    trials = searches.trials(search.id)
    assert [t.number for t in trials] == list(range(len(trials)))
    searches.request_stop(search.id)
    until(lambda: not searches.get(search.id).active, "it stops")


def test_workers_that_do_not_have_the_app_are_said_and_nothing_is_lost(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_ARTIFACTS", str(tmp_path / "shared"))
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "home"))
    (tmp_path / "empty").mkdir()
    bare = Cluster(tmp_path / "dask", tmp_path / "empty")
    bare.begin(1)
    store = RunStore()
    processes = ClusterProcesses(store, bare.address)
    try:
        run = processes.submit(RunSpec("bundled", 500), "ann", "t").id
        said = until(lambda: "cannot do it" in processes.trouble() and processes.trouble(), "it is said")
        assert "No module named 'hdr'" in said and store.get(run).status == "queued"
        with pytest.raises(HdrError, match="data of your own stay"):
            processes.submit(RunSpec("own-abc", 500), "ann", "u")
    finally:
        processes.stop(run)
        processes.close()
        bare.close()
    assert store.get(run).status == "stopped"


@pytest.mark.parametrize("missing", ["HDR_STORE", "HDR_ARTIFACTS"])
def test_a_cluster_needs_a_store_and_a_place_for_models(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setenv("HDR_ARTIFACTS", str(tmp_path / "shared"))
    store = RunStore()
    monkeypatch.delenv(missing)
    with pytest.raises(HdrError, match=f"HDR_DASK needs {missing} as well"):
        ClusterProcesses(store, "tcp://127.0.0.1:1")
