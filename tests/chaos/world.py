"""A home with servers that train in it, what was acknowledged there, and what in the end is not as it has to be.

A server in a process of its own takes plans and answers each with the run's name: from then on that run is
acknowledged. It has to be there in the end, in a state that its fate allows, with whole files and a curve without gaps;
no run may have been taken by two processes, and every trial of a search has to have ended once.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hdr.jobs.worker_process import HUNG_SECONDS
from hdr.store.run_commands import RunCommands
from hdr.store.run_record import ACTIVE, Run
from hdr.store.runs import RunStore, StoreError
from hdr.store.searches import SearchStore
from hdr.training.model import TrainedModel
from hdr.training.run_spec import RunSpec
from hdr.tuning.records import ACTIVE as SEARCHING
from hdr.tuning.records import Search
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import dimension
from hdr.types import Step

ROOT = Path(__file__).resolve().parents[2]
HOOKS = Path(__file__).parent / "hooks"

SERVER = """
import json, sys
from hdr import cluster
from hdr.jobs import worker_process as starting
from hdr.jobs import scheduler as running
from hdr.jobs.local_scheduler import LocalScheduler
from hdr.store import runs as module
from hdr.tuning.search_spec import SearchSpec
from hdr.training.run_spec import RunSpec
from hdr.types import HdrError
cluster.register()
# A process that was killed together with its server is noticed by its silence; nobody here wants to wait for long.
module.SILENT_SECONDS, running.GRACE_SECONDS = float(sys.argv[1]), 2.0
starting.HUNG_SECONDS = float(sys.argv[2])
processes = LocalScheduler(module.RunStore(), capacity=2, spare=True)
print("ready", flush=True)
for line in sys.stdin:
    token, spec = line.split(" ", 1)
    spec = json.loads(spec)
    try:
        if "space" in spec:
            print(processes.submit_search(SearchSpec.from_json(spec), "chaos", token).id, flush=True)
        else:
            print(processes.submit(RunSpec.from_json(spec), "chaos", token).id, flush=True)
    except HdrError as error:
        print("!", error, flush=True)
