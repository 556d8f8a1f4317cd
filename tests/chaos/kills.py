"""Servers and trainings that are killed at random moments, while trainings are steered and searches go on."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

from tests.chaos.world import PLANS, SEARCH, Row, World, finish, world

KINDS = ("pause", "go", "step", "go", "change", "go", "keep")

DEADLY = 3
"""A trial or a search is given up where its process dies so often in a row, or more often."""


def killed(home: Path, times: int, seed: int = 0) -> Row:
    """SIGKILL to a server, which is followed by another, or to a training's or a search's process."""
    row, chance, deaths = Row("server or training killed"), random.Random(seed), Counter()
    with world(home) as found:
        found.serve()
        while row.times < times:
            if len(found.active()) < 4:
                row.times += _submit(found, chance)
            for _ in range(chance.randrange(4)):
                _steer(found, chance)
            time.sleep(chance.random() * 1.5)
            if chance.random() < 0.3:
                row.times += _kill_server(found)
            else:
                row.times += _kill_training(found, chance, deaths)
        return finish(found, row)


def _submit(found: World, chance: random.Random) -> int:
    plan = chance.choice((*PLANS, SEARCH, SEARCH))
    if chance.random() < 0.8:
        found.submit(plan)
        return 0
    # The server dies in the middle of taking it.
    found.servers[-1].ask(f"dying-{time.monotonic()}", plan)
    time.sleep(chance.random() * 0.02)
    return _kill_server(found)


def _kill_server(found: World) -> int:
    # What it had said by then still counts.
    for said in found.servers.pop().kill():
        found.note(said)
    found.serve()
    return 1


def _kill_training(found: World, chance: random.Random, deaths: Counter[str]) -> int:
    running = [(thing.id, process) for thing in found.active() if (process := found.process(thing.id))]
    if not running:
        return 0
    name, process = chance.choice(running)
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return 0
    deaths[name] += 1
    # A run is told to be interrupted; a search goes on, unless it dies again and again.
    if name in {r.id for r in found.store.listed()}:
        found.fates[name].add("interrupted")
    elif deaths[name] > DEADLY:
        found.fates[name].add("failed")
    return 1


def _steer(found: World, chance: random.Random) -> None:
    active = found.store.runs(statuses=("queued", "running"))
    if not active:
        return
    run, kind = chance.choice(active), chance.choice(KINDS)
    values = None
    if kind == "change":
        if run.spec.classifier.name != "mlp":
            return
        values = {"learning_rate": chance.choice([1e-4, 1e-3, 1e-2]), "batch_size": 64}
    found.steering.send(run.id, kind, f"command-{time.monotonic()}", values)
