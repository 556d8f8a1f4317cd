"""Menu of image corruptions, each with its slider."""

from __future__ import annotations

from typing import Any

import streamlit as st

from hdr import catalogue
from hdr.catalogue import Entry, Parameter
from hdr.types import Step
from hdr.ui.components.parameter_widgets import parameter_widget

SHARED: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}
"""Options of widgets whose values are kept from page to page and in the address."""


def menu() -> None:
    """Show the disturbances in a popover."""
    label = f"Disturb ({len(active)})" if (active := steps()) else "Disturb"
    with st.popover(label, icon=":material/blur_on:", help="Spoil the digit on purpose, and see which step mends it."):
        st.number_input("Seed", 0, 9999, key="seed", help="Other noise of the same kind.", **SHARED)
        for entry in catalogue.entries("disturbance"):
            for parameter in _sliders(entry):
                parameter_widget(parameter, parameter.default, _key(entry, parameter), **SHARED)
        st.button("Undisturbed", icon=":material/restart_alt:", on_click=_reset)
    if steps() != active:
        # The label counts the active corruptions, and values from the address are only known once the sliders exist.
        st.rerun()


def steps() -> tuple[Step, ...]:
    """Return the active corruptions with their values."""
    found = []
    for entry in catalogue.entries("disturbance"):
        values = {p.name: st.session_state.get(_key(entry, p), p.default) for p in _sliders(entry)}
        if any(values[p.name] != p.default for p in _sliders(entry)):
            found.append(Step(entry.name, values))
    return tuple(found)


def seed() -> int:
    """Return the seed of their noise."""
    return int(st.session_state.get("seed", 0))


def describe() -> str:
    """Return the active corruptions as text; empty if there are none."""
    return ", ".join(
        f"{p.title} {p.shown(step.params[p.name])}"
        for step in steps()
        for p in _sliders(catalogue.get("disturbance", step.name))
        if step.params[p.name] != p.default
    )


def _sliders(entry: Entry) -> list[Parameter]:
    # The seed is one for all.
    return [p for p in entry.parameters if p.name != "seed"]


def _key(entry: Entry, parameter: Parameter) -> str:
    return f"{entry.name}.{parameter.name}"


def _reset() -> None:
    for entry in catalogue.entries("disturbance"):
        for parameter in _sliders(entry):
            if (key := _key(entry, parameter)) in st.session_state:
                st.session_state[key] = parameter.default
