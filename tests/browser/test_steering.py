"""Steering a training, all of it by keyboard: what is pressed happens, and is written down with the run."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from hdr import datasets
from hdr.store.run_commands import RunCommands
from hdr.training.run_spec import Change, RunSpec
from hdr.types import Step
from tests.browser.conftest import Server, settled
from tests.browser.test_training import curve_points
from tests.support.waiting import until

MOST_TABS = 80


def press(page: Page, key: str) -> None:
    """Walk to a button with the Tab key alone, and press it."""
    page.locator(f".st-key-{key} button").wait_for()
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("key => Boolean(document.activeElement.closest('.st-key-' + key))", key):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{key} was not reached with {MOST_TABS} presses of Tab")


def paused_after(page: Page) -> int:
    """The epoch after which the page says that the training waits."""
    said = page.locator(".st-key-so_far")
    expect(said).to_contain_text(re.compile(r"Paused after epoch \d+"))
    return int(re.search(r"Paused after epoch (\d+)", said.inner_text())[1])


def test_a_network_is_paused_stepped_changed_and_kept_by_keyboard(server: Server, page: Page) -> None:
    spec = RunSpec(dataset=datasets.available()[0], train_size=20_000, classifier=Step("mlp", {"epochs": 100}))
    run = server.store.create(spec, "local", "steered")
    page.goto(f"{server.url}/train?run={run.id}")
    until(lambda: curve_points(page), "the curve has begun")

    press(page, "pause")
    epoch = paused_after(page)
    settled(page)
    before = curve_points(page)
    page.wait_for_timeout(1500)
    assert curve_points(page) == before, "nothing is learned in a pause"

    press(page, "step")
    expect(page.locator(".st-key-so_far")).to_contain_text(f"Paused after epoch {epoch + 1}")

    slider = page.locator(".st-key-live_parameters").get_by_role("slider").first
    slider.focus()
    page.keyboard.press("ArrowLeft")
    asked = RunCommands(server.store)
    until(lambda: any(c.kind == "change" for c in asked.commands(run.id)), "the change has arrived")

    press(page, "go")
    until(lambda: curve_points(page) > before + 3, "it learns again")
    press(page, "keep")
    expect(page.locator(".st-key-test_accuracy")).to_be_visible()

    done = server.store.get(run.id)
    assert done.status == "done"
    changed, stopped = done.spec.changes
    assert changed.epoch == epoch + 2, "a change counts from the next epoch on"
    assert dict(changed.values).keys() <= {"learning_rate", "batch_size", "penalty"}
    assert stopped == Change(done.result["stopped_early"]["step"] + 1, (), True)
    expect(page.get_by_text("Dotted: what was changed while it learned").first).to_be_visible()
