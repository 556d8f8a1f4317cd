"""A class in real browsers: the teacher makes a link, a pupil opens it, trains what is free, and has a result."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from hdr.classroom.assignment import build
from hdr.classroom.assignment_link import from_text, to_text
from hdr.training.run_spec import RunSpec
from hdr.types import Step
from tests.browser.conftest import Server, Tabs, button, click_until, settled, switch
from tests.browser.looking import overflow

PLAN = RunSpec("bundled", 500, features=(Step("pixels"),), reduction=None, classifier=Step("k_nearest_neighbours"))
TASK = build(title="Mind your neighbours", plan=PLAN, free=("classifier.k_nearest_neighbours.k",), pages=())


def made_by_a_teacher(server: Server, page: Page) -> str:
    """The address that the page for teachers gives for a plan of bundled digits, with a title of its own."""
    page.goto(f"{server.url}/train?class={to_text(build(title='Small', plan=PLAN, free=tuple(TASK.free)))}")
    settled(page)
    # The quickest way to a small plan; outside of its class again it is the teacher's own.
    page.get_by_role("button", name="Leave").click()
    page.get_by_text("For teachers: set a task for a class").click()
    expect(page.get_by_role("heading", name="Set a task for a class")).to_be_visible()
    title = page.get_by_label("Title")
    title.fill(TASK.title)
    title.press("Enter")
    expect(page.locator(".st-key-teach_preview")).to_contain_text(TASK.title)
    settled(page)
    expect(page.locator(".st-key-class_code img")).to_be_visible()
    return page.get_by_role("link", name="Open it as a pupil").get_attribute("href")


@pytest.mark.smoke
def test_a_pupil_opens_the_teachers_link_and_trains_what_is_free(server: Server, page: Page, tabs: Tabs) -> None:
    address = made_by_a_teacher(server, page)
    task = from_text(parse_qs(urlsplit(address).query)["class"][0])
    assert (task.title, task.plan) == (TASK.title, PLAN)
    assert address.startswith(f"{server.url}/train?")

    pupil = tabs(390, 844, touch=True)
    pupil.goto(address)
    banner = pupil.locator(".st-key-class_banner")
    expect(banner).to_contain_text(f"{TASK.title}")
    expect(banner).to_contain_text("You have no run yet")
    settled(pupil)
    plan = pupil.locator(".st-key-plan")
    expect(plan).to_contain_text("Set by your teacher")
    for free in ("Neighbours", "Weights"):
        expect(plan.get_by_test_id("stWidgetLabel").filter(has_text=free)).to_be_visible()
    for fixed in ("Data", "Training digits", "Seed", "Features", "Reduction", "Classifier"):
        expect(plan.get_by_test_id("stWidgetLabel").filter(has_text=fixed)).to_have_count(0)
    expect(pupil.get_by_text("For teachers")).to_have_count(0)
    assert overflow(pupil) == []

    known = {run.id for run in server.store.runs()}
    click_until(button(pupil, "train"), lambda: {r.id for r in server.store.runs()} - known, "the run is in the store")
    accuracy = pupil.locator(".st-key-test_accuracy")
    expect(accuracy).to_be_visible()
    (run,) = (r for r in server.store.runs() if r.id not in known)
    assert run.spec == PLAN
    assert run.status == "done"
    shown = re.search(r"[\d.]+", accuracy.inner_text())[0]
    expect(banner).to_contain_text(f"So far: {shown}")
    below, above = accuracy.bounding_box(), button(pupil, "train").bounding_box()
    assert 0 < below["y"] - above["y"] < 400, "on a phone the result stands where Train was pressed"
    assert overflow(pupil) == []


def test_a_page_that_the_class_does_without_and_the_way_out(server: Server, page: Page) -> None:
    text = to_text(TASK)
    page.goto(f"{server.url}/draw?class={text}")
    expect(page.get_by_role("heading", name="Not part of this class")).to_be_visible()
    expect(page.get_by_test_id("stTopNavLink")).to_have_count(2)
    page.get_by_role("link", name="Train a model").click()
    expect(page.get_by_role("button", name="Begin anew")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["class"] == [text]
    page.get_by_role("button", name="Leave").click()
    expect(page.locator(".st-key-class_banner")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("class="))
    switch(page, "Draw")
    expect(page.locator("canvas.upper-canvas")).to_be_visible()


def test_a_spoilt_link_gives_a_plain_message(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/train?class={to_text(TASK)[:-20]}")
    said = page.get_by_role("alert").filter(has_text="This class cannot be opened")
    expect(said).to_contain_text("was cut off: ask for the whole link")
    expect(button(page, "train")).to_be_visible()
    expect(page.locator(".st-key-class_banner")).to_have_count(0)
