"""My handwriting: labelled drawings, kept in the session, and a model adapted to them."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from hdr.formatting import format_count, format_percent
from hdr.plots import html_images
from hdr.reading.adaptation import Adaptation, adapt
from hdr.reading.handwriting import MOST_DRAWINGS, Drawn, Handwriting
from hdr.sanitize import escape_markdown
from hdr.training.metrics import wilson_interval
from hdr.types import CLASSES, HdrError, Split
from hdr.ui.components.messages import toast_errors
from hdr.ui.draw import donation_consent
from hdr.ui.draw.prediction import DrawnPrediction
from hdr.ui.shell import startup
from hdr.ui.state import model_choice, resources

ORDINARY = 1_000
"""Digits of other people that stay readable while the reader learns: the last of the training split."""

SIDE, ROW, LOOKED_THROUGH = 56, 10, 40
"""Thumbnail width in pixels, thumbnails per digit, and the most thumbnails shown at once."""

MOST_SAID = 2_000
"""Maximum number of labels that the session remembers; the oldest are dropped first."""

_HELD, _SPLIT, _SAID, _SHOWN, _ROUND = "_handwriting", "_handwriting_split", "_said", "_said_shown", "_said_round"
_LEARNED, _FILES = "_learned", "_hand_files"


@dataclass(frozen=True)
class _Said:
    """A label that the user has given to a digit.

    Attributes:
        label: the true label, 0 to 9.
        drawn: as it is in the collection; None where it could not be kept.
    """

    label: int
    drawn: Drawn | None


@dataclass(frozen=True)
class _Learned:
    adaptation: Adaptation
    from_: Handwriting


def collection() -> Handwriting:
    """Return this session's drawings with their labels."""
    return st.session_state.get(_HELD, Handwriting())


def user_label(read: DrawnPrediction) -> int | None:
    """Return the user's label of a digit; None if there is none."""
    found = _all_said().get(read.key)
    return found.label if found else None


def effective_label(read: DrawnPrediction) -> int:
    """Return the user's label of a digit, or else the prediction."""
    assert read.digit is not None
    named = user_label(read)
    return read.digit.label if named is None else named


def _all_said() -> dict[str, _Said]:
    return st.session_state.get(_SAID, {})


def label_buttons(read: DrawnPrediction) -> None:
    """Show ten small buttons for the true label; one click saves the labelled digit.

    Args:
        read: a drawing of one digit, or one digit of a number or a photo; without a prediction, they are disabled.
    """
    # A new digit gets new buttons, none of them pressed.
    key = st.session_state[_SHOWN] = f"meant-{st.session_state.get(_ROUND, 0)}-{read.key[:12]}"
    with st.container(key="meant"):
        st.pills(
            "It was a",
            list(range(CLASSES)),
            default=user_label(read),
            key=key,
            on_change=_name,
            args=(key, read),
            disabled=not read.key,
        )
        st.caption(_words(read))


def _words(read: DrawnPrediction) -> str:
    found = _all_said().get(read.key)
    if found is None:
        return "One click corrects or confirms, and keeps the drawing in your handwriting."
    if _place(found) is None:
        return f"You say that it is a {found.label}. Your handwriting does not hold it."
    count = len(collection())
    words = f"Kept as a {found.label} in your handwriting, which has {count} drawing{'s' * (count != 1)} now."
    return words + donation_consent.consent_hint()


def _place(named: _Said | None) -> int | None:
    """Return the index of the digit in the collection; None if it is not in it."""
    return next((i for i, d in enumerate(collection().drawings) if named and d is named.drawn), None)


def _name(key: str, read: DrawnPrediction) -> None:
    if key != st.session_state.get(_SHOWN):
        # A browser may tell once more what was pressed for the digit before.
        return
    meant, mine, known = st.session_state[key], collection(), dict(_all_said())
    index = _place(known.pop(read.key, None))
    drawn = None
    with toast_errors():
        if meant is None:
            _keep(mine if index is None else mine.without(index))
        elif index is not None:
            _keep(mine.relabelled(index, meant))
            drawn = collection().drawings[index]
        else:
            more = mine.with_drawing(read.strokes, meant) if read.strokes else mine.with_picture(read.captured, meant)
            _keep(more)
            drawn = more.drawings[-1]
    if meant is not None:
        known[read.key] = _Said(meant, drawn)
    st.session_state[_SAID] = dict(list(known.items())[-MOST_SAID:])


def _change(mine: Handwriting) -> None:
    """Take a collection in which a digit that is on the page may not be, or elsewhere."""
    _keep(mine)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _keep(mine: Handwriting) -> None:
    st.session_state[_HELD] = mine
    donation_consent.sync_donations(mine)


def show(_read: DrawnPrediction | None = None) -> None:
    """Show the collection, its actions, and the adapted model."""
    mine = collection()
    left, right = st.columns([7, 5], gap="large")
    with left:
        _pictures(mine)
    with right:
        _learning(mine)
        _files(mine)
        donation_consent.consent_form(mine)


