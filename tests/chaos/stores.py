"""Stores that somebody keeps locked, and that are damaged."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from hdr.store.runs import StoreError
from tests.chaos.world import NETWORK, PLANS, SEARCH, Row, World, finish, world

LOCKED_SECONDS = 12.0
"""Longer than a writer waits, and than a server waits for a sign of life here."""


def locked(home: Path, times: int) -> Row:
    """Another process keeps the store: what runs waits and goes on, and what is new is refused in words."""
    row = Row("store locked")
    with world(home) as found:
        found.serve(silent=8.0)
        for _ in range(times):
            found.begin(NETWORK, SEARCH)
            row.times += 1
            with closing(sqlite3.connect(found.file, isolation_level=None, timeout=30)) as other:
                other.execute("BEGIN EXCLUSIVE")
                deadline = time.monotonic() + LOCKED_SECONDS
                while time.monotonic() < deadline:
                    found.submit(PLANS[1])
                other.execute("ROLLBACK")
            found.until(lambda: not found.active(), "everything ends")
        row = finish(found, row)
        if not found.messages:
            row.problems.append("nothing was refused while the store was locked")
        return row


def _zero_the_header(file: Path) -> None:
    with open(file, "r+b") as written:
        written.write(bytes(100))


def _scribble_over_the_header(file: Path) -> None:
    with open(file, "r+b") as written:
        written.write(random.Random(0).randbytes(100))


HARMS: tuple[Callable[[Path], None], ...] = (_zero_the_header, _scribble_over_the_header)


def corrupted(home: Path, times: int) -> Row:
    """The store's header is overwritten while nobody has it open: everything is carried over, and the backup kept."""
    row = Row("store damaged")
    with world(home) as found:
        for number in range(times):
            server = found.serve()
            for plan in (PLANS[1], SEARCH):
                found.submit(plan)
            found.until(lambda: not found.active(), "everything ends")
            found.close()
            found.servers.remove(server)
            found.store.database.engine.dispose()
            HARMS[number % len(HARMS)](found.file)
            row.times += 1
        found.serve()
        return _look(found, row)


def corrupted_meanwhile(home: Path, times: int) -> Row:
    """The same while a training and a search are at work: both go on in the new store."""
    row = Row("store damaged during training")
    with world(home) as found:
        found.serve()
        for number in range(times):
            found.begin(NETWORK, SEARCH)
            with closing(sqlite3.connect(found.file, timeout=30)) as other:
                # So that the file is needed again, and not only its log.
                other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            HARMS[number % len(HARMS)](found.file)
            row.times += 1
            _until_all_ended(found)
        return _look(found, row)


def _until_all_ended(found: World) -> None:
    def over() -> bool:
        try:
            return not found.active()
        except StoreError as error:
            found.messages.add(str(error))
            return False

    found.until(over, "everything ends")


def _look(found: World, row: Row) -> Row:
    row = finish(found, row)
    backups = list(found.home.glob("runs-damaged-*.sqlite"))
    repair = found.store.repaired()
    if repair is None or len(backups) != row.times or os.path.getsize(backups[0]) == 0:
        row.problems.append(f"{len(backups)} backups of {row.times} damaged stores, and {repair} is said")
    else:
        row.messages.add(repair.sentence)
    return row
