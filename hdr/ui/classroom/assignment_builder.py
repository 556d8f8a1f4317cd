"""Assignment builder: choose the free settings, preview the pupils' view, and copy the class link."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode, urlsplit

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hdr import catalogue, datasets, settings
from hdr.catalogue import Kind
from hdr.classroom.assignment import MAX_INSTRUCTION, MAX_TITLE, PAGES, PARTS, Assignment, build, path_of
from hdr.classroom.assignment_link import to_text
from hdr.formatting import format_count, format_duration, format_percent
from hdr.plots import html_images
from hdr.sanitize import escape_markdown
from hdr.training.run_spec import MAX_DIGITS, MIN_DIGITS, RunSpec, versions
from hdr.types import HdrError, Step
from hdr.ui.classroom import banner
from hdr.ui.components import run_estimate
from hdr.ui.state import identity, resources, run_config

TITLE, INSTRUCTION = "Can you do better?", "Change one thing at a time, and write down what it did."

PUPILS = 30
"""How many of them are thought to train at once, to say how long that takes."""

MARGIN, SQUARE = 4, 8
"""Of a QR code: light squares around it, and pixels of a square."""

LESS_WRONG = 0.1
"""Share of the plan's errors that the suggested target removes."""


def show() -> None:
    """Show the choices on the left and the resulting assignment on the right."""
    left, right = st.columns(2, gap="large")
    with left:
        values = _choices(run_config.current())
    with right:
        try:
            task = build(**values)
            text = to_text(task)
        except HdrError as error:
            st.warning(escape_markdown(error), icon=":material/error:")
            return
        _preview(task)
        _link(text)


def _choices(spec: RunSpec) -> dict[str, Any]:
    title = st.text_input("Title", TITLE, MAX_TITLE, key="teach_title")
    instruction = st.text_area("Instruction", INSTRUCTION, 80, MAX_INSTRUCTION, key="teach_instruction")
    st.html(
        '<div class="hdr-note">Everybody begins with the plan as it stands on the Train page. What you do not free '
        "here stays as it is there.</div>"
    )
    _pace(spec)
    values: dict[str, Any] = {"title": title or "", "instruction": instruction or "", "plan": spec}
    values |= _target(spec)
    values["free"] = (*_parameters(spec), *_parts())
    values |= _from_lists(spec)
    values["pages"] = tuple(
        st.pills(
            "Pages besides Train and About",
            PAGES,
            selection_mode="multi",
            default=["runs", "draw"],
            format_func=str.capitalize,
            key="teach_pages",
        )
    )
    values["tune"] = st.toggle(
        "Searches (Tune) over what is free", False, key="teach_tune", help="Otherwise one run at a time is trained."
    )
    return values


def _pace(spec: RunSpec) -> None:
    """Show how long one training takes, and how long a class waits for all of its trainings."""
    run_estimate.show()
    seconds = run_estimate.seconds(spec)
    if seconds is None:
        return
    several = max(1, resources.processes().capacity())
    pace = format_duration(seconds * math.ceil(PUPILS / several))
    st.html(
        f'<div class="hdr-note">This server trains {"one" if several == 1 else several} at a time: if {PUPILS} pupils '
        f"begin at once, the last has an answer after about {pace}. Fewer digits are quicker.</div>"
    )


def _target(spec: RunSpec) -> dict[str, Any]:
    known = _reached(spec)
    # As a test accuracy of 10,000 digits is written.
    better = None if known is None else min(math.ceil(1_000 * (known + LESS_WRONG * (1 - known))) / 10, 100.0)
    percent = st.number_input(
        "Target: test accuracy in %",
        10.0,
        100.0,
        better,
        0.1,
        format="%g",
        placeholder="none",
        # Another plan has another target.
        key=f"teach_target-{spec.key}-{better}",
        help="Shown in the banner, with the best of one's own runs. Clear the field for none.",
    )
    if known is None:
        st.caption("Train the plan once, and you will see here how good it is.")
    elif percent is not None and percent / 100 <= known:
        st.caption(
            f":material/warning: The plan reaches {format_percent(known)} as it is: nobody has to change anything."
        )
    else:
        st.caption(f"The plan reaches {format_percent(known)} as it is.")
    return {"target": None if percent is None else round(percent / 100, 6)}


def _reached(spec: RunSpec) -> float | None:
    """Return the test accuracy of the teacher's newest run of exactly this plan; None if there is none."""
    done = resources.store().listed(identity.owner(), ("done",), banner.MOST_COUNTED)
    return next((run.test_accuracy for run in done if _key(run.spec_json) == spec.key), None)


@lru_cache(maxsize=4_096)
def _key(spec_json: str) -> str:
    try:
        return RunSpec.from_json(json.loads(spec_json)).key
    except HdrError:
        return ""


def _parameters(spec: RunSpec) -> tuple[str, ...]:
    """Return the paths of the plan's parameters that pupils may change."""
    entries: list[tuple[Kind, Step]] = [("classifier", spec.classifier)]
    entries += [("feature", s) for s in spec.features]
    entries += [("reduction", spec.reduction)] if spec.reduction else []
    entries += [("augmentation", spec.augmentation)] if spec.augmentation else []
    titles: dict[str, str] = {}
    for kind, step in entries:
        entry = catalogue.get(kind, step.name)
        for parameter in entry.parameters:
            titles[path_of(kind, entry.name, parameter.name)] = f"{entry.title}: {parameter.title}"
    if not titles:
        return ()
    mine = [path for path in titles if path.startswith("classifier.")]
    return tuple(
        st.multiselect(
            "Parameters that may be changed",
            list(titles),
            default=mine[:2],
            format_func=titles.__getitem__,
            # Another plan has other parameters.
            key=f"teach_parameters-{catalogue.key_of(list(titles))}",
        )
    )


