"""One search, and one of its trials, as the store knows them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from hdr.training.run_spec import RunSpec
from hdr.tuning.search_spec import SearchSpec

SearchStatus = Literal["queued", "running", "done", "stopped", "failed"]
TrialStatus = Literal["running", "done", "pruned", "refused", "failed"]

ACTIVE: tuple[Literal["queued", "running"], ...] = ("queued", "running")
"""Statuses of searches that are still to change by themselves."""

SEARCH, HELP = "search ", "help "
"""What comes before the name of a search, where a process is told what to do: to take it up, or to join those who are
at it."""


@dataclass(frozen=True)
class Trial:
    """One trial of a search.

    Attributes:
        search: the search's name.
        number: its place in the search, from 0.
        status: "running" also while its search is stopped: it is then repeated when the search goes on. "pruned" ended
            early, since it was worse than others at the same point; "refused" could not be begun, since its values do
            not go together; "failed" could not be ended.
        value: validation accuracy, 0 to 1, of the model that is kept, or the mean over all folds; of a pruned trial the
            last one; None where there is none.
        seconds: that the last attempt has taken so far.
        lost: seconds of earlier attempts, which came to nothing.
        attempts: how often it was begun without being stopped.
        started, finished: seconds since 1970, or None.
        message: why it was refused or has failed, in words; empty otherwise.
        claim: the process that is at it, by its number in the search; None where nobody is.
    """

    search: str
    number: int
    values_json: str
    status: TrialStatus
    scores_json: str
    value: float | None
    seconds: float
    lost: float
    attempts: int
    started: float
    finished: float | None
    message: str
    claim: int | None

    @cached_property
    def values(self) -> dict[str, Any]:
        """What was tried, by path; only what played a part (see `hdr.tuning.space.is_active`)."""
        return json.loads(self.values_json)

    @cached_property
    def scores(self) -> tuple[tuple[float, float], ...]:
        """The curve: percent of the full effort, 0 to 100, and validation accuracy there, 0 to 1."""
        return tuple((percent, score) for percent, score in json.loads(self.scores_json))

    @property
    def ended(self) -> bool:
        """True where it will not change any more."""
        return self.status != "running"

    @property
    def left(self) -> bool:
        """True where it was begun and nobody is at it any more: whoever comes next repeats it."""
        return not self.ended and self.claim is None

    def spec(self, search: Search) -> RunSpec:
        """The plan that it fits.

        Raises:
            HdrError: the combination is refused.
        """
        return search.spec.apply(self.values)


@dataclass(frozen=True)
class Search:
    """One search as the store knows it.

    Attributes:
        id: its name in addresses; nobody can guess it.
        owner: who started it.
        published: True where everybody may see it.
        title: what it is called.
        status: where it stands; "done" where its budget is used up, and it may be extended.
        message: why it has failed, or ended before its budget did; empty otherwise.
        created, queued, started, finished: seconds since 1970, or None; `queued` when it was last put into the queue.
        deleted: seconds since 1970 where it was deleted and can still be brought back; None otherwise.
        ended: how many trials have ended.
        seconds: that all trials have taken, lost attempts included: what counts against a budget of minutes.
        best: number of the trial that is done with the highest value, the first of equals; None while there is none.
        best_value: its validation accuracy.
    """

    id: str
    owner: str
    published: bool
    title: str
    spec_json: str
    status: SearchStatus
    message: str
    created: float
    queued: float
    started: float | None
    finished: float | None
    deleted: float | None
    ended: int
    seconds: float
    best: int | None
    best_value: float | None

    @cached_property
    def spec(self) -> SearchSpec:
        """What it does."""
        return SearchSpec.from_json(json.loads(self.spec_json))

    @property
    def active(self) -> bool:
        """True while it is still to change by itself."""
        return self.status in ACTIVE

    @property
    def exhausted(self) -> bool:
        """True where its budget is used up: to go on, it has to be extended."""
        minutes = self.spec.most_minutes
        return self.ended >= self.spec.most_trials or (minutes > 0 and self.seconds >= 60 * minutes)
