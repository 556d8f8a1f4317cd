"""Explain a prediction: relevant regions, counterfactual changes, and the nearest training digits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from hdr.analysis import nearest_examples
from hdr.analysis.nearest_examples import Neighbour, ReferenceSet
from hdr.background import Job
from hdr.formatting import format_count, format_percent
from hdr.plots import attribution as colours
from hdr.plots import html_images
from hdr.reading import counterfactual, occlusion
from hdr.reading.asking import Once
from hdr.reading.counterfactual import Change
from hdr.reading.occlusion import Evidence, StrokeEvidence
from hdr.reading.ready import Looking
from hdr.types import Drawing, HdrError, Images, Mark, ProgressCallback
from hdr.ui.components import job_progress
from hdr.ui.draw import explanation_jobs
from hdr.ui.draw.explanation_jobs import Explanations
from hdr.ui.draw.prediction import DrawnPrediction
from hdr.ui.shell import page, startup
from hdr.ui.state import resources

SIDE, SMALL, NEAR = 168, 56, 12
HEIGHT = 260
PLACE = "why"


@dataclass(frozen=True)
class Explanation:
    """The explanation of one reading.

    Attributes:
        places: the evidence of regions.
        strokes: the evidence of strokes; None for a digit of a photo.
        change: the least change found that leads to the second guess; None where none was found.
        naive: the naively resized digit, uint8 (28, 28).
        naive_probabilities: float64 (10,), of `naive`.
    """

    places: Evidence
    strokes: StrokeEvidence | None
    change: Change[Any] | None
    naive: Images
    naive_probabilities: np.ndarray


def show(read: DrawnPrediction) -> None:
    """Show everything that explains the answer."""
    if read.digit is None:
        explanation_jobs.forget(PLACE)
        st.caption("Draw a digit, and see which parts of it speak for the answer and what would change it.")
        return
    _explained(read)


@st.fragment
@page.show_errors()
def _explained(read: DrawnPrediction) -> None:
    """Show the explanation; until it is available, show the previous drawing's, dimmed."""
    key = f"{read.by.token if read.by else ''}-{read.key}"
    explanations = Explanations(PLACE, key)
    why: Explanation | None = explanations.ask(f"why-{key}", lambda report: _work(read, report))
    near = _near(read, key, explanations)
    new = None
    if why:
        whys = f"{_places(read, why)}{_strokes(read, why)}{_change(read, why)}{_naively(read, why)}"
        new = f'<div class="hdr-whys">{whys}</div>{near}'
    shown = explanations.latest(new)
    with st.container(key="why_stale" if why is None else "why"):
        st.html(shown or f'<div style="height:{HEIGHT}px"></div>')
    explanations.end()


def _work(read: DrawnPrediction, report: ProgressCallback) -> Explanation:
    model, captured, drawn = read.model, read.captured, read.strokes
    assert model is not None
    accept = model.accepts if isinstance(model, Looking) else None
    # A cancelled job ends at its next report, so that a drawing that has changed costs little more.
    once = Once(model, lambda: report("Explaining"))
    change: Change[Any] | None = None
    if drawn:
        change = counterfactual.of_strokes(drawn, once, accept=accept)
    change = change or counterfactual.of_image(captured, once, accept=accept)
    strokes = occlusion.stroke_evidence(drawn, once) if drawn else None
    naive = read.naively
    return Explanation(occlusion.evidence(captured, once), strokes, change, naive, once.predict_proba(naive[None])[0])


def _figure(title: str, picture: str, words: str) -> str:
    return f'<figure><div class="hdr-over">{title}</div>{picture}<figcaption>{words}</figcaption></figure>'


def _places(read: DrawnPrediction, why: Explanation) -> str:
    label = why.places.label
    picture = colours.heat(read.captured, why.places.map, SIDE, f"What each place says about a {label}")
    return _figure(
        "Place by place",
        picture,
        f"Orange ink speaks for a {label}, blue ink against it, white for neither: each place was hidden, and the "
        "model asked again.",
    )


def _strokes(read: DrawnPrediction, why: Explanation) -> str:
    if why.strokes is None or not why.strokes.pieces:
        return ""
    label, pieces = why.strokes.label, why.strokes.pieces
    shares = [p.evidence for p in pieces]
    picture = colours.strokes([p.points for p in pieces], shares, SIDE, f"What each stroke says about a {label}")
    words = "Each piece of your strokes was left out in turn; the colours are the same. "
    firm = max(map(abs, shares)) <= colours.LEAST
    return _figure("Stroke by stroke", picture, words + (f"No single one matters much to the {label}." if firm else ""))


