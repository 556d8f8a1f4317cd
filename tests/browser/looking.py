"""What tests of Preprocess and Features look at, and how they click, drag and point."""

from __future__ import annotations

import base64
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, expect

from hdr import datasets
from tests.browser.conftest import click_until, press_until, settled
from tests.support.waiting import until

SAMPLE_BOXES = """(keys) => {
  const seen = window.seen = { boxes: {}, blank: 0, frames: 0, going: true }
  const visit = (root, found = []) => {
    for (const e of root.querySelectorAll('*')) {
      if (e.matches('figure canvas')) found.push(e)
      if (e.shadowRoot) visit(e.shadowRoot, found)
    }
    return found
  }
  const look = () => {
    const places = Object.fromEntries(keys.map((k) => [k, document.querySelector(k)]))
    visit(document).forEach((e, i) => places['picture ' + i] = e)
    for (const [name, e] of Object.entries(places)) {
      const b = e && e.getBoundingClientRect()
      const box = b ? [b.x, b.y, b.width, b.height].map(Math.round).join(' ') : 'gone'
      seen.boxes[name] = [...new Set([...(seen.boxes[name] || []), box])]
      if (e && e.tagName === 'CANVAS') {
        const pixels = e.getContext('2d').getImageData(0, 0, e.width, e.height).data
        seen.blank += pixels.every((v, i) => i % 4 !== 3 || v === 0)
      }
    }
    const strip = [...document.querySelectorAll('.st-key-strip img')]
    seen.blank += strip.length === 0 || strip.some((e) => e.complete && e.naturalWidth === 0)
    seen.frames++
    if (seen.going) requestAnimationFrame(look)
  }
  look()
}"""


REACHED = """all => all.filter((card) => card.querySelector('button, a')).map((card) => {
  card.scrollIntoView({ block: 'center' })
  const { x, y, width, height } = card.getBoundingClientRect()
  return [0.25, 0.5, 0.75].every((share) => {
    const found = document.elementFromPoint(x + width / 2, y + height * share)?.closest('button, a')
    return found && card.contains(found)
  })
})"""


def best() -> str:
    """The data set that the app begins with."""
    return datasets.available()[0]


def step_titles(page: Page) -> Locator:
    """The titles of the steps in the strip."""
    return page.locator('[class*="st-key-select-"] button')


def pictures(page: Page) -> list[str]:
    """The pictures of the strip, as they are given to the browser, once there is one for the source and each step."""
    settled(page)
    shown = page.locator(".st-key-strip img.hdr-digit")
    # Both at once: a page that is still being drawn has fewer of either.
    until(lambda: shown.count() == step_titles(page).count() + 1 > 1, "a picture for the source and each step")
    return shown.evaluate_all("all => all.map((e) => e.src)")


def decoded(source: str) -> NDArray[np.uint8]:
    """The grey values of a picture that is written into the page."""
    return cv2.imdecode(np.frombuffer(base64.b64decode(source.split(",")[1]), np.uint8), cv2.IMREAD_GRAYSCALE)


def click(page: Page, key: str) -> None:
    """Click a button once nothing moves. Streamlit keeps a second, hidden one beside each that has a tooltip."""
    settled(page)
    page.locator(f".st-key-{key} button:visible").click()


def click_place(page: Page, thing: Locator) -> None:
    """Click where something is, whatever lies over it."""
    settled(page)
    # Not to the top, where the navigation lies over it.
    thing.evaluate("e => e.scrollIntoView({ block: 'center' })")
    box = thing.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def choose(page: Page, option: str) -> None:
    """Choose one of several options that stand side by side."""
    settled(page)
    page.get_by_role("radio", name=option, exact=True).click()
    settled(page)


def set_slider(page: Page, title: str, key: str) -> None:
    """Press a key on a slider: Home for its lowest value, End for its highest."""
    settled(page)
    slider = page.get_by_role("slider", name=title)
    before = slider.input_value()
    press_until(slider, key, lambda: slider.input_value() != before, f"{title} is moved")


def figures(page: Page) -> Locator:
    """The large pictures of the selected step, once they are there."""
    found = page.locator(".st-key-large figure")
    expect(found.first).to_be_visible()
    settled(page)
    return found


