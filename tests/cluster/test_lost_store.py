"""Two servers on one PostgreSQL, one that goes away while trainings run, and what pages say meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from hdr.training import artifacts
from hdr.training.model import TrainedModel
from hdr.training.run import ACTIVE
from hdr.training.search_store import SearchStore
from hdr.training.spec import RunSpec
from hdr.training.store import RunStore
from hdr.ui import resources
from tests.chaos.world import NETWORK, PLANS, SEARCH
from tests.chaos.world import Server as Web
from tests.pages.conftest import SMALL, Open, healthy
from tests.pages.conftest import fresh as fresh
from tests.pages.conftest import open_page as open_page

from .postgresql import PASSWORD, Server

PAGES = ("home", "preprocess", "features", "train", "runs", "draw", "data", "about")


@pytest.fixture
def gone(postgresql_server: Server) -> Iterator[list[bool]]:
    """Stops the server where a test says so, and sees to it that it runs in the end."""
    state: list[bool] = []
    yield state
    if state:
        postgresql_server.start()


def said(app: AppTest) -> list[str]:
    """What a page says in red."""
    assert not app.exception, app.exception
    # Without what keeps Markdown from reading it.
    return [error.value.replace("\\", "").replace("\u2060", "") for error in app.error]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_that_the_store_is_away_and_comes_back(
    postgresql: str, postgresql_server: Server, gone: list[bool], open_page: Open, page: str
) -> None:
    store = RunStore()
    run = store.create(SMALL, "local", "t", "Of before").id
    app = open_page(page, {"run": run} if page == "train" else None)
    before = [title.value for title in app.header]
    postgresql_server.stop()
    gone.append(True)
    began = time.monotonic()
    app.run()
    errors = [e for e in said(app) if "cannot be reached: connection refused" in e]
    assert len(errors) == 1 and time.monotonic() - began < 20
    assert PASSWORD not in errors[0] and "hdr:***@127" in errors[0]
    assert any("This page comes back by itself" in caption.value for caption in app.caption)
    assert [title.value for title in app.header] == before, "the page is there"
    postgresql_server.start()
    gone.clear()
    app.run()
    assert said(app) == [] and not any("comes back by itself" in c.value for c in app.caption)
    healthy(app)


def test_the_first_page_of_a_server_whose_store_is_away(
    postgresql: str, postgresql_server: Server, gone: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "_lost", [])
    postgresql_server.stop()
    gone.append(True)
    app = AppTest.from_file("streamlit_app.py", default_timeout=60).run()
    assert ["cannot be reached" in e for e in said(app)] == [True]
    postgresql_server.start()
    gone.clear()
    time.sleep(resources.LOST_SECONDS)
    app.run()
    assert said(app) == []
    healthy(app)


def until(store: RunStore, what: str, condition) -> None:
    """Wait for a busy machine."""
    deadline = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < deadline, (what, [(r.status, r.message) for r in store.listed()])
        time.sleep(0.2)


@pytest.fixture
def webs(postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Web]]:
    """Two servers of runs, each with a home of its own, on one store and one place for models."""
    monkeypatch.setenv("HDR_ARTIFACTS", str(tmp_path / "shared"))
    servers = [Web(HDR_HOME=str(tmp_path / f"home-{k}")) for k in range(2)]
    yield servers
    for server in servers:
        server.close()


def test_two_servers_do_everything_once(webs: list[Web]) -> None:
    store, names = RunStore(), []

    def click(server: Web, token: str, plan: RunSpec) -> None:
        server.ask(token, plan)
        names.append((token, server.answer()))

    for number, plan in enumerate((*PLANS, SEARCH)):
        clicks = [threading.Thread(target=click, args=(web, f"click {number}", plan)) for web in webs]
        for thread in clicks:
            thread.start()
        for thread in clicks:
            thread.join()
    assert len(set(names)) == 5 and not any(name.startswith("!") for _, name in names)
    searches = SearchStore(store)
    until(store, "all end", lambda: not store.listed(statuses=ACTIVE) and searches.searches()[0].status == "done")
    for run in store.listed():
        assert run.status == "done", run.message
        events = store.events(run.id)
        assert [e["number"] for e in events] == list(range(len(events))), "nobody else has written to it"
        assert TrainedModel.load(artifacts.place().fetch(run.id)).spec.key == run.spec.key
    trials = searches.trials(searches.searches()[0].id)
    assert [t.status for t in trials] == ["done"] * SEARCH.most_trials


def test_trainings_outlive_a_store_that_goes_and_comes_back(
    webs: list[Web], postgresql_server: Server, gone: list[bool]
) -> None:
    store, searches = RunStore(), SearchStore(RunStore())
    for number, web in enumerate(webs):
        web.ask(f"run {number}", NETWORK)
        assert not web.answer().startswith("!")
    webs[0].ask("search", SEARCH)
    search = webs[0].answer()
    until(store, "all learn", lambda: all(store.events(r.id) for r in store.listed()) and searches.trials(search))
    for how in ("fast", "immediate"):
        postgresql_server.stop(how)
        gone.append(True)
        webs[1].ask(f"while away {how}", PLANS[1])
        answer = webs[1].answer()
        assert answer.startswith("! The run store at postgresql+psycopg://hdr:***@127.0.0.1:") and "refused" in answer
        time.sleep(3)
        postgresql_server.start()
        gone.clear()
        time.sleep(2)
    webs[1].ask("afterwards", PLANS[1])
    assert not webs[1].answer().startswith("!")
    until(
        store,
        "all end",
        lambda: not store.listed(statuses=ACTIVE) and searches.get(search).status not in ("queued", "running"),
    )
    runs = store.listed()
    assert [(r.status, r.message) for r in runs] == [("done", "")] * 3
    for run in runs:
        events = store.events(run.id)
        assert [e["number"] for e in events] == list(range(len(events))), "no gap in what it has learned"
    trials = searches.trials(search)
    assert [t.number for t in trials if t.status == "done"] == list(range(SEARCH.most_trials))
