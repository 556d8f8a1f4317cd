"""The database that everything about runs and searches is in: one connection for every reading and writing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from hdr.home import home
from hdr.training.run_tables import prepare, prepare_sqlite
from hdr.types import HdrError


class StoreError(HdrError):
    """The store cannot be opened or written to."""


class Database:
    """An opened database with all tables. Safe to use from many threads and processes at once.

    Args:
        url: an SQLAlchemy address; the default is an SQLite file in `hdr.home.home()`.

    Raises:
        StoreError: it cannot be opened; the message says where it is and what the system said.
    """

    def __init__(self, url: str | None = None) -> None:
        path = home() / "runs.sqlite"
        self.url = url or f"sqlite:///{path}"
        try:
            if url is None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self.engine = sa.create_engine(self.url)
            if self.engine.dialect.name == "sqlite":
                sa.event.listen(self.engine, "connect", prepare_sqlite)
            prepare(self.engine)
        except (sa.exc.SQLAlchemyError, OSError) as error:
            raise StoreError(f"The run store at {self.url} cannot be opened: {_reason(error)}.") from error

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction: all that is done in it is kept at its end, or nothing is.

        Raises:
            IntegrityError: of SQLAlchemy, where a row is there already.
            StoreError: it cannot be written to.
        """
        try:
            with self.engine.begin() as connection:
                yield connection
        except sa.exc.IntegrityError:
            raise
        except sa.exc.SQLAlchemyError as error:
            raise StoreError(f"The run store at {self.url} cannot be written to: {_reason(error)}.") from error

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees what was kept.

        Raises:
            StoreError: it cannot be read.
        """
        try:
            with self.engine.connect() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise StoreError(f"The run store at {self.url} cannot be read: {_reason(error)}.") from error


def _reason(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
