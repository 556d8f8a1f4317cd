"""Parts of a page that are drawn by themselves: an error that was written for people is shown as it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.waiting import PATIENCE

UI = Path(__file__).resolve().parents[2] / "hdr" / "ui"

NEVER_RAISE = {
    # The page's own beginning, which what shows errors rests on; it reads what a background thread has written.
    "startup._progress",
    # What a job has raised is its answer.
    "job_progress._live",
    # It waits for the store that is away, and says so itself.
    "store_outage._come_back",
}


def fragments() -> Iterator[tuple[str, bool]]:
    """Every function that is a fragment, and whether its errors are shown plainly."""
    for path in UI.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        functions = {f.name: f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)}
        # st.fragment(f, ...)(...) as well as @st.fragment.
        named = {
            call.args[0].id
            for call in ast.walk(tree)
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "st.fragment" and call.args
        }
        for name, function in functions.items():
            decorators = [ast.unparse(d) for d in function.decorator_list]
            if name in named or any(d.startswith("st.fragment") for d in decorators):
                # Below the other one: otherwise a rerun of the fragment alone would go past it.
                yield f"{path.stem}.{name}", bool(decorators) and decorators[-1].endswith(".show_errors()")


def test_every_fragment_says_in_words_what_cannot_be_done() -> None:
    found = dict(fragments())
    assert len(found) > 20 and set(found) >= NEVER_RAISE
    assert {name for name, shown in found.items() if not shown} == NEVER_RAISE


def broken() -> None:
    """A page with a fragment that cannot be done."""
    import streamlit as st

    from hdr.types import HdrError
    from hdr.ui.shell import page

    @st.fragment
    @page.show_errors()
    def part() -> None:
        raise HdrError("The <b>model</b> was deleted.")

    @st.fragment
    def other() -> None:
        raise HdrError("It was deleted.")

    part()
    if st.session_state.get("bare"):
        other()
    st.caption("The rest of the page")


@pytest.mark.parametrize("bare", [False, True])
def test_the_rest_of_the_page_stands(bare: bool) -> None:
    app = AppTest.from_function(broken, default_timeout=PATIENCE)
    app.session_state["bare"] = bare
    app.run()
    assert [e.value.replace("\\", "") for e in app.error] == ["The <b>model</b> was deleted."]
    # Why it has to be said of each: Streamlit itself keeps what a fragment says from people.
    assert bool(app.exception) == bare
    assert bool(app.caption) != bare
