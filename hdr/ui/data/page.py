"""The Data page: built-in data sets and uploads."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Literal

import numpy as np
import streamlit as st

from hdr import settings
from hdr.datasets.formats.stream import Limits
from hdr.datasets.public import background_download, extra
from hdr.datasets.uploads import clean_and_split, reader, user_datasets
from hdr.datasets.uploads.clean_and_split import CleaningReport, Options
from hdr.formatting import format_count
from hdr.plots import class_balance, html_images
from hdr.plots.theme import CONFIG
from hdr.sanitize import escape_markdown
from hdr.types import CLASSES, Dataset, HdrError, ProgressCallback, Split
from hdr.ui.components import dataset_summary, job_progress
from hdr.ui.inputs import digit_picker
from hdr.ui.shell import page
from hdr.ui.state import identity, resources, run_config, session_datasets

SHOWN, SIDE = 10, 28
"""Digits of each class in the preview, one of their pixels for each of the screen's."""

HEIGHT = 260
SECONDS = 60.0
"""Longest time for reading an upload."""

FRAMES: dict[Literal["as is", "mnist"], str] = {
    "as is": "As they are, where they are 28×28",
    "mnist": "Scaled and centred as MNIST's",
}
SHARES = (0.1, 0.2, 0.3, 0.5)

_DRAFT = "_data_draft"


@dataclass
class _Draft:
    """Files that were chosen, until their digits are used or something else is chosen."""

    files: tuple[reader.Upload, ...]
    tests: tuple[reader.Upload, ...]
    options: Options
    title: str
    owner: str
    token: str = field(default_factory=lambda: secrets.token_hex(8))


@dataclass(frozen=True)
class _Read:
    """Result of reading a draft."""

    dataset: Dataset
    checked: CleaningReport


def upload_form() -> None:
    """Choose files, see what is in them, and use it."""
    limits = settings.current()
    if not limits.uploads:
        st.caption("This server takes no uploads.")
        return
    left, right = st.columns([5, 7], gap="large")
    with left, st.container(key="bring"):
        _choose(limits)
    with right, st.container(key="brought"):
        draft: _Draft | None = st.session_state.get(_DRAFT)
        if draft:
            _show(draft)
        else:
            _layouts()


def _layouts() -> None:
    st.html(
        '<div class="hdr-empty hdr-layouts"><div><b>What can be uploaded</b>, up to '
        f"{format_count(_limits().digits)} digits:<ul>"
        "<li><b>ZIP</b> of pictures in folders named 0 to 9, such as <code>7/first.png</code>; below folders named "
        "train and test, where there are such</li>"
        "<li><b>CSV</b> in MNIST's layout: a label, then 784 grey values in each line; zipped, if it is large</li>"
        "<li><b>IDX</b>, as MNIST is published: a file of pictures and one of labels, or all in a ZIP</li>"
        "<li><b>NPZ</b> with x_train and y_train, images and labels, or data and target</li></ul>"
        "The digits are for you alone, and gone when you leave.</div></div>"
    )


def _limits() -> Limits:
    most = settings.current().own_digits
    return Limits(Limits().digits if most is None else most, SECONDS)


def _choose(limits: settings.Settings) -> None:
    number = st.session_state.get("_data_round", 0)
    files = st.file_uploader(
        "Files with digits",
        accept_multiple_files=True,
        key=f"data_files-{number}",
        help="One file, or two where pictures and labels are apart.",
    )
    tests = []
    if st.toggle("I have a test file of my own", key="data_own_test"):
        tests = st.file_uploader("Files to test on", accept_multiple_files=True, key=f"data_tests-{number}")
    frame = st.selectbox(
        "Pictures",
        list(FRAMES),
        format_func=FRAMES.__getitem__,
        key="data_frame",
        help="A model reads what looks like what it learned from. Your drawings and photos are scaled and centred as "
        "MNIST's digits are. Pictures of another size always are, and dark ink on bright paper is turned round.",
    )
    if not tests:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            share = st.selectbox(
                "For testing",
                SHARES,
                1,
                format_func=lambda s: f"{s:.0%} of each class",
                key="data_share",
                help="Where the files do not say themselves what is for testing.",
            )
            seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="data_seed", help="Decides which digits these are.")
    else:
        share, seed = 0.2, 0
    title = st.text_input("Name", key="data_title", max_chars=user_datasets.MAX_TITLE_LENGTH, placeholder=_name(files))
    st.button(
        "Check these digits",
        type="primary",
        icon=":material/fact_check:",
        key="data_check",
        disabled=not files,
        on_click=_begin,
        args=(files, tests, Options(frame, share, int(seed)), (title or "").strip() or _name(files)),
    )


