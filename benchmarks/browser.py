"""The app in a real Chromium: how long people wait.

    python benchmarks/browser.py [--strokes 30] [--rounds 5] [--starts 3] [--trainings 5]

Needs Playwright and a Chromium: the one that `CHROMIUM` names, or else the one that is installed. A server is started
in a home of its own and trains its default model first. Times are taken inside the page, from the event that a person
makes to the frame that shows its effect; the start is taken from outside, from the process to the first heading.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.serving import Server
from tools.chromium import launch

TITLES = {
    "Preprocess": "What the machine sees, step by step",
    "Features": "What is measured in a digit",
    "Train": "Train a model and watch it learn",
    "Runs": "All runs",
    "Draw": "Draw a digit",
    "Data": "Data to learn from",
    "About": "About this server",
    "Home": "Handwritten digits, step by step",
}
"""The pages in the navigation, in the order in which they are opened."""

# From the first event of a kind to the first frame after which a condition holds.
STOPWATCH = """([event, condition]) => {
  const holds = new Function('return ' + condition)
  window.stopped = new Promise((resolve, reject) => {
    let began = null
    setTimeout(() => reject(new Error(`not within 10 s after ${event}: ${condition.slice(0, 80)}`)), 10000)
    const look = () => {
      if (began === null || !holds()) return
      watch.disconnect()
      requestAnimationFrame(() => resolve(performance.now() - began))
    }
    const watch = new MutationObserver(look)
    watch.observe(document, { subtree: true, childList: true, characterData: true, attributes: true })
    addEventListener(event, () => { began = performance.now(); setTimeout(look) }, { capture: true, once: true })
  })
}"""


def box_of(place: Locator) -> FloatRect:
    """Where something is on the page, in CSS pixels."""
    found = place.bounding_box()
    if found is None:
        raise SystemExit(f"{place} is not to be seen.")
    return found


@contextlib.contextmanager
def stopwatch(page: Page, event: str, condition: str) -> Iterator[list[float]]:
    """Measure what is done inside: milliseconds from the event until the condition holds are appended to the list."""
    page.evaluate(STOPWATCH, [event, condition])
    times: list[float] = []
    yield times
    times.append(page.evaluate("() => window.stopped"))


def settled(page: Page) -> None:
    """Wait until the app has nothing more to do."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def strokes(page: Page, url: str, count: int) -> list[float]:
    """End of a stroke to the answer."""
    page.goto(f"{url}/draw")
    expect(page.locator("canvas.upper-canvas")).to_be_visible()
    settled(page)
    box = box_of(page.locator("canvas.upper-canvas"))
    times = []
    for number in range(count):
        shift = (number % 5 - 2) * 0.03
        drawn = [(0.3 + shift, 0.25), (0.68 + shift, 0.25), (0.55 + shift, 0.5), (0.45 + shift, 0.8)]
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in drawn]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=6)
        with stopwatch(page, "pointerup", "document.querySelector('.st-key-answer')?.innerText.trim() !== ''") as taken:
            page.mouse.up()
        times += taken
        page.locator(".st-key-clear button").click()
        expect(page.locator(".st-key-answer")).to_have_text("")
        settled(page)
    return times


def slider(page: Page, url: str, count: int) -> list[float]:
    """Letting go of a slider on Preprocess, with eight steps on the page, to the picture after it."""
    eight = "gaussian~median~contrast_stretching~otsu~closing~deskew~scale_to_box~centre_by_mass"
    page.goto(f"{url}/preprocess?chain={eight}")
    page.locator(".st-key-select-0 button").click()
    track = page.locator(".st-key-settings [data-testid=stSlider] [role=group] > div")
    expect(page.locator(".st-key-settings")).to_contain_text("1. Gaussian filter")
    # Until the page has settled, the sliders of the previously selected step may still be shown.
    settled(page)
    expect(track).to_have_count(1)
    times = []
    for number in range(count):
        picture = page.locator(".st-key-card-1 img.hdr-digit").get_attribute("src")
        box = box_of(track)
        page.mouse.move(box["x"] + box["width"] * (0.3 + 0.1 * (number % 5)), box["y"] + box["height"] / 2)
        page.mouse.down()
        shown = "document.querySelector('.st-key-card-1 img.hdr-digit')?.src"
        with stopwatch(page, "pointerup", f"{shown} && {shown} !== '{picture}'") as taken:
            page.mouse.up()
        times += taken
        settled(page)
    return times