def _pictures(mine: Handwriting) -> None:
    if not len(mine):
        st.caption(
            "Nothing is here yet. Draw a digit and say by one click what it was: it is kept here, for this session "
            "only, and nobody else gets it unless you say so."
        )
        return
    images, labels = _split(mine).images, _split(mine).labels
    rows = ""
    for label, count in enumerate(mine.counts.tolist()):
        newest = [i for i, one in enumerate(labels) if one == label][::-1][:ROW]
        cells = "".join(html_images.digit(images[i], SIDE, f"Your {label}") for i in newest)
        more = f"+{count - ROW}" if count > ROW else ""
        if count:
            rows += f'<b>{label}</b><div class="hdr-sheet">{cells}<span>{more}</span></div>'
    st.html(f'<div class="hdr-hand">{rows}</div>')
    _look_through(mine)


def _look_through(mine: Handwriting) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        there = [d for d in range(CLASSES) if mine.counts[d]]
        label = st.pills("Look through, and delete single ones", there, key="hand_digit")
        st.button("Delete all", icon=":material/delete:", key="hand_clear", on_click=_change, args=(Handwriting(),))
    if label is None:
        return
    images, labels = _split(mine).images, _split(mine).labels
    with st.container(horizontal=True, gap="small", key="hand-gallery"):
        for index in [i for i, one in enumerate(labels) if one == label][::-1][:LOOKED_THROUGH]:
            with st.container(width=SIDE + 6, gap=None):
                st.html(html_images.digit(images[index], SIDE, f"Your {label}, drawing {index + 1}"))
                st.button(
                    "",
                    icon=":material/delete:",
                    key=f"hand-delete-{index}",
                    type="tertiary",
                    help="Delete this drawing",
                    on_click=_delete,
                    args=(index,),
                )


def _delete(index: int) -> None:
    # A click may come twice; the drawing is then gone.
    if index < len(collection()):
        _change(collection().without(index))


def _split(mine: Handwriting) -> Split:
    kept = st.session_state.get(_SPLIT)
    if kept is None or kept[0] is not mine:
        kept = st.session_state[_SPLIT] = (mine, mine.split())
    return kept[1]


def _learning(mine: Handwriting) -> None:
    st.markdown("**Learn my hand**")
    if why := model_choice.problem():
        st.caption(escape_markdown(why))
        return
    learned: _Learned | None = st.session_state.get(_LEARNED)
    st.caption(
        "The reader that comes with the app learns from these drawings in a moment: a few of each digit that it gets "
        "wrong are enough. The original stays as it is."
    )
    with st.container(horizontal=True, gap="small"):
        known = learned is not None and learned.from_ is mine
        st.button(
            "Learn again" if learned else "Learn",
            icon=":material/school:",
            key="learn_hand",
            type="primary",
            on_click=_learn,
            disabled=not len(mine) or known,
        )
        if learned:
            adapted = st.session_state.get(model_choice.KEY) == model_choice.HAND
            st.button(
                "Read with the original" if adapted else "Read with my hand",
                icon=":material/swap_horiz:",
                key="switch_hand",
                on_click=model_choice.select,
                args=(model_choice.READY if adapted else model_choice.HAND,),
            )
    if learned:
        _what_it_brought(learned.adaptation)


def _learn() -> None:
    mine = collection()
    try:
        train = resources.dataset(startup.data_name()).train
        others = Split(train.images[-ORDINARY:], train.labels[-ORDINARY:])
        found = adapt(resources.ready_reader(), _split(mine), others)
    except HdrError as error:
        st.toast(escape_markdown(error))
        return
    st.session_state[_LEARNED] = _Learned(found, mine)
    model_choice.use_adapted(found.reader)


def _what_it_brought(found: Adaptation) -> None:
    lines = ["| read rightly | original | with your hand |", "|:--|--:|--:|"]
    if measured := found.measured:
        low, high = wilson_interval(measured.after, measured.count)
        shares = [f"{n} ({format_percent(n / measured.count, 1)})" for n in (measured.before, measured.after)]
        lines.append(f"| your {measured.count} drawings, each held out | {shares[0]} | {shares[1]} |")
    before, after = format_percent(found.ordinary_before, 1), format_percent(found.ordinary_after, 1)
    lines.append(f"| {format_count(ORDINARY)} digits of others | {before} | {after} |")
    st.markdown("\n".join(lines))
    if measured:
        st.caption(
            f"Every drawing was read by a reader that had learned from all but it: {measured.mended} became right, "
            f"{measured.spoiled} wrong. From so few, yours will be read rightly in {format_percent(low, 0)} to "
            f"{format_percent(high, 0)} of cases."
        )


def _files(mine: Handwriting) -> None:
    st.markdown("**Take it along**")
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Download my handwriting",
            mine.to_lines,
            "my-handwriting.jsonl",
            "application/jsonl",
            icon=":material/download:",
            key="download_hand",
            on_click="ignore",
            disabled=not len(mine),
        )
    number = st.session_state.get(_FILES, 0)
    key = f"upload_hand-{number}"
    st.file_uploader(
        f"Or bring drawings back (JSON lines, at most {MOST_DRAWINGS} drawings)",
        ["jsonl"],
        key=key,
        on_change=_take_in,
        args=(key,),
    )


def _take_in(key: str) -> None:
    file = st.session_state.get(key)
    if file is None:
        return
    try:
        _keep(collection().with_lines(file.getvalue()))
    except HdrError as error:
        st.toast(escape_markdown(error), duration="long")
    # Reset the uploader, so that a file is imported only once.
    st.session_state[_FILES] = st.session_state.get(_FILES, 0) + 1
