"""Where a run stands, from its events alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Point:
    """One point of a learning curve: a model that was fitted and scored.

    Attributes:
        step: epochs, trees or digits so far.
        elapsed: seconds since the run began, without pauses.
        loss: of the training digits, where the classifier has one.
        train, validation: accuracies, 0 to 1.
    """

    step: int
    elapsed: float
    loss: float | None
    train: float
    validation: float


@dataclass(frozen=True)
class Mark:
    """A change that was made while a run learned.

    Attributes:
        epoch: the first that it holds for.
        values: hyperparameters with their new values.
    """

    epoch: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Progress:
    """What a run has shown so far.

    Attributes:
        phase: "waiting", "features", "fitting", "paused" or "testing".
        points: the curve.
        unit: what `step` counts: "epoch", "trees", "rounds" or "digits"; empty before the first point.
        of: the last step that there will be.
        remaining: seconds that fitting will still take, estimated from the points; None before there are any.
        at_least: True where `remaining` is a lower bound.
        marks: the changes that were made.
        paused_seconds: of pauses that are over.
        paused_at: when the pause began that still lasts, in seconds since 1970; None where there is none.
    """

    phase: str
    points: tuple[Point, ...]
    unit: str
    of: int
    remaining: float | None
    at_least: bool
    marks: tuple[Mark, ...] = ()
    paused_seconds: float = 0.0
    paused_at: float | None = None

    def elapsed(self, started: float, now: float) -> float:
        """Seconds from a moment until another, both since 1970, without the pauses."""
        return max(0.0, (now if self.paused_at is None else self.paused_at) - started - self.paused_seconds)


def progress(events: Sequence[dict[str, Any]]) -> Progress:
    """Sum up a run's events."""
    scored = [e for e in events if "validation_accuracy" in e]
    points = tuple(
        Point(e["step"], e["elapsed"], e.get("loss"), e["train_accuracy"], e["validation_accuracy"]) for e in scored
    )
    phase = events[-1]["phase"] if events else "waiting"
    more = {
        "marks": tuple(Mark(e["epoch"], e["changed"]) for e in events if "changed" in e),
        "paused_seconds": sum(e.get("paused_seconds", 0.0) for e in events),
        "paused_at": events[-1].get("time") if phase == "paused" else None,
    }
    if not scored:
        return Progress(phase, (), "", 0, None, False, **more)
    unit, of = scored[-1]["unit"], scored[-1]["of"]
    return Progress(phase, points, unit, of, _remaining(points, unit, of, more["marks"]), unit == "digits", **more)


def _remaining(points: tuple[Point, ...], unit: str, of: int, marks: tuple[Mark, ...]) -> float:
    last = points[-1]
    if unit != "digits":
        # Another batch size is another pace: what was before it says nothing, as soon as there are two points after it.
        since = max((m.epoch for m in marks if m.epoch < last.step), default=0)
        first = next(p for p in points if p.step >= since)
        pace = (
            (last.elapsed - first.elapsed) / (last.step - first.step) if len(points) > 1 else last.elapsed / last.step
        )
        return max(0.0, pace * (of - last.step))
    # Every stage starts anew with twice the digits, and none of the classifiers needs less than twice the time for it.
    took = last.elapsed - points[-2].elapsed if len(points) > 1 else last.elapsed / 2
    ahead, size = 0, last.step
    while size < of:
        size = min(2 * size, of)
        ahead += size
    return took * ahead / last.step
