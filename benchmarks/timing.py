"""How benchmarks measure time."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import process_time


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median duration in seconds, as processor time, since others may be at work on the machine; after one call that
    is not counted, which fills tables and imports what is imported late."""
    work()
    durations = []
    for _ in range(repeats):
        start = process_time()
        work()
        durations.append(process_time() - start)
    return median(durations)
