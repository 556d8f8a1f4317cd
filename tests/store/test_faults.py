"""One fault of those that `make chaos` makes, and how its results are judged; `make test-all` makes each of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.chaos import stores
from tests.chaos.__main__ import FAULTS
from tests.chaos.world import NOT_PLAIN, Row


@pytest.mark.skipif(sys.platform != "linux", reason="these faults are made as only Linux allows: not tested")
def test_a_store_that_is_corrupted_costs_nothing(tmp_path: Path) -> None:
    row = stores.corrupted(tmp_path / "home", 1)
    assert row.times >= 1 and row.acknowledged and row.good, row


def test_every_fault_has_a_name_of_its_own() -> None:
    assert len({fault.__name__ for fault in FAULTS}) == len(FAULTS)


def test_what_only_programmers_know_is_not_plain() -> None:
    strange = {"Training failed (KeyError: 3).", "[Errno 28] No space.", "(sqlite3.OperationalError) locked.", "", "oh"}
    assert Row("", messages=strange).plain == 0
    assert not NOT_PLAIN.search("The run store at sqlite:////home/x/runs.sqlite cannot be written to: disk is full.")
