"""Measure how long visitors wait while many of them draw, explore and read photos, and trainings run.

    python -m benchmarks.load [--only drawing mixed opening cold] [--people 20] [--seconds 60] [--trainings 2]

Each scenario starts a server with a home of its own on 127.0.0.1. A visitor is an open page over a WebSocket (see
`benchmarks/visitor.py`) who does something every two seconds (`benchmarks/crowd.py`):

- drawing: all visitors draw with *Why?* open, while trainings run.
- mixed: people draw, write numbers, read photos, change settings and look at a result, while trainings run.
- opening: thirty people open the app within ten seconds.
- cold: all visitors open Draw on a server that has just started, and draw a stroke while the default model trains.

The benchmark fails where its own conditions do not hold: a training that ended early, a visitor who is stuck, errors on
a page, or fewer than 95% of the expected strokes. It says of each target whether it was reached.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.crowd import (
    DIGITS,
    EVERY,
    Act,
    Person,
    Tally,
    change_digit,
    draw_digit,
    draw_number,
    live,
    move_slider,
    open_tab,
    read_photo,
    until,
)
from benchmarks.serving import Server
from benchmarks.visitor import VisitError, Visitor
from hdr import datasets
from hdr.training.run_spec import MAX_DIGITS, RunSpec
from hdr.types import Step

MAX_PEOPLE, MAX_SECONDS = 100, 600
ANSWERED = 0.95
"""Least share of the expected strokes that must be answered."""

TARGETS = {"stroke": (150, 1000), "interaction": (500, None), "opening": (5000, None), "cold": (None, 5000)}
"""Milliseconds for the 95th percentile, and for the worst."""

EXPLAINED_SECONDS, EXPLAINED_SHARE = 3.0, 0.9

Role = tuple[Act, str, str]
"""Activities of visitors: the action, its page and the URL parameters."""

RESULT = "result"
MIXED: tuple[Role, ...] = (
    *[(draw_digit, "draw", "")] * 8,
    *[(draw_number, "draw", "what=number")] * 3,
    *[(read_photo, "draw", "what=photo")] * 2,
    *[(move_slider, "preprocess", "")] * 3,
    *[(change_digit, "features", "")] * 2,
    (move_slider, "features", ""),
    (open_tab, "train", RESULT),
)


class Conditions:
    """Conditions under which the results are valid.

    Attributes:
        broken: what did not hold, in words.
    """

    def __init__(self) -> None:
        self.broken: list[str] = []

    def check(self, holds: bool, words: str) -> None:
        """Note a condition that does not hold."""
        if not holds:
            self.broken.append(words)
            print(f"  CONDITION BROKEN: {words}")


async def crowd(url: str, roles: Sequence[Role], seconds: float) -> Tally:
    """Open the pages one after the other, then run all visitors."""
    tally, digits = Tally(), datasets.load(datasets.available()[0]).test
    async with contextlib.AsyncExitStack() as stack:
        people = [
            Person(await stack.enter_async_context(Visitor(url, page, query)), number, tally, digits)
            for number, (_, page, query) in enumerate(roles)
        ]
        began = time.perf_counter() + EVERY
        acts = [act for act, _, _ in roles]
        await asyncio.gather(*(live(p, act, began, seconds) for p, act in zip(people, acts, strict=True)))
    return tally


async def warm(url: str) -> None:
    """Do what the first visitors of a server do for all others."""
    async with Visitor(url, "draw") as visitor:
        for digit in DIGITS:
            await visitor.draw("drawn", digit)
            await asyncio.sleep(3)


def drawing(people: int, seconds: float, trainings: int, conditions: Conditions) -> None:
    """Run the scenario in which all visitors draw."""
    tally = busy([(draw_digit, "draw", "")] * people, seconds, trainings, conditions)
    strokes = tally.waits["stroke"]
    expected = people * seconds / EVERY
    conditions.check(len(strokes) >= ANSWERED * expected, f"{len(strokes)} strokes answered of {expected:.0f} expected")
    report("stroke to answer", strokes, *TARGETS["stroke"])
    explained = [s for s in tally.explained if s is not None and s <= EXPLAINED_SECONDS]
    median, high = np.percentile(explained or [np.nan], [50, 95])
    share = len(explained) / max(1, len(tally.explained))
    print(
        f"  explained before the next stroke: {share:.0%} of {len(tally.explained)} strokes "
        f"{verdict(share >= EXPLAINED_SHARE)} (target {EXPLAINED_SHARE:.0%} within {EXPLAINED_SECONDS:g} s); "
        f"median {median:.2f} s, 95th percentile {high:.2f} s"
    )


def mixed(people: int, seconds: float, trainings: int, conditions: Conditions) -> None:
    """Run the scenario in which the visitors do different things."""
    roles = [MIXED[n % len(MIXED)] for n in range(people)]
    tally = busy(roles, seconds, trainings, conditions)
    done = {kind: waits for kind, waits in tally.waits.items() if kind != "photo to digits"}
    count, expected = sum(map(len, done.values())), people * seconds / EVERY
    conditions.check(count >= ANSWERED * expected, f"{count} interactions of {expected:.0f} expected")
    for kind, waits in sorted(tally.waits.items()):
        report(kind, waits)
    report("any interaction", [w for waits in done.values() for w in waits], *TARGETS["interaction"])


def busy(roles: Sequence[Role], seconds: float, trainings: int, conditions: Conditions) -> Tally:
    """Let visitors act while trainings run, on a server that is warm."""
    with serving(HDR_TRAININGS_AT_ONCE=str(max(1, trainings))) as server:
        asyncio.run(warm(server.url))
        server.wait_for_default_model()
        result = f"run={server.store.runs(statuses=('done',))[0].id}"
        names = train(server, trainings)
        before, worked, began = server.memory(), server.processor(), time.perf_counter()
        tally = asyncio.run(crowd(server.url, [(a, p, result if q == RESULT else q) for a, p, q in roles], seconds))
        share = (server.processor() - worked) / (time.perf_counter() - began)
        running = [run.id for run in server.store.runs(statuses=("running",))]
        conditions.check(set(names) <= set(running), f"{len(running)} of {trainings} trainings ran to the end")
        conditions.check(not tally.errors, f"{len(tally.errors)} errors: {'; '.join(sorted(set(tally.errors))[:5])}")
        if tally.errors:
            print(server.log[-4000:])
        print(
            f"  server: {before:.0f} MB before, {server.memory():.0f} MB after, {share:.0%} of one core; "
            f"{tally.received / 1e6 / len(roles):.1f} MB sent to each; load {os.getloadavg()[0]:.1f} "
            f"on {os.cpu_count()} cores"
        )
    return tally


def opening(people: int, conditions: Conditions) -> None:
    """Run the scenario in which people open the app within ten seconds."""
    pages = ("", "draw", "preprocess", "features", "train", "runs", "data", "about")
    waits: list[float] = []
    errors: list[str] = []

    async def visit(number: int, began: float, stack: contextlib.AsyncExitStack) -> None:
        await until(began + 10 * number / people)
        start = time.perf_counter()
        try:
            visitor = await stack.enter_async_context(Visitor(server.url, pages[number % len(pages)]))
        except (VisitError, OSError) as error:
            errors.append(str(error))
            return
        waits.append(time.perf_counter() - start)
        errors.extend(visitor.errors)

    async def everybody() -> None:
        async with contextlib.AsyncExitStack() as stack:
            began = time.perf_counter()
            await asyncio.gather(*(visit(n, began, stack) for n in range(people)))

    with serving() as server:
        asyncio.run(warm(server.url))
        server.wait_for_default_model()
        asyncio.run(everybody())
        conditions.check(not errors and len(waits) == people, f"{len(waits)} of {people} pages opened; {errors[:3]}")
        report("page opened", waits, *TARGETS["opening"])


def cold(people: int, conditions: Conditions) -> None:
    """Run the scenario in which all visitors open Draw at once, on a server that has just started."""
    waits: list[float] = []
    errors: list[str] = []

    async def visit(number: int) -> None:
        try:
            start = time.perf_counter()
            async with Visitor(server.url, "draw") as visitor:
                _, answer = await visitor.draw("drawn", DIGITS[number % len(DIGITS)])
                waits.append(time.perf_counter() - start)
                errors.extend([*visitor.errors, *(["a stroke without an answer"] if not answer else [])])
        except (VisitError, OSError) as error:
            errors.append(str(error))

    async def everybody() -> None:
        await asyncio.gather(*map(visit, range(people)))

    with serving() as server:
        asyncio.run(everybody())
        conditions.check(not errors and len(waits) == people, f"{len(waits)} of {people} answered; {errors[:3]}")
        report("page asked for to first answer", waits, *TARGETS["cold"])


@contextlib.contextmanager
def serving(**settings: str):  # noqa: ANN201 - a context manager of `Server`
    """Run a server in a home of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), **settings)
        try:
            server.wait()
            yield server
        finally:
            server.stop()


