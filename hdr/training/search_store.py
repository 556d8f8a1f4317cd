"""Searches and their trials in the run store: this is the truth about them, whatever samples and prunes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from hdr.text import clean
from hdr.training import store as run_store
from hdr.training.owned import LONGEST_MESSAGE, LONGEST_TITLE, Owned, columns
from hdr.training.run_tables import runs as _runs
from hdr.training.run_tables import searches as _searches
from hdr.training.run_tables import spent, summary
from hdr.training.run_tables import trials as _trials
from hdr.training.search_spec import SearchSpec
from hdr.training.search_types import ACTIVE, Search, SearchStatus, Trial, TrialStatus
from hdr.training.store import RunStore
from hdr.types import HdrError

MOST_DEATHS = 3
"""So often in a row may a search's process die before any trial ends; then the search has failed."""

MOST_ATTEMPTS = 3
"""So often is a trial begun whose process dies; then the trial has failed, and the search goes on."""

WAITING_SECONDS = 3.0
"""Who has been in the queue for so long waits: at first, it may just not have been looked at."""


class UnknownSearch(HdrError):
    """There is no such search or trial, or it is not this owner's."""


class SearchStore(Owned[Search]):
    """All searches. Safe to use from many threads and processes at once.

    What a search's own process writes carries the number of its claim: where another process has taken the search
    meanwhile, nothing of it is written.

    Args:
        store: the run store; it makes the tables.
    """

    _table, _kind, _unknown, _word = _searches, Search, UnknownSearch, "search"

    def __init__(self, store: RunStore) -> None:
        super().__init__(store._database)

    def create(self, spec: SearchSpec, owner: str, token: str, title: str = "", published: bool = False) -> Search:
        """Put a search into the queue; the same token always gives the same search, however often it arrives."""
        return self._create(spec, owner, token, title, published, queued=time.time())

    def get(self, search: str, owner: str | None = None) -> Search:
        """One search; with an owner given, only where it is theirs or published.

        Raises:
            UnknownSearch: there is none, or it was deleted.
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
            sa.select(*columns(Trial, _trials))
            .where(_trials.c.search == str(search), _trials.c.number > after)
            .order_by(_trials.c.number)
        )
        with self._database.reading() as connection:
            return [Trial(*row) for row in connection.execute(query)]

    def trial(self, search: str, number: int) -> Trial:
        """One trial.

        Raises:
            UnknownSearch: there is none.
        """
        query = sa.select(*columns(Trial, _trials)).where(_trials.c.search == search, _trials.c.number == number)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise UnknownSearch(f"This search has no trial {number}.")
        return Trial(*row)

    def rename(self, search: str, owner: str, title: str) -> None:
        """Call a search something else; an empty title gives it back its first.

        Raises:
            UnknownSearch: there is none, or it is not this owner's.
        """
        shown = clean(title) or self.get(search, owner).spec.summary
        self._edit(search, owner, title=shown[:LONGEST_TITLE])

    def extend(self, search: str, owner: str, trials: int | None = None, minutes: float | None = None) -> Search:
        """Give a search another budget: trials in all, or minutes of work in all (0 for no limit).

        Raises:
            HdrError: there is no such search of this owner, or a number is not allowed.
        """
        spec = self.get(search, owner).spec
        given = {"most_trials": trials, "most_minutes": minutes}
        spec = replace(spec, **{name: value for name, value in given.items() if value is not None})
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
        with self._database.writing() as connection:
            gone = sa.select(_searches.c.id).where(self._long_deleted(ACTIVE))
            connection.execute(_trials.delete().where(_trials.c.search.in_(gone)))
            return connection.execute(_searches.delete().where(_searches.c.id.in_(gone))).rowcount

    def claim(self, search: str, process: int) -> int | None:
        """Take a queued search for a process: the number of this claim; None where another has it, or it was
        stopped."""
        now, claims = time.time(), _searches.c.claims + 1
        taken = {"status": "running", "process": process, "started": now, "heard": now, "claims": claims}
        if not self._change(search, ("queued",), **taken):
            return None
        with self._database.reading() as connection:
            return connection.execute(sa.select(_searches.c.claims).where(_searches.c.id == search)).scalar()

    def heartbeat(self, search: str, claim: int, seconds: float | None = None) -> bool:
        """Say that a search's process lives. False where it is to end: it was stopped, or another has taken it.

        Args:
            seconds: that the trial which is fitted now has taken, by the process's own clock; None where none is.
        """
        with self._database.writing() as connection:
            beat = connection.execute(_searches.update().where(*_held(search, claim)).values(heard=time.time()))
            if seconds is not None and beat.rowcount:
                mine = (_trials.c.search == search, _trials.c.status == "running")
                connection.execute(_trials.update().where(*mine).values(seconds=seconds))
            stop = connection.execute(sa.select(_searches.c.stop).where(*_held(search, claim))).scalar()
        return stop is False

    def begin(self, search: str, claim: int, values: dict[str, Any]) -> Trial | None:
        """Put the next trial down, before it is fitted; None where the search is not this process's any more."""
        last = sa.select(sa.func.coalesce(sa.func.max(_trials.c.number), -1) + 1).where(_trials.c.search == search)
        with self._holding(search, claim) as connection:
            if connection is None:
                return None
            number = connection.execute(last).scalar()
            row = {"search": search, "number": number, "data": json.dumps(values), "status": "running"}
            connection.execute(_trials.insert().values(**row, started=time.time()))
        return self.trial(search, number)

    def repeat(self, search: str, claim: int, number: int) -> Trial | None:
        """Begin a trial once more that was left unfinished, with the same values; None as `begin`."""
        again = {"attempts": _trials.c.attempts + 1, "scores": "[]", "started": time.time(), "seconds": 0.0}
        with self._holding(search, claim) as connection:
            if connection is None:
                return None
            connection.execute(_running(search, number).values(again))
        return self.trial(search, number)

    def report(
        self, search: str, claim: int, number: int, scores: Sequence[tuple[float, float]], seconds: float
    ) -> bool:
        """Write how far a trial is; False where the search is not this process's any more."""
        with self._holding(search, claim) as connection:
            if connection is None:
                return False
            change = _running(search, number).values(scores=json.dumps(scores), seconds=seconds)
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
        row = {"status": status, "value": value, "scores": json.dumps(scores), "seconds": seconds}
        with self._holding(search, claim) as connection:
            if connection is None:
                return False
            change = _running(search, number).values(**row, message=message[:LONGEST_MESSAGE], finished=time.time())
            if connection.execute(change).rowcount:
                row = summary(search) | ({"deaths": 0} if lived else {})
                connection.execute(_searches.update().where(_searches.c.id == search).values(row))
        return True

    def others_wait(self) -> bool:
        """Whether a run or a search has waited in the queue for more than a moment."""
        since = time.time() - WAITING_SECONDS
        waiting = sa.select(sa.literal(1)).where(_runs.c.status == "queued", _runs.c.created < since)
        more = sa.select(sa.literal(1)).where(_searches.c.status == "queued", _searches.c.queued < since)
        with self._database.reading() as connection:
            return connection.execute(waiting.union_all(more).limit(1)).first() is not None

    def give_way(self, search: str, claim: int) -> bool:
        """Go to the end of the queue, between two trials; False as `report`."""
        change = _searches.update().where(*_held(search, claim)).values(status="queued", queued=time.time())
        with self._database.writing() as connection:
            return connection.execute(change).rowcount == 1

    def end(self, search: str, status: SearchStatus, message: str = "", claim: int | None = None) -> bool:
        """End a search that is still active; False where it had ended already, or, with a claim given, another process
        has it. A trial that runs is repeated when the search goes on; a stop is none of its attempts."""
        mine = sa.true() if claim is None else _searches.c.claims == claim
        row = {"status": status, "message": message[:LONGEST_MESSAGE], "finished": time.time()}
        with self._database.writing() as connection:
            condition = (_searches.c.id == search, _searches.c.status.in_(ACTIVE), mine)
            ended = connection.execute(_searches.update().where(*condition).values(row)).rowcount == 1
            if ended:
                _leave(connection, search, counts=status != "stopped")
        return ended

    def died(self, search: str, process: int) -> str | None:
        """Say that a process that was to do a search has ended without a word: the search is queued again, or has
        failed where this has happened too often. What it has become; None where the process has nothing to do with
        what the search is now."""
        # One that dies before it could even take the search leaves it in the queue.
        never = sa.or_(_searches.c.process.is_(None), _searches.c.process != process)
        status = _searches.c.status
        mine = sa.or_(sa.and_(status == "running", _searches.c.process == process), sa.and_(status == "queued", never))
        return self._revive(_searches.c.id == search, mine).get(search)

    def revive_silent(self) -> dict[str, str]:
        """The same for all running searches that have not been heard of for long: what they have become, by name."""
        become = {}
        for search, beat in self._silent(run_store.SILENT_SECONDS).items():
            same = (_searches.c.id == search, _searches.c.status == "running", _searches.c.heard == beat)
            become |= self._revive(*same)
        return become

    def _revive(self, *condition: Any) -> dict[str, str]:
        about = (_searches.c.id, _searches.c.status, _searches.c.deaths, _searches.c.stop, _searches.c.claims)
        with self._database.reading() as connection:
            found = connection.execute(sa.select(*about).where(*condition)).all()
        become = {}
        for search, status, deaths, stop, claim in found:
            if stop:
                become[search] = "stopped"
                self.end(search, "stopped", claim=claim)
                continue
            row: dict[str, Any] = {"status": "queued", "deaths": deaths + 1}
            if deaths + 1 > MOST_DEATHS:
                message = f"Its process died {deaths + 1} times in a row before a trial could end; there may be too "
                row |= {"status": "failed", "message": message + "little memory.", "finished": time.time()}
            same = (_searches.c.id == search, _searches.c.claims == claim, _searches.c.status == status)
            with self._database.writing() as connection:
                if connection.execute(_searches.update().where(*same).values(row)).rowcount:
                    become[search] = row["status"]
                    if status == "running":
                        _leave(connection, search)
        return become

    @contextmanager
    def _holding(self, search: str, claim: int) -> Iterator[sa.Connection | None]:
        # A transaction in which the search belongs to this claim, and stays so until its end.
        with self._database.writing() as connection:
            heard = _searches.update().where(*_held(search, claim)).values(heard=time.time())
            yield connection if connection.execute(heard).rowcount else None


def _held(search: str, claim: int) -> tuple[Any, ...]:
    return _searches.c.id == search, _searches.c.claims == claim, _searches.c.status == "running"


def _running(search: str, number: int) -> sa.Update:
    condition = (_trials.c.search == search, _trials.c.number == number, _trials.c.status == "running")
    return _trials.update().where(*condition)


def _leave(connection: sa.Connection, search: str, counts: bool = True) -> None:
    # The trial that was running until the last heartbeat has come to nothing; its time was spent all the same.
    row: dict[str, Any] = {"lost": _trials.c.lost + _trials.c.seconds, "seconds": 0.0}
    row |= {} if counts else {"attempts": _trials.c.attempts - 1}
    connection.execute(_trials.update().where(_trials.c.search == search, _trials.c.status == "running").values(row))
    connection.execute(_searches.update().where(_searches.c.id == search).values(seconds=spent(search)))
