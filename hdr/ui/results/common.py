"""Shared code of the sections that explain a model: a run's data, a gallery, and the details of one digit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hdr.analysis import nearest_examples
from hdr.analysis.nearest_examples import Neighbour, ReferenceSet
from hdr.formatting import format_count
from hdr.plots import html_images
from hdr.sanitize import escape_markdown
from hdr.store.artifacts import ArtifactsError
from hdr.store.runs import Run
from hdr.training.model import TrainedModel
from hdr.types import HdrError, Images, ProgressCallback
from hdr.ui.components import cards, job_progress
from hdr.ui.inputs import digit_picker
from hdr.ui.state import resources

NEAR = 10
SIDE, STAGE, LARGE = 56, 84, 168
NEAR_HEIGHT = 110


def probabilities(run: Run) -> NDArray[np.float32] | None:
    """Return a run's predictions on the test split; show a note and return None if they were not stored."""
    try:
        return resources.test_probabilities(run)
    except HdrError as error:
        again = "" if isinstance(error, ArtifactsError) else " Train it again to see this."
        st.caption(f"{escape_markdown(error)}{again}")
        return None


def model(run: Run, height: int) -> TrainedModel | None:
    """A run's model; None while it is being read from its file, which takes seconds where it holds many digits."""

    def work(report: ProgressCallback) -> bool:
        report("Reading the model")
        resources.model(run)
        return True

    return resources.model(run) if job_progress.result(f"model-{run.id}", work, height) else None


def gallery(
    name: str,
    images: Images,
    captions: Sequence[str],
    labels: Sequence[str],
    choose: Callable[..., Any],
    values: Sequence[int],
    chosen: int | None,
) -> None:
    """Show digits to choose from, each image a button.

    Args:
        name: of the place, for keys; `hdr.ui.components.cards.ROWS` has it, with "-gallery" after it.
        images: uint8 (n, h, w).
        captions: below each picture; empty for none.
        labels: on each button.
        choose: called with the value of the digit that is clicked.
        values: one for each digit.
        chosen: the value that is chosen now.
    """
    # The button reaches over its picture only where what holds it is not positioned itself.
    with cards.row(f"{name}-gallery"):
        for image, caption, label, value in zip(images, captions, labels, values, strict=True):
            with st.container(key=f"card-0-{name}-{value}", width=SIDE + 6, gap=None):
                over = f'<div class="hdr-over">{html_images.escape(caption)}</div>' if caption else ""
                st.html(over + html_images.digit(image, SIDE, f"{caption} {label}, number {value}"))
                st.button(
                    label,
                    key=f"{name}-{value}",
                    type="primary" if value == chosen else "tertiary",
                    width="stretch",
                    on_click=choose,
                    args=(value,),
                )


def one_digit(run: Run, index: int, said: NDArray[np.float32]) -> None:
    """Show a test digit in detail: probabilities, the stages of the run's pipeline, and the nearest training digits.

    Args:
        run: a run that is done.
        index: into the test split.
        said: float (10,), the predicted probabilities.
    """
    split = resources.dataset(run.spec.dataset).test
    image, label = split.images[index], int(split.labels[index])
    with st.container(key="understand_digit"):
        left, middle, right = st.columns([3, 4, 6], gap="large")
        with left:
            st.html(html_images.digit(image, LARGE, f"a {label}"))
            called = int(said.argmax())
            verdict = "called rightly" if called == label else f"called **{called}**"
            st.markdown(f"A **{label}**, number {format_count(index)} of the test split, {verdict}")
            if st.button("Open in Preprocess", icon=":material/tune:", key="understand_open"):
                digit_picker.open_digit(run.spec.dataset, index, split=digit_picker.SPLITS[0])
        with middle:
            st.html('<div class="hdr-over">how probable the model finds each class</div>' + html_images.bars(said))
        with right:
            _stages(run, image)
            _near(run, image)


def _stages(run: Run, image: Images) -> None:
    stages = run.spec.pipeline.trace(image)
    if not stages:
        st.html('<div class="hdr-over">This run has no preprocessing: the model sees the digit as it is.</div>')
        return
    cells = "".join(
        f"<figure>{html_images.digit(s.image, STAGE, s.title, s.display)}<figcaption>{html_images.escape(s.title)}"
        "</figcaption></figure>"
        for s in stages
    )
    st.html(f'<div class="hdr-over">on its way through this run</div><div class="hdr-sheet hdr-many">{cells}</div>')


def _near(run: Run, image: Images) -> None:
    data = resources.dataset(run.spec.dataset)

    def work(report: ProgressCallback) -> ReferenceSet:
        report("Reading the model")
        return nearest_examples.reference(resources.model(run), data, report=report)

    known: ReferenceSet | None = job_progress.result(f"reference-{run.id}", work, NEAR_HEIGHT)
    if known is None:
        return
    features = nearest_examples.embed(resources.model(run), image[None])[0]
    found = nearest_examples.nearest(known, features, NEAR)
    st.html(
        f'<div class="hdr-over">nearest of {format_count(len(known.index))} of its training digits: label and '
        f"distance</div>{near_sheet(run, found)}"
    )


def near_sheet(run: Run, found: Sequence[Neighbour]) -> str:
    """Return training digits with label and distance as HTML."""
    images = resources.dataset(run.spec.dataset).train.images[[n.index for n in found]]
    return html_images.sheet(images, [f"{n.label} · {n.distance:.3g}" for n in found], SIDE)


def keep(key: str, value: Any) -> None:
    """For `on_click`: put a value into the session."""
    st.session_state[key] = value


def choose_test_digit(run: Run, key: str) -> int:
    """Show a number to choose a test digit by; returns its index."""
    most = len(resources.dataset(run.spec.dataset).test) - 1
    return int(
        st.number_input(
            "Test digit", 0, most, 0, key=f"{key}-{run.id}", width=150, help="Which digit of the test split to look at."
        )
    )
