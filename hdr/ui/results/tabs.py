"""Results of a finished run: confusion matrix, calibration, internals and exports."""

from __future__ import annotations

import streamlit as st

from hdr.sanitize import escape_markdown
from hdr.store.runs import Run
from hdr.types import HdrError
from hdr.ui.components.tabs import lazy_tabs
from hdr.ui.results import (
    calibration,
    confusion,
    cross_dataset,
    export,
    label_errors,
    learning_curves,
    model_internals,
    robustness,
)
from hdr.ui.state import resources

SECTIONS = {
    "What it confuses": confusion.section,
    "How sure it is": calibration.section,
    "Robustness": robustness.section,
    "Inside": model_internals.section,
    "More digits, other settings": learning_curves.section,
    "Suspect labels": label_errors.section,
    "On other data": cross_dataset.section,
    "Take it along": export.section,
}


def show(run: Run) -> None:
    """Show lazy tabs with the results; nothing for an unfinished run."""
    if run.status != "done":
        return
    try:
        resources.dataset(run.spec.dataset)
    except HdrError as error:
        # An uploaded data set may be deleted or belong to another session: the model and its scores still work.
        st.info(escape_markdown(error), icon=":material/hide_image:")
        confusion.figures(run)
        return
    lazy_tabs(SECTIONS, "result", run)
