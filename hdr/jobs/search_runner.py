"""Doing a search, trial after trial, in this process. What it has done stands in the store, and only there: whoever
takes the search up later, or works on it meanwhile, goes on from that."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from hdr import datasets
from hdr.jobs import resource_limits
from hdr.jobs.quotas import Quotas
from hdr.store.retry import write_with_retry
from hdr.store.runs import RunStore, StoreError
from hdr.store.searches import MAX_ATTEMPTS, ConflictError, SearchStore, UnknownSearchError
from hdr.tuning.objective import Objective
from hdr.tuning.records import SEARCH, Search, Trial, TrialStatus
from hdr.tuning.sampler import should_prune, suggest
from hdr.types import HdrError

HEARTBEAT_SECONDS = 0.5
"""How often a search's process says that it lives, and looks whether it is to end."""

WRITE_SECONDS = 0.25
"""How often it writes how far a trial is, at most."""

TURN_SECONDS = 20.0
"""For so long it goes on before it lets others have a turn, where there are any."""

DEADLY = f"Its process died {MAX_ATTEMPTS} times while it was fitted; there may be too little memory."
"""The message of a trial that is not begun again."""

NO_MEMORY = "There was not enough memory. Try fewer digits, or add a reduction."
"""The message of a trial, and of a search, that could not be given what it needs."""

log = logging.getLogger("hdr.search")


class _PrunedError(Exception):
    """Raised where a trial is not worth going on with."""


class _LostError(Exception):
    """Raised where the search is not this process's any more."""


def _nothing(*_: Any) -> None:
    pass


def execute(
    store: RunStore,
    search: str,
    stopped: Callable[[], None] = _nothing,
    report: Callable[[Trial], None] = _nothing,
    polite: bool = False,
    over: Callable[[resource_limits.LimitExceeded], None] | None = None,
    place: str = "",
    join: bool = False,
) -> bool:
    """Do one search in this process, by itself or with others, until its budget is used up.

    Args:
        store: where it is.
        search: its name.
        stopped: called, in another thread, where it is to end at once.
        report: called with every trial that has ended, after it is in the store.
        polite: whether to go to the end of the queue after a while, where others wait.
        over: called, in another thread, where it has taken more time or memory than the server allows and is to end at
            once; None where it may take what it wants.
        place, join: as `SearchStore.claim` takes them. Whoever joins others goes as soon as anybody waits.

    Returns:
        True where there is nothing more to begin, or others have their turn; False where it failed, or is another's.
    """
    searches = SearchStore(store)
    claim = write_with_retry(lambda: searches.claim(search, os.getpid(), place, join))
    if claim is None:
        return False
    ended = threading.Event()
    work = _Work(searches, search, claim, report, 0.0 if join else TURN_SECONDS)
    threading.Thread(target=_watch, args=(work, ended, stopped), daemon=True).start()
    if over:
        threading.Thread(target=_limit, args=(store, searches, search, over, ended), daemon=True).start()
    try:
        message = work.go_on(polite)
        return message is None or write_with_retry(lambda: searches.finish(search, claim, message))
    except (_LostError, UnknownSearchError):
        return False
    except HdrError as error:
        if isinstance(error, StoreError):
            raise
        said = str(error)
    except MemoryError:
        if polite:
            # The next process begins with all its memory.
            raise
        said = NO_MEMORY
    except Exception as error:
        log.exception("search %s failed", search)
        said = f"The search failed ({type(error).__name__}: {error})."
    finally:
        ended.set()
    write_with_retry(lambda: searches.end(search, "failed", said, claim))
    return False


