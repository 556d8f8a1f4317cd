"""What happens once per server, in the background: imports, data, and the default model."""

from __future__ import annotations

import logging
import threading
import time

import streamlit as st

from hdr import datasets
from hdr.datasets import background, own
from hdr.training import default
from hdr.training.processes import LocalProcesses
from hdr.training.search_store import SearchStore
from hdr.training.store import ACTIVE, RunStore
from hdr.types import HdrError
from hdr.ui import own_data, resources

log = logging.getLogger("hdr.startup")


@st.cache_resource(max_entries=1, show_spinner=False)
def begin() -> None:
    """Start preparing; returns at once. The first call does it, later ones nothing."""
    threading.Thread(target=_prepare, args=(resources.store(), resources.processes()), daemon=True).start()


def _prepare(store: RunStore, processes: LocalProcesses) -> None:
    _load_reader()
    try:
        store.purge()
        SearchStore(store).purge()
        own.purge(_waited_for(store))
        default.ensure(store, processes, data_name())
        if "mnist" not in datasets.available():
            background.start()
        _import_slow_ones()
        while "mnist" not in datasets.available():
            time.sleep(1)
        default.ensure(store, processes, "mnist")
    except HdrError as error:
        log.warning("%s", error)


def _load_reader() -> None:
    # First of all: it reads from the first second of the first visit, when nothing is trained yet.
    try:
        resources.ready_reader()
    except HdrError as error:
        log.warning("%s", error)


def _import_slow_ones() -> None:
    # Nobody's first click is to pay for these, with or without MNIST.
    import plotly.graph_objects  # noqa: F401
    import sklearn.svm  # noqa: F401
    import skops.io  # noqa: F401


def tidy() -> None:
    """Delete the own data of sessions that have ended; quick where there are none."""
    own_data.sweep(lambda: _waited_for(resources.store()))


def _waited_for(store: RunStore) -> set[tuple[str, str]]:
    """Data sets, with their owners, that trainings and searches are still to read."""
    runs = {(run.plan.get("dataset", ""), run.owner) for run in store.listed(statuses=ACTIVE)}
    return runs | {(s.spec.base.dataset, s.owner) for s in SearchStore(store).searches(statuses=ACTIVE)}


def data_name() -> str:
    """The best data set that is here now."""
    return datasets.available()[0]


@st.fragment(run_every=1.0)
def _progress() -> None:
    progress = background.progress()
    if progress.state == "running":
        share = progress.done_bytes / max(progress.total_bytes, 1)
        megabytes = f"{progress.done_bytes / 1e6:.0f} of {progress.total_bytes / 1e6:.0f} MB"
        st.progress(min(share, 1.0), f"Fetching MNIST: {megabytes}. Until it is here, a small set of digits stands in.")
    elif progress.state == "done" or "mnist" in datasets.available():
        st.rerun(scope="app")
    elif progress.state == "failed":
        with st.container(horizontal=True, vertical_alignment="center", key="no_mnist"):
            st.caption("MNIST could not be fetched, so a small set of digits stands in.", width="content")
            st.button("Try again", key="retry_download", on_click=lambda: background.start(retry=True))
            with st.popover("Why?", type="tertiary"):
                st.text(progress.message)


def data_notice() -> None:
    """Where MNIST is not here yet: how far its download is. Nothing otherwise."""
    if "mnist" not in datasets.available():
        _progress()
