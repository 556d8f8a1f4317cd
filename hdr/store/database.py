"""The database that everything about runs and searches is in: one connection for every reading and writing."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NoReturn, Protocol

import sqlalchemy as sa

from hdr import redaction, settings
from hdr.paths import STORE, home, makeshift
from hdr.store import recovery
from hdr.store.schema import prepare, prepare_sqlite
from hdr.types import HdrError

log = logging.getLogger("hdr.store")

IN_MEMORY = "sqlite:///file:hdr?mode=memory&cache=shared&uri=true"
"""A store of this process alone. It stays empty: pages read it where nothing can be kept."""

RENEWED = "The run store was damaged. It has been set aside and a new one begun: try again."
"""What whoever came upon the damage, or was writing meanwhile, is told."""


class StoreError(HdrError):
    """The store cannot be opened or written to."""


class StoreLostError(StoreError):
    """The store's server does not answer. What is in it is as it was, and it may answer the next time."""


class Server(Protocol):
    """What a database server needs that an SQLite file does not."""

    def options(self, url: sa.URL) -> dict[str, Any]:
        """Return keyword arguments of `sqlalchemy.create_engine`."""

    def prepare_connection(self, connection: Any, _: Any) -> None:
        """Set up a new connection of the driver."""

    def alone(self, engine: sa.Engine) -> AbstractContextManager[None]:
        """Keep other processes from making tables meanwhile."""

    def is_lost(self, error: BaseException) -> bool:
        """Whether the server cannot be reached, or has gone away."""

    def reason(self, error: BaseException) -> str:
        """Return what the driver says, in one line, without the address."""


