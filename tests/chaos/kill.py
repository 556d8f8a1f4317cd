"""Kills servers and trainings at random moments, while trainings are steered, and counts what was lost: nothing.

    python tests/chaos/kill.py [--kills 100] [--seed 0]

A server in a process of its own takes plans and answers each with the run's name: from then on that run is
acknowledged. Two trainings at once are paused, stepped, changed, kept and gone on with at random. Now and then the
server or a training's process gets a SIGKILL; a killed server is followed by another. In the end everybody goes on, and
every run that was acknowledged has to be there, in the state that its fate allows, with whole files. Searches are among
them, and go on by themselves: every trial of theirs has to have ended once.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from hdr.training.model import TrainedModel  # noqa: E402 - the path comes first
from hdr.training.run import ACTIVE, Run  # noqa: E402
from hdr.training.search_space import dimension  # noqa: E402
from hdr.training.search_spec import SearchSpec  # noqa: E402
from hdr.training.search_store import SearchStore  # noqa: E402
from hdr.training.search_types import ACTIVE as SEARCHING  # noqa: E402
from hdr.training.search_types import Search  # noqa: E402
from hdr.training.spec import RunSpec  # noqa: E402
from hdr.training.steering import Steering  # noqa: E402
from hdr.training.store import RunStore  # noqa: E402
from hdr.types import Step  # noqa: E402

SERVER = """
import sys
from hdr.training import store as module
from hdr.training.processes import LocalProcesses
from hdr.training.search_spec import SearchSpec
from hdr.training.spec import RunSpec
import json
# A process that was killed together with its server is noticed by its silence; nobody here wants to wait for long.
module.SILENT_SECONDS = 10.0
processes = LocalProcesses(module.RunStore(), capacity=2, spare=True)
print("ready", flush=True)
for line in sys.stdin:
    token, spec = line.split(" ", 1)
    spec = json.loads(spec)
    if "space" in spec:
        print(processes.submit_search(SearchSpec.from_json(spec), "chaos", token).id, flush=True)
    else:
        print(processes.submit(RunSpec.from_json(spec), "chaos", token).id, flush=True)
