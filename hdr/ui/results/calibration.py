"""Calibration of a model, and its accuracy when it rejects uncertain predictions."""

from __future__ import annotations

import numpy as np
import streamlit as st

from hdr.analysis import calibration
from hdr.analysis.calibration import Calibration, Reliability
from hdr.formatting import format_count, format_percent
from hdr.plots import reliability as reliability_plot
from hdr.plots import risk_coverage as coverage_plot
from hdr.plots.colours import ACCENT, SECOND
from hdr.plots.theme import CONFIG
from hdr.store.runs import Run
from hdr.types import Labels, ProgressCallback
from hdr.ui.components import job_progress
from hdr.ui.results import common
from hdr.ui.shell import page
from hdr.ui.state import resources

HEIGHT = 420
THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)


@st.fragment
@page.show_errors()
def section(run: Run) -> None:
    """Show reliability before and after temperature scaling, and accuracy against coverage.

    Args:
        run: a run that is done.
    """
    said = common.probabilities(run)
    if said is None:
        return
    data = resources.dataset(run.spec.dataset)

    def work(report: ProgressCallback) -> Calibration:
        report("Reading the model")
        return calibration.calibrate(resources.model(run), data, said, report)

    found: Calibration | None = job_progress.result(f"calibration-{run.id}", work, HEIGHT, slow=True)
    if found is None:
        return
    st.subheader("Is it right as often as it says?", anchor=False)
    _reliability(run, found, data.test.labels)
    st.subheader("What if it may say nothing?", anchor=False)
    _abstain(run, found, data.test.labels)


def _reliability(run: Run, found: Calibration, labels: Labels) -> None:
    both = [calibration.reliability(labels, p) for p in (found.before, found.after)]
    start = reliability_plot.floor(*(r.confidence for r in both), *(r.accuracy for r in both))
    columns = st.columns([4, 4, 3], gap="medium")
    titles = ("before", f"after, temperature {found.temperature:.2f}")
    for column, title, grouped, colour in zip(columns, titles, both, (ACCENT, SECOND), strict=False):
        with column:
            st.html(f'<div class="hdr-over">{title}</div>')
            drawn = reliability_plot.figure(
                grouped.confidence, grouped.accuracy, grouped.low, grouped.high, grouped.count, start, colour
            )
            st.plotly_chart(drawn, key=f"reliability-{title[:5]}-{run.id}", config=CONFIG, alt=f"Reliability {title}")
    with columns[2]:
        _numbers(found, labels, both)
    st.html(f'<div class="hdr-note">{_note(found)}</div>')


def _numbers(found: Calibration, labels: Labels, both: list[Reliability]) -> None:
    def column(p: np.ndarray, grouped: Reliability) -> list[str]:
        return [
            format_percent(float(p.max(axis=1).mean())),
            format_percent(float((p.argmax(axis=1) == labels).mean())),
            format_percent(grouped.ece),
            f"{calibration.nll(labels, p):.4f}",
            f"{calibration.brier(labels, p):.4f}",
        ]

    names = ["mean confidence", "accuracy", "calibration error (ECE)", "log loss (NLL)", "Brier score"]
    rows = zip(names, column(found.before, both[0]), column(found.after, both[1]), strict=True)
    # Not `st.table`, which imports pandas (see `hdr.ui.components.arrow_table`).
    st.markdown("\n".join(["| | before | after |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]))
    st.html('<div class="hdr-note">Of the last three, less is better.</div>')


def _note(found: Calibration) -> str:
    what = "log probabilities" if found.own else "the margins of this classifier (it has no probabilities of its own)"
    verdict = (
        "It was too sure of itself."
        if found.temperature > 1.05
        else "It was more modest than it had to be."
        if found.temperature < 0.95
        else "It hardly needed any scaling."
    )
    used = "" if found.own else " Everywhere else in this app it speaks as it does after scaling."
    return (
        "Each point is a group of about as many test digits, with the 95% interval of its accuracy; on the dotted "
        "line the model is right as often as it says, below it is too sure. Temperature scaling divides "
        f"{what} by one number, fitted on {format_count(found.validated_on)} validation digits. {verdict}{used}"
    )


def _abstain(run: Run, found: Calibration, labels: Labels) -> None:
    curve = calibration.risk_coverage(labels, found.after)
    left, right = st.columns([6, 5], gap="large")
    with right:
        threshold = st.select_slider(
            "Answer only if at least so sure",
            THRESHOLDS,
            0.9,
            format_func=lambda v: format_percent(v, 1) if v else "always",
            key=f"understand_threshold-{run.id}",
            help="The model answers where the probability of its first choice, after scaling, reaches this.",
        )
        answered, wrong = calibration.at_threshold(labels, found.after, threshold)
        everything, all_wrong = calibration.at_threshold(labels, found.after, 0.0)
        accuracy = 1 - wrong / answered if answered else 0.0
        shown = format_percent(accuracy) if answered else "no answer"
        st.html(f'<div class="hdr-figure">{shown}</div>')
        st.markdown(
            f"of its answers are right. It answers **{format_count(answered)}** of {format_count(everything)} test "
            f"digits ({format_percent(answered / everything)}) and is wrong on **{wrong}**, instead of {all_wrong} "
            "if it answers always."
        )
    with left:
        chosen = (answered / everything, accuracy) if answered else None
        st.plotly_chart(
            coverage_plot.figure(curve.answered, curve.accuracy, curve.threshold, chosen),
            key=f"coverage-{run.id}",
            config=CONFIG,
            alt="Accuracy against the share of digits that are answered",
        )
    st.html(
        '<div class="hdr-note">The least sure digits are left unanswered first. A threshold for real use is chosen on '
        "validation digits, not here: these are the test digits.</div>"
    )
