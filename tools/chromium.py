"""The Chromium in which tests, benchmarks and pictures look at the app: where it is, and how it is started."""

from __future__ import annotations

import os
import shutil

from playwright.sync_api import Browser, Playwright

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Without a window, and with nothing of its own on the network."""


def path() -> str | None:
    """The browser's program: `CHROMIUM`, or else the one that is installed; None where there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def launch(playwright: Playwright) -> Browser:
    """Start the browser.

    Raises:
        RuntimeError: there is none.
    """
    program = path()
    if program is None:
        raise RuntimeError("There is no Chromium: install it, or set CHROMIUM to the path of one.")
    return playwright.chromium.launch(executable_path=program, args=FLAGS)