class Database:
    """An opened database with all tables. Safe to use from many threads and processes at once.

    A file that is damaged, or that a later version of the app has made, is set aside and begun anew, when it is opened
    and whenever it is found out; see `hdr.store.recovery`. A file that can only be read is opened for reading. Where
    the home cannot be written to and has no store, this one is empty and refuses what is written to it.

    On a server all that concerns a file is passed by; see `Server`.

    Args:
        url: an SQLAlchemy address; the default is that of the settings, or else an SQLite file in `hdr.paths.home()`.

    Attributes:
        shared: whether it is a server's, for many machines, and no file of this one.

    Raises:
        StoreLostError: its server does not answer.
        StoreError: it cannot be opened; the message says where it is and what the system said.
    """

    def __init__(self, url: str | None = None) -> None:
        path, named, without = home() / STORE, settings.current().store, makeshift()
        self._own = url is None and named is None
        self._refusal = f"{without.consequence}." if self._own and without and not without.can_keep else ""
        in_memory = bool(self._refusal and without and without.way == "nothing")
        self.url = url or (named.get_secret_value() if named else IN_MEMORY if in_memory else f"sqlite:///{path}")
        self.shown = redaction.redact_url(self.url)
        self.shared = is_server(self.url)
        self._lock = threading.Lock()
        self._file: Path | None = None
        try:
            if self._own and not self._refusal:
                path.parent.mkdir(parents=True, exist_ok=True)
            address = sa.make_url(self.url)
            self.engine = sa.create_engine(address, **self._options(address))
            # SQLite deletes a store in memory with its last connection.
            self._held = self.engine.connect() if in_memory else None
            self._file = _file(self.engine)
            if self._file:
                recovery.wait_for_recovery(self._file)
                if recovery.diagnose(self._file):
                    self._mend(self._file)
            try:
                self._prepare()
            except sa.exc.SQLAlchemyError as error:
                if self._file and recovery.is_damage(error):
                    self._mend(self._file)
                elif not self._read_only(error):
                    raise
                self._prepare()
        except ImportError as error:
            raise StoreError(
                f"The run store at {self.shown} needs a driver that is not installed here: "
                "pip install -r requirements/cluster.txt"
            ) from error
        except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise self._error("opened", error) from error
        self._seen = self._identity()

    @property
    def _server(self) -> Server:
        kind = sa.make_url(self.url).get_backend_name()
        if kind not in _servers:
            raise StoreError(f"The run store at {self.shown} cannot be opened: call hdr.cluster.register() first.")
        return _servers[kind]

    def _options(self, address: sa.URL) -> dict[str, Any]:
        if self.shared:
            return self._server.options(address)
        if self.url == IN_MEMORY:
            return {"poolclass": sa.pool.QueuePool, "connect_args": {"check_same_thread": False}}
        return {}

    def _prepare(self) -> None:
        setting_up = self._server.prepare_connection if self.shared else prepare_sqlite
        if not sa.event.contains(self.engine, "connect", setting_up):
            sa.event.listen(self.engine, "connect", setting_up)
        prepare(self.engine, self._server.alone if self.shared else nullcontext)

    def _read_only(self, error: BaseException) -> bool:
        # A folder in which nothing can be made: SQLite then opens a file only where it is told that nobody writes it.
        code = getattr(getattr(error, "orig", None), "sqlite_errorcode", 0) & 0xFF
        if (
            code not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
            or self._file is None
            or self._file.with_name(self._file.name + "-wal").exists()
            or not self._file.is_file()
        ):
            return False
        self.engine = sa.create_engine(f"sqlite:///file:{self._file}?immutable=1&uri=true")
        return True

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction: all that is done in it is kept at its end, or nothing is.

        Raises:
            IntegrityError: of SQLAlchemy, where a row is there already.
            StoreLostError: its server does not answer.
            StoreError: it cannot be written to, or has been begun anew meanwhile.
        """
        if self._refusal:
            raise StoreError(self._refusal)
        try:
            with self._current().begin() as connection:
                yield connection
        except sa.exc.IntegrityError:
            raise
        except sa.exc.SQLAlchemyError as error:
            self._fail("written to", error)
        if self._file:
            # Whoever mends may have copied the file just before: only when that is over is it known what counts.
            recovery.wait_for_recovery(self._file)
        if self._identity() != self._seen:
            # What was written is in the file that has been set aside: it does not count.
            raise StoreError(RENEWED)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees what was kept.

        Raises:
            StoreLostError: its server does not answer.
            StoreError: it cannot be read.
        """
        try:
            with self._current().connect() as connection:
                if self.shared:
                    # Beginning and ending a transaction would be two more ways to the server and back.
                    connection = connection.execution_options(isolation_level="AUTOCOMMIT")
                yield connection
        except sa.exc.SQLAlchemyError as error:
            self._fail("read", error)

    def check(self) -> None:
        """Look at every page of the file, and set it aside where one is damaged. It may take seconds.

        Raises:
            StoreError: it is damaged, and cannot be set aside.
        """
        if self._file and recovery.diagnose(self._file, thorough=True):
            try:
                self._mend(self._file)
            except (sqlite3.Error, OSError) as error:
                raise StoreError(self._stuck(error)) from error

    def _current(self) -> sa.Engine:
        # Another process may have begun a new file: then the old one is let go.
        with self._lock:
            now = self._identity()
            if now != self._seen:
                self.engine.dispose()
                if self._file:
                    recovery.wait_for_recovery(self._file)
                prepare(self.engine, nullcontext)
                self._seen = self._identity()
        return self.engine

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._file and self._file.stat()
        except OSError:
            return None
        return (found.st_dev, found.st_ino) if found else None

    def _fail(self, what: str, error: sa.exc.SQLAlchemyError) -> NoReturn:
        if self._file and recovery.is_damage(error):
            try:
                self._mend(self._file)
            except (sqlite3.Error, OSError) as other:
                raise StoreError(self._stuck(other)) from error
            raise StoreError(RENEWED) from error
        raise self._error(what, error) from error

    def _error(self, what: str, error: Exception) -> StoreError:
        if self.shared and self._server.is_lost(error):
            return StoreLostError(f"The run store at {self.shown} cannot be reached: {self._reason(error)}.")
        hint = " Set HDR_HOME to a folder that can be written to." if self._own and isinstance(error, OSError) else ""
        return StoreError(f"The run store at {self.shown} cannot be {what}: {self._reason(error)}.{hint}")

    def _mend(self, file: Path) -> None:
        self.engine.dispose()
        repair = recovery.recover(file)
        if repair:
            log.warning("the run store at %s was %s: it is kept as %s", self.shown, repair.trouble, repair.backup)

    def _stuck(self, error: Exception) -> str:
        return f"The run store at {self.shown} is damaged, and cannot be set aside: {self._reason(error)}."

    def _reason(self, error: Exception) -> str:
        if self.shared:
            said = self._server.reason(error)
            password = sa.make_url(self.url).password
            return said.replace(str(password), "***") if password else said
        if isinstance(error, OSError):
            return error.strerror or str(error)
        return str(getattr(error, "orig", None) or error).splitlines()[0]


_servers: dict[str, Server] = {}


def register_server(kind: str, server: Server) -> None:
    """Register how to use database servers of a kind, as the first word of their addresses names it."""
    _servers[kind] = server


def is_server(url: str) -> bool:
    """Whether the address is a database server's, and not an SQLite file's."""
    return not url.startswith("sqlite")


def lock_row(connection: sa.Connection, table: sa.Table, name: str) -> None:
    """Let nobody else change a row, or add what belongs to it, until the end of a transaction. In SQLite only one
    writes at a time anyway."""
    if connection.dialect.name != "sqlite":
        connection.execute(sa.select(table.c.id).where(table.c.id == name).with_for_update())


def _file(engine: sa.Engine) -> Path | None:
    name: Any = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name.startswith((":memory:", "file:")):
        return None
    return Path(name)
