"""A page whose connection is dropped again and again while it watches a training."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

from benchmarks.serving import Server
from benchmarks.visitor import Visitor
from hdr.store.run_record import ACTIVE
from hdr.store.runs import RunStore
from tests.chaos.world import PATIENCE, Row

OWNER = "local"


class Returning(Visitor):
    """A page that comes back to its session, as a browser does."""

    session = ""
    updates = 0

    async def drop(self) -> None:
        """Lose the connection without a word."""
        self._stop_timers()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        self._connection.transport.abort()
        await self._connection.wait_closed()

    async def back(self) -> None:
        """Connect again, with the session's name, and show the page."""
        address = self._url.replace("http", "ws", 1) + "/_stcore/stream"
        known = ["streamlit", "none", self.session]
        self._connection = await connect(address, subprotocols=known, max_size=2**26, compression=None)
        self._reader = asyncio.create_task(self._read())
        await self.go(self._page)

    def _take(self, message: ForwardMsg) -> None:
        if message.WhichOneof("type") == "new_session":
            self.session = message.new_session.initialize.session_id
            self.updates += 1
        super()._take(message)


def dropped(home: Path, times: int) -> Row:
    """The view goes on by itself, and no second training starts."""
    row = Row("WebSocket dropped")
    home.mkdir(exist_ok=True)
    server = Server(home)
    try:
        server.wait()
        asyncio.run(_watch(server, row, times))
    finally:
        server.stop()
    return row


async def _watch(server: Server, row: Row, times: int) -> None:
    store: RunStore | None = None
    async with Returning(server.url, "train") as page:
        store = server.store
        await page.press("train")
        mine = await _until(lambda: [r for r in store.listed(statuses=ACTIVE) if r.owner == OWNER], "it starts")
        row.acknowledged, name = 1, mine[0].id
        sessions = {page.session}
        for _ in range(times):
            await page.drop()
            row.times += 1
            await asyncio.sleep(0.2)
            await page.back()
            sessions.add(page.session)
            if store.get(name).active:
                before = page.updates
                await _until(lambda: page.updates > before + 1 or not store.get(name).active, "the view goes on")  # noqa: B023
                if "stop" not in page.widgets and store.get(name).active:
                    row.problems.append("the training is not shown")
        await _until(lambda: store.get(name).status == "done", "it ends")
        row.problems += page.errors
    row.problems += [f"{len(sessions)} sessions"] if len(sessions) != 1 else []
    row.twice += len([r for r in store.listed() if r.owner == OWNER]) - 1
    numbers = [e["number"] for e in store.events(name)]
    row.lost += numbers != list(range(len(numbers)))


async def _until(condition, what: str):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE:g} s"
        await asyncio.sleep(0.1)
    return found
