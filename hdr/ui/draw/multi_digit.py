"""Several digits of one number or photo: the answer, each digit to be opened, and all that there is to one of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hdr.formatting import format_percent
from hdr.plots import html_images
from hdr.plots.bounding_boxes import Found
from hdr.preprocessing.size_normalisation import from_strokes
from hdr.reading.ready import Looking
from hdr.sanitize import escape_markdown
from hdr.types import Classifier, DigitReading, Reading, Strokes
from hdr.ui.components.tabs import lazy_tabs
from hdr.ui.draw import explanation, handwriting, model_comparison
from hdr.ui.draw.prediction import DrawnPrediction
from hdr.ui.results import common
from hdr.ui.state.model_choice import ModelChoice

LONG = 6
"""Digits in a line from which on the answer is written smaller."""

STAGE = 84
SAME = 8
"""How far a pixel may differ where strokes were drawn in another order, which changes soft edges where they cross."""

ORDINALS = ("first", "second", "third")
TABS = {"Why?": explanation.show, "A vote": model_comparison.show}


@dataclass(frozen=True)
class MultiDigitResult:
    """Digits in lines.

    Attributes:
        name: of the place, for keys.
        reads: every digit, line by line.
        lines: how many digits each line has.
    """

    name: str
    reads: tuple[DrawnPrediction, ...] = ()
    lines: tuple[int, ...] = ()

    @property
    def digits(self) -> tuple[DigitReading, ...]:
        """The predicted digits, with the user's labels where given."""
        return tuple(replace(r.digit, label=handwriting.effective_label(r)) for r in self.reads if r.digit)

    @property
    def number(self) -> list[str]:
        """The digits as text, line by line."""
        return Reading(self.digits, self.lines).number.split("\n") if self.reads else []

    @property
    def chosen(self) -> int | None:
        """Which digit is opened."""
        index = st.session_state.get(_chosen(self.name))
        return index if index is not None and index < len(self.reads) else None


def _chosen(name: str) -> str:
    return f"_{name}_chosen"


def choose(name: str, index: int | None) -> None:
    """Open a digit, or none."""
    st.session_state[_chosen(name)] = index


def build(
    name: str,
    by: ModelChoice,
    model: Classifier,
    digits: Sequence[DigitReading],
    lines: Sequence[int],
    paper: NDArray[np.uint8] | None = None,
    drawn: Strokes | None = None,
) -> MultiDigitResult:
    """Return the digits of a reading.

    Args:
        name: of the place, for keys.
        by, model: who read them.
        digits, lines: as in `Reading`.
        paper: the photo, uint8 (h, w), 255 white.
        drawn: the drawing.
    """
    sense: list[float | None] = [None] * len(digits)
    threshold = 0.0
    if isinstance(model, Looking) and digits:
        sense = model.digit_probability(np.stack([d.stages[0].image for d in digits])).tolist()
        threshold = model.threshold
    reads = [
        DrawnPrediction(
            by, _own(drawn or [], d), model, d, s, s is not None and s < threshold, paper=paper, alone=False
        )
        for d, s in zip(digits, sense, strict=True)
    ]
    return MultiDigitResult(name, tuple(reads), tuple(lines) or (len(digits),))


def _own(drawn: Strokes, digit: DigitReading) -> Strokes:
    """Return the strokes of one digit of a drawing; none if its neighbours' cannot be separated."""
    x, y, w, h = digit.box
    low, high = np.array([x, y]), np.array([x + w, y + h])
    inside = [s for s in drawn if len(s) and (s >= low).all() and (s <= high).all()]
    if not inside:
        return []
    # The box may contain a neighbour: compare the rendered strokes to check that they are exactly this digit's.
    differs = np.abs(from_strokes(inside).astype(int) - digit.stages[0].image)
    return inside if differs.max() <= SAME else []