def _name(files: list) -> str:
    return user_datasets.clean(PurePath(files[0].name).name.split(".")[0]) if files else "My digits"


def _begin(files: list, tests: list, options: Options, title: str) -> None:
    _forget()
    taken, kept = (tuple(reader.Upload(f.name, f.getvalue()) for f in group) for group in (files, tests))
    st.session_state[_DRAFT] = _Draft(taken, kept, options, title, identity.owner())


def _forget() -> None:
    """Discard a draft and its cached results."""
    draft: _Draft | None = st.session_state.pop(_DRAFT, None)
    if draft:
        job = job_progress.get(_key(draft), _nothing, slow=True)
        if (
            job.state == "done"
            and isinstance(job.result, _Read)
            and job.result.dataset.name not in session_datasets.names()
        ):
            session_datasets.remove(job.result.dataset.name)


def _nothing(report: ProgressCallback) -> None:
    return None


def _key(draft: _Draft) -> str:
    return f"own-data-{draft.token}"


def _show(draft: _Draft) -> None:
    most, limits = settings.current().own_data_mb, _limits()

    def work(report: ProgressCallback) -> _Read:
        found = reader.read(draft.files, draft.tests, limits, report)
        train, test, checked = clean_and_split.prepare(found, draft.options, report)
        made = user_datasets.create(draft.title, _note(checked), train, test)
        user_datasets.store(made, draft.owner, most)
        # Load the stored files, so that the arrays read from the upload can be freed.
        return _Read(user_datasets.load(made.name, draft.owner), checked)

    read: _Read | None = job_progress.result(_key(draft), work, HEIGHT, slow=True)
    if read is None:
        return
    # A visitor who only looks and leaves must not use up shared disk space for a day.
    session_datasets.delete_on_session_end(read.dataset.name, draft.owner)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{escape_markdown(draft.title)}**", width="content")
        used = read.dataset.name in session_datasets.names()
        st.button(
            "In use" if used else "Use these digits",
            type="primary",
            icon=":material/check:",
            key="data_use",
            disabled=used,
            on_click=_use,
            args=(draft, read),
        )
    _report(read)
    _preview(read.dataset)


def _use(draft: _Draft, read: _Read) -> None:
    try:
        session_datasets.attach(read.dataset, draft.owner)
    except HdrError as error:
        st.toast(escape_markdown(error))
        return
    st.session_state.pop(_DRAFT, None)
    st.session_state["_data_round"] = st.session_state.get("_data_round", 0) + 1
    st.toast(f"{escape_markdown(draft.title)} can be chosen now wherever data are chosen.", icon=":material/check:")


def _note(checked: CleaningReport) -> str:
    split = "its own test split" if checked.own_test else "a test split drawn at random"
    return (
        f"Digits of your own: {int(checked.train.sum()):,} for training and {int(checked.test.sum()):,} for testing, "
        f"{split}. They are here in this session only."
    )


def _report(read: _Read) -> None:
    checked = read.checked
    left = [
        (checked.blank, "blank"),
        (checked.repeated, "there twice"),
        (checked.contradicting, "there with different labels"),
        (checked.shared, "in the test digits too, so not learned from"),
        *((n, why) for why, n in checked.skipped.items()),
    ]
    lines = [
        f"{format_count(checked.read)} digits were read: {format_count(int(checked.train.sum()))} to learn from "
        f"and {format_count(int(checked.test.sum()))} to test on"
        + (", as the files say." if checked.own_test else ", drawn from each class.")
    ]
    gone = [f"{why}: {format_count(n)}" for n, why in left if n]
    lines.append(f"Left out: {'; '.join(gone)}." if gone else "Nothing had to be left out.")
    if checked.examples:
        lines.append(f"For example: {'; '.join(checked.examples)}.")
    if checked.inverted:
        lines.append("Dark ink on bright paper was turned round: ink is bright, as in MNIST.")
    if checked.framed:
        lines.append("Every digit was scaled and centred as MNIST's are.")
    if checked.missing:
        lines.append(f"There is none of these to learn from: {', '.join(map(str, checked.missing))}.")
    st.markdown("\n".join(f"- {escape_markdown(line)}" for line in lines))


