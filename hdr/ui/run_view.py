"""One run: its curve while it learns, and its result when it is done."""

from __future__ import annotations

import time

import streamlit as st

from hdr.plots import confusion, learning_curve, pictures
from hdr.plots.style import CONFIG
from hdr.training.progress import Progress, progress
from hdr.training.store import Run
from hdr.ui import profile, resources
from hdr.ui.text import plain

MISTAKES_SHOWN = 48
REFRESH_SECONDS = 0.4


def show(run: Run) -> None:
    """A run, whatever its state."""
    if run.active:
        _live(run.id)
    else:
        _outcome(run)
        _curve(progress(resources.store().events(run.id)), run)
        if run.status == "done":
            _result(run)


@st.fragment(run_every=REFRESH_SECONDS)
def _live(run_id: str) -> None:
    run = resources.store().get(run_id, profile.owner())
    if not run.active:
        st.rerun(scope="app")
    seen = progress(resources.store().events(run_id))
    with st.container(horizontal=True, vertical_alignment="center", key="so_far"):
        st.markdown(_so_far(run, seen))
        st.space("stretch")
        st.button("Stop", icon=":material/stop:", key="stop", on_click=lambda: resources.processes().stop(run_id))
    share = seen.points[-1].step / seen.of if seen.points else 0.0
    st.progress(min(share, 1.0))
    _curve(seen, run)


def _so_far(run: Run, seen: Progress) -> str:
    if run.status == "queued":
        return "**Waiting** for a free place: another training is running."
    elapsed = pictures.duration(max(0.0, time.time() - (run.started or time.time())))
    words = {
        "waiting": "Starting",
        "features": "Turning digits into features",
        "fitting": "Fitting the first model",
        "testing": "Measuring on the test digits",
    }[seen.phase]
    if seen.points and seen.phase == "fitting":
        last = seen.points[-1]
        unit = {"epoch": "epoch", "trees": "tree", "digits": "digit"}[seen.unit]
        words = f"{unit.capitalize()} {pictures.count(last.step)} of {pictures.count(seen.of)}"
    left = ""
    if seen.remaining and seen.phase == "fitting":
        left = f" · {'at least' if seen.at_least else 'about'} {pictures.duration(seen.remaining)} left"
    return f"**{words}** · {elapsed} so far{left}"


def _curve(seen: Progress, run: Run) -> None:
    if not seen.points and not run.active:
        return
    figure = learning_curve.figure(seen.points, seen.unit, seen.of)
    st.plotly_chart(figure, key=f"curve-{run.id}", config=CONFIG, alt="Learning curve")
    notes = {
        "epoch": "Each point is the network after one more pass over the training digits.",
        "trees": "Each point is the forest with the trees grown so far.",
        "digits": "This classifier has no epochs: each point is a new model, fitted to more digits. The last is kept.",
    }
    if seen.unit:
        st.html(f'<div class="hdr-note">{notes[seen.unit]}</div>')


def _outcome(run: Run) -> None:
    if run.status == "stopped":
        st.info("This training was stopped. Nothing of it is kept but the curve.", icon=":material/stop_circle:")
    elif run.status in ("failed", "interrupted"):
        st.error(plain(run.message), icon=":material/error:")
    elif run.status == "done":
        result = run.result
        low, high = result["interval"]
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            with st.container(key="test_accuracy", width="content"):
                st.html(f'<div class="hdr-figure">{pictures.percent(result["test_accuracy"])}</div>')
            st.markdown(
                f"**test accuracy**, 95 % interval {pictures.percent(low)} to {pictures.percent(high)}  \n"
                f"the share of {pictures.count(result['tested_on'])} unseen digits that it called by their right name",
                width="stretch",
            )
            if st.button("Draw with it", icon=":material/draw:", key="draw_with_it"):
                st.session_state["reader"] = run.id
                st.switch_page("pages/draw.py")


def _result(run: Run) -> None:
    result = run.result
    st.caption(
        f"Fitted on {pictures.count(result['fitted_on'])} digits in {pictures.duration(result['fit_seconds'])}, "
        f"{pictures.count(result['features'])} features each. Validation accuracy "
        f"{pictures.percent(result['validation_accuracy'])} on {pictures.count(result['validated_on'])} digits. "
        f"With the curve and the test it took {pictures.duration(result['total_seconds'])}; reading a digit takes "
        f"{pictures.duration(result['predict_ms'] / 1000)}; the model is {result['model_bytes'] / 1e6:.1f} MB."
    )
    st.subheader("What it confuses", anchor=False)
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.plotly_chart(
            confusion.figure(result["confusion"]), key=f"confusion-{run.id}", config=CONFIG, alt="Confusion matrix"
        )
        st.html(
            '<div class="hdr-note">A row for each true digit. Bold: called rightly. The deeper the orange, the larger '
            "the share of that digit's mistakes.</div>"
        )
    with right:
        _per_class(result["per_class"])
    st.subheader(f"The {pictures.count(result['wrong'])} it got wrong", anchor=False)
    _mistakes(run)


def _per_class(rows: list[dict[str, float]]) -> None:
    def share(title: str, text: str) -> dict:
        return st.column_config.NumberColumn(title, help=text, format="%.1f %%")

    st.dataframe(
        [
            {
                "digit": str(r["digit"]),
                "precision": r["precision"] * 100,
                "recall": r["recall"] * 100,
                "f1": r["f1"] * 100,
                "count": r["count"],
            }
            for r in rows
        ],
        column_config={
            "digit": st.column_config.TextColumn("Digit", width="small"),
            "precision": share("Precision", "Of the digits called so, the share that were."),
            "recall": share("Recall", "Of the digits that are so, the share that were called so."),
            "f1": share("F1", "The harmonic mean of precision and recall."),
            "count": st.column_config.NumberColumn("Count", help="Test digits of this class.", width="small"),
        },
        hide_index=True,
        height=388,
        key="per_class",
        alt="Precision, recall and F1 of each digit",
    )


def _mistakes(run: Run) -> None:
    shown = run.result["mistakes"][:MISTAKES_SHOWN]
    if not shown:
        st.caption("None.")
        return
    images = resources.dataset(run.spec.dataset).test.images[[m["index"] for m in shown]]
    captions = [f"{m['label']} → {m['said']}, {pictures.percent(m['probability'], 0)}" for m in shown]
    st.html(pictures.sheet(images, captions))
    st.html(
        f'<div class="hdr-note">What it is → what was said, and how sure the model was. The most confident mistakes '
        f"come first{'' if len(shown) == run.result['wrong'] else f'; {len(shown)} are shown'}.</div>"
    )