def answer(several: MultiDigitResult, words: str) -> None:
    """Show the number, large, and its confidence.

    Args:
        several: the digits; none where nothing was read.
        words: the note below if there are no digits.
    """
    lines = several.number
    long = " hdr-long" if len(lines) > 1 or max(map(len, lines), default=0) > LONG else ""
    with st.container(key="answer"):
        st.html(f'<div class="hdr-answer{long}">{"<br>".join(lines)}</div>')
    with st.container(key="certainty", height=90, border=False):
        st.markdown(_certainty(several.reads) if lines else escape_markdown(words))


def _certainty(reads: Sequence[DrawnPrediction]) -> str:
    open_ = [(i, r) for i, r in enumerate(reads) if handwriting.user_label(r) is None]
    whole = math.prod(_sure(r) for _, r in open_)
    words = f"**{format_percent(whole, 1)}** sure of the whole, {_count(len(reads), 'digit')}."
    if len(reads) > 1 and open_:
        least, read = min(open_, key=lambda one: _sure(one[1]))
        assert read.digit is not None
        sure = format_percent(read.digit.probability, 1)
        words += f" Least of the {_ordinal(least)}: a {read.digit.label} ({sure}), or else a {_second(read.digit)}."
    if said := len(reads) - len(open_):
        words += f" You have named {said} of them."
    if doubted := sum(r.refused for _, r in open_):
        words += f" {doubted} {'does' if doubted == 1 else 'do'} not look like a digit."
    return words


def _sure(read: DrawnPrediction) -> float:
    assert read.digit is not None
    return read.digit.probability


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _ordinal(index: int) -> str:
    return ORDINALS[index] if index < len(ORDINALS) else f"{index + 1}th"


def _second(digit: DigitReading) -> int:
    return int(digit.probabilities.argsort()[-2])


def found(several: MultiDigitResult) -> list[Found]:
    """Return the boxes of all digits, for drawing onto the page."""
    return [
        Found(d.box, d.label, str(d.label), r.refused and handwriting.user_label(r) is None)
        for d, r in zip(several.digits, several.reads, strict=True)
    ]


def gallery(several: MultiDigitResult) -> None:
    """Show every digit as the model's input; a click opens one."""
    st.markdown("**Digit by digit.** A click on one shows why it was read so, lets others vote, and corrects it.")
    common.gallery(
        several.name,
        np.stack([r.captured for r in several.reads]),
        [_over(r) for r in several.reads],
        [str(handwriting.effective_label(r)) for r in several.reads],
        lambda index: choose(several.name, index),
        list(range(len(several.reads))),
        several.chosen,
    )


def _over(read: DrawnPrediction) -> str:
    if handwriting.user_label(read) is not None:
        return "you say"
    return "no digit?" if read.refused else format_percent(_sure(read), 0)


def opened(several: MultiDigitResult, beside: Callable[[int], None] | None = None) -> None:
    """Show the selected digit: probabilities, label buttons, model input, explanation and model comparison.

    Args:
        several: the digits.
        beside: shows further actions for the digit at an index.
    """
    index = several.chosen
    if index is None:
        return
    read = several.reads[index]
    assert read.digit is not None
    with st.container(key="opened"):
        left, right = st.columns([340, 780], gap="large")
        with left:
            bars = html_images.bars(read.digit.probabilities)
            st.html(f'<div class="hdr-doubted">{bars}</div>' if read.refused else bars)
            handwriting.label_buttons(read)
            if beside:
                beside(index)
        with right:
            _stages(read.digit)
            lazy_tabs(TABS, "opened_tab", read)


def _stages(digit: DigitReading) -> None:
    cells = "".join(
        f"<figure>{html_images.digit(s.image, STAGE, s.title, s.display)}<figcaption>{s.title}</figcaption></figure>"
        for s in digit.stages
    )
    st.html(f'<div class="hdr-over">what the model sees of it</div><div class="hdr-sheet hdr-way">{cells}</div>')
