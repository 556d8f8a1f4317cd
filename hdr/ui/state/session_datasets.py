"""Data sets of one's own: which this session has, and no other sees; and what sessions that have ended leave behind."""

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
"""Data sets of one's own that a session has at a time."""

_HELD, _PUBLIC = "_own_data", "_public_data"

Key = tuple[str, str]
"""Name and owner."""

_lock = threading.Lock()
_holders: Counter[Key] = Counter()
_ended: deque[list[Key]] = deque()
# What sessions that ended had. Sessions end wherever Python collects them, where nothing long may be done.


class _Held:
    """What one session has, as long as it lives."""

    def __init__(self) -> None:
        self.sets: dict[str, Dataset] = {}
        self.keys: list[Key] = []
        # At the end of the server, trainings that go on may still need their data; the next start cleans up.
        weakref.finalize(self, _ended.append, self.keys).atexit = False


def _mine() -> _Held:
    return st.session_state.setdefault(_HELD, _Held())


def names() -> tuple[str, ...]:
    """This session's own data sets."""
    return tuple(_mine().sets)


def refresh() -> None:
    """See which data sets of everybody are here, for the whole of a page's run: it asks eight times and more, and each
    time forty files would be looked at."""
    st.session_state[_PUBLIC] = datasets.available()


def available() -> tuple[str, ...]:
    """The data sets that this session can choose from: those of everybody, best first, then its own."""
    return (*(st.session_state.get(_PUBLIC) or datasets.available()), *names())


def title(name: str) -> str:
    """What people call a data set that can be chosen from, without loading it."""
    found = _mine().sets.get(name)
    return found.title if found else datasets.title(name)


def dataset(name: str) -> Dataset:
    """One of this session's own data sets.

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
    """Delete what sessions that have ended, or have removed it, had; quick where there is nothing.

    Args:
        in_use: says what trainings are waiting for; that is left to be deleted a day after its last use.
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
