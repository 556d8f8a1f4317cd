"""Step ablation: train two small models on the same digits, one with the step and one without."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from hdr import catalogue
from hdr.analysis.step_ablation import PLAN, Change, StepAblation, ablate_step
from hdr.formatting import format_count, format_duration, format_percent, format_points
from hdr.plots import html_images
from hdr.ui.components import job_progress
from hdr.ui.inputs import corruption_menu
from hdr.ui.inputs.pipeline_trace import PipelineTrace
from hdr.ui.state import pipeline_state, resources

SHOWN = 30
HEIGHT = 320
_ASKED = "_worth_asked"


def show(seen: PipelineTrace) -> None:
    """Show a button, then the progress, then the result."""
    if not seen.passages:
        st.caption("Add a step to measure what it is worth.")
        return
    index, data = pipeline_state.selected(), resources.dataset(seen.start.dataset)
    title = seen.passages[index].title
    pipeline, spoiled, seed = pipeline_state.current(), corruption_menu.steps(), corruption_menu.seed()
    key = "worth-" + catalogue.key_of(
        [data.name, pipeline.to_json(), index, [catalogue.step_to_json(s) for s in spoiled], seed]
    )
    with_noise = f", all spoiled in the same way ({corruption_menu.describe()})" if spoiled else ""
    with st.container(horizontal=True, vertical_alignment="center", key="worth_row"):
        st.button(
            f"Measure {title}",
            icon=":material/balance:",
            key="measure",
            on_click=lambda: st.session_state.update({_ASKED: key}),
        )
        st.caption(
            f"Trains twice on {format_count(PLAN.train_size)} digits of {data.title}{with_noise}: once with this "
            "chain, once without the step. Both then read the same validation digits; the test digits stay untouched.",
            width="stretch",
        )
    if st.session_state.get(_ASKED) != key:
        st.html('<div class="hdr-empty">What the step is worth appears here, and every digit it mends or breaks.</div>')
        return
    found = job_progress.result(
        key,
        lambda report: ablate_step(data, pipeline, index, disturbances=spoiled, seed=seed, report=report),
        HEIGHT,
        slow=True,
    )
    if found is not None:
        _answer(found, title)
        left, right = st.columns(2, gap="large")
        with left:
            _changes(f"Wrong without it, right with it: {len(found.mended)}", found.mended, seen)
        with right:
            _changes(f"Right without it, wrong with it: {len(found.broken)}", found.broken, seen)


def _answer(found: StepAblation, title: str) -> None:
    low, high = found.interval
    verdict = "helps" if low > 0 else "hurts" if high < 0 else "makes no difference that this many digits can show"
    interval = " to ".join(map(format_points, found.interval))
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="worth_answer"):
        st.html(f'<div class="hdr-figure">{format_points(found.difference)}</div>', width="content")
        st.markdown(
            f"**{title} {verdict}** here: {format_percent(found.accuracy_with)} with it, "
            f"{format_percent(found.accuracy_without)} without.  \n"
            f"In points of accuracy on {format_count(found.validated_on)} digits; 95% interval {interval}, for new "
            f"digits read by these two models. It took {format_duration(found.seconds)}.",
            width="stretch",
        )


def _changes(title: str, changes: Sequence[Change], seen: PipelineTrace) -> None:
    st.markdown(f"**{title}**")
    if not changes:
        st.caption("None.")
        return
    shown = changes[:SHOWN]
    images = resources.dataset(seen.start.dataset).train.images[[c.index for c in shown]]
    captions = [f"{c.label}: {c.said_without} → {c.said_with}" for c in shown]
    st.html(html_images.sheet(images, captions))
    more = f" {len(shown)} are shown." if len(shown) < len(changes) else ""
    st.html(
        '<div class="hdr-note">What it is: what it was called without the step → with it. Pictures as they are in the '
        f"data.{more}</div>"
    )
