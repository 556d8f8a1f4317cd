"""How much memory the server takes: with one visitor, for each further one, and after many have come and gone.

    python benchmarks/memory.py [--idle 40] [--visits 500]

Independent of the machine's speed and its other load. A visitor is an open page over a WebSocket of its own (see
`benchmarks/visitor.py`), which goes through all pages and draws a digit. Streamlit keeps a closed session for two
minutes, in case the connection was only lost, and at most 128 of them; it lets go of them when the next one leaves. So
before and after the many it waits for longer than that, and one more comes and leaves.
Memory is the process's VmRSS, with the file-backed pages of libraries and MNIST, which are shared by all processes
and can be taken back by the system; with MNIST where that is here.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.serving import Server
from benchmarks.visitor import Stroke, Visitor

PAGES = ("", "preprocess", "features", "train", "runs", "draw")
SEVEN: list[Stroke] = [[(100, 80), (160, 78), (225, 82), (190, 160), (150, 280)], [(110, 180), (230, 178)]]

SETTLES = 5.0
"""Seconds after which a server has done what it does behind a visit."""

FORGETS, TIDIES = 130.0, 70.0
"""Seconds after which it may forget who left, and after which it has given back what they took."""

AT_ONCE = 4
"""Visits at a time."""

WANTED = {"one": 400, "further": 3, "growth": 30}
"""Megabytes."""


async def look_around(visitor: Visitor) -> None:
    """Open every page and draw one digit."""
    for page in PAGES:
        await visitor.go(page)
    await visitor.draw("drawn", SEVEN)


async def idle(server: Server, count: int) -> float:
    """Megabytes for each further visitor who has looked around and then does nothing."""
    async with contextlib.AsyncExitStack() as stack:
        before = server.memory()
        for _ in range(count):
            await look_around(await stack.enter_async_context(Visitor(server.url, "draw")))
        await asyncio.sleep(SETTLES)
        return (server.memory() - before) / count


async def come_and_go(server: Server, count: int) -> None:
    """Many visits, a few at a time."""
    left = iter(range(count))

    async def visits() -> None:
        for _ in left:
            async with Visitor(server.url) as visitor:
                await look_around(visitor)

    await asyncio.gather(*(visits() for _ in range(AT_ONCE)))


async def forget(server: Server) -> None:
    """Wait until the server has forgotten all who left but one."""
    await asyncio.sleep(FORGETS)
    async with Visitor(server.url) as last:
        await look_around(last)
    await asyncio.sleep(TIDIES)


async def measure(server: Server, further: int, visits: int) -> None:
    """Measure, and print a line for each figure."""
    async with Visitor(server.url) as first:
        await look_around(first)
        await asyncio.to_thread(server.wait_for_default_model)
        await asyncio.sleep(SETTLES)
        await look_around(first)
        await asyncio.sleep(SETTLES)
        own = f"{server.own_memory():.0f} of them not in files"
        print(f"one visitor: {server.memory():.0f} MB, {own} (wanted: {WANTED['one']})", flush=True)
        each = await idle(server, further)
        print(f"each of {further} further ones: {each:.2f} MB (wanted: {WANTED['further']})", flush=True)
        await forget(server)
        before, own_before = server.memory(), server.own_memory()
        await come_and_go(server, visits)
        most = server.memory() - before
        await forget(server)
        grown, own = server.memory() - before, f"{server.own_memory() - own_before:+.0f} of them not in files"
        print(f"after {visits} visits: {grown:+.0f} MB, {own} (wanted: {WANTED['growth']}); right after {most:+.0f} MB")
        print(f"sent to each visitor on a first visit to all pages: {first.received / 3e6:.2f} MB")
        for error in sorted(set(first.errors)):
            print(f"error on a page: {error}", server.log[-3000:], sep="\n")


def main() -> None:
    """Start a server, and measure."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--idle", type=int, default=40)
    arguments.add_argument("--visits", type=int, default=500)
    asked = arguments.parse_args()
    if not 0 < asked.idle <= 200 or not 0 < asked.visits <= 5000:
        raise SystemExit("At most 200 idle visitors and 5000 visits; this is for one's own machine.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder))
        try:
            server.wait()
            asyncio.run(measure(server, asked.idle, asked.visits))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
