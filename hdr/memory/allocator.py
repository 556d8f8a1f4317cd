"""How this process holds memory: what nobody needs any more goes back to the system.

Left alone, glibc gives every thread a heap of its own and keeps what is freed there; with a thread for every run of a
page this is a sixth of the whole process. And Python looks for what refers to itself in circles, as every session does
that has ended, less and less often the more it holds, and each time through all that was ever imported, while pages
wait. Source: mallopt(3) and malloc_trim(3); Python's module gc.
"""

from __future__ import annotations

import ctypes
import gc
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""The names of `mallopt`'s parameters, of malloc.h."""

HEAPS = 2
LARGE = 1 << 20
"""Bytes from which on something is taken from the system, and given back, by itself."""

EVERY = 60.0
"""Seconds between two times at which everything that can be given back is, which takes a tenth of a second."""


@lru_cache(maxsize=1)
def configure_malloc() -> None:
    """Set it up, once for the process."""
    threading.Thread(target=_give_back, args=(_trim(),), name="hdr-memory", daemon=True).start()


def freeze_gc() -> None:
    """Never again look through what is held now for what refers to itself: for when all is there that is to stay.

    What is held now and ends later is freed all the same, unless it refers to itself: then it stays.
    """
    gc.collect()
    gc.freeze()


def _trim() -> Callable[[int], Any]:
    """What gives freed memory back to the system; nothing where the C library is not glibc, and does so by itself."""
    try:
        library = ctypes.CDLL(None)
        trim, option = library.malloc_trim, library.mallopt
    except (OSError, AttributeError, TypeError):
        return lambda kept: None
    for name, value in ((_ARENA_MAX, HEAPS), (_MMAP_THRESHOLD, LARGE), (_TRIM_THRESHOLD, LARGE)):
        option(name, value)
    trim.argtypes = [ctypes.c_size_t]
    return trim


def _give_back(trim: Callable[[int], Any]) -> None:
    while True:
        time.sleep(EVERY)
        gc.collect()
        trim(0)