def train(server: Server, count: int) -> list[str]:
    """Start trainings that outlast the scenario, and wait until they learn; returns their ids."""
    network = Step("mlp", {"epochs": 100, "units": 500, "layers": 4, "batch_size": 50})
    spec = RunSpec(dataset=datasets.available()[0], train_size=MAX_DIGITS, classifier=network)
    runs = [server.store.create(spec, "local", f"load-{n}") for n in range(count)]
    deadline = time.monotonic() + 120
    while not all(server.store.events(run.id) for run in runs):
        if time.monotonic() > deadline:
            raise SystemExit("The trainings have not started within two minutes.")
        time.sleep(0.2)
    return [run.id for run in runs]


def report(what: str, waits: Sequence[float], target: float | None = None, worst: float | None = None) -> None:
    """Print percentiles in milliseconds, and whether targets were reached."""
    if not waits:
        print(f"  {what}: nothing was measured")
        return
    times = np.array(waits) * 1000
    median, high = np.percentile(times, [50, 95])
    words = f"  {what}: {len(times)} times, median {median:.0f} ms, 95th percentile {high:.0f} ms"
    words += f" {verdict(high <= target)} (target {target})" if target else ""
    words += f", worst {times.max():.0f} ms"
    words += f" {verdict(times.max() <= worst)} (target {worst})" if worst else ""
    print(words, flush=True)


def verdict(reached: bool) -> str:
    """Say whether a target was reached."""
    return "reached" if reached else "MISSED"


def main() -> None:
    """Measure, and print what was found."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--only", nargs="+", choices=("drawing", "mixed", "opening", "cold"))
    arguments.add_argument("--people", type=int, default=20)
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--trainings", type=int, default=2)
    given = arguments.parse_args()
    if not 0 < given.people <= MAX_PEOPLE or not 0 < given.seconds <= MAX_SECONDS or given.trainings < 0:
        raise SystemExit(f"At most {MAX_PEOPLE} people and {MAX_SECONDS} seconds: this is for your own machine.")
    conditions = Conditions()
    scenarios = {
        "drawing": lambda: drawing(given.people, given.seconds, given.trainings, conditions),
        "mixed": lambda: mixed(given.people, given.seconds, given.trainings, conditions),
        "opening": lambda: opening(30, conditions),
        "cold": lambda: cold(given.people, conditions),
    }
    for name in given.only or scenarios:
        print(f"{name}: {given.people if name != 'opening' else 30} people", flush=True)
        scenarios[name]()
    if conditions.broken:
        raise SystemExit("The figures do not count: " + "; ".join(conditions.broken))


if __name__ == "__main__":
    main()
