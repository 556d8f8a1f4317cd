"""Comparison of runs: different settings, curves, costs and, for two runs, a significance test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from hdr.analysis.compare_runs import Disagreement, PairedComparison, diff_specs, format_setting, paired, pareto_front
from hdr.formatting import format_count, format_duration, format_percent, format_points
from hdr.plots import accuracy_axis, compare_learning_curves, html_images, learning_curve, pareto
from hdr.plots.compare_learning_curves import Curve
from hdr.plots.theme import CONFIG
from hdr.sanitize import escape_markdown
from hdr.store.run_progress import progress
from hdr.store.runs import RunSummary
from hdr.training.metrics import wilson_interval
from hdr.types import HdrError
from hdr.ui.components import arrow_table
from hdr.ui.inputs import digit_picker
from hdr.ui.runs.table import MOST_COMPARED
from hdr.ui.state import resources

LETTERS = "ABCDEFGHIJ"
SHOWN, SIDE = 24, 56

COSTS = {
    "fit_seconds": ("fitting, s", 1.0, 1.0),
    "predict_ms": ("reading a digit, ms", 1.0, 1e-3),
    "model_bytes": ("model, MB", 1e-6, 0.0),
}
"""Costs of a run: the axis title, the factor from the stored value to the axis, and the factor to seconds."""


def show(chosen: Sequence[RunSummary]) -> None:
    """Compare runs.

    Args:
        chosen: at least two; the first `MOST_COMPARED` are compared.
    """
    compared = list(chosen[:MOST_COMPARED])
    st.subheader(f"{len(compared)} runs side by side", anchor=False)
    if len(chosen) > len(compared):
        st.caption(f"{len(chosen)} are chosen; the first {MOST_COMPARED} are compared.")
    _differences(compared)
    done = [(i, run) for i, run in enumerate(compared) if run.test_accuracy is not None]
    if len(compared) == 2 and len(done) == 2:
        _pair(compared[0], compared[1])
    _curves(compared)
    if done:
        _trade_offs(done)


def _differences(compared: list[RunSummary]) -> None:
    differing = diff_specs([run.plan for run in compared])
    rows: list[dict[str, Any]] = [
        {
            "letter": LETTERS[i],
            "title": run.title,
            "accuracy": None if run.test_accuracy is None else run.test_accuracy * 100,
            "fit": run.fit_seconds,
            "read": run.predict_ms,
            "size": None if run.model_bytes is None else run.model_bytes / 1e6,
            **{path: format_setting(row[i]) for path, row in differing.items()},
        }
        for i, run in enumerate(compared)
    ]
    number = st.column_config.NumberColumn
    st.dataframe(
        arrow_table.of_rows(rows),
        column_config={
            "letter": st.column_config.TextColumn("", width=36, pinned=True),
            "title": st.column_config.TextColumn("Run", width="medium"),
            "accuracy": number("Test accuracy", format="%.2f %%"),
            "fit": number("Fitting", format="%.2f s"),
            "read": number("A digit", format="%.3f ms"),
            "size": number("Size", format="%.2f MB"),
            **{path: next(s for s in row if s).title for path, row in differing.items()},
        },
        hide_index=True,
        placeholder="",
        key="differences",
        alt="What differs between the runs",
        lazy=False,
    )
    what = "Only settings that differ are listed." if differing else "Their plans do not differ in anything."
    st.html(f'<div class="hdr-note">{what} A run that has no such setting has a dash.</div>')


def _curves(compared: list[RunSummary]) -> None:
    events = resources.store().curves([run.id for run in compared])
    seen = [progress(events[run.id]) for run in compared]
    units = {s.unit for s in seen if s.points}
    by_steps = len(units) == 1
    x_title = learning_curve.AXES[next(iter(units))] if by_steps else "seconds since the run began"
    drawn = [
        Curve(
            LETTERS[i],
            tuple(p.step if by_steps else p.elapsed for p in s.points),
            tuple(p.validation for p in s.points),
            i,
        )
        for i, s in enumerate(seen)
    ]
    st.subheader("How they learned", anchor=False)
    st.plotly_chart(
        compare_learning_curves.figure(drawn, x_title, log=not by_steps),
        key="curves",
        config=CONFIG,
        alt="Learning curves of all runs",
    )
    why = "" if by_steps or not units else "They learn in different steps, so that time is what they share. "
    st.html(f'<div class="hdr-note">{why}{accuracy_axis.NOTE}</div>')


def _trade_offs(done: list[tuple[int, RunSummary]]) -> None:
    st.subheader("What accuracy costs", anchor=False)
    for place, (name, (title, factor, seconds)) in zip(st.columns(3, gap="medium"), COSTS.items(), strict=True):
        priced = [(i, run, float(getattr(run, name))) for i, run in done if getattr(run, name)]
        if priced:
            best = pareto_front([cost for *_, cost in priced], [run.test_accuracy or 0.0 for _, run, _ in priced])
            points = [
                pareto.Point(
                    LETTERS[i],
                    cost * factor,
                    format_duration(cost * seconds) if seconds else f"{cost * factor:.2g} MB",
                    run.test_accuracy or 0.0,
                    wilson_interval(round((run.test_accuracy or 0.0) * (run.tested_on or 0)), run.tested_on or 0),
                    bool(on_front),
                    i,
                )
                for (i, run, cost), on_front in zip(priced, best, strict=True)
            ]
            with place:
                st.plotly_chart(
                    pareto.figure(points, title), key=f"cost-{name}", config=CONFIG, alt=f"Accuracy against {title}"
                )
    st.html(
        '<div class="hdr-note">Full points are the Pareto front: no other run here is as cheap and as good, and better '
        "in one of both. Rings are beaten. Bars are 95% intervals.</div>"
    )


def _pair(first: RunSummary, second: RunSummary) -> None:
    data = {run.plan.get("dataset") for run in (first, second)}
    if len(data) > 1:
        st.info("They were tested on different digits, so that their accuracies cannot be compared one to one.")
        return
    try:
        test = resources.dataset(first.spec.dataset).test
        found = paired(test.labels, resources.test_probabilities(first), resources.test_probabilities(second))
    except HdrError as error:
        st.info(escape_markdown(error))
        return
    _answer(found)
    left, right = st.columns(2, gap="large")
    with left:
        _disputed("A", "B", found.only_first, first)
    with right:
        _disputed("B", "A", found.only_second, first)


def _answer(found: PairedComparison) -> None:
    low, high = found.interval
    better = "A is better" if low > 0 else "B is better" if high < 0 else "Neither is better, as far as this can show"
    interval = " to ".join(map(format_points, found.interval))
    p = f"p = {found.p:.2g}" if found.p >= 1e-4 else "p < 0.0001"
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="pair_answer"):
        st.html(f'<div class="hdr-figure">{format_points(found.difference)}</div>', width="content")
        st.markdown(
            f"**{better}.** {format_percent(found.first_accuracy)} and {format_percent(found.second_accuracy)} of "
            f"{format_count(found.tested_on)} test digits: A minus B in points, 95% interval {interval}.  \n"
            f"McNemar's exact test: {p}, the chance that two equally good models differ at "
            "least as much.",
            width="stretch",
        )


def _disputed(right: str, wrong: str, found: Sequence[Disagreement], run: RunSummary) -> None:
    st.markdown(f"**{right} has them right and {wrong} wrong: {format_count(len(found))}**")
    if not found:
        st.caption("None.")
        return
    images = resources.dataset(run.spec.dataset).test.images
    with st.container(horizontal=True, gap="small", key=f"only_{right}"):
        for each in found[:SHOWN]:
            with st.container(width=SIDE + 8, gap=None, horizontal_alignment="center"):
                st.html(html_images.digit(images[each.index], SIDE, f"a {each.label}"))
                if st.button(
                    f"{each.label} → {each.said}",
                    key=f"disputed-{right}-{each.index}",
                    type="tertiary",
                    help=f"{wrong} was {format_percent(each.probability, 0)} sure. Open in Preprocess.",
                ):
                    digit_picker.open_digit(run.spec.dataset, each.index, "test")
    more = f" {SHOWN} are shown." if len(found) > SHOWN else ""
    st.html(
        f'<div class="hdr-note">What it is → what {wrong} called it, where {wrong} was surest first.{more} A click '
        "opens the digit in Preprocess.</div>"
    )
