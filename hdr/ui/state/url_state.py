"""Session state mirrored in the address, so that copying the address shares it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import streamlit as st

from hdr.types import HdrError

T = TypeVar("T")


class UrlState(Generic[T]):
    """One value of the session that is one parameter of the address.

    Streamlit can bind a widget to the address by itself, but not a set of widgets that changes, and not a value that
    is set on another page.

    Args:
        parameter: its name in the address and in messages.
        default: makes the value of a new session.
        to_text, from_text: write and read it; the latter raises `HdrError` for invalid text.
    """

    def __init__(
        self, parameter: str, default: Callable[[], T], to_text: Callable[[T], str], from_text: Callable[[str], T]
    ) -> None:
        self._parameter, self._default, self._to_text, self._from_text = parameter, default, to_text, from_text
        self._value, self._written, self._revision = (f"_{parameter}{end}" for end in ("", "_address", "_revision"))

    def get(self) -> T:
        """Return the current value."""
        if self._value not in st.session_state:
            st.session_state[self._value] = self._default()
        return st.session_state[self._value]

    def keep(self, value: T) -> None:
        """Set a value that its widgets already show."""
        st.session_state[self._value] = value

    def replace(self, value: T) -> None:
        """Set a value from other code and reset the widgets to it."""
        self.keep(value)
        st.session_state[self._revision] = st.session_state.get(self._revision, 0) + 1

    def widget_key(self, name: str) -> str:
        """Return the key of a widget; it changes after every change made outside the widgets."""
        return f"{self._parameter}-{st.session_state.get(self._revision, 0)}-{name}"

    def write(self) -> None:
        """Put the value into the address; only for the page that shows it."""
        text = self._to_text(self.get())
        st.session_state[self._written] = text
        if st.query_params.get(self._parameter) != text:
            st.query_params[self._parameter] = text

    def follow(self) -> str:
        """Load the value from the address if it differs; otherwise write it there.

        Returns:
            An error message about the address; empty if it is valid.
        """
        text, problem = st.query_params.get(self._parameter), ""
        if text is not None and text != st.session_state.get(self._written):
            try:
                self.replace(self._from_text(text))
            except HdrError as error:
                problem = f"The {self._parameter} in this address cannot be used. {error}"
        self.write()
        return problem
