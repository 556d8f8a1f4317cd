"""Which search the Train page shows, and the earlier ones there are to open again."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import streamlit as st

from hdr import catalogue
from hdr.formatting import format_percent
from hdr.sanitize import escape_markdown
from hdr.store.searches import SearchStore, UnknownSearchError
from hdr.tuning.records import Search
from hdr.types import HdrError
from hdr.ui.state import identity, resources, search_config

PARAMETER = "search"
MOST_LISTED = 100
"""Searches that the list offers, the newest first."""

_SEARCH, _DELETED = "_search", "_search_deleted"


def store() -> SearchStore:
    """Return the searches in the run store."""
    return SearchStore(resources.store())


def open_search(search_id: str | None) -> None:
    """Show this search, or none."""
    st.session_state[_SEARCH] = search_id or ""


def sync_url() -> None:
    """Where the address names a search and no space, show on the left what that search varies."""
    wanted = st.query_params.get(PARAMETER)
    if _SEARCH in st.session_state or not wanted or search_config.PARAMETER in st.query_params:
        return
    with suppress(HdrError):
        search_config.of(store().get(wanted[:100], identity.owner()).spec)


def current() -> Search | None:
    """Return the search to show: the last opened one, the one in the address, or a running one.

    The address then names it, so that a reload comes back to it.
    """
    wanted = st.session_state.get(_SEARCH)
    if wanted is None:
        wanted = st.query_params.get(PARAMETER)
    search = _newest_active() if wanted is None else _find(wanted)
    if search:
        st.session_state[_SEARCH] = search.id
        st.query_params[PARAMETER] = search.id
    else:
        st.query_params.pop(PARAMETER, None)
    return search


def _find(search_id: str) -> Search | None:
    if not search_id:
        return None
    try:
        return store().get(search_id[:100], identity.owner())
    except UnknownSearchError:
        st.session_state.pop(_SEARCH, None)
        st.query_params.pop(PARAMETER, None)
        st.warning("The search in this address is not here: it was deleted, or it belongs to somebody else.")
        return None


def _newest_active() -> Search | None:
    mine = store().searches(identity.owner(), ("queued", "running"))
    return next((s for s in mine if s.owner == identity.owner()), None)


def is_editable(search: Search) -> bool:
    """Return whether this visitor may stop, resume or delete the search."""
    return search.owner == identity.owner()


def choose(shown: Search | None) -> None:
    """Show the list of earlier searches, and an undo of the last deletion."""
    known = store().searches(identity.owner(), limit=MOST_LISTED)
    if not known and not st.session_state.get(_DELETED):
        return
    with st.container(horizontal=True, vertical_alignment="center", key="tune_searches"):
        if known:
            _list(known, shown)
        if gone := st.session_state.get(_DELETED):
            st.button("Undo delete", icon=":material/undo:", key="tune_undo", on_click=_restore, args=(gone,))


def _open(key: str, known: Mapping[str, Search]) -> None:
    if st.session_state[key] in known:
        open_search(st.session_state[key])


def _list(known: list[Search], shown: Search | None) -> None:
    by_id = {s.id: s for s in known} | ({shown.id: shown} if shown else {})
    # Another key for another search, since what is open may change from elsewhere, too; and for other labels, since
    # the browser answers with a label.
    labels = _labels(list(by_id.values()))
    key = f"tune_open-{catalogue.key_of([shown.id if shown else '', *labels.values()])}"
    st.selectbox(
        "Searches",
        list(by_id),
        list(by_id).index(shown.id) if shown else None,
        format_func=labels.__getitem__,
        key=key,
        label_visibility="collapsed",
        placeholder=f"Open one of {len(known)} earlier searches" if len(known) > 1 else "Open the earlier search",
        on_change=_open,
        args=(key, by_id),
        width=430,
    )
    if shown:
        st.button(
            "Its settings",
            icon=":material/tune:",
            key="tune_take",
            type="tertiary",
            help="Shows on the left what this search varies, and the plan that it varies.",
            on_click=search_config.of,
            args=(shown.spec,),
        )
    if shown and is_editable(shown):
        st.button(
            "Delete",
            icon=":material/delete:",
            key="tune_delete",
            type="tertiary",
            on_click=_delete,
            args=(shown.id, shown.active),
        )


def _labels(searches: list[Search]) -> dict[str, str]:
    found: dict[str, str] = {}
    for search in searches:
        text = list_label(search)
        same = sum(other == text or other.startswith(f"{text} (") for other in found.values())
        found[search.id] = f"{text} ({same + 1})" if same else text
    return found


def list_label(search: Search) -> str:
    """Return the label of a search in the list: its title, best accuracy and progress."""
    if search.active:
        # Without changing numbers, so that the open list stays stable.
        return f"{search.title} · {search.status}"
    best = f" · {format_percent(search.best_value)}" if search.best_value is not None else ""
    return f"{search.title}{best} · {search.ended} {'trial' if search.ended == 1 else 'trials'}"


def _delete(search_id: str, active: bool) -> None:
    try:
        if active:
            resources.processes().stop_search(search_id)
        store().delete([search_id], identity.owner())
    except HdrError as error:
        st.toast(escape_markdown(error))
        return
    st.session_state[_DELETED] = search_id
    open_search(None)
    st.toast("The search is deleted.", icon=":material/delete:")


def _restore(search_id: str) -> None:
    try:
        store().restore([search_id], identity.owner())
    except HdrError as error:
        st.toast(escape_markdown(error))
        return
    st.session_state.pop(_DELETED, None)
    open_search(search_id)
