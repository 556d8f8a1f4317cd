"""What happens once per server, in the background: imports, data, and the default model."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import threading
import time

import streamlit as st

from hdr import datasets, paths, ui
from hdr.datasets.public import background_download
from hdr.datasets.uploads import user_datasets
from hdr.jobs import default_model, retention
from hdr.jobs.scheduler import JobScheduler
from hdr.memory import allocator
from hdr.sanitize import escape_markdown
from hdr.store.retry import write_with_retry
from hdr.store.runs import ACTIVE, RunStore, StoreLostError
from hdr.store.searches import SearchStore
from hdr.types import HdrError
from hdr.ui.components import rerun_timer
from hdr.ui.shell import store_outage
from hdr.ui.state import identity, resources, session_datasets

log = logging.getLogger("hdr.startup")

PROGRESS_SECONDS = 1.0
CLEAN_SECONDS = 3600.0
"""Interval in seconds between cleanups of old runs and incomplete files; the first one is at startup."""


AFTER_SECONDS = 0.5
LONGEST_WAIT = 15.0
"""Delay of background work after the first page is built, and the longest wait for that page, both in seconds.
Background work during the build makes the page nearly twice as slow."""

_made = threading.Event()


def mark_page_rendered() -> None:
    """Say that a page's script is at its end."""
    _made.set()


@st.cache_resource(max_entries=1, show_spinner=False)
def start() -> None:
    """Start preparing; returns at once. The first call does it, later ones nothing."""
    threading.Thread(target=_prepare, args=(resources.store(), resources.processes()), daemon=True).start()


def _prepare(store: RunStore, processes: JobScheduler) -> None:
    _made.wait(LONGEST_WAIT)
    time.sleep(AFTER_SECONDS)
    _load_reader()
    without = paths.makeshift()
    if without and not without.can_keep:
        _import_slow_ones()
        return
    try:
        write_with_retry(store.check)
        threading.Thread(target=_keep_clean, args=(store,), name="hdr-cleaning", daemon=True).start()
        write_with_retry(lambda: default_model.ensure_default_model(store, processes, data_name()))
        if "mnist" not in datasets.available():
            background_download.start()
        _import_slow_ones()
        allocator.freeze_gc()
        while "mnist" not in datasets.available():
            time.sleep(1)
        write_with_retry(lambda: default_model.ensure_default_model(store, processes, "mnist"))
    except HdrError as error:
        log.warning("%s", error)


def _keep_clean(store: RunStore) -> None:
    while True:
        try:
            log.info("cleaned away: %s", retention.clean(store))
            user_datasets.purge(_waited_for(store))
        except HdrError as error:
            log.warning("%s", error)
        except Exception:
            # The next attempt may succeed, and no user is waiting for this one.
            log.exception("cleaning up")
        time.sleep(CLEAN_SECONDS)


def _load_reader() -> None:
    # First of all: it reads from the first second of the first visit, when nothing is trained yet.
    try:
        resources.ready_reader()
    except HdrError as error:
        log.warning("%s", error)


def _import_slow_ones() -> None:
    # Load these before the first click needs them, with or without MNIST.
    import plotly.graph_objects  # noqa: F401
    import skimage.morphology  # noqa: F401
    import sklearn.svm  # noqa: F401
    import skops.io  # noqa: F401

    for module in pkgutil.iter_modules(ui.__path__):
        importlib.import_module(f"{ui.__name__}.{module.name}")


def cleanup_sessions() -> None:
    """Delete the own data of sessions that have ended; quick where there are none."""
    session_datasets.cleanup(lambda: _waited_for(resources.store()))


def _waited_for(store: RunStore) -> set[tuple[str, str]]:
    """Return the data sets, with their owners, that waiting trainings and searches still have to read."""
    runs = {(run.plan.get("dataset", ""), run.owner) for run in store.listed(statuses=ACTIVE)}
    return runs | {(s.spec.base.dataset, s.owner) for s in SearchStore(store).searches(statuses=ACTIVE)}


def data_name() -> str:
    """Return the best data set available now."""
    return datasets.available()[0]


@st.fragment
def _progress() -> None:
    progress = background_download.progress()
    if progress.state in ("idle", "running"):
        # Not `run_every`: after a failure the page would run every second for nothing.
        rerun_timer.after(PROGRESS_SECONDS, "wake_mnist")
    if progress.state == "running":
        share = progress.done_bytes / max(progress.total_bytes, 1)
        megabytes = f"{progress.done_bytes / 1e6:.0f} of {progress.total_bytes / 1e6:.0f} MB"
        st.progress(min(share, 1.0), f"Fetching MNIST: {megabytes}. Until it is here, a small set of digits stands in.")
    elif progress.state == "done" or "mnist" in datasets.available():
        st.rerun(scope="app")
    elif progress.state == "failed":
        with st.container(horizontal=True, vertical_alignment="center", key="no_mnist"):
            st.caption("MNIST could not be fetched, so a small set of digits stands in.", width="content")
            st.button("Try again", key="retry_download", on_click=lambda: background_download.start(retry=True))
            with st.popover("Why?", type="tertiary"):
                st.text(progress.message)


def data_notice() -> None:
    """Show the progress of the MNIST download; nothing if MNIST is available."""
    if "mnist" not in datasets.available():
        _progress()


def store_notice() -> None:
    """Show one sentence if the run store does not respond, was replaced in the last day, or is not persistent."""
    if resources.look_again():
        start.clear()
        st.rerun()
    if without := paths.makeshift():
        # Where the host keeps runs is none of a visitor's business: the log has it.
        st.warning(
            escape_markdown(f"{without.consequence}." if identity.demo() else without.sentence), icon=":material/save:"
        )
    try:
        repair = resources.store().repaired()
    except StoreLostError as error:
        # Content that needs no run follows below.
        store_outage.show_outage(error)
        return
    if repair:
        st.caption(f":material/restore_page: {escape_markdown(repair.sentence)}")