"""

PLANS = (
    RunSpec("bundled", 1000, classifier=Step("mlp", {"epochs": 40, "units": 50, "batch_size": 16})),
    RunSpec("bundled", 500, classifier=Step("random_forest", {"trees": 60})),
    RunSpec("bundled", 1000, classifier=Step("svm")),
    RunSpec("bundled", 1000, classifier=Step("mlp", {"epochs": 15, "patience": 3, "keep_best": True})),
)
SEARCH = SearchSpec(PLANS[0], (dimension(PLANS[0], "classifier.mlp.learning_rate"),), "tpe", most_trials=4)
KINDS = ("pause", "go", "step", "go", "change", "go", "keep")
PATIENCE = 180.0
"""Seconds within which everything has to have ended, on a busy machine."""


class Chaos:
    """A home, its server, and what is known of its runs."""

    def __init__(self, home: Path, seed: int) -> None:
        os.environ["HDR_HOME"] = str(home)
        self.random = random.Random(seed)
        self.store = RunStore()
        self.steering = Steering(self.store)
        self.searches = SearchStore(self.store)
        self.counts: Counter[str] = Counter()
        self.acknowledged: list[str] = []
        self.killed: Counter[str] = Counter()
        self._number = 0
        self._server = self._serve()

    def _serve(self) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        server = subprocess.Popen([sys.executable, "-c", SERVER], stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
        assert server.stdout.readline() == "ready\n"
        return server

    def submit(self) -> None:
        """Hand in a plan; it is acknowledged where the server answers."""
        spec = json.dumps(self.random.choice((*PLANS, SEARCH, SEARCH)).to_json())
        self._number += 1
        self._server.stdin.write(f"token-{self._number} {spec}\n")
        self._server.stdin.flush()
        self.counts["plans handed in"] += 1
        if self.random.random() < 0.2:
            # The server dies in the middle of taking it.
            time.sleep(self.random.random() * 0.02)
            self.kill_server()
            return
        self.acknowledged.append(self._server.stdout.readline().strip())

    def active(self) -> list[Run | Search]:
        """Runs and searches that have not ended."""
        return [*self.store.runs(statuses=ACTIVE, limit=10_000), *self.searches.searches(statuses=SEARCHING)]

    def steer(self) -> None:
        """Give a random command to a random run that is active."""
        active = self.store.runs(statuses=ACTIVE)
        if not active:
            return
        run, kind = self.random.choice(active), self.random.choice(KINDS)
        values = None
        if kind == "change":
            if run.spec.classifier.name != "mlp":
                return
            values = {"learning_rate": self.random.choice([1e-4, 1e-3, 1e-2]), "batch_size": 64}
        self.steering.send(run.id, kind, f"command-{self.counts['commands']}", values)
        self.counts["commands"] += 1

    def kill_server(self) -> None:
        """SIGKILL, and what it had said by then still counts."""
        self._server.kill()
        said, _ = self._server.communicate()
        self.acknowledged += said.split()
        self.counts["servers killed"] += 1
        self._server = self._serve()

    def kill_training(self) -> bool:
        """SIGKILL to a training's process; False where there is none."""
        with sqlite3.connect(self.store.url.removeprefix("sqlite:///")) as connection:
            query = "SELECT id, process FROM {} WHERE status = 'running'"
            rows = [row for table in ("runs", "searches") for row in connection.execute(query.format(table))]
        if not rows:
            return False
        run, process = self.random.choice(rows)
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.killed[run] += 1
        self.counts["trainings killed"] += 1
        return True

    def settle(self) -> None:
        """Let everybody go on to the end."""
        deadline = time.monotonic() + PATIENCE
        while active := self.active():
            assert time.monotonic() < deadline, f"still active: {[(r.id, r.status) for r in active]}"
            for run in (r for r in active if isinstance(r, Run)):
                self.steering.send(run.id, "go", f"end-{time.monotonic()}")
            time.sleep(1)

    def close(self) -> None:
        """End the server in order."""
        self._server.stdin.close()
        self._server.wait(20)

    def examine(self) -> None:
        """Look at every run, and count what is not as it has to be."""
        runs = {r.id: r for r in self.store.runs(limit=10_000)}
        self.counts["acknowledged"] = len(self.acknowledged)
        searches = {s.id: s for s in self.searches.searches(limit=10_000)}
        self.counts["acknowledged and lost"] = len(set(self.acknowledged) - set(runs) - set(searches))
        for search in searches.values():
            self._examine_trials(search)
        for run in runs.values():
            self.counts[f"  {run.status}"] += 1
            allowed = ("done", "interrupted") if run.id in self.killed else ("done",)
            self.counts["statuses that are wrong"] += run.status not in allowed
            self.counts["torn files"] += self._torn(run)
            numbers = [e["number"] for e in self.store.events(run.id)]
            self.counts["curves with gaps"] += numbers != list(range(len(numbers)))
        with sqlite3.connect(self.store.url.removeprefix("sqlite:///")) as connection:
            self.counts["torn files"] += connection.execute("PRAGMA integrity_check").fetchone() != ("ok",)

    def _examine_trials(self, search: Search) -> None:
        trials = self.searches.trials(search.id)
        self.counts[f"  search {search.status}"] += 1
        self.counts["  trials"] += len(trials)
        self.counts["  trials repeated"] += sum(t.attempts > 1 for t in trials)
        # One whose process died four times in a row is given up: it takes as many kills.
        given_up = search.status == "failed" and self.killed[search.id] > 3
        self.counts["statuses that are wrong"] += search.status != "done" and not given_up
        numbers, ended = [t.number for t in trials], [t for t in trials if t.ended]
        self.counts["trials lost or twice"] += numbers != list(range(len(trials))) or search.ended != len(ended)
        whole = len({t.values_json for t in ended}) == SEARCH.most_trials == len(trials)
        self.counts["trials lost or twice"] += not given_up and not whole

    def _torn(self, run: Run) -> bool:
        if run.status != "done":
            return False
        try:
            model = TrainedModel.load(run.folder)
        except Exception:
            return True
        return model.spec != run.spec or model.metrics["test_accuracy"] != run.result["test_accuracy"]


FAULTS = ("acknowledged and lost", "statuses that are wrong", "torn files", "curves with gaps", "trials lost or twice")


def rage(home: Path, kills: int, seed: int = 0) -> Counter[str]:
    """Kill so often, at random moments, and count."""
    chaos = Chaos(home, seed)
    try:
        done = 0
        while done < kills:
            if len(chaos.active()) < 4:
                chaos.submit()
            for _ in range(chaos.random.randrange(4)):
                chaos.steer()
            time.sleep(chaos.random.random() * 1.5)
            if chaos.random.random() < 0.3:
                chaos.kill_server()
            else:
                chaos.kill_training()
            done = chaos.counts["servers killed"] + chaos.counts["trainings killed"]
        chaos.settle()
    finally:
        chaos.close()
    chaos.examine()
    return chaos.counts


def main() -> int:
    """Rage, and print a table."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--kills", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        counts = rage(Path(folder), asked.kills, asked.seed)
    for name in (*(n for n in counts if n not in FAULTS), *FAULTS):
        print(f"{name:<28}{counts[name]:>6}")  # noqa: T201
    return int(any(counts[name] for name in FAULTS))


if __name__ == "__main__":
    sys.exit(main())
