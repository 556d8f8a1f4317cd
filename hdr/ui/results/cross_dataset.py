"""Train on one, test on another: a run on the test digits of every other data set that is here."""

from __future__ import annotations

import numpy as np
import streamlit as st

from hdr.analysis.cross_dataset import CONFIDENT_MISTAKES, Transfer, transfer
from hdr.formatting import format_count, format_percent, format_points
from hdr.plots import confusion, html_images
from hdr.plots.theme import CONFIG
from hdr.store.runs import Run
from hdr.types import ProgressCallback
from hdr.ui.components import job_progress
from hdr.ui.shell import page
from hdr.ui.state import resources, session_datasets

HEIGHT, SIDE = 400, 56


@st.fragment
@page.show_errors()
def section(run: Run) -> None:
    """Show the run's results on another data set: accuracy, confusion matrix and its most confident errors.

    Args:
        run: a run that is done.
    """
    others = {name: session_datasets.title(name) for name in session_datasets.available() if name != run.spec.dataset}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Test on",
            list(others),
            format_func=lambda name: others.get(name, name),
            key=f"transfer_to-{run.id}",
            width=320,
            help="Its test digits, 10,000 at most. This model has learned from none of them, unless the data sets "
            "share digits, as MNIST, QMNIST and EMNIST do.",
        )
        st.page_link("pages/data.py", label="More data sets", icon=":material/database:", width="content")
    if name is None:
        st.caption("There is no other data set here yet.")
        return
    load = resources.loader(name)

    def work(report: ProgressCallback) -> Transfer:
        report("Reading the model and the digits")
        return transfer(resources.model(run), load(), report=report)

    found: Transfer | None = job_progress.result(f"transfer-{run.id}-{name}", work, HEIGHT, slow=True)
    if found is not None:
        _show(run, found)


def _show(run: Run, found: Transfer) -> None:
    figures = found.figures
    low, high = figures["interval"]
    before = run.result["test_accuracy"]
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.html(f'<div class="hdr-figure">{format_percent(figures["test_accuracy"])}</div>', width="content")
        st.markdown(
            f"**of {format_count(figures['tested_on'])} test digits of {found.title}**, 95% interval "
            f"{format_percent(low)} to {format_percent(high)}  \n"
            f"on the digits it was made for: {format_percent(before)}, "
            f"{format_points(figures['test_accuracy'] - before)} points",
            width="stretch",
        )
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.plotly_chart(
            confusion.figure(figures["confusion"]),
            key=f"transfer_confusion-{run.id}-{found.dataset}",
            config=CONFIG,
            alt="Confusion matrix",
        )
        st.html('<div class="hdr-note">A row for each true digit. Bold: called rightly.</div>')
    with right:
        _mistakes(found)


def _mistakes(found: Transfer) -> None:
    shown = found.figures["mistakes"][:CONFIDENT_MISTAKES]
    if not shown:
        st.markdown("It got none of them wrong.")
        return
    st.markdown(f"**The {len(shown)} mistakes it was most sure of**, of {format_count(found.figures['wrong'])}")
    images = resources.dataset(found.dataset).test.images[np.array([m["index"] for m in shown])]
    st.html(
        html_images.sheet(
            images, [f"{m['label']} → {m['said']} · {format_percent(m['probability'], 0)}" for m in shown], SIDE
        )
    )
    st.html(
        '<div class="hdr-note">What it is → what it was called, and how sure the model was. Another pen, another '
        "country's hands or another scanner is often enough: a model knows only what it has seen.</div>"
    )
