"""Drawing with the mouse and a finger, as people do."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from hdr.types import Split
from tests.browser.conftest import Server, Tabs, settled, switch
from tests.browser.looking import click_place, uncovered
from tests.support.waiting import until

Stroke = list[tuple[float, float]]
"""Points as shares of the canvas, from its left and its top."""

STROKES: dict[int, list[Stroke]] = {
    1: [[(0.52, 0.2), (0.5, 0.5), (0.48, 0.8)]],
    0: [[(0.5 + 0.2 * np.sin(a), 0.5 - 0.3 * np.cos(a)) for a in np.linspace(0, 2 * np.pi, 24)]],
    7: [[(0.3, 0.25), (0.68, 0.25), (0.55, 0.5), (0.45, 0.8)]],
}
DIGITS = re.compile(r"^\d+$")


def canvas(page: Page) -> Locator:
    """What is drawn on, once it is ready."""
    found = page.locator("canvas.upper-canvas")
    expect(found).to_be_visible()
    settled(page)
    return found


def draw(page: Page, strokes: list[Stroke]) -> None:
    """Draw with the mouse."""
    box = canvas(page).bounding_box()
    for stroke in strokes:
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=4)
        page.mouse.up()


def draw_by_finger(page: Page, strokes: list[Stroke]) -> None:
    """Draw on a touch screen."""
    box = canvas(page).bounding_box()
    session = page.context.new_cdp_session(page)
    for stroke in strokes:
        touch = [[{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}] for x, y in stroke]
        session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": touch[0]})
        for point in touch[1:]:
            session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": point})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def answer(page: Page) -> Locator:
    """Where the answer is."""
    return page.locator(".st-key-answer")


def empty(page: Page) -> None:
    """The canvas is said to be empty and there is no answer."""
    expect(answer(page)).to_have_text("")
    expect(page.get_by_text("The canvas is empty")).to_be_visible()


def ink(page: Page) -> int:
    """How many pixels of the canvas are dark, all its layers together."""
    return page.evaluate(
        """() => {
          const all = []
          const visit = (root) => root.querySelectorAll('*').forEach((e) => {
            if (e.tagName === 'CANVAS') all.push(e)
            if (e.shadowRoot) visit(e.shadowRoot)
          })
          visit(document.querySelector('.st-key-canvas'))
          return all.reduce((sum, c) => {
            const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height)
            let dark = 0
            for (let i = 0; i < data.length; i += 4) dark += data[i + 3] > 128 && data[i] < 100
            return sum + dark
          }, 0)
        }"""
    )


def wait_for_ink(page: Page, right: Callable[[int], bool]) -> bool:
    """Wait until the canvas has redrawn itself."""
    return bool(until(lambda: right(ink(page)), "the canvas is redrawn"))


def read_by(page: Page, title: str) -> None:
    """Let somebody else read."""
    page.locator(".st-key-reader input").click()
    page.get_by_role("option", name=re.compile(title)).click()
    settled(page)


@pytest.mark.smoke
def test_a_digit_drawn_with_the_mouse_is_read_and_the_answer_is_just_the_digit(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/draw")
    for digit, strokes in STROKES.items():
        draw(page, strokes)
        expect(answer(page)).to_have_text(str(digit))
        assert DIGITS.match(answer(page).inner_text().strip())
        expect(page.locator(".hdr-best")).to_have_text(re.compile(rf"^{digit}"))
        expect(page.get_by_text("sure. Next guesses:")).to_be_visible()
        page.locator(".st-key-clear button").click()
        empty(page)


def test_an_empty_canvas_says_so_and_never_predicts(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/draw")
    canvas(page)
    empty(page)
    expect(page.locator(".st-key-undo button")).to_be_disabled()
    expect(page.locator(".hdr-best")).to_have_count(0)


def test_undo_takes_one_stroke_at_a_time_from_canvas_and_answer(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/draw")
    draw(page, STROKES[1])
    expect(answer(page)).to_have_text("1")
    one = ink(page)
    draw(page, STROKES[0])
    expect(answer(page)).not_to_have_text("1")
    assert wait_for_ink(page, lambda now: now > one * 1.5)
    page.locator(".st-key-undo button").click()
    expect(answer(page)).to_have_text("1")
    assert wait_for_ink(page, lambda now: abs(now - one) < one * 0.1)
    page.locator(".st-key-undo button").click()
    empty(page)
    assert wait_for_ink(page, lambda now: now == 0)


def test_clear_leaves_a_canvas_that_can_be_drawn_on_again(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/draw")
    draw(page, STROKES[0])
    expect(answer(page)).to_have_text("0")
    page.locator(".st-key-clear button").click()
    empty(page)
    assert wait_for_ink(page, lambda now: now == 0)
    draw(page, STROKES[1])
    expect(answer(page)).to_have_text("1")


def test_what_the_model_sees_is_shown_after_capture_and_after_every_step(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/draw")
    draw(page, STROKES[7])
    expect(answer(page)).to_have_text("7")
    read_by(page, "Default reader")
    steps = page.locator(".hdr-way figcaption")
    expect(steps).to_have_text(["captured", "Deskew", "Scale to box", "Centre by mass"], ignore_case=True)


def test_a_drawing_survives_a_change_of_page_on_canvas_and_in_the_answer(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/draw")
    draw(page, STROKES[0])
    expect(answer(page)).to_have_text("0")
    before = ink(page)
    switch(page, "Train")
    expect(page.get_by_role("heading", name="Train a model")).to_be_visible()
    expect(page.locator("canvas.upper-canvas")).to_have_count(0)
    switch(page, "Draw")
    canvas(page)
    expect(answer(page)).to_have_text("0")
    assert wait_for_ink(page, lambda now: abs(now - before) < before * 0.1)
    seen = page.locator(".hdr-way img").first
    captured = seen.get_attribute("src")
    draw(page, [[(0.1, 0.9), (0.9, 0.9)]])
    expect(seen).not_to_have_attribute("src", captured)
    page.locator(".st-key-undo button").click()
    expect(seen).to_have_attribute("src", captured)
    expect(answer(page)).to_have_text("0")


def test_a_drawing_is_explained_by_itself_and_again_after_a_stroke_during_the_rest(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/draw")
    draw(page, STROKES[1])
    expect(answer(page)).to_have_text("1")
    explained = page.locator(".st-key-why .hdr-whys")
    expect(explained).to_contain_text("speaks for a 1")
    page.locator(".st-key-clear button").click()
    empty(page)
    stroke = STROKES[7][0]
    draw(page, [stroke[:2]])
    expect(answer(page)).not_to_have_text("")
    # The explanation of the first stroke has not begun; it is the whole digit that is explained.
    draw(page, [stroke[1:]])
    expect(answer(page)).to_have_text("7")
    expect(explained).to_contain_text("speaks for a 7")


def test_a_drawing_opens_in_preprocess(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/draw")
    draw(page, STROKES[7])
    expect(answer(page)).to_have_text("7")
    captured = page.locator(".hdr-way img").first.get_attribute("src")
    page.locator(".st-key-open_in_preprocess button").click()
    expect(page.get_by_role("heading", name="What the machine sees")).to_be_visible()
    source = page.locator(".st-key-card-0-source img.hdr-digit")
    expect(source).to_have_attribute("src", captured)
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(captured.split(",")[1]), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture.shape == (28, 28)
    assert picture.max() > 200


def test_a_finger_draws_on_a_phone(server: Server, tabs: Tabs) -> None:
    page = tabs(390, 844, touch=True)
    page.goto(f"{server.url}/draw")
    box = canvas(page).bounding_box()
    assert box["width"] >= 280
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    draw_by_finger(page, STROKES[1])
    expect(answer(page)).to_have_text("1")
    expect(answer(page)).to_be_visible()


def test_what_a_drawing_was_is_said_by_one_click_and_by_none_for_the_next(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/draw")
    draw(page, STROKES[7])
    expect(answer(page)).to_have_text("7")
    buttons = page.locator('[class*="st-key-meant-"] button')
    buttons.nth(1).click()
    expect(page.get_by_text("Kept as a 1")).to_be_visible()
    buttons.nth(7).click()
    expect(page.get_by_text("Kept as a 7")).to_be_visible()
    draw(page, STROKES[1])
    expect(page.get_by_text("One click corrects or confirms")).to_be_visible()
    expect(page.locator('[class*="st-key-meant-"] [aria-checked=true]')).to_have_count(0)
    page.get_by_role("tab", name="My handwriting").click()
    expect(page.locator('.hdr-hand img[alt="Your 7"]')).to_have_count(1)


def test_a_link_shows_somebody_else_the_same_drawing_and_reading(server: Server, tabs: Tabs) -> None:
    page = tabs()
    page.goto(f"{server.url}/draw")
    draw(page, STROKES[7])
    page.get_by_role("tab", name="Share").click()
    shown = page.locator("[data-testid=stCode]")
    expect(shown).to_contain_text("drawing=")
    link, before = shown.inner_text().strip(), ink(page)
    assert link.startswith(f"{server.url}/draw?drawing=")
    other = tabs()
    other.goto(link)
    expect(answer(other)).to_have_text("7")
    expect(other.get_by_text("sure. Next guesses:")).to_be_visible()
    assert wait_for_ink(other, lambda now: abs(now - before) < before * 0.1)
    draw(other, [[(0.1, 0.9), (0.9, 0.9)]])
    expect(other).to_have_url(f"{server.url}/draw")


@pytest.mark.smoke
def test_a_number_is_read_on_the_wide_canvas(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/draw?what=number")
    for place, digit in enumerate((7, 1, 0)):
        draw(page, [[((x + place) / 3, y) for x, y in stroke] for stroke in STROKES[digit]])
    expect(answer(page)).to_have_text("710")
    expect(page.locator("img.hdr-paper")).to_be_visible()
    page.locator(".st-key-undo button").click()
    expect(answer(page)).to_have_text("71")


def test_a_number_is_written_by_finger_on_a_phone_and_the_answer_is_in_sight(server: Server, tabs: Tabs) -> None:
    page = tabs(390, 844, touch=True)
    page.goto(f"{server.url}/draw?what=number")
    box = canvas(page).bounding_box()
    assert box["x"] >= 0 and 340 <= box["width"] <= 390 - box["x"], "all of the canvas is on the screen"
    number = ""
    for place, digit in enumerate((7, 1, 0)):
        draw_by_finger(page, [[((x + place) / 3, y) for x, y in stroke] for stroke in STROKES[digit]])
        number += str(digit)
        expect(answer(page)).to_have_text(number)
    expect(answer(page)).to_be_in_viewport()
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("e => e.scrollWidth - e.clientWidth") == 0, "nothing has to be moved sideways"


def test_a_digit_of_a_number_is_opened_voted_on_and_corrected(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/draw?what=number")
    for place, digit in enumerate((7, 1)):
        draw(page, [[((x + place) / 3, y) for x, y in stroke] for stroke in STROKES[digit]])
    expect(answer(page)).to_have_text("71")
    click_place(page, page.locator(".st-key-card-0-number-1 img"))
    expect(page.get_by_text("Stroke by stroke")).to_be_visible()
    page.locator('[class*="st-key-meant-"] button').nth(4).click()
    expect(answer(page)).to_have_text("74")
    expect(page.get_by_text("Kept as a 4")).to_be_visible()
    page.get_by_role("tab", name="A vote").click()
    expect(page.locator(".hdr-vote").first).to_be_visible()
    page.get_by_role("tab", name="My handwriting").click()
    expect(page.locator('.hdr-hand img[alt="Your 4"]')).to_have_count(1)


@pytest.fixture
def photo(digits: Split) -> bytes:
    """Three digits on bright paper."""
    paper = np.full((300, 600), 230, np.uint8)
    for place in range(3):
        large = cv2.resize(digits.images[place], (120, 120), interpolation=cv2.INTER_CUBIC)
        paper[90:210, 40 + 180 * place : 160 + 180 * place] -= (large * 0.75).astype(np.uint8)
    return cv2.imencode(".png", paper)[1].tobytes()


PASTE = """(data) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0))
  const clipboardData = new DataTransfer()
  clipboardData.items.add(new File([bytes], "a.png", { type: "image/png" }))
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))
}"""


def test_a_picture_is_pasted_from_the_clipboard(server: Server, page: Page, photo: bytes) -> None:
    page.goto(f"{server.url}/draw?what=photo")
    page.get_by_role("radio", name="The clipboard").click()
    expect(page.get_by_text("Copy a picture")).to_be_visible()
    settled(page)
    page.evaluate(PASTE, base64.b64encode(photo).decode())
    expect(answer(page)).to_have_text(re.compile(r"^\d{3,}$"))
    expect(page.get_by_text("Pasted.")).to_be_visible()


def choose(server: Server, page: Page, photo: bytes) -> str:
    """Choose a photo: the number that is read."""
    page.goto(f"{server.url}/draw?what=photo")
    page.locator("input[type=file]").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": photo})
    expect(answer(page)).to_have_text(re.compile(r"^\d{3,}$"))
    return answer(page).inner_text().strip()


def test_a_digit_on_a_photo_is_added_by_a_box(server: Server, page: Page, photo: bytes) -> None:
    before = choose(server, page, photo)
    page.locator(".st-key-page_add label").last.click()
    surface = canvas(page)
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + 165, box["y"] + 220, steps=6)
    page.mouse.up()
    expect(answer(page)).to_have_text(re.compile(rf"^\d{{{len(before) + 1}}}$"))
    expect(page.locator("img.hdr-paper")).to_have_attribute("alt", f"The photo with {len(before) + 1} boxes")


@pytest.mark.smoke
def test_a_digit_of_a_photo_is_opened_by_its_picture(server: Server, page: Page, photo: bytes) -> None:
    number = choose(server, page, photo)
    cards = page.locator(".st-key-page-gallery")
    assert uncovered(cards) == len(number)
    second = page.locator(".st-key-page-1 button")
    expect(second).not_to_have_attribute("kind", "primary")
    click_place(page, cards.locator("img.hdr-digit").nth(1))
    expect(second).to_have_attribute("kind", "primary")
