"""Features as people use it: extractors on one digit, many digits as points, and the way to Train and back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from hdr import datasets
from tests.browser.conftest import Server, Tabs, press_until, settled, switch
from tests.browser.looking import best, choose, click, decoded, open_tab, overflow, pictures, set_slider
from tests.support.waiting import until

HEADING = "What is measured in a digit"
SMALL = "bundled"
"""The small data set, on which nobody waits for long."""

ALONE = """(plot) => {
  const { xaxis, yaxis } = plot._fullLayout
  const box = plot.getBoundingClientRect()
  const { x, y } = plot._fullData[0]
  const all = [...x].map((_, i) => [box.x + xaxis._offset + xaxis.l2p(x[i]), box.y + yaxis._offset + yaxis.l2p(y[i])])
  const gap = (i) => Math.min(...all.map(([a, b], j) => (j === i ? 1e9 : Math.hypot(a - all[i][0], b - all[i][1]))))
  // The one that is farthest from all others, so that a click can mean nothing else.
  const gaps = all.map((_, i) => (i % 3 ? 0 : gap(i)))
  return all[gaps.indexOf(Math.max(...gaps))]
}"""


WAITING = """() => {
  const place = document.querySelector('.hdr-waiting')
  return place && [place.innerText, place.getBoundingClientRect().height]
}"""


def settings(page: Page) -> Locator:
    """What stands beside the drawings: caption and parameters."""
    return page.locator(".st-key-settings")


def drawings(page: Page) -> list[str]:
    """The large pictures of the extractor, as they are given to the browser."""
    settled(page)
    expect(page.locator(".st-key-drawings img").first).to_be_visible()
    return page.locator(".st-key-drawings img").evaluate_all("all => all.map((e) => e.src)")


def scatter(page: Page, plane: str = "") -> Locator:
    """The plot of many digits, once its points are there; "pca" or "tsne" for one of these planes and no other."""
    every = page.locator('[class*="st-key-scatter-"] .js-plotly-plot')
    plot = page.locator(f'[class*="st-key-scatter-"][class*="-{plane}"] .js-plotly-plot')
    # While one plane takes the place of another, there are two for a moment.
    drawn = "all => all.length === 1 && all[0].checkVisibility() && all[0]._fullData?.[0].x?.length"
    until(lambda: every.count() == 1 and plot.evaluate_all(drawn), "the points of one plot are drawn")
    settled(page)
    plot.scroll_into_view_if_needed()
    return plot


def click_a_point(page: Page) -> None:
    """Click a point that is by itself."""
    x, y = scatter(page).evaluate(ALONE)
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)
    page.mouse.click(x, y)
    expect(page.locator(".st-key-picked")).to_contain_text("the digit you picked")
    settled(page)


@pytest.fixture(autouse=True)
def nothing_left_running(server: Server) -> Iterator[None]:
    """A test that fails does not leave its training to the next one."""
    yield
    for run in server.store.runs(statuses=("queued", "running")):
        server.store.request_stop(run.id)


@pytest.mark.smoke
def test_an_extractor_is_chosen_and_its_parameter_changes_drawing_and_address(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/features?digit={best()}-test-any-4")
    expect(settings(page)).to_contain_text("HOG")
    hog = drawings(page)
    click(page, "feature-zoning")
    expect(settings(page)).to_contain_text("Zoning")
    expect(page).to_have_url(re.compile("feature=zoning"))
    first = drawings(page)
    assert first != hog
    address = page.url
    # By its name: for a moment the sliders of the one that was left are still there.
    slider = settings(page).get_by_role("slider", name="Grid")
    press_until(slider, "End", lambda: page.url != address, "the parameter is in the address")
    expect(page.locator(".st-key-drawings img").first).not_to_have_attribute("src", first[0])
    changed, address = drawings(page), page.url
    page.reload()
    expect(settings(page)).to_contain_text("Zoning")
    assert drawings(page) == changed
    assert page.url == address
    click(page, "feature-hog")
    expect(settings(page)).to_contain_text("HOG")
    assert drawings(page) == hog
    click(page, "feature-zoning")
    expect(settings(page)).to_contain_text("Zoning")
    assert drawings(page) == changed, "what was set is there again"


def test_a_point_is_a_digit_that_opens_in_preprocess_and_whose_address_can_be_shared(
    server: Server, page: Page, tabs: Tabs
) -> None:
    page.goto(f"{server.url}/features?feature=centroid&digit={best()}-test-any-4")
    click_a_point(page)
    said = page.locator(".st-key-picked").inner_text()
    label, number = re.search(r"A (\d), number ([\d,]+) of the training split", said).groups()
    index = int(re.sub(r"\D", "", number))
    split = datasets.load(best()).train
    assert split.labels[index] == int(label)
    shown = decoded(page.locator(".st-key-picked img").get_attribute("src"))
    assert shown.shape == (28, 28)

    click(page, "open_in_preprocess")
    expect(page.get_by_role("heading", name="What the machine sees")).to_be_visible()
    expect(page).to_have_url(re.compile(f"digit={best()}-training-any-{index}"))
    way = pictures(page)
    assert np.array_equal(decoded(way[0]), split.images[index])
    assert np.array_equal(decoded(way[-1]), shown), "what the features see is what the chain leaves"

    other = tabs()
    other.goto(page.url)
    assert pictures(other) == way


def test_t_sne_tells_how_far_it_is_and_then_shows_every_digit(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/features?feature=zoning&digit={SMALL}-test-any-0")
    scatter(page)
    page.get_by_role("radio", name="t-SNE").click()
    words, height = page.wait_for_function(WAITING).json_value()
    assert re.search(r"\w.* · [\d.]+.*s", words), "what is being done, and for how long"
    assert height > 400, "its place is kept"
    expect(page.locator(".hdr-waiting")).to_have_count(0)
    plot = scatter(page, "tsne")
    assert plot.evaluate("e => e._fullData[0].x.length") > 1000
    assert plot.evaluate("e => e._fullLayout.xaxis.showticklabels") is False
    click_a_point(page)
    choose(page, "Principal components")
    scatter(page, "pca")
    expect(page.locator(".st-key-picked")).to_contain_text("the digit you picked")


def test_features_are_ranked_and_a_digit_is_rebuilt(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/features?feature=zoning&digit={SMALL}-test-any-0")
    open_tab(page, "Which features tell digits apart")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    expect(page.locator('[class*="st-key-violin-"] .js-plotly-plot')).to_be_visible()
    open_tab(page, "Principal components")
    rebuilt = page.get_by_alt_text(re.compile("^rebuilt from"))
    expect(rebuilt).to_be_visible()
    settled(page)
    before = rebuilt.get_attribute("src")
    set_slider(page, "Components", "End")
    expect(rebuilt).not_to_have_attribute("src", before)
    settled(page)
    original = decoded(page.get_by_alt_text("the digit", exact=True).get_attribute("src"))
    assert np.abs(decoded(rebuilt.get_attribute("src")).astype(int) - original).mean() < 10


def test_two_extractors_go_to_train_together_and_end_with_an_accuracy(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/features?feature=zoning&digit={SMALL}-test-any-0")
    click(page, "train_with")
    expect(page.get_by_role("heading", name="Train a model")).to_be_visible()
    settled(page)
    chosen = page.locator('.st-key-plan [data-testid="stMultiSelect"] [data-tag]')
    expect(chosen).to_have_text(["Zoning · zones"])
    switch(page, "Features")
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible()
    click(page, "feature-loops")
    expect(settings(page)).to_contain_text("Loops")
    expect(page).to_have_url(re.compile("feature=loops"))
    click(page, "add_to_plan")
    expect(page.get_by_role("heading", name="Train a model")).to_be_visible()
    settled(page)
    assert sorted(chosen.all_inner_texts()) == ["Loops · local", "Zoning · zones"]
    page.get_by_role("combobox", name="Data").click()
    page.get_by_role("option", name=datasets.load(SMALL).title).click()
    settled(page)
    known = {run.id for run in server.store.runs()}
    click(page, "train")
    accuracy, failure = page.locator(".st-key-test_accuracy"), page.locator(".st-key-run").get_by_test_id("stAlert")
    expect(accuracy.or_(failure)).to_be_visible()
    expect(failure).to_have_count(0)
    (run,) = [r for r in server.store.runs() if r.id not in known]
    assert [f.name for f in run.spec.features] == ["zoning", "loops"]
    number = float(re.search(r"[\d.]+", accuracy.inner_text())[0])
    assert 50 < number < 100, "nineteen numbers say much, and not all"


def test_on_a_phone_every_section_has_its_place(server: Server, tabs: Tabs) -> None:
    phone = tabs(390, 844, touch=True)
    phone.goto(f"{server.url}/features?feature=zoning&digit={SMALL}-test-any-0")
    scatter(phone)
    assert overflow(phone) == []
    for tab in ("Which features tell digits apart", "Principal components"):
        open_tab(phone, tab)
        expect(phone.locator(".js-plotly-plot:visible")).to_be_visible()
        settled(phone)
        assert overflow(phone) == [], tab
    slider = settings(phone).get_by_role("slider").first
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    address = phone.url
    phone.touchscreen.tap(340, box["y"] + box["height"] / 2)
    expect(phone).not_to_have_url(address)
