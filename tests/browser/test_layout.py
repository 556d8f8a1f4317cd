"""Every page at the width of a phone and of a laptop, in both themes."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from hdr.formatting import format_count
from tests.browser.conftest import Server, Tabs, settled
from tests.browser.looking import click_place, open_tab, overflow, uncovered

PAGES = ["", "preprocess", "features", "train", "runs", "draw"]


def test_no_page_is_wider_than_a_phone(server: Server, tabs: Tabs) -> None:
    page = tabs(390, 844)
    for address in PAGES:
        page.goto(f"{server.url}/{address}")
        expect(page.locator("h2")).to_be_visible()
        settled(page)
        if address == "draw":
            expect(page.locator("canvas.upper-canvas")).to_be_visible()
        assert overflow(page) == [], address


def test_a_result_is_not_wider_than_a_phone(server: Server, tabs: Tabs) -> None:
    page = tabs(390, 844)
    (run,) = server.store.runs("default")
    page.goto(f"{server.url}/train?run={run.id}")
    expect(page.locator(".st-key-test_accuracy")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    settled(page)
    assert overflow(page) == []


def test_a_card_is_its_button_or_link_as_a_whole(server: Server, page: Page) -> None:
    for address, gallery in (("", "journey"), ("preprocess", "strip"), ("features", "gallery")):
        page.goto(f"{server.url}/{address}")
        assert uncovered(page.locator(f".st-key-{gallery}")) > 2, address


def test_a_card_of_a_result_is_its_button_as_a_whole(server: Server, page: Page) -> None:
    (run,) = server.store.runs("default")
    page.goto(f"{server.url}/train?run={run.id}")
    expect(page.locator(".st-key-test_accuracy")).to_be_visible()
    for title, gallery in (("What it confuses", "cell"), ("Suspect labels", "suspect")):
        open_tab(page, title)
        cards = page.locator(f".st-key-understand-{gallery}-gallery")
        assert uncovered(cards) > 2, title
        chosen = cards.locator("img.hdr-digit").nth(1)
        number = format_count(int(chosen.get_attribute("alt").split()[-1]))
        click_place(page, chosen)
        expect(page.locator(".st-key-understand_digit")).to_contain_text(f"number {number} of")


def test_on_a_laptop_the_main_thing_of_every_page_is_seen_without_scrolling(server: Server, page: Page) -> None:
    seen = {
        "": ".st-key-journey",
        "preprocess": ".st-key-large",
        "features": ".st-key-drawings",
        "train": ".st-key-train button",
        "runs": "h2",
        "draw": ".hdr-bars",
    }
    for address, thing in seen.items():
        page.goto(f"{server.url}/{address}")
        expect(page.locator(thing)).to_be_visible()
        settled(page)
        box = page.locator(thing).bounding_box()
        assert box["y"] + box["height"] <= 900, address
        assert overflow(page) == [], address


def test_digits_are_enlarged_without_blur(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/preprocess")
    pictures = page.locator("img.hdr-digit")
    expect(pictures.first).to_be_visible()
    settled(page)
    for picture in pictures.all():
        expect(picture).to_have_css("image-rendering", "pixelated")
        natural = picture.evaluate("e => e.naturalWidth")
        shown = picture.evaluate("e => e.clientWidth")
        assert shown % natural == 0, "enlarged by a whole factor"


def test_a_digit_is_light_on_dark_in_both_themes(server: Server, page: Page) -> None:
    for theme, background in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(18, 21, 27)")):
        page.emulate_media(color_scheme=theme)
        page.goto(f"{server.url}/preprocess")
        expect(page.locator("img.hdr-digit").first).to_have_css("background-color", "rgb(0, 0, 0)")
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", background)
