"""What the host may do with anybody's runs."""

from __future__ import annotations

from collections.abc import Sequence

from hdr.store.runs import RunStore
from hdr.store.schema import runs as _runs


def publish(store: RunStore, runs: Sequence[str], published: bool) -> int:
    """Let everybody see runs, or only their owners again; how many it were."""
    change = _runs.update().where(_runs.c.id.in_(runs), _runs.c.deleted.is_(None)).values(published=published)
    with store.database.writing() as connection:
        return connection.execute(change).rowcount


def delete(store: RunStore, runs: Sequence[str]) -> int:
    """Delete runs, whoever owns them; those that are active are stopped. Their owners can bring them back for a day.

    Returns:
        How many it were.
    """
    owners = {run.id: run.owner for run in store.listed() if run.id in set(runs)}
    return sum(store.delete([run for run in owners if owners[run] == owner], owner) for owner in set(owners.values()))
