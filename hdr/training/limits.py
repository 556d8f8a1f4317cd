"""The size of one training: how many digits and how much memory a server allows it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from hdr import catalogue, settings
from hdr.features.extract import CHUNK, extract
from hdr.models.fit_context import Cost
from hdr.training import fitting
from hdr.training.run_spec import RunSpec, versions
from hdr.types import Dataset, HdrError

BASE_MB = 160.0
"""What a training process holds before there are features: Python, the libraries and the data."""


class JobQuotaError(HdrError):
    """The server does not allow it; the message says how much it allows, and how much this would be."""


class MemoryLimitError(HdrError):
    """A run needs more memory than there is; the message says how much of both."""


def check_size(digits: int, copies: int = 0) -> None:
    """Refuse a plan that learns from more digits than the server allows.

    Args:
        digits: that it learns from, without copies.
        copies: distorted ones of each digit.

    Raises:
        JobQuotaError: with both numbers.
    """
    most, rows = settings.current().training_digits, digits * (1 + copies)
    if most is not None and rows > most:
        many = f"{copies} distorted {'copy' if copies == 1 else 'copies'}"
        made = f", {digits:,} and {many} of each" if copies else ""
        raise JobQuotaError(
            f"This plan learns from {rows:,} digits{made}; this server allows {most:,}. "
            f"Take {'fewer digits or copies' if copies else 'fewer digits'}."
        )


def check_digits(spec: RunSpec, dataset: Dataset) -> None:
    """Refuse a run that learns from more digits than the server allows, copies counted.

    Raises:
        JobQuotaError: with both numbers.
    """
    each = versions(spec.augmentation)
    check_size(row_count(spec, dataset) // each, each - 1)


def check_memory(spec: RunSpec, dataset: Dataset) -> float:
    """Refuse a run that would not fit; from one digit, so that it takes a moment.

    Returns:
        Megabytes that the run will hold at most.

    Raises:
        MemoryLimitError: they are more than `memory_limit_mb`.
        HdrError: the spec does not suit its data, or learns from more digits than the server allows.
    """
    check_digits(spec, dataset)
    before = extract(dataset.train.images[:1], spec.pipeline, spec.features).shape[1]
    features = spec.reduction.params.get("components", before) if spec.reduction else before
    rows = row_count(spec, dataset)
    cost: Cost = catalogue.get("classifier", spec.classifier.name).facts.get("cost", Cost())
    validation = fitting.validation_size(len(dataset.train))
    # What a reduction is fitted from is gone again before all the features are there.
    reducing = 0 if spec.reduction is None else 6 * 4 * before * min(fitting.REDUCTION_DIGITS, rows)
    learning = 4 * features * (rows + validation) + 4 * CHUNK * before * (spec.reduction is not None)
    # Their variance is taken in float64, before the classifier is there.
    held = max(8 * rows * features, cost.held(rows, features, spec.classifier.params))
    found = BASE_MB + max(reducing, learning + held) / 1e6
    limit = memory_limit_mb()
    if limit is not None and found > limit:
        raise MemoryLimitError(
            f"This run would hold about {found:,.0f} MB of memory, and there are {limit:,.0f} MB. "
            "Take fewer digits or copies, or fewer features; a reduction makes the most of a difference."
        )
    return found


def memory_limit_mb() -> float | None:
    """Megabytes that a run may hold: the setting `memory_mb`, or else what the machine or its container has; None
    where the system does not say."""
    named = settings.current().memory_mb
    if named is not None:
        return named
    found = []
    with suppress(AttributeError, ValueError, OSError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            found.append(int(Path("/sys/fs/cgroup", name).read_text("ascii")))
    return min(found) / 1e6 if found else None


def row_count(spec: RunSpec, dataset: Dataset) -> int:
    """Return how many rows a run learns from: its digits with their distorted copies."""
    n = len(dataset.train)
    return min(spec.train_size, n - fitting.validation_size(n)) * versions(spec.augmentation)
