"""Training processes on a Dask cluster: each is a task, which Dask gives to a worker and, where that dies, to another.

The task starts the same process as `hdr.jobs.local_scheduler` would, on the worker's machine, and waits for its end.
What belongs together is kept together by the run store; Dask only says where there is room.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hdr import settings
from hdr.cluster import postgresql
from hdr.jobs.scheduler import GRACE_SECONDS, JobExit, JobScheduler, search_of
from hdr.jobs.worker_process import WorkerProcess
from hdr.store import database
from hdr.store.runs import RunStore
from hdr.store.searches import SearchStore
from hdr.types import HdrError

if TYPE_CHECKING:
    from distributed import Client, Future

log = logging.getLogger("hdr.processes")

CONNECT_SECONDS = 5.0
"""How long an answer of the scheduler is waited for."""

AGAIN_SECONDS = 10.0
"""So long after a task that workers could not do, nothing is sent to them."""

MOST_SAID = 200
"""Letters of what they said that are shown."""

LOOK_SECONDS = 0.2
"""How often a task looks whether its process has ended."""

TRIMMED = ("MALLOC_TRIM_THRESHOLD_",)
"""Variables with which Dask starts its workers. They give memory back at every chance; a network then learns five times
more slowly, measured."""

PASSED = ("profile", "store", "artifacts", "training_digits", "run_minutes", "memory_mb", "niceness", "pause_minutes")
"""Settings of the server that hold on workers, too. All others, and above all where data sets are, are their own."""


class ClusterProcesses(JobScheduler):
    """Runs and searches in processes of a cluster's workers. They go on when this process ends.

    Args:
        store: the run store; all workers have to reach it.
        address: of the scheduler.

    Raises:
        SettingsError: it is not said where workers find runs, and leave models; or Dask is not installed.
    """

    several = elsewhere = True

    def __init__(self, store: RunStore, address: str) -> None:
        rules = settings.current()
        missing = [settings.variable(name) for name in ("store", "artifacts") if getattr(rules, name) is None]
        if missing:
            raise settings.SettingsError(
                f"HDR_DASK needs {' and '.join(missing)} as well: workers on other machines have to find the runs, "
                "and a place for their models."
            )
        try:
            import distributed  # noqa: F401 - only a server with a cluster has it
        except ImportError:
            raise settings.SettingsError(
                "HDR_DASK is set, and Dask is not installed: pip install -r requirements/cluster.txt"
            ) from None
        self._address = address
        self._client: Client | None = None
        self._tasks: dict[str, Future] = {}
        self._lock = threading.Lock()
        # When a task has failed last, and why.
        self._failed = float("-inf"), ""
        self._slots, self._trouble = 0, f"The cluster at {address} has not been reached yet."
        super().__init__(store)

    def trouble(self) -> str:
        """Why nothing can be started now, in words; empty where that is not so."""
        at, said = self._failed
        again = f"{said}It is tried again every {AGAIN_SECONDS:g} seconds."
        return self._trouble or (again if time.monotonic() - at < 2 * AGAIN_SECONDS else "")

    def close(self) -> None:
        """Let go: runs go on by themselves."""
        super().close()
        self._disconnect()

    def _tend(self) -> None:
        try:
            client = self._connected()
            self._slots = sum(client.sync(client.scheduler.ncores, callback_timeout=CONNECT_SECONDS).values())
        except Exception as error:  # noqa: BLE001
            # Whatever it is, another connection is tried at the next look.
            self._slots = 0
            self._disconnect()
            said = f"The cluster at {self._address} cannot be reached. What waits starts when it is back."
            if said != self._trouble:
                log.warning("%s (%s: %s)", said, type(error).__name__, error)
            self._trouble = said
            return
        none = f"The cluster at {self._address} has no workers. What waits starts when one joins it."
        self._trouble = "" if self._slots else none

    def _connected(self) -> Client:
        from distributed import Client

        if self._client is None:
            self._client = Client(self._address, timeout=CONNECT_SECONDS, set_as_default=False, name="hdr")
        elif self._client.status != "running":
            raise ConnectionError(f"the connection is {self._client.status}")
        return self._client

    def _disconnect(self) -> None:
        # Its tasks go on if there is still a scheduler; what becomes of them is in the store.
        with self._lock:
            client, self._client = self._client, None
            self._tasks.clear()
        if client is not None:
            try:
                client.close(timeout=1)
            except Exception as error:  # noqa: BLE001 - a connection that cannot be closed is dropped
                log.debug("closing the connection to %s: %s", self._address, error)

    def capacity(self) -> int:
        """How many processes are at work at once, at most: as many as workers have threads, if nothing else is set."""
        most = settings.current().trainings_at_once
        return self._slots if most is None else min(self._slots, most)

    def _names(self) -> list[str]:
        with self._lock:
            return list(self._tasks)

    def _start(self, name: str) -> None:
        from distributed import fire_and_forget

        client = self._client
        if client is None or time.monotonic() - self._failed[0] < AGAIN_SECONDS:
            return
        # Of two servers that start the same, the second comes to the task of the first.
        key = f"hdr {name}"
        task = client.submit(occupy, name, key, _environment(), key=key, pure=False)
        fire_and_forget(task)
        with self._lock:
            self._tasks[name] = task

    def _kill(self, name: str) -> None:
        # One that waits for a worker is forgotten; one that is at work finds in the store that it is to end.
        with self._lock:
            task = self._tasks.get(name)
        if task is not None:
            task.cancel(force=True)

    def _ended(self) -> list[JobExit]:
        with self._lock:
            over = {name: task for name, task in self._tasks.items() if task.status != "pending"}
            for name in over:
                del self._tasks[name]
        return [self._outcome(name, task) for name, task in over.items()]

    def _outcome(self, name: str, task: Future) -> JobExit:
        if task.status != "cancelled":
            try:
                return JobExit(name, *task.result(CONNECT_SECONDS))
            except Exception as error:  # noqa: BLE001
                # Whatever the workers raised, or the connection.
                cause: BaseException = error
                while cause.__cause__ is not None:
                    cause = cause.__cause__
                said = f"{type(cause).__name__}: {str(cause)[:MOST_SAID]}"
                log.warning("%s could not be done on the cluster: %s", name, said)
                self._failed = time.monotonic(), f"The cluster at {self._address} cannot do it ({said}). "
        # Its process, if there was one, is not heard of any more.
        return JobExit(name, None, None)


def _environment() -> dict[str, str]:
    rules, said = settings.current(), {}
    for name in PASSED:
        value: Any = getattr(rules, name)
        value = value.get_secret_value() if hasattr(value, "get_secret_value") else value
        said[settings.variable(name)] = "none" if value is None else str(value)
    return said


def occupy(name: str, place: str, environment: Mapping[str, str]) -> tuple[int, int]:
    """Do a run or a search in a process of its own: a task, which runs on a worker.

    Args:
        name: what the process is told.
        place: by what name the task is known; where it is done a second time, the first process is dead.
        environment: settings of the server.

    Returns:
        The number of the process, and how it has ended.
    """
    process = WorkerProcess(die_with_parent=True, environment={**environment, **_memory(environment)}, without=TRIMMED)
    process.tell(name, place)
    store, looked, ended = environment[settings.variable("store")], time.monotonic(), False
    while process.poll() is None:
        time.sleep(LOOK_SECONDS)
        if time.monotonic() - looked > GRACE_SECONDS:
            looked, before, ended = time.monotonic(), ended, _has_ended(store, name)
            if before and ended:
                log.warning("%s has ended, and its process has not: it is killed", name)
                process.kill()
        if process.hangs():
            log.warning("%s hangs: it is killed", name)
            process.kill()
    process.release()
    return process.pid, process.wait()


def _memory(environment: Mapping[str, str]) -> dict[str, str]:
    # A worker's limit is for all its threads together, and Dask does not see what processes beside it hold.
    from distributed import get_worker

    worker, called = get_worker(), settings.variable("memory_mb")
    limit = worker.memory_manager.memory_limit
    if not limit:
        return {}
    share = limit / worker.state.nthreads / 1e6
    allowed = environment.get(called, "none")
    return {called: str(share if allowed == "none" else min(share, float(allowed)))}


@lru_cache(maxsize=1)
def _store(url: str) -> RunStore:
    # One for each worker: a store that is opened looks through all its tables.
    # The settings of the worker itself need not name the store.
    database.register_server("postgresql", postgresql)
    return RunStore(url)


def _has_ended(url: str, name: str) -> bool:
    search = search_of(name)
    try:
        store = _store(url)
        return not (SearchStore(store).get(search) if search else store.get(name)).active
    except HdrError as error:
        # It may be deleted, or the store cannot be asked: then nobody is killed for it.
        log.debug("%s", error)
        return False
