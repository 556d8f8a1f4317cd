"""One run as the store knows it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from hdr.store import artifacts
from hdr.training.run_spec import RunSpec

Status = Literal["queued", "running", "done", "stopped", "failed", "interrupted"]

ACTIVE: tuple[Literal["queued", "running"], ...] = ("queued", "running")
"""Statuses of runs that are still to change by themselves."""


@dataclass(frozen=True)
class RunSummary:
    """What lists show of a run: everything but its result.

    Attributes:
        id: the run's name in addresses; nobody can guess it.
        owner: who started it.
        published: True where everybody may see it.
        title: what it is called.
        status: where it stands.
        message: why it failed or was interrupted, in words; empty otherwise.
        created, started, finished: seconds since 1970, or None.
        tags_json: words that its owner has put to it, as a JSON list.
        note: what its owner has written about it.
        deleted: seconds since 1970 where it was deleted and can still be brought back; None otherwise.
        test_accuracy and what follows: of the result, see `hdr.training.fitting.fit`; None until the run is done.
    """

    id: str
    owner: str
    published: bool
    title: str
    spec_json: str
    status: Status
    message: str
    created: float
    started: float | None
    finished: float | None
    tags_json: str
    note: str
    deleted: float | None
    test_accuracy: float | None
    validation_accuracy: float | None
    train_accuracy: float | None
    tested_on: int | None
    fitted_on: int | None
    features: int | None
    fit_seconds: float | None
    total_seconds: float | None
    predict_ms: float | None
    model_bytes: int | None
    peak_mb: float | None

    @cached_property
    def plan(self) -> dict[str, Any]:
        """The spec as plain JSON values, unchecked: a thousand of them are read in a moment."""
        return json.loads(self.spec_json)

    @cached_property
    def spec(self) -> RunSpec:
        """The spec."""
        return RunSpec.from_json(self.plan)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Words that its owner has put to it."""
        return tuple(json.loads(self.tags_json))

    @property
    def active(self) -> bool:
        """True while it is still to change by itself."""
        return self.status in ACTIVE

    @property
    def folder(self) -> Path:
        """Where this machine has its model, or would have it; `hdr.store.artifacts` fetches it."""
        return artifacts.artifact_store().folder(self.id)


@dataclass(frozen=True)
class Run(RunSummary):
    """A run with all that was measured."""

    result_json: str | None

    @cached_property
    def result(self) -> dict[str, Any]:
        """What was measured; empty until the run is done."""
        return json.loads(self.result_json) if self.result_json else {}
