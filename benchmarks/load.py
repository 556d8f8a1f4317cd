"""Many people who draw while trainings run: how long each waits for the answer to a stroke.

    python benchmarks/load.py [--people 20] [--seconds 60] [--trainings 2]

A server is started in a home of its own on 127.0.0.1, and nothing but this script visits it: each person is an open
page over a WebSocket of its own (see `benchmarks/visitor.py`) who draws digits of one to three strokes, a stroke every
two seconds, and clears the canvas after each. A stroke counts from the moment at which it is sent until its answer is
there. The trainings are networks on all digits, which take longer than this; they are stopped at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.serving import Server
from benchmarks.visitor import Stroke, VisitError, Visitor
from hdr import datasets
from hdr.training.spec import LARGEST, RunSpec
from hdr.types import Step

EVERY = 2.0
"""Seconds between two strokes of a person."""

MOST_PEOPLE, MOST_SECONDS = 100, 600
TARGET = 500
"""Milliseconds within which 95 of 100 strokes are to be answered on two cores that have nothing else to do."""

DIGITS: tuple[list[Stroke], ...] = (
    [[(100, 80), (160, 78), (225, 82), (190, 160), (150, 280)], [(110, 180), (230, 178)]],
    [[(170, 60), (168, 120), (165, 200), (160, 270)]],
    [[(110, 70), (105, 130), (100, 180), (160, 182), (230, 180)], [(210, 60), (205, 150), (200, 285)]],
    [[(230, 70), (120, 72)], [(120, 72), (115, 150), (180, 150), (225, 200), (180, 270), (100, 260)], [(90, 262)] * 2],
    [[(168 + 60 * np.sin(a), 168 - 95 * np.cos(a)) for a in np.linspace(0, 2 * np.pi, 25)]],
)


@dataclass
class Seen:
    """What happened.

    Attributes:
        waits: seconds from each stroke to its answer.
        errors: what went wrong, in words.
        received: bytes that all have got.
    """

    waits: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    received: int = 0


async def person(visitor: Visitor, number: int, began: float, seconds: float, seen: Seen) -> None:
    """Draw until the time is over. Nobody begins with the others, and nobody's strokes are those of another."""
    chance = random.Random(number)
    moment = began + EVERY * number * 0.618 % EVERY
    try:
        while moment < began + seconds:
            x, y = chance.uniform(-25, 25), chance.uniform(-25, 25)
            digit = DIGITS[chance.randrange(len(DIGITS))]
            strokes = [
                [(a + x + chance.gauss(0, 2), b + y + chance.gauss(0, 2)) for a, b in stroke] for stroke in digit
            ]
            for count in range(1, len(strokes) + 1):
                await asyncio.sleep(max(0.0, moment - time.perf_counter()))
                wait, answer = await visitor.draw("drawn", strokes[:count])
                seen.waits.append(wait)
                if not answer:
                    seen.errors.append("a stroke without an answer")
                moment = max(moment + EVERY, time.perf_counter())
            # Between two strokes, as people do.
            await asyncio.sleep(EVERY / 2)
            await visitor.press("clear")
            await visitor.draw("drawn", [])
    except VisitError as error:
        seen.errors.append(str(error))
    seen.received += visitor.received
    seen.errors += visitor.errors


async def crowd(url: str, people: int, seconds: float) -> Seen:
    """Everybody opens the page, one after the other, and then they draw."""
    seen = Seen()
    async with contextlib.AsyncExitStack() as stack:
        visitors = [await stack.enter_async_context(Visitor(url, "draw")) for _ in range(people)]
        began = time.perf_counter() + EVERY
        await asyncio.gather(*(person(v, n, began, seconds, seen) for n, v in enumerate(visitors)))
    return seen


async def warm(url: str) -> None:
    """What the first visitors of a server have done for all others."""
    async with Visitor(url, "draw") as visitor:
        for digit in DIGITS:
            await visitor.draw("drawn", digit)
            await asyncio.sleep(3)


def main() -> None:
    """Measure, and print a table."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--people", type=int, default=20)
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--trainings", type=int, default=2)
    asked = arguments.parse_args()
    if not 0 < asked.people <= MOST_PEOPLE or not 0 < asked.seconds <= MOST_SECONDS or asked.trainings < 0:
        raise SystemExit(f"At most {MOST_PEOPLE} people and {MOST_SECONDS} seconds; this is for one's own machine.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), HDR_TRAININGS_AT_ONCE=str(max(1, asked.trainings)))
        try:
            server.wait()
            asyncio.run(warm(server.url))
            server.wait_for_default_model()
            learn(server, asked.trainings)
            before, worked, began = server.memory(), server.processor(), time.perf_counter()
            seen = asyncio.run(crowd(server.url, asked.people, asked.seconds))
            share = (server.processor() - worked) / (time.perf_counter() - began)
            running = len(server.store.runs(statuses=("running",)))
            show(asked.people, running, seen, before, server.memory(), share)
        finally:
            server.stop()


def learn(server: Server, count: int) -> None:
    """Start trainings, and wait until they learn."""
    spec = RunSpec(
        dataset=datasets.available()[0], train_size=LARGEST, classifier=Step("mlp", {"epochs": 100, "units": 400})
    )
    runs = [server.store.create(spec, "local", f"load-{n}") for n in range(count)]
    deadline = time.monotonic() + 60
    while not all(server.store.events(run.id) for run in runs):
        if time.monotonic() > deadline:
            raise SystemExit("The trainings have not begun within a minute.")
        time.sleep(0.2)


def show(people: int, trainings: int, seen: Seen, before: float, after: float, share: float) -> None:
    """Print what was measured, and what the machine had to do besides."""
    waits = np.array(seen.waits or [np.nan]) * 1000
    median, most, nearly_all = np.percentile(waits, [50, 95, 99])
    print(f"{people} people, {len(seen.waits)} strokes, {trainings} trainings still running at the end")
    print(f"stroke to answer, ms: median {median:.0f}, 95th {most:.0f} (wanted: {TARGET}), 99th {nearly_all:.0f}")
    print(f"worst {waits.max():.0f} ms; errors: {len(seen.errors)}", *sorted(set(seen.errors))[:5], sep="\n  ")
    print(f"server: {before:.0f} MB before, {after:.0f} MB after; it worked {share:.0%} of one core")
    print(f"sent to everybody: {seen.received / 1e6 / people:.2f} MB")
    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
