"""Two servers on one PostgreSQL, one that goes away while trainings run, and what pages say meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from hdr.store import artifacts
from hdr.store.run_record import ACTIVE
from hdr.store.runs import RunStore, StoreError
from hdr.store.searches import SearchStore
from hdr.training.model import TrainedModel
from hdr.training.run_spec import RunSpec
from hdr.ui.state import resources
from tests.browser.conftest import Server as App
from tests.browser.conftest import Tabs
from tests.chaos.world import NETWORK, PLANS, SEARCH
from tests.chaos.world import Server as Web
from tests.cluster.postgresql import PASSWORD, Server
from tests.pages.conftest import SMALL, Open, healthy
from tests.pages.conftest import fresh as fresh
from tests.pages.conftest import open_page as open_page
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
PAGES = ("home", "preprocess", "features", "draw", "data", "about")
"""Those that do without runs; the others are seen in a browser, since AppTest runs them without the entry script."""


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
    store.create(SMALL, "local", "t", "Of before")
    app = open_page(page)
    before = [title.value for title in app.header]
    postgresql_server.stop()
    gone.append(True)
    app.run()
    errors = said(app)
    assert errors and all("hdr:***@127" in e and "cannot be reached: connection refused." in e for e in errors)
    assert len(set(errors)) == 1 and PASSWORD not in errors[0]
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
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()
    assert ["cannot be reached" in e for e in said(app)] == [True]
    postgresql_server.start()
    gone.clear()
    time.sleep(resources.LOST_SECONDS)
    app.run()
    assert said(app) == []
    healthy(app)


@pytest.mark.browser
def test_open_pages_come_back_by_themselves(
    postgresql: str, postgresql_server: Server, gone: list[bool], tabs: Tabs, tmp_path: Path
) -> None:
    store = RunStore()
    run = store.create(SMALL, "local", "t", "Of before").id
    store.claim(run, 1)
    over = threading.Event()

    def live() -> None:
        while not over.wait(1):
            with suppress(StoreError):
                store.heartbeat(run)

    threading.Thread(target=live).start()
    app = App(tmp_path / "home")
    try:
        list_of_runs, training, first = tabs(), tabs(), tabs()
        list_of_runs.goto(f"{app.url}/runs")
        training.goto(f"{app.url}/train?run={run}")
        expect(list_of_runs.get_by_text("Of before").first).to_be_attached()
        expect(training.locator(".st-key-so_far")).to_be_visible()
        postgresql_server.stop()
        gone.append(True)
        first.goto(f"{app.url}/runs")
        # What runs is looked at all the time; a list when somebody does something.
        for page in (training, first):
            expect(page.get_by_text("cannot be reached: connection refused").first).to_be_visible()
        list_of_runs.reload()
        expect(list_of_runs.get_by_text("This page comes back by itself").first).to_be_visible()
        for page in (list_of_runs, training, first):
            assert "Traceback" not in page.content() and PASSWORD not in page.content()
        time.sleep(3)
        postgresql_server.start()
        gone.clear()
        for page in (list_of_runs, training, first):
            expect(page.get_by_text("cannot be reached")).to_have_count(0)
        expect(training.locator(".st-key-so_far")).to_be_visible()
        for page in (list_of_runs, first):
            expect(page.get_by_text("Of before").first).to_be_attached()
    finally:
        over.set()
        # First: a page whose server has ended reports that as an error of its own.
        tabs.close()
        app.stop()
    assert PASSWORD not in app.log


def all_of(store: RunStore) -> list[tuple[str, str]]:
    """How every run is, and what it says."""
    return [(r.status, r.message) for r in store.listed()]


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
        clicks = [threading.Thread(target=click, args=(web, f"click-{number}", plan)) for web in webs]
        for thread in clicks:
            thread.start()
        for thread in clicks:
            thread.join()
    assert len(set(names)) == 5 and not any(name.startswith("!") for _, name in names)
    searches = SearchStore(store)
    until(lambda: not store.listed(statuses=ACTIVE) and searches.searches()[0].status == "done", lambda: all_of(store))
    for run in store.listed():
        assert run.status == "done", run.message
        events = store.events(run.id)
        assert [e["number"] for e in events] == list(range(len(events))), "nobody else has written to it"
        assert TrainedModel.load(artifacts.artifact_store().fetch(run.id)).spec.key == run.spec.key
    trials = searches.trials(searches.searches()[0].id)
    assert [t.status for t in trials] == ["done"] * SEARCH.most_trials


def test_trainings_outlive_a_store_that_goes_and_comes_back(
    webs: list[Web], postgresql_server: Server, gone: list[bool]
) -> None:
    store, searches = RunStore(), SearchStore(RunStore())
    for number, web in enumerate(webs):
        web.ask(f"run-{number}", NETWORK)
        assert not web.answer().startswith("!")
    webs[0].ask("search", SEARCH)
    search = webs[0].answer()
    until(lambda: all(store.events(r.id) for r in store.listed()) and searches.trials(search), lambda: all_of(store))
    for how in ("fast", "immediate"):
        postgresql_server.stop(how)
        gone.append(True)
        webs[1].ask(f"while-away-{how}", PLANS[1])
        answer = webs[1].answer()
        assert answer.startswith("! The run store at postgresql+psycopg://hdr:***@127.0.0.1:") and "refused" in answer
        time.sleep(3)
        postgresql_server.start()
        gone.clear()
        time.sleep(2)
    webs[1].ask("afterwards", PLANS[1])
    assert not webs[1].answer().startswith("!")
    until(
        lambda: not store.listed(statuses=ACTIVE) and searches.get(search).status not in ("queued", "running"),
        lambda: all_of(store),
    )
    runs = store.listed()
    assert all_of(store) == [("done", "")] * 3
    for run in runs:
        events = store.events(run.id)
        assert [e["number"] for e in events] == list(range(len(events))), "no gap in what it has learned"
    trials = searches.trials(search)
    assert [t.number for t in trials if t.status == "done"] == list(range(SEARCH.most_trials))
