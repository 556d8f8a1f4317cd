"""First part of the Features page: the output of every extractor for one digit."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hdr import catalogue
from hdr.features.extract import columns, drawings
from hdr.formatting import format_count
from hdr.plots import html_images
from hdr.preprocessing import Pipeline
from hdr.sanitize import escape_markdown
from hdr.training.run_spec import MAX_FEATURES
from hdr.types import HdrError, Step
from hdr.ui.components import cards
from hdr.ui.components.parameter_widgets import entry_form
from hdr.ui.inputs import image_source, pipeline_trace
from hdr.ui.inputs.image_source import ImageSource
from hdr.ui.state import pipeline_state, run_config
from hdr.ui.state.url_state import UrlState

SMALL, LARGE, SMALLER = 84, 196, 140
MOST_LISTED = 32
"""Columns up to which values are listed by name; more are drawn as bars."""

LONGEST_ADDRESS = 400
_KEPT = "_feature_kept"
_mirrored = UrlState(
    "feature",
    lambda: catalogue.with_defaults("feature", Step("hog")),
    catalogue.step_to_text,
    lambda text: catalogue.step_from_text("feature", text[:LONGEST_ADDRESS]),
)

chosen = _mirrored.get
follow_address = _mirrored.follow


def choose_digit() -> tuple[ImageSource, NDArray[np.uint8], Pipeline]:
    """Show the widgets that select a digit; return its source, the preprocessed digit, and the applied pipeline."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="source_row"):
        start = image_source.choose()
        use_chain = st.toggle(
            "After the chain",
            value=True,
            key="after_chain",
            persist_state="session",
            help="Send the digit through the chain of the Preprocess page first, as training does.",
        )
    pipeline = pipeline_state.current().active if use_chain or start.photo else Pipeline()
    seen = pipeline_trace.trace(start, pipeline, int(st.session_state.get("cut_digit", 1)) - 1)
    image = seen.passages[-1].after.image if seen.passages else start.stage.image
    return start, image, pipeline


def _set(step: Step, by_widget: bool = False) -> None:
    # Each extractor keeps its settings when another one is selected.
    st.session_state.setdefault(_KEPT, {})[step.name] = step
    (_mirrored.keep if by_widget else _mirrored.replace)(step)
    _mirrored.write()


def _choose(name: str) -> None:
    kept = st.session_state.setdefault(_KEPT, {})
    # The one that is left may have come by the address.
    kept[chosen().name] = chosen()
    _set(kept.get(name) or catalogue.with_defaults("feature", Step(name)))


def _set_parameter(name: str, key: str) -> None:
    step = chosen()
    try:
        changed = catalogue.with_defaults("feature", Step(step.name, {**step.params, name: st.session_state[key]}))
    except HdrError as error:
        st.toast(escape_markdown(error))
        _set(step)
    else:
        _set(changed, by_widget=True)


def gallery(image: NDArray[np.uint8]) -> None:
    """Show every extractor's view of the digit, side by side; a click enlarges one."""
    with cards.row("gallery"):
        family = ""
        for entry, thumbnail in zip(_entries(), _thumbnails(image), strict=True):
            # The family's heading is above its first extractor.
            over = "&nbsp;" if entry.family == family else entry.family
            family = entry.family
            with st.container(key=f"card-0-feature-{entry.name}", width=SMALL + 18, gap=None):
                st.html(f'<div class="hdr-over">{over}</div>' + thumbnail)
                st.button(
                    entry.title,
                    key=f"feature-{entry.name}",
                    type="primary" if entry.name == chosen().name else "tertiary",
                    width="stretch",
                    on_click=_choose,
                    args=(entry.name,),
                )


def _entries() -> list[catalogue.Entry]:
    return sorted(catalogue.entries("feature"), key=lambda e: e.family)


def _thumbnails(image: NDArray[np.uint8]) -> tuple[str, ...]:
    # Those of a digit are kept, for they stay as they are while anything below them is changed; a photo's are large.
    kept = image.size <= pipeline_trace.LARGEST_DIGIT
    return _small_thumbnails(image) if kept else tuple(_thumbnail(entry, image) for entry in _entries())


@st.cache_resource(max_entries=24, show_spinner=False)
def _small_thumbnails(image: NDArray[np.uint8]) -> tuple[str, ...]:
    return tuple(_thumbnail(entry, image) for entry in _entries())


def _thumbnail(entry: catalogue.Entry, image: NDArray[np.uint8]) -> str:
    try:
        return html_images.drawing(drawings(catalogue.with_defaults("feature", Step(entry.name)), image)[0], SMALL)
    except HdrError:
        return html_images.digit(image, SMALL, entry.title, dim=True)


def large(image: NDArray[np.uint8]) -> None:
    """Show the selected extractor: images, values, parameters and description."""
    step = chosen()
    entry = catalogue.get("feature", step.name)
    left, right = st.columns([13, 11], gap="medium")
    with right, st.container(key="settings", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{entry.title}**")
            st.space("stretch")
            _use_for_training(step)
        entry_form(entry, step.params, _mirrored.widget_key, _set_parameter)
    with left:
        try:
            _pictures(step, image)
        except HdrError as error:
            st.warning(escape_markdown(error), icon=":material/error:")


def _use_for_training(step: Step) -> None:
    planned = run_config.current().features
    if st.button("Train with it", icon=":material/model_training:", key="train_with", type="tertiary"):
        run_config.take_features((step,))
        st.switch_page("pages/train.py")
    if step.name not in [s.name for s in planned] and len(planned) < MAX_FEATURES:
        names = ", ".join(catalogue.get("feature", s.name).title for s in planned)
        if st.button(
            "Add to the plan", icon=":material/add:", key="add_to_plan", type="tertiary", help=f"Beside {names}"
        ):
            run_config.take_features((*planned, step))
            st.switch_page("pages/train.py")


def _pictures(step: Step, image: NDArray[np.uint8]) -> None:
    shown = drawings(step, image)
    side = LARGE if len(shown) < 4 else SMALLER
    with st.container(horizontal=True, gap="small", key="drawings"):
        for drawn in shown:
            with st.container(width=side + 4, gap=None):
                note = f'<div class="hdr-note hdr-below">{html_images.escape(drawn.note)}</div>' if drawn.note else ""
                title = f'<div class="hdr-over">{html_images.escape(drawn.title)}</div>'
                st.html(title + html_images.drawing(drawn, side) + note)
    values = catalogue.get("feature", step.name).function(image[None], **step.params)[0]
    names = columns((step,), image.shape)
    if len(names) <= MOST_LISTED:
        st.html(html_images.values(names, values))
    else:
        st.html(html_images.signature(values))
        st.html(
            f'<div class="hdr-note">All {format_count(len(values))} numbers that the classifier gets for this digit, '
            "one bar each, in their order.</div>"
        )