def _parts() -> tuple[str, ...]:
    return tuple(
        st.pills(
            "Parts that may be changed altogether",
            list(PARTS),
            selection_mode="multi",
            format_func=PARTS.__getitem__,
            key="teach_parts",
        )
    )


def _from_lists(spec: RunSpec) -> dict[str, Any]:
    known = [name for name in datasets.available() if name != spec.dataset]
    most = settings.current().training_digits or MAX_DIGITS
    # A plan may exceed the server's limits; pupils then get the error when they train it.
    high = max(min(MAX_DIGITS, most), spec.train_size, 2 * MIN_DIGITS)
    with st.expander("More to choose from: data, sizes, classifiers, features", icon=":material/tune:"):
        low, high = st.slider(
            "Training digits",
            MIN_DIGITS,
            high,
            (spec.train_size, spec.train_size),
            500,
            key=f"teach_sizes-{spec.train_size}",
            help="The plan's own number has to be within.",
        )
        data = st.multiselect("Other data sets", known, format_func=datasets.title, key="teach_data")
        classifiers = _others("Other classifiers", "classifier", (spec.classifier.name,))
        features = _others("Other features", "feature", tuple(s.name for s in spec.features))
    return {
        "sizes": (min(low, spec.train_size), max(high, spec.train_size)),
        "datasets": tuple(data),
        "classifiers": classifiers,
        "features": features,
    }


def _others(title: str, kind: catalogue.Kind, mine: tuple[str, ...]) -> tuple[str, ...]:
    names = [e.name for e in catalogue.entries(kind) if e.name not in mine]
    return tuple(
        st.multiselect(
            title,
            names,
            format_func=lambda name: catalogue.get(kind, name).title,
            key=f"teach_{kind}-{catalogue.key_of(mine)}",
        )
    )


def _preview(task: Assignment) -> None:
    st.markdown("**What your pupils will see**")
    with st.container(border=True, key="teach_preview"):
        st.html(banner.banner_html(task, banner.progress(task)))
        pages = [p.capitalize() for p in ("home", "preprocess", "features") if p in task.pages]
        pages += ["Train", *(p.capitalize() for p in ("runs", "draw", "data") if p in task.pages), "About"]
        st.html(f'<div class="hdr-note">Pages: {" · ".join(pages)}{" · with Tune" if task.tune else ""}</div>')
        free = banner.changeable(task)
        st.markdown("They choose" if free else "They choose nothing: they can only train this plan.")
        if free:
            st.html(banner.table(free))
        st.markdown("Set by you")
        st.html(banner.table(banner.fixed(task)))
    most, rows = settings.current().training_digits, task.size_range[1] * versions(task.plan.augmentation)
    if most is not None and rows > most:
        st.caption(
            f"This goes up to {format_count(rows)} digits with copies; this server allows {format_count(most)}, "
            "and refuses more."
        )


def _link(text: str) -> None:
    # Streamlit says where this page is, or where the app is; outside a browser it says nothing.
    base = (st.context.url or "").rstrip("/").removesuffix("/teach")
    address = f"{base}/train?{urlencode({banner.PARAMETER: text})}"
    st.markdown("**The link for your class**")
    st.code(address, language=None, wrap_lines=True, height=120)
    st.link_button("Open it as a pupil", address, icon=":material/open_in_new:")
    if urlsplit(address).hostname in ("localhost", "127.0.0.1", "::1"):
        st.caption(
            ":material/warning: This address works on this computer alone. Open the app by the address that your "
            "pupils' devices reach, and make the link there."
        )
    if not settings.current().demo:
        st.caption(
            "On this server everybody shares all runs, and the banner counts them together. Where its host sets "
            "HDR_PROFILE to demo, all see their own."
        )
    st.caption(
        "The whole task is in the link: nothing is kept on the server, and it works on any server of this app that has "
        "the data. It is a guide, no lock: whoever leaves the class sees the whole app."
    )
    if (squares := _squares(address)) is not None:
        with st.container(key="class_code"):
            # In the page itself: a picture of an address that has changed meanwhile would be fetched in vain.
            st.html(html_images.digit(squares, 360, "The link as a QR code"))
            st.caption("For phones: show this on the projector, as large as it gets.")


@lru_cache(maxsize=64)
def _squares(address: str) -> NDArray[np.uint8] | None:
    """Return the address as a QR code (ISO/IEC 18004), uint8 of 0 and 255; None if it is too long.

    Source: cv2.QRCodeEncoder.
    """
    how = cv2.QRCodeEncoder.Params()
    # Bytes: addresses have small letters. The least correction: a screen has no stains, and squares stay larger.
    how.mode, how.correction_level = cv2.QRCODE_ENCODER_MODE_BYTE, cv2.QRCODE_ENCODER_CORRECT_LEVEL_L
    try:
        squares = cv2.QRCodeEncoder.create(how).encode(address)
    except cv2.error:
        return None
    # A margin of four squares belongs to it, and has to be light in the dark theme, too.
    framed = np.pad(squares, max(0, MARGIN - _margin(squares)), constant_values=255)
    return framed.repeat(SQUARE, 0).repeat(SQUARE, 1)


def _margin(squares: NDArray[np.uint8]) -> int:
    return int(np.flatnonzero((squares < 128).any(0))[0])
