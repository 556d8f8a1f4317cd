"""A store that cannot be used: it is kept as it is, beside a fresh one with every row that can still be read."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from hdr.store.schema import VERSION, figures, metadata, prepare, repairs, searches, summary

Trouble = Literal["", "damaged", "newer"]

MAGIC = b"SQLite format 3\0"
HEADER, LOG_HEADER = 100, 32
"""Bytes that a database file begins with, before its first page's own content, and that its log begins with."""

LOG_MAGIC = 0x377F0682

PATIENCE = 60.0
"""Seconds that one process waits for another that mends."""

_JSON = {"spec", "tags", "data", "scores"}


@dataclass(frozen=True)
class Recovery:
    """A store was set aside, and a fresh one begun.

    Attributes:
        at: seconds since 1970.
        trouble: "damaged", or "newer" where a later version of the app had made it.
        backup: name of the file that was set aside, in the same folder.
        runs, searches: how many could be carried over.
    """

    at: float
    trouble: str
    backup: str
    runs: int
    searches: int

    @property
    def sentence(self) -> str:
        """The same in words, for those who look for their runs."""
        what = "was damaged" if self.trouble == "damaged" else "was made by a later version of this app"
        runs, searches = (
            f"{n} {one if n == 1 else many}"
            for n, one, many in ((self.runs, "run", "runs"), (self.searches, "search", "searches"))
        )
        return (
            f"The list of runs {what} and has been begun anew with what could be read of it, {runs} and {searches}; "
            f"the old one is kept as {self.backup}."
        )


def is_damage(error: BaseException) -> bool:
    """Whether SQLite says that the file itself is not in order."""
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", 0) or 0
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def diagnose(path: Path, thorough: bool = False) -> Trouble:
    """What keeps a store from being used.

    Args:
        path: the file; where there is none, nothing keeps one from being made.
        thorough: look at every page, and not only at what tells at once.
    """
    log = _log(path)
    # Before SQLite is asked: it may throw the log away.
    if _log_is_damaged(log):
        return "damaged"
    size = path.stat().st_size if path.exists() else 0
    if not size:
        # SQLite takes an empty file for a new one, and throws away what waits beside it to be written into it.
        return "damaged" if log.exists() and log.stat().st_size > 32 else ""
    try:
        with closing(_open(path)) as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] > VERSION:
                return "newer"
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone()  # nosec B608 # a name that SQLite itself gave
            if thorough and connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                return "damaged"
    except sqlite3.DatabaseError as error:
        return "damaged" if is_damage(error) else ""
    return ""


def recover(path: Path) -> Recovery | None:
    """Set a store aside that cannot be used, and begin a fresh one with what can be read of it.

    Only one process does so; the others wait. Whatever happens meanwhile, the old store is there as it was, under its
    own name or its new one.

    Returns:
        What was done; None where nothing had to be, or another process had done it.

    Raises:
        OSError: there is no room for it, or the folder cannot be written to.
    """
    with _alone(path):
        found = diagnose(path, thorough=True)
        if not found:
            return None
        backup, fresh = _free_name(path, found), path.with_name(path.name + ".new")
        with _nobody_writes(path), tempfile.TemporaryDirectory(dir=path.parent, prefix=".mending-") as folder:
            for source, target in ((path, backup), (_log(path), _log(backup))):
                if source.exists():
                    _copy(source, target)
            fresh.unlink(missing_ok=True)
            repair = _begin(fresh, backup, Path(folder), found)
            # Whoever opens the store waits until this is over: see `wait_for_recovery`.
            for old in (_log(path), path.with_name(path.name + "-shm")):
                old.unlink(missing_ok=True)
            os.replace(fresh, path)
        return repair


def wait_for_recovery(path: Path) -> None:
    """Wait while another process mends."""
    if _lock(path).exists():
        with _alone(path):
            pass


