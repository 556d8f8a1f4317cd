"""Training samples by the chunk, made in other processes while a net trains."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import cv2
import numpy as np
from numpy.typing import NDArray

Chunk = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Pictures, and the class of each."""

CHUNK = 4096
"""Samples that are made and shuffled together."""

AHEAD = 3


def chunks(make: Callable[[int], Chunk], n: int, workers: int, first: int) -> Iterator[Chunk]:
    """Chunks in the order of their numbers.

    Args:
        make: makes the chunk of a number; it goes to other processes, and so do its arguments.
        n: how many chunks.
        workers: processes.
        first: number of the first one.
    """
    with ProcessPoolExecutor(workers, get_context("spawn"), _start) as pool:
        waiting = deque(pool.submit(make, first + i) for i in range(min(n, workers + AHEAD)))
        for i in range(n):
            made = waiting.popleft().result()
            if i + workers + AHEAD < n:
                waiting.append(pool.submit(make, first + i + workers + AHEAD))
            yield made


def _start() -> None:
    cv2.setNumThreads(1)
