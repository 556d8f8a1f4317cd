"""Two sessions with marks of their own; `make hostile` opens thirty."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.hostile import isolation
from tests.hostile.visitors import server

VISITORS = 2

SHOWN = {"drawing", "photo", "data", "table", "id", "message", "title", "tag", "note"}
"""Marks that come back to their own visitor; a file's name, for one, does not."""


def test_nobody_is_sent_what_is_somebody_elses(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with server(home) as url:
        marked, leaked, wrong = asyncio.run(isolation.many(url, home, VISITORS))
    assert leaked == []
    assert wrong == []
    for one in marked:
        # What nobody is sent at all would prove nothing.
        assert one.seen >= SHOWN, (one.number, one.seen)
        assert one.listener.holds(isolation.PUBLISHED), "what is published is for everybody"
    assert len({one.listener.owner for one in marked}) == VISITORS
