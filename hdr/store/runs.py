"""The run store: what every page and every process knows about runs, in one database."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from hdr.sanitize import clean, clean_lines
from hdr.store import artifacts, owned_table
from hdr.store.database import Database, lock_row
from hdr.store.database import StoreError as StoreError
from hdr.store.database import StoreLostError as StoreLostError
from hdr.store.owned_table import LONGEST_MESSAGE, LONGEST_TITLE, OwnedTable, columns_of
from hdr.store.recovery import Recovery
from hdr.store.run_record import ACTIVE, Run, RunSummary, Status
from hdr.store.schema import events as _events
from hdr.store.schema import figures
from hdr.store.schema import repairs as _repairs
from hdr.store.schema import runs as _runs
from hdr.training.run_spec import RunSpec
from hdr.types import HdrError

log = logging.getLogger("hdr.store")

SILENT_SECONDS = 30.0
"""A running process that has not been heard of for so long is taken to be dead."""

REPAIR_SECONDS = 24 * 3600.0
"""For so long everybody is told that the store was begun anew."""

PURGE_SECONDS = 20.0
"""For so long removing waits for files that cannot be removed, since the place of models does not answer."""

LONGEST_NOTE, LONGEST_TAG, MAX_TAGS = 2000, 40, 12
"""Limits of what people may write to a run; what is longer is cut."""


class UnknownRunError(HdrError):
    """There is no such run, or it is not this owner's."""


