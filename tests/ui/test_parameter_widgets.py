"""Widgets from declared parameters."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from hdr import catalogue
from hdr.catalogue import Kind, Parameter
from hdr.training.run_spec import PRESETS  # noqa: F401 - imports what registers classifiers and features
from hdr.ui.components.parameter_widgets import log_values
from tests.support.waiting import PATIENCE

KINDS: tuple[Kind, ...] = ("step", "disturbance", "feature", "reduction", "classifier")
EVERY = [(k, e.name, p.name) for k in KINDS for e in catalogue.entries(k) for p in e.parameters]
RATE = Parameter("rate", "Rate", float, 0.001, 1e-4, 1e-1, None, "", True, (), "")


def parameter(kind: Kind, entry: str, name: str) -> Parameter:
    """A declared parameter."""
    return next(p for p in catalogue.get(kind, entry).parameters if p.name == name)


def page(kind: str, entry: str, name: str, given: object) -> None:
    """A page with the widget of one parameter."""
    import streamlit as st

    import hdr.training.run_spec  # noqa: F401 - registers everything
    from hdr import catalogue
    from hdr.ui.components.parameter_widgets import parameter_widget

    found = next(p for p in catalogue.get(kind, entry).parameters if p.name == name)
    st.session_state["got"] = parameter_widget(found, given, "widget")


@pytest.mark.parametrize(("kind", "entry", "name"), EVERY, ids=lambda v: str(v))
def test_every_declared_parameter_has_a_widget_that_shows_its_default(kind: Kind, entry: str, name: str) -> None:
    declared = parameter(kind, entry, name)
    app = AppTest.from_function(page, args=(kind, entry, name, declared.default), default_timeout=PATIENCE).run()
    assert not app.exception, app.exception
    assert app.session_state["got"] == declared.default
    assert type(app.session_state["got"]) is declared.type
    widget = app.get_by_key("widget")
    assert widget.label == declared.title
    assert widget.help == declared.help


@pytest.mark.parametrize(("kind", "entry", "name"), EVERY, ids=lambda v: str(v))
def test_every_value_that_a_widget_offers_is_one_that_the_declaration_takes(kind: Kind, entry: str, name: str) -> None:
    declared, takes = parameter(kind, entry, name), catalogue.get(kind, entry).validate
    if declared.log:
        values = log_values(declared, declared.default)
    elif declared.choices:
        values = list(declared.choices)
    elif declared.type is bool:
        values = [True, False]
    else:
        values = [declared.type(declared.minimum), declared.type(declared.maximum)]
    for value in values:
        others = {p.name: p.default for p in catalogue.get(kind, entry).parameters if p.name != name}
        assert takes({**others, name: value})[name] == value


def test_log_values_are_1_2_and_5_of_every_decade_with_the_ends() -> None:
    assert log_values(RATE, 0.001) == [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1]


def test_log_values_hold_the_value_at_hand_and_ends_that_are_not_round() -> None:
    odd = replace(RATE, minimum=3e-4, maximum=0.03)
    found = log_values(odd, 0.0042)
    assert found[0] == 3e-4
    assert found[-1] == 0.03
    assert 0.0042 in found
    assert found == sorted(set(found))


def test_log_values_of_whole_numbers_are_whole() -> None:
    units = Parameter("units", "Units", int, 100, 1, 500, None, "", True, (), "")
    found = log_values(units, 100)
    assert found == [1, 2, 5, 10, 20, 50, 100, 200, 500]
    assert all(type(v) is int for v in found)


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [("px", 3, "3 px"), ("", 0.001, "0.001"), ("%", 60, "60%"), ("", 1e-6, "1e-06"), ("", False, "no")],
)
def test_values_are_shown_with_their_unit(unit: str, value: float, text: str) -> None:
    assert replace(RATE, unit=unit).shown(value) == text


def changing(given: object) -> None:
    """A page whose widget is given another value by something else, and with it another key."""
    import streamlit as st

    import hdr.training.run_spec  # noqa: F401 - registers everything
    from hdr import catalogue
    from hdr.ui.components.parameter_widgets import parameter_widget

    found = next(p for p in catalogue.get("step", "threshold").parameters if p.name == "level")
    st.session_state.setdefault("value", given)
    st.session_state.setdefault("key", "widget")

    def take() -> None:
        st.session_state["value"] = st.session_state[st.session_state["key"]]

    parameter_widget(found, st.session_state["value"], st.session_state["key"], take)


def test_a_widget_follows_both_the_hand_and_what_is_set_from_elsewhere() -> None:
    app = AppTest.from_function(changing, args=(100,), default_timeout=PATIENCE).run()
    app.slider(key="widget").set_value(7).run()
    assert app.session_state["value"] == 7
    assert app.run().slider(key="widget").value == 7
    app.session_state["value"], app.session_state["key"] = 200, "widget again"
    assert app.run().slider(key="widget again").value == 200
    assert not app.exception
