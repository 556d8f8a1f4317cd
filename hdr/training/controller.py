"""What steers a training from inside its process: pauses, single stages, changes, and an early end that keeps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, TypeVar

from hdr.training.run_spec import Change, RunSpec

Result = TypeVar("Result")


class StoppedEarlyError(Exception):
    """Raised where a training is not to go on, and what it has finished is kept."""


class TrainingController:
    """Told what to do from any thread, and asked by the thread that trains.

    A stage is one epoch, one more share of the trees, or one fit on more digits; stages count from 1. The first is
    always finished, so that there is something to keep.

    Args:
        spec: the plan; its own changes are made as if somebody made them again.
        changed: called with the plan after every change, in the thread that trains.
        steered: whether anybody may tell it anything. If so, a fit that cannot be interrupted runs in a thread of its
            own, so that it can be left behind.

    Attributes:
        spec: the plan with the changes made so far.
        report: takes one event; `fit` sets it.
    """

    def __init__(
        self, spec: RunSpec, changed: Callable[[RunSpec], None] = lambda spec: None, steered: bool = False
    ) -> None:
        self.spec = spec
        self.report: Callable[[dict[str, Any]], None] = lambda event: None
        self._changed, self._steered = changed, steered
        self._news = threading.Condition()
        self._paused, self._keep, self._steps, self._stage = False, False, 0, 0
        self._parked = False
        self._pending: dict[str, Any] = {}
        self._paused_seconds = 0.0
        self._paused_since: float | None = None

    def obey(self, kind: str, values: Mapping[str, Any] | None = None) -> None:
        """Take a command.

        Args:
            kind: "pause" (at the next batch, or where there are none, after this stage), "go", "step" (to the end of
                this stage, or where it has ended, of the next), "keep" (end now, with what is finished), "change",
                "park" (wait, since others have its place) or "place" (it has a place again, and goes on).
            values: of a change: hyperparameters, from the next stage on.
        """
        with self._news:
            if kind == "pause":
                self._paused, self._steps = True, 0
            elif kind == "go":
                self._paused, self._steps = False, 0
            elif kind == "step":
                self._paused, self._steps = False, self._steps + 1
            elif kind == "keep":
                self._keep = True
            elif kind == "change":
                self._pending.update(values or {})
            elif kind == "park":
                self._parked = True
            elif kind == "place":
                self._paused, self._parked = False, False
            self._news.notify_all()

    def clock(self) -> float:
        """Seconds since some moment in the past, without the pauses."""
        return perf_counter() - self._paused_seconds

    def worked(self) -> float:
        """As `clock`, and it stands still during a pause."""
        since = self._paused_since
        return (since or perf_counter()) - self._paused_seconds

    def begin(self, stage: int) -> dict[str, Any]:
        """Begin a stage: wait while paused, and take the changes.

        Returns:
            Hyperparameters that are to have another value from now on.

        Raises:
            Kept: this stage is not to be.
        """
        self._stage = stage
        self._wait()
        self._leave()
        if self.spec.stops_before(stage):
            raise StoppedEarlyError
        with self._news:
            pending, self._pending = self._pending, {}
        if pending:
            self._add(Change(stage, tuple(pending.items())))
        values = self.spec.changes_at(stage)
        if values:
            self.report({"phase": "fitting", "epoch": stage, "changed": values})
        return values

    def batch(self) -> None:
        """Between two batches: wait while paused.

        Raises:
            Kept: this stage is not to be finished.
        """
        # Read without the lock, since this is asked a thousand times a second.
        if self._paused or self._parked or self._keep:
            self._wait()
            self._leave()

    def end(self) -> None:
        """A stage is finished."""
        with self._news:
            if self._steps:
                self._steps -= 1
                self._paused = self._steps == 0

    def alone(self, work: Callable[[], Result]) -> Result:
        """Do what cannot be interrupted, and return what it returns.

        Raises:
            Kept: this stage is not to be finished. The work then goes on in its thread until the process ends, and
                nobody hears of it.
        """
        if not self._steered:
            return work()
        from threadpoolctl import threadpool_limits

        found: dict[str, Any] = {}

        def run() -> None:
            try:
                # Some limits belong to a thread and not to the process.
                with threadpool_limits(self.spec.threads):
                    found["result"] = work()
            except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
                found["error"] = error
            with self._news:
                self._news.notify_all()

        thread = threading.Thread(target=run, name="hdr-fit", daemon=True)
        thread.start()
        with self._news:
            self._news.wait_for(lambda: found or (self._keep and self._stage > 1))
        if not found:
            self._leave()
        if "error" in found:
            raise found["error"]
        return found["result"]

    def _wait(self) -> None:
        with self._news:
            if self._goes():
                return
        began = self._paused_since = perf_counter()
        self.report({"phase": "paused"})
        with self._news:
            self._news.wait_for(self._goes)
        self._paused_seconds, self._paused_since = self._paused_seconds + perf_counter() - began, None
        self.report({"phase": "fitting", "paused_seconds": perf_counter() - began})

    def _goes(self) -> bool:
        return self._keep or not (self._paused or self._parked)

    def _leave(self) -> None:
        if self._keep and self._stage > 1:
            self._add(Change(self._stage, stop=True))
            raise StoppedEarlyError

    def _add(self, change: Change) -> None:
        self.spec = self.spec.with_change(change)
        self._changed(self.spec)