def _begin(fresh: Path, backup: Path, folder: Path, found: str) -> Recovery:
    engine = sa.create_engine(f"sqlite:///{fresh}")
    prepare(engine, nullcontext)
    copy = folder / "copy.sqlite"
    _copy_both(backup, copy)
    if not _opens(copy):
        # Once more, since SQLite may have thrown away the log.
        _copy_both(backup, copy)
        _give_header(copy, fresh)
    with engine.begin() as connection:
        carried = _carry_over(copy, connection)
        repair = Recovery(time.time(), found, backup.name, carried["runs"], carried["searches"])
        connection.execute(repairs.insert().values(vars(repair)))
    engine.dispose()
    return repair


def _carry_over(copy: Path, connection: sa.Connection) -> dict[str, int]:
    with closing(_open(copy)) as old:
        for table in metadata.sorted_tables:
            rows = [kept for row in _rows(old, table) if (kept := _sound(table, row))]
            for _, alike in groupby(rows, key=lambda row: row.keys()):
                connection.execute(table.insert().prefix_with("OR IGNORE"), list(alike))
    # What belongs to something that is gone is of no use.
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            connection.execute(table.delete().where(key.parent.not_in(sa.select(key.column))))
    connection.execute(searches.update().values(summary(searches.c.id)))
    count = sa.select(sa.func.count())
    return {t.name: connection.execute(count.select_from(t)).scalar_one() for t in metadata.sorted_tables}


def _rows(old: sqlite3.Connection, table: sa.Table) -> list[dict[str, Any]]:
    # From the first row on; then, where something could not be read, on behind it, and from the last row back.
    try:
        there = {row[1] for row in old.execute(f'PRAGMA table_info("{table.name}")')}
    except sqlite3.DatabaseError:
        return []
    names = [c.name for c in table.columns if c.name in there]
    if not names:
        return []
    listed, found = ", ".join(f'"{name}"' for name in names), {}
    for start, way, order in ((-1, 1, "ASC"), (1 << 62, -1, "DESC")):
        query = f'SELECT rowid, {listed} FROM "{table.name}" NOT INDEXED '  # nosec B608 # names of our own tables and columns
        query += f"WHERE rowid {'>' if way > 0 else '<'} ? ORDER BY rowid {order}"
        last, step, whole = start, 1, True
        while step < 1 << 62:
            try:
                for number, *values in old.execute(query, (last,)):
                    found[number] = dict(zip(names, values, strict=True))
                    last, step = number, 1
                break
            except sqlite3.DatabaseError:
                last, step, whole = last + way * step, 2 * step, False
        if whole:
            break
    return [found[number] for number in sorted(found)]


def _sound(table: sa.Table, row: dict[str, Any]) -> dict[str, Any] | None:
    # What the rest of the code relies on: no required value is missing, and what is to be JSON can be read.
    for column in table.columns:
        value = row.get(column.name)
        if value is None and not column.nullable and column.name in row:
            return None
        if column.name in _JSON and value is not None and not _is_json(value):
            return None
    if row.get("result") and not _is_json(row["result"]):
        row |= {"result": None, "status": "interrupted", "message": "What was measured was in a damaged file."}
        row |= figures({})
    return row


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=5)
    connection.text_factory = lambda data: data.decode(errors="replace")
    return connection


def _opens(path: Path) -> bool:
    try:
        with closing(_open(path)) as connection:
            return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    except sqlite3.DatabaseError:
        return False


