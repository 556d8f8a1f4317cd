"""Features of many digits: the sample, and the scatter plot of the Features page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hdr import catalogue
from hdr.features import embeddings, feature_ranking
from hdr.features.feature_ranking import Sample
from hdr.formatting import format_count, format_number, format_percent
from hdr.plots import embedding_scatter as points_plot
from hdr.plots import html_images
from hdr.plots.theme import CONFIG
from hdr.preprocessing import Pipeline
from hdr.sanitize import escape_markdown
from hdr.types import Labels, ProgressCallback, Step
from hdr.ui.components import job_progress
from hdr.ui.inputs import digit_picker
from hdr.ui.shell import page
from hdr.ui.state import resources

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Plane = Literal["columns", "pca", "tsne"]
PLANES: dict[Plane, str] = {
    "columns": "Two features",
    "pca": "Principal components",
    "tsne": "t-SNE",
}
NAMED = 60
"""Columns up to which two of them are a good first view."""

SCATTER_HEIGHT = 520
NOTES, CHOICES = 56, 86
"""Heights in pixels of the note below a figure and the widgets above it, reserved while the figure is computed."""

PICKED = 196
MIXED = 60
"""Maximum number of columns at which an extractor's features are assumed to have different units."""

_PICK, _MARK = "_many_pick", "_many_mark"


def key(dataset: str, pipeline: Pipeline, features: Sequence[Step]) -> str:
    """Return the cache key, which identifies the data, the pipeline and the extractors."""
    return catalogue.key_of([dataset, pipeline.key, [catalogue.step_to_json(s) for s in _complete(features)]])


def sample(dataset: str, pipeline: Pipeline, features: Sequence[Step], height: int, place: str) -> Sample | None:
    """Return training digits with their features; while they are computed, show the progress and return None.

    Args:
        dataset: a name, as of `hdr.datasets.available`.
        pipeline: the preprocessing before the features.
        features: extractors with their parameters, at least one.
        height, place: as for `hdr.ui.components.job_progress.show`.
    """
    split = resources.dataset(dataset).train
    steps = _complete(features)
    name = key(dataset, pipeline, features)

    def work(report: ProgressCallback) -> Sample:
        return feature_ranking.sample(split, pipeline, steps, report=report)

    return job_progress.result(f"sample-{name}", work, height, place=place)


def _complete(features: Sequence[Step]) -> tuple[Step, ...]:
    return tuple(catalogue.with_defaults("feature", s) for s in features)


@st.fragment
@page.show_errors()
def scatter(dataset: str, pipeline: Pipeline, features: Sequence[Step]) -> None:
    """Show digits as points: two features, principal components or t-SNE; a click shows the digit.

    Args:
        dataset, pipeline, features: as for `sample`.
    """
    drawn = sample(dataset, pipeline, features, SCATTER_HEIGHT + NOTES + CHOICES, "scatter")
    if drawn is None:
        return
    if len(drawn.columns) < 2:
        st.caption("These features are a single number; a plane needs two. The violins of the ranking show all of it.")
        return
    name = key(dataset, pipeline, features)
    left, right = st.columns([8, 3], gap="large")
    with left:
        plane = _plane(drawn, features, name)
        row: int | None
        if plane:
            row = _cloud(drawn, plane, dataset)
            st.html(f'<div class="hdr-note">{plane.note}</div>')
        else:
            row = _row_of_pick(drawn, dataset)
    if row is not None:
        with right:
            _picked(drawn, row, dataset, plane)


@dataclass(frozen=True)
class _Plane:
    # Points (n, 2), the axis names (none if the axes have no meaning), a caption, and a key for all of these.
    points: NDArray[np.float32]
    axes: tuple[str, ...]
    note: str
    key: str


