"""How long processes have not been heard of, by this process's own clock: no two clocks have to agree for it."""

from __future__ import annotations

import time
from collections.abc import Mapping

MAX_POLL_GAP = 5.0
"""Seconds that count between two looks, at most: whoever did not look for longer was stopped itself, and may have been
stopped together with those it looks at."""


class HeartbeatMonitor:
    """What one process has seen of the heartbeats of others.

    A heartbeat is any change of what is written, whatever time it says: clocks jump.
    """

    def __init__(self) -> None:
        self._looked = time.monotonic()
        self._seen: dict[str, tuple[float | None, float]] = {}

    def look(self, beats: Mapping[str, float | None]) -> dict[str, float]:
        """Look at the last heartbeats.

        Args:
            beats: of everybody who is at work, by name.

        Returns:
            For how many seconds each has been silent; 0 for one that is seen for the first time.
        """
        now = time.monotonic()
        passed, self._looked = min(now - self._looked, MAX_POLL_GAP), now
        before = self._seen
        self._seen = {
            name: (beat, before[name][1] + passed if name in before and before[name][0] == beat else 0.0)
            for name, beat in beats.items()
        }
        return {name: seconds for name, (_, seconds) in self._seen.items()}

    def forget(self) -> None:
        """Begin anew: nobody could be heard, since nobody could write."""
        self._seen.clear()
