"""Imported by every Python that has this folder on its path: clocks that jump, and disks that are slow.

HDR_CHAOS_CLOCK names a file with the seconds by which the wall clock is wrong, at this moment. HDR_CHAOS_SLOW is how
many seconds everything takes that is to be on the disk for certain.
"""

import os
import sqlite3
import time
from pathlib import Path

if clock := os.environ.get("HDR_CHAOS_CLOCK"):
    right = time.time

    def wrong() -> float:
        """The time of day, by a clock that jumps."""
        try:
            return right() + float(Path(clock).read_text())
        except (OSError, ValueError):
            return right()

    time.time = wrong

if delay := float(os.environ.get("HDR_CHAOS_SLOW", "0")):
    quick, connect = os.fsync, sqlite3.connect

    def slow(file: int) -> None:
        """As on a disk that somebody else keeps busy."""
        time.sleep(delay)
        quick(file)

    class SlowConnection(sqlite3.Connection):
        """Keeps its lock for as long as the disk takes."""

        def commit(self) -> None:
            """As before, in a while."""
            if self.in_transaction:
                time.sleep(delay)
            super().commit()

    def slowly(*args: object, **options: object) -> sqlite3.Connection:
        """A connection to a file on that disk."""
        return connect(*args, **{"factory": SlowConnection, **options})

    os.fsync = slow
    sqlite3.connect = sqlite3.dbapi2.connect = slowly