def _give_header(path: Path, pattern: Path) -> None:
    # All headers of our stores are alike, but for the number of pages.
    header = bytearray(pattern.read_bytes()[:HEADER])
    page = int.from_bytes(header[16:18], "big")
    header[18:20] = b"\2\2"
    with open(path, "r+b") as file:
        size = max(file.seek(0, os.SEEK_END), page)
        file.truncate(size)
        header[28:32], header[32:40] = (size // page).to_bytes(4, "big"), bytes(8)
        header[92:96] = header[24:28]
        file.seek(0)
        file.write(header)


def _log_is_damaged(log: Path) -> bool:
    # SQLite passes over what it cannot read of its log, and over all that follows, without a word. What a killed
    # process was writing last is no damage: nothing of the same kind follows it.
    # Source: sqlite.org/fileformat2.html, 4 The Write-Ahead Log.
    try:
        data = log.read_bytes()
    except FileNotFoundError:
        return False
    if len(data) < LOG_HEADER:
        return False
    magic, _, page, _, *salt = struct.unpack(">6I", data[:24])
    if magic not in (LOG_MAGIC, LOG_MAGIC + 1):
        return True
    order = ">u4" if magic & 1 else "<u4"
    state = np.frombuffer(data, ">u4", 2, 24).astype(np.uint32)
    if not np.array_equal(_sums(np.frombuffer(data, order, 6).astype(np.uint32)[None])[0], state):
        return True
    if page < 512 or page & (page - 1):
        return True
    if len(data) < LOG_HEADER + 24 + page:
        return False
    frames = np.frombuffer(data, np.uint8, offset=LOG_HEADER)
    frames = frames[: len(frames) // (24 + page) * (24 + page)].reshape(-1, 24 + page)
    heads = frames[:, :24].copy().view(">u4")
    own = (heads[:, 2:4] == salt).all(axis=1)
    words = np.concatenate([frames[:, :8], frames[:, 24:]], axis=1).view(order).astype(np.uint32)
    whole, sums, turn = 0, _sums(words), _powers(words.shape[1] // 2)[-1]
    for mine, added, said in zip(own, sums, heads[:, 4:6], strict=True):
        state = turn @ state + added
        if not mine or not np.array_equal(state, said):
            break
        whole += 1
    return bool((own & (heads[:, 1] > 0))[whole + 1 :].any())


def _sums(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    # What SQLite adds to a checksum for each row of words, all modulo 2 to the 32. Two words are one step, which is
    # linear: what a pair adds is what all steps behind it make of it.
    pairs = words.reshape(len(words), -1, 2)
    behind = _powers(pairs.shape[1])[-2::-1]
    first, second = behind.sum(axis=2, dtype=np.uint32), behind[:, :, 1]
    return np.stack([(pairs[..., 0] * first[:, k] + pairs[..., 1] * second[:, k]).sum(1, np.uint32) for k in (0, 1)], 1)


def _powers(count: int) -> NDArray[np.uint32]:
    found = [np.eye(2, dtype=np.uint32)]
    for _ in range(count):
        found.append(np.array([[1, 1], [1, 2]], np.uint32) @ found[-1])
    return np.stack(found)


def _log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _lock(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _copy_both(backup: Path, copy: Path) -> None:
    for source, target in ((backup, copy), (_log(backup), _log(copy))):
        if source.exists():
            shutil.copyfile(source, target)
        else:
            target.unlink(missing_ok=True)
    copy.touch()


def _copy(source: Path, target: Path) -> None:
    with open(source, "rb") as read, open(target, "xb") as written:
        shutil.copyfileobj(read, written)
        written.flush()
        os.fsync(written.fileno())


def _free_name(path: Path, found: str) -> Path:
    named = f"{path.stem}-{found}-{time.strftime('%Y-%m-%d-%H%M%S')}"
    names = (path.with_name(f"{named}{f'-{k}' if k else ''}{path.suffix}") for k in range(10_000))
    return next(name for name in names if not name.exists())


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    # A lock that every system has, and that ends with its process.
    with closing(sqlite3.connect(_lock(path), timeout=PATIENCE, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def _nobody_writes(path: Path) -> Iterator[None]:
    # Where the store cannot be opened nobody writes anyway; and asked to, SQLite might throw away its log.
    with open(path, "rb") as file:
        usable = file.read(len(MAGIC)) == MAGIC
    if not usable or _log_is_damaged(_log(path)):
        yield
        return
    with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as connection:
        with suppress(sqlite3.DatabaseError):
            connection.execute("BEGIN IMMEDIATE")
        yield
