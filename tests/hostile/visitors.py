"""Visitors of a running server who keep every byte that it sends them, and a server for them."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import itertools
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import sqlalchemy as sa
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs, StringArray, UploadedFileInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks import visitor
from benchmarks.visitor import VisitError, Visitor
from hdr.store.runs import ACTIVE, RunStore
from hdr.store.schema import runs

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240.0
"""Seconds that any answer may take: what is looked at here is what comes, not when."""

TRIES = 4

visitor.PATIENCE = PATIENCE


@contextmanager
def server(home: Path, **settings: str) -> Iterator[str]:
    """The app on a free port of this machine, in the demo profile; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless=true"]
    # Whoever is slow to answer on a busy machine is not gone; and code that is changed meanwhile is not taken in.
    command += ["--server.websocketPingInterval=300", "--server.fileWatcherType=none"]
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, f"--server.port={port}", "--server.address=127.0.0.1"],
            cwd=ROOT,
            env={**os.environ, "HDR_HOME": str(home), "HDR_PROFILE": "demo", **settings},
            stdout=log,
            stderr=log,
            # With whatever it starts it can then be ended as one.
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process)
            yield url
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            _end_trainings(home)


def _end_trainings(home: Path) -> None:
    # They live on without their server, as they should elsewhere; a spare one ends by itself.
    if not (home / "runs.sqlite").exists():
        return
    store = RunStore(f"sqlite:///{home / 'runs.sqlite'}")
    with store.database.reading() as connection:
        processes = connection.execute(sa.select(runs.c.process).where(runs.c.status == "running")).scalars().all()
    for run in store.listed(statuses=ACTIVE):
        # So that none begins that somebody has been told to.
        store.end(run.id, "stopped")
    for process in filter(None, processes):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        assert time.monotonic() < deadline, "the server does not answer"
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.1)


def answer(request: urllib.request.Request) -> tuple[int, bytes, dict[str, str]]:
    """What a server says: status, content and headers."""
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as said:
            return said.status, said.read(), {k.lower(): v for k, v in said.headers.items()}
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), {k.lower(): v for k, v in error.headers.items()}


def put(url: str, name: str, data: bytes, token: str, header: str | None = None) -> int:
    """Upload a file as browsers do; returns the status.

    Args:
        url: where to.
        name: of the file.
        data: its content.
        token: of the cookie; empty for none.
        header: the token that is sent beside the cookie; the same where it is left out.
    """
    border = secrets.token_hex(12)
    head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    body = head + data + f"\r\n--{border}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={border}"}
    headers |= {"Cookie": f"_streamlit_xsrf={token}"} if token else {}
    sent = token if header is None else header
    headers |= {"X-Xsrftoken": sent} if sent else {}
    return answer(urllib.request.Request(url, body, headers, method="PUT"))[0]


