"""Resources shared by all sessions: data sets, the store, training processes and models, each loaded once."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hdr import cluster, datasets, paths, settings
from hdr.datasets.uploads import user_datasets
from hdr.jobs.local_scheduler import LocalScheduler
from hdr.jobs.scheduler import JobScheduler, remote_scheduler
from hdr.reading import ready
from hdr.store import artifacts
from hdr.store.run_commands import RunCommands
from hdr.store.runs import RunStore, RunSummary, StoreError, StoreLostError
from hdr.training.model import TrainedModel, load_test_probabilities
from hdr.types import Dataset
from hdr.ui.state import identity, session_datasets

LOST_SECONDS = 1.5
"""Seconds without queries after the store did not respond."""

LOOK_SECONDS = 5.0
"""How often a server that can keep nothing looks whether it can."""

_lost: list[tuple[float, str]] = []
_looked = [0.0]


@st.cache_resource(max_entries=8, show_spinner=False)
def _published(name: str) -> Dataset:
    return datasets.load(name)


def dataset(name: str) -> Dataset:
    """Return a data set with read-only arrays: a public one or an upload of this session.

    Raises:
        HdrError: it is missing or belongs to another session.
    """
    return session_datasets.dataset(name) if user_datasets.is_own(name) else _published(name)


def loader(name: str) -> Callable[[], Dataset]:
    """Return a function that loads a data set in any thread; `dataset` finds a session's own only in its own thread.

    Raises:
        HdrError: it is another session's own.
    """
    if not user_datasets.is_own(name):
        return partial(_published, name)
    mine = session_datasets.dataset(name)
    return lambda: mine


@st.cache_resource(max_entries=1, show_spinner=False)
def store() -> RunStore:
    """Return the run store.

    Raises:
        HdrError: it cannot be opened.
    """
    # Pages open it one after the other: they are not all to wait for a server that has just not answered.
    if _lost and time.monotonic() - _lost[0][0] < LOST_SECONDS:
        raise StoreLostError(_lost[0][1])
    cluster.register()
    without = paths.settle()
    try:
        return RunStore()
    except StoreLostError as error:
        _lost[:] = [(time.monotonic(), str(error))]
        raise
    except StoreError:
        if without is None or without.way != "read":
            raise
        paths.settle(read=False)
        return RunStore()


def look_again() -> bool:
    """Where nothing could be kept, look every `LOOK_SECONDS` whether it can be now; True where it can."""
    without = paths.makeshift()
    if without is None or without.can_keep or time.monotonic() - _looked[0] < LOOK_SECONDS:
        return False
    _looked[0] = time.monotonic()
    found = paths.settle(read=without.way == "read")
    if found is not None and not found.can_keep:
        return False
    processes().close()
    for cache in (processes, _steering, store):
        cache.clear()
    return True


@st.cache_resource(max_entries=1, show_spinner=False)
def _steering(_store: RunStore, url: str) -> RunCommands:
    return RunCommands(_store)


def steering() -> RunCommands:
    """Return the commands to running trainings."""
    return _steering(store(), store().url)


@st.cache_resource(max_entries=1, show_spinner=False)
def processes() -> JobScheduler:
    """Return the scheduler that trains runs."""
    scheduler = settings.current().dask
    if scheduler is not None:
        return remote_scheduler(store(), scheduler)
    without = paths.makeshift()
    return LocalScheduler(store(), spare=not identity.demo() and (without is None or without.can_keep))


@st.cache_resource(max_entries=32, show_spinner=False)
def _test_probabilities(run_id: str, _run: RunSummary) -> NDArray[np.float32]:
    return load_test_probabilities(artifacts.artifact_store().fetch(run_id))


def test_probabilities(run: RunSummary) -> NDArray[np.float32]:
    """Return the predicted probabilities of a run's model on the test split, float32 (n, 10).

    Raises:
        HdrError: they were not stored.
    """
    return _test_probabilities(run.id, run)


@st.cache_resource(max_entries=8, show_spinner=False)
def _model(run_id: str, _run: RunSummary) -> TrainedModel:
    return TrainedModel.load(artifacts.artifact_store().fetch(run_id))


def model(run: RunSummary) -> TrainedModel:
    """Return the model of a finished run."""
    return _model(run.id, run)


@st.cache_resource(max_entries=2, show_spinner=False)
def _ready_reader(path: str) -> ready.Reader | str:
    # A file that cannot be used is opened once, not at every stroke.
    try:
        return ready.load(Path(path), pages=ready.PAGES)
    except ready.ReaderError as error:
        return str(error)


def ready_reader() -> ready.Reader:
    """Return the built-in model.

    Raises:
        ReaderError: its file is missing or cannot be used.
    """
    found = _ready_reader(str(ready.FILE))
    if isinstance(found, str):
        raise ready.ReaderError(found)
    return found
