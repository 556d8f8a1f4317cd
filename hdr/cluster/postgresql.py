"""What a run store on PostgreSQL needs besides: patience in seconds, any text, and one process at a time that makes
tables. Source: the documentation of libpq, 34.1.2, and of PostgreSQL, 20.11."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

CONNECT_SECONDS = 3
"""So long a server may take to answer to each of its addresses; then it is taken to be lost."""

SILENT_SECONDS = 10
"""So long a server may say nothing to what it was sent; then the connection is given up."""

LOCK_SECONDS, STATEMENT_SECONDS = 5, 60

POOL, MORE, POOL_SECONDS = 3, 12, 5
"""Connections that a process keeps, that it may have besides, and how long a thread waits for one."""

_ALONE = 0x686472
"""Of the advisory lock: "hdr"."""

_LOST = ("08", "53", "57P")
"""How SQLSTATE begins where the server is away, is full, or goes away."""


def options(url: sa.URL) -> dict[str, Any]:
    """Keyword arguments of `sqlalchemy.create_engine`; what an address says itself counts."""
    patience = {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": SILENT_SECONDS // 2,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": SILENT_SECONDS * 1000,
        "application_name": "hdr",
    }
    return {
        "connect_args": {name: value for name, value in patience.items() if name not in url.query},
        "pool_size": POOL,
        "max_overflow": MORE,
        "pool_timeout": POOL_SECONDS,
        "pool_use_lifo": True,
        # A connection that has broken meanwhile is made anew, and nobody hears of it.
        "pool_pre_ping": True,
        # What people write is not to stand in logs.
        "hide_parameters": True,
    }


def prepare_connection(connection: Any, _: Any) -> None:
    """Set up a new connection: nothing waits for ever, and a text may hold what PostgreSQL cannot keep."""
    from psycopg.types.string import StrDumperUnknown

    class Dumper(StrDumperUnknown):
        def dump(self, obj: str) -> bytes:
            return obj.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace")

    connection.adapters.register_dumper(str, Dumper)
    before, connection.autocommit = connection.autocommit, True
    for name, seconds in (
        ("lock_timeout", LOCK_SECONDS),
        ("statement_timeout", STATEMENT_SECONDS),
        ("idle_in_transaction_session_timeout", STATEMENT_SECONDS),
    ):
        connection.execute(f"SET {name} = '{seconds}s'")
    connection.autocommit = before


@contextmanager
def alone(engine: sa.Engine) -> Iterator[None]:
    """Nobody else makes tables in this database meanwhile: PostgreSQL's IF NOT EXISTS is not meant for two at once."""
    with engine.begin() as connection:
        connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_ALONE})"))
        yield


def is_lost(error: BaseException) -> bool:
    """Whether the server cannot be reached, or has gone away."""
    if isinstance(error, sa.exc.TimeoutError):
        return True
    if not isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
        return False
    # What never came to a server has no state.
    state = getattr(error.orig, "sqlstate", None)
    return state is None or state.startswith(_LOST)


def reason(error: BaseException) -> str:
    """What the driver says, in one line, without where it was asked: that stands in the address."""
    if isinstance(error, sa.exc.TimeoutError):
        return "too many ask it at once"
    # Where there are several addresses, one line for each.
    lines = [line.strip(" \t-") for line in str(getattr(error, "orig", None) or error).splitlines()]
    lines = [line for line in lines if line and not line.endswith((":", "?"))] or ["no answer"]
    said = lines[0] if "ultiple" not in lines[0] else lines[-1]
    said = re.sub(r"^.*failed: |^host: .*?: |(FATAL|ERROR): +|\[Errno -?\d+\] ", "", said).strip(" .")
    return said[:1].lower() + said[1:]
