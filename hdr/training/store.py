"""The run store: what every page and every process knows about runs, in one database."""

from __future__ import annotations

import json
import logging
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, TypeVar

import sqlalchemy as sa

from hdr.home import home
from hdr.training.run import ACTIVE, Run, RunSummary, Status
from hdr.training.run_tables import events as _events
from hdr.training.run_tables import figures, prepare, prepare_sqlite
from hdr.training.run_tables import runs as _runs
from hdr.training.spec import RunSpec
from hdr.types import HdrError

log = logging.getLogger("hdr.store")

SILENT_SECONDS = 30.0
"""A running process that has not been heard of for so long is taken to be dead."""

KEEP_DELETED_SECONDS = 24 * 3600.0
"""For so long a deleted run can be brought back; then it is removed with its files."""

LONGEST_TITLE, LONGEST_NOTE, LONGEST_TAG, MOST_TAGS = 200, 2000, 40, 12
"""Limits of what people may write to a run; what is longer is cut."""


class StoreError(HdrError):
    """The store cannot be opened or written to."""


class UnknownRun(HdrError):
    """There is no such run, or it is not this owner's."""


R = TypeVar("R", bound=RunSummary)

_NAMES = {"spec_json": "spec", "tags_json": "tags", "result_json": "result"}


def _columns(kind: type[RunSummary]) -> list[sa.Column]:
    return [_runs.c[_NAMES.get(f.name, f.name)] for f in fields(kind)]


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
                sa.event.listen(self._engine, "connect", prepare_sqlite)
            prepare(self._engine)
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
            "title": (title or spec.summary)[:LONGEST_TITLE],
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
        return self._one(_runs.c.id == row["id"])

    def get(self, run: str, owner: str | None = None) -> Run:
        """One run; with an owner given, only where it is theirs or published.

        Raises:
            UnknownRun: there is none, or it was deleted.
        """
        return self._one(sa.and_(_runs.c.id == str(run), *_visible(owner)))

    def _one(self, condition: Any) -> Run:
        rows = self._select(Run, condition, limit=1)
        if not rows:
            raise UnknownRun("There is no such run.")
        return rows[0]

    def runs(self, owner: str | None = None, statuses: Sequence[Status] = (), limit: int = 200) -> list[Run]:
        """Runs with their results, newest first: an owner's and the published ones, or all; of the given statuses, or
        any. Where results are not needed, `listed` is faster by far."""
        return self._select(Run, sa.and_(*_visible(owner, statuses)), limit)

    def listed(
        self, owner: str | None = None, statuses: Sequence[Status] = (), limit: int = 10_000
    ) -> list[RunSummary]:
        """As `runs`, without the results."""
        return self._select(RunSummary, sa.and_(*_visible(owner, statuses)), limit)

    def _select(self, kind: type[R], condition: Any, limit: int) -> list[R]:
        query = sa.select(*_columns(kind)).where(condition).order_by(_runs.c.created.desc(), _runs.c.id).limit(limit)
        with self._reading() as connection:
            return [kind(*row) for row in connection.execute(query)]

    def events(self, run: str, after: int = -1) -> list[dict[str, Any]]:
        """A run's events in order, each with its `number` and `time`; those after a number."""
        query = (
            sa.select(_events.c.number, _events.c.time, _events.c.data)
            .where(_events.c.run == run, _events.c.number > after)
            .order_by(_events.c.number)
        )
        with self._reading() as connection:
            return [{**json.loads(data), "number": n, "time": t} for n, t, data in connection.execute(query)]

    def curves(self, runs: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """The events of several runs at once, by run; see `events`."""
        query = (
            sa.select(_events.c.run, _events.c.number, _events.c.time, _events.c.data)
            .where(_events.c.run.in_(runs))
            .order_by(_events.c.run, _events.c.number)
        )
        found: dict[str, list[dict[str, Any]]] = {run: [] for run in runs}
        with self._reading() as connection:
            for run, number, at, data in connection.execute(query):
                found[run].append({**json.loads(data), "number": number, "time": at})
        return found

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
        values = {"result": json.dumps(result), **figures(result)}
        return self._change(run, ("running",), status="done", finished=time.time(), **values)

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

    def edit(
        self,
        run: str,
        owner: str,
        *,
        title: str | None = None,
        tags: Sequence[str] | None = None,
        note: str | None = None,
    ) -> None:
        """Rename a run, or put tags or a note to it; what is left out stays. An empty title gives it back its first.

        Raises:
            UnknownRun: there is none, or it is not this owner's.
        """
        values: dict[str, Any] = {}
        if title is not None:
            shown = " ".join(title.split())
            values["title"] = (shown or self.get(run, owner).spec.summary)[:LONGEST_TITLE]
        if tags is not None:
            clean = dict.fromkeys(" ".join(tag.split())[:LONGEST_TAG] for tag in tags)
            values["tags"] = json.dumps([tag for tag in clean if tag][:MOST_TAGS])
        if note is not None:
            values["note"] = note.strip()[:LONGEST_NOTE]
        if values and not self._own([run], owner, _runs.c.deleted.is_(None), **values):
            raise UnknownRun("There is no such run, or it belongs to somebody else.")

    def delete(self, runs: Sequence[str], owner: str) -> int:
        """Take an owner's runs out of all lists; those that are active are stopped. They can be brought back for
        `KEEP_DELETED_SECONDS`; then `purge` removes them.

        Returns:
            How many runs it were; those of others stay.
        """
        now = time.time()
        deleted = self._own(runs, owner, _runs.c.deleted.is_(None), deleted=now)
        self._own(runs, owner, _runs.c.deleted == now, _runs.c.status == "queued", status="stopped", finished=now)
        self._own(runs, owner, _runs.c.deleted == now, _runs.c.status == "running", stop=True)
        return deleted

    def deleted(self, owner: str) -> list[RunSummary]:
        """The runs of an owner that were deleted together last, and can still be brought back."""
        since = time.time() - KEEP_DELETED_SECONDS
        gone = self._select(RunSummary, sa.and_(_runs.c.owner == owner, _runs.c.deleted > since), 10_000)
        last = max((r.deleted or 0.0 for r in gone), default=None)
        return [r for r in gone if r.deleted == last]

    def restore(self, runs: Sequence[str], owner: str) -> int:
        """Bring an owner's deleted runs back; how many could be."""
        return self._own(runs, owner, _runs.c.deleted > time.time() - KEEP_DELETED_SECONDS, deleted=None)

    def purge(self) -> int:
        """Remove runs that were deleted long ago, with their events and models; how many there were."""
        # A minute more than can be brought back, so that nobody brings back what is being removed.
        condition = sa.and_(_runs.c.deleted < time.time() - KEEP_DELETED_SECONDS - 60, _runs.c.status.not_in(ACTIVE))
        removed = 0
        for run in self._select(RunSummary, condition, 10_000):
            # Files first: a row without them is found again, files without a row never.
            try:
                shutil.rmtree(run.folder)
            except FileNotFoundError:
                pass
            except OSError as error:
                log.warning("the files of run %s cannot be removed: %s", run.id, error)
                continue
            with self._writing() as connection:
                connection.execute(_events.delete().where(_events.c.run == run.id))
                removed += connection.execute(_runs.delete().where(_runs.c.id == run.id)).rowcount
        return removed

    def _own(self, runs: Sequence[str], owner: str, *conditions: Any, **values: Any) -> int:
        query = _runs.update().where(_runs.c.id.in_(runs), _runs.c.owner == owner, *conditions).values(values)
        with self._writing() as connection:
            return connection.execute(query).rowcount

    def _change(self, run: str, statuses: Sequence[Status], *conditions: Any, **values: Any) -> bool:
        query = _runs.update().where(_runs.c.id == run, _runs.c.status.in_(statuses), *conditions).values(values)
        with self._writing() as connection:
            return connection.execute(query).rowcount == 1


LOST = "The training process ended without a word: it was killed, or the machine was restarted."
"""The message of a run whose process is gone."""


def _visible(owner: str | None, statuses: Sequence[Status] = ()) -> list[Any]:
    conditions = [_runs.c.deleted.is_(None)]
    if owner is not None:
        conditions.append(sa.or_(_runs.c.owner == owner, _runs.c.published))
    if statuses:
        conditions.append(_runs.c.status.in_(statuses))
    return conditions


def _reason(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
