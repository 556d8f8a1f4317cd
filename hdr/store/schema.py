"""The tables of the run store, and how a file of an earlier version comes to have them."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa

FIGURES: dict[str, type] = {
    "test_accuracy": float,
    "validation_accuracy": float,
    "train_accuracy": float,
    "tested_on": int,
    "fitted_on": int,
    "features": int,
    "fit_seconds": float,
    "total_seconds": float,
    "predict_ms": float,
    "model_bytes": int,
    "peak_mb": float,
}
"""What lists need of a result, each in a column of its own: a result holds every mistake and is long to read."""

VERSION = 1
"""Of the tables. It grows where an earlier version of the app could not use them any more; columns that are added, and
may be missing, do not count."""

BUSY_SECONDS = 5.0
"""So long a writer waits for another; then it is told that the store is locked."""

metadata = sa.MetaData()


def owned(name: str, *more: sa.Column) -> sa.Table:
    """A table of things that have an owner, and that a process does: see `hdr.store.owned_table.OwnedTable`."""
    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False, index=True),
        sa.Column("published", sa.Boolean, nullable=False, default=False),
        sa.Column("token", sa.String(128), nullable=False, unique=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False, index=True),
        sa.Column("message", sa.Text, nullable=False, default=""),
        sa.Column("stop", sa.Boolean, nullable=False, default=False),
        sa.Column("process", sa.Integer),
        sa.Column("created", sa.Float, nullable=False, index=True),
        sa.Column("started", sa.Float),
        sa.Column("heard", sa.Float),
        sa.Column("finished", sa.Float),
        sa.Column("deleted", sa.Float),
        *more,
    )


runs = owned(
    "runs",
    sa.Column("key", sa.String(32), nullable=False),
    sa.Column("tags", sa.Text, nullable=False, default="[]", server_default="[]"),
    sa.Column("note", sa.Text, nullable=False, default="", server_default=""),
    *(sa.Column(name, sa.Float if kind is float else sa.BigInteger) for name, kind in FIGURES.items()),
    # Last, since SQLite has to walk through a long value to reach what is behind it.
    sa.Column("result", sa.Text),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("run", sa.String(32), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
)

searches = owned(
    "searches",
    # How often a process has taken it: each has a number of its own, see `hands`.
    sa.Column("claims", sa.Integer, nullable=False, default=0),
    sa.Column("deaths", sa.Integer, nullable=False, default=0),
    sa.Column("queued", sa.Float, nullable=False),
    # What lists show, kept up to date with every trial that ends.
    sa.Column("ended", sa.Integer, nullable=False, default=0),
    sa.Column("seconds", sa.Float, nullable=False, default=0.0),
    sa.Column("best", sa.Integer),
    sa.Column("best_value", sa.Float),
)

trials = sa.Table(
    "trials",
    metadata,
    sa.Column("search", sa.String(32), sa.ForeignKey("searches.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("scores", sa.Text, nullable=False, default="[]"),
    sa.Column("value", sa.Float),
    sa.Column("seconds", sa.Float, nullable=False, default=0.0),
    # Of attempts that came to nothing, since their process died or they were stopped.
    sa.Column("lost", sa.Float, nullable=False, default=0.0),
    sa.Column("attempts", sa.Integer, nullable=False, default=1),
    sa.Column("started", sa.Float, nullable=False),
    sa.Column("finished", sa.Float),
    sa.Column("message", sa.Text, nullable=False, default=""),
    # Of the hand that is at it; none where it has ended, or is left for the next that comes.
    sa.Column("claim", sa.Integer),
)

# Processes that are at work on a search now: what one writes that is not here any more is not taken from it.
hands = sa.Table(
    "hands",
    metadata,
    sa.Column("search", sa.String(32), sa.ForeignKey("searches.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("claim", sa.Integer, primary_key=True),
    sa.Column("process", sa.Integer, nullable=False),
    # Where it works, in the words of whatever has started it; two are never at one place at a time.
    sa.Column("place", sa.String(200), nullable=False, default=""),
    sa.Column("heard", sa.Float, nullable=False),
)

commands = sa.Table(
    "commands",
    metadata,
    sa.Column("run", sa.String(32), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("token", sa.String(128), nullable=False),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.UniqueConstraint("run", "token"),
)

starts = sa.Table(
    "starts",
    metadata,
    # By itself, and not counted from the runs: who deletes them has started them even so.
    sa.Column("token", sa.String(128), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, index=True),
    sa.Column("owner", sa.String(64), nullable=False, index=True),
    sa.Column("time", sa.Float, nullable=False, index=True),
    sa.Column("seconds", sa.Float, nullable=False, default=0.0),
)

repairs = sa.Table(
    "repairs",
    metadata,
    sa.Column("at", sa.Float, primary_key=True),
    sa.Column("trouble", sa.String(16), nullable=False),
    sa.Column("backup", sa.String(200), nullable=False),
    sa.Column("runs", sa.Integer, nullable=False),
    sa.Column("searches", sa.Integer, nullable=False),
)


def figures(result: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of `FIGURES` from a result; None for what it does not have."""
    return {name: result.get(name) for name in FIGURES}


