"""Visitors without a browser: they speak Streamlit's protocol over a WebSocket, so that many fit beside the server.

The messages and their timing are copied from a browser (Streamlit 1.67): at first a run with nothing but the name of
the page, then for every change of a widget a run of its fragment, with the values of all widgets that were touched, and
a run of each fragment that asks to be run every so often.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

PATIENCE = 60.0
"""Seconds that any answer may take; more is an error."""

LARGEST = 64_000_000
"""Bytes of a message."""

ANSWER = re.compile(r'class="hdr-answer[^>]*>(.*?)</div>', re.DOTALL)
EXPLANATION = "hdr-whys"
WAKE = "hdr_wake"
"""The component that asks the browser for another run (hdr/ui/components/rerun_timer.py)."""

TAG = re.compile("<[^>]*>")

_INTERNAL = "$$STREAMLIT_INTERNAL_KEY_"
"""Begins the names of the widgets that hold the triggers of components."""

Stroke = list[tuple[float, float]]
"""Points in pixels of the canvas."""


class VisitError(Exception):
    """The app did not do what it should have done for a visitor."""


@dataclass
class Run:
    """One run of the app's script, or of a part of it, as a visitor sees it.

    Attributes:
        number: counts the runs of a visitor.
        fragments: the parts that run; empty where the whole page does.
        answer: the prediction shown on Draw; None before the first one.
        ended: whether it is over.
        cut: whether its end was reported as early.
    """

    number: int
    fragments: tuple[str, ...] = ()
    answer: str | None = None
    ended: bool = False
    cut: bool = False


@dataclass
class _Watch:
    holds: Callable[[Run], bool]
    found: asyncio.Future[tuple[float, Run]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Visitor:
    """One open page. Use `async with Visitor(url, "draw") as visitor`.

    Args:
        url: of the app.
        page: its name in the address.
        query: the parameters of the address, such as "what=number".

    Attributes:
        widgets: the id and the fragment of each widget that has a key.
        tabs: the labels of each row of tabs that has a key.
        received: bytes that the server has sent.
        explained: the moment at which the last explanation of a drawing arrived, as `time.perf_counter` counts; None
            where none has arrived since the last stroke.
        errors: messages of exceptions and error boxes on the page.
    """

    def __init__(self, url: str, page: str = "", query: str = "") -> None:
        self._url, self._page, self._query, self._hash = url, page, query, ""
        self._connection: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self.widgets: dict[str, tuple[str, str]] = {}
        self._values: dict[str, WidgetState] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._watches: list[_Watch] = []
        self._run = Run(0, ended=True)
        self._explanation = ""
        self._tabs: list[str] = []
        self.tabs: dict[str, list[str]] = {}
        self.received = 0
        self.explained: float | None = None
        self.errors: list[str] = []

    async def __aenter__(self) -> Visitor:
        """Open the page; returns when its script is over."""
        address = self._url.replace("http", "ws", 1) + "/_stcore/stream"
        self._connection = await connect(
            address, subprotocols=[Subprotocol("streamlit")], max_size=LARGEST, compression=None, ping_interval=None
        )
        self._reader = asyncio.create_task(self._read())
        await self.go(self._page)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the page, as a browser does."""
        self._stop_timers()
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        await self._connected.close()

    @property
    def _connected(self) -> ClientConnection:
        if self._connection is None:
            raise VisitError("the page is not open; use `async with`")
        return self._connection

    async def go(self, page: str) -> float:
        """Change to another page; seconds until its script is over."""
        self._page, self._hash = page, ""
        self._stop_timers()
        self.widgets.clear()
        self._values.clear()
        return (await self._asked("", lambda run: run.ended, f"the page {page!r}", page_name=page))[0]

    async def press(self, key: str) -> float:
        """Press a button by its key; seconds until the run that follows is over."""
        widget, fragment = self._widget(key)
        self._values[widget] = WidgetState(id=widget, trigger_value=True)
        waiting = self._asked(fragment, lambda run: run.ended, f"what follows {key}", once=widget)
        return (await waiting)[0]

    async def set(self, key: str, kind: str, value: Any) -> float:
        """Change a widget; seconds until the run that follows is over.

        Args:
            key: of the widget.
            kind: the field of `WidgetState` that holds such a value.
            value: a number, a text, or a list of them.
        """
        widget, fragment = self._widget(key)
        state = self._values[widget] = WidgetState(id=widget)
        if isinstance(value, list):
            getattr(state, kind).data.extend(value)
        else:
            setattr(state, kind, value)
        return (await self._asked(fragment, lambda run: run.ended, f"what follows {key}"))[0]

    async def draw(self, key: str, strokes: list[Stroke]) -> tuple[float, str]:
        """Draw the last stroke of a drawing.

        Args:
            key: of the canvas.
            strokes: all strokes that are on it now.

        Returns:
            Seconds until the answer is there, and the answer; it is empty where there is none.
        """
        widget, fragment = self._widget(key)
        value = json.dumps({"drawing": {"raw": _drawing(strokes), "data": None}}, separators=(",", ":"))
        self._values[widget] = WidgetState(id=widget, json_value=value)
        self.explained = None
        seconds, run = await self._asked(fragment, lambda run: run.answer is not None, "the answer to a stroke")
        return seconds, run.answer or ""

    async def paste(self, key: str, picture: bytes) -> tuple[float, float]:
        """Paste a picture; seconds until the run that follows is over, and until the picture is read."""
        began = time.perf_counter()
        content = json.dumps({"picture": base64.b64encode(picture).decode()})
        read = self._watch(lambda run: bool(run.answer))
        shown = await self.set(key, "json_value", content)
        await self._found(read, "the answer to a photo")
        return shown, time.perf_counter() - began

    def _widget(self, key: str) -> tuple[str, str]:
        if key not in self.widgets:
            raise VisitError(f"There is no widget {key!r} on the page {self._page!r}.")
        return self.widgets[key]

    async def _asked(
        self, fragment: str, holds: Callable[[Run], bool], what: str, page_name: str = "", once: str = ""
    ) -> tuple[float, Run]:
        """Ask for a run; how long it was until something holds in it or in a later one, and that run."""
        began = time.perf_counter()
        watch = self._watch(lambda run: (not run.fragments or fragment in run.fragments) and holds(run))
        await self._ask(fragment, page_name)
        self._values.pop(once, None)
        moment, run = await self._found(watch, what)
        return moment - began, run

    def _watch(self, holds: Callable[[Run], bool]) -> _Watch:
        """Watch for something to hold in a run that has not started yet."""
        before = self._run.number
        self._watches.append(_Watch(lambda run: run.number > before and holds(run)))
        return self._watches[-1]

    async def _found(self, watch: _Watch, what: str) -> tuple[float, Run]:
        try:
            return await asyncio.wait_for(watch.found, PATIENCE)
        except TimeoutError:
            raise VisitError(f"{what}: not within {PATIENCE:g} s") from None
        finally:
            if watch in self._watches:
                self._watches.remove(watch)

    async def _ask(self, fragment: str, page_name: str = "", by_itself: bool = False) -> None:
        message = BackMsg()
        run = message.rerun_script
        run.page_script_hash, run.page_name, run.fragment_id = self._hash, page_name, fragment
        run.query_string = self._query
        run.is_auto_rerun = by_itself
        run.widget_states.widgets.extend(self._values.values())
        run.context_info.timezone, run.context_info.locale = "UTC", "en-US"
        run.context_info.url = f"{self._url}/{self._page}"
        await self._connected.send(message.SerializeToString())

    async def _read(self) -> None:
        problem: Exception = VisitError("the server has closed the connection")
        try:
            async for data in self._connected:
                self.received += len(data)
                message = ForwardMsg()
                message.ParseFromString(data)
                self._take(message)
        except Exception as error:
            problem = VisitError(f"{type(error).__name__}: {error}")
        for watch in self._watches:
            if not watch.found.done():
                watch.found.set_exception(problem)

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._begin(tuple(message.metadata.run.fragment_ids))
            self._hash = message.new_session.page_script_hash
            if not self._run.fragments:
                self._stop_timers()
        elif kind == "navigation":
            # The page after a change of pages; until then it has the name of the entry.
            self._hash = message.navigation.page_script_hash
        elif kind == "delta":
            self._note(message.delta)
        elif kind == "auto_rerun":
            self._start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._stop_timer(fragment)
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "script_finished":
            self._run.cut = message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN
            self._run.ended = not self._run.cut
        self._look()

    def _begin(self, fragments: tuple[str, ...]) -> None:
        before = self._run
        if before.cut and before.fragments and fragments and not set(before.fragments) & set(fragments):
            # An interrupted run is repeated. The run of a fragment that is not repeated was complete: Streamlit reports
            # its end as early where another fragment's run starts before that end is sent (ForwardMsgQueue.clear).
            before.ended = True
            self._look()
        self._run = Run(before.number + 1, fragments)

    def _look(self) -> None:
        for watch in [w for w in self._watches if w.holds(self._run)]:
            self._watches.remove(watch)
            if not watch.found.done():
                watch.found.set_result((time.perf_counter(), self._run))

    def _note(self, delta: Delta) -> None:
        element = delta.new_element
        kind = element.WhichOneof("type")
        if kind == "exception" or (kind == "alert" and element.alert.format == element.alert.ERROR):
            self.errors.append(element.exception.message or element.alert.body)
        if kind == "html" and (found := ANSWER.search(element.html.body)):
            self._run.answer = TAG.sub("", found[1]).strip()
        if kind == "html" and EXPLANATION in element.html.body and element.html.body != self._explanation:
            self._explanation = element.html.body
            # The nearest examples arrive later, in the same element.
            self.explained = self.explained or time.perf_counter()
        if kind == "bidi_component" and element.bidi_component.component_name == WAKE:
            self._wake(element.bidi_component.id, delta.fragment_id, json.loads(element.bidi_component.json))
        widget = getattr(getattr(element, kind), "id", "") if kind else delta.add_block.id
        if widget.startswith("$$ID-"):
            # The text after the first two parts is the widget's key in the app.
            self.widgets[widget.split("-", 2)[2]] = (widget, delta.fragment_id)
        block = delta.add_block
        if block.WhichOneof("type") == "tab_container" and widget:
            self._tabs = self.tabs[widget.split("-", 2)[2]] = []
        elif block.WhichOneof("type") == "tab":
            self._tabs.append(block.tab.label)

    def _wake(self, widget: str, fragment: str, data: dict[str, Any]) -> None:
        """Do what hdr/ui/assets/rerun_timer.js does: ask for one more run after a while."""

        async def later() -> None:
            await asyncio.sleep(data["milliseconds"] / 1000)
            trigger = f"{_INTERNAL}{widget}__events"
            value = json.dumps([{"event": "due", "value": data["turn"]}])
            self._values[trigger] = WidgetState(id=trigger, json_trigger_value=value)
            await self._ask(fragment)
            self._values.pop(trigger)

        self._schedule(widget, later())

    def _start_timer(self, fragment: str, seconds: float) -> None:
        async def again() -> None:
            while True:
                await asyncio.sleep(seconds)
                await self._ask(fragment, by_itself=True)

        self._schedule(fragment, again())

    def _schedule(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._stop_timer(name)
        self._timers[name] = asyncio.create_task(work)

    def _stop_timer(self, name: str) -> None:
        if task := self._timers.pop(name, None):
            task.cancel()

    def _stop_timers(self) -> None:
        for name in list(self._timers):
            self._stop_timer(name)


def _drawing(strokes: list[Stroke]) -> dict[str, Any]:
    """A drawing as the canvas sends it (fabric.js 7)."""
    return {"version": "7.4.0", "objects": [_path(s) for s in strokes], "background": "#ffffff"}


def _path(points: Stroke) -> dict[str, Any]:
    middles = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in itertools.pairwise(points)]
    curves = [["Q", *a, *m] for a, m in zip(points, middles, strict=False)]
    path = [["M", *points[0]], *curves, ["L", *points[-1]]]
    switched_off = ["lockMovementX", "lockMovementY", "lockRotation", "lockScalingX", "lockScalingY", "lockSkewingX"]
    switched_off += ["lockSkewingY", "lockScalingFlip", "strokeUniform", "flipX", "flipY"]
    look = {"fill": None, "stroke": "#1c2430", "strokeWidth": 20, "strokeLineCap": "round", "strokeLineJoin": "round"}
    plain = {"scaleX": 1, "scaleY": 1, "angle": 0, "skewX": 0, "skewY": 0, "opacity": 1, "visible": True}
    # Without a place of its own, a path stays where its points are.
    return {**dict.fromkeys(switched_off, False), "type": "Path", "version": "7.4.0", **look, **plain, "path": path}