def readouts(page: Page) -> list[str]:
    """What is written below each large picture about the pixel under the pointer."""
    return page.locator(".st-key-large .readout").all_text_contents()


def point_at(page: Page, figure: int, x: int, y: int, size: int = 28) -> None:
    """Move the pointer onto the middle of a pixel of a large picture."""
    box = figures(page).nth(figure).locator("canvas").bounding_box()
    page.mouse.move(box["x"] + (x + 0.5) * box["width"] / size, box["y"] + (y + 0.5) * box["height"] / size)


def painted(page: Page, figure: int) -> NDArray[np.uint8]:
    """The pixels of a large picture as they are on the screen, uint8 (h, w, 3)."""
    found: dict[str, Any] = (
        figures(page)
        .nth(figure)
        .locator("canvas")
        .evaluate(
            """e => ({ w: e.width, h: e.height,
                       data: [...e.getContext('2d').getImageData(0, 0, e.width, e.height).data] })"""
        )
    )
    return np.array(found["data"], np.uint8).reshape(found["h"], found["w"], 4)[:, :, :3]


def grey(page: Page, figure: int) -> NDArray[np.uint8]:
    """The grey values of a large picture as they are on the screen, uint8 (h, w)."""
    pixels = painted(page, figure)
    assert (np.ptp(pixels, axis=2) == 0).all(), "grey"
    return pixels[:, :, 0]


def framed(page: Page) -> list[tuple[int, int] | None]:
    """The pixel, as x and y, that is framed in each large picture; None where none is."""
    found = (
        page.locator(".st-key-large figure")
        .locator(".pixel")
        .evaluate_all(
            """all => all.map((e) => {
          if (e.hidden || !e.offsetWidth) return null
          const canvas = e.parentElement.querySelector('canvas')
          const [box, mark] = [canvas.getBoundingClientRect(), e.getBoundingClientRect()]
          const [x, y] = [mark.x - box.x + 0.5, mark.y - box.y + 0.5]
          return [(x * canvas.width) / box.width, (y * canvas.height) / box.height]
        })"""
        )
    )
    return [f and (int(f[0]), int(f[1])) for f in found]


def uncovered(gallery: Locator) -> int:
    """How many cards of a gallery have a button or link and are reached by it wherever one clicks: all. So long the
    gallery is waited for."""
    expect(gallery.locator("img.hdr-digit").first).to_be_visible()
    reached: list[bool] = []

    def all_reached() -> bool:
        settled(gallery.page)
        reached[:] = gallery.locator('[class*="st-key-card-"]').evaluate_all(REACHED)
        return bool(reached) and all(reached)

    try:
        until(all_reached, "every card of the gallery is reached by its button")
    except AssertionError as error:
        raise AssertionError(f"{error}; card by card: {reached}") from None
    return len(reached)


def watch_boxes(page: Page, *selectors: str) -> None:
    """Begin to note, at every frame that the browser draws, where things are and whether a picture is blank."""
    page.evaluate(SAMPLE_BOXES, list(selectors))


def watched(page: Page) -> dict[str, Any]:
    """Stop and tell: `boxes`, all places where each thing has been; `blank`, how many pictures were; `frames`."""
    return page.evaluate("() => { window.seen.going = false; return window.seen }")


def overflow(page: Page) -> list[str]:
    """What makes the page wider than its window: nothing, where it scrolls within itself."""
    return page.evaluate(
        """() => {
          const main = document.querySelector('[data-testid="stMain"]')
          if (main.scrollWidth <= main.clientWidth && document.documentElement.scrollWidth <= innerWidth) return []
          const scrolls = (e) => e && e !== main && (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX)
            || scrolls(e.parentElement))
          const wide = [...main.querySelectorAll('*')].filter((e) =>
            e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e.parentElement))
          return [`${main.scrollWidth} > ${main.clientWidth}`, ...wide.slice(0, 5).map((e) => e.className)]
        }"""
    )


def open_tab(page: Page, title: str) -> None:
    """Open one of a page's tabs."""
    tab = page.get_by_role("tab", name=title, exact=True)

    def opened() -> bool:
        if tab.get_attribute("aria-selected") != "true":
            return False
        settled(page)
        return tab.get_attribute("aria-selected") == "true"

    settled(page)
    click_until(tab, opened, f"the tab {title} is open")
