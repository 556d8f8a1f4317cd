"""Writing what the store is to know in any case."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from hdr.store.runs import StoreError, StoreLostError

RETRY_SECONDS = 60.0
"""For so long a process tries again, where the store does not take what it writes."""

LOST_SECONDS = 3600.0
"""And for so long where the store's server does not answer: it may be moved, or its machine started anew."""

Written = TypeVar("Written")

log = logging.getLogger("hdr.store")


def write_with_retry(write: Callable[[], Written]) -> Written:
    """Write, and try again for a minute, or an hour: a full disk may have room again in a moment.

    Raises:
        StoreError: it could not be written.
    """
    began = time.monotonic()
    while True:
        try:
            return write()
        except StoreError as error:
            longest = LOST_SECONDS if isinstance(error, StoreLostError) else RETRY_SECONDS
            if time.monotonic() - began > longest:
                raise
            log.warning("%s Trying again.", error)
            time.sleep(1)
