"""Who reads on Draw: the ready-made reader first, the same with this visitor's hand, then every model of runs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import streamlit as st

from hdr.formatting import format_percent
from hdr.reading.ready import Looking
from hdr.sanitize import escape_markdown
from hdr.store.runs import RunSummary
from hdr.types import Classifier, HdrError
from hdr.ui.state import current_run, resources

READY, HAND = "ready", "hand"
"""Keys of the built-in model and of the model adapted to this visitor's handwriting, in the menu and in links."""

KEY = "reader"
_ADAPTED, _TOKEN = "_adapted", "_adapted_token"
_TITLES = {READY: "Ready-made reader", HAND: "Reader, with your hand"}


@dataclass(frozen=True)
class ModelChoice:
    """A model that can be selected.

    Attributes:
        key: `READY`, `HAND` or the id of a run.
        title: the name shown to users; for a run, its title.
        run: the run whose model it is; None for the ready-made reader.
    """

    key: str
    title: str
    run: RunSummary | None = None

    @property
    def token(self) -> str:
        """Server-wide unique key of the model: adapted models differ between sessions."""
        return st.session_state.get(_TOKEN, HAND) if self.key == HAND else self.key

    def model(self) -> Classifier:
        """The classifier.

        Raises:
            HdrError: its file is missing or damaged.
        """
        if self.run is not None:
            return resources.model(self.run)
        adapted: Looking | None = st.session_state.get(_ADAPTED)
        return adapted if self.key == HAND and adapted else resources.ready_reader()


def available_models() -> list[ModelChoice]:
    """Return the available models: the built-in one if its file exists, then the user's runs, newest first."""
    found = [ModelChoice(run.id, current_run.label(run), run) for run in current_run.readers()]
    if problem():
        return found
    adapted = [ModelChoice(HAND, _TITLES[HAND])] if _ADAPTED in st.session_state else []
    return [ModelChoice(READY, _ready_title()), *adapted, *found]


def _ready_title() -> str:
    """Return the built-in model's title, with its accuracy on the MNIST test split if its file has it."""
    metrics = resources.ready_reader().metadata.get("metrics")
    accuracy = metrics.get("mnist_test") if isinstance(metrics, dict) else None
    return _TITLES[READY] + (f" · {format_percent(accuracy)}" if isinstance(accuracy, float) else "")


def problem() -> str:
    """Return why the built-in model cannot be used, as text; empty if it can."""
    try:
        resources.ready_reader()
    except HdrError as error:
        return str(error)
    return ""


def segmenter() -> Looking | None:
    """Return the built-in model, which rejects non-digits; None if its file is missing."""
    return None if problem() else resources.ready_reader()


def current() -> ModelChoice | None:
    """Return the selected model before the widget is shown; None if no model is available."""
    key = st.session_state.get(KEY)
    if key in (None, READY) and not problem():
        # The usual case takes no look at the store: an answer waits for this.
        return ModelChoice(READY, _TITLES[READY])
    known = available_models()
    return next((choice for choice in known if choice.key == key), known[0] if known else None)


def choose() -> ModelChoice | None:
    """Show the model menu and return the selected model; None if no model is available."""
    known = {choice.key: choice for choice in available_models()}
    if not known:
        return None
    if st.session_state.get(KEY) not in known:
        st.session_state.pop(KEY, None)
    chosen = st.selectbox(
        "Read by",
        list(known),
        format_func=lambda key: known[key].title,
        key=KEY,
        persist_state="session",
        help="The reader that comes with the app, and every model that you have trained.",
    )
    if why := problem():
        st.caption(escape_markdown(why))
    return known[chosen]


def use_adapted(reader: Looking) -> None:
    """Offer a reader that has learned this visitor's hand, and let it read."""
    st.session_state[_ADAPTED], st.session_state[_TOKEN] = reader, secrets.token_hex(16)
    select(HAND)


def select(key: str) -> None:
    """Let another one read; only from a callback, or before the chooser is shown."""
    st.session_state[KEY] = key
