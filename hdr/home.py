"""Where the app keeps its things, and how it writes them. Nothing is created until something is written."""

from __future__ import annotations

import os
import secrets
import time
from functools import cache
from pathlib import Path

from platformdirs import user_data_path

from hdr import settings

_SUFFIX = ".part"
_STALE_SECONDS = 600.0
# Only finished content is ever written, so a live temporary file exists for seconds: one this old has no writer left.


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
