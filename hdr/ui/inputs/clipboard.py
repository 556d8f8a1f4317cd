"""A picture from the clipboard: Streamlit's uploader takes files only."""

from __future__ import annotations

import base64
import binascii

import streamlit as st

from hdr.images import MAX_BYTES, ImageError
from hdr.ui import ASSETS

_JS = ASSETS / "clipboard.js"
_CSS = """
.paste { border: 1px dashed rgba(128, 128, 128, 0.6); border-radius: 6px; padding: 1.1rem 1rem; font-size: 0.95rem;
  color: inherit; font-family: inherit; }
"""
_HTML = '<div class="paste">Copy a picture, then press Ctrl+V (⌘V on a Mac) anywhere on this page.</div>'


@st.cache_resource(max_entries=1, show_spinner=False)
def _component():  # noqa: ANN202 - Streamlit names no public type for it
    return st.components.v2.component("hdr_paste", html=_HTML, css=_CSS, js=_JS.read_text("utf-8"))


def picture(key: str) -> bytes | None:
    """Show the paste area; return the content of the last pasted image, None before the first.

    Raises:
        ImageError: the pasted image is too large or was damaged in transfer.
    """
    sent = _component()(key=key, on_picture_change=lambda: None).get("picture")
    return decoded(sent) if isinstance(sent, str) else None


def decoded(sent: str) -> bytes:
    """Return an image's content, decoded from base64.

    Raises:
        ImageError: it is too large or none.
    """
    if len(sent) > MAX_BYTES * 4 // 3 + 4:
        raise ImageError(f"The picture is too large to be pasted; at most {MAX_BYTES:,} bytes are allowed.")
    try:
        return base64.b64decode(sent, validate=True)
    except (ValueError, binascii.Error):
        raise ImageError("What was pasted was damaged on its way: paste it again.") from None
