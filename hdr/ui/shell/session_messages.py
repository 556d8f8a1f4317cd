"""Keep Streamlit from losing the last messages of a run when the next run starts at once.

A session hands a request to its script thread. Where that thread has just ended, the session starts another one, and
from then on ignores every message of the first that the event loop has not handled yet: an answer, or the end of a run
(AppSession._handle_scriptrunner_event_on_event_loop; https://github.com/streamlit/streamlit/issues/9921 is one effect).
With many visitors, or with a timer on the page, a visitor's answer is lost that way every few minutes, and never comes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamlit.runtime.app_session import AppSession
    from streamlit.runtime.scriptrunner import RerunData

RETRY_SECONDS = 0.001
"""The first thread has only to report that it has ended."""


@lru_cache(maxsize=1)
def keep() -> None:
    """Let every session finish with a script thread before it starts the next one. Once for the process."""
    from streamlit.runtime.app_session import AppSession, AppSessionState

    start = AppSession._create_scriptrunner

    def start_after_the_last(session: AppSession, initial_rerun_data: RerunData) -> None:
        last = session._scriptrunner
        if session._state == AppSessionState.SHUTDOWN_REQUESTED:
            return
        if last is None:
            start(session, initial_rerun_data)
        elif not last.request_rerun(initial_rerun_data):
            session._event_loop.call_later(RETRY_SECONDS, start_after_the_last, session, initial_rerun_data)

    AppSession._create_scriptrunner = start_after_the_last  # type: ignore[method-assign, assignment]
