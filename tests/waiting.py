"""How tests wait: until something is there, however slow or busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 300.0
"""Seconds that anything may take. A test that passes takes no longer for it, since it waits for what it names."""


def until(
    condition: Callable[[], T], what: Callable[[], object] | str = "what is waited for", pause: float = 0.05
) -> T:
    """Ask again and again until the answer is true, and return it.

    Args:
        condition: what is asked; it may also move things on.
        what: names it where it does not come, in words or by a function that looks.
        pause: seconds between two questions.
    """
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what() if callable(what) else what}: not within {PATIENCE:g} s")
        time.sleep(pause)
    return found
