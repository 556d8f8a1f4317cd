"""Training processes that hang, or have no memory left."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

from hdr.types import Step
from tests.chaos.world import NETWORK, PLANS, SEARCH, Row, World, finish, world

SILENT_SECONDS, HUNG_SECONDS = 6.0, 10.0
LONGER = replace(NETWORK, classifier=Step("mlp", {**NETWORK.classifier.params, "epochs": 100}))
"""Still learning when a search has begun, on a fast machine, too."""


def _gone(process: int) -> bool:
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except ProcessLookupError:
        return True
    except FileNotFoundError:
        # Gone in between, or a system without such files: the next look tells.
        return False


def _begin(found: World) -> list[str | None]:
    # A run and a search that have both shown something.
    names = found.begin(LONGER, SEARCH)
    found.until(lambda: all(map(found.process, names)), "both are in a process")
    return names


def hung(home: Path, times: int) -> Row:
    """SIGSTOP: the run is said to be interrupted, the search goes on elsewhere, and neither keeps its place."""
    row = Row("training hangs")
    with world(home) as found:
        found.serve(SILENT_SECONDS, HUNG_SECONDS)
        for _ in range(times):
            names = _begin(found)
            found.fates[names[0]] = {"interrupted"}
            processes = [found.process(name) for name in names]
            for process in filter(None, processes):
                os.kill(process, signal.SIGSTOP)
                row.times += 1
            behind = found.submit_until_taken(PLANS[1])
            found.until(lambda: found.status(behind) == "done", "the next one has its turn")  # noqa: B023
            found.until(lambda: all(_gone(p) for p in filter(None, processes)), "they do not stay")  # noqa: B023
            found.until(lambda: not found.active(), "everything ends")
        return finish(found, row)


def out_of_memory(home: Path, times: int) -> Row:
    """No byte more: the run fails in words, and the search goes on in another process with the next trial."""
    import resource

    row = Row("training out of memory")
    with world(home) as found:
        found.serve(SILENT_SECONDS)
        for _ in range(times):
            names = _begin(found)
            found.fates[names[0]] = {"failed", "interrupted", "done"}
            for process in filter(None, map(found.process, names)):
                try:
                    resource.prlimit(process, resource.RLIMIT_AS, (1, 1))
                    row.times += 1
                except ProcessLookupError:
                    continue
            found.until(lambda: not found.active(), "everything ends")
        return finish(found, row)
