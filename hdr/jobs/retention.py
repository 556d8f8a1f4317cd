"""What is cleaned away: old runs and searches, models that belong to no run, and what was left half written.

Nothing that is published, and nothing that is still to change, is ever cleaned away for its age or its number.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, fields

import sqlalchemy as sa

from hdr import settings
from hdr.jobs.quotas import Quotas
from hdr.paths import home, remove_stale_parts
from hdr.store import artifacts
from hdr.store.artifacts import DAY
from hdr.store.runs import ACTIVE, RunStore
from hdr.store.schema import runs as _runs
from hdr.store.schema import searches as _searches
from hdr.store.searches import SearchStore
from hdr.types import HdrError

MEASURE_SECONDS = 30.0
"""For so long the size of the models on the disk is taken to be what it was."""

_LONG_AGO = 1.0

log = logging.getLogger("hdr.cleaning")


@dataclass(frozen=True)
class CleanupReport:
    """How much was cleaned away.

    Attributes:
        deleted: runs and searches that their owners had deleted long ago.
        old: runs that were too old, too many, or too large together.
        searches: searches that were too old or too many.
        orphans: models that had belonged to no run for long.
    """

    deleted: int = 0
    old: int = 0
    searches: int = 0
    orphans: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{f.name} {getattr(self, f.name)}" for f in fields(self))


def clean(store: RunStore) -> CleanupReport:
    """Clean everything up by the host's settings, as they are now. Several servers may do so at once.

    Raises:
        HdrError: the store cannot be written to.
    """
    searches = SearchStore(store)
    deleted = store.purge() + searches.purge()
    old = _remove_runs(store, _too_many(_finished(store, _runs)))
    _measured.clear()
    old += _remove_runs(store, _too_large(store))
    gone = _remove(store, _searches, _too_many(_finished(store, _searches)))
    if gone:
        searches.purge()
    Quotas(store).forget()
    orphans = _orphans(store)
    for folder in (home(), *(home() / "datasets").glob("*/")):
        remove_stale_parts(folder)
    return CleanupReport(deleted, old, gone, orphans)


def make_room(store: RunStore) -> bool:
    """Whether there is room for one more model. Where there is none, the oldest runs are cleaned away first."""
    most = settings.current().disk_mb
    if most is None or _models_mb() < most:
        return True
    try:
        store.purge()
        _measured.clear()
        _remove_runs(store, _too_large(store))
    except HdrError as error:
        log.warning("%s", error)
    return _models_mb() < most


@dataclass(frozen=True)
class _Kept:
    id: str
    owner: str
    finished: float
    done: bool


def _finished(store: RunStore, table: sa.Table) -> list[_Kept]:
    # The newest first. A run that was stopped in the queue has ended as well.
    ended = sa.func.coalesce(table.c.finished, table.c.created)
    query = (
        sa.select(table.c.id, table.c.owner, ended, table.c.status == "done")
        .where(table.c.status.not_in(ACTIVE), table.c.deleted.is_(None), sa.not_(table.c.published))
        .order_by(ended.desc(), table.c.id)
    )
    with store.database.reading() as connection:
        return [_Kept(*row) for row in connection.execute(query)]


def _too_many(known: list[_Kept]) -> set[str]:
    rules = settings.current()
    remove: set[str] = set()
    newest: dict[str, str] = {}
    for one in known:
        if one.done:
            newest.setdefault(one.owner, one.id)
    if rules.kept_days is not None:
        # Somebody who comes back after a holiday finds the last that they made, unless room is needed.
        before = time.time() - DAY * rules.kept_days
        remove |= {k.id for k in known if k.finished < before and newest.get(k.owner) != k.id}
    if rules.kept_runs_per_session is not None:
        counts: dict[str, int] = {}
        for one in known:
            counts[one.owner] = counts.get(one.owner, 0) + (one.id not in remove)
            if counts[one.owner] > rules.kept_runs_per_session:
                remove.add(one.id)
    if rules.kept_runs is not None:
        remove |= {k.id for k in [k for k in known if k.id not in remove][rules.kept_runs :]}
    return remove


def _too_large(store: RunStore) -> set[str]:
    most = settings.current().disk_mb
    over = _models_mb() - most if most is not None else 0.0
    if over <= 0:
        return set()
    remove, sizes = set(), _sizes()
    # A tenth more than is needed: the next training is not to clean up again.
    for one in reversed(_finished(store, _runs)):
        if over <= -0.1 * (most or 0.0):
            break
        over -= sizes.get(one.id, 0.0)
        remove.add(one.id)
    return remove


def _remove_runs(store: RunStore, names: set[str]) -> int:
    removed = _remove(store, _runs, names)
    if removed:
        store.purge()
        _measured.clear()
    return removed


def _remove(store: RunStore, table: sa.Table, names: set[str]) -> int:
    # As if it had been deleted long ago: what is then done with it is said in one place.
    if not names:
        return 0
    such = (table.c.id.in_(names), table.c.status.not_in(ACTIVE), sa.not_(table.c.published))
    with store.database.writing() as connection:
        return connection.execute(table.update().where(*such).values(deleted=_LONG_AGO)).rowcount


def _orphans(store: RunStore) -> int:
    with store.database.reading() as connection:
        known = {name for (name,) in connection.execute(sa.select(_runs.c.id))}
    try:
        return artifacts.artifact_store().tidy(known)
    except HdrError as error:
        # Everything else is cleaned up even so.
        log.warning("%s", error)
        return 0


_measured: dict[str, tuple[float, dict[str, float]]] = {}


def _models_mb() -> float:
    return sum(_sizes().values())


def _sizes() -> dict[str, float]:
    # Megabytes by run. To list them all takes long where they are elsewhere.
    place = artifacts.artifact_store()
    at, sizes = _measured.get(place.name, (float("-inf"), {}))
    if time.monotonic() - at > MEASURE_SECONDS:
        try:
            sizes = place.sizes()
        except HdrError as error:
            # Not known now: what they were the last time.
            log.warning("%s", error)
        _measured[place.name] = time.monotonic(), sizes
    return sizes
