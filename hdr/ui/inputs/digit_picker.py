"""Which picture a page looks at: a digit of a data set, the drawing or a photo, in the session and in the address."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from hdr import catalogue
from hdr.types import HdrError, Stage
from hdr.ui.state import resources, session_datasets
from hdr.ui.state.url_state import UrlState

ANY = "any"
DRAWING, PHOTO = "drawing", "photo"
SPLITS = ("test", "training")


@dataclass(frozen=True)
class Choice:
    """The selected digit.

    Attributes:
        source: name of a data set, `DRAWING` or `PHOTO`; empty for the best data set that is here.
        split: of a data set.
        digit: a class, or `ANY`.
        index: which digit of that class and split.
    """

    source: str = ""
    split: str = SPLITS[0]
    digit: int | str = ANY
    index: int = 0


def _to_text(choice: Choice) -> str:
    source = choice.source or session_datasets.available()[0]
    return source if source in (DRAWING, PHOTO) else f"{source}-{choice.split}-{choice.digit}-{choice.index}"


def _from_text(text: str) -> Choice:
    # From the right: a data set's name may have hyphens.
    source, *rest = text[:80].rsplit("-", 3)
    if source in (DRAWING, PHOTO) and not rest:
        return Choice(source)
    known = session_datasets.available()
    if source not in known or len(rest) != 3:
        raise HdrError(f"It is '{catalogue.shorten(text)}'; right would be one such as '{known[0]}-test-any-0'.")
    split, digit, index = rest
    if (
        split not in SPLITS
        or not (digit == ANY or digit in [*"0123456789"])
        or not (index.isdecimal() and index.isascii())
    ):
        raise HdrError(
            f"It is '{catalogue.shorten(text)}'; after the data set come test or training, any or a class from 0 to 9, "
            "and a number."
        )
    return Choice(source, split, digit if digit == ANY else int(digit), int(index))


_mirrored = UrlState("digit", Choice, _to_text, _from_text)

follow_address = _mirrored.follow


def current() -> Choice:
    """Return the selection; an unavailable data set is replaced by the best one."""
    choice = _mirrored.get()
    return (
        choice
        if choice.source in (*session_datasets.available(), DRAWING, PHOTO)
        else replace(choice, source=dataset())
    )


def dataset() -> str:
    """Return the selected data set, or else the best one."""
    source, known = _mirrored.get().source, session_datasets.available()
    return source if source in known else known[0]


def look_at(source: str, **values: Any) -> None:
    """Select a digit from other code, such as another page, and reset the widgets."""
    _mirrored.replace(Choice(source, **values))


def open_digit(dataset: str, index: int, split: str = "training") -> None:
    """Go to Preprocess and look at one digit of a data set."""
    look_at(dataset, split=split, index=index)
    st.switch_page("pages/preprocess.py")


def _change(name: str, key: str) -> None:
    changed = replace(current(), **{name: st.session_state[key]})
    # Another pool of digits has another length: reset the index.
    _mirrored.keep(changed) if name in ("index", "source") else _mirrored.replace(replace(changed, index=0))
    _mirrored.write()


def choose_source() -> str:
    """Show the widget that says where pictures come from."""
    titles = {name: session_datasets.title(name) for name in session_datasets.available()}
    titles |= {DRAWING: "My drawing", PHOTO: "A photo"}
    key = _mirrored.widget_key("source")
    return st.segmented_control(
        "From",
        list(titles),
        format_func=lambda name: titles.get(name, name),
        default=current().source,
        required=True,
        key=key,
        on_change=_change,
        args=("source", key),
    )


def choose(name: str) -> Stage:
    """Show the widgets that pick a digit of a data set, and return it as a stage."""
    data, choice = resources.dataset(name), current()
    key = _mirrored.widget_key("split")
    st.selectbox(
        "Split",
        SPLITS,
        SPLITS.index(choice.split),
        key=key,
        on_change=_change,
        args=("split", key),
        width=110,
        help="Models learn from training digits and are judged on test digits.",
    )
    key, classes = _mirrored.widget_key("class"), [ANY, *range(10)]
    st.selectbox(
        "Digit", classes, classes.index(choice.digit), key=key, on_change=_change, args=("digit", key), width=90
    )
    split = data.train if choice.split == SPLITS[1] else data.test
    pool = np.arange(len(split)) if choice.digit == ANY else np.flatnonzero(split.labels == choice.digit)
    # An address may name a number that is not there.
    index = choice.index if choice.index < len(pool) else 0
    key = _mirrored.widget_key(f"index-{name}")
    st.number_input(
        "Number",
        0,
        len(pool) - 1,
        index,
        step=1,
        key=key,
        on_change=_change,
        args=("index", key),
        width=130,
        help=f"Which of the {len(pool)} digits of this kind.",
    )
    st.button("Another", icon=":material/shuffle:", key="another", on_click=_shuffle, args=(len(pool),))
    chosen = int(pool[index])
    return Stage(f"a {split.labels[chosen]} from {data.title}", split.images[chosen])


def _shuffle(size: int) -> None:
    _mirrored.replace(replace(current(), index=random.randrange(size)))
    _mirrored.write()
