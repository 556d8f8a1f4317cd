"""Would more data help, or another setting? Small models give the answer."""

from __future__ import annotations

from typing import Any

import streamlit as st

from hdr import catalogue
from hdr.analysis import learning_curves
from hdr.analysis.learning_curves import Point
from hdr.formatting import format_count, format_duration, format_percent
from hdr.plots import sample_size_curve
from hdr.plots.theme import CONFIG
from hdr.store.runs import Run
from hdr.training.metrics import wilson_interval
from hdr.ui.components import job_progress
from hdr.ui.results import common
from hdr.ui.shell import page
from hdr.ui.state import resources

HEIGHT = 380


@st.fragment
@page.show_errors()
def section(run: Run) -> None:
    """Show a learning curve over training size, and a validation curve over one hyperparameter, on demand.

    Args:
        run: a run that is done.
    """
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Would more digits help?", anchor=False)
        _learning(run)
    with right:
        st.subheader("Would another setting?", anchor=False)
        _validation(run)


def _learning(run: Run) -> None:
    data = resources.dataset(run.spec.dataset)
    wanted = learning_curves.sizes(run.spec, data)
    key = f"learning-{run.id}"
    asked = _asked(key, "Fit to growing sizes")
    st.caption(
        f"{len(wanted)} models of this run's plan, on {format_count(wanted[0])} to {format_count(wanted[-1])} of "
        f"its training digits. About {_about(run, sum(wanted))}."
    )
    if not asked:
        st.html('<div class="hdr-empty">The learning curve over training size appears here.</div>')
        return
    points = job_progress.result(
        key, lambda report: learning_curves.learning_curve(run.spec, data, report), HEIGHT, slow=True
    )
    if points is None:
        return
    _draw(points, "training digits", key, None)
    last = points[-1]
    rise = last.validation - points[-2].validation if len(points) > 1 else 0.0
    _note(
        f"From the last size but one to the last, validation accuracy changed by {rise * 100:+.1f} points. "
        f"{interpretation(last)} Held fixed: the whole plan, the seed, and the {_scored(last)}."
    )


def interpretation(last: Point) -> str:
    """Estimate from the ends of both curves whether more data would help.

    It compares error rates, since the accuracies of two very good models hardly differ.
    """
    if 1 - last.validation > 2 * (1 - last.train):
        return (
            "It makes far fewer mistakes on digits that it has learned from than on others: more digits usually help."
        )
    return (
        "It makes at least half as many mistakes on digits that it has learned from as on others: more freedom may "
        "help more than more digits."
    )


def _validation(run: Run) -> None:
    data = resources.dataset(run.spec.dataset)
    choices = {f"{part}.{p.name}": (part, p) for part, p in learning_curves.variable(run.spec)}
    if not choices:
        st.caption("This plan has no hyperparameter to vary.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Hyperparameter",
            list(choices),
            format_func=lambda c: choices[c][1].title,
            key=f"understand_parameter-{run.id}",
            label_visibility="collapsed",
            width=220,
        )
        part, parameter = choices[name]
        values = learning_curves.values(parameter)
        key = f"validation-{run.id}-{name}"
        asked = _asked(key, "Vary it")
    digits = min(learning_curves.FITTED, run.result["fitted_on"])
    st.caption(
        f"{len(values)} models on {format_count(digits)} training digits each. "
        f"About {_about(run, digits * len(values))}."
    )
    if not asked:
        st.html('<div class="hdr-empty">The validation curve over one hyperparameter appears here.</div>')
        return
    points = job_progress.result(
        key, lambda report: learning_curves.validation_curve(run.spec, part, parameter, data, report), HEIGHT, slow=True
    )
    if points is None:
        return
    own = getattr(run.spec, part).params[parameter.name]
    unit = f", {parameter.unit}" if parameter.unit else ""
    _draw(points, parameter.title + unit, key, own)
    best = learning_curves.best(points)
    left_out = f" {len(values) - len(points)} values do not suit these features." if len(points) < len(values) else ""
    _note(
        f"Best here: {catalogue.format_value(best.value)}, with {format_percent(best.validation, 1)} of the "
        f"validation digits. Held fixed: everything else of the plan, the seed, the {format_count(digits)} training "
        f"digits and the {_scored(best)}. With more digits the best value may be another one.{left_out}"
    )


def _asked(key: str, title: str) -> bool:
    asked = f"_understand_asked-{key}"
    st.button(title, icon=":material/show_chart:", key=f"ask-{key}", on_click=common.keep, args=(asked, True))
    return bool(st.session_state.get(asked))


def _about(run: Run, digits: int) -> str:
    # Fitting, and as much again for reading what the models are scored on.
    seconds = 2 * run.result["fit_seconds"] * digits / run.result["fitted_on"]
    return format_duration(max(seconds, 1.0))


def _scored(point: Point) -> str:
    return f"{format_count(point.validated_on)} validation digits"


def _note(text: str) -> None:
    st.html(f'<div class="hdr-note">{text}</div>')


def _draw(points: tuple[Point, ...], axis: str, key: str, own: Any) -> None:
    interval = [wilson_interval(round(p.validation * p.validated_on), p.validated_on) for p in points]
    st.plotly_chart(
        sample_size_curve.figure(
            [p.value for p in points],
            [p.train for p in points],
            [p.validation for p in points],
            interval,
            axis,
            own,
        ),
        key=f"curve-{key}",
        config=CONFIG,
        alt=f"Accuracy against {axis}",
    )
