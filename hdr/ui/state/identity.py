"""User identity: a single owner on a local machine, a random one per browser on a public server."""

from __future__ import annotations

import secrets

import streamlit as st

from hdr import settings

LOCAL = "local"
_KEY = "hdr_owner"

_KEEP_OWNER = """
export default function (component) {
  const { data, setStateValue } = component
  let token = null
  try { token = window.localStorage.getItem("hdr-owner") } catch (e) {}
  if (!token || !/^[0-9a-f]{32}$/.test(token)) {
    token = data.fresh
    try { window.localStorage.setItem("hdr-owner", token) } catch (e) {}
  }
  if (token !== data.known) setStateValue("token", token)
}
"""


def demo() -> bool:
    """Return whether many people share the server."""
    return settings.current().demo


@st.cache_resource(max_entries=1)
def _component():  # noqa: ANN202 - Streamlit names no public type for it
    return st.components.v2.component("hdr_owner_token", html="<span></span>", js=_KEEP_OWNER)


def identify() -> None:
    """Learn who this session belongs to; called once at the top of every run of the app.

    In the demo profile the visitor's browser keeps a random token, so that a reload finds the same runs. Until it has
    answered, the session has a fresh token of its own.
    """
    if not demo():
        return
    fresh = st.session_state.setdefault("_fresh_owner", secrets.token_hex(16))
    answer = _component()(
        key=_KEY, data={"fresh": fresh, "known": owner()}, on_token_change=lambda: None, width="content", height=1
    )
    token = answer.get("token")
    if isinstance(token, str) and len(token) == 32 and all(c in "0123456789abcdef" for c in token):
        st.session_state["_owner"] = token


def owner() -> str:
    """Return the owner of the runs that this session trains."""
    if not demo():
        return LOCAL
    return st.session_state.get("_owner") or st.session_state.setdefault("_fresh_owner", secrets.token_hex(16))
