"""One run: its curve while it learns, and its result when it is done."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from hdr import catalogue
from hdr.formatting import format_count, format_duration, format_percent
from hdr.plots import learning_curve
from hdr.plots.theme import CONFIG
from hdr.sanitize import escape_markdown
from hdr.store.run_commands import Kind
from hdr.store.run_progress import Progress, progress
from hdr.store.runs import Run
from hdr.ui.components import queue_position
from hdr.ui.shell import page
from hdr.ui.state import identity, resources
from hdr.ui.train import live_controls

REFRESH_SECONDS = 0.4
FIRST_SECONDS, FIRST_REFRESH = 2.0, 0.12
"""How long a run is new, and how often it is looked at then: its first sign of life is not to wait for a look."""


def show(run: Run) -> None:
    """Show a run in any state."""
    if run.active:
        new = time.time() - run.created < FIRST_SECONDS
        st.fragment(_live, run_every=FIRST_REFRESH if new else REFRESH_SECONDS)(run.id, new)
    else:
        _outcome(run)
        _curve(progress(resources.store().events(run.id)), run)
        if run.status == "done":
            _result(run)


@page.show_errors()
def _live(run_id: str, new: bool) -> None:
    run = resources.store().get(run_id, identity.owner())
    if not run.active or (new and time.time() - run.created > FIRST_SECONDS):
        st.rerun(scope="app")
    seen, commands = progress(resources.store().events(run_id)), resources.steering().commands(run_id)
    with st.container(key="so_far"):
        st.markdown(_so_far(run, seen, live_controls.asked(commands)))
    with st.container(horizontal=True, key="steer"):
        live_controls.buttons(run, seen, commands)
    share = seen.points[-1].step / seen.of if seen.points else 0.0
    st.progress(min(share, 1.0))
    _curve(seen, run)
    live_controls.sliders(run, seen, commands)
    live_controls.note(run)


def _so_far(run: Run, seen: Progress, asked: Kind | None) -> str:
    if run.status == "queued":
        return queue_position.why(run.id, "**Waiting** for a free place: another training is running or paused.")
    elapsed = format_duration(seen.elapsed(run.started or time.time(), time.time()))
    words = {
        "waiting": "Loading the digits",
        "features": "Turning digits into features",
        "fitting": "Fitting the first model",
        "paused": "Paused before the first model",
        "testing": "Measuring on the test digits",
    }[seen.phase]
    if seen.points and seen.phase in ("fitting", "paused"):
        last = seen.points[-1]
        unit = seen.unit.removesuffix("s")
        place = f"{unit} {format_count(last.step)} of {format_count(seen.of)}"
        words = f"Paused after {place}" if seen.phase == "paused" else place.capitalize()
    if seen.phase == "paused":
        place = queue_position.place(run.id)
        parked = f" · others waited, so it is {place} and goes on by itself when it has its turn" if place else ""
        return f":orange-badge[:material/pause: {words}] · {elapsed} so far{parked}"
    left = ""
    if seen.remaining and seen.phase == "fitting":
        # Patience may end it before.
        bound = "at least" if seen.at_least else "at most" if run.spec.classifier.params.get("patience") else "about"
        left = f" · {bound} {format_duration(seen.remaining)} left"
    if asked == "keep":
        left = " · stopping, and keeping what is finished"
    elif asked == "pause" and seen.phase == "fitting":
        left = " · pausing as soon as this stage is finished"
    return f"**{words}** · {elapsed} so far{left}"


def _curve(seen: Progress, run: Run) -> None:
    if not seen.points and not run.active:
        return
    marks = [(mark.epoch, _values(run, mark.values)) for mark in seen.marks]
    kept = run.result.get("kept_epoch") if run.status == "done" else None
    figure = learning_curve.figure(seen.points, seen.unit, seen.of, marks=marks, kept=kept)
    st.plotly_chart(figure, key=f"curve-{run.id}", config=CONFIG, alt="Learning curve")
    notes = {
        "epoch": "Each point is the network after one more pass over the training digits.",
        "trees": "Each point is the forest with the trees grown so far.",
        "rounds": "Each point is the model after so many rounds, each of which mends what is still wrong.",
        "digits": "This classifier has no epochs: each point is a new model, fitted to more digits. The last is kept.",
    }
    if seen.unit:
        steered = " Dotted: what was changed while it learned." if marks else ""
        st.html(f'<div class="hdr-note">{notes[seen.unit]}{steered}</div>')


def _values(run: Run, values: Mapping[str, Any]) -> str:
    known = {p.name: p for p in catalogue.get("classifier", run.spec.classifier.name).parameters}
    return ", ".join(f"{known[name].title.lower()} {known[name].shown(v)}" for name, v in values.items())


def _outcome(run: Run) -> None:
    if run.status == "stopped":
        st.info("This training was stopped. Nothing of it is kept but the curve.", icon=":material/stop_circle:")
    elif run.status in ("failed", "interrupted"):
        st.error(escape_markdown(run.message), icon=":material/error:")
    elif run.status == "done":
        result = run.result
        low, high = result["interval"]
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            with st.container(key="test_accuracy", width="content"):
                st.html(f'<div class="hdr-figure">{format_percent(result["test_accuracy"])}</div>')
            st.markdown(
                f"**test accuracy**, 95% interval {format_percent(low)} to {format_percent(high)}  \n"
                f"the share of {format_count(result['tested_on'])} unseen digits that it called by their right name",
                width="stretch",
            )
            if st.button("Draw with it", icon=":material/draw:", key="draw_with_it"):
                st.session_state["reader"] = run.id
                st.switch_page("pages/draw.py")


def _result(run: Run) -> None:
    result = run.result
    st.caption(
        f"Fitted on {format_count(result['fitted_on'])} digits in {format_duration(result['fit_seconds'])}, "
        f"{format_count(result['features'])} features each. Validation accuracy "
        f"{format_percent(result['validation_accuracy'])} on {format_count(result['validated_on'])} digits. "
        f"With the curve and the test it took {format_duration(result['total_seconds'])}; reading a digit takes "
        f"{format_duration(result['predict_ms'] / 1000)}; the model is {result['model_bytes'] / 1e6:.1f} MB."
        f"{_early(result)}"
    )


def _early(result: dict[str, Any]) -> str:
    words = ""
    if early := result.get("stopped_early"):
        unit = early["unit"].removesuffix("s") + "s"
        why = "its patience was over" if early["by"] == "patience" else "somebody stopped it"
        words += f" It ended early, after {format_count(early['step'])} of {format_count(early['of'])} {unit}: {why}."
    if kept := result.get("kept_epoch"):
        words += f" Its weights are those of epoch {kept}, the best on the validation digits."
    return words
