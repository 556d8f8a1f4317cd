"""Training as people see it: it runs in a process of its own, and nothing that a browser does harms it."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from hdr.store.runs import Run
from hdr.types import Dataset
from tests.browser.conftest import Server, Tabs, button, click_until, settled, switch
from tests.support.waiting import until


def curve_points(page: Page) -> int:
    """How many points the validation curve has on the page; 0 while there is no plot."""
    return page.evaluate(
        """() => {
          const plot = document.querySelector('.st-key-run .js-plotly-plot, .js-plotly-plot')
          const curve = plot && plot.data && plot.data.find((d) => d.name === 'validation')
          return curve ? curve.x.length : 0
        }"""
    )


def newest(server: Server) -> Run:
    """The run that was started last by somebody."""
    return server.store.runs("local")[0]


def start(server: Server, page: Page, preset: str) -> Run:
    """Train a preset and wait until its process has taken the run."""
    page.goto(f"{server.url}/train")
    settled(page)
    page.get_by_role("radio", name=preset).or_(page.get_by_role("button", name=preset, exact=True)).first.click()
    settled(page)
    known = {run.id for run in server.store.runs()}
    click_until(button(page, "train"), lambda: newest(server).id not in known, "the run is in the store")
    until(lambda: newest(server).status != "queued", "the run has begun")
    expect(page.locator(".st-key-so_far")).to_be_visible()
    return newest(server)


@pytest.fixture(autouse=True)
def nothing_left_running(server: Server) -> Iterator[None]:
    """A test that fails does not leave its training to the next one."""
    yield
    for run in server.store.runs(statuses=("queued", "running")):
        server.store.request_stop(run.id)
    until(lambda: not server.store.runs(statuses=("queued", "running")), "trainings have ended")


def test_the_fast_preset_learns_before_ones_eyes_and_is_right(server: Server, page: Page, mnist: Dataset) -> None:
    run = start(server, page, "Fast")
    accuracy = page.locator(".st-key-test_accuracy")
    seen: list[int] = []
    until(lambda: seen.append(curve_points(page)) or accuracy.is_visible(), "the training is done")
    # While it is drawn again there is none for a moment. How many of its points are seen depends on the machine.
    shown = [points for points in seen if points]
    assert shown == sorted(shown), "it never shrinks"
    scored = [e for e in server.store.events(run.id) if "validation_accuracy" in e]
    until(lambda: curve_points(page) == len(scored) > 2, "the curve is whole")
    number = float(re.search(r"[\d.]+", accuracy.inner_text())[0])
    assert number >= 98.8
    assert number == pytest.approx(server.store.get(run.id).result["test_accuracy"] * 100, abs=0.005)
    expect(page.get_by_text("95% interval")).to_be_visible()
    expect(page.get_by_text("test digits that it got wrong").first).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    expect(button(page, "stop")).to_have_count(0)
    expect(button(page, "train")).to_be_enabled()

    button(page, "draw_with_it").click()
    expect(page.locator("canvas.upper-canvas")).to_be_visible()
    expect(page.get_by_role("combobox")).to_have_value(re.compile(f"{number:.2f}"))


def test_stop_ends_the_process_and_the_page_says_so(server: Server, page: Page) -> None:
    run = start(server, page, "Best")
    process = server.trainer(run.id)
    button(page, "stop").click()
    expect(page.get_by_text("This training was stopped")).to_be_visible()
    expect(button(page, "train")).to_be_enabled()
    assert server.store.get(run.id).status == "stopped"
    until(lambda: not alive(process), "the process has ended")


def alive(process: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        with open(f"/proc/{process}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_reload_and_a_change_of_page_come_back_to_the_training(server: Server, page: Page) -> None:
    run = start(server, page, "Best")
    process = server.trainer(run.id)
    page.reload()
    expect(page.locator(".st-key-so_far")).to_be_visible()
    switch(page, "Preprocess")
    expect(page.get_by_role("heading", name="What the machine sees")).to_be_visible()
    switch(page, "Train")
    expect(page.locator(".st-key-so_far")).to_be_visible()
    before = page.locator(".st-key-so_far").inner_text()
    expect(page.locator(".st-key-so_far")).not_to_have_text(before)
    assert [r.id for r in server.store.runs(statuses=("queued", "running"))] == [run.id], "nothing was started twice"
    assert server.trainer(run.id) == process


def test_a_visitor_without_an_address_finds_the_training_that_runs(server: Server, page: Page, tabs: Tabs) -> None:
    run = start(server, page, "Best")
    other = tabs()
    other.goto(f"{server.url}/train")
    expect(other.locator(".st-key-so_far")).to_be_visible()
    expect(other).to_have_url(re.compile(f"run={run.id}"))
    expect(button(other, "train")).to_be_disabled()
    click_until(button(other, "stop"), lambda: server.store.get(run.id).status == "stopped", "the training is stopped")
    for tab in (page, other):
        expect(tab.get_by_text("This training was stopped")).to_be_visible()


def test_a_killed_process_leaves_an_interrupted_run_and_everything_else_working(
    server: Server, page: Page, tabs: Tabs
) -> None:
    run = start(server, page, "Best")
    os.kill(server.trainer(run.id), signal.SIGKILL)
    expect(page.get_by_role("alert").filter(has_text="ended without a word")).to_be_visible()
    assert server.store.get(run.id).status == "interrupted"
    switch(page, "Runs")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    switch(page, "Home")
    expect(page.locator(".hdr-home-answer")).to_have_text(re.compile(r"^\d$"))

    following = start(server, tabs(), "Best")
    assert following.id != run.id
    until(lambda: server.store.events(following.id), "the next training reports")
    assert server.store.get(following.id).status == "running"
