"""What a run that is done has to say for itself: its mistakes, its certainty, its inside, and files to take along."""

from __future__ import annotations

import streamlit as st

from hdr.text import plain
from hdr.training.store import Run
from hdr.types import HdrError
from hdr.ui import (
    resources,
    take_along,
    transfer_view,
    understand_calibration,
    understand_confusion,
    understand_curves,
    understand_inside,
    understand_labels,
    understand_robustness,
)

SECTIONS = {
    "What it confuses": understand_confusion.section,
    "How sure it is": understand_calibration.section,
    "Robustness": understand_robustness.section,
    "Inside": understand_inside.section,
    "More digits, other settings": understand_curves.section,
    "Suspect labels": understand_labels.section,
    "On other data": transfer_view.section,
    "Take it along": take_along.section,
}


def show(run: Run) -> None:
    """Tabs of which only the open one is computed; nothing for a run that is not done."""
    if run.status != "done":
        return
    try:
        resources.dataset(run.spec.dataset)
    except HdrError as error:
        # Data of one's own may be gone or another's: the run still reads drawings, and says how good it was.
        st.info(plain(error), icon=":material/hide_image:")
        understand_confusion.figures(run)
        return
    for tab, section in zip(st.tabs(list(SECTIONS), key="result", on_change="rerun"), SECTIONS.values(), strict=True):
        if tab.open:
            with tab:
                section(run)
