"""Addresses: what is shared is seen, what is hostile does nothing, and every page may be the first."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, Tabs, settled, switch
from tests.browser.looking import click, pictures, set_slider, step_titles

WORD_JOINER = "\u2060"
"""Invisible; parts what Markdown would otherwise take for an address."""

TITLES = {
    "": "Handwritten digits, step by step",
    "preprocess": "What the machine sees, step by step",
    "features": "What is measured in a digit",
    "train": "Train a model and watch it learn",
    "runs": "All runs",
    "draw": "Draw a digit",
}


def test_a_shared_address_shows_the_same_chain(server: Server, tabs: Tabs) -> None:
    first = tabs()
    first.goto(f"{server.url}/preprocess")
    expect(step_titles(first)).to_have_count(6)
    click(first, "select-0")
    expect(first.locator(".st-key-settings")).to_contain_text("1. Median filter")
    click(first, "remove")
    expect(step_titles(first)).to_have_count(5)
    first.get_by_role("button", name="Add a step").click()
    click(first, "add-sobel_magnitude")
    expect(step_titles(first)).to_have_count(6)
    titles = step_titles(first).all_inner_texts()
    assert "Sobel magnitude" in titles
    assert "Median filter" not in titles
    expect(first).to_have_url(re.compile("sobel_magnitude"))

    second = tabs()
    second.goto(first.url)
    expect(step_titles(second)).to_have_text(titles)
    assert pictures(second) == pictures(first)


@pytest.mark.smoke
def test_a_slider_changes_pictures_and_address(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/preprocess?chain=threshold-level-100~deskew")
    click(page, "select-0")
    expect(page.locator(".st-key-settings")).to_contain_text("Fixed threshold")
    before = pictures(page)
    set_slider(page, "Level", "End")
    expect(page).to_have_url(re.compile("threshold-level-254"))
    after = pictures(page)
    assert after[0] == before[0], "the source stays"
    assert after[1] != before[1], "the step that was changed"
    assert after[2] != before[2], "and the one after it"


def test_a_disturbance_changes_every_picture_and_goes_with_the_address(server: Server, tabs: Tabs) -> None:
    first = tabs()
    first.goto(f"{server.url}/preprocess?chain=median")
    clean = pictures(first)
    first.get_by_role("button", name="Disturb").click()
    set_slider(first, "Gaussian noise", "End")
    expect(first.get_by_text("gaussian noise 100")).to_be_visible()
    noisy = pictures(first)
    assert all(a != b for a, b in zip(clean, noisy, strict=True))

    second = tabs()
    second.goto(first.url)
    expect(second.get_by_text("gaussian noise 100")).to_be_visible()
    assert pictures(second) == noisy


def test_a_reload_keeps_the_chain(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/preprocess?chain=gaussian~otsu")
    expect(step_titles(page)).to_have_text(["Gaussian filter", "Otsu threshold"])
    click(page, "select-1")
    expect(page.locator(".st-key-settings")).to_contain_text("2. Otsu threshold")
    click(page, "remove")
    expect(step_titles(page)).to_have_text(["Gaussian filter"])
    page.reload()
    expect(step_titles(page)).to_have_text(["Gaussian filter"])


def test_the_chain_goes_to_train_on_one_click(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/preprocess?chain=gaussian~otsu")
    page.locator(".st-key-use_for_training button").click()
    expect(page.get_by_role("heading", name=TITLES["train"])).to_be_visible()
    expect(page.get_by_text("Gaussian filter, then Otsu threshold")).to_be_visible()


def test_a_hostile_address_is_shown_as_it_is_written(server: Server, page: Page) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
    for chain in (
        "![](http://elsewhere.example/picture.png)",
        "[click here](http://elsewhere.example/)",
        "http://elsewhere.example/",
        "www.elsewhere.example",
        "HTTPS://elsewhere.example/ me@elsewhere.example",
        "<img src=x onerror=alert(1)>",
        "median-size-4",
    ):
        page.goto(f"{server.url}/preprocess?chain={quote(chain)}")
        warning = page.get_by_test_id("stAlert")
        expect(warning).to_contain_text("cannot be used")
        assert chain.removeprefix("median-size-") in warning.inner_text().replace(WORD_JOINER, "")
        expect(warning.locator("a, img")).to_have_count(0)
        expect(step_titles(page)).to_have_count(6)


@pytest.mark.parametrize("address", ["features", "draw"])
def test_a_page_can_be_the_first_that_a_new_server_is_asked_for(address: str, fresh_server: Server, page: Page) -> None:
    page.goto(f"{fresh_server.url}/{address}")
    expect(page.get_by_role("heading", name=TITLES[address])).to_be_visible()
    links = page.get_by_test_id("stTopNavLink")
    expect(links).to_have_text(["Home", "Preprocess", "Features", "Train", "Runs", "Draw", "Data", "About"])
    settled(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    switch(page, "Runs")
    expect(page.get_by_role("heading", name=TITLES["runs"])).to_be_visible()
    assert "Traceback" not in fresh_server.log