def _plane(drawn: Sample, features: Sequence[Step], name: str) -> _Plane | None:
    digits = format_count(len(drawn.labels))
    # One number out of hundreds says little by itself.
    first: Plane = "columns" if len(drawn.columns) <= NAMED else "pca"
    with st.container(horizontal=True, vertical_alignment="bottom", key="plane"):
        chosen = st.segmented_control(
            "Plane",
            list(PLANES),
            format_func=PLANES.__getitem__,
            default=first,
            required=True,
            key="many_plane",
            persist_state="session",
        )
        if chosen == "columns":
            x, y = _two_columns(drawn, features)
    if chosen == "columns":
        note = (
            f"{digits} training digits. Where colours lie apart, these two numbers alone tell the classes apart; where "
            "they mix, it takes more. Where values repeat, points are spread a little, so that none hides another."
        )
        return _Plane(drawn.features[:, [x, y]], (drawn.columns[x], drawn.columns[y]), note, f"{name}-{x}-{y}")
    # Long vectors are of one unit, such as grey values; short ones, and several together, mix lengths and ratios.
    scale = len(features) > 1 or len(drawn.columns) <= MIXED
    work = partial(embeddings.embed, drawn, chosen, scale)
    found: embeddings.Embedding | None = job_progress.result(
        f"{chosen}-{name}", work, SCATTER_HEIGHT + NOTES, slow=chosen == "tsne"
    )
    if found is None:
        return None
    scaled = " Each column was brought to one scale first, for their units differ." if scale else ""
    if chosen == "pca":
        axes = tuple(f"component {i + 1} ({format_percent(r, 1)} of the variance)" for i, r in enumerate(found.ratio))
        note = f"{digits} training digits, seen from where they differ most, whatever their class.{scaled}"
        return _Plane(found.points, axes, note, f"{name}-pca")
    note = (
        f"{digits} training digits. t-SNE keeps neighbours together: look at who lives next to whom. Distances between "
        f"far islands, their sizes and the axes mean nothing.{scaled}"
    )
    return _Plane(found.points, (), note, f"{name}-tsne")


def _two_columns(drawn: Sample, features: Sequence[Step]) -> tuple[int, int]:
    # The key depends on the extractors alone, so that the choice survives a change of the data or the pipeline.
    name = catalogue.key_of([catalogue.step_to_json(s) for s in _complete(features)])
    start = f"_many_columns-{name}-{len(drawn.columns)}"
    if start not in st.session_state:
        st.session_state[start] = feature_ranking.informative_columns(drawn)
    everything = range(len(drawn.columns))
    x, y = (
        st.selectbox(
            label,
            everything,
            first,
            format_func=lambda i: drawn.columns[i],
            key=f"many_{label}-{name}",
            persist_state="session",
            width=230,
        )
        for label, first in zip(("Across", "Up"), st.session_state[start], strict=True)
    )
    return x, y


def _cloud(drawn: Sample, plane: _Plane, dataset: str) -> int:
    # Returns the row of the digit that was clicked last, in this plane or another one.
    row = _row_of_pick(drawn, dataset)
    if st.session_state.get(_MARK, ("", 0))[0] != plane.key:
        # Plotly forgets a selection when its figure changes. So a figure stays as it is while it is shown, and a new
        # one begins with the digit that was picked in the one before.
        start = embeddings.strangest(plane.points, drawn.labels) if row is None else row
        st.session_state[_MARK] = (plane.key, start)
    marked = st.session_state[_MARK][1]
    event = st.plotly_chart(
        _figure(plane.key, marked, plane, drawn.labels),
        key=f"scatter-{plane.key}",
        config=CONFIG,
        on_select="rerun",
        selection_mode="points",
        alt="Digits as points, coloured by class",
    )
    if found := event["selection"]["point_indices"]:
        st.session_state[_PICK] = (dataset, int(drawn.index[found[0]]))
    row = _row_of_pick(drawn, dataset)
    return marked if row is None else row


@st.cache_resource(max_entries=32, show_spinner=False)
def _figure(key: str, marked: int, _plane: _Plane, _labels: Labels) -> Figure:
    # Plotly is slow to validate this many points, and all visitors start with the same ones.
    return points_plot.figure(_plane.points, _labels, _plane.axes, marked, SCATTER_HEIGHT)


def _row_of_pick(drawn: Sample, dataset: str) -> int | None:
    name, index = st.session_state.get(_PICK, ("", -1))
    at = int(np.searchsorted(drawn.index, index))
    return at if name == dataset and at < len(drawn.index) and drawn.index[at] == index else None


def _picked(drawn: Sample, row: int, dataset: str, plane: _Plane | None) -> None:
    index, label = int(drawn.index[row]), int(drawn.labels[row])
    with st.container(key="picked", gap="small"):
        by_hand = _row_of_pick(drawn, dataset) == row
        over = "the digit you picked" if by_hand else "the one deepest among another class"
        st.html(
            f'<div class="hdr-over">{over}</div>'
            + html_images.digit(drawn.images[row], PICKED, f"a {label} as the features see it")
        )
        st.markdown(f"A **{label}**, number {format_count(index)} of the training split")
        if plane and plane.axes:
            values = [
                f"{escape_markdown(axis)} **{format_number(value)}**"
                for axis, value in zip(plane.axes, plane.points[row], strict=True)
            ]
            st.markdown("  \n".join(values))
        if st.button("Open in Preprocess", icon=":material/tune:", key="open_in_preprocess"):
            digit_picker.open_digit(dataset, index)
        st.html('<div class="hdr-note">Click any point to see its digit.</div>')
