"""Searches and their trials in the run store: this is the truth about them, whatever samples and prunes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from hdr.sanitize import clean
from hdr.store import runs as run_store
from hdr.store import worker_leases
from hdr.store.heartbeats import HeartbeatMonitor
from hdr.store.owned_table import LONGEST_MESSAGE, LONGEST_TITLE, OwnedTable, columns_of
from hdr.store.runs import RunStore
from hdr.store.schema import hands as _hands
from hdr.store.schema import runs as _runs
from hdr.store.schema import searches as _searches
from hdr.store.schema import spent, summary
from hdr.store.schema import trials as _trials
from hdr.store.worker_leases import is_held
from hdr.tuning.records import ACTIVE, Search, SearchStatus, Trial, TrialStatus
from hdr.tuning.search_spec import SearchSpec
from hdr.types import HdrError

MAX_DEATHS = 3
"""So often in a row may a search's process die before any trial ends; then the search has failed."""

MAX_ATTEMPTS = 3
"""So often is a trial begun whose process dies; then the trial has failed, and the search goes on."""

WAITING_SECONDS = 3.0
"""Who has been in the queue for so long waits: at first, it may just not have been looked at."""


class UnknownSearchError(HdrError):
    """There is no such search or trial, or it is not this owner's."""


class ConflictError(Exception):
    """Another process has been faster: what is to be done next has to be asked anew."""


