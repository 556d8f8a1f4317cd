"""Each fault of `make chaos` once: nothing acknowledged is lost, nothing is done twice, and what is said is plain."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.chaos import clocks, disks, processes, servers, stores
from tests.chaos.__main__ import FAULTS
from tests.chaos.world import NOT_PLAIN, Fault, Row

TIMES: dict[Fault, int] = {
    processes.hung: 1,
    processes.out_of_memory: 1,
    disks.full: 1,
    stores.corrupted: 1,
    stores.corrupted_meanwhile: 1,
    servers.two: 3,
    clocks.jumping: 6,
}
"""The others take longer, or have tests of their own."""


@pytest.mark.skipif(sys.platform != "linux", reason="these faults are made as only Linux allows: not tested")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", TIMES, ids=lambda f: f.__name__)
def test_a_fault_costs_nothing(fault: Fault, tmp_path: Path) -> None:
    row = fault(tmp_path / "home", TIMES[fault])
    assert row.times >= TIMES[fault] and row.acknowledged and row.good, row


def test_every_fault_has_a_name_of_its_own() -> None:
    assert set(TIMES) < set(FAULTS) and len({f.__name__ for f in FAULTS}) == len(FAULTS)


def test_what_only_programmers_know_is_not_plain() -> None:
    strange = {"Training failed (KeyError: 3).", "[Errno 28] No space.", "(sqlite3.OperationalError) locked.", "", "oh"}
    assert Row("", messages=strange).plain == 0
    assert not NOT_PLAIN.search("The run store at sqlite:////home/x/runs.sqlite cannot be written to: disk is full.")