class _Work:
    """A search that this process has claimed."""

    def __init__(
        self, searches: SearchStore, search: str, claim: int, report: Callable[[Trial], None], turn: float
    ) -> None:
        self._searches, self._search, self._claim, self._report = searches, search, claim, report
        self._turn = turn
        self._began = time.monotonic()
        self._trial_began: float | None = None
        self._exhausted = False

    def beat(self) -> bool:
        """Say that it lives; False where it is to end."""
        began = self._trial_began
        return self._searches.heartbeat(self._search, self._claim, time.monotonic() - began if began else None)

    def stop(self) -> None:
        """Say that it was stopped; nothing where it has ended, or is another's by now."""
        self._searches.end(self._search, "stopped", claim=self._claim)

    def go_on(self, polite: bool) -> str | None:
        """Trial after trial.

        Returns:
            Why it has ended before its budget, or nothing; None where it has let others have a turn.
        """
        from threadpoolctl import threadpool_limits

        search = self._searches.get(self._search)
        fits = Objective(search.spec, datasets.load(search.spec.base.dataset, search.owner))
        while True:
            # Anew each time: its budget may be another by now, and the table is the truth.
            search, known = self._searches.get(self._search), self._searches.trials(self._search)
            try:
                trial = self._next(search, known)
            except ConflictError:
                continue
            if isinstance(trial, str):
                return trial
            with threadpool_limits(search.spec.base.threads):
                self._report(self._do(search, fits, trial, known))
            # Whoever has once had no memory left may be missing anything: another process goes on.
            if polite and (self._exhausted or self._others_turn()):
                self._held(self._searches.give_way(self._search, self._claim))
                return None

    def _others_turn(self) -> bool:
        return time.monotonic() - self._began > self._turn and self._searches.others_wait()

    def _next(self, search: Search, known: Sequence[Trial]) -> Trial | str:
        left = next((t for t in known if t.left), None)
        if left:
            spent = left.attempts >= MAX_ATTEMPTS
            again = left.number
            return (
                left
                if spent
                else self._held(write_with_retry(lambda: self._searches.repeat(search.id, self._claim, again)))
            )
        # What others are at is theirs to end; whoever dies at it leaves it to those who come after.
        if search.exhausted or len(known) >= search.spec.most_trials:
            return "" if search.best is not None else f"None of {search.ended} trials came to an end: see why in each."
        values = suggest(search.spec, known, len(known))
        if values is None:
            return f"There is nothing left to try after {search.ended} trials."
        return self._held(write_with_retry(lambda: self._searches.begin(search.id, self._claim, values, len(known))))

    def _do(self, search: Search, fits: Objective, trial: Trial, known: Sequence[Trial]) -> Trial:
        began, written, scores = time.monotonic(), 0.0, []
        others = [t for t in known if t.ended]
        self._trial_began = began

        def seen(percent: float, score: float) -> None:
            nonlocal written
            scores.append((percent, score))
            if time.monotonic() - written > WRITE_SECONDS:
                written = time.monotonic()
                told = (trial.number, scores, written - began)
                # What is not written now is written when the trial ends.
                with suppress(StoreError):
                    self._held(self._searches.report(search.id, self._claim, *told))
            if should_prune(search.spec, others, scores):
                raise _PrunedError

        # As it stands in the store: one that is about to be repeated has been counted already.
        died = trial in known
        status, value, message = self._fit(search, fits, trial, seen) if not died else ("failed", None, DEADLY)
        self._trial_began = None
        value = scores[-1][1] if status == "pruned" else value
        row = (trial.number, status, value, scores, time.monotonic() - began, message, not died)
        self._held(write_with_retry(lambda: self._searches.settle(search.id, self._claim, *row)))
        return self._searches.trial(search.id, trial.number)

    def _fit(
        self, search: Search, fits: Objective, trial: Trial, seen: Callable[[float, float], None]
    ) -> tuple[TrialStatus, float | None, str]:
        status: TrialStatus = "refused"
        try:
            plan = trial.spec(search)
            fits.ready(plan)
            status = "failed"
            return "done", fits.fit(plan, seen), ""
        except _PrunedError:
            return "pruned", None, ""
        except (_LostError, StoreError):
            raise
        except HdrError as error:
            return status, None, str(error)
        except (MemoryError, SystemError):
            # The second is what an interpreter says that has no memory left even for the first.
            self._exhausted = True
            return "failed", None, NO_MEMORY
        except Exception as error:
            log.exception("trial %s of search %s failed", trial.number, search.id)
            return "failed", None, f"Training failed ({type(error).__name__}: {error})."

    def _held(self, written: Any) -> Any:
        # Where nothing was written, another process has the search, or it was stopped.
        if not written:
            raise _LostError
        return written


def _limit(
    store: RunStore,
    searches: SearchStore,
    search: str,
    over: Callable[[resource_limits.LimitExceeded], None],
    ended: threading.Event,
) -> None:
    try:
        # What other processes have done of it counts as well.
        began, allowance = time.monotonic() - searches.get(search).seconds, Quotas(store)
    except HdrError as error:
        log.warning("search %s is not watched: %s", search, error)
        return
    resource_limits.enforce_limits(
        lambda: time.monotonic() - began, lambda s: allowance.add(SEARCH + search, s), over, ended
    )


def _watch(work: _Work, ended: threading.Event, stopped: Callable[[], None]) -> None:
    while not ended.wait(HEARTBEAT_SECONDS):
        try:
            if not work.beat() and not ended.is_set():
                work.stop()
                return stopped()
        except HdrError:
            # The store may be busy, or its disk full; the next look comes soon.
            continue
    return None
