"""Take the pictures that the README and the guides show, from a running app in a real browser.

    python tools/take_pictures.py [--only draw,data] [--scheme light] [FOLDER]

Starts the app with the local data and a separate home folder, trains the runs that the scenes show, waits until each
scene is ready, and writes the pictures into docs/pictures or the folder given. Needs Chromium on the PATH or named by
CHROMIUM.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, sleep
from typing import Literal, get_args
from urllib.parse import quote

import cv2
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hdr import datasets  # noqa: E402 - the path comes first
from hdr.paths import dataset_folders  # noqa: E402
from hdr.training.run_spec import PRESETS, RunSpec  # noqa: E402
from hdr.tuning.search_spec import SearchSpec  # noqa: E402
from hdr.tuning.space import dimension  # noqa: E402
from hdr.types import Step  # noqa: E402
from tests.support.synthetic_pages import from_images, make_page  # noqa: E402
from tools.chromium import launch  # noqa: E402

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
WIDTH, HEIGHT = 1280, 800

CHAIN = "median-size-3~contrast_stretching-low-1.0-high-99.0~otsu~deskew~scale_to_box~centre_by_mass"
NOISY = f"preprocess?chain={CHAIN}&gaussian_noise.sigma=40&salt_and_pepper.share=8&rotation.angle=12"
PLAN = replace(PRESETS["fast"].spec, train_size=2000, classifier=Step("svm", {"C": 1.0, "gamma": 0.2}))
COMPARED = (PLAN, replace(PLAN, classifier=Step("k_nearest_neighbours")), replace(PLAN, features=(Step("pixels"),)))
VARIED = {
    "features.hog.cell": (3, 7),
    "reduction.pca.components": (20, 160),
    "classifier.svm.C": (0.2, 50.0),
    "classifier.svm.gamma": (0.1, 5.0),
}
SEARCH = SearchSpec(
    PLAN, tuple(dimension(PLAN, path, *ends) for path, ends in VARIED.items()), prune=False, most_trials=30
)

Strokes = Sequence[Sequence[tuple[float, float]]]

THREE: Strokes = [[(90, 80), (170, 60), (225, 100), (150, 160), (230, 205), (190, 275), (90, 265)]]
NUMBER: Strokes = [
    [(60, 60), (130, 58), (95, 130), (80, 200)],
    [(240, 60), (240, 200)],
    [(400, 60), (360, 100), (350, 160), (390, 200), (440, 170), (445, 100), (400, 60)],
    [(540, 80), (590, 60), (630, 90), (600, 140), (540, 200), (650, 200)],
]
SETTLED = """() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'
  && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]')"""

OWN_DIGITS = 400
"""Digits in the uploaded data set."""

PAPER_SEED = 8
"""Which page of the tests is photographed."""


@dataclass
class Studio:
    """The state of a session of screenshots: a second colour scheme reuses the same runs.

    Attributes:
        url: of the app.
        folder: where pictures go.
        scheme: light or dark.
        made: URLs of trained runs, by scene.
    """

    url: str
    folder: Path
    scheme: Scheme = SCHEMES[0]
    made: dict[str, str] = field(default_factory=dict)

    def keep(self, page: Page, name: str) -> None:
        """Write the picture, once nothing on the page is about to change."""
        page.wait_for_function(SETTLED)
        page.wait_for_timeout(800)
        path = self.folder / f"{name}-{self.scheme}.png"
        page.screenshot(path=str(path))
        print(path, flush=True)


