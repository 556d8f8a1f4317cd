"""Two servers on one store: both take the same clicks and orders, and everything is done once."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

from tests.chaos.kills import _steer
from tests.chaos.world import PLANS, SEARCH, Row, Server, World, finish, world


def two(home: Path, times: int, seed: int = 0) -> Row:
    """Each click arrives at both servers at once, and both steer."""
    row, chance = Row("two servers on one store"), random.Random(seed)
    with world(home) as found:
        servers = [found.serve(), found.serve()]
        while row.times < times:
            if len(found.active()) < 6:
                row.times += 1
                row.twice += _click(found, servers, f"both-{row.times}", chance)
            _steer(found, chance)
            time.sleep(chance.random())
        return finish(found, row)


def _click(found: World, servers: list[Server], token: str, chance: random.Random) -> int:
    plan, names = chance.choice((*PLANS, SEARCH)), []
    threads = [
        threading.Thread(target=lambda server=server: names.append(found.submit(plan, server, token)))
        for server in servers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(set(names)) - 1
