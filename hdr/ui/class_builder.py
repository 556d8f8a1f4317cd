"""How a teacher makes a class link of the plan: what is left free, what pupils will see, and the link."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import streamlit as st

from hdr import catalogue, datasets, settings
from hdr.plots import pictures
from hdr.text import plain
from hdr.training.spec import LARGEST, SMALLEST, RunSpec
from hdr.training.task import LONGEST_INSTRUCTION, LONGEST_TITLE, PAGES, PARTS, Task, make, path_of
from hdr.training.task_link import to_text
from hdr.types import HdrError
from hdr.ui import allowed, class_view, plan

TITLE, INSTRUCTION = "Can you reach 97 %?", "Change one thing at a time, and write down what it did."


def show() -> None:
    """Choices on the left, what comes of them on the right."""
    left, right = st.columns(2, gap="large")
    with left:
        values = _choices(plan.current())
    with right:
        try:
            task = make(**values)
            text = to_text(task)
        except HdrError as error:
            st.warning(plain(error), icon=":material/error:")
            return
        _preview(task)
        _link(text)


def _choices(spec: RunSpec) -> dict[str, Any]:
    title = st.text_input("Title", TITLE, LONGEST_TITLE, key="teach_title")
    instruction = st.text_area("Instruction", INSTRUCTION, 80, LONGEST_INSTRUCTION, key="teach_instruction")
    st.html(
        '<div class="hdr-note">Everybody begins with the plan as it stands on the Train page. What you do not free '
        "here stays as it is there.</div>"
    )
    values: dict[str, Any] = {"title": title or "", "instruction": instruction or "", "plan": spec}
    values |= _target()
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


def _target() -> dict[str, Any]:
    percent = st.number_input(
        "Target: test accuracy in %",
        10.0,
        100.0,
        97.0,
        0.5,
        format="%g",
        key="teach_target",
        help="Shown in the banner, with the best of one's own runs. Clear the field for none.",
    )
    return {"target": None if percent is None else round(percent / 100, 6)}


def _parameters(spec: RunSpec) -> tuple[str, ...]:
    """Which parameters of what the plan has are free."""
    entries = [("classifier", spec.classifier), *(("feature", s) for s in spec.features)]
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
    most = settings.current().training_digits or LARGEST
    # A plan may be larger than the server allows; then that is what pupils are told when they train it.
    high = max(min(LARGEST, most), spec.train_size, 2 * SMALLEST)
    with st.expander("More to choose from: data, sizes, classifiers, features", icon=":material/tune:"):
        low, high = st.slider(
            "Training digits",
            SMALLEST,
            high,
            (spec.train_size, spec.train_size),
            500,
            key=f"teach_sizes-{spec.train_size}",
            help="The plan's own number has to be within.",
        )
        data = st.multiselect("Other data sets", known, format_func=class_view.title_of, key="teach_data")
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


def _preview(task: Task) -> None:
    st.markdown("**What your pupils will see**")
    with st.container(border=True, key="teach_preview"):
        st.html(class_view.words(task, class_view.progress(task)))
        pages = [p.capitalize() for p in ("home", "preprocess", "features") if p in task.pages]
        pages += ["Train", *(p.capitalize() for p in ("runs", "draw", "data") if p in task.pages), "About"]
        st.html(f'<div class="hdr-note">Pages: {" · ".join(pages)}{" · with Tune" if task.tune else ""}</div>')
        free = class_view.changeable(task)
        st.markdown("They choose" if free else "They choose nothing: they can only train this plan.")
        st.html(allowed.table(free))
        st.markdown("Set by you")
        st.html(allowed.table(class_view.fixed(task)))
    most, copies = settings.current().training_digits, task.plan.augmentation
    rows = task.sizes[1] * (1 + (copies.params["copies"] if copies else 0))
    if most is not None and rows > most:
        st.caption(
            f"This goes up to {pictures.count(rows)} digits with copies; this server allows {pictures.count(most)}, "
            "and refuses more."
        )


def _link(text: str) -> None:
    # Streamlit says where this page is, or where the app is; outside a browser it says nothing.
    base = (st.context.url or "").rstrip("/").removesuffix("/teach")
    address = f"{base}/train?{urlencode({class_view.PARAMETER: text})}"
    st.markdown("**The link for your class**")
    st.code(address, language=None, wrap_lines=True, height=120)
    st.link_button("Open it as a pupil", address, icon=":material/open_in_new:")
    st.caption(
        "The whole task is in the link: nothing is kept on the server, and it works on any server of this app that has "
        "the data. It is a guide, no lock: whoever leaves the class sees the whole app."
    )
