"""What an owner starts and keeps, be it a run or a search: begun once per click, seen by whom it concerns, stopped,
deleted and brought back."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, ClassVar, Generic, TypeVar

import sqlalchemy as sa

from hdr.sanitize import clean
from hdr.store.database import Database, StoreError
from hdr.store.heartbeats import HeartbeatMonitor
from hdr.types import HdrError

KEEP_DELETED_SECONDS = 24 * 3600.0
"""For so long what was deleted can be brought back; then it is removed for good."""

DOUBTFUL_SECONDS = 3.0
"""Who has not been heard of for so long may be dead; or else the store cannot be written to."""

LONGEST_TITLE, LONGEST_MESSAGE = 200, 2000
"""Limits of what is written down; what is longer is cut."""

Thing = TypeVar("Thing")
Row = TypeVar("Row")

_NAMES = {"spec_json": "spec", "tags_json": "tags", "result_json": "result", "values_json": "data"}
_NAMES |= {"scores_json": "scores"}


def columns_of(kind: type, table: sa.Table) -> list[sa.Column]:
    """A table's columns in the order of a dataclass's fields."""
    return [table.c[_NAMES.get(f.name, f.name)] for f in fields(kind)]


class OwnedTable(Generic[Thing]):
    """One table of things that have owners. Safe to use from many threads and processes at once.

    Args:
        database: where it is.

    Attributes:
        database: the same.
    """

    _table: ClassVar[sa.Table]
    """With the columns of `hdr.store.schema.owned`."""
    _kind: type[Thing]
    """A dataclass with everything that is known of one."""
    _unknown: type[HdrError]
    """Raised where there is none."""
    _word: ClassVar[str]
    """What one is called in messages."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._silence = HeartbeatMonitor()

    def _create(self, spec: Any, owner: str, token: str, title: str, published: bool, **more: Any) -> Thing:
        # The same token always gives the same one, however often it arrives.
        row = {
            "id": secrets.token_hex(12),
            "owner": owner,
            "published": published,
            "token": token,
            "title": (clean(title) or spec.summary)[:LONGEST_TITLE],
            "spec": json.dumps(spec.to_json()),
            "status": "queued",
            "created": time.time(),
        }
        try:
            with self.database.writing() as connection:
                connection.execute(self._table.insert().values(**row, **more))
        except sa.exc.IntegrityError:
            return self._one(self._table.c.token == token)
        return self._one(self._table.c.id == row["id"])

    def _get(self, name: str, owner: str | None) -> Thing:
        return self._one(sa.and_(self._table.c.id == str(name), *self._visible(owner)))

    def _one(self, condition: Any) -> Thing:
        rows = self._select(self._kind, condition, limit=1)
        if not rows:
            raise self._unknown(f"There is no such {self._word}.")
        return rows[0]

    def _select(self, kind: type[Row], condition: Any, limit: int) -> list[Row]:
        newest = (self._table.c.created.desc(), self._table.c.id)
        query = sa.select(*columns_of(kind, self._table)).where(condition).order_by(*newest).limit(limit)
        with self.database.reading() as connection:
            return [kind(*row) for row in connection.execute(query)]

    def _visible(self, owner: str | None, statuses: Sequence[str] = ()) -> list[Any]:
        conditions: list[sa.ColumnElement[bool]] = [self._table.c.deleted.is_(None)]
        if owner is not None:
            conditions.append(sa.or_(self._table.c.owner == owner, self._table.c.published))
        if statuses:
            conditions.append(self._table.c.status.in_(statuses))
        return conditions

    def _edit(self, name: str, owner: str, **values: Any) -> None:
        if not self._own([name], owner, self._table.c.deleted.is_(None), **values):
            raise self._unknown(f"There is no such {self._word}, or it belongs to somebody else.")

    def request_stop(self, name: str) -> None:
        """Ask one to stop: a queued one ends at once, a running one at its process's next heartbeat."""
        if not self._change(name, ("queued",), status="stopped", finished=time.time()):
            self._change(name, ("running",), stop=True)

    def delete(self, names: Sequence[str], owner: str) -> int:
        """Take an owner's things out of all lists; those that are active are stopped. They can be brought back for
        `KEEP_DELETED_SECONDS`; then `purge` removes them.

        Returns:
            How many it were; those of others stay.
        """
        now, table = time.time(), self._table.c
        deleted = self._own(names, owner, table.deleted.is_(None), deleted=now)
        self._own(names, owner, table.deleted == now, table.status == "queued", status="stopped", finished=now)
        self._own(names, owner, table.deleted == now, table.status == "running", stop=True)
        return deleted

    def restore(self, names: Sequence[str], owner: str) -> int:
        """Bring back what an owner deleted; how many could be."""
        return self._own(names, owner, self._table.c.deleted > time.time() - KEEP_DELETED_SECONDS, deleted=None)

    def _long_deleted(self, active: Sequence[str]) -> Any:
        # A minute more than can be brought back, so that nobody brings back what is being removed.
        old = self._table.c.deleted < time.time() - KEEP_DELETED_SECONDS - 60
        return sa.and_(old, self._table.c.status.not_in(active))

    def _silent(self, longest: float) -> dict[str, float | None]:
        # Those at work that have not been heard of for longer, with their last heartbeats.
        query = sa.select(self._table.c.id, self._table.c.heard).where(self._table.c.status == "running")
        try:
            with self.database.reading() as connection:
                beats = {name: heard for name, heard in connection.execute(query)}
            silent = self._silence.look(beats)
            if doubtful := [name for name, seconds in silent.items() if seconds > DOUBTFUL_SECONDS]:
                # Where nothing can be written nothing can be heard either, and it is nobody's fault.
                same = self._table.update().where(self._table.c.id.in_(doubtful)).values(stop=self._table.c.stop)
                with self.database.writing() as connection:
                    connection.execute(same)
        except StoreError:
            self._silence.forget()
            raise
        return {name: beats[name] for name, seconds in silent.items() if seconds > longest}

    def _own(self, names: Sequence[str], owner: str, *conditions: Any, **values: Any) -> int:
        mine = (self._table.c.id.in_(names), self._table.c.owner == owner, *conditions)
        with self.database.writing() as connection:
            return connection.execute(self._table.update().where(*mine).values(values)).rowcount

    def _change(self, name: str, statuses: Sequence[str], *conditions: Any, **values: Any) -> bool:
        such = (self._table.c.id == name, self._table.c.status.in_(statuses), *conditions)
        with self.database.writing() as connection:
            return connection.execute(self._table.update().where(*such).values(values)).rowcount == 1
