"""One fetch of MNIST for the whole process, in a thread, so that the app is usable meanwhile."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from typing import Literal

from hdr.datasets import mnist
from hdr.types import HdrError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FetchProgress:
    """How far the fetch is.

    Attributes:
        state: "idle" before `start`, then "running", and at last "done" (MNIST is here) or "failed".
        file: the file under way; empty before the first.
        done_bytes: bytes of uncompressed content so far, over all files. It falls when the next mirror is asked.
        total_bytes: bytes of uncompressed content to fetch; 0 while that is not known.
        message: one or more sentences for people; for "failed" the whole error.
    """

    state: Literal["idle", "running", "done", "failed"] = "idle"
    file: str = ""
    done_bytes: int = 0
    total_bytes: int = 0
    message: str = ""


_lock = threading.Lock()
_progress = FetchProgress()


def start(retry: bool = False) -> None:
    """Begin to fetch MNIST where it is missing; returns at once. Called again, it changes nothing.

    Args:
        retry: begin again after a fetch that failed, or to look again after one that is done.
    """
    global _progress
    with _lock:
        if _progress.state == "running" or (_progress.state != "idle" and not retry):
            return
        _progress = FetchProgress("running", message="Looking for MNIST.")
    threading.Thread(target=_run, name="hdr-fetch", daemon=True).start()


def progress() -> FetchProgress:
    """How far the fetch is right now."""
    return _progress


def _run() -> None:
    try:
        if not all(status.verified for status in mnist.statuses()):
            from hdr.datasets import download  # requests takes a tenth of a second to import, for few starts only

            download.fetch(_report)
        _become(state="done", message="MNIST is here and verified.")
    except HdrError as error:
        _become(state="failed", message=str(error))
    except Exception as error:
        # A thread has no caller to tell: without this the app would show "running" for ever.
        _log.exception("The fetch of MNIST ended unexpectedly")
        _become(state="failed", message=f"MNIST could not be fetched: {type(error).__name__}: {error}")


def _report(file: str, done: int, total: int) -> None:
    _become(file=file, done_bytes=done, total_bytes=total, message=f"Fetching MNIST: {file}")


def _become(**changes: object) -> None:
    global _progress
    with _lock:
        _progress = replace(_progress, **changes)
