"""The visitors of the load benchmark understand what Streamlit reports of a run."""

from __future__ import annotations

import asyncio

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.visitor import Visitor

DONE, EARLY = ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY, ForwardMsg.FINISHED_EARLY_FOR_RERUN


def start(*fragments: str) -> ForwardMsg:
    """The start of a run of some fragments; of the page, where there are none."""
    message = ForwardMsg()
    message.new_session.page_script_hash = "page"
    message.metadata.run.fragment_ids.extend(fragments)
    return message


def end(status: ForwardMsg.ScriptFinishedStatus) -> ForwardMsg:
    """The end of a run."""
    return ForwardMsg(script_finished=status)


ENDS = {
    "its end is reported": ([start("board"), end(DONE)], True),
    "it has not ended": ([start("board")], False),
    # Streamlit changes the end of a run that was not sent yet when another one starts.
    "another fragment starts before its end was sent": ([start("board"), end(EARLY), start("timer")], True),
    "it is interrupted and repeated": ([start("board"), end(EARLY), start("board")], False),
    "the repetition ends": ([start("board"), end(EARLY), start("board", "timer"), end(DONE)], True),
    "the page runs instead": ([start("board"), end(EARLY), start()], False),
    "only another fragment ends": ([start("timer"), end(DONE)], False),
}


@pytest.mark.parametrize("case", ENDS)
def test_a_press_is_over_when_the_run_that_follows_it_is(case: str) -> None:
    messages, over = ENDS[case]

    async def press() -> bool:
        visitor = Visitor("http://127.0.0.1:1")
        watch = visitor._watch(lambda run: (not run.fragments or "board" in run.fragments) and run.ended)
        for message in messages:
            visitor._take(message)
        return watch.found.done()

    assert asyncio.run(press()) is over
