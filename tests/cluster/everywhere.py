"""Every test's run store is on PostgreSQL: ``pytest -p tests.cluster.everywhere tests/store/test_runs.py``.

What is about SQLite's file is marked so, and left out by ``-m "not sqlite"``.
"""

from __future__ import annotations

import pytest

from tests.cluster.postgresql import postgresql as postgresql
from tests.cluster.postgresql import postgresql_server as postgresql_server


@pytest.fixture(autouse=True)
def _on_postgresql(postgresql: str) -> None:
    pass
