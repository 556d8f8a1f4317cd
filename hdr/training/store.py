"""The run store: what every page and every process knows about runs, in one database."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from hdr.home import home
from hdr.training.spec import RunSpec
from hdr.types import HdrError

Status = Literal["queued", "running", "done", "stopped", "failed", "interrupted"]

ACTIVE: tuple[Status, ...] = ("queued", "running")
"""Statuses of runs that are still to change by themselves."""

SILENT_SECONDS = 30.0
"""A running process that has not been heard of for so long is taken to be dead."""

_metadata = sa.MetaData()

_runs = sa.Table(
    "runs",
    _metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("owner", sa.String(64), nullable=False, index=True),
    sa.Column("published", sa.Boolean, nullable=False, default=False),
    sa.Column("token", sa.String(128), nullable=False, unique=True),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("key", sa.String(32), nullable=False),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("status", sa.String(16), nullable=False, index=True),
    sa.Column("message", sa.Text, nullable=False, default=""),
    sa.Column("result", sa.Text),
    sa.Column("stop", sa.Boolean, nullable=False, default=False),
    sa.Column("process", sa.Integer),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("heard", sa.Float),
    sa.Column("finished", sa.Float),
)

_events = sa.Table(
    "events",
    _metadata,
    sa.Column("run", sa.String(32), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
)


class StoreError(HdrError):
    """The store cannot be opened or written to."""


class UnknownRun(HdrError):
    """There is no such run, or it is not this owner's."""


@dataclass(frozen=True)
class Run:
    """One row of the store.

    Attributes:
        id: the run's name in addresses; nobody can guess it.
        owner: who started it.
        published: True where everybody may see it.
        title: what it is called.
        status: where it stands.
        message: why it failed or was interrupted, in words; empty otherwise.
        created, started, finished: seconds since 1970, or None.
    """

    id: str
    owner: str
    published: bool
    title: str
    spec_json: str
    status: Status
    message: str
    result_json: str | None
    created: float
    started: float | None
    finished: float | None

    @cached_property
    def spec(self) -> RunSpec:
        """The plan."""
        return RunSpec.from_json(json.loads(self.spec_json))

    @cached_property
    def result(self) -> dict[str, Any]:
        """What was measured; empty until the run is done."""
        return json.loads(self.result_json) if self.result_json else {}

    @property
    def active(self) -> bool:
        """True while it is still to change by itself."""
        return self.status in ACTIVE

    @property
    def folder(self) -> Path:
        """Where its model is."""
        return home() / "models" / self.id


