"""Writing what the store is to know in any case."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from hdr.training.store import StoreError

INSIST_SECONDS = 60.0
"""For so long a process tries again, where the store does not take what it writes."""

Written = TypeVar("Written")

log = logging.getLogger("hdr.store")


def insist(write: Callable[[], Written]) -> Written:
    """Write, and try again for a minute: a full disk may have room again in a moment.

    Raises:
        StoreError: it could not be written.
    """
    deadline = time.monotonic() + INSIST_SECONDS
    while True:
        try:
            return write()
        except StoreError as error:
            if time.monotonic() > deadline:
                raise
            log.warning("%s Trying again.", error)
            time.sleep(1)