def _preview(data: Dataset) -> None:
    rows = "".join(_row(data.train, label) for label in range(CLASSES))
    st.html(
        f'<div class="hdr-over">{SHOWN} of each class, and the mean of all of them</div>'
        f'<div class="hdr-preview">{rows}</div>'
    )
    train, test = (np.bincount(s.labels, minlength=CLASSES) for s in (data.train, data.test))
    st.html('<div class="hdr-over">training digits (bars) and test digits (dashes) of each class</div>')
    st.plotly_chart(class_balance.figure(train, test), key="data_counts", config=CONFIG, alt="Digits of each class")


def _row(split: Split, label: int) -> str:
    where = np.flatnonzero(split.labels == label)
    # Spread over the file, since writers stand together in it.
    shown = where[np.linspace(0, len(where) - 1, min(SHOWN, len(where))).astype(int)] if len(where) else where
    cells = "".join(html_images.digit(split.images[i], SIDE, f"a {label}") for i in shown)
    mean = ""
    if len(where):
        total = np.zeros(split.images.shape[1:])
        for start in range(0, len(where), 2_000):
            total += split.images[where[start : start + 2_000]].sum(axis=0, dtype=np.float64)
        mean = html_images.digit(np.rint(total / len(where)).astype(np.uint8), SIDE, f"the mean of every {label}")
    return f"<div><b>{label}</b>{cells}<i></i>{mean}</div>"


def dataset_list() -> None:
    """Show every data set with its description and buttons to open, train on, download or remove it."""
    for name in session_datasets.available():
        _card(resources.dataset(name))


def _card(data: Dataset) -> None:
    with st.container(border=True, key=f"data-{data.name}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{escape_markdown(data.title)}** · {format_count(len(data.train))} training and "
                f"{format_count(len(data.test))} test digits",
                width="stretch",
            )
            if st.button("What is in it", icon=":material/info:", key=f"about-{data.name}"):
                _about(data.name)
            if st.button("See a digit", icon=":material/tune:", key=f"see-{data.name}"):
                digit_picker.look_at(data.name)
                st.switch_page("pages/preprocess.py")
            if st.button("Train on it", icon=":material/model_training:", key=f"train-{data.name}"):
                run_config.try_use(dataset=data.name)
                st.switch_page("pages/train.py")
            if user_datasets.is_own(data.name):
                st.button(
                    "Remove",
                    icon=":material/delete:",
                    key=f"remove-{data.name}",
                    on_click=session_datasets.remove,
                    args=(data.name,),
                    help="Runs that learned from it stay, and can still read drawings.",
                )
        st.caption(escape_markdown(data.note))


@st.dialog("About the data", width="large")
def _about(name: str) -> None:
    dataset_summary.panel(name)


def downloadable() -> None:
    """Show the published data sets that are not installed, and how to get them."""
    here = session_datasets.available()
    missing = [each for each in extra.ALL if each.NAME not in here]
    if not missing:
        return
    st.subheader("More data sets", anchor=False)
    for each in missing:
        train, test = map(format_count, each.counts)
        with st.container(border=True, key=f"more-{each.NAME}"):
            st.markdown(f"**{each.TITLE}** · {train} training and {test} test digits")
            st.caption(each.NOTE)
            if settings.current().demo:
                # Half a gigabyte is not for a visitor to spend.
                st.caption(
                    "Who runs this server can fetch it: " + escape_markdown(f"python -m hdr data --fetch {each.NAME}")
                )
            else:
                _fetch(each)


@st.fragment(run_every=1.0)
@page.show_errors()
def _fetch(each: extra.ExtraDataset) -> None:
    seen = background_download.progress(each.NAME)
    if seen.state == "done":
        st.rerun(scope="app")
    elif seen.state == "running":
        so_far = f", {seen.done_bytes / 1e6:.0f} MB so far" if seen.done_bytes else ""
        st.caption(f"Fetching {escape_markdown(seen.file or each.TITLE)}{so_far}. Go on meanwhile.")
        return
    elif seen.state == "failed":
        st.warning(escape_markdown(seen.message), icon=":material/error:")
    st.button(
        f"Get it, about {each.megabytes} MB",
        icon=":material/download:",
        key=f"get-{each.NAME}",
        on_click=background_download.start,
        kwargs={"retry": True, "name": each.NAME},
    )
