"""Confusion matrix of a model, the digits of each cell, and the details of a selected digit."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hdr.formatting import format_count, format_percent
from hdr.plots import confusion
from hdr.plots.theme import CONFIG
from hdr.store.runs import Run
from hdr.types import CLASSES
from hdr.ui.components import arrow_table
from hdr.ui.results import common
from hdr.ui.shell import page
from hdr.ui.state import resources

ANY = "any"
CHOICES = (ANY, *map(str, range(CLASSES)))
SHOWN = 24
"""Digits of a cell that are shown at a time."""


def cell_indices(labels: NDArray[np.uint8], said: NDArray[np.floating], really: str, called: str) -> NDArray[np.int64]:
    """Return the indices of the digits in a cell, or in several.

    Args:
        labels: uint8 (n,).
        said: float (n, 10), probabilities.
        really, called: a class as text, or `ANY`. Where either is `ANY`, only wrong calls are meant.

    Returns:
        Indices: wrong calls with the most confident ones first, right calls with the least confident ones first.
    """
    calls = said.argmax(axis=1)
    there = np.ones(len(labels), bool)
    if really != ANY:
        there &= labels == int(really)
    if called != ANY:
        there &= calls == int(called)
    right = really == called != ANY
    if not right:
        there &= calls != labels
    found = np.flatnonzero(there)
    confidence = said[found, calls[found]]
    return found[np.argsort(confidence if right else -confidence, kind="stable")]


@st.fragment
@page.show_errors()
def section(run: Run) -> None:
    """Show the confusion matrix with clickable cells, the digits of a cell, one digit in detail, and the classes.

    Args:
        run: a run that is done.
    """
    left, right = st.columns([6, 5], gap="large")
    with left:
        _matrix(run)
        really, called = _boxes(run)
    said = None
    with right:
        said = common.probabilities(run)
        chosen = None if said is None else _cell(run, said, really, called)
    if said is not None and chosen is not None:
        common.one_digit(run, chosen, said[chosen])
    st.subheader("Class by class", anchor=False)
    _per_class(run)


def figures(run: Run) -> None:
    """Show the confusion matrix and the classes of a run whose data set is missing.

    Args:
        run: a run that is done.
    """
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.plotly_chart(
            confusion.figure(run.result["confusion"]),
            key=f"understand_confusion-{run.id}",
            config=CONFIG,
            alt="Confusion matrix",
        )
    with right:
        _per_class(run)


def _keys(run: Run) -> tuple[str, str]:
    return f"understand_really-{run.id}", f"understand_called-{run.id}"


def _matrix(run: Run) -> None:
    really, called = (st.session_state.get(key, ANY) for key in _keys(run))
    chart = f"understand_confusion-{run.id}"
    framed = None if ANY in (really, called) else (int(really), int(called))
    st.plotly_chart(
        confusion.figure(run.result["confusion"], chosen=framed, clickable=True),
        key=chart,
        config=CONFIG,
        on_select=partial(_take_click, run, chart),
        selection_mode="points",
        alt="Confusion matrix",
    )
    st.html(
        '<div class="hdr-note">A row for each true digit. Bold: called rightly. The deeper the orange, the larger the '
        "share of that digit's mistakes. Click a cell to see its digits.</div>"
    )


def _take_click(run: Run, chart: str) -> None:
    points = st.session_state[chart]["selection"]["points"]
    if points:
        # A new figure forgets its selection; the boxes are what is remembered.
        for key, value in zip(_keys(run), (points[0]["y"], points[0]["x"]), strict=True):
            st.session_state[key] = str(value)


def _boxes(run: Run) -> tuple[str, str]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        really, called = (
            st.selectbox(title, CHOICES, key=key, width=110, help=text)
            for key, title, text in zip(
                _keys(run),
                ("Is really", "Called"),
                ("The label of the digits to show.", "What the model called them; any means anything but their label."),
                strict=True,
            )
        )
    return str(really), str(called)


def _cell(run: Run, said: NDArray[np.float32], really: str, called: str) -> int | None:
    # Shows the digits of the cell and returns the one that is chosen, or else the first.
    split = resources.dataset(run.spec.dataset).test
    found = cell_indices(split.labels, said, really, called)
    st.markdown(f"**{_title(len(found), really, called)}**")
    if not len(found):
        st.html('<div class="hdr-note">None of the test digits is here. Choose another cell.</div>')
        return None
    shown_key = f"understand_shown-{run.id}-{really}-{called}"
    chosen_key = f"understand_chosen-{run.id}"
    shown = found[: st.session_state.get(shown_key, SHOWN)]
    chosen = st.session_state.get(chosen_key)
    chosen = chosen if chosen in shown else int(shown[0])
    calls = said[shown].argmax(axis=1)
    common.gallery(
        "understand-cell",
        split.images[shown],
        [f"{split.labels[i]} → {c}" for i, c in zip(shown, calls, strict=True)],
        [format_percent(float(said[i].max()), 0) for i in shown],
        partial(common.keep, chosen_key),
        shown.tolist(),
        chosen,
    )
    if len(shown) < len(found):
        st.button(
            f"{format_count(min(SHOWN, len(found) - len(shown)))} more",
            key="understand_more",
            on_click=common.keep,
            args=(shown_key, len(shown) + SHOWN),
        )
    order = "least" if really == called != ANY else "most"
    st.html(
        f'<div class="hdr-note">What it is → what it was called, and how sure the model was; the {order} confident '
        "come first. Click one to see more of it below.</div>"
    )
    return chosen


def _title(count: int, really: str, called: str) -> str:
    number = format_count(count)
    if really == called != ANY:
        return f"{number} test digits are a {really} and were called so"
    if really != ANY and called != ANY:
        return f"{number} test digits are a {really} and were called {called}"
    if really != ANY:
        return f"{number} test digits are a {really} and were called something else"
    if called != ANY:
        return f"{number} test digits were called {called} and are something else"
    return f"The {number} test digits that it got wrong"


def _per_class(run: Run) -> None:
    share = partial(st.column_config.NumberColumn, format="%.1f %%")
    st.dataframe(
        arrow_table.of_rows(
            [
                {
                    "digit": str(r["digit"]),
                    **{name: r[name] * 100 for name in ("precision", "recall", "f1")},
                    "count": r["count"],
                }
                for r in run.result["per_class"]
            ]
        ),
        column_config={
            "digit": st.column_config.TextColumn("Digit", width="small"),
            "precision": share("Precision", help="Of the digits called so, the share that were."),
            "recall": share("Recall", help="Of the digits that are so, the share that were called so."),
            "f1": share("F1", help="The harmonic mean of precision and recall."),
            "count": st.column_config.NumberColumn("Count", help="Test digits of this class.", width="small"),
        },
        hide_index=True,
        height=388,
        width=620,
        key="per_class",
        alt="Precision, recall and F1 of each digit",
        lazy=False,
    )
