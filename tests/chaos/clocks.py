"""Wall clocks that jump by hours and days, and two servers whose clocks do not agree."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from pathlib import Path

from tests.chaos.world import NETWORK, PLANS, SEARCH, Row, finish, world

JUMPS = (-86_400.0, -3600.0, -60.0, 0.0, 60.0, 3600.0, 86_400.0, 40 * 86_400.0)


def jumping(home: Path, times: int, seed: int = 0) -> Row:
    """Nobody is taken for dead, and no budget of minutes is used up, because of what a clock says."""
    row, chance = Row("clock jumps"), random.Random(seed)
    with world(home) as found:
        clocks = [home / "clock-a", home / "clock-b"]
        for clock in clocks:
            clock.write_text("0")
            found.serve(silent=6.0, HDR_CHAOS_CLOCK=str(clock))
        patient = replace(SEARCH, most_minutes=30.0)
        while row.times < times:
            if len(found.active()) < 4:
                found.submit(chance.choice((NETWORK, PLANS[3], patient)), chance.choice(found.servers))
            chance.choice(clocks).write_text(str(chance.choice(JUMPS)))
            row.times += 1
            time.sleep(chance.random() * 2)
        return finish(found, row)
