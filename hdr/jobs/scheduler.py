"""The queue of runs and searches, and who sees that they are done.

This is the seam: pages call `submit` and `stop`, or `submit_search`, `stop_search` and `resume_search`, and read the
store; nothing else knows where a run is trained. What a server allows is seen to here: what is too large or too much
is not taken, and those who wait have their turns by `hdr.jobs.fair_queue`.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass

from hdr import datasets, settings
from hdr.datasets.uploads import user_datasets
from hdr.jobs import retention
from hdr.jobs.fair_queue import FairQueue
from hdr.jobs.quotas import Quotas
from hdr.store.runs import ACTIVE, LOST, Run, RunStore
from hdr.store.searches import SearchStore
from hdr.training.limits import JobQuotaError, check_digits
from hdr.training.run_spec import RunSpec, versions
from hdr.tuning.records import HELP, SEARCH, Search
from hdr.tuning.search_spec import SearchSpec
from hdr.types import HdrError

log = logging.getLogger("hdr.processes")

LOOK_SECONDS = 1.0

GRACE_SECONDS = 10.0
"""So long after its run has ended may a process live; one that hangs is killed, so that its place is free again."""

HELP_SECONDS = 10.0
"""So long after one that shared a search has ended, none is sent after it: there was nothing left to do."""


@dataclass(frozen=True)
class JobExit:
    """A process that has ended.

    Attributes:
        name: what it was told to do.
        process: its number; None where that is not known.
        status: how it has ended, 0 in order; None where that is not known.
    """

    name: str
    process: int | None
    status: int | None


class JobScheduler(ABC):
    """Sees that queued runs and searches are started, each in a process of its own, and notices when one dies.

    Where processes run is said by those who inherit from this. There, a process is known by what it is told: the name
    of a run; or of a search, after `SEARCH`; or, after `HELP`, of a search and, to tell them apart, a number.

    Args:
        store: the run store.
    """

    several = False
    """Whether several processes work on one search, where there are places left."""

    elsewhere = False
    """Whether processes run on machines that do not have what visitors have uploaded to this one."""

    def __init__(self, store: RunStore) -> None:
        self._store, self._searches = store, SearchStore(store)
        self._allowance, self._line = Quotas(store), FairQueue(store)
        # Since when nothing in the store says that they should be.
        self._over: dict[str, float] = {}
        # When the last of those that shared a search has ended.
        self._helped: dict[str, float] = {}
        self._waiting: list[str] = []
        self._starting = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        threading.Thread(target=self._supervise, name="hdr-processes", daemon=True).start()
        atexit.register(self.close)

    @abstractmethod
    def capacity(self) -> int:
        """How many runs and searches are at work at once, at most."""

    @abstractmethod
    def _names(self) -> Collection[str]:
        """What processes that were started from here, and have not ended, were told."""

    @abstractmethod
    def _start(self, name: str) -> None:
        """Start a process."""

    @abstractmethod
    def _kill(self, name: str) -> None:
        """End a process now, if it was started from here and has not ended."""

    @abstractmethod
    def _ended(self) -> list[JobExit]:
        """Those that have ended since this was last asked."""

    @abstractmethod
    def _tend(self) -> None:
        """See to processes at every look, before the store is asked."""

    def trouble(self) -> str:
        """Why nothing can be started now, in words; empty where that is not so."""
        return ""

    def submit(self, spec: RunSpec, owner: str, token: str, title: str = "", published: bool = False) -> Run:
        """Queue a run and see that it starts; the same token gives the same run.

        Raises:
            JobQuotaError: the server does not allow it, or no more of them for now.
            HdrError: the store cannot be written to, or there is no such data set.
        """
        self._check_plan(spec, owner)
        with self._starting:
            self._check(owner, token)
            run = self._store.create(spec, owner, token, title, published)
            self._note(owner, token, run.id)
        self._wake.set()
        return run

    def stop(self, run_id: str) -> None:
        """End a run within a moment, wherever it is running.

        Raises:
            HdrError: the store cannot be written to; a process of this server's is ended even so.
        """
        self._stop(self._store, run_id, run_id)

    def submit_search(
        self, spec: SearchSpec, owner: str, token: str, title: str = "", published: bool = False
    ) -> Search:
        """Queue a search and see that it starts; the same token gives the same search.

        Raises:
            HdrError: as `submit`.
        """
        self._check_plan(spec.base, owner)
        with self._starting:
            self._check(owner, token)
            search = self._searches.create(spec, owner, token, title, published)
            self._note(owner, token, SEARCH + search.id)
        self._wake.set()
        return search

    def stop_search(self, search_id: str) -> None:
        """End a search within a moment, wherever it is running; it can go on later.

        Raises:
            HdrError: as `stop`.
        """
        self._stop(self._searches, search_id, SEARCH + search_id)

    def _stop(self, store: RunStore | SearchStore, name: str, told: str) -> None:
        mine = told in self._names()
        try:
            store.request_stop(name)
            if mine:
                store.end(name, "stopped")
        finally:
            # One that hangs may be what keeps the store.
            self._kill(told)
            self._wake.set()

    def resume_search(self, search_id: str) -> bool:
        """Let a search go on where it stopped; False where it is still active, or its budget is used up.

        Raises:
            JobQuotaError: it has worked for as long as the server allows, or there may be no more of them for now.
        """
        search, most = self._searches.get(search_id), settings.current().run_minutes
        if most is not None and search.seconds >= 60 * most:
            raise JobQuotaError(
                f"This search has worked for {search.seconds / 60:.0f} minutes, and this server allows {most:g}. "
                "What it has found stays; start another from there."
            )
        if not search.active:
            self._allowance.check(search.owner)
        resumed = self._searches.resume(search_id)
        self._wake.set()
        return resumed

    def place(self, name: str) -> int | None:
        """The place in the line, from 1, of a run or of a search (`SEARCH` and its name); None where it does not wait.
        As it was at the last look into the queue: whoever watches asks often."""
        waiting = self._waiting
        return waiting.index(name) + 1 if name in waiting else None

    def _check_plan(self, spec: RunSpec, owner: str) -> None:
        check_plan(spec, owner)
        if self.elsewhere and user_datasets.is_own(spec.dataset):
            raise JobQuotaError(
                "Trainings are done on other machines here, and data of your own stay on this one: take one of the "
                "other data sets to train on. Models can be tested on yours."
            )

    def _check(self, owner: str, token: str) -> None:
        self._allowance.check(owner, token)
        if not retention.make_room(self._store):
            most = settings.current().disk_mb
            raise JobQuotaError(
                f"The models of all runs take up the {most:,.0f} MB of disk that this server allows. Delete runs that "
                "you do not need, or try again when others have."
            )

    def _note(self, owner: str, token: str, name: str) -> None:
        try:
            self._allowance.note(owner, token, name)
        except HdrError as error:
            # It is in the queue, and is not taken from it because it was not counted.
            log.warning("%s", error)

    def close(self) -> None:
        """Let go: runs go on by themselves."""
        self._closed = True
        self._wake.set()

    def _supervise(self) -> None:
        told = ""
        while not self._closed:
            try:
                # First, and without the store: one that hangs may hold its lock.
                self._tend()
                self._collect()
                self._store.end_silent()
                self._searches.revive_silent()
                self._end_overdue()
                self._start_queued()
                told = ""
            except HdrError as error:
                # Once, and not every second for as long as the store cannot be written to.
                if str(error) != told:
                    log.warning("%s", error)
                told = str(error)
            except Exception:
                log.exception("supervising training processes")
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()

    def _collect(self) -> None:
        for one in self._ended():
            search = search_of(one.name)
            if one.name.startswith(HELP):
                self._helped[search] = time.monotonic()
            if one.process is None or (one.name.startswith(HELP) and one.status == 0):
                continue
            if search:
                become = self._searches.died(search, one.process)
                if become:
                    log.warning("%s: its process ended with %s, it is %s", one.name, one.status, become)
            # Another server's process, or a terminal's, may have been faster to claim the run, and still trains it.
            elif self._store.end(one.name, "interrupted", LOST, one.process):
                log.warning("run %s: its process ended with %s", one.name, one.status)

    def _end_overdue(self) -> None:
        # A process may hang where nothing of its own can end it.
        names = self._names()
        if not names:
            return
        active = {r.id for r in self._store.listed(statuses=ACTIVE)}
        active |= {s.id for s in self._searches.searches(statuses=ACTIVE)}
        now = time.monotonic()
        self._over = {name: self._over.get(name, now) for name in names if (search_of(name) or name) not in active}
        for name, since in self._over.items():
            if now - since > GRACE_SECONDS:
                log.warning("%s has ended, and its process has not: it is killed", name)
                self._kill(name)

    def _start_queued(self) -> None:
        mine = list(self._names())
        at_work, parked = self._line.at_work(), self._line.parked()
        waiting = self._line.order(begun=mine)
        room = self.capacity() - len(set(at_work) | {name for name in mine if name not in parked})
        for next_one in waiting[: max(room, 0)]:
            if next_one.name in parked:
                self._line.unpark(next_one.name)
            else:
                self._start(next_one.name)
        self._waiting = [w.name for w in waiting[max(room, 0) :]]
        if room <= 0 and waiting:
            self._free_idle(len(waiting), len(parked))
        elif self.several:
            self._share(room - len(waiting), mine)

    def _share(self, room: int, mine: list[str]) -> None:
        # Places that nobody waits for go to searches that have trials left, the ones with the fewest processes first.
        hands = self._searches.at_work()
        known = [s for s in self._searches.searches(statuses=("running",)) if s.id in hands]
        now = time.monotonic()
        known = [s for s in known if now - self._helped.get(s.id, float("-inf")) > HELP_SECONDS]
        sent = {s.id: [name for name in mine if name.startswith(HELP) and search_of(name) == s.id] for s in known}
        # One that was sent from here may not have begun yet, and one that has begun may be another server's.
        counts = {s.id: max(hands[s.id], 1 + len(sent[s.id])) for s in known}
        room -= sum(counts.values()) - len(counts) - sum(map(len, sent.values()))
        while room > 0 and (open_ones := [s for s in known if counts[s.id] < s.spec.most_trials - s.ended]):
            search = min(open_ones, key=lambda s: (counts[s.id], s.queued)).id
            number = next(n for n in range(1, 10_000) if f"{HELP}{search} {n}" not in sent[search])
            sent[search].append(f"{HELP}{search} {number}")
            self._start(sent[search][-1])
            counts[search] += 1
            room -= 1

    def _free_idle(self, waiting: int, parked: int) -> None:
        minutes = settings.current().pause_minutes
        if minutes is None:
            return
        for number, run in enumerate(self._line.idle(60 * minutes)[:waiting]):
            # A parked process keeps its memory: where there are as many as places, the next one goes on instead.
            if parked + number < self.capacity():
                self._line.park(run)
            else:
                self._line.unpark(run)


_schedulers: list[Callable[[RunStore, str], JobScheduler]] = []


def register_scheduler(make: Callable[[RunStore, str], JobScheduler]) -> None:
    """Register the function that gives a run store and the address in `HDR_DASK` to processes elsewhere."""
    _schedulers[:] = [make]


def remote_scheduler(store: RunStore, address: str) -> JobScheduler:
    """Return the processes behind an address.

    Raises:
        SettingsError: nothing was registered for it, or a setting or package that it needs is missing.
    """
    if not _schedulers:
        raise settings.SettingsError(f"HDR_DASK is {address}: call hdr.cluster.register() first.")
    return _schedulers[-1](store, address)


def search_of(name: str) -> str:
    """The search that a process was told to do, or to share; empty where it is a run."""
    for word in (SEARCH, HELP):
        if name.startswith(word):
            return name.removeprefix(word).split()[0]
    return ""


def slots() -> int:
    """How many runs and searches the host lets work at once: half the cores, if nothing else is set."""
    return settings.current().trainings_at_once or max(1, (os.cpu_count() or 2) // 2)


def check_plan(spec: RunSpec, owner: str) -> None:
    """Refuse a plan that is larger than the server allows.

    Raises:
        JobQuotaError: with both numbers.
        HdrError: there is no such data set.
    """
    most = settings.current().training_digits
    # The data set may have fewer digits than the plan asks for; it is only looked at where that matters.
    if most is not None and spec.train_size * versions(spec.augmentation) > most:
        check_digits(spec, datasets.load(spec.dataset, owner))
