"""Thousands of hostile files, addresses and messages through the functions that the pages call, and what they did.

``python -m tests.hostile.storm`` sends 10,000; ``--only "plan:17"`` repeats one. What went wrong is printed with its
name and kept as a file, so that it can be sent again and become a fixed case of `test_found.py`.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import cv2

from hdr.sanitize import escape_markdown
from hdr.types import HdrError
from tests.hostile.guard import MEMORY, ROOT, SECONDS, Hang, Watch, measured, watching
from tests.hostile.surfaces import LONGEST_MESSAGE, SURFACES

KEPT = ROOT / "test-results" / "hostile"
REPEATS = 3
"""How often something slow is tried again: on a busy machine the first time may not count."""


@dataclass
class Tally:
    """What came of all cases.

    Attributes:
        faults: what went wrong, by the name of the case.
        taken, refused: how many of each surface were taken in, and answered with a plain message.
        slowest, largest: seconds and bytes of each surface's worst case, with its name.
    """

    faults: dict[str, str] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, tuple[float, str]] = field(default_factory=dict)
    largest: dict[str, tuple[int, str]] = field(default_factory=dict)


def content(name: str) -> bytes:
    """What is sent in a case: ``plan:17``, or ``plan:17:3`` with another seed for all than 0."""
    surface, number, *seed = name.split(":")
    return SURFACES[surface].make(random.Random(f"{surface}:{number}:{seed[0] if seed else 0}"))


def names(count: int, seed: int) -> Iterator[str]:
    """The cases, every surface by its share."""
    whole = sum(s.share for s in SURFACES.values())
    for surface, one in SURFACES.items():
        for number in range(max(1, round(count * one.share / whole))):
            yield f"{surface}:{number}:{seed}"


def quiet() -> None:
    """Decoders and Streamlit without its server have much to say about what is sent here."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)


def warm() -> None:
    """Take in what is sound, so that everything is imported and loaded before somebody watches."""
    cv2.setNumThreads(1)
    for one in SURFACES.values():
        for data in one.valid():
            # Each sound one is read to its end: a surface that refuses everything would pass every test.
            one.take(data)
        for number in range(8):
            try:
                one.take(one.make(random.Random(f"warm {number}")))
            except HdrError as error:
                escape_markdown(error)


def send(name: str, data: bytes, watch: Watch, tally: Tally) -> None:
    """One case."""
    surface = name.partition(":")[0]
    before, answer = len(watch.seen), []

    def work() -> None:
        try:
            SURFACES[surface].take(data)
        except HdrError as error:
            answer.append(str(error))

    try:
        cost = measured(work)
        for _ in range(REPEATS):
            if cost.seconds > SECONDS:
                cost = min(cost, measured(work), key=lambda c: c.seconds)
    except (Exception, Hang) as error:
        lines = traceback.format_exception(error, limit=-6)
        tally.faults[name] = f"{type(error).__name__}, which is no plain message\n{''.join(lines)[-3000:]}"
        return
    tally.slowest[surface] = max(tally.slowest.get(surface, (0.0, "")), (cost.seconds, name))
    tally.largest[surface] = max(tally.largest.get(surface, (0, "")), (cost.memory, name))
    (tally.refused if answer else tally.taken)[surface] += 1
    if cost.seconds > SECONDS:
        tally.faults[name] = f"took {cost.seconds:.1f} s"
    elif cost.memory > MEMORY:
        tally.faults[name] = f"took {cost.memory / 1e6:.0f} MB"
    elif len(watch.seen) > before:
        tally.faults[name] = "did what it must not: " + "\n".join(watch.seen[before:][:3])
    elif answer and (
        len(escape_markdown(answer[0])) > 3 * LONGEST_MESSAGE or "Traceback" in answer[0] or not answer[0].strip()
    ):
        tally.faults[name] = f"was answered with {answer[0][:300]!r}"


def storm(cases: Iterator[str] | list[str], home: Path) -> Tally:
    """Send cases, and watch."""
    warm()
    tally = Tally()
    with watching(home) as watch:
        for name in cases:
            send(name, content(name), watch, tally)
    return tally


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="another one gives other cases")
    parser.add_argument("--only", metavar="NAME", help="one case by its name, such as plan:17:0, or one surface")
    wanted = parser.parse_args()
    quiet()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HDR_HOME"] = folder
        every = names(wanted.cases, wanted.seed)
        if wanted.only:
            every = iter([wanted.only]) if ":" in wanted.only else (n for n in every if n.startswith(wanted.only + ":"))
        began = time.monotonic()
        tally = storm(every, Path(folder))
    click.echo(f"{'':16}{'taken':>8}{'refused':>9}{'slowest':>10}{'largest':>10}  which")
    for surface, (seconds, which) in tally.slowest.items():
        size, large = tally.largest[surface]
        counts = f"{tally.taken[surface]:8,}{tally.refused[surface]:9,}"
        click.echo(f"{surface:16}{counts}{seconds:8.2f} s{size / 1e6:7.0f} MB  {which}, {large}")
    for name, what in tally.faults.items():
        KEPT.mkdir(parents=True, exist_ok=True)
        file = KEPT / name.replace(":", "-").replace(" ", "_")
        file.write_bytes(content(name))
        click.echo(f"\n{name} {what}\n  kept in {file.relative_to(ROOT)}")
    total = sum(tally.taken.values()) + sum(tally.refused.values()) + len(tally.faults)
    click.echo(
        f"\n{total:,} cases with seed {wanted.seed} in {time.monotonic() - began:.0f} s: {len(tally.faults)} faults"
    )
    sys.exit(1 if tally.faults else 0)


if __name__ == "__main__":
    main()
