"""Labels that may be wrong: digits whose label contradicts what models say that never saw it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hdr.analysis import label_errors as confident
from hdr.analysis.label_errors import FOLDS, MNIST_TEST, LabelErrors
from hdr.formatting import format_count, format_duration
from hdr.plots import html_images
from hdr.store.runs import Run
from hdr.types import ImmutableArrays, Labels, ProgressCallback
from hdr.ui.components import job_progress
from hdr.ui.inputs import digit_picker
from hdr.ui.results import common
from hdr.ui.shell import page
from hdr.ui.state import resources

WHERE = {"test": "Test digits", "training": "Training digits"}
SHOWN = 40
HEIGHT = 420
SIZES = (1_000, 2_000, 5_000, confident.MAX_DIGITS)


@dataclass(frozen=True)
class _Read(ImmutableArrays):
    # Where digits are in their split, and their probabilities.
    index: NDArray[np.int64]
    said: NDArray[np.float64]


@st.fragment
@page.show_errors()
def section(run: Run) -> None:
    """Show the most suspect labels of the test split, or of the training split by cross-validation.

    Args:
        run: a run that is done.
    """
    where = st.segmented_control(
        "Look among",
        list(WHERE),
        format_func=WHERE.__getitem__,
        default="test",
        required=True,
        key=f"understand_where-{run.id}",
    )
    data = resources.dataset(run.spec.dataset)
    if where == "test":
        said = common.probabilities(run)
        if said is not None:
            everything = np.arange(len(data.test))
            _list(run, where, confident.find_label_errors(data.test.labels, said), everything, said)
        return
    read = _cross_validated(run)
    if read is not None:
        labels = data.train.labels[read.index]
        _list(run, where, confident.find_label_errors(labels, read.said), read.index, read.said)


def _cross_validated(run: Run) -> _Read | None:
    most: int = run.result["fitted_on"]
    sizes = [s for s in SIZES if s < most] + [min(most, SIZES[-1])] * (most <= SIZES[-1])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        size = st.select_slider(
            "Digits",
            sizes,
            sizes[min(1, len(sizes) - 1)],
            format_func=format_count,
            key=f"understand_folds_of-{run.id}",
            width=260,
        )
        key = f"folds-{run.id}-{size}"
        asked = f"_understand_folds-{run.id}"
        st.button(
            f"Fit {FOLDS} models",
            icon=":material/balance:",
            key="understand_fold",
            on_click=common.keep,
            args=(asked, key),
        )
        seconds = FOLDS * run.result["fit_seconds"] * size / most
        st.caption(
            f"Each reads the fifth of the digits that it was not fitted on. It takes about "
            f"{format_duration(max(seconds, 0.5))}.",
            width="stretch",
        )
    if st.session_state.get(asked) != key:
        st.html('<div class="hdr-empty">The training digits whose labels look wrong appear here.</div>')
        return None
    data = resources.dataset(run.spec.dataset)

    def work(report: ProgressCallback) -> _Read:
        report("Reading the model")
        temperature = resources.model(run).temperature
        return _Read(*confident.cross_validated(run.spec, data, temperature, size, report=report))

    return job_progress.result(key, work, HEIGHT, slow=True)


def _list(run: Run, where: str, found: LabelErrors, index: NDArray[np.int64], said: NDArray[np.floating]) -> None:
    confidently = int(found.confident.sum())
    st.markdown(
        f"**{format_count(confidently)} of {format_count(len(index))} labels are suspect** by confident learning; "
        f"for {format_count(len(found) - confidently)} more another class is merely more probable than the label."
    )
    if not len(found):
        return
    rows = index[found.index[:SHOWN]]
    data = resources.dataset(run.spec.dataset)
    split = data.test if where == "test" else data.train
    doubted = set(MNIST_TEST) if where == "test" and run.spec.dataset == "mnist" else set()
    key = f"understand_suspect-{run.id}-{where}"
    kept: int | None = st.session_state.get(key)
    chosen = kept if kept is not None and kept in rows else int(rows[0])
    common.gallery(
        "understand-suspect",
        split.images[rows],
        [f"{a} or {b}?{' ∗' if i in doubted else ''}" for a, b, i in _pairs(found, rows)],
        [str(i) for i in rows],
        partial(common.keep, key),
        rows.tolist(),
        chosen,
    )
    _note(len(found), len(rows), {int(i) for i in index[found.index]} & doubted, len(doubted))
    at = int(np.flatnonzero(index == chosen)[0])
    if where == "test":
        common.one_digit(run, chosen, said[at])
    else:
        _training_digit(run, chosen, split.labels, said[at])


def _pairs(found: LabelErrors, rows: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    return [(int(a), int(b), int(i)) for a, b, i in zip(found.label, found.guess, rows, strict=False)]


def _note(count: int, shown: int, among: set[int], doubted: int) -> None:
    more = f" {shown} are shown." if shown < count else ""
    people = (
        f" ∗ Of {doubted} labels that fewer than three of five people agreed with (Northcutt, Athalye and Mueller, "
        f"2021), {len(among)} are in this list."
        if doubted
        else ""
    )
    st.html(
        '<div class="hdr-note">The label or what it may be instead, and the number of the digit. The further the '
        "probability of the label lies below that of the other class, the earlier it comes. A doubtful label is not "
        f"always wrong: some digits are just badly written.{more}{people}</div>"
    )


def _training_digit(run: Run, index: int, labels: Labels, said: NDArray[np.floating]) -> None:
    left, right = st.columns([3, 8], gap="large")
    image = resources.dataset(run.spec.dataset).train.images[index]
    with left:
        st.html(html_images.digit(image, common.LARGE, f"a {labels[index]}"))
        st.markdown(f"Labelled **{labels[index]}**, number {format_count(index)} of the training split")
        if st.button("Open in Preprocess", icon=":material/tune:", key="understand_open_training"):
            digit_picker.open_digit(run.spec.dataset, index, split=digit_picker.SPLITS[1])
    with right:
        st.html('<div class="hdr-over">what a model says that was not fitted on it</div>' + html_images.bars(said))
