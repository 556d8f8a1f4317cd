"""Why a drawing is read as it is: what speaks for the answer, what would change it, and what it looks like."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from hdr.plots import evidence as colours
from hdr.plots import pictures
from hdr.reading import counterfactual, occlusion
from hdr.reading.asking import Once
from hdr.reading.counterfactual import Change
from hdr.reading.occlusion import Evidence, StrokeEvidence
from hdr.reading.ready import Looking
from hdr.training import neighbours
from hdr.training.neighbours import Near, Reference
from hdr.types import Classifier, Drawing, HdrError, Images, Mark, Strokes
from hdr.ui import jobs, resources, startup
from hdr.ui.draw_reading import Read
from hdr.ui.readers import Choice

SIDE, SMALL, NEAR = 168, 56, 12
HEIGHT, NEAR_HEIGHT = 260, 90
_KEPT = "_why"
_EXPLAINING = threading.Lock()


@dataclass(frozen=True)
class Why:
    """What was found out about one reading.

    Attributes:
        places: what regions say about the answer.
        strokes: what strokes say about it; None for a digit of a photo.
        change: what would have to change for the second guess; None where nothing was found.
    """

    places: Evidence
    strokes: StrokeEvidence | None
    change: Change[Any] | None


def show(read: Read) -> None:
    """Everything that explains the answer."""
    if read.digit is None:
        st.caption("Draw a digit, and see which parts of it speak for the answer and what would change it.")
        return
    why = _found(read)
    if why is None:
        return
    st.html(
        f'<div class="hdr-whys">{_places(read, why)}{_strokes(read, why)}{_change(read, why)}{_naively(read)}</div>'
    )
    _near(read)


def _found(read: Read) -> Why | None:
    drawn, model, captured = read.strokes, read.model, read.captured
    key = f"why-{read.by.token if read.by else ''}-{read.key}"
    if not isinstance(model, Looking):
        # A hundred questions take some models seconds.
        return jobs.result(key, lambda report: _work(drawn, captured, model), HEIGHT)
    kept = st.session_state.get(_KEPT)
    if kept is None or kept[0] != key:
        # Whatever is clicked beside it runs this again.
        with _turn():
            kept = st.session_state[_KEPT] = (key, _work(drawn, captured, model))
    return kept[1]


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    """Wait until nothing else is being explained: where many people draw, answers go before explanations."""
    while not _EXPLAINING.acquire(timeout=0.02):
        # Whoever looks at the session lets Streamlit end this run, where its visitor has drawn on meanwhile.
        st.session_state.get(_KEPT)
    try:
        yield
    finally:
        _EXPLAINING.release()


def _work(drawn: Strokes, captured: Images, model: Classifier | None) -> Why:
    assert model is not None
    accept = model.accepts if isinstance(model, Looking) else None
    once = Once(model)
    change: Change[Any] | None = None
    if drawn:
        change = counterfactual.of_strokes(drawn, once, accept=accept)
    change = change or counterfactual.of_image(captured, once, accept=accept)
    strokes = occlusion.stroke_evidence(drawn, once) if drawn else None
    return Why(occlusion.evidence(captured, once), strokes, change)


def _figure(title: str, picture: str, words: str) -> str:
    return f'<figure><div class="hdr-over">{title}</div>{picture}<figcaption>{words}</figcaption></figure>'


def _places(read: Read, why: Why) -> str:
    label = why.places.label
    picture = colours.heat(read.captured, why.places.map, SIDE, f"What each place says about a {label}")
    return _figure(
        "Place by place",
        picture,
        f"Orange ink speaks for a {label}, blue ink against it, white for neither: each place was hidden, and the "
        "model asked again.",
    )


def _strokes(read: Read, why: Why) -> str:
    if why.strokes is None or not why.strokes.pieces:
        return ""
    label, pieces = why.strokes.label, why.strokes.pieces
    shares = [p.evidence for p in pieces]
    picture = colours.strokes([p.points for p in pieces], shares, SIDE, f"What each stroke says about a {label}")
    words = "Each piece of your strokes was left out in turn; the colours are the same. "
    firm = max(map(abs, shares)) <= colours.LEAST
    return _figure("Stroke by stroke", picture, words + (f"No single one matters much to the {label}." if firm else ""))


def _change(read: Read, why: Why) -> str:
    assert read.digit is not None
    second = int(read.digit.probabilities.argsort()[-2])
    title, change = f"To be read as a {second}", why.change
    if change is None:
        blank = pictures.digit(np.zeros((28, 28), np.uint8), SIDE, "Nothing was found", dim=True)
        firm = "" if read.refused else " The answer stands firm."
        return _figure(title, blank, f"No small change that was tried leads there.{firm}")
    alt = f"What would have to change for a {second}"
    if isinstance((*change.removed, *change.added)[0], np.ndarray):
        picture = colours.change(occlusion.bounded(read.strokes), change.removed, change.added, SIDE, alt)
    else:
        marks = [_box(r, 1) for r in change.removed] + [_box(r, 2) for r in change.added]
        picture = pictures.drawing(Drawing(alt, read.captured, marks=tuple(marks)), SIDE)
    parts = ["without what is dashed"] * bool(change.removed) + ["with what is yellow"] * bool(change.added)
    share = pictures.percent(change.share, 0)
    sure = pictures.percent(float(change.probabilities[change.label]), 1)
    words = f"{' and '.join(parts).capitalize()} ({share} of the ink) this would be a {change.label}, {sure} sure."
    return _figure(title, picture, words)


def _box(region: occlusion.Region, series: int) -> Mark:
    corners = [[region.left - 0.5, region.top - 0.5], [region.right - 0.5, region.bottom - 0.5]]
    return Mark("box", np.array(corners), series)


def _naively(read: Read) -> str:
    assert read.model is not None and read.digit is not None
    image = read.naively
    said = read.model.predict_proba(image[None])[0]
    label = int(said.argmax())
    what = "whole canvas" if read.alone else "box around it"
    picture = pictures.digit(image, SIDE, f"The {what} made small")
    verdict = "That would do here" if label == read.digit.label else "That is what capture is for"
    sure = pictures.percent(float(said[label]), 1)
    words = f"The {what} made small, as most demos do: it would be a {label}, {sure} sure. {verdict}."
    return _figure("Without capture", picture, words)


def _near(read: Read) -> None:
    assert read.by is not None and read.model is not None
    try:
        found, name, of = _nearest(read, read.by, read.model)
    except HdrError:
        # Its training data are not here any more.
        return
    if found is None:
        return
    images = resources.dataset(name).train.images[[n.index for n in found]]
    sheet = pictures.sheet(images, [f"{n.label} · {n.distance:.3g}" for n in found], SMALL)
    st.html(
        f'<div class="hdr-over hdr-below">most alike for this model among {pictures.count(of)} training digits: label '
        f"and distance</div>{sheet}"
    )


def _nearest(read: Read, by: Choice, model: Classifier) -> tuple[list[Near] | None, str, int]:
    if isinstance(model, Looking):
        name = startup.data_name()
        ready = resources.ready_reader()
        reader = ready.on_pages if read.paper is not None else ready
        key = f"reference-{'ready' if read.paper is None else 'pages'}-{name}"
        known = jobs.result(key, lambda report: _reference(reader, name, report), NEAR_HEIGHT)
        features = model.features(read.captured[None])[0]
    else:
        run = by.run
        assert run is not None
        name, data = run.spec.dataset, resources.dataset(run.spec.dataset)

        def work(report: jobs.Report) -> Reference:
            report("Reading the model")
            return neighbours.reference(resources.model(run), data, report=report)

        known = jobs.result(f"reference-{run.id}", work, NEAR_HEIGHT)
        features = neighbours.represent(resources.model(run), read.captured[None])[0]
    if known is None:
        return None, name, 0
    return neighbours.nearest(known, features, NEAR), name, len(known.index)


def _reference(reader: Looking, name: str, report: jobs.Report) -> Reference:
    report("Looking at training digits")
    train = resources.dataset(name).train
    most = min(neighbours.MOST, len(train))
    features = reader.features(train.images[:most])
    return Reference(np.arange(most), train.labels[:most], features)
