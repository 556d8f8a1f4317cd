"""One fetch of each data set for the whole process, in a thread, so that the app is usable meanwhile."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from typing import Any, Literal

from hdr.datasets.public import extra, mnist
from hdr.types import HdrError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FetchProgress:
    """How far the fetch is.

    Attributes:
        state: "idle" before `start`, then "running", and at last "done" (the data set is here) or "failed".
        file: the file under way; empty before the first.
        done_bytes: bytes so far: of MNIST, of uncompressed content over all files; of others, of the file under way. It
            falls when the next mirror is asked.
        total_bytes: how many there will be; 0 while that is not known.
        message: one or more sentences for people; for "failed" the whole error.
    """

    state: Literal["idle", "running", "done", "failed"] = "idle"
    file: str = ""
    done_bytes: int = 0
    total_bytes: int = 0
    message: str = ""


_lock = threading.Lock()
_progress: dict[str, FetchProgress] = {}
_TITLES = {mnist.NAME: mnist.TITLE} | {each.NAME: each.TITLE for each in extra.ALL}


def start(retry: bool = False, name: str = mnist.NAME) -> None:
    """Begin to fetch a data set where it is missing; returns at once. Called again, it changes nothing.

    Args:
        retry: restart after a failed download, or check again after a completed one.
        name: of one that can be fetched.
    """
    with _lock:
        state = progress(name).state
        if state == "running" or (state != "idle" and not retry):
            return
        _progress[name] = FetchProgress("running", message=f"Looking for {_TITLES[name]}.")
    threading.Thread(target=_run, args=(name,), name="hdr-fetch", daemon=True).start()


def progress(name: str = mnist.NAME) -> FetchProgress:
    """How far the fetch of a data set is right now."""
    return _progress.get(name, FetchProgress())


def _run(name: str) -> None:
    title = _TITLES[name]

    def report(file: str, done: int, total: int) -> None:
        _become(name, file=file, done_bytes=done, total_bytes=total, message=f"Fetching {title}: {file}")

    try:
        if name != mnist.NAME or not all(status.verified for status in mnist.statuses()):
            from hdr.datasets.public import download  # importing requests takes a tenth of a second

            download.fetch(name, report)
        _become(name, state="done", message=f"{title} is here and verified.")
    except HdrError as error:
        _become(name, state="failed", message=str(error))
    except Exception as error:  # noqa: BLE001
        # A thread has no caller to tell: without this the app would show "running" for ever.
        _log.exception("The fetch of %s ended unexpectedly", title)
        _become(name, state="failed", message=f"{title} could not be fetched: {type(error).__name__}: {error}")


def _become(name: str, **changes: Any) -> None:
    with _lock:
        _progress[name] = replace(progress(name), **changes)
