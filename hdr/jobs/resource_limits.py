"""What a training process may take: it watches itself, and ends with a plain message rather than without a word."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hdr import settings
from hdr.types import HdrError

LOOK_SECONDS = 0.1
"""How often a process looks at its memory and its clock."""

NOTE_SECONDS = 5.0
"""How often it is written down how long it has worked."""

log = logging.getLogger("hdr.guard")


@dataclass(frozen=True)
class LimitExceeded:
    """What was too much.

    Attributes:
        of: "memory" or "time".
        message: how much it was, how much is allowed, and what to do, in words.
    """

    of: Literal["memory", "time"]
    message: str


def enforce_limits(
    worked: Callable[[], float],
    note: Callable[[float], None],
    over: Callable[[LimitExceeded], None],
    ended: threading.Event,
) -> None:
    """Look at memory and time until the work has ended; returns after `over`, if that returns.

    Args:
        worked: seconds of work so far, pauses left out.
        note: called with the seconds that it has worked since the last call.
        over: called where it takes too much and has to end at once.
        ended: set when the work is over.
    """
    rules, noted = settings.current(), worked()
    try:
        while not ended.wait(LOOK_SECONDS):
            seconds, held = worked(), rss_mb()
            if rules.memory_mb is not None and held is not None and held > rules.memory_mb:
                said = (
                    f"This was ended because it took {held:,.0f} MB of memory, and this server allows "
                    f"{rules.memory_mb:,.0f} MB. Take fewer digits or copies, or add a reduction."
                )
                return over(LimitExceeded("memory", said))
            if rules.run_minutes is not None and seconds > 60 * rules.run_minutes:
                said = (
                    f"This was ended after {rules.run_minutes:g} minutes of work, the longest that this server "
                    "allows. Take fewer digits, fewer epochs or trees, or a quicker classifier."
                )
                return over(LimitExceeded("time", said))
            if seconds - noted > NOTE_SECONDS:
                noted += _noted(note, seconds - noted)
    finally:
        _noted(note, worked() - noted)
    return None


def _noted(note: Callable[[float], None], seconds: float) -> float:
    try:
        note(seconds)
    except HdrError as error:
        # The store may be busy, or its disk full: it is added the next time.
        log.warning("%s", error)
        return 0.0
    return seconds


def rss_mb() -> float | None:
    """Megabytes of memory that this process holds; None where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def cpu_ticks(process: int) -> int | None:
    """Processor time that a process has had, in the system's ticks; None where it is gone, waits for its turn on a busy
    machine, or the system does not say."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "R" else int(fields[11]) + int(fields[12])


def lower_priority() -> None:
    """Let pages go before this process, by the setting `niceness`.

    Linux weighs the processes of each session as a group, and `nice` counts only inside of a group (sched(7), "The
    autogroup feature"). A training is in a session of its own, so its group needs the value too.
    """
    if not hasattr(os, "nice"):
        return
    os.nice(max(0, settings.current().niceness - os.nice(0)))
    if os.getsid(0) == os.getpid():
        # Where the system has no such groups, nothing else is needed.
        with suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(os.nice(0)), "ascii")


def limit_memory() -> None:
    """Have a single allocation refused that would be beyond all measure: nobody could look in time.

    Only where the host has set a limit. Twice as much as allowed is left, since much is reserved and never touched.
    """
    allowed = settings.current().memory_mb
    if allowed is None:
        return
    with suppress(ImportError, OSError, ValueError, StopIteration):
        import resource

        status = Path("/proc/self/status").read_text("utf-8", "replace").splitlines()
        now = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData"))
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = now + int(2e6 * allowed)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))
