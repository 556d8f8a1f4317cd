"""Makes every fault so often, and prints what came of it in one table.

    python -m tests.chaos [NAME ...] [--share 1.0]

A name is one of those in the table's first column as a function: killed, hung, out_of_memory, full, slow, read_only,
locked, corrupted, corrupted_meanwhile, two, jumping, faulty, dropped. The share says how many of the usual times.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.chaos import clocks, disks, downloads, kills, processes, servers, sockets, stores  # noqa: E402
from tests.chaos.world import Fault, Row  # noqa: E402

FAULTS: dict[Fault, int] = {
    kills.killed: 60,
    processes.hung: 3,
    processes.out_of_memory: 3,
    disks.full: 3,
    disks.slow: 2,
    disks.read_only: 2,
    stores.locked: 3,
    stores.corrupted: 4,
    stores.corrupted_meanwhile: 3,
    servers.two: 12,
    clocks.jumping: 30,
    downloads.faulty: 19,
    sockets.dropped: 15,
}
"""Faults, and how often each is made."""

HEAD = f"{'fault':<32}{'times':>7}{'acknowledged':>14}{'lost':>6}{'twice':>7}{'messages plain':>16}{'seconds':>9}"


def main() -> int:
    """Make them, and print the table."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("names", nargs="*", choices=[[], *(f.__name__ for f in FAULTS)])
    arguments.add_argument("--share", type=float, default=1.0)
    asked = arguments.parse_args()
    print(HEAD, flush=True)  # noqa: T201
    bad: list[Row] = []
    for fault, times in FAULTS.items():
        if asked.names and fault.__name__ not in asked.names:
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            Path(folder).chmod(0o755)
            try:
                row = fault(Path(folder), max(1, round(times * asked.share)))
            except AssertionError as error:
                row = Row(fault.__name__, problems=[str(error)])
        said = f"{row.plain} of {len(row.messages)}"
        numbers = f"{row.times:>7}{row.acknowledged:>14}{row.lost:>6}{row.twice:>7}{said:>16}"
        print(f"{row.fault:<32}{numbers}{time.monotonic() - began:>9.0f}", flush=True)  # noqa: T201
        bad += [] if row.good else [row]
    for row in bad:
        strange = [m for m in row.messages if not Row("", messages={m}).plain]
        print(f"\n{row.fault}:", *row.problems[:10], *strange[:10], sep="\n  ")  # noqa: T201
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
