"""Where the app keeps its things, and how it writes them. Nothing is created until something is written."""

from __future__ import annotations

import atexit
import errno
import logging
import os
import secrets
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path

from hdr import settings

log = logging.getLogger("hdr.paths")

ROOM = 1_000_000
"""Bytes that have to fit into a folder before the app keeps its things there."""

_SUFFIX = ".part"
_STALE_SECONDS = 600.0
# Only finished content is ever written, so a live temporary file exists for seconds: one this old has no writer left.


STORE = "runs.sqlite"
"""The file of runs and searches in the home."""


def home() -> Path:
    """The folder for downloads, the run store and models: `HDR_HOME`, or else the platform's user data folder.

    Returns:
        An absolute path; the folder need not exist yet.
    """
    return settings.current().home or _usual_home()


@cache
def _usual_home() -> Path:
    return user_data_path("hdr", appauthor=False)


def dataset_folders() -> tuple[Path, ...]:
    """The folders that data sets are looked for in: `HDR_DATASETS` where it is set, read only, and last our own."""
    now = settings.current()
    named, own = now.datasets, (now.home or _usual_home()) / "datasets"
    return (named, own) if named else (own,)


@dataclass(frozen=True)
class Makeshift:
    """The way in which a server runs whose home cannot be written to.

    Attributes:
        folder: the home that was asked for.
        reason: why it cannot be written to, as the system says it.
        full: whether its disk is full.
        way: "temporary" where a temporary folder is the home until the server ends; "read" where the home holds runs,
            which can still be read; "nothing" where nothing can be written at all.
    """

    folder: Path
    reason: str
    full: bool
    way: Literal["temporary", "read", "nothing"]

    @property
    def can_keep(self) -> bool:
        """Whether runs can be kept for as long as the server runs."""
        return self.way == "temporary"

    @property
    def consequence(self) -> str:
        """The effect for somebody who uses the app: a sentence without its full stop."""
        return {
            "temporary": "Nothing that is trained or fetched here is kept after this server ends",
            "read": "Nothing new can be kept or trained here",
            "nothing": "Nothing can be kept or trained here",
        }[self.way]

    @property
    def sentence(self) -> str:
        """The same for the host: with the folder, the reason and the setting."""
        place = f"{self.folder} cannot be written to ({self.reason})"
        if self.way == "nothing":
            place = f"neither {self.folder} ({self.reason}) nor a temporary folder can be written to"
        remedy = "make room there, or set HDR_HOME" if self.full else "set HDR_HOME"
        return f"{self.consequence}, because {place}: {remedy} to a folder that can."


_makeshift: Makeshift | None = None
_temporary: tempfile.TemporaryDirectory[str] | None = None


def makeshift() -> Makeshift | None:
    """What `settle` found last: None where the home can be written to."""
    return _makeshift


def settle(read: bool = True) -> Makeshift | None:
    """See that this process, and those that it starts, have a home that can be written to; may be called again.

    Where the home cannot be written to and holds no runs, `HDR_HOME` becomes a temporary folder, which is removed when
    this process ends. Data sets of the home are still read.

    Args:
        read: whether runs that the home holds may keep it in use; False once they could not be read.

    Returns:
        The way in which the server runs then; None where the home can be written to.
    """
    global _makeshift
    if _temporary is not None and home() == Path(_temporary.name):
        return _makeshift
    before, _makeshift = _makeshift, _found(home(), read)
    if _makeshift is not None and _makeshift != before:
        log.warning("%s", _makeshift.sentence)
    return _makeshift


def _found(folder: Path, read: bool) -> Makeshift | None:
    error = _refusal(folder)
    if error is None:
        return None
    reason, full = error.strerror or str(error), error.errno in (errno.ENOSPC, errno.EDQUOT)
    if read and settings.current().store is None and os.access(folder / STORE, os.R_OK):
        return Makeshift(folder, reason, full, "read")
    return Makeshift(folder, reason, full, "temporary" if _move(folder) else "nothing")


def _refusal(folder: Path) -> OSError | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(ROOM))
            file.flush()
    except OSError as error:
        return error
    return None


def _move(folder: Path) -> bool:
    global _temporary
    try:
        made = tempfile.TemporaryDirectory(prefix="hdr-", ignore_cleanup_errors=True)
    except OSError:
        return False
    if _refusal(Path(made.name)) is not None:
        made.cleanup()
        return False
    if settings.current().datasets is None and (folder / "datasets").is_dir():
        os.environ["HDR_DATASETS"] = str(folder / "datasets")
    # Processes that train and measure take it from here.
    os.environ["HDR_HOME"] = made.name
    atexit.register(made.cleanup)
    _temporary = made
    return True


def write_atomically(path: Path, data: bytes | bytearray | memoryview) -> None:
    """Write a file so that every reader, at any moment, finds the old content or the new, and never a part.

    Args:
        path: the file; its folder is made where it is missing.
        data: the content, any number of bytes.

    Raises:
        OSError: the folder cannot be made or written to. The old content is then untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not tempfile: its files are readable by their owner alone, and a shared home is read by others.
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}{_SUFFIX}")
    try:
        with open(part, "xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def remove_stale_parts(folder: Path) -> None:
    """Delete what processes killed while writing left in a folder; a folder that is missing has nothing."""
    oldest = time.time() - _STALE_SECONDS
    for part in folder.glob(f".*{_SUFFIX}"):
        try:
            if part.stat().st_mtime < oldest:
                part.unlink()
        except OSError:
            continue  # gone already, or not ours to delete: in neither case does it harm anything
