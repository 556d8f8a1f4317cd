"""No message of a run is lost where the next run starts before the session has handled it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import ScriptRunnerEvent
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext  # noqa: F401 - imports in order

from hdr.ui.shell import session_messages


class Runner:
    """A script thread that has ended, or takes requests."""

    def __init__(self, ended: bool) -> None:
        self.ended, self.requests = ended, []

    def request_rerun(self, request: Any) -> bool:
        if not self.ended:
            self.requests.append(request)
        return not self.ended


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The requests for which a session has started a script thread; the fix is undone after the test."""
    found: list[Any] = []

    def start(session: AppSession, request: Any) -> None:
        found.append(request)
        session._scriptrunner = Runner(ended=False)

    monkeypatch.setattr(AppSession, "_create_scriptrunner", start)
    session_messages.keep.__wrapped__()
    return found


def session(runner: Runner) -> AppSession:
    """A session whose script thread has ended, and reports nothing by itself."""
    found = AppSession.__new__(AppSession)
    found._scriptrunner, found._state = runner, AppSessionState.APP_IS_RUNNING
    found._event_loop, found._browser_queue = asyncio.get_running_loop(), ForwardMsgQueue()
    found._client_state, found._message_enqueued_callback, found._settled = ClientState(), None, None
    found._run_on_save = False
    found.has_fragment = lambda fragment: True
    return found


def request(fragment: str) -> ClientState:
    """What a browser asks for when a widget of a fragment changes."""
    return ClientState(fragment_id=fragment)


def answer() -> ForwardMsg:
    """A message that a run has left behind."""
    message = ForwardMsg()
    message.delta.new_element.html.body = "7"
    return message


def test_a_run_waits_for_the_messages_of_the_run_before(started: list[Any]) -> None:
    async def play() -> None:
        last = Runner(ended=True)
        app = session(last)
        app.request_rerun(request("timer"))
        app.request_rerun(request("board"))
        assert not started, "the answer of the last run is still on its way"
        app._on_scriptrunner_event(last, ScriptRunnerEvent.ENQUEUE_FORWARD_MSG, forward_msg=answer())
        app._on_scriptrunner_event(last, ScriptRunnerEvent.SHUTDOWN, client_state=ClientState())
        while not started:
            await asyncio.sleep(0.001)
        # The second request joins the thread that the first one has started.
        while not app._scriptrunner.requests:
            await asyncio.sleep(0.001)
        assert app._browser_queue.flush()[0].delta.new_element.html.body == "7"
        assert [r.fragment_id for r in started + app._scriptrunner.requests] == ["timer", "board"]
        app._state = AppSessionState.SHUTDOWN_REQUESTED

    asyncio.run(asyncio.wait_for(play(), 60))


def test_a_session_that_has_ended_starts_nothing(started: list[Any]) -> None:
    async def play() -> None:
        last = Runner(ended=True)
        app = session(last)
        app.request_rerun(request("board"))
        app._state, app._scriptrunner = AppSessionState.SHUTDOWN_REQUESTED, None
        await asyncio.sleep(0.05)
        assert not started

    asyncio.run(play())


def test_a_session_without_a_thread_starts_one_at_once(started: list[Any]) -> None:
    async def play() -> None:
        app = session(Runner(ended=True))
        app._scriptrunner = None
        app.request_rerun(request("board"))
        assert len(started) == 1
        app._state = AppSessionState.SHUTDOWN_REQUESTED

    asyncio.run(play())