"""

NETWORK = RunSpec("bundled", 1000, classifier=Step("mlp", {"epochs": 40, "units": 50, "batch_size": 16}))
PLANS = (
    NETWORK,
    RunSpec("bundled", 500, classifier=Step("random_forest", {"trees": 60})),
    RunSpec("bundled", 1000, classifier=Step("svm")),
    RunSpec("bundled", 1000, classifier=Step("mlp", {"epochs": 15, "patience": 3, "keep_best": True})),
)
SEARCH = SearchSpec(NETWORK, (dimension(NETWORK, "classifier.mlp.learning_rate"),), "tpe", most_trials=4)

SILENT_SECONDS = 10.0
PATIENCE = 300.0
"""Seconds within which everything has to have ended, on a busy machine."""

NOT_PLAIN = re.compile(r"Traceback|Errno|sqlite3\.|sqlalchemy|\b\w+(Error|Exception)\b|[{}<>]|\bNone\b")


@dataclass
class Row:
    """What one fault has come to.

    Attributes:
        fault: in words.
        times: how often it was made.
        acknowledged: runs, searches or files that somebody was told are safe.
        lost: how many of them were not, with what else is not whole.
        twice: how much was done twice.
        messages: all that was said about it.
        problems: what is wrong, in words.
    """

    fault: str
    times: int = 0
    acknowledged: int = 0
    lost: int = 0
    twice: int = 0
    messages: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    @property
    def plain(self) -> int:
        """Messages that anybody can read: a sentence, without what only programmers know."""
        return sum(bool(m.strip()) and not NOT_PLAIN.search(m) and m.rstrip()[-1] in ".!" for m in self.messages)

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.twice or self.problems) and self.plain == len(self.messages) and self.times > 0


class Server:
    """A server of runs, without pages."""

    def __init__(self, silent: float = SILENT_SECONDS, hung: float = HUNG_SECONDS, **environment: str) -> None:
        paths = os.pathsep.join([str(HOOKS), *filter(None, [os.environ.get("PYTHONPATH")])])
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(silent), str(hung)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            # Trainings are not to make room for pages: there are none.
            env={**os.environ, "PYTHONPATH": paths, "HDR_NICENESS": "0", **environment},
        )
        said = self.process.stdout.readline()
        assert said == "ready\n", f"the server did not start: {said}"

    def ask(self, token: str, plan: RunSpec | SearchSpec) -> None:
        """Hand in a plan."""
        self.process.stdin.write(f"{token} {json.dumps(plan.to_json())}\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        """What it says to the plan: a name, or why not, after an exclamation mark."""
        return self.process.stdout.readline().strip()

    def kill(self) -> list[str]:
        """SIGKILL; what it had said by then."""
        self.process.kill()
        return self.process.communicate()[0].splitlines()

    def close(self) -> None:
        """End it in order."""
        with suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.stdout.close()

    def family(self) -> list[int]:
        """It and all processes that it has started."""
        table = subprocess.run(["ps", "-Ao", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        rows = [tuple(map(int, line.split())) for line in table.splitlines()]
        found = {self.process.pid}
        while new := {pid for pid, parent in rows if parent in found} - found:
            found |= new
        return sorted(found)


class World:
    """A home, and what is known of its runs and searches.

    Attributes:
        fates: statuses that a run or search may have in the end, where "done" is not the only one.
        messages: what servers have refused with.
    """

    def __init__(self, home: Path) -> None:
        os.environ["HDR_HOME"] = str(home)
        self.home, self.file = home, home / "runs.sqlite"
        self.store = RunStore()
        self.steering, self.searches = RunCommands(self.store), SearchStore(self.store)
        self.acknowledged: list[str] = []
        self.fates: defaultdict[str, set[str]] = defaultdict(lambda: {"done"})
        self.messages: set[str] = set()
        self.servers: list[Server] = []
        self._number = 0
        self._count_takers()

    def serve(self, silent: float = SILENT_SECONDS, hung: float = HUNG_SECONDS, **environment: str) -> Server:
        """One more server."""
        self.servers.append(Server(silent, hung, **environment))
        return self.servers[-1]

    def submit(self, plan: RunSpec | SearchSpec, server: Server | None = None, token: str = "") -> str | None:
        """Hand in a plan; its name, or None where it was refused."""
        self._number += 1
        server = server or self.servers[-1]
        server.ask(token or f"token-{self._number}", plan)
        return self.note(server.answer())

    def begin(self, *plans: RunSpec | SearchSpec) -> list[str | None]:
        """Hand in plans, and wait until each has shown something; their names."""
        names = [self.submit(plan) for plan in plans]
        self.until(lambda: all(map(self.learning, names)), "all learn")
        return names

    def submit_until_taken(self, plan: RunSpec | SearchSpec) -> str:
        """The same again and again: who was stopped while writing keeps the store until it is ended."""
        names: list[str | None] = []
        self.until(lambda: names.append(self.submit(plan)) or names[-1], "a plan is taken")
        return names[-1] or ""

    def note(self, said: str) -> str | None:
        """Take an answer down."""
        if not said or said.startswith("!"):
            self.messages.add(said.removeprefix("! "))
            return None
        self.acknowledged.append(said)
        return said

    def active(self) -> list[Run | Search]:
        """Runs and searches that have not ended."""
        return [*self.store.runs(statuses=ACTIVE, limit=10_000), *self.searches.searches(statuses=SEARCHING)]

    def status(self, name: str) -> str:
        """Of a run or a search."""
        known = {r.id: r.status for r in self.store.listed()} | {s.id: s.status for s in self.searches.searches()}
        return known[name]

    def process(self, name: str) -> int | None:
        """The process that a run or a search is in now."""
        with closing(sqlite3.connect(self.file, timeout=30)) as connection:
            query = "SELECT process FROM {} WHERE id = ? AND status = 'running'"
            for table in ("runs", "searches"):
                if row := connection.execute(query.format(table), (name,)).fetchone():
                    return row[0]
        return None

    def learning(self, name: str) -> bool:
        """Whether it has shown something."""
        return any(t.scores for t in self.searches.trials(name)) or any("step" in e for e in self.store.events(name))

    def until(self, condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
        """Wait."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s; {self._standing()}"
            time.sleep(0.1)

    def settle(self) -> None:
        """Let everybody go on to the end."""
        deadline = time.monotonic() + PATIENCE
        while active := self.active():
            assert time.monotonic() < deadline, f"still active: {self._standing()}"
            for run in (r for r in active if isinstance(r, Run)):
                with suppress(StoreError):
                    self.steering.send(run.id, "go", f"end-{time.monotonic()}")
            time.sleep(1)

    def close(self) -> None:
        """Stop all servers and their child processes."""
        for server in self.servers:
            family = server.family()[1:] if server.process.poll() is None else []
            server.close()
            for process in family:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    def examine(self, row: Row) -> Row:
        """Look at every run and search, and count what is not as it has to be."""
        runs = {r.id: r for r in self.store.runs(limit=10_000)}
        searches = {s.id: s for s in self.searches.searches(limit=10_000)}
        row.acknowledged += len(set(self.acknowledged))
        for name in set(self.acknowledged) - set(runs) - set(searches):
            self._wrong(row, f"{name} is gone")
        for run in runs.values():
            if run.status not in self.fates[run.id]:
                self._wrong(row, f"run {run.id} is {run.status}: {run.message}")
            numbers = [e["number"] for e in self.store.events(run.id)]
            if numbers != list(range(len(numbers))):
                self._wrong(row, f"run {run.id} has a curve with gaps: {numbers}")
            if run.status == "done" and self._torn(run):
                self._wrong(row, f"run {run.id} has a torn model")
        for search in searches.values():
            self._examine_trials(row, search)
        row.messages |= self.messages | {r.message for r in runs.values() if r.message}
        row.messages |= {s.message for s in searches.values() if s.message}
        with closing(sqlite3.connect(self.file)) as connection:
            if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                self._wrong(row, "the store is damaged")
            with suppress(sqlite3.OperationalError):
                takers = connection.execute("SELECT run, count(*) FROM chaos_taken GROUP BY run HAVING count(*) > 1")
                row.twice += len(takers.fetchall())
        return row

    def _examine_trials(self, row: Row, search: Search) -> None:
        trials = self.searches.trials(search.id)
        row.messages |= {t.message for t in trials if t.message}
        if search.status not in self.fates[search.id]:
            self._wrong(row, f"search {search.id} is {search.status}: {search.message}")
        ended = [t for t in trials if t.ended]
        row.twice += len(ended) - len({t.values_json for t in ended})
        whole = [t.number for t in trials] == list(range(len(trials))) and search.ended == len(ended)
        if not whole or (search.status == "done" and len(ended) != search.spec.most_trials):
            self._wrong(row, f"search {search.id} has lost trials: {[(t.number, t.status) for t in trials]}")

    def _wrong(self, row: Row, said: str) -> None:
        row.lost += 1
        row.problems.append(said)

    def _torn(self, run: Run) -> bool:
        try:
            model = TrainedModel.load(run.folder)
        except Exception:
            return True
        return model.spec != run.spec or model.metrics["test_accuracy"] != run.result["test_accuracy"]

    def _standing(self) -> list[tuple[str, str, str]]:
        return [(r.id, r.status, r.message) for r in (*self.store.runs(limit=99), *self.searches.searches(limit=99))]

    def _count_takers(self) -> None:
        # How often a process has taken each run is written down by the database itself.
        with closing(sqlite3.connect(self.file)) as connection, connection:
            connection.execute("CREATE TABLE IF NOT EXISTS chaos_taken (run TEXT)")
            connection.execute(
                "CREATE TRIGGER IF NOT EXISTS chaos AFTER UPDATE OF status ON runs "
                "WHEN NEW.status = 'running' AND OLD.status != 'running' "
                "BEGIN INSERT INTO chaos_taken VALUES (NEW.id); END"
            )


@contextmanager
def world(home: Path) -> Iterator[World]:
    """A world that is tidied up in the end."""
    before = os.environ.get("HDR_HOME")
    found = World(home)
    try:
        yield found
    finally:
        found.close()
        if before is None:
            del os.environ["HDR_HOME"]
        else:
            os.environ["HDR_HOME"] = before


def finish(found: World, row: Row) -> Row:
    """Let everybody go on to the end, and look."""
    found.settle()
    return found.examine(row)


Fault = Callable[[Path, int], Row]
"""Makes a fault so often in a new home, and counts."""
