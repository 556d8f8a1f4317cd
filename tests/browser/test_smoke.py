"""The main job of the pages whose own modules have no test for it that is short: Home, Train, Runs, Data and About."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
import streamlit
from playwright.sync_api import Page, expect

from hdr import datasets
from tests.browser.conftest import Server, button, click_until, settled, switch
from tests.browser.looking import step_titles

pytestmark = pytest.mark.smoke

SMALL = datasets.title("bundled")


def test_home_shows_a_digit_and_its_answer_and_leads_to_the_step_that_was_clicked(server: Server, page: Page) -> None:
    page.goto(server.url)
    expect(page.get_by_role("heading", name="Handwritten digits, step by step")).to_be_visible()
    expect(page.locator(".st-key-journey img.hdr-digit")).to_have_count(5)
    expect(page.locator(".hdr-home-answer")).to_have_text(re.compile(r"^\d$"))
    expect(page.get_by_test_id("stTopNavLink")).to_have_count(8)
    source = page.locator(".st-key-card-0 img").get_attribute("src")
    page.locator(".st-key-card-0").get_by_role("link").click()
    expect(page.get_by_role("heading", name="What the machine sees")).to_be_visible()
    expect(step_titles(page).first).to_be_visible()
    expect(page.locator(".st-key-card-0-source img.hdr-digit")).to_have_attribute("src", source)


def test_train_ends_in_a_result_that_runs_lists_and_opens(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/train")
    settled(page)
    data = page.locator('.st-key-plan [class*="-data"]').get_by_role("combobox")
    data.click()
    page.get_by_role("option", name=SMALL).click()
    settled(page)
    known = {run.id for run in server.store.runs()}
    click_until(button(page, "train"), lambda: {r.id for r in server.store.runs()} - known, "the run is in the store")
    accuracy = page.locator(".st-key-test_accuracy")
    expect(accuracy).to_be_visible()
    (run,) = (r for r in server.store.runs() if r.id not in known)
    assert (run.status, run.spec.dataset) == ("done", "bundled")
    shown = float(re.search(r"[\d.]+", accuracy.inner_text())[0])
    assert shown == pytest.approx(run.result["test_accuracy"] * 100, abs=0.005)

    switch(page, "Runs")
    expect(page.get_by_role("heading", name="All runs")).to_be_visible()
    settled(page)
    # The table is painted: the newest run is its first row, which is found by its place.
    page.locator(".stDataFrame canvas").first.click(position={"x": 18, "y": 52}, force=True)
    expect(page).to_have_url(re.compile(f"runs={run.id}"))
    expect(accuracy).to_contain_text(f"{shown:.2f}")


def test_data_takes_an_upload_shows_it_and_trains_on_it(server: Server, page: Page) -> None:
    train = datasets.load("bundled").train
    stream = io.BytesIO()
    np.savez_compressed(stream, images=train.images[:200], labels=train.labels[:200])
    page.goto(f"{server.url}/data")
    settled(page)
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(
        {"name": "mine.npz", "mimeType": "application/octet-stream", "buffer": stream.getvalue()}
    )
    expect(button(page, "data_check")).to_be_enabled()
    button(page, "data_check").click()
    expect(page.locator(".st-key-brought")).to_contain_text("200 digits were read")
    used = button(page, "data_use")
    click_until(used, lambda: not used.count(), "the digits are taken")
    switch(page, "Train")
    page.locator('.st-key-plan [class*="-data"]').get_by_role("combobox").click()
    expect(page.get_by_role("option", name="mine")).to_be_visible()


def test_about_says_what_the_server_allows_and_what_it_rests_on(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/about")
    expect(page.get_by_role("heading", name="About this server")).to_be_visible()
    expect(page.locator(".st-key-limits")).to_contain_text("Trainings at the same time")
    main = page.get_by_test_id("stMain")
    for rests in ("MIT licence", streamlit.__version__):
        expect(main).to_contain_text(rests)
