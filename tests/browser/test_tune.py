"""A search as people see it: tick, start, watch, stop, go on, and train the best on everything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from hdr.store.searches import SearchStore
from hdr.training.run_spec import MAX_DIGITS, PRESETS
from hdr.tuning.records import Search
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import dimension
from tests.browser.conftest import Server, Tabs, button, settled
from tests.support.waiting import until

BASE = replace(PRESETS["fast"].spec, dataset="bundled", train_size=500)


def searches(server: Server) -> SearchStore:
    """The searches of the server's store."""
    return SearchStore(server.store)


def link(**values: object) -> str:
    """The address of a space: C of a support vector machine on few digits."""
    spec = SearchSpec(BASE, (dimension(BASE, "classifier.svm.C", 0.1, 100.0),), prune=False, **values)
    return f"/train?space={quote(json.dumps(spec.to_json(), separators=(',', ':')))}"


def newest(server: Server) -> Search:
    """The search that was started last."""
    return searches(server).searches("local")[0]


@pytest.fixture(autouse=True)
def nothing_left_running(server: Server) -> Iterator[None]:
    """A test that fails does not leave its work to the next one."""
    yield
    for search in searches(server).searches(statuses=("queued", "running")):
        searches(server).request_stop(search.id)
    for run in server.store.runs(statuses=("queued", "running")):
        server.store.request_stop(run.id)
    until(lambda: not searches(server).searches(statuses=("queued", "running")), "searches have ended")
    until(lambda: not server.store.runs(statuses=("queued", "running")), "trainings have ended")


def test_a_search_is_ticked_watched_stopped_gone_on_with_and_its_best_trained(server: Server, page: Page) -> None:
    page.goto(server.url + link(most_trials=400))
    settled(page)
    page.get_by_role("button", name="Gamma", exact=True).click()
    expect(page.get_by_role("slider")).to_have_count(4)
    expect(button(page, "tune_start")).to_be_enabled()
    button(page, "tune_start").click()
    best = page.locator(".st-key-tune_best .hdr-figure")
    expect(best).to_contain_text("%")
    search = newest(server)
    assert [d.path for d in search.spec.space] == ["classifier.svm.C", "classifier.svm.gamma"]
    expect(page.locator(".js-plotly-plot").first).to_be_visible()

    button(page, "tune_stop").click()
    expect(button(page, "tune_go")).to_be_visible()
    stopped = searches(server).get(search.id)
    assert stopped.status == "stopped" and 0 < stopped.ended < 400

    page.reload()
    expect(best).to_contain_text(f"{stopped.best_value * 100:.2f}")
    button(page, "tune_go").click()
    expect(button(page, "tune_stop")).to_be_visible()
    until(lambda: searches(server).get(search.id).ended > stopped.ended, "it goes on")
    button(page, "tune_stop").click()
    expect(button(page, "tune_go")).to_be_visible()
    settled(page)

    # The grid is painted: its first row is found by its place.
    grid = page.locator(".stDataFrame canvas").first
    grid.scroll_into_view_if_needed()
    grid.click(position={"x": 18, "y": 52}, force=True)
    # A button with a help text is there twice, once for phones.
    page.get_by_role("button", name="Train this on everything").click()
    (run,) = until(lambda: [r for r in server.store.listed("local") if r.title.startswith("Tuned")], "it is a run")
    trial = searches(server).trial(search.id, 0)
    assert run.spec == replace(trial.spec(search), train_size=MAX_DIGITS)
    expect(button(page, "tune_start")).to_have_count(0)


def test_a_second_tab_and_a_phone_find_the_same_search(server: Server, tabs: Tabs) -> None:
    page = tabs()
    page.goto(server.url + link(most_trials=4))
    settled(page)
    button(page, "tune_start").click()
    until(lambda: searches(server).searches("local", ("done",)), "the search is done")
    search = newest(server)
    phone = tabs(390, 844, touch=True)
    phone.goto(f"{server.url}/train?search={search.id}")
    expect(phone.locator(".st-key-tune_best .hdr-figure")).to_contain_text(f"{search.best_value * 100:.2f}")
    settled(phone)
    wider = "() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth }"
    assert phone.evaluate(wider) == 0, "nothing is wider than a phone"