def spent(search: Any) -> Any:
    """Seconds that all trials of a search have taken, lost attempts included: to be used in a query.

    Args:
        search: its name, or a column that holds it.
    """
    total = sa.func.coalesce(sa.func.sum(trials.c.seconds + trials.c.lost), 0.0)
    return sa.select(total).where(trials.c.search == search).scalar_subquery()


def summary(search: Any) -> dict[str, Any]:
    """What the row of a search says of its trials, as queries by column."""
    mine = trials.c.search == search
    best = (
        sa.select(trials.c.number, trials.c.value)
        .where(mine, trials.c.status == "done")
        .order_by(trials.c.value.desc(), trials.c.number)
        .limit(1)
    )
    ended = sa.select(sa.func.count()).select_from(trials).where(mine, trials.c.status != "running")
    return {
        "ended": ended.scalar_subquery(),
        "seconds": spent(search),
        "best": best.with_only_columns(trials.c.number).scalar_subquery(),
        "best_value": best.with_only_columns(trials.c.value).scalar_subquery(),
    }


def prepare(engine: sa.Engine, alone: Callable[[sa.Engine], AbstractContextManager[Any]]) -> None:
    """Make the tables, or give those of an earlier version what they lack. Several processes may do so at once.

    `alone` keeps other processes from making tables in the same database meanwhile.

    Where nothing is lacking nothing is written, so that a store can be opened that can only be read, or that somebody
    else keeps locked.
    """
    if not _complete(engine):
        with alone(engine):
            _make(engine)
    _fill_figures(engine)


def _make(engine: sa.Engine) -> None:
    # Not metadata.create_all: it looks first and creates then, and another process may create in between.
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
    for table in metadata.sorted_tables:
        _add_columns(engine, table)
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            for index in table.indexes:
                connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))
        if engine.dialect.name == "sqlite":
            connection.execute(sa.text(f"PRAGMA user_version = {VERSION}"))


def _complete(engine: sa.Engine) -> bool:
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            if connection.execute(sa.text("PRAGMA user_version")).scalar() != VERSION:
                return False
    inspector = sa.inspect(engine)
    # All tables at once: over a network every question takes its time.
    columns, indexes = (
        {table: {each["name"] for each in found} for (_, table), found in known.items()}
        for known in (inspector.get_multi_columns(), inspector.get_multi_indexes())
    )
    return all(
        {column.name for column in table.columns} <= columns.get(table.name, set())
        and {index.name for index in table.indexes} <= indexes.get(table.name, set())
        for table in metadata.sorted_tables
    )


def _add_columns(engine: sa.Engine, table: sa.Table) -> None:
    for column in _missing(engine, table):
        definition = sa.schema.CreateColumn(column).compile(dialect=engine.dialect)
        try:
            with engine.begin() as connection:
                connection.execute(sa.text(f"ALTER TABLE {table.name} ADD COLUMN {definition}"))
        except sa.exc.SQLAlchemyError:
            # Another process has been faster, or it cannot be done.
            if column in _missing(engine, table):
                raise


def _missing(engine: sa.Engine, table: sa.Table) -> list[sa.Column]:
    there = {column["name"] for column in sa.inspect(engine).get_columns(table.name)}
    return [column for column in table.columns if column.name not in there]


def _fill_figures(engine: sa.Engine) -> None:
    # Also at later starts: a training process of an earlier version may still have been at work at the first one.
    unfilled = (runs.c.status == "done", runs.c.result.is_not(None), runs.c.test_accuracy.is_(None))
    with engine.connect() as connection:
        waiting = [row.id for row in connection.execute(sa.select(runs.c.id).where(*unfilled))]
    for run in waiting:
        with engine.begin() as connection:
            result = connection.execute(sa.select(runs.c.result).where(runs.c.id == run)).scalar()
            if result:
                connection.execute(runs.update().where(runs.c.id == run).values(figures(json.loads(result))))


def prepare_sqlite(connection: Any, _: Any) -> None:
    """Set up a new connection: write-ahead log, patience with other writers, nothing acknowledged that is not kept."""
    for pragma in (f"busy_timeout={1000 * BUSY_SECONDS:.0f}", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:
                return
            # The switch of a new file does not wait for a lock by itself, whatever the time-out.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
