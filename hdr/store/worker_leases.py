"""Who is at work on a search: one process, or several that share its trials, on one machine or on many.

Each is a hand, known by the number of its claim. Functions here take a connection: what they do belongs to the
transaction of whoever calls.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from hdr.store.schema import hands, spent
from hdr.store.schema import searches as _searches
from hdr.store.schema import trials as _trials


def is_held(search: str, claim: int) -> tuple[Any, ...]:
    """The condition, on the table of searches, that a search is being worked on and a hand is at it."""
    mine = sa.exists().where(hands.c.search == search, hands.c.claim == claim)
    return _searches.c.id == search, _searches.c.status == "running", mine


def lock_search(connection: sa.Connection, search: str) -> bool:
    """Keep everybody else from changing a search until the end of the transaction; whether it is to stop.

    Whatever changes a search, its trials and its hands begins with the search: so that no two wait for each other.
    """
    same = _searches.update().where(_searches.c.id == search).values(stop=_searches.c.stop)
    connection.execute(same)
    return bool(connection.execute(sa.select(_searches.c.stop).where(_searches.c.id == search)).scalar())


def acquire(connection: sa.Connection, search: str, process: int, place: str) -> int:
    """Put down a new hand of a search that has just been claimed; its number."""
    claim = connection.execute(sa.select(_searches.c.claims).where(_searches.c.id == search)).scalar_one()
    row = {"search": search, "claim": claim, "process": process, "place": place, "heard": time.time()}
    connection.execute(hands.insert().values(row))
    return claim


def heartbeat(connection: sa.Connection, search: str, claim: int) -> bool:
    """Say that a hand lives, and with it the search; False where it is not at it any more."""
    now = time.time()
    if not connection.execute(_searches.update().where(*is_held(search, claim)).values(heard=now)).rowcount:
        return False
    mine = (hands.c.search == search, hands.c.claim == claim)
    return connection.execute(hands.update().where(*mine).values(heard=now)).rowcount == 1


def leases(connection: sa.Connection, search: str, *conditions: Any) -> list[int]:
    """The hands of a search, or those of them for which conditions on the table of hands hold."""
    query = sa.select(hands.c.claim).where(hands.c.search == search, *conditions).order_by(hands.c.claim)
    return list(connection.execute(query).scalars())


def release(connection: sa.Connection, search: str, claims: Iterable[int], counts: bool = True) -> None:
    """Take hands from a search. What they were at is left for others to repeat; its time was spent all the same.

    Args:
        counts: False where what they were at is not to count as one of its attempts.
    """
    claims = list(claims)
    mine = (_trials.c.search == search, _trials.c.status == "running", _trials.c.claim.in_(claims))
    row: dict[str, Any] = {"lost": _trials.c.lost + _trials.c.seconds, "seconds": 0.0, "claim": None}
    row |= {} if counts else {"attempts": _trials.c.attempts - 1}
    connection.execute(_trials.update().where(*mine).values(row))
    connection.execute(_searches.update().where(_searches.c.id == search).values(seconds=spent(search)))
    connection.execute(hands.delete().where(hands.c.search == search, hands.c.claim.in_(claims)))
