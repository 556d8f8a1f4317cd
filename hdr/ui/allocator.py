"""How this process holds memory: what was freed goes back to the system, where the C library is glibc.

Left alone, glibc gives every thread a heap of its own and keeps what is freed there; with a thread for every run of a
page this is a fifth of the whole process. Source: mallopt(3) and malloc_trim(3).
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
import time
from collections.abc import Callable
from functools import lru_cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""The names of `mallopt`'s parameters, of malloc.h."""

HEAPS = 2
LARGE = 1 << 20
"""Bytes from which on something is taken from the system, and given back, by itself."""

EVERY = 30.0
"""Seconds between two looks at what can be given back, which take some milliseconds each."""


@lru_cache(maxsize=1)
def settle() -> None:
    """Set it up, once for the process; elsewhere than on glibc, do nothing."""
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        trim, option = library.malloc_trim, library.mallopt
        option(_ARENA_MAX, HEAPS)
        option(_MMAP_THRESHOLD, LARGE)
        option(_TRIM_THRESHOLD, LARGE)
        trim.argtypes = [ctypes.c_size_t]
        threading.Thread(target=_give_back, args=(trim,), name="hdr-memory", daemon=True).start()


def _give_back(trim: Callable[[int], int]) -> None:
    while True:
        time.sleep(EVERY)
        trim(0)
