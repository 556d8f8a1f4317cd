"""Preprocess as people use it: point at pixels, drag the divider, keep results, compare, measure, take the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, expect

from hdr.preprocessing import Pipeline
from hdr.types import Split
from tests.browser.conftest import Server, Tabs, settled, switch
from tests.browser.looking import (
    best,
    choose,
    click,
    click_place,
    decoded,
    figures,
    framed,
    grey,
    open_tab,
    overflow,
    painted,
    pictures,
    point_at,
    readouts,
    set_slider,
    step_titles,
    watch_boxes,
    watched,
)

NUMBER = 4
"""Which digit is looked at: a real one of the data set that the app begins with."""

CHANGE, EDGE, KEPT = "Change", "Before | after", "Kept | now"
DIVIDER = "Divider between the two pictures"


def open_chain(page: Page, server: Server, chain: str, select: int = 0) -> None:
    """Open Preprocess with a chain, and show one of its steps large."""
    page.goto(f"{server.url}/preprocess?chain={chain}&digit={best()}-test-any-{NUMBER}")
    click(page, f"select-{select}")
    expect(page.locator(".st-key-settings")).to_contain_text(re.compile(rf"^\s*{select + 1}\. "))
    figures(page)


def stages(chain: str, digits: Split) -> list[NDArray[np.uint8]]:
    """The digit as it is, and after every step, by the library."""
    source = digits.images[NUMBER]
    return [source, *(stage.image for stage in Pipeline.from_text(chain).trace(source))]


def noise(page: Page) -> Locator:
    """What is said below the source about noise that was added."""
    return page.locator(".st-key-card-0-source").get_by_text(re.compile(r"^gaussian noise \d", re.IGNORECASE))


def halves(page: Page, before: NDArray[np.uint8], after: NDArray[np.uint8], share: float) -> bool:
    """Whether the last large picture is the one before the step left of the divider, and the one after it right."""
    at = int(share * before.shape[1] + 0.5)
    return np.array_equal(grey(page, 2), np.hstack([before[:, :at], after[:, at:]]))


def test_pointing_at_a_pixel_shows_its_value_and_frames_it_in_every_picture(
    server: Server, page: Page, digits: Split
) -> None:
    chain = "gaussian~otsu"
    open_chain(page, server, chain)
    before, after = stages(chain, digits)[:2]
    assert np.array_equal(grey(page, 0), before), "what is on the screen is what the library computes"
    assert np.array_equal(grey(page, 1), after)
    steepest = np.unravel_index(np.argmax(np.abs(after.astype(int) - before)), before.shape)
    for figure, (y, x) in enumerate([steepest, (0, 0), (27, 27)]):
        point_at(page, figure, x, y)
        change = int(after[y, x]) - int(before[y, x])
        signed = f"{'+' if change > 0 else '−' if change < 0 else ''}{abs(change)}"
        where = f"  at {x}, {y}"
        assert readouts(page) == [f"{before[y, x]}{where}", f"{after[y, x]}{where}", f"{signed}{where}"]
        assert framed(page) == [(x, y)] * 3
    page.mouse.move(5, 5)
    assert readouts(page) == ["point at a pixel", "", ""]
    assert framed(page) == [None] * 3


def test_the_value_of_a_signed_pixel_has_a_sign_and_that_of_an_angle_is_in_degrees(
    server: Server, page: Page, digits: Split
) -> None:
    for step, words in [
        ("sobel_x", lambda v: f"{'+' if v > 128 else '−' if v < 128 else ''}{abs(v - 128)}"),
        ("gradient_direction", lambda v: f"{round((v - 1) * 360 / 255)}°" if v else "none"),
    ]:
        open_chain(page, server, step)
        before, after = stages(step, digits)
        expect(figures(page)).to_have_count(2)
        assert len(np.unique(painted(page, 1).reshape(-1, 3), axis=0)) > 5, "in colours"
        for place in (np.argmax(after), np.argmin(np.where(after == 0, 255, after)), 0):
            y, x = (int(v) for v in np.unravel_index(place, after.shape))
            point_at(page, 1, x, y)
            told = words(int(after[y, x]))
            assert readouts(page) == [f"{before[y, x]}  at {x}, {y}", f"{told}  at {x}, {y}"]


def test_the_divider_is_dragged_with_the_mouse_and_moved_with_the_keyboard(
    server: Server, page: Page, digits: Split
) -> None:
    chain = "gaussian-sigma-3.0"
    open_chain(page, server, chain)
    before, after = stages(chain, digits)
    choose(page, EDGE)
    expect(page.locator("figure.divider")).to_be_visible()
    assert halves(page, before, after, 0.5)
    box = page.locator("figure.divider canvas").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    for share in (0.6, 0.25, 0.75):
        page.mouse.move(box["x"] + share * box["width"], y, steps=4)
        assert halves(page, before, after, share)
        edge = page.locator("figure.divider .edge").bounding_box()
        assert edge["x"] + edge["width"] / 2 == pytest.approx(box["x"] + share * box["width"], abs=1.5)
    page.mouse.up()
    page.mouse.move(box["x"] + 0.1 * box["width"], y)
    assert halves(page, before, after, 0.75), "without a button it stays"

    handle = page.get_by_role("slider", name=DIVIDER)
    handle.focus()
    assert float(handle.input_value()) == pytest.approx(750, abs=2)
    handle.press("End")
    assert halves(page, before, after, 1)
    handle.press("Home")
    assert halves(page, before, after, 0)
    for _ in range(3):
        handle.press("PageUp")
    share = float(handle.input_value()) / 1000
    assert 0.05 < share < 0.9
    assert halves(page, before, after, share)


def test_a_result_that_is_kept_is_compared_with_another_step_in_its_place(
    server: Server, page: Page, digits: Split
) -> None:
    open_chain(page, server, "gaussian-sigma-2.0")
    kept = stages("gaussian-sigma-2.0", digits)[1]
    click(page, "keep")
    expect(page.get_by_role("radio", name=KEPT)).to_be_checked()
    click(page, "instead-median")
    expect(step_titles(page)).to_have_text(["Median filter"])
    divider = page.locator("figure.divider")
    expect(divider).to_contain_text("left: Gaussian filter, sigma 2")
    expect(divider).to_contain_text("right: Median filter, size 3")
    set_slider(page, "Size", "End")
    expect(divider).to_contain_text("right: Median filter, size 9")
    settled(page)
    now = stages("median-size-9", digits)[1]
    assert not np.array_equal(kept, now)
    handle = page.get_by_role("slider", name=DIVIDER)
    handle.press("End")
    assert np.array_equal(grey(page, 2), kept)
    handle.press("Home")
    assert np.array_equal(grey(page, 2), now)
    point_at(page, 2, 14, 14)
    assert readouts(page)[2] == f"{kept[14, 14]} | {now[14, 14]}  at 14, 14"
    click(page, "let_go")
    expect(page.get_by_role("radio", name=KEPT)).to_have_count(0)
    expect(page.locator("figure.change")).to_be_visible()


def test_nothing_flashes_or_jumps_while_a_slider_moves(server: Server, page: Page) -> None:
    open_chain(page, server, "gaussian~otsu~centre_by_mass")
    choose(page, EDGE)
    page.get_by_role("slider", name=DIVIDER).press("PageUp")
    divided = page.get_by_role("slider", name=DIVIDER).input_value()
    places = (".st-key-strip", ".st-key-card-1 img", ".st-key-card-3 button", ".st-key-large", ".st-key-settings")
    settled(page)
    watch_boxes(page, *places, '[role="tablist"]')
    before = pictures(page)
    slider = page.locator(".st-key-settings").get_by_role("slider").first
    slider.focus()
    for _ in range(6):
        slider.press("ArrowRight")
        page.wait_for_timeout(120)
    expect(page).not_to_have_url(re.compile("sigma-1.0"))
    settled(page)
    page.wait_for_timeout(300)
    seen = watched(page)
    assert pictures(page)[1] != before[1]
    assert seen["frames"] > 20
    assert {name: len(boxes) for name, boxes in seen["boxes"].items()} == dict.fromkeys(seen["boxes"], 1), seen["boxes"]
    assert len(seen["boxes"]) == len(places) + 1 + 3
    assert seen["blank"] == 0
    assert page.get_by_role("slider", name=DIVIDER).input_value() == divided, "the divider stays where it was"


def test_a_click_in_the_family_takes_that_step(server: Server, page: Page) -> None:
    open_chain(page, server, "gaussian~sauvola~centre_by_mass", 1)
    open_tab(page, "Its whole family")
    family = page.locator(".st-key-family")
    names = family.get_by_role("button").all_inner_texts()
    assert len(names) == 7 and "Sauvola threshold" in names
    shown = family.get_by_alt_text("Triangle threshold").get_attribute("src")
    click(page, "instead-triangle")
    expect(step_titles(page)).to_have_text(["Gaussian filter", "Triangle threshold", "Centre by mass"])
    expect(page).to_have_url(re.compile("gaussian-.*~triangle~centre_by_mass"))
    assert pictures(page)[2] == shown, "the picture that was clicked is the one of the step"


def test_a_click_on_a_picture_is_a_click_on_its_title(server: Server, page: Page) -> None:
    open_chain(page, server, "gaussian~sauvola~centre_by_mass")
    # What is clicked is the place: a button lies over the picture, so that it can be reached by the keyboard too.
    click_place(page, page.get_by_alt_text("after Sauvola threshold"))
    expect(page.locator(".st-key-settings")).to_contain_text("2. Sauvola threshold")
    settled(page)
    click_place(page, page.locator(".st-key-family").get_by_alt_text("Otsu threshold"))
    expect(step_titles(page)).to_have_text(["Gaussian filter", "Otsu threshold", "Centre by mass"])
    switch(page, "Features")
    expect(page.locator(".st-key-gallery")).to_be_visible()
    click_place(page, page.locator(".st-key-card-0-feature-zoning img"))
    expect(page.locator(".st-key-settings")).to_contain_text("Zoning")


def test_all_ten_digits_go_through_the_chain_side_by_side(server: Server, page: Page, digits: Split) -> None:
    chain = "gaussian~otsu~deskew"
    open_chain(page, server, chain)
    open_tab(page, "All ten digits")
    grid = page.locator(".hdr-grid")
    expect(grid.locator(".hdr-over")).to_have_text(["source", "Gaussian filter", "Otsu threshold", "Deskew"])
    cells = grid.locator("img.hdr-digit")
    expect(cells).to_have_count(4 * 10)
    boxes = [cell.bounding_box() for cell in cells.all()]
    assert len({round(b["x"]) for b in boxes}) == 10
    assert len({round(b["y"]) for b in boxes}) == 4
    shown = [decoded(cell.get_attribute("src")) for cell in cells.all()]
    firsts = np.stack(shown[:10])
    for label, image in enumerate(firsts):
        assert digits.labels[(digits.images == image).all(axis=(1, 2))].tolist() == [label]
    assert np.array_equal(np.stack(shown[30:]), Pipeline.from_text(chain).apply(firsts))


def test_the_code_that_is_downloaded_gives_the_last_picture_of_the_strip(
    server: Server, page: Page, tmp_path: Path
) -> None:
    open_chain(page, server, "wavelet_denoising~adaptive_equalisation~sauvola~stroke_width~deskew~centre_by_mass")
    page.get_by_role("button", name="Disturb").click()
    set_slider(page, "Gaussian noise", "PageUp")
    expect(noise(page)).to_be_visible()
    page.keyboard.press("Escape")
    shown = pictures(page)
    open_tab(page, "Show me the code")
    for title, name in [("Download the script", "preprocess.py"), ("Download this picture", "digit.png")]:
        with page.expect_download() as download:
            page.get_by_role("button", name=title).click()
        assert download.value.suggested_filename == name
        download.value.save_as(tmp_path / name)
    code = (tmp_path / "preprocess.py").read_text()
    assert "hdr" not in re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE)
    expect(page.get_by_test_id("stCode")).to_contain_text("def preprocess(")
    subprocess.run([sys.executable, "-I", "preprocess.py", "digit.png", "result.png"], cwd=tmp_path, check=True)
    source, result = (cv2.imread(str(tmp_path / f), cv2.IMREAD_GRAYSCALE) for f in ("digit.png", "result.png"))
    assert np.array_equal(source, decoded(shown[0]))
    assert np.array_equal(result, decoded(shown[-1]))


def test_what_a_step_is_worth_is_measured_and_told_with_an_interval(server: Server, page: Page) -> None:
    open_chain(page, server, "otsu~centre_by_mass")
    open_tab(page, "Does it help?")
    expect(page.locator(".hdr-empty")).to_be_visible()
    click(page, "measure")
    answer = page.locator(".st-key-worth_answer")
    expect(answer).to_be_visible()
    settled(page)
    text = answer.inner_text()
    point = r"([+−±]\d+\.\d\d)"
    value, low, high = (
        float(v.replace("−", "-").replace("±", ""))
        for v in re.search(rf"{point}.*95% interval {point} to {point}", text, re.DOTALL).groups()
    )
    assert low <= value <= high and low < high
    assert re.search(r"Otsu threshold (helps|hurts|makes no difference)", text)
    changed = [
        int(re.search(r"\d+$", t)[0]) for t in page.get_by_text(re.compile(r"with(out)? it: \d+$")).all_inner_texts()
    ]
    assert len(changed) == 2
    expect(page.locator(".hdr-sheet figure")).to_have_count(sum(min(c, 30) for c in changed))
    click(page, "select-1")
    expect(answer).to_have_count(0)
    expect(page.get_by_role("button", name="Measure Centre by mass")).to_be_visible()
    click(page, "select-0")
    expect(page.get_by_role("button", name="Measure Otsu threshold")).to_be_visible()
    # Measured anew, it would have taken another time.
    expect(answer).to_contain_text(re.search(r"It took [^.]+\.\d+ s|It took [^.]+", text)[0])


def test_disturbances_and_the_chosen_digit_go_to_features_and_come_back(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/preprocess?chain=median&digit={best()}-training-3-7")
    page.get_by_role("button", name="Disturb").click()
    set_slider(page, "Gaussian noise", "PageUp")
    expect(noise(page)).to_be_visible()
    page.keyboard.press("Escape")
    shown, words, address = pictures(page), noise(page).inner_text(), page.url
    switch(page, "Features")
    expect(page.get_by_role("heading", name="What is measured in a digit")).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Number")).to_have_value("7")
    expect(page.get_by_role("button", name="Disturb (1)")).to_be_visible()
    expect(page).to_have_url(re.compile(f"digit={best()}-training-3-7"))
    page.locator(".st-key-feature-pixels button").click()
    first = page.locator(".st-key-drawings img").first
    expect(first).to_be_visible()
    switch(page, "Preprocess")
    expect(page.get_by_role("heading", name="What the machine sees")).to_be_visible()
    expect(noise(page)).to_have_text(words)
    assert pictures(page) == shown
    parts = [sorted(url.split("?")[1].split("&")) for url in (address, page.url)]
    assert parts[0] == parts[1]
    page.goto(address)
    expect(page.get_by_role("button", name="Disturb (1)")).to_be_visible()


@pytest.fixture
def phone(tabs: Tabs) -> Page:
    """A page of a visitor with a phone."""
    return tabs(390, 844, touch=True)


def test_on_a_phone_settings_are_reached_and_nothing_is_wider_than_the_page(server: Server, phone: Page) -> None:
    open_chain(phone, server, "gaussian~otsu~deskew")
    for tab in ("All ten digits", "Does it help?", "Show me the code", "Its whole family"):
        open_tab(phone, tab)
        assert overflow(phone) == [], tab
    choose(phone, EDGE)
    assert overflow(phone) == []
    slider = phone.locator(".st-key-settings").get_by_role("slider").first
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    before = pictures(phone)
    phone.touchscreen.tap(330, box["y"] + box["height"] / 2)
    expect(phone).not_to_have_url(re.compile("sigma-1.0"))
    assert pictures(phone)[1] != before[1]


def test_on_a_phone_a_finger_moves_the_divider_and_not_the_page(server: Server, phone: Page, digits: Split) -> None:
    chain = "gaussian-sigma-3.0"
    open_chain(phone, server, chain)
    before, after = stages(chain, digits)
    choose(phone, EDGE)
    canvas = phone.locator("figure.divider canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390, "all of it can be seen at once"
    y = box["y"] + box["height"] / 2
    finger = phone.context.new_cdp_session(phone)
    for kind, share in [("touchStart", 0.5), ("touchMove", 0.4), ("touchMove", 0.25), ("touchEnd", None)]:
        places = [{"x": box["x"] + share * box["width"], "y": y + 100 * (0.5 - share)}] if share else []
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})
    assert halves(phone, before, after, 0.25)
    assert canvas.bounding_box() == box, "the page has not scrolled"
