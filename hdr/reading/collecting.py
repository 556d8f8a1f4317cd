"""What visitors let the host keep: drawings with what they were meant to be, and nothing else.

Each consent has a file of its own, named at random, which is always written as a whole: so any number of processes may
write at once, and a withdrawal deletes exactly what was consented to. Files hold no time, no address and no name.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from hdr import paths
from hdr.reading.handwriting import Handwriting
from hdr.types import HdrError

FOLDER = "collected"
"""In the app's own folder."""

MOST_FILES, MOST_BYTES = 5_000, 500_000_000
"""Most consents that are kept, and bytes of all together; writers that come at the very same moment may exceed them by
what they write."""

_TOKEN = re.compile(r"[0-9a-f]{32}")


class CollectingError(HdrError):
    """Drawings cannot be kept, or cannot be deleted."""


def folder() -> Path:
    """Where the files lie, JSON lines as `Handwriting.to_lines` writes them; it need not exist."""
    return paths.home() / FOLDER


def consent() -> str:
    """A fresh token for somebody who has just agreed; nothing is written yet."""
    return secrets.token_hex(16)


def keep(token: str, mine: Handwriting) -> int:
    """Keep the drawings of a collection in place of what was kept with this token before. Digits of photos are left
    out: a photo is more than a hand.

    Args:
        token: as `consent` gave it.
        mine: all drawings of the session.

    Returns:
        How many drawings are kept now.

    Raises:
        CollectingError: there is no room, or the folder cannot be written to. What was kept before stays.
    """
    drawings = [d for d in mine.drawings if d.picture is None]
    if not drawings:
        withdraw(token)
        return 0
    path = _path(token)
    data = "".join(d.line + "\n" for d in drawings).encode()
    files, size = _others(path)
    if files >= MOST_FILES or size + len(data) > MOST_BYTES:
        raise CollectingError("There is no room for more drawings on this server. Yours were not sent.")
    try:
        paths.write_atomically(path, data)
    except OSError as error:
        raise CollectingError(f"Your drawings could not be kept ({error.strerror}). They were not sent.") from None
    return len(drawings)


def withdraw(token: str) -> None:
    """Delete what was kept with this token; where there is nothing, nothing happens.

    Raises:
        CollectingError: it could not be deleted.
    """
    try:
        _path(token).unlink(missing_ok=True)
    except OSError as error:
        raise CollectingError(f"Your drawings could not be deleted ({error.strerror}). Try again.") from None


def _path(token: str) -> Path:
    if not _TOKEN.fullmatch(token):
        raise ValueError("a token is what consent() gave")
    return folder() / f"{token}.jsonl"


def _others(path: Path) -> tuple[int, int]:
    """How many files there are beside one, and their bytes."""
    files, size = 0, 0
    for other in folder().glob("*.jsonl"):
        try:
            size += other.stat().st_size if other != path else 0
        except FileNotFoundError:
            # Withdrawn meanwhile.
            continue
        files += other != path
    return files, size
