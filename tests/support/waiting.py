"""How tests wait: until a condition holds, however slow or busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 300.0
"""Seconds that anything may take. A test that passes ends sooner, since it waits for its condition only."""


def until(condition: Callable[[], T], what: Callable[[], object] | str = "the condition", pause: float = 0.05) -> T:
    """Ask again and again until the answer is true, and return it.

    Args:
        condition: the question; it may also run a page or a step.
        what: names the condition in the error, as words or as a function that looks.
        pause: seconds between two questions.
    """
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what() if callable(what) else what}: not within {PATIENCE:g} s")
        time.sleep(pause)
    return found
