"""Accuracy of models on increasingly corrupted digits."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from hdr.analysis import corruption_robustness
from hdr.analysis.corruption_robustness import SWEEPS, CorruptionSweep, Robustness
from hdr.formatting import format_count, format_percent
from hdr.plots import corruption_robustness as robustness_plot
from hdr.plots import html_images
from hdr.plots.colours import DIGITS
from hdr.plots.theme import CONFIG
from hdr.store.runs import Run
from hdr.types import ProgressCallback
from hdr.ui.components import arrow_table, job_progress
from hdr.ui.shell import page
from hdr.ui.state import identity, resources

MOST = 5
"""Runs that are compared at most."""

IN_A_ROW = 4
HEIGHT = 480


@st.fragment
@page.show_errors()
def section(run: Run) -> None:
    """Show a run's robustness, optionally beside other runs on the same data.

    Args:
        run: a run that is done.
    """
    others = {
        r.id: r
        for r in resources.store().runs(identity.owner(), ("done",))
        if r.id != run.id and r.spec.dataset == run.spec.dataset
    }
    chosen = st.multiselect(
        "Beside it",
        list(others),
        format_func=lambda i: others[i].title,
        max_selections=MOST - 1,
        key=f"understand_beside-{run.id}",
        placeholder="Choose other runs of the same data",
        width=480,
    )
    show([run, *(others[i] for i in chosen)])


def show(runs: Sequence[Run]) -> None:
    """The curves of up to `MOST` runs, all of one data set, each measured once and then kept beside its model.

    Args:
        runs: runs that are done.
    """
    found = {run.id: measured for run in runs if (measured := _measured(run))}
    ready = [run for run in runs if run.id in found]
    if not ready:
        return
    results = [found[run.id] for run in ready]
    _summary(ready, results)
    for start in range(0, len(SWEEPS), IN_A_ROW):
        for column, sweep in zip(st.columns(IN_A_ROW), SWEEPS[start : start + IN_A_ROW], strict=True):
            with column:
                _curve(sweep, ready, results)
    st.html(
        f'<div class="hdr-note">The same {format_count(results[0].digits)} test digits everywhere, spoilt before the '
        "preprocessing, with the same noise for every model; the dotted line is where they are as they were. Drawings "
        "and photos differ from the data in just such ways, so these curves say more about them than the test accuracy "
        "does.</div>"
    )


def _measured(run: Run) -> Robustness | None:
    if kept := corruption_robustness.load(run.folder):
        return kept
    data = resources.dataset(run.spec.dataset)

    def work(report: ProgressCallback) -> Robustness:
        report("Reading the model")
        found = corruption_robustness.measure(resources.model(run), data, report=report)
        # Where nothing can be written, as on a full disk, it is measured again another time.
        with suppress(OSError):
            corruption_robustness.save(run.folder, found)
        return found

    return job_progress.result(f"robustness-{run.id}", work, HEIGHT, slow=True)


def _summary(runs: Sequence[Run], results: Sequence[Robustness]) -> None:
    if len(runs) == 1:
        (found,) = results
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.html(f'<div class="hdr-figure">{format_percent(found.mean, 1)}</div>', width="content")
            st.markdown(
                "**mean accuracy on spoilt digits**, over all levels of all eight curves; on the same digits as they "
                f"are, {format_percent(found.clean, 1)}",
                width="stretch",
            )
        return
    st.dataframe(
        arrow_table.of_rows(
            [
                {"run": run.title, "mean": found.mean * 100, "clean": found.clean * 100}
                | {s.name: found.mean_of(s) * 100 for s in SWEEPS}
                for run, found in zip(runs, results, strict=True)
            ]
        ),
        column_config={
            "run": st.column_config.TextColumn("Run", width="medium"),
            "mean": st.column_config.NumberColumn("Mean", format="%.1f %%", help="Over all levels of all curves."),
            "clean": st.column_config.NumberColumn("As they are", format="%.1f %%"),
        }
        | {s.name: st.column_config.NumberColumn(s.title, format="%.1f %%") for s in SWEEPS},
        hide_index=True,
        key="understand_robustness",
        alt="Mean accuracies on spoilt digits",
        lazy=False,
    )
    legend = "".join(
        f'<span><span style="color:{colour}">■</span> {html_images.escape(run.title)}</span>'
        for run, colour in zip(runs, DIGITS, strict=False)
    )
    st.html(f'<div class="hdr-row" style="gap:16px">{legend}</div>')


def _curve(sweep: CorruptionSweep, runs: Sequence[Run], results: Sequence[Robustness]) -> None:
    drawn = robustness_plot.figure(
        sweep.levels,
        [r.curves[sweep.name] for r in results],
        [run.title for run in runs],
        f"{sweep.title}, {sweep.unit}",
        sweep.clean,
    )
    st.plotly_chart(
        drawn,
        key=f"robustness-{sweep.name}-{'-'.join(run.id for run in runs)}",
        config=CONFIG,
        alt=f"Accuracy against {sweep.title.lower()}",
    )
