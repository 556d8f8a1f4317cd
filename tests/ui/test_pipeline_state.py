"""The chain of a session: what callbacks do to it, and how it goes through the address."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from hdr.preprocessing import PRESETS, Pipeline
from hdr.preprocessing.pipeline import chain as make_chain
from tests.support.waiting import PATIENCE


def page() -> None:
    """The smallest page that has a chain."""
    import streamlit as st

    from hdr.ui.state import pipeline_state

    if "act" in st.session_state:
        name, arguments = st.session_state.pop("act")
        getattr(pipeline_state, name)(*arguments)
    st.session_state["problem"] = pipeline_state.follow_address()
    st.session_state["was_selected"] = pipeline_state.selected()


def app(address: str | None = None) -> AppTest:
    """A session of that page."""
    found = AppTest.from_function(page, default_timeout=PATIENCE)
    if address is not None:
        found.query_params["chain"] = address
    return run(found)


def run(found: AppTest, name: str = "", *arguments: object) -> AppTest:
    """Run the page, maybe with a call to a function of the chain before it."""
    if name:
        found.session_state["act"] = (name, arguments)
    found.run()
    assert not found.exception, found.exception
    return found


def names(found: AppTest) -> list[str]:
    """The names of the steps."""
    return [s.name for s in held(found).steps]


def held(found: AppTest) -> Pipeline:
    """The chain, which the address always agrees with."""
    assert found.session_state["_chain"].to_text() == found.query_params["chain"]
    return found.session_state["_chain"]


def test_without_an_address_it_is_the_default_and_the_address_says_so() -> None:
    assert names(app()) == list(PRESETS["Default"])


def test_a_chain_goes_through_the_address_and_comes_back_the_same() -> None:
    first = app()
    first.session_state["off"] = False
    for call in [("add", "gaussian"), ("switch", 0, "off"), ("move", 0, 1), ("remove", 4), ("add", "threshold")]:
        run(first, *call)
    assert held(first) != make_chain(*PRESETS["Default"])
    second = app(first.query_params["chain"])
    assert held(second) == held(first)
    assert second.session_state["problem"] == ""


def test_an_empty_address_is_an_empty_chain() -> None:
    found = app("")
    assert names(found) == []
    assert found.session_state["was_selected"] == -1


def test_a_new_address_in_the_same_session_brings_its_chain() -> None:
    found = app("median")
    found.query_params["chain"] = "otsu"
    assert names(run(found)) == ["otsu"]


def test_an_address_that_was_lost_is_written_again() -> None:
    found = app("median")
    del found.query_params["chain"]
    assert names(run(found)) == ["median"]


def test_a_hostile_address_gives_a_plain_message_and_the_chain_stays() -> None:
    found = app("'; DROP TABLE runs; --")
    assert "The chain in this address cannot be used." in found.session_state["problem"]
    assert "There is no step" in found.session_state["problem"]
    assert names(found) == list(PRESETS["Default"])
    assert run(found).session_state["problem"] == ""


def test_what_is_added_comes_after_the_selected_step_and_is_selected() -> None:
    found = run(app("median~otsu"), "select", 0)
    run(found, "add", "mean")
    assert names(found) == ["median", "mean", "otsu"]
    assert found.session_state["was_selected"] == 1


def test_moving_beyond_the_ends_changes_nothing() -> None:
    found = app("median~otsu")
    run(found, "move", 0, -1)
    run(found, "move", 1, 1)
    assert names(found) == ["median", "otsu"]


def test_taking_out_the_last_step_keeps_the_selection_within_the_chain() -> None:
    found = run(app("median~otsu"), "select", 1)
    run(found, "remove", 1)
    assert found.session_state["was_selected"] == 0
    run(found, "remove", 0)
    assert found.session_state["was_selected"] == -1


def test_a_chain_has_no_more_steps_than_it_may() -> None:
    found = app("~".join(["otsu"] * 24))
    run(found, "add", "median")
    assert names(found) == ["otsu"] * 24


def test_a_parameter_takes_the_value_of_its_widget() -> None:
    found = app("threshold")
    found.session_state["level"] = 7
    run(found, "set_parameter", 0, "level", "level")
    assert held(found).steps[0].params["level"] == 7


def test_a_value_that_the_declaration_refuses_is_said_and_changes_nothing() -> None:
    found = app("threshold-level-100")
    found.session_state["level"] = 9999
    run(found, "set_parameter", 0, "level", "level")
    assert held(found).steps[0].params["level"] == 100
    assert "9999" in found.toast[0].value
    assert "from 0 to 254" in found.toast[0].value


def test_two_sessions_have_chains_of_their_own() -> None:
    first, second = app(), app()
    run(first, "remove", 0)
    assert names(run(second)) == list(PRESETS["Default"])
