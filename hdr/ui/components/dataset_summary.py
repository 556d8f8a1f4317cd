"""Summary panel of a data set: figures, sample images and facts."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hdr.datasets import statistics
from hdr.datasets.statistics import Description
from hdr.formatting import format_count, format_percent
from hdr.plots import class_balance, distributions, html_images
from hdr.plots.theme import CONFIG
from hdr.types import CLASSES, Split
from hdr.ui.state import resources

SIDE = 56


@st.cache_resource(max_entries=3, show_spinner="Measuring every digit")
def _described(name: str) -> Description:
    return statistics.describe(resources.dataset(name))


def panel(name: str) -> None:
    """Show the summary of a data set, in a dialog or a tab.

    Args:
        name: as of `hdr.datasets.available`.
    """
    found = _described(name)
    st.markdown(f"**{found.title}**. {found.note}")
    left, right = st.columns([7, 5], gap="large")
    with left:
        _classes(found, resources.dataset(name).train)
    with right:
        _counts(found)
    _spreads(found)
    left, right = st.columns(2, gap="large")
    with left:
        _values(found)
    with right:
        _facts(found)


def _classes(found: Description, split: Split) -> None:
    first = [split.images[np.flatnonzero(split.labels == d)[:1]] for d in range(CLASSES)]
    blank = np.zeros(split.images.shape[1:], np.uint8)
    spread = found.train.class_deviation
    rows = [
        ("one of each class", [images[0] if len(images) else blank for images in first]),
        ("the mean of all", _grey(found.train.class_mean)),
        ("the standard deviation of every pixel", _grey(spread * (255 / max(spread.max(), 1e-9)))),
    ]
    cells = "".join(
        f'<div class="hdr-over">{title}</div>'
        + "".join(html_images.digit(image, SIDE, f"{d}: {title}") for d, image in enumerate(images))
        for title, images in rows
    )
    st.html(
        f'<div class="hdr-classes">{cells}</div><div class="hdr-note hdr-below">A sharp mean says that people write '
        "this digit alike; the last row is bright where hands differ most.</div>"
    )


def _counts(found: Description) -> None:
    train = found.train.counts
    low, high = int(train.argmin()), int(train.argmax())
    st.html(
        f'<div class="hdr-over">{format_count(len(found.train))} training digits (bars), '
        f"{format_count(len(found.test))} test digits (dashes)</div>"
    )
    st.plotly_chart(
        class_balance.figure(train, found.test.counts), key="class_counts", config=CONFIG, alt="Digits of each class"
    )
    st.html(
        f'<div class="hdr-note">The {low} is the rarest with {format_count(int(train[low]))} training digits, the '
        f"{high} the commonest with {format_count(int(train[high]))}. Always to guess {high} would be right in "
        f"{format_percent(train[high] / len(found.train), 1)}: that is what any model has to beat.</div>"
    )


def _grey(values: NDArray[np.float64]) -> list[NDArray[np.uint8]]:
    return list(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def _values(found: Description) -> None:
    train, test = found.train, found.test
    st.markdown(
        f"**Grey values** go from {train.low} to {train.high}. Over all pixels of the training split their mean is "
        f"**{train.mean:.1f}** and their standard deviation **{train.deviation:.1f}** (test: {test.mean:.1f} and "
        f"{test.deviation:.1f}). So the published values are *not* standardised, though texts on MNIST often say so: "
        "that would be a mean of 0 and a standard deviation of 1. "
        f"Programs that subtract {train.mean / 255:.4f} and divide by {train.deviation / 255:.4f} do it themselves: "
        "these are the same two numbers over 255."
    )


def _spreads(found: Description) -> None:
    train, test = found.train, found.test
    shown = [
        ("ink, % of a full picture", train.ink, test.ink, 1.0),
        ("width of the box, px", train.width, test.width, 1.0),
        ("height of the box, px", train.height, test.height, 1.0),
        ("stroke width, px", train.stroke, test.stroke, 0.25),
    ]
    with st.grid(4, min_column_width=210):
        for number, (title, first, second, step) in enumerate(shown):
            st.plotly_chart(
                distributions.figure(first, second, title, step, labels=number == 0),
                key=f"spread-{number}",
                config=CONFIG,
                alt=f"Training and test digits by {title}",
            )
    st.html(
        '<div class="hdr-note">Where the two curves agree, the test asks for the same kind of digits that were learned '
        "from. Stroke width is the area of the ink over the length of its skeleton.</div>"
    )


def _facts(found: Description) -> None:
    if not found.facts:
        return
    items = "".join(f"<li>{escape(fact.text)}</li>" for fact in found.facts)
    sources = "; ".join(dict.fromkeys(escape(fact.source) for fact in found.facts))
    st.html(f'<ul class="hdr-facts">{items}</ul><div class="hdr-over hdr-source">Source: {sources}</div>')
