"""Take the pictures that the README and the guides show, from a running app in a real browser.

    python tools/take_pictures.py [FOLDER]

Starts the app with the data and models that are here, waits for the default reader, and writes the pictures into
docs/pictures or the folder given. Needs Chromium on the PATH or named by CHROMIUM.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hdr.training.search_space import dimension  # noqa: E402 - the path comes first
from hdr.training.search_spec import SearchSpec  # noqa: E402
from hdr.training.spec import PRESETS  # noqa: E402
from hdr.types import Step  # noqa: E402
from tools.chromium import launch  # noqa: E402

CHAIN = "median-size-3~contrast_stretching-low-1.0-high-99.0~otsu~deskew~scale_to_box~centre_by_mass"
NOISY = f"preprocess?chain={CHAIN}&gaussian_noise.sigma=40&salt_and_pepper.share=8&rotation.angle=12&index=4"
PLAN = replace(PRESETS["fast"].spec, train_size=2000, classifier=Step("svm", {"C": 1.0, "gamma": 0.2}))
VARIED = {
    "features.hog.cell": (3, 7),
    "reduction.pca.components": (20, 160),
    "classifier.svm.C": (0.2, 50.0),
    "classifier.svm.gamma": (0.1, 5.0),
}
SEARCH = SearchSpec(
    PLAN, tuple(dimension(PLAN, path, *ends) for path, ends in VARIED.items()), prune=False, most_trials=30
)
THREE = ((90, 80), (170, 60), (225, 100), (150, 160), (230, 205), (190, 275), (90, 265))


def main() -> None:
    """Start the app, take the pictures, stop it."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless", "true"]
    server = subprocess.Popen([*command, "--server.port", str(port)], cwd=ROOT, stdout=subprocess.DEVNULL)  # nosec B603 # our own app
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        with sync_playwright() as playwright:
            browser = launch(playwright)
            trained: dict[str, str] = {}
            for scheme in ("light", "dark"):
                page = browser.new_page(
                    viewport={"width": 1280, "height": 800}, color_scheme=scheme, device_scale_factor=1.5
                )
                _take(page, f"http://127.0.0.1:{port}", folder, scheme, trained)
                page.close()
    finally:
        server.terminate()
        server.wait(10)


def _take(page: Page, url: str, folder: Path, scheme: str, trained: dict[str, str]) -> None:
    """Take the pictures in one colour scheme; what was trained for the first is shown again, by its address, later."""

    def keep(name: str) -> None:
        page.wait_for_timeout(800)
        page.screenshot(path=str(folder / f"{name}-{scheme}.png"))
        print(folder / f"{name}-{scheme}.png")

    page.goto(f"{url}/draw")
    canvas = page.locator("canvas.upper-canvas")
    page.locator(".st-key-reader").wait_for(timeout=180_000)
    canvas.wait_for()
    page.wait_for_timeout(500)
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + THREE[0][0], box["y"] + THREE[0][1])
    page.mouse.down()
    for x, y in THREE[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=8)
    page.mouse.up()
    page.wait_for_function("document.querySelector('.st-key-answer').innerText.trim() !== ''")
    keep("draw")

    page.goto(url)
    page.locator(".hdr-home-answer").wait_for()
    keep("home")

    page.goto(f"{url}/{NOISY}")
    page.locator(".st-key-large").wait_for()
    keep("preprocess")

    page.get_by_test_id("stTopNavLink").filter(has_text="Features").click()
    page.locator(".st-key-drawings").wait_for()
    page.locator(".js-plotly-plot").wait_for(timeout=120_000)
    keep("features")

    page.goto(trained.get("run", f"{url}/train"))
    if "run" not in trained:
        page.locator(".st-key-train button").click()
    page.locator(".st-key-test_accuracy").wait_for(timeout=180_000)
    trained["run"] = page.url
    keep("train")

    space = quote(json.dumps(SEARCH.to_json(), separators=(",", ":")))
    page.goto(trained.get("search", f"{url}/train?space={space}"))
    if "search" not in trained:
        page.locator(".st-key-tune_start button").click()
    page.locator(".st-key-tune_more").wait_for(timeout=600_000)
    trained["search"] = page.url
    page.set_viewport_size({"width": 1280, "height": 2200})
    page.wait_for_timeout(5000)
    page.locator("[data-testid=stMain]").evaluate("main => main.scrollTo(0, 0)")
    keep("tune")


def _wait_for(address: str) -> None:
    until = monotonic() + 60
    while monotonic() < until:
        try:
            urllib.request.urlopen(address, timeout=2).close()  # nosec B310 # of this machine
            return
        except OSError:
            sleep(0.2)
    raise SystemExit(f"The app did not answer at {address} within a minute.")


if __name__ == "__main__":
    main()
