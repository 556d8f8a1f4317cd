"""Widgets from declared parameters, which say which one, its range, its unit and its help; and all of an entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from hdr.catalogue import Entry, Parameter
from hdr.ui.components.citations import link_citation


def log_values(parameter: Parameter, value: Any) -> list[Any]:
    """Return 1, 2 and 5 of every decade within the range, its ends, and the current value."""
    low, high = parameter.limits
    found = {parameter.type(low), parameter.type(high), value}
    for decade in range(-8, 7):
        for digit in (1, 2, 5):
            candidate = float(f"{digit}e{decade}")
            if low <= candidate <= high and parameter.type(candidate) == candidate:
                found.add(parameter.type(candidate))
    return sorted(found)


def parameter_widget(
    parameter: Parameter,
    value: Any,
    key: str,
    on_change: Callable[..., None] | None = None,
    args: tuple[Any, ...] = (),
    **options: Any,
) -> Any:
    """Show the widget for one parameter.

    The value is the initial one of a new widget. To show another value later, a widget needs a new key:
    a value set through the session state can get lost between two quick clicks, and the browser's old value
    would then come back as if the user had chosen it.

    Args:
        parameter: the declaration.
        value: what a new widget shows.
        key: the widget's key.
        on_change: called with `args` after it was changed; the new value is then in the session state.
        options: passed on to Streamlit, such as `bind`.

    Returns:
        The widget's value.
    """
    common = {"key": key, "help": parameter.help, "on_change": on_change or "rerun", "args": args or None, **options}
    if parameter.type is bool:
        return st.toggle(parameter.title, value, **common)
    if parameter.choices and parameter.type is str:
        return st.segmented_control(parameter.title, parameter.choices, default=value, required=True, **common)
    if parameter.choices or parameter.log:
        # Kept as long as the widget: were a value that is off the scale to vanish from it, all others would move up.
        choices = parameter.choices or st.session_state.setdefault(f"{key}-choices", log_values(parameter, value))
        return st.select_slider(parameter.title, choices, value, format_func=parameter.shown, **common)
    return _slider(parameter, value, common)


def _slider(parameter: Parameter, value: Any, common: Mapping[str, Any]) -> Any:
    kind = parameter.type
    unit = parameter.unit.replace("%", "%%")
    step = kind(parameter.step or (1 if kind is int else 0.1))
    places = "%d" if kind is int else "%.1f" if step >= 0.1 else "%.2f"
    return st.slider(
        parameter.title,
        kind(parameter.minimum),
        kind(parameter.maximum),
        kind(value),
        step,
        format=f"{places} {unit}".strip(),
        **common,
    )


def entry_form(
    entry: Entry,
    params: Mapping[str, Any],
    key_of: Callable[[str], str],
    on_change: Callable[[str, str], None],
) -> None:
    """Show what an entry does, a widget for each of its parameters, its formula and its source.

    Args:
        entry: of the catalogue.
        params: the value of every parameter.
        key_of: gives the key of the widget for a parameter's name.
        on_change: called with a parameter's name and its widget's key after it was changed.
    """
    st.markdown(entry.caption)
    for parameter in entry.parameters:
        key = key_of(parameter.name)
        parameter_widget(parameter, params[parameter.name], key, on_change, (parameter.name, key))
    if entry.formula:
        st.latex(entry.formula, width="content")
    if entry.source:
        st.caption(link_citation(entry.source))
