"""Who is next: turns between owners, so that one person's ten trainings do not keep another's first waiting."""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from hdr.store.run_commands import RunCommands, _commands
from hdr.store.runs import RunStore
from hdr.store.schema import events as _events
from hdr.store.schema import runs as _runs
from hdr.store.schema import searches as _searches
from hdr.tuning.records import SEARCH


@dataclass(frozen=True)
class QueuedJob:
    """A run or a search that waits for its turn.

    Attributes:
        name: of a run, or of a search with `SEARCH` before it.
        owner: who started it.
        since: seconds since 1970.
    """

    name: str
    owner: str
    since: float


def fair_order(
    waiting: Iterable[QueuedJob], at_work: Mapping[str, int], served: Mapping[str, float]
) -> list[QueuedJob]:
    """The order in which all who wait have their turns, if nobody else comes.

    Next is always the owner with the fewest at work; of equals, whoever was served least recently; of these, whoever
    has waited longest. Among an owner's own, the first come is the first served.

    Args:
        waiting: who waits.
        at_work: by owner, how many of theirs are at work.
        served: by owner, when one of theirs was begun last, in seconds since 1970.
    """
    lines: dict[str, list[QueuedJob]] = {}
    for one in sorted(waiting, key=lambda w: (w.since, w.name), reverse=True):
        lines.setdefault(one.owner, []).append(one)
    counts, last, order = Counter(at_work), {owner: (0, at) for owner, at in served.items()}, []
    while lines:
        owner = min(lines, key=lambda o: (counts[o], last.get(o, (0, 0.0)), lines[o][-1].since, o))
        order.append(lines[owner].pop())
        counts[owner] += 1
        last[owner] = (len(order), 0.0)
        if not lines[owner]:
            del lines[owner]
    return order


class FairQueue:
    """The line of all runs and searches of a store. Safe to use from many threads and processes at once.

    A paused run may have to give its place to others: it is then parked, waits in the line with everybody else, and
    goes on by itself when it has its turn.

    Args:
        store: the run store.
    """

    def __init__(self, store: RunStore) -> None:
        self.database, self._steering = store.database, RunCommands(store)

    def at_work(self) -> dict[str, str]:
        """Who has a place: the owners of runs and searches that are running and not parked, by name."""
        parked = self.parked()
        return {name: owner for name, owner, _ in self._in("running") if name not in parked}

    def parked(self) -> dict[str, float]:
        """Runs that have given their place to others, and when, in seconds since 1970."""
        query = (
            sa.select(_commands.c.run, _commands.c.kind, _commands.c.time)
            .join(_runs, _runs.c.id == _commands.c.run)
            .where(_runs.c.status == "running", _commands.c.kind.in_(("park", "place")))
            .order_by(_commands.c.run, _commands.c.number)
        )
        with self.database.reading() as connection:
            last = {run: (kind, at) for run, kind, at in connection.execute(query)}
        return {run: at for run, (kind, at) in last.items() if kind == "park"}

    def order(self, begun: Sequence[str] = ()) -> list[QueuedJob]:
        """Who waits, in the order of their turns.

        Args:
            begun: names of those whose process has been started and has not taken them yet.
        """
        parked, running = self.parked(), self._in("running")
        waiting = [QueuedJob(*row) for row in self._in("queued")]
        waiting += [QueuedJob(name, owner, parked[name]) for name, owner, _ in running if name in parked]
        owners = [owner for name, owner, _ in running if name not in parked]
        owners += [w.owner for w in waiting if w.name in begun and w.name not in parked]
        left = [w for w in waiting if w.name not in begun or w.name in parked]
        return fair_order(left, Counter(owners), self._served({w.owner for w in left}) if left else {})

    def place(self, name: str) -> int | None:
        """The place in the line, from 1; None for what does not wait."""
        return next((n for n, w in enumerate(self.order(), 1) if w.name == name), None)

    def idle(self, seconds: float) -> list[str]:
        """Runs that have a place and have been paused for longer than this."""
        mine = [name for name in self.at_work() if not name.startswith(SEARCH)]
        newest = sa.select(_events.c.run, sa.func.max(_events.c.number).label("number")).where(_events.c.run.in_(mine))
        last = newest.group_by(_events.c.run).subquery()
        same = sa.and_(_events.c.run == last.c.run, _events.c.number == last.c.number)
        before = time.time() - seconds
        with self.database.reading() as connection:
            found = connection.execute(sa.select(_events.c.run, _events.c.time, _events.c.data).join(last, same)).all()
        return [run for run, at, data in found if at < before and json.loads(data).get("phase") == "paused"]

    def park(self, run: str) -> None:
        """Let a paused run give its place to others."""
        self._steering.send(run, "park", secrets.token_hex(8))

    def unpark(self, run: str) -> None:
        """Give a parked run a place: it goes on."""
        self._steering.send(run, "place", secrets.token_hex(8))

    def _in(self, status: str) -> list[tuple[str, str, float]]:
        runs = sa.select(_runs.c.id, _runs.c.owner, _runs.c.created)
        searches = sa.select(sa.literal(SEARCH) + _searches.c.id, _searches.c.owner, _searches.c.queued)
        both = runs.where(_runs.c.status == status, _runs.c.deleted.is_(None)).union_all(
            searches.where(_searches.c.status == status, _searches.c.deleted.is_(None))
        )
        with self.database.reading() as connection:
            return [tuple(row) for row in connection.execute(both)]

    def _served(self, owners: set[str]) -> dict[str, float]:
        def last(table: sa.Table) -> sa.Select:
            start = sa.func.max(table.c.started)
            return sa.select(table.c.owner, start).where(table.c.owner.in_(owners)).group_by(table.c.owner)

        both = last(_runs).union_all(last(_searches))
        served: dict[str, float] = {}
        with self.database.reading() as connection:
            for owner, at in connection.execute(both):
                served[owner] = max(served.get(owner, 0.0), at or 0.0)
        return served