def switches(page: Page, url: str, rounds: int) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """A click in the navigation to the new page's heading, and to the end of its script, for every page."""
    page.goto(url)
    to_heading: dict[str, list[float]] = {name: [] for name in TITLES}
    to_end: dict[str, list[float]] = {name: [] for name in TITLES}
    # The first round is not counted: it loads what later visits have.
    for number in range(1 + 2 * rounds):
        for target, title in TITLES.items():
            settled(page)
            link = page.get_by_test_id("stTopNavLink").get_by_text(target, exact=True)
            heading = f"document.querySelector('h2')?.innerText === {title!r}"
            done = "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
            whole = number % 2
            with stopwatch(page, "click", f"{heading} && {done}" if whole else heading) as taken:
                link.click()
            if number:
                (to_end if whole else to_heading)[target] += taken
    return to_heading, to_end


def trainings(page: Page, url: str, count: int) -> tuple[list[float], list[float]]:
    """A click on Train to the first sign of life of the run's process, and a click on Stop to the page's word of it."""
    said = "document.querySelector('.st-key-so_far')?.innerText || ''"
    times: tuple[list[float], list[float]] = ([], [])
    page.goto(f"{url}/train")
    settled(page)
    for _ in range(count):
        # As after looking at a result: the next process is warm by then.
        page.wait_for_timeout(8000)
        with stopwatch(page, "pointerup", f"/Loading|Turning|Fitting|Epoch/.test({said})") as taken:
            page.locator(".st-key-train button").click()
        times[0].extend(taken)
        with stopwatch(page, "pointerup", "document.body.innerText.includes('This training was stopped')") as taken:
            page.locator(".st-key-stop button").click()
        times[1].extend(taken)
        settled(page)
    return times


def warm(home: Path) -> None:
    """Let a first server train the default model, as everywhere."""
    server = Server(home)
    try:
        server.wait()
        with sync_playwright() as playwright:
            browser = launch(playwright)
            browser.new_page().goto(server.url)
            server.wait_for_default_model()
            browser.close()
    finally:
        server.stop()


def starts(browser: Browser, home: Path, count: int) -> list[float]:
    """Start of the server's process to the first page's heading, in a browser that runs already."""
    times = []
    for _ in range(count):
        page = browser.new_page()
        server = Server(home)
        try:
            server.wait()
            page.goto(server.url, wait_until="commit")
            page.locator("h2").wait_for(state="visible", timeout=60_000)
            times.append((time.perf_counter() - server.began) * 1000)
        finally:
            page.context.close()
            server.stop()
    return times


def main() -> None:
    """Measure, and print a table."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--strokes", type=int, default=30, help="also how often the slider is moved")
    arguments.add_argument("--rounds", type=int, default=5, help="how often every page is opened, for each figure")
    arguments.add_argument("--starts", type=int, default=3)
    arguments.add_argument("--trainings", type=int, default=5)
    asked = arguments.parse_args()
    expect.set_options(timeout=30_000)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        warm(home)
        with sync_playwright() as playwright:
            browser = launch(playwright)
            rows = {"cold start to the first heading": starts(browser, home, asked.starts)}
            server = Server(home)
            try:
                server.wait()
                page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
                rows["end of a stroke to the answer"] = strokes(page, server.url, asked.strokes)
                rows["slider on Preprocess, eight steps, to the picture"] = slider(page, server.url, asked.strokes)
                heading, whole = switches(page, server.url, asked.rounds)
                rows |= {"page switch to the heading": list(chain.from_iterable(heading.values()))}
                rows |= {"page switch to the whole page": list(chain.from_iterable(whole.values()))}
                rows |= {f"  {name}": taken for name, taken in whole.items()}
                first, stop = trainings(page, server.url, asked.trainings)
                rows |= {"Train to the first sign of the run": first, "Stop to the end of the run": stop}
            finally:
                server.stop()
            browser.close()
    print(f"{'ms':<38}{'n':>4}{'median':>9}{'95th':>9}{'worst':>9}")
    for name, times in rows.items():
        print(f"{name:<38}{len(times):>4}{np.median(times):>9.0f}{np.percentile(times, 95):>9.0f}{max(times):>9.0f}")


if __name__ == "__main__":
    main()
