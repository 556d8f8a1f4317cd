"""Where the host asks for drawings: the question, its answer, and the way back. Without a yes nothing is kept."""

from __future__ import annotations

import logging

import streamlit as st

from hdr import settings
from hdr.reading import collecting
from hdr.reading.handwriting import Handwriting
from hdr.sanitize import escape_markdown
from hdr.types import HdrError
from hdr.ui.components.messages import toast_errors

_TOKEN, _REFUSED, _KEPT = "_consent", "_consent_refused", "_consent_kept"
_log = logging.getLogger("hdr.collecting")


def consent_hint() -> str:
    """Return a sentence that points to the consent form; empty if there is none, or it was answered."""
    asked = _asks() and _TOKEN not in st.session_state and not st.session_state.get(_REFUSED)
    return " The host of this server asks for drawings, too: see My handwriting." if asked else ""


def consent_form(mine: Handwriting) -> None:
    """Ask a user with labelled drawings for consent; after consent, list the donated data and offer to withdraw."""
    if _TOKEN in st.session_state:
        _agreed()
    elif _asks() and _drawings(mine):
        _question(mine)


def sync_donations(mine: Handwriting) -> None:
    """Update the donated drawings to match the collection, if the user has consented."""
    token = st.session_state.get(_TOKEN)
    if token is None:
        return
    # Once the host asks no more, nothing is added; but what was deleted has to go even then.
    if not _asks() and _drawings(mine) > st.session_state.get(_KEPT, 0):
        return
    with toast_errors():
        st.session_state[_KEPT] = collecting.keep(token, mine)


def _asks() -> bool:
    try:
        return settings.current().keep_drawings
    except HdrError as error:
        _log.warning("%s", error)
        return False


def _drawings(mine: Handwriting) -> int:
    return sum(d.picture is None for d in mine.drawings)


def _question(mine: Handwriting) -> None:
    st.markdown("**May the host of this server keep your drawings?**")
    st.caption(
        "They would help to make the reader better. What is kept: the strokes of every drawing that you name, and what "
        "you said it is. No name, no address, no time, no photos. Nothing is kept so far. While this page stays open, "
        "one click deletes them again; later nobody can tell which are yours."
    )
    with st.container(horizontal=True, gap="small"):
        st.button("Yes, keep them", icon=":material/volunteer_activism:", key="consent", on_click=_agree, args=(mine,))
        if not st.session_state.get(_REFUSED):
            st.button("No", key="no_consent", on_click=lambda: st.session_state.update({_REFUSED: True}))


def _agreed() -> None:
    kept = st.session_state.get(_KEPT, 0)
    st.markdown("**The host keeps your drawings**")
    st.caption(
        f"You have agreed: {kept} so far, and every one that you name from now on. What you delete here is deleted "
        "there."
    )
    st.button("Withdraw, and delete them", icon=":material/delete:", key="withdraw_consent", on_click=_withdraw)


def _agree(mine: Handwriting) -> None:
    st.session_state[_TOKEN] = collecting.consent()
    sync_donations(mine)


def _withdraw() -> None:
    try:
        collecting.withdraw(st.session_state[_TOKEN])
    except HdrError as error:
        st.toast(escape_markdown(error))
        return
    for name in (_TOKEN, _KEPT):
        st.session_state.pop(name, None)
    st.session_state[_REFUSED] = True