def main() -> None:
    """Start the app, take the pictures, stop it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "pictures")
    parser.add_argument("--only", default=",".join(SCENES), help=f"some of {', '.join(SCENES)}")
    parser.add_argument("--scheme", choices=SCHEMES, help="one of the two")
    said = parser.parse_args()
    chosen = said.only.split(",")
    if unknown := set(chosen) - set(SCENES):
        parser.error(f"There is no scene {', '.join(unknown)}; there are {', '.join(SCENES)}.")
    said.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        # Use the local data, without existing runs.
        os.environ |= {"HDR_DATASETS": str(dataset_folders()[0]), "HDR_HOME": home}
        _take(said.folder, chosen, [said.scheme] if said.scheme else SCHEMES)


def _take(folder: Path, chosen: Sequence[str], schemes: Sequence[Scheme]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # No file watcher, so that edits of the source do not affect the pictures.
    options = ["--server.headless", "true", "--server.fileWatcherType", "none", "--server.port", str(port)]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", *options]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)  # nosec B603 # our own app
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        studio = Studio(f"http://127.0.0.1:{port}", folder)
        with sync_playwright() as playwright:
            browser = launch(playwright)
            for studio.scheme in schemes:
                for name in chosen:
                    page = browser.new_page(
                        viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=studio.scheme, device_scale_factor=1.5
                    )
                    page.set_default_timeout(180_000)
                    SCENES[name](page, studio)
                    studio.keep(page, name)
                    page.close()
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()


def _home(page: Page, studio: Studio) -> None:
    page.goto(studio.url)
    page.locator(".hdr-home-answer").wait_for()


def _preprocess(page: Page, studio: Studio) -> None:
    page.goto(f"{studio.url}/{NOISY}")
    # The pictures and the formula come after the text around them.
    page.locator(".st-key-large canvas").first.wait_for()
    page.locator(".katex-display").first.wait_for()


def _features(page: Page, studio: Studio) -> None:
    page.goto(f"{studio.url}/{NOISY}")
    page.locator(".st-key-large").wait_for()
    page.get_by_test_id("stTopNavLink").filter(has_text="Features").click()
    page.locator(".st-key-drawings").wait_for()
    page.locator(".js-plotly-plot").wait_for()


def _train(page: Page, studio: Studio) -> None:
    page.goto(studio.made.get("train", f"{studio.url}/train"))
    if "train" not in studio.made:
        page.locator(".st-key-train button").click()
    page.locator(".st-key-test_accuracy").wait_for()
    studio.made["train"] = page.url


def _tune(page: Page, studio: Studio) -> None:
    space = quote(json.dumps(SEARCH.to_json(), separators=(",", ":")))
    page.goto(studio.made.get("tune", f"{studio.url}/train?space={space}"))
    if "tune" not in studio.made:
        page.locator(".st-key-tune_start button").click()
    page.locator(".st-key-tune_more").wait_for(timeout=600_000)
    studio.made["tune"] = page.url
    _tall(page, 2200)


def _runs(page: Page, studio: Studio) -> None:
    if "runs" not in studio.made:
        studio.made["runs"] = f"{studio.url}/runs?runs={'~'.join(map(_trained, COMPARED))}"
    page.goto(studio.made["runs"])
    page.locator(".st-key-curves .js-plotly-plot").wait_for()
    _tall(page, 1500)


def _draw(page: Page, studio: Studio) -> None:
    page.goto(f"{studio.url}/draw")
    page.locator(".st-key-reader").wait_for()
    _write(page, THREE)


def _number(page: Page, studio: Studio) -> None:
    page.goto(f"{studio.url}/draw?what=number")
    page.locator(".st-key-reader").wait_for()
    _write(page, NUMBER)
    page.locator("img.hdr-paper").wait_for()


def _photo(page: Page, studio: Studio) -> None:
    test = datasets.load(datasets.available()[0]).test
    paper = make_page(from_images(test), PAPER_SEED, paper="ruled", lines=2, digits=4)
    data = cv2.imencode(".png", paper.image)[1].tobytes()
    page.goto(f"{studio.url}/draw?what=photo")
    page.locator(".st-key-reader").wait_for()
    page.locator("input[type=file]").set_input_files({"name": "page.png", "mimeType": "image/png", "buffer": data})
    _answered(page)


def _data(page: Page, studio: Studio) -> None:
    test = datasets.load(datasets.available()[0]).test
    files = io.BytesIO()
    with zipfile.ZipFile(files, "w") as archive:
        for place in range(OWN_DIGITS):
            picture = cv2.imencode(".png", test.images[place])[1].tobytes()
            archive.writestr(f"{test.labels[place]}/{place}.png", picture)
    page.goto(f"{studio.url}/data")
    page.locator("input[type=file]").first.set_input_files(
        {"name": "our class.zip", "mimeType": "application/zip", "buffer": files.getvalue()}
    )
    page.get_by_text("our class.zip").wait_for()
    check = page.locator(".st-key-data_check button:not([disabled])")
    check.wait_for()
    check.click()
    page.locator(".hdr-preview").wait_for()
    _tall(page, 1300)


def _about(page: Page, studio: Studio) -> None:
    page.goto(f"{studio.url}/about")
    page.locator(".hdr-facts").nth(1).wait_for()


def _class(page: Page, studio: Studio) -> None:
    page.goto(f"{studio.url}/teach")
    page.get_by_text("pupils begin at once").wait_for()
    page.locator(".st-key-class_code img").wait_for()
    _tall(page, 1740)


SCENES: dict[str, Callable[[Page, Studio], None]] = {
    "home": _home,
    "preprocess": _preprocess,
    "features": _features,
    "train": _train,
    "tune": _tune,
    "runs": _runs,
    "draw": _draw,
    "number": _number,
    "photo": _photo,
    "data": _data,
    "about": _about,
    "class": _class,
}


def _write(page: Page, strokes: Strokes) -> None:
    canvas = page.locator("canvas.upper-canvas")
    canvas.wait_for()
    page.wait_for_timeout(500)
    box = canvas.bounding_box()
    assert box
    for (x, y), *further in strokes:
        page.mouse.move(box["x"] + x, box["y"] + y)
        page.mouse.down()
        for to_x, to_y in further:
            page.mouse.move(box["x"] + to_x, box["y"] + to_y, steps=8)
        page.mouse.up()
        page.wait_for_timeout(600)
    _answered(page)


def _answered(page: Page) -> None:
    page.wait_for_function("document.querySelector('.st-key-answer')?.innerText.trim()")
    page.wait_for_timeout(1500)


def _tall(page: Page, height: int) -> None:
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.wait_for_timeout(5000)
    page.locator("[data-testid=stMain]").evaluate("main => main.scrollTo(0, 0)")


def _trained(spec: RunSpec) -> str:
    """Train it from the command line, into the same store; the run's name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        path.write_text(json.dumps(spec.to_json()))
        command = [sys.executable, "-m", "hdr", "train", "--spec", str(path), "--json"]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # nosec B603 # our own app
    return json.loads(done.stdout.splitlines()[-1])["run"]


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
