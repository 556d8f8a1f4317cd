"""Disks that are full, that can only be read, and that are slow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.chaos.world import NETWORK, PLANS, ROOT, SEARCH, Row, World, finish, world

FULL_SECONDS = 8.0
SLOW_SECONDS = "0.3"


def full(home: Path, times: int) -> Row:
    """For a while no file can grow: what runs waits and goes on, and what is new is refused in words."""
    row = Row("disk full for a while")
    with world(home) as found:
        found.serve()
        for _ in range(times):
            found.begin(NETWORK, SEARCH)
            row.times += 1
            try:
                _limit(found, 0)
                deadline = time.monotonic() + FULL_SECONDS
                while time.monotonic() < deadline:
                    found.submit(PLANS[1])
                    time.sleep(0.5)
            finally:
                _limit(found, -1)
            found.submit(PLANS[2])
            found.until(lambda: not found.active(), "everything ends")
        row = finish(found, row)
        if not found.messages:
            row.problems.append("nothing was refused while the disk was full")
        return row


def _limit(found: World, size: int) -> None:
    import resource

    for process in found.servers[-1].family():
        try:
            resource.prlimit(process, resource.RLIMIT_FSIZE, (size, -1))
        except ProcessLookupError:
            continue


def slow(home: Path, times: int) -> Row:
    """Whatever has to be on the disk for certain takes a third of a second."""
    row = Row("disk slow")
    with world(home) as found:
        found.serve(HDR_CHAOS_SLOW=SLOW_SECONDS)
        for _ in range(times):
            for plan in (PLANS[3], PLANS[1], SEARCH):
                found.submit(plan)
            row.times += 1
            found.until(lambda: not found.active(), "everything ends")
        return finish(found, row)


READER = """
import json, os, sys
from hdr.jobs.local_scheduler import LocalScheduler
from hdr.training.run_spec import RunSpec
from hdr.store.runs import RunStore
from hdr.types import HdrError
RunStore("sqlite://")
if os.geteuid() == 0:
    # Nothing is forbidden to this one.
    os.setuid(65534)
store = RunStore()
said = []
try:
    LocalScheduler(store, capacity=1, spare=False).submit(RunSpec("bundled", 500), "chaos", "new")
except HdrError as error:
    said.append(str(error))
print(json.dumps({"runs": [r.id for r in store.runs() if r.result], "said": said}))
"""


def read_only(home: Path, times: int) -> Row:
    """A folder that can only be read: everything is shown, and nothing new taken."""
    row = Row("disk read-only")
    with world(home) as found:
        found.serve()
        for _ in range(2):
            found.submit(PLANS[1])
        found.until(lambda: not found.active(), "everything ends")
        found.close()
        found.store.database.engine.dispose()
        for _ in range(times):
            row.times += 1
            home.chmod(0o555)
            try:
                read = subprocess.run(
                    [sys.executable, "-c", READER], cwd=ROOT, capture_output=True, text=True, env={**os.environ}
                )
            finally:
                home.chmod(0o755)
            told = json.loads(read.stdout or '{"runs": [], "said": []}')
            missing = set(found.acknowledged) - set(told["runs"])
            row.lost += len(missing)
            row.problems += [f"{name} is not shown: {read.stderr[-500:]}" for name in missing]
            row.problems += [] if told["said"] else ["a new run was taken"]
            found.messages |= set(told["said"])
        return finish(found, row)