class RunStore:
    """Runs and their events. Safe to use from many threads and processes at once.

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
            self._engine = sa.create_engine(self.url)
            if self._engine.dialect.name == "sqlite":
                sa.event.listen(self._engine, "connect", _prepare_sqlite)
            _create_tables(self._engine)
        except (sa.exc.SQLAlchemyError, OSError) as error:
            raise StoreError(f"The run store at {self.url} cannot be opened: {_reason(error)}.") from error

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.IntegrityError:
            raise
        except sa.exc.SQLAlchemyError as error:
            raise StoreError(f"The run store at {self.url} cannot be written to: {_reason(error)}.") from error

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise StoreError(f"The run store at {self.url} cannot be read: {_reason(error)}.") from error

    def create(self, spec: RunSpec, owner: str, token: str, title: str = "", published: bool = False) -> Run:
        """Put a run into the queue; the same token always gives the same run, however often it arrives.

        Args:
            spec: the plan.
            owner: who starts it.
            token: of the click or call that starts it.
            title: what to call it; the spec's summary where empty.
            published: True where everybody may see it.
        """
        row = {
            "id": secrets.token_hex(12),
            "owner": owner,
            "published": published,
            "token": token,
            "title": (title or spec.summary)[:200],
            "key": spec.key,
            "spec": json.dumps(spec.to_json()),
            "status": "queued",
            "created": time.time(),
        }
        try:
            with self._writing() as connection:
                connection.execute(_runs.insert().values(row))
        except sa.exc.IntegrityError:
            return self._one(_runs.c.token == token)
        return self.get(row["id"])

    def get(self, run: str, owner: str | None = None) -> Run:
        """One run; with an owner given, only where it is theirs or published.

        Raises:
            UnknownRun: there is none.
        """
        mine = sa.true() if owner is None else sa.or_(_runs.c.owner == owner, _runs.c.published)
        return self._one(sa.and_(_runs.c.id == str(run), mine))

    def _one(self, condition: Any) -> Run:
        rows = self._select(condition, limit=1)
        if not rows:
            raise UnknownRun("There is no such run.")
        return rows[0]

    def runs(self, owner: str | None = None, statuses: Sequence[Status] = (), limit: int = 200) -> list[Run]:
        """Runs, newest first: an owner's and the published ones, or all; of the given statuses, or any."""
        conditions = [sa.true()]
        if owner is not None:
            conditions.append(sa.or_(_runs.c.owner == owner, _runs.c.published))
        if statuses:
            conditions.append(_runs.c.status.in_(statuses))
        return self._select(sa.and_(*conditions), limit)

    def _select(self, condition: Any, limit: int) -> list[Run]:
        names = ("id", "owner", "published", "title", "spec", "status", "message", "result")
        columns = [_runs.c[n] for n in (*names, "created", "started", "finished")]
        query = sa.select(*columns).where(condition).order_by(_runs.c.created.desc(), _runs.c.id).limit(limit)
        with self._reading() as connection:
            return [Run(*row) for row in connection.execute(query)]

    def events(self, run: str, after: int = -1) -> list[dict[str, Any]]:
        """A run's events in order, each with its `number` and `time`; those after a number."""
        query = (
            sa.select(_events.c.number, _events.c.time, _events.c.data)
            .where(_events.c.run == run, _events.c.number > after)
            .order_by(_events.c.number)
        )
        with self._reading() as connection:
            return [{**json.loads(data), "number": n, "time": t} for n, t, data in connection.execute(query)]

    def claim(self, run: str, process: int) -> bool:
        """Take a queued run for a process; False where another has it, or it was stopped."""
        now = time.time()
        return self._change(run, ("queued",), status="running", process=process, started=now, heard=now)

    def add_event(self, run: str, number: int, data: dict[str, Any]) -> None:
        """Append an event to a run."""
        row = {"run": run, "number": number, "time": time.time(), "data": json.dumps(data)}
        with self._writing() as connection:
            connection.execute(_events.insert().values(row))

    def heartbeat(self, run: str) -> bool:
        """Say that a run's process lives. False where it is to end: it was stopped, or is no longer running."""
        self._change(run, ("running",), heard=time.time())
        with self._reading() as connection:
            row = connection.execute(sa.select(_runs.c.status, _runs.c.stop).where(_runs.c.id == run)).first()
        return row is not None and row.status == "running" and not row.stop

    def finish(self, run: str, result: dict[str, Any]) -> bool:
        """Keep a run's result; False where it was stopped meanwhile."""
        return self._change(run, ("running",), status="done", result=json.dumps(result), finished=time.time())

    def end(self, run: str, status: Status, message: str = "", process: int | None = None) -> bool:
        """End a run that is still active, as stopped, failed or interrupted; False where it had ended already.

        With a process given, only where no other process has taken the run.
        """
        mine = sa.true() if process is None else sa.or_(_runs.c.process.is_(None), _runs.c.process == process)
        return self._change(run, ACTIVE, mine, status=status, message=message[:2000], finished=time.time())

    def request_stop(self, run: str) -> None:
        """Ask a run to stop: a queued one ends at once, a running one at its process's next heartbeat."""
        if not self._change(run, ("queued",), status="stopped", finished=time.time()):
            self._change(run, ("running",), stop=True)

    def end_silent(self) -> int:
        """Mark runs as interrupted whose process has not been heard of for long; how many there were."""
        limit = time.time() - SILENT_SECONDS
        change = _runs.update().where(_runs.c.status == "running", _runs.c.heard < limit)
        with self._writing() as connection:
            values = {"status": "interrupted", "message": LOST, "finished": time.time()}
            return connection.execute(change.values(values)).rowcount

    def _change(self, run: str, statuses: Sequence[Status], *conditions: Any, **values: Any) -> bool:
        query = _runs.update().where(_runs.c.id == run, _runs.c.status.in_(statuses), *conditions).values(values)
        with self._writing() as connection:
            return connection.execute(query).rowcount == 1


LOST = "The training process ended without a word: it was killed, or the machine was restarted."
"""The message of a run whose process is gone."""


def _create_tables(engine: sa.Engine) -> None:
    # Not metadata.create_all: it looks first and creates then, and another process may create in between.
    with engine.begin() as connection:
        for table in _metadata.sorted_tables:
            connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))


def _prepare_sqlite(connection: Any, _: Any) -> None:
    for pragma in ("busy_timeout=5000", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
    deadline = time.monotonic() + 5
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError:
            # The switch of a new file does not wait for a lock by itself, whatever the time-out.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _reason(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
