"""Take a run along: its model as ONNX, a model card, a script that trains it again, and its plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from hdr import catalogue
from hdr.export.model_card import card
from hdr.export.onnx import ExportedModel, ExportError, export_model
from hdr.export.source_extraction import CodeError
from hdr.export.training_script import RecipeError, recipe
from hdr.formatting import format_count
from hdr.sanitize import escape_markdown
from hdr.store.runs import Run
from hdr.types import HdrError, ProgressCallback
from hdr.ui.components import job_progress
from hdr.ui.state import resources

HEIGHT = 56
_ASKED = "_onnx_asked"


@dataclass(frozen=True)
class _Refused:
    """Why there is no such file, in words."""

    why: str


def section(run: Run) -> None:
    """Show four downloads of a run with descriptions; all but the plan are created when shown or requested."""
    if run.status != "done":
        st.caption("There is something to take along once the training has ended and its model is kept.")
        return
    name = run.spec.key[:8]
    _onnx(run, f"model-{name}.zip")
    _text(
        run,
        "card",
        "Model card",
        "What it was made from, how well it does, whether its probabilities can be believed, and where it fails, as a "
        "page of Markdown.",
        f"model-card-{name}.md",
        lambda report: _card(run),
    )
    _text(
        run,
        "script",
        "Training script",
        "Trains the same model from the data files, with scikit-learn and without this app. It is Python to read and "
        "to change: the preprocessing, the features and every setting are written out in it.",
        f"train-{name}.py",
        lambda report: recipe(resources.model(run)),
    )
    _plan(run, f"spec-{name}.json")


def _onnx(run: Run, file: str) -> None:
    with _row(
        "Model as ONNX",
        "The fitted model in an open format that many languages and devices can run. Beside it in one ZIP file: the "
        "settings and the source of its preprocessing and features, and a short program that reads a picture with it.",
        "onnx",
    ):
        if st.session_state.get(_ASKED) != run.id:
            st.button(
                "Write it",
                icon=":material/deployed_code:",
                key="write_onnx",
                on_click=lambda: st.session_state.update({_ASKED: run.id}),
            )
            return
        found = job_progress.result(
            f"onnx-{run.id}", _or_refused(lambda report: _archive(run, report)), HEIGHT, slow=True
        )
        if isinstance(found, ExportedModel):
            _download(file, found.data, "application/zip", "onnx")
            st.caption(
                f"Checked: on {format_count(found.agreed)} of {format_count(found.compared)} test digits it says "
                f"what the model says. The graph alone has {found.onnx_bytes / 1e6:.1f} MB."
            )
        elif found is not None:
            st.caption(escape_markdown(found.why))


def _text(run: Run, kind: str, title: str, what: str, file: str, work: job_progress.Work) -> None:
    with _row(title, what, kind):
        # The card has the run's title in it, which may change.
        key = f"{kind}-{run.id}-{catalogue.key_of(run.title)}"
        found = job_progress.result(key, _or_refused(work), HEIGHT)
        if isinstance(found, str):
            _download(file, found.encode(), "text/markdown" if kind == "card" else "text/x-python", kind)
        elif found is not None:
            st.caption(escape_markdown(found.why))


def _plan(run: Run, file: str) -> None:
    with _row(
        "Plan as JSON",
        "Everything that was decided before and during the training. The command below does it again, on any machine "
        "with this project.",
        "plan",
    ):
        _download(file, json.dumps(run.spec.to_json(), indent=2).encode(), "application/json", "plan")
    st.code(f"python -m hdr train --spec {file}", language="bash")


def _row(title: str, what: str, key: str) -> st.delta_generator.DeltaGenerator:
    left, right = st.columns([5, 3], gap="small", vertical_alignment="center")
    with left:
        st.markdown(f"**{title}**  \n{what}")
    return right.container(key=f"along_{key}")


def _download(file: str, data: bytes, mime: str, key: str) -> None:
    st.download_button(
        f"Download {file}", data, file, mime, icon=":material/download:", key=f"download_{key}", on_click="ignore"
    )


def _or_refused(work: job_progress.Work) -> Callable[[ProgressCallback], object]:
    # An impossible export stays impossible, so its reason is cached as the result; missing data may
    # still arrive, and a failed job can be retried.
    def tried(report: ProgressCallback) -> object:
        try:
            return work(report)
        except (ExportError, RecipeError, CodeError) as error:
            return _Refused(str(error))

    return tried


def _archive(run: Run, report: ProgressCallback) -> ExportedModel:
    report("Reading the model")
    return export_model(resources.model(run), resources.dataset(run.spec.dataset).test.images, report)


def _card(run: Run) -> str:
    try:
        probabilities = resources.test_probabilities(run)
    except HdrError:
        probabilities = None
    return card(run.title, resources.model(run), resources.dataset(run.spec.dataset), probabilities)