class SearchStore(OwnedTable[Search]):
    """All searches. Safe to use from many threads and processes at once.

    What a search's own processes write carries the numbers of their claims: of one that is taken to be dead, nothing is
    written any more.

    Args:
        store: the run store; it makes the tables.
    """

    _table, _kind, _unknown, _word = _searches, Search, UnknownSearchError, "search"

    def __init__(self, store: RunStore) -> None:
        super().__init__(store.database)
        self._hands_silence = HeartbeatMonitor()

    def create(self, spec: SearchSpec, owner: str, token: str, title: str = "", published: bool = False) -> Search:
        """Put a search into the queue; the same token always gives the same search, however often it arrives."""
        return self._create(spec, owner, token, title, published, queued=time.time())

    def get(self, search: str, owner: str | None = None) -> Search:
        """One search; with an owner given, only where it is theirs or published.

        Raises:
            UnknownSearchError: there is none, or it was deleted.
        """
        return self._get(search, owner)

    def searches(
        self, owner: str | None = None, statuses: Sequence[SearchStatus] = (), limit: int = 200
    ) -> list[Search]:
        """Searches, newest first: an owner's and the published ones, or all; of the given statuses, or any."""
        return self._select(Search, sa.and_(*self._visible(owner, statuses)), limit)

    def trials(self, search: str, after: int = -1) -> list[Trial]:
        """A search's trials in order; those after a number."""
        query = (
            sa.select(*columns_of(Trial, _trials))
            .where(_trials.c.search == str(search), _trials.c.number > after)
            .order_by(_trials.c.number)
        )
        with self.database.reading() as connection:
            return [Trial(*row) for row in connection.execute(query)]

    def trial(self, search: str, number: int) -> Trial:
        """One trial.

        Raises:
            UnknownSearchError: there is none.
        """
        query = sa.select(*columns_of(Trial, _trials)).where(_trials.c.search == search, _trials.c.number == number)
        with self.database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise UnknownSearchError(f"This search has no trial {number}.")
        return Trial(*row)

    def rename(self, search: str, owner: str, title: str) -> None:
        """Call a search something else; an empty title gives it back its first.

        Raises:
            UnknownSearchError: there is none, or it is not this owner's.
        """
        shown = clean(title) or self.get(search, owner).spec.summary
        self._edit(search, owner, title=shown[:LONGEST_TITLE])

    def extend(self, search: str, owner: str, trials: int | None = None, minutes: float | None = None) -> Search:
        """Give a search another budget: trials in all, or minutes of work in all (0 for no limit).

        Raises:
            HdrError: there is no such search of this owner, or a number is not allowed.
        """
        spec = self.get(search, owner).spec
        spec = replace(
            spec,
            most_trials=spec.most_trials if trials is None else trials,
            most_minutes=spec.most_minutes if minutes is None else minutes,
        )
        self._edit(search, owner, spec=json.dumps(spec.to_json()))
        return self.get(search)

    def resume(self, search: str) -> bool:
        """Put a search that has ended into the queue again; False where it has not, or its budget is used up."""
        found = self.get(search)
        if found.exhausted and not any(not t.ended for t in self.trials(search)):
            return False
        again = {"status": "queued", "queued": time.time(), "stop": False, "deaths": 0, "message": "", "finished": None}
        return self._change(search, ("stopped", "failed", "done"), _searches.c.deleted.is_(None), **again)

    def purge(self) -> int:
        """Remove searches that were deleted long ago, with their trials; how many there were."""
        with self.database.writing() as connection:
            gone = sa.select(_searches.c.id).where(self._long_deleted(ACTIVE))
            for table in (_hands, _trials):
                connection.execute(table.delete().where(table.c.search.in_(gone)))
            return connection.execute(_searches.delete().where(_searches.c.id.in_(gone))).rowcount

    def claim(self, search: str, process: int, place: str = "", join: bool = False) -> int | None:
        """Take a search for a process: the number of this claim, by which it is known in all that follows.

        Args:
            search: its name.
            process: the number of the process.
            place: where it works, if what starts processes has names for that: one that is said to work there still is
                dead.
            join: to share the trials of a search that others are at already, instead of beginning one in the queue.

        Returns:
            None where others have it, or, to join, nobody has; or where it was stopped.
        """
        now, again = time.time(), {"claims": _searches.c.claims + 1, "process": process, "heard": time.time()}
        row = again if join else again | {"status": "running", "started": now}
        such = (_searches.c.id == search, _searches.c.status == ("running" if join else "queued"))
        with self.database.writing() as connection:
            if place:
                self._bury(connection, search, _hands.c.place == place)
            mine = (*such, sa.not_(_searches.c.stop))
            if not connection.execute(_searches.update().where(*mine).values(row)).rowcount:
                return None
            return worker_leases.acquire(connection, search, process, place)

    def at_work(self) -> dict[str, int]:
        """How many processes are at each search that is being worked on, by its name."""
        query = (
            sa.select(_hands.c.search, sa.func.count())
            .join(_searches, _searches.c.id == _hands.c.search)
            .where(_searches.c.status == "running")
            .group_by(_hands.c.search)
        )
        with self.database.reading() as connection:
            return {search: count for search, count in connection.execute(query)}

    def heartbeat(self, search: str, claim: int, seconds: float | None = None) -> bool:
        """Say that a search's process lives. False where it is to end: it was stopped, or is not at it any more.

        Args:
            seconds: that the trial which is fitted now has taken, by the process's own clock; None where none is.
        """
        with self.database.writing() as connection:
            alive = worker_leases.heartbeat(connection, search, claim)
            if seconds is not None and alive:
                mine = (_trials.c.search == search, _trials.c.status == "running", _trials.c.claim == claim)
                connection.execute(_trials.update().where(*mine).values(seconds=seconds))
            stop = connection.execute(sa.select(_searches.c.stop).where(_searches.c.id == search)).scalar()
        return alive and not stop

    def begin(self, search: str, claim: int, values: dict[str, Any], number: int | None = None) -> Trial | None:
        """Put the next trial down, before it is fitted; None where the search is not this process's any more.

        Args:
            number: what the trial has to be, if values were chosen for just that; any where None is given.

        Raises:
            ConflictError: another trial has that number by now.
        """
        last = sa.select(sa.func.coalesce(sa.func.max(_trials.c.number), -1) + 1).where(_trials.c.search == search)
        with self._holding(search, claim) as connection:
            if connection is None:
                return None
            following = connection.execute(last).scalar_one()
            if number not in (None, following):
                raise ConflictError
            row = {"search": search, "number": following, "data": json.dumps(values), "status": "running"}
            connection.execute(_trials.insert().values(**row, started=time.time(), claim=claim))
        return self.trial(search, following)

    def repeat(self, search: str, claim: int, number: int) -> Trial | None:
        """Begin a trial once more that was left unfinished, with the same values; None as `begin`.

        Raises:
            ConflictError: another process is at it already.
        """
        again = {"attempts": _trials.c.attempts + 1, "scores": "[]", "started": time.time(), "seconds": 0.0}
        with self._holding(search, claim) as connection:
            if connection is None:
                return None
            if not connection.execute(_mine(search, number, claim).values(**again, claim=claim)).rowcount:
                raise ConflictError
        return self.trial(search, number)

    def report(
        self, search: str, claim: int, number: int, scores: Sequence[tuple[float, float]], seconds: float
    ) -> bool:
        """Write how far a trial is; False where the search is not this process's any more."""
        with self._holding(search, claim) as connection:
            if connection is None:
                return False
            change = _mine(search, number, claim).values(scores=json.dumps(scores), seconds=seconds)
            connection.execute(change)
            connection.execute(_searches.update().where(_searches.c.id == search).values(seconds=spent(search)))
        return True

    def settle(
        self,
        search: str,
        claim: int,
        number: int,
        status: TrialStatus,
        value: float | None = None,
        scores: Sequence[tuple[float, float]] = (),
        seconds: float = 0.0,
        message: str = "",
        lived: bool = True,
    ) -> bool:
        """End a trial, once and for all; False where the search is not this process's any more.

        Args:
            lived: False where it ends because processes died of it.
        """
        row = {"status": status, "value": value, "scores": json.dumps(scores), "seconds": seconds, "claim": None}
        with self._holding(search, claim) as connection:
            if connection is None:
                return False
            change = _mine(search, number, claim).values(**row, message=message[:LONGEST_MESSAGE], finished=time.time())
            if connection.execute(change).rowcount:
                row = summary(search) | ({"deaths": 0} if lived else {})
                connection.execute(_searches.update().where(_searches.c.id == search).values(row))
        return True

    def others_wait(self) -> bool:
        """Whether a run or a search has waited in the queue for more than a moment."""
        since = time.time() - WAITING_SECONDS
        waiting = sa.select(sa.literal(1)).where(_runs.c.status == "queued", _runs.c.created < since)
        more = sa.select(sa.literal(1)).where(_searches.c.status == "queued", _searches.c.queued < since)
        with self.database.reading() as connection:
            return connection.execute(waiting.union_all(more).limit(1)).first() is not None

    def give_way(self, search: str, claim: int) -> bool:
        """Go, between two trials; whoever is the last puts the search at the end of the queue. False as `report`."""
        return self._leave(search, claim, status="queued", queued=time.time())

    def finish(self, search: str, claim: int, message: str = "") -> bool:
        """Go, since there is nothing more to begin; whoever is the last ends the search. False as `report`."""
        return self._leave(search, claim, status="done", message=message[:LONGEST_MESSAGE], finished=time.time())

    def _leave(self, search: str, claim: int, **last: Any) -> bool:
        with self._holding(search, claim) as connection:
            if connection is None:
                return False
            worker_leases.release(connection, search, [claim])
            if not worker_leases.leases(connection, search):
                connection.execute(_searches.update().where(_searches.c.id == search).values(last))
        return True

    def end(self, search: str, status: SearchStatus, message: str = "", claim: int | None = None) -> bool:
        """End a search that is still active, whoever else is at it; False where it had ended already, or, with a claim
        given, that process is not at it. Trials that run are repeated when the search goes on; a stop is none of their
        attempts."""
        mine = (_searches.c.id == search, _searches.c.status.in_(ACTIVE)) if claim is None else is_held(search, claim)
        row = {"status": status, "message": message[:LONGEST_MESSAGE], "finished": time.time()}
        with self.database.writing() as connection:
            ended = connection.execute(_searches.update().where(*mine).values(row)).rowcount == 1
            if ended:
                worker_leases.release(
                    connection, search, worker_leases.leases(connection, search), counts=status != "stopped"
                )
        return ended

    def died(self, search: str, process: int) -> str | None:
        """Say that a process that was to do a search has ended without a word: the search is queued again, or has
        failed where this has happened too often, unless others are at it still. What it has become; None where the
        process has nothing to do with what the search is now."""
        # One that dies before it could even take the search leaves it in the queue.
        never = sa.or_(_searches.c.process.is_(None), _searches.c.process != process)
        with self.database.writing() as connection:
            buried = self._bury(connection, search, _hands.c.process == process)
            return buried or self._revive(connection, _searches.c.id == search, _searches.c.status == "queued", never)

    def revive_silent(self) -> dict[str, str]:
        """The same for all that have not been heard of for long: what their searches have become, by name."""
        become: dict[str, str | None] = {}
        for search, heard in self._silent(run_store.SILENT_SECONDS).items():
            same = (_searches.c.id == search, _searches.c.status == "running", _searches.c.heard == heard)
            with self.database.writing() as connection:
                worker_leases.lock_search(connection, search)
                become[search] = self._revive(connection, *same)
        query = sa.select(_hands.c.search, _hands.c.claim, _hands.c.heard)
        with self.database.reading() as connection:
            beats = {f"{search} {claim}": heard for search, claim, heard in connection.execute(query)}
        for name, seconds in self._hands_silence.look(beats).items():
            if seconds > run_store.SILENT_SECONDS:
                search, claim = name.split()
                with self.database.writing() as connection:
                    silent = (_hands.c.claim == int(claim), _hands.c.heard == beats[name])
                    become[search] = self._bury(connection, search, *silent) or become.get(search)
        return {search: status for search, status in become.items() if status}

    def _bury(self, connection: sa.Connection, search: str, *conditions: Any) -> str | None:
        # Hands that have died: what their search has become; None where there are none such.
        stopped = worker_leases.lock_search(connection, search)
        dead = worker_leases.leases(connection, search, *conditions)
        if not dead:
            return None
        worker_leases.release(connection, search, dead, counts=not stopped)
        if worker_leases.leases(connection, search):
            return "running"
        return self._revive(connection, _searches.c.id == search, _searches.c.status == "running")

    def _revive(self, connection: sa.Connection, *condition: Any) -> str | None:
        # A search that nobody is at any more, or that nobody has ever taken: what it has become.
        about = (_searches.c.id, _searches.c.deaths, _searches.c.stop)
        found = connection.execute(sa.select(*about).where(*condition)).first()
        if found is None:
            return None
        row: dict[str, Any] = {"status": "queued", "deaths": found.deaths + 1}
        if found.stop:
            row = {"status": "stopped", "finished": time.time()}
        elif found.deaths + 1 > MAX_DEATHS:
            message = f"Its process died {found.deaths + 1} times in a row before a trial could end; there may be too "
            row |= {"status": "failed", "message": message + "little memory.", "finished": time.time()}
        if not connection.execute(_searches.update().where(*condition).values(row)).rowcount:
            return None
        worker_leases.release(connection, found.id, worker_leases.leases(connection, found.id), counts=not found.stop)
        return row["status"]

    @contextmanager
    def _holding(self, search: str, claim: int) -> Iterator[sa.Connection | None]:
        # A transaction in which this claim is at the search, and nobody else changes the search until its end.
        with self.database.writing() as connection:
            yield connection if worker_leases.heartbeat(connection, search, claim) else None


def _mine(search: str, number: int, claim: int) -> sa.Update:
    # A trial that runs, and that this hand is at or nobody.
    free = sa.or_(_trials.c.claim == claim, _trials.c.claim.is_(None))
    condition = (_trials.c.search == search, _trials.c.number == number, _trials.c.status == "running", free)
    return _trials.update().where(*condition)