class RunStore(OwnedTable[Run]):
    """Runs and their events. Safe to use from many threads and processes at once.

    Args:
        url: an SQLAlchemy address; the default is that of the settings, or else an SQLite file in `hdr.paths.home()`.

    Raises:
        StoreLostError: its server does not answer.
        StoreError: it cannot be opened; the message says where it is and what the system said.
    """

    _table, _kind, _unknown, _word = _runs, Run, UnknownRunError, "run"

    def __init__(self, url: str | None = None) -> None:
        super().__init__(Database(url))

    @property
    def url(self) -> str:
        """Where it is, as SQLAlchemy names it: not to be shown, since there may be a password in it."""
        return self.database.url

    def check(self) -> None:
        """Look at every page of the store's file, and begin it anew where one is damaged. It may take seconds.

        Raises:
            StoreError: it is damaged, and cannot be set aside.
        """
        self.database.check()

    def repaired(self) -> Recovery | None:
        """How the store was set aside and begun anew, where that was within the last `REPAIR_SECONDS`."""
        recent = _repairs.c.at > time.time() - REPAIR_SECONDS
        query = sa.select(*columns_of(Recovery, _repairs)).where(recent).order_by(_repairs.c.at.desc()).limit(1)
        with self.database.reading() as connection:
            row = connection.execute(query).first()
        return Recovery(*row) if row else None

    def create(self, spec: RunSpec, owner: str, token: str, title: str = "", published: bool = False) -> Run:
        """Put a run into the queue; the same token always gives the same run, however often it arrives.

        Args:
            spec: the plan.
            owner: who starts it.
            token: of the click or call that starts it.
            title: what to call it; the spec's summary where empty.
            published: True where everybody may see it.
        """
        return self._create(spec, owner, token, title, published, key=spec.key)

    def get(self, run: str, owner: str | None = None) -> Run:
        """One run; with an owner given, only where it is theirs or published.

        Raises:
            UnknownRunError: there is none, or it was deleted.
        """
        return self._get(run, owner)

    def runs(self, owner: str | None = None, statuses: Sequence[Status] = (), limit: int = 200) -> list[Run]:
        """Runs with their results, newest first: an owner's and the published ones, or all; of the given statuses, or
        any. Where results are not needed, `listed` is faster by far."""
        return self._select(Run, sa.and_(*self._visible(owner, statuses)), limit)

    def listed(
        self, owner: str | None = None, statuses: Sequence[Status] = (), limit: int = 10_000
    ) -> list[RunSummary]:
        """As `runs`, without the results."""
        return self._select(RunSummary, sa.and_(*self._visible(owner, statuses)), limit)

    def events(self, run: str, after: int = -1) -> list[dict[str, Any]]:
        """A run's events in order, each with its `number` and `time`; those after a number."""
        query = (
            sa.select(_events.c.number, _events.c.time, _events.c.data)
            .where(_events.c.run == run, _events.c.number > after)
            .order_by(_events.c.number)
        )
        with self.database.reading() as connection:
            return [{**json.loads(data), "number": n, "time": t} for n, t, data in connection.execute(query)]

    def curves(self, runs: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """The events of several runs at once, by run; see `events`."""
        query = (
            sa.select(_events.c.run, _events.c.number, _events.c.time, _events.c.data)
            .where(_events.c.run.in_(runs))
            .order_by(_events.c.run, _events.c.number)
        )
        found: dict[str, list[dict[str, Any]]] = {run: [] for run in runs}
        with self.database.reading() as connection:
            for run, number, at, data in connection.execute(query):
                found[run].append({**json.loads(data), "number": number, "time": at})
        return found

    def claim(self, run: str, process: int) -> bool:
        """Take a queued run for a process; False where another has it, or it was stopped."""
        now = time.time()
        return self._change(run, ("queued",), status="running", process=process, started=now, heard=now)

    def add_event(self, run: str, number: int, data: dict[str, Any]) -> None:
        """Append an event to a run; nothing is done where it is there already."""
        row = {"run": run, "number": number, "time": time.time(), "data": json.dumps(data)}
        try:
            with self.database.writing() as connection:
                connection.execute(_events.insert().values(row))
        except sa.exc.IntegrityError:
            # Whoever writes while the store is mended has to write again, and may have been heard the first time.
            if all(e["number"] != number for e in self.events(run, number - 1)):
                raise

    def heartbeat(self, run: str) -> bool:
        """Say that a run's process lives. False where it is to end: it was stopped, or is no longer running."""
        self._change(run, ("running",), heard=time.time())
        with self.database.reading() as connection:
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
        return self._change(run, ACTIVE, mine, status=status, message=message[:LONGEST_MESSAGE], finished=time.time())

    def end_silent(self) -> int:
        """Mark runs as interrupted whose process has not been heard of for long; how many there were."""
        ended, values = 0, {"status": "interrupted", "message": SILENT, "finished": time.time()}
        for run, beat in self._silent(SILENT_SECONDS).items():
            # One that is heard at the last moment lives.
            ended += self._change(run, ("running",), _runs.c.heard == beat, **values)
        return ended

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
            UnknownRunError: there is none, or it is not this owner's.
        """
        values: dict[str, Any] = {}
        if title is not None:
            shown = clean(title)
            values["title"] = (shown or self.get(run, owner).spec.summary)[:LONGEST_TITLE]
        if tags is not None:
            named = dict.fromkeys(clean(tag)[:LONGEST_TAG] for tag in tags)
            values["tags"] = json.dumps([tag for tag in named if tag][:MAX_TAGS])
        if note is not None:
            values["note"] = clean_lines(note)[:LONGEST_NOTE]
        if values:
            self._edit(run, owner, **values)

    def deleted(self, owner: str) -> list[RunSummary]:
        """The runs of an owner that were deleted together last, and can still be brought back."""
        since = time.time() - owned_table.KEEP_DELETED_SECONDS
        gone = self._select(RunSummary, sa.and_(_runs.c.owner == owner, _runs.c.deleted > since), 10_000)
        last = max((r.deleted or 0.0 for r in gone), default=None)
        return [r for r in gone if r.deleted == last]

    def purge(self) -> int:
        """Remove runs that were deleted long ago, with their events and models; how many there were."""
        removed, failing = 0, 0.0
        for run in self._select(RunSummary, self._long_deleted(ACTIVE), 10_000):
            began = time.monotonic()
            # Files first: a row without them is found again, files without a row never.
            try:
                artifacts.artifact_store().remove(run.id)
            except HdrError as error:
                log.warning("the files of run %s stay for now: %s", run.id, error)
                failing += time.monotonic() - began
                if failing > PURGE_SECONDS:
                    break
                continue
            with self.database.writing() as connection:
                # Whoever still writes an event waits, and is then told that there is no such run.
                lock_row(connection, _runs, run.id)
                connection.execute(_events.delete().where(_events.c.run == run.id))
                removed += connection.execute(_runs.delete().where(_runs.c.id == run.id)).rowcount
        return removed


SILENT = "The training process was not heard of any more: it hung, was killed, or the machine was restarted."
"""The message of a run whose process may still be there, and does nothing."""

LOST = "The training process ended without a word: it was killed, or the machine was restarted."
"""The message of a run whose process is gone."""