def announce(url: str, size: int, token: str) -> int:
    """Say that a file of so many bytes is coming, and send none of it; returns the status."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
    headers = {"Cookie": f"_streamlit_xsrf={token}", "X-Xsrftoken": token, "Content-Length": str(size)}
    try:
        connection.request("PUT", parts.path, headers=headers | {"Content-Type": "multipart/form-data; boundary=x"})
        return connection.getresponse().status
    finally:
        connection.close()


def token(url: str) -> str:
    """The token that a server gives a browser in a cookie."""
    cookie = answer(urllib.request.Request(f"{url}/_stcore/health"))[2].get("set-cookie", "")
    return cookie.partition("_streamlit_xsrf=")[2].partition(";")[0]


class Listener(Visitor):
    """A visitor who keeps what is sent to it.

    Attributes:
        heard: every message, as it came.
        session, owner: the names that the server and the app have given it.
    """

    def __init__(self, url: str, page: str = "") -> None:
        super().__init__(url, page)
        self.heard: list[bytes] = []
        self.session = self.owner = ""
        self._pages: dict[str, str] = {}
        self._at = self._done = ""
        self._going = False
        self._uploads: dict[str, asyncio.Future[FileURLs]] = {}
        self._numbers = itertools.count()

    def holds(self, mark: str) -> bool:
        """Whether anything that was sent says this."""
        return any(mark.encode() in message for message in self.heard)

    async def go(self, page: str, query: str = "") -> float:
        """Change to another page, by an address with these parameters; returns when it is there."""
        self._going = True
        try:
            for _ in range(TRIES):
                self._at, self._done, self._query = "", "", query
                seconds = await super().go(page)
                deadline = time.monotonic() + PATIENCE / TRIES
                # A run of the page before may have come to its end meanwhile, and this one is still to come.
                while time.monotonic() < deadline:
                    if self._done == self._pages.get(page, "?"):
                        return seconds
                    await asyncio.sleep(0.05)
        finally:
            self._going = False
        raise VisitError(f"The page {page!r} does not come.")

    async def named(self, start: str) -> str:
        """The key of a widget that begins so; waits for it, since a run may be followed by another one."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = [k for k in self.widgets if k == start] or [k for k in self.widgets if k.startswith(start)]
            if found:
                return found[-1]
            assert time.monotonic() < deadline, f"there is no widget {start!r} on the page {self._page!r}"
            await asyncio.sleep(0.1)

    async def say(self, key: str, **value: object) -> None:
        """Give a widget a value, and wait for what follows.

        Args:
            key: of the widget, or what its key begins with.
            value: as `WidgetState` has it, such as `string_value="words"`.
        """
        for left in reversed(range(TRIES)):
            found = await self.named(key)
            widget, fragment = self._widget(found)
            self._values[widget] = WidgetState(id=widget, **value)
            try:
                await self._asked(fragment, lambda run: run.ended, f"what follows {found}")
                return
            except VisitError:
                # The part of the page that it was in may have been made anew, as when a download ends.
                if not left:
                    raise

    async def choose(self, key: str, option: str) -> None:
        """Choose one of several buttons by its words."""
        await self.say(key, string_array_value=StringArray(data=[option]))

    async def push(self, key: str) -> None:
        """Press a button, once it is there."""
        await self.named(key)
        await self.press(key)

    async def place(self, name: str) -> FileURLs:
        """Ask where to upload a file."""
        message, number = BackMsg(), str(next(self._numbers))
        request = message.file_urls_request
        request.request_id, request.session_id = number, self.session
        request.file_names.append(name)
        self._uploads[number] = asyncio.get_running_loop().create_future()
        await self._connection.send(message.SerializeToString())
        return await asyncio.wait_for(self._uploads[number], PATIENCE)

    async def upload(self, key: str, name: str, data: bytes) -> int:
        """Choose a file; returns the status of its upload."""
        place = await self.place(name)
        cookie = await asyncio.to_thread(token, self._url)
        status = await asyncio.to_thread(put, urljoin(self._url, place.upload_url), name, data, cookie)
        state = WidgetState().file_uploader_state_value
        state.uploaded_file_info.append(
            UploadedFileInfo(name=name, size=len(data), file_id=place.file_id, file_urls=place)
        )
        await self.say(key, file_uploader_state_value=state)
        return status

    async def _ask(self, fragment: str, page_name: str = "", by_itself: bool = False) -> None:
        if by_itself and self._going:
            # The server joins what is asked for at once, and would take the page that this part is on.
            return None
        return await super()._ask(fragment, page_name, by_itself)

    def _take(self, message: ForwardMsg) -> None:
        self.heard.append(message.SerializeToString())
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session = message.new_session.initialize.session_id or self.session
        elif kind == "navigation":
            self._pages = {p.url_pathname: p.page_script_hash for p in message.navigation.app_pages}
            self._at = message.navigation.page_script_hash
        elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            self._done = self._at
        elif kind == "file_urls_response":
            (place,) = message.file_urls_response.file_urls
            self._uploads[message.file_urls_response.response_id].set_result(place)
        elif kind == "delta":
            self._note_owner(message.delta.new_element.bidi_component)
        super()._take(message)
        self._hash = self._at or self._hash

    def _note_owner(self, component: object) -> None:
        if getattr(component, "component_name", "").endswith("hdr_owner_token"):
            self.owner = json.loads(component.json or "{}").get("fresh", "") or self.owner
