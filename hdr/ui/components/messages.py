"""Errors as short messages that disappear by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from hdr.sanitize import escape_markdown
from hdr.types import HdrError


@contextmanager
def toast_errors() -> Iterator[None]:
    """Show an `HdrError` of the block as a toast. Changes made before the error remain."""
    try:
        yield
    except HdrError as error:
        st.toast(escape_markdown(error))
