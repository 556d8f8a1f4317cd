"""Addresses of what is elsewhere: which are known here, and how one is shown without what is secret in it."""

from __future__ import annotations

import re
from collections.abc import Callable

STORES = ("sqlite", "sqlite+pysqlite", "postgresql+psycopg")
"""Databases that the run store has been tried with."""


def redact_url(address: str) -> str:
    """An address as it may be shown: with stars for its password, and for all that follows a question mark."""
    begin, parted, _ = address.partition("?")
    # Up to the last @: who does not escape a password may have one in it, or a slash.
    begin = re.sub(r"(//[^/:@]*):.*@", r"\1:***@", begin, flags=re.DOTALL)
    return f"{begin}?***" if parted else begin


def _is_store(address: str) -> bool:
    import sqlalchemy as sa

    try:
        return sa.make_url(address).drivername in STORES
    except (sa.exc.SQLAlchemyError, ValueError):
        return False


def _is_place(address: str) -> bool:
    return re.fullmatch(r"(/|[a-z][a-z0-9+.-]*://)[^\s:]\S*", address) is not None


def _is_scheduler(address: str) -> bool:
    return re.fullmatch(r"(tcp|tls|ws|wss|ucx)://(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}/?", address) is not None


KNOWN: dict[str, Callable[[str], bool]] = {"store": _is_store, "artifacts": _is_place, "dask": _is_scheduler}
"""Whether an address is one that can be used, by the name of its setting."""
