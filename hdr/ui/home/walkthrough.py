"""The Home page's one digit, on its way from a noisy picture to an answer."""

from __future__ import annotations

import random
from dataclasses import dataclass

import streamlit as st

from hdr.catalogue import with_defaults
from hdr.features.extract import drawings
from hdr.formatting import format_percent
from hdr.plots import html_images
from hdr.preprocessing import PRESETS
from hdr.preprocessing.corruptions import spoil
from hdr.preprocessing.pipeline import chain
from hdr.types import Classifier, HdrError, Stage, Step
from hdr.ui.components import cards
from hdr.ui.shell import page as page_frame
from hdr.ui.shell import startup
from hdr.ui.state import current_run, resources

SIDE = 168
SHOWN = ("median", "otsu", "centre_by_mass")


@dataclass(frozen=True)
class Walkthrough:
    """The stages of one digit: its label, the noisy image, the output of each step, and the address of all these."""

    label: int
    start: Stage
    stages: tuple[Stage, ...]
    address: dict[str, str]


def _choose() -> tuple[int, int]:
    return random.randrange(10_000), random.randrange(10_000)


def new_digit() -> None:
    """Send another digit on its way."""
    st.session_state["_journey"] = _choose()


def current_walkthrough() -> Walkthrough:
    """Return this visit's digit and all its stages."""
    number, seed = st.session_state.setdefault("_journey", _choose())
    name = startup.data_name()
    split = resources.dataset(name).test
    index, angle = number % len(split), seed % 31 - 15
    noise = {"gaussian_noise.sigma": 35, "salt_and_pepper.share": 6} | ({"rotation.angle": angle} if angle else {})
    steps = [
        Step("rotation", {"angle": angle}),
        Step("gaussian_noise", {"sigma": noise["gaussian_noise.sigma"]}),
        Step("salt_and_pepper", {"share": noise["salt_and_pepper.share"]}),
    ]
    image = spoil(split.images[index][None], steps, seed)[0]
    stages = chain(*PRESETS["Default"]).trace(image)
    address = {"digit": f"{name}-test-any-{index}", "seed": seed, **noise}
    return Walkthrough(
        int(split.labels[index]), Stage("captured", image), stages, {k: str(v) for k, v in address.items()}
    )


def show(journey: Walkthrough) -> None:
    """Show the stages as images, each a link to the page that changes it."""
    shown = [(s, s.step.name) for s in journey.stages if s.step and s.step.name in SHOWN]
    final = journey.stages[-1].image
    notes = {"median": "specks are gone", "otsu": "ink or paper", "centre_by_mass": "upright and centred"}
    with cards.row("journey", "medium", wrap=False):
        start = html_images.digit(journey.start.image, SIDE, "a noisy digit")
        _card(0, start, "preprocess", "Captured", "as a bad scan", journey)
        for number, (stage, name) in enumerate(shown, 1):
            picture = html_images.digit(stage.image, SIDE, stage.title)
            _card(number, picture, "preprocess", stage.title, notes[name], journey)
        drawn = drawings(with_defaults("feature", Step("hog")), final)[0]
        picture = html_images.drawing(drawn, SIDE)
        _card(len(shown) + 1, picture, "features", "Features", "which way strokes run", journey)
        _answer(len(shown) + 2, journey)


def _card(number: int, picture: str, page: str, title: str, note: str, journey: Walkthrough) -> None:
    with st.container(key=f"card-{number}", width=SIDE + 4, gap=None):
        st.html(picture)
        # To this very digit, with the same noise.
        st.page_link(f"pages/{page}.py", label=title, query_params=journey.address)
        st.caption(note)


def _answer(number: int, journey: Walkthrough) -> None:
    with st.container(key=f"card-{number}", width=SIDE + 4, gap=None):
        if reader := _reader():
            _read(journey, reader)
        else:
            _wait()


def _reader() -> Classifier | None:
    """Return the built-in model; if its file is missing, the best trained one."""
    try:
        return resources.ready_reader()
    except HdrError:
        return resources.model(found[-1]) if (found := current_run.readers()) else None


def _read(journey: Walkthrough, reader: Classifier) -> None:
    probabilities = reader.predict_proba(journey.stages[-1].image[None])[0]
    said = int(probabilities.argmax())
    st.html(f'<div class="hdr-home-answer">{said}</div>')
    st.page_link("pages/draw.py", label="Answer")
    right = "and right" if said == journey.label else f"but it is a {journey.label}"
    st.caption(f"{format_percent(float(probabilities[said]), 1)} sure, {right}")


@st.fragment(run_every=1.0)
@page_frame.show_errors()
def _wait() -> None:
    if current_run.readers():
        st.rerun(scope="app")
    st.html('<div class="hdr-home-answer hdr-dim">?</div>')
    st.page_link("pages/draw.py", label="Answer")
    st.caption("the reader is being trained")
