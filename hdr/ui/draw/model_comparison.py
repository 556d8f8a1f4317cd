"""Compare the predictions of all models for one drawing, side by side, and mark those that differ."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from hdr.formatting import format_percent
from hdr.sanitize import escape_markdown
from hdr.types import Classifier, HdrError, ProgressCallback
from hdr.ui.draw import explanation_jobs
from hdr.ui.draw.explanation_jobs import Explanations
from hdr.ui.draw.prediction import DrawnPrediction, repredict
from hdr.ui.shell import page
from hdr.ui.state import model_choice
from hdr.ui.state.model_choice import ModelChoice

MOST = 6
"""Models of runs that take part, the best ones; each takes memory, and time at every stroke."""

HEIGHT = 190
CARD = 150
PLACE = "vote"
_REFUSED = "no digit"


def show(read: DrawnPrediction) -> None:
    """Show the prediction of every model."""
    if read.digit is None:
        explanation_jobs.forget(PLACE)
        st.caption("Draw a digit: the reader and your best models will say what they see in it, side by side.")
        return
    _votes(read)


@st.fragment
@page.show_errors()
def _votes(read: DrawnPrediction) -> None:
    """Show the predictions; until they are available, show those of the previous drawing, dimmed."""
    voters = _voters(read)
    key = f"vote-{'-'.join(v.token for v in voters)}-{read.key}"
    explanations = Explanations(PLACE, key)
    # The readers of a session can be had in its own runs only, and at once; a run's model may have to be loaded.
    ready = {v.key: v.model() for v in voters if not v.run}
    new = explanations.ask(key, lambda report: [_vote(voter, ready.get(voter.key), read, report) for voter in voters])
    votes = explanations.latest(new)
    with st.container(
        key="votes_stale" if new is None else "votes_new", height="content" if votes else HEIGHT, border=False
    ):
        if votes:
            _cards(votes)
    explanations.end()


def _cards(votes: list[DrawnPrediction]) -> None:
    said = [_said(vote) for vote in votes]
    majority, count = Counter(s for s in said if s).most_common(1)[0]
    st.markdown(_summary(majority, count, sum(map(bool, said))))
    with st.container(horizontal=True, gap="small", key="votes"):
        for number, (vote, word) in enumerate(zip(votes, said, strict=True)):
            with st.container(key=f"vote-{number}", width=CARD, gap=None):
                _card(vote, word, word != majority)


def _voters(read: DrawnPrediction) -> list[ModelChoice]:
    offered = model_choice.available_models()
    trained = sorted(
        ((c, c.run) for c in offered if c.run), key=lambda pair: pair[1].test_accuracy or 0.0, reverse=True
    )
    best = [c for c, _ in trained[:MOST]]
    # Always include the page's current model, regardless of its accuracy.
    if read.by and read.by.run and read.by.key not in [c.key for c in best]:
        best[-1] = read.by
    return [*(c for c in offered if not c.run), *best]


def _vote(
    voter: ModelChoice, model: Classifier | None, read: DrawnPrediction, report: ProgressCallback
) -> DrawnPrediction:
    report("Reading the models")
    try:
        return repredict(read, voter, model or voter.model())
    except HdrError as error:
        return DrawnPrediction(voter, problem=str(error))


def _said(vote: DrawnPrediction) -> str:
    if vote.digit is None:
        return ""
    return _REFUSED if vote.refused else str(vote.digit.label)


def _summary(majority: str, count: int, of: int) -> str:
    what = "do not take it for a digit" if majority == _REFUSED else f"read a **{majority}**"
    if of == 1:
        return "There is one reader so far. Train a model, and it will have a vote here."
    if count == of:
        return f"All {of} {what}."
    return f"{count} of {of} {what}; who differs is marked."


def _card(vote: DrawnPrediction, word: str, differs: bool) -> None:
    if vote.digit is None:
        st.html('<div class="hdr-vote hdr-dim"><span>?</span></div>')
        st.caption(escape_markdown(vote.problem or "It read nothing."))
    else:
        kind = "hdr-vote hdr-differs" if differs else "hdr-vote"
        small = ' class="hdr-small"' if word == _REFUSED else ""
        share = 1 - (vote.sense or 0.0) if vote.refused else vote.digit.probability
        sure = f"{format_percent(share, 1)} sure"
        st.html(f'<div class="{kind}"><span{small}>{word}</span><small>{sure}</small></div>')
    st.caption(escape_markdown(vote.by.title) if vote.by else "")
