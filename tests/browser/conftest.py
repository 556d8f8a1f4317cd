"""The app in a real Chromium: one server and one browser for all tests of a process."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    TimeoutError,
    expect,
    sync_playwright,
)

from hdr import datasets
from hdr.jobs import default_model
from hdr.jobs.worker import execute
from hdr.store.runs import RunStore
from hdr.training.run_spec import PRESETS, for_dataset
from tests.support.waiting import PATIENCE, until
from tools import chromium

ROOT = Path(__file__).resolve().parents[2]

PER_TEST = 900
"""Seconds after which a test is broken off."""

LONG = ("training", "looking", "features", "drawing", "tune", "layout", "addresses", "steering")
"""Modules that take long, the longest first: at the end no worker is to be alone with one of them."""

expect.set_options(timeout=PATIENCE * 1000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder, skip it where there is no browser, and begin with what takes long."""
    missing = pytest.mark.skip(reason="Chromium is not installed and CHROMIUM names none: no page was tested in it")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")
            item.add_marker(pytest.mark.timeout(PER_TEST))
            if not chromium.path():
                item.add_marker(missing)
    names = [f"test_{name}.py" for name in LONG]
    items.sort(key=lambda item: names.index(item.path.name) if item.path.name in names else len(names))


def children(process: int) -> dict[int, str]:
    """All descendants of a process: their ids and command lines."""
    table = subprocess.run(["ps", "-Ao", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [(int(p), int(parent), args) for p, parent, args in (line.split(None, 2) for line in table.splitlines())]
    found, parents = {}, {process}
    while new := {p: args for p, parent, args in rows if parent in parents and p not in found}:
        found |= new
        parents = set(new)
    return found


class Server:
    """A running app.

    Attributes:
        home: its HDR_HOME.
        url: its address, without a slash at the end.
        store: its run store.
    """

    def __init__(self, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.home, self.url = home, f"http://127.0.0.1:{port}"
        home.mkdir(exist_ok=True)
        self._log = (home / "server.log").open("ab")
        options = {"server.port": port, "server.address": "127.0.0.1", "server.headless": "true"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", *(f"--{k}={v}" for k, v in options.items())],
            cwd=ROOT,
            env={**os.environ, "HDR_HOME": str(home)},
            stdout=self._log,
            stderr=self._log,
        )
        try:
            until(self._healthy, "the server answers")
        except BaseException:
            self.stop()
            raise

    @property
    def store(self) -> RunStore:
        """Made anew, since HDR_HOME is that of the tests here."""
        return RunStore(f"sqlite:///{self.home / 'runs.sqlite'}")

    @property
    def log(self) -> str:
        """What the server has said."""
        return (self.home / "server.log").read_text(errors="replace")

    def trainer(self, run: str) -> int:
        """The process that trains a run, which is a child of this server."""
        with sqlite3.connect(self.home / "runs.sqlite") as connection:
            (process,) = connection.execute("SELECT process FROM runs WHERE id = ?", (run,)).fetchone()
        assert "hdr.cli.worker" in children(self.process.pid)[process]
        return process

    def stop(self) -> None:
        """Stop the server and its child processes."""
        workers = children(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for worker, args in workers.items():
            try:
                if "hdr.cli.worker" in args:
                    os.kill(worker, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._log.close()

    def _healthy(self) -> bool:
        assert self.process.poll() is None, f"the server has ended: {self.log}"
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False


@pytest.fixture(scope="session")
def ready_home(own_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose default model is trained, as it is everywhere after the first start: by one worker for all."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "ready"
    trained = folder / "trained"
    try:
        folder.mkdir()
    except FileExistsError:
        until(trained.exists, "another worker has trained the default model")
        return folder
    spec = for_dataset(PRESETS["fast"].spec, datasets.available()[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HDR_HOME", str(folder))
        store = RunStore()
        run = store.create(spec, default_model.OWNER, "ready", title="Default reader", published=True)
        assert execute(store, run.id)
    trained.touch()
    return folder


def copy_home(source: Path, target: Path) -> Path:
    """A home with the runs and models of another."""
    shutil.copytree(source / "models", target / "models")
    with sqlite3.connect(source / "runs.sqlite") as old, sqlite3.connect(target / "runs.sqlite") as new:
        old.backup(new)
    return target


@pytest.fixture(scope="session")
def server(ready_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the default model."""
    running = Server(copy_home(ready_home, tmp_path_factory.mktemp("home")))
    yield running
    running.stop()


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    """A server that nobody has ever asked for anything, in an empty home."""
    running = Server(tmp_path / "home")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The one browser of all tests."""
    with sync_playwright() as playwright:
        running = chromium.launch(playwright)
        yield running
        running.close()


class Tabs:
    """Browser windows that note what a page must not do: call other hosts, or report errors."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.strangers: list[str] = []
        self.errors: list[str] = []

    def __call__(self, width: int = 1440, height: int = 900, touch: bool = False) -> Page:
        """A new page of a new visitor."""
        context = self._browser.new_context(viewport={"width": width, "height": height}, has_touch=touch)
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE * 1000)
        context.on("request", lambda request: self._note_request(request.url))
        context.on("console", self._note_message)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        return context.new_page()

    def close(self) -> None:
        """Close every window."""
        for context in self._contexts:
            context.close()

    def _note_request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.strangers.append(url)

    def _note_message(self, message: ConsoleMessage) -> None:
        # At an address such as /draw Streamlit first looks for its server below that address.
        probe = re.search(r"/_stcore/(health|host-config)$", message.location.get("url", ""))
        if message.type == "error" and not (probe and "404" in message.text):
            self.errors.append(f"{message.text} ({message.location.get('url')})")


@pytest.fixture
def tabs(browser: Browser) -> Iterator[Tabs]:
    """A function that opens a page of a new visitor; at the end nothing may have gone wrong on any."""
    opened = Tabs(browser)
    yield opened
    opened.close()
    assert not opened.strangers, "no request goes to another host"
    assert not opened.errors, "no error in the browser's console"


@pytest.fixture
def page(tabs: Tabs) -> Page:
    """A page of a visitor with a laptop."""
    return tabs()


def switch(page: Page, title: str) -> None:
    """Go to another page of the app by its navigation."""
    page.get_by_test_id("stTopNavLink").filter(has_text=title).click()


def settled(page: Page) -> None:
    """Wait until the app has nothing more to do for this page."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def button(page: Page, key: str) -> Locator:
    """A button by its key."""
    return page.locator(f".st-key-{key} button")


AGAIN = 5.0
"""Seconds after which a click or a key that has had no effect is repeated."""


def click_until(thing: Locator, done: Callable[[], object], what: str) -> None:
    """Click something until that has had its effect.

    A click that meets a run of the page's script can be lost; a person who sees nothing happen clicks again.
    """
    _again_until(thing, lambda: thing.click(timeout=AGAIN * 1000), done, what)


def press_until(thing: Locator, key: str, done: Callable[[], object], what: str) -> None:
    """Press a key on something until that has had its effect, as `click_until` clicks."""
    _again_until(thing, lambda: thing.press(key, timeout=AGAIN * 1000), done, what)


def _again_until(thing: Locator, act: Callable[[], None], done: Callable[[], object], what: str) -> None:
    def acted() -> bool:
        if thing.is_visible():
            # It may go while it is aimed at: that can be the effect of the click before.
            with suppress(TimeoutError):
                act()
        patience = time.monotonic() + AGAIN
        while not done() and time.monotonic() < patience:
            thing.page.wait_for_timeout(50)
        return bool(done())

    until(acted, what)
