"""Admin panel: delete and publish the runs of all users, behind the admin password."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence

import streamlit as st

from hdr import settings
from hdr.formatting import format_duration
from hdr.jobs import admin
from hdr.store.runs import RunSummary
from hdr.ui.components import arrow_table
from hdr.ui.components.messages import toast_errors
from hdr.ui.state import resources

MOST_TRIES, TRY_SECONDS = 5, 600.0
"""Wrong words that are taken within a time, from all visitors together: a new session is no new chance."""

LONGEST_WORD = 200

_WORD, _SAID = "_admin_word", "_admin_said"
_wrong: deque[float] = deque()
_lock = threading.Lock()


def log_in(said: str) -> str:
    """Check the admin password and, if it is correct, give this session admin rights.

    Returns:
        An error message; empty on success.
    """
    with _lock:
        now = time.monotonic()
        while _wrong and now - _wrong[0] > TRY_SECONDS:
            _wrong.popleft()
        if len(_wrong) >= MOST_TRIES:
            minutes = (TRY_SECONDS - (now - _wrong[0])) / 60
            return f"There were {MOST_TRIES} wrong words. Try again in {max(minutes, 1):.0f} min."
        if not settings.current().is_admin_word(said):
            _wrong.append(now)
            return "This is not the admin word."
    # The word itself: once the host has set another, this session may do nothing more.
    st.session_state[_WORD] = said
    return ""


def unlocked() -> bool:
    """Return whether this session has admin rights."""
    return settings.current().is_admin_word(st.session_state.get(_WORD, ""))


def show() -> None:
    """Show the password field, or all runs after login; nothing if the host has set no password."""
    if settings.current().admin_word is None:
        return
    st.subheader("For the host", anchor=False)
    if unlocked():
        _runs()
        return
    with (
        st.form("admin", border=False, clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        st.text_input("Admin word", type="password", key="admin_said", max_chars=LONGEST_WORD, width=260)
        st.form_submit_button("Unlock", icon=":material/lock_open:", on_click=_try)
    if wrong := st.session_state.pop(_SAID, ""):
        st.error(wrong, icon=":material/error:")


def _try() -> None:
    st.session_state[_SAID] = log_in(st.session_state.get("admin_said", ""))


def _lock_again() -> None:
    st.session_state.pop(_WORD, None)


def _runs() -> None:
    known = resources.store().listed()
    st.caption("All runs of all visitors. Choose rows, then what is to be done with them.")
    rows = [
        {
            "Title": run.title,
            "Owner": run.owner[:8],
            "Status": run.status,
            "Published": run.published,
            "Test accuracy": run.test_accuracy,
            "Model, MB": run.model_bytes / 1e6 if run.model_bytes else None,
            "Started": format_duration(time.time() - run.created) + " ago",
        }
        for run in known
    ]
    columns = {
        "Test accuracy": st.column_config.NumberColumn(format="percent"),
        "Model, MB": st.column_config.NumberColumn(format="%.1f"),
    }
    # The key depends on the runs, so that a selection never applies to other runs.
    key = f"admin-{hash(tuple(run.id for run in known))}"
    chosen = st.dataframe(
        arrow_table.of_rows(rows),
        hide_index=True,
        selection_mode="multi-row",
        on_select="rerun",
        key=key,
        column_config=columns,
        lazy=False,
    )
    several = [known[row] for row in chosen.selection.rows if row < len(known)]
    with st.container(horizontal=True, key="admin_actions"):
        _button("Delete", ":material/delete:", several, _delete)
        _button("Publish", ":material/public:", several, lambda runs: _publish(runs, True))
        _button("Take back", ":material/public_off:", several, lambda runs: _publish(runs, False))
        st.button("Lock again", icon=":material/lock:", key="admin_lock", on_click=_lock_again)


def _button(title: str, icon: str, several: Sequence[RunSummary], act: object) -> None:
    st.button(title, icon=icon, key=f"admin_{title}", disabled=not several, on_click=_do, args=(act, several))


def _do(act, several: Sequence[RunSummary]) -> None:  # noqa: ANN001 - one of the functions below
    # Asked again: the page may have been drawn before the host has set another word.
    if not unlocked():
        return
    with toast_errors():
        st.toast(act(several))


def _delete(several: Sequence[RunSummary]) -> str:
    for run in several:
        if run.active:
            resources.processes().stop(run.id)
    return f"{admin.delete(resources.store(), [r.id for r in several])} deleted; undone for a day by its owner."


def _publish(several: Sequence[RunSummary], published: bool) -> str:
    many = admin.publish(resources.store(), [r.id for r in several], published)
    return f"{many} published." if published else f"{many} taken back."
