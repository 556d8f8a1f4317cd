"""Commands to a training, through the run store: any page, tab or process gives them, and the run's own takes them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from hdr.store.database import lock_row
from hdr.store.runs import RunStore, StoreError
from hdr.store.schema import commands as _commands
from hdr.store.schema import runs as _runs
from hdr.training.controller import TrainingController
from hdr.training.run_spec import Change, RunSpec
from hdr.types import HdrError

Kind = Literal["pause", "go", "step", "keep", "change", "park", "place"]

LOOK_SECONDS = 0.08
"""How often a run's process looks for commands."""

SHARED_LOOK_SECONDS = 0.4
"""The same where the store is a server's: it has many to answer, and each look is two questions."""

HEARTBEAT_SECONDS = 1.0
"""How often it says that it lives; far less than `hdr.store.runs.SILENT_SECONDS`."""


@dataclass(frozen=True)
class Command:
    """What somebody wants of a run.

    Attributes:
        number: its place among the commands to this run, from 0.
        kind: as `Control.obey` takes it.
        values: of a change: hyperparameters.
    """

    number: int
    kind: Kind
    values: Mapping[str, Any]


class RunCommands:
    """The commands of all runs. Safe to use from many threads and processes at once.

    Args:
        store: where the runs are.
    """

    def __init__(self, store: RunStore) -> None:
        self.store = store
        self.shared = store.database.shared
        """Whether commands come from a server's database, which others ask as well."""

    def send(self, run: str, kind: Kind, token: str, values: Mapping[str, Any] | None = None) -> None:
        """Give a command to a run that is still active; the same token gives one command however often it arrives.

        Raises:
            HdrError: there is no such run, or a value that is to change cannot, or not to this.
        """
        spec = self.store.get(run).spec
        if kind == "change":
            # Refused here, where somebody sees it, and not in the run's process.
            spec.with_change(Change(1, tuple((values or {}).items())))
        number = sa.select(sa.func.coalesce(sa.func.max(_commands.c.number), -1) + 1).where(_commands.c.run == run)
        row = {"run": run, "number": number.scalar_subquery(), "token": token, "time": time.time(), "kind": kind}
        for _ in range(8):
            try:
                with self.store.database.writing() as connection:
                    lock_row(connection, _runs, run)
                    connection.execute(_commands.insert().values(**row, data=json.dumps(dict(values or {}))))
                return
            except sa.exc.IntegrityError:
                # Two came at once and took one number; or this one is here already.
                if self._known(run, token):
                    return
        raise StoreError("The command could not be written down, since others came at the same moment. Try again.")

    def _known(self, run: str, token: str) -> bool:
        with self.store.database.reading() as connection:
            mine = sa.and_(_commands.c.run == run, _commands.c.token == token)
            return connection.execute(sa.select(_commands.c.number).where(mine)).first() is not None

    def commands(self, run: str, after: int = -1) -> list[Command]:
        """A run's commands in order; those after a number."""
        return self.look(run, after)[1]

    def wanted(self, spec: RunSpec, commands: list[Command], epoch: int) -> dict[str, Any]:
        """What the hyperparameters are to be in the epoch that follows, after all commands."""
        values = dict(spec.classifier.params)
        for change in spec.changes:
            values |= dict(change.values) if change.epoch <= epoch + 1 else {}
        for command in commands:
            values |= command.values if command.kind == "change" else {}
        return values

    def record(self, run: str, spec: RunSpec) -> None:
        """Write the plan of a run as it was changed."""
        plan = {"spec": json.dumps(spec.to_json()), "key": spec.key}
        with self.store.database.writing() as connection:
            connection.execute(_runs.update().where(_runs.c.id == run).values(plan))

    def look(self, run: str, after: int) -> tuple[bool, list[Command]]:
        """Return whether a run is to go on, and its commands after a number."""
        query = (
            sa.select(_commands.c.number, _commands.c.kind, _commands.c.data)
            .where(_commands.c.run == run, _commands.c.number > after)
            .order_by(_commands.c.number)
        )
        with self.store.database.reading() as connection:
            row = connection.execute(sa.select(_runs.c.status, _runs.c.stop).where(_runs.c.id == run)).first()
            found = [Command(n, kind, json.loads(data)) for n, kind, data in connection.execute(query)]
        return row is not None and row.status == "running" and not row.stop, found


def watch(
    steering: RunCommands, run: str, control: TrainingController, ended: threading.Event, stopped: Callable[[], None]
) -> None:
    """Pass commands on to a control, each once, and send heartbeats, until the run has ended.

    Args:
        steering: where commands come from.
        run: whose.
        control: takes them.
        ended: set when the run is over.
        stopped: called where the run is to end at once and keep nothing.
    """
    last, beat = -1, 0.0
    while not ended.wait(SHARED_LOOK_SECONDS if steering.shared else LOOK_SECONDS):
        try:
            going, found = steering.look(run, last)
            if going and time.monotonic() - beat > HEARTBEAT_SECONDS:
                going, beat = steering.store.heartbeat(run), time.monotonic()
        except HdrError:
            # The store may be busy, or its disk full; the next look comes soon.
            continue
        if not going:
            return stopped()
        for command in found:
            control.obey(command.kind, command.values)
            last = command.number
    return None
