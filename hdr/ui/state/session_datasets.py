"""Uploaded data sets: private to the session that uploaded them, and cleaned up after the session has ended."""

from __future__ import annotations

import threading
import weakref
from collections import Counter, deque
from collections.abc import Callable

import streamlit as st

from hdr import datasets
from hdr.datasets.uploads import user_datasets
from hdr.types import Dataset, HdrError

MOST = 4
"""Maximum number of uploaded data sets per session."""

_HELD, _PUBLIC = "_own_data", "_public_data"

Key = tuple[str, str]
"""Name and owner."""

_lock = threading.Lock()
_holders: Counter[Key] = Counter()
_ended: deque[list[Key]] = deque()
# Data sets of ended sessions. Python's garbage collector ends sessions at any point, where slow work is not allowed.


class _Held:
    """Data sets of one session, for its lifetime."""

    def __init__(self) -> None:
        self.sets: dict[str, Dataset] = {}
        self.keys: list[Key] = []
        # At server shutdown, running trainings may still need their data; the next start cleans up.
        weakref.finalize(self, _ended.append, self.keys).atexit = False


def _mine() -> _Held:
    return st.session_state.setdefault(_HELD, _Held())


def names() -> tuple[str, ...]:
    """Return the names of this session's uploaded data sets."""
    return tuple(_mine().sets)


def refresh() -> None:
    """Look up the public data sets once per page run: a page needs them eight times or more, and each lookup
    checks forty files."""
    st.session_state[_PUBLIC] = datasets.available()


def available() -> tuple[str, ...]:
    """Return the data sets available to this session: public ones, best first, then its uploads."""
    return (*(st.session_state.get(_PUBLIC) or datasets.available()), *names())


def title(name: str) -> str:
    """Return the display title of an available data set, without loading it."""
    found = _mine().sets.get(name)
    return found.title if found else datasets.title(name)


def dataset(name: str) -> Dataset:
    """Return one of this session's uploaded data sets.

    Raises:
        MissingDataError: this session has none of that name.
    """
    found = _mine().sets.get(name)
    if found is None:
        raise datasets.MissingDataError(
            "The digits of this data set are not here: data of one's own are for the session that brought them, and "
            "are deleted after it."
        )
    return found


def delete_on_session_end(name: str, owner: str) -> None:
    """See that a data set that was kept for its owner is deleted when this session ends, whether it is used or not."""
    mine = _mine()
    if (name, owner) not in mine.keys:
        with _lock:
            _holders[name, owner] += 1
        mine.keys.append((name, owner))


def attach(found: Dataset, owner: str) -> None:
    """Give a data set that was kept for its owner to this session.

    Raises:
        HdrError: it has as many as it may.
    """
    mine = _mine()
    if found.name in mine.sets:
        return
    if len(mine.sets) >= MOST:
        raise HdrError(f"You have {MOST} data sets of your own already. Remove one first.")
    delete_on_session_end(found.name, owner)
    mine.sets[found.name] = found


def remove(name: str) -> None:
    """Take a data set out of this session, and delete it where no other session of its owner has it."""
    mine = _mine()
    mine.sets.pop(name, None)
    gone = [key for key in mine.keys if key[0] == name]
    mine.keys[:] = [key for key in mine.keys if key[0] != name]
    _ended.append(gone)


def cleanup(in_use: Callable[[], set[Key]]) -> None:
    """Delete data sets that were removed or whose session has ended; fast if there are none.

    Args:
        in_use: returns the data sets of waiting trainings, which are deleted a day after their last use.
    """
    while _ended:
        try:
            keys = _ended.popleft()
        except IndexError:
            return
        for key in keys:
            with _lock:
                _holders[key] -= 1
                last = _holders[key] <= 0
                if last:
                    del _holders[key]
            if last and key not in in_use():
                user_datasets.delete(*key)