def _change(read: DrawnPrediction, why: Explanation) -> str:
    assert read.digit is not None
    second = int(read.digit.probabilities.argsort()[-2])
    title, change = f"To be read as a {second}", why.change
    if change is None:
        blank = html_images.digit(np.zeros((28, 28), np.uint8), SIDE, "Nothing was found", dim=True)
        firm = "" if read.refused else " The answer stands firm."
        return _figure(title, blank, f"No small change that was tried leads there.{firm}")
    alt = f"What would have to change for a {second}"
    if isinstance((*change.removed, *change.added)[0], np.ndarray):
        picture = colours.change(occlusion.bounded(read.strokes), change.removed, change.added, SIDE, alt)
    else:
        marks = [_box(r, 1) for r in change.removed] + [_box(r, 2) for r in change.added]
        picture = html_images.drawing(Drawing(alt, read.captured, marks=tuple(marks)), SIDE)
    parts = ["without what is dashed"] * bool(change.removed) + ["with what is yellow"] * bool(change.added)
    share = format_percent(change.share, 0)
    sure = format_percent(float(change.probabilities[change.label]), 1)
    words = f"{' and '.join(parts).capitalize()} ({share} of the ink) this would be a {change.label}, {sure} sure."
    return _figure(title, picture, words)


def _box(region: occlusion.Region, series: int) -> Mark:
    corners = [[region.left - 0.5, region.top - 0.5], [region.right - 0.5, region.bottom - 0.5]]
    return Mark("box", np.array(corners), series)


def _naively(read: DrawnPrediction, why: Explanation) -> str:
    assert read.digit is not None
    label = int(why.naive_probabilities.argmax())
    what = "whole canvas" if read.alone else "box around it"
    picture = html_images.digit(why.naive, SIDE, f"The {what} made small")
    verdict = "That would do here" if label == read.digit.label else "That is what capture is for"
    sure = format_percent(float(why.naive_probabilities[label]), 1)
    words = f"The {what} made small, as most demos do: it would be a {label}, {sure} sure. {verdict}."
    return _figure("Without capture", picture, words)


def _near(read: DrawnPrediction, key: str, explanations: Explanations) -> str:
    """Return the most similar training digits as HTML; empty until they are available, or if the data are missing."""
    try:
        name, job = _reference_job(read)
    except HdrError:
        return ""
    known: ReferenceSet | None = explanations.follow(job)
    if known is None:
        return ""
    found: list[Neighbour] | None = explanations.ask(f"near-{key}", lambda report: _nearest(read, known))
    if not found:
        return ""
    images = resources.dataset(name).train.images[[n.index for n in found]]
    sheet = html_images.sheet(images, [f"{n.label} · {n.distance:.3g}" for n in found], SMALL)
    return (
        '<div class="hdr-over hdr-below">most alike for this model among '
        f"{format_count(len(known.index))} training digits: label and distance</div>{sheet}"
    )


def _reference_job(read: DrawnPrediction) -> tuple[str, Job]:
    """Return the data set to search, and the job that computes its features once for the whole server."""
    assert read.by is not None
    run = read.by.run
    if run is None:
        name = startup.data_name()
        ready = resources.ready_reader()
        reader = ready.on_pages if read.paper is not None else ready
        key = f"reference-{'ready' if read.paper is None else 'pages'}-{name}"
        return name, job_progress.all_jobs().get(key, lambda report: _reference(reader, name, report))
    name, data = run.spec.dataset, resources.dataset(run.spec.dataset)

    def work(report: ProgressCallback) -> ReferenceSet:
        report("Reading the model")
        return nearest_examples.reference(resources.model(run), data, report=report)

    return name, job_progress.all_jobs().get(f"reference-{run.id}", work)


def _nearest(read: DrawnPrediction, known: ReferenceSet) -> list[Neighbour]:
    assert read.by is not None and read.model is not None
    if isinstance(read.model, Looking):
        features = read.model.features(read.captured[None])[0]
    else:
        assert read.by.run is not None
        features = nearest_examples.embed(resources.model(read.by.run), read.captured[None])[0]
    return nearest_examples.nearest(known, features, NEAR)


def _reference(reader: Looking, name: str, report: ProgressCallback) -> ReferenceSet:
    report("Looking at training digits")
    train = resources.dataset(name).train
    most = min(nearest_examples.MAX_REFERENCE, len(train))
    features = reader.features(train.images[:most])
    return ReferenceSet(np.arange(most), train.labels[:most], features)
