"""Actions on runs: rename, tag, annotate, repeat, delete and restore."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence

import streamlit as st

from hdr import catalogue
from hdr.formatting import format_count
from hdr.sanitize import escape_markdown
from hdr.store.runs import LONGEST_NOTE, LONGEST_TITLE, MAX_TAGS, Run, RunSummary
from hdr.training.run_spec import RunSpec
from hdr.types import HdrError
from hdr.ui.components.messages import toast_errors
from hdr.ui.runs import table
from hdr.ui.state import assignment_state, current_run, identity, resources, run_config, session_datasets

LONGEST_PLAN = 20_000


def for_one(run: Run, known: Sequence[RunSummary]) -> None:
    """Show buttons and fields for a run.

    Args:
        run: the run.
        known: all runs, whose tags are offered.
    """
    mine = run.owner == identity.owner()
    with st.container(horizontal=True, vertical_alignment="center", key="run_actions"):
        if st.button("Show on Train", icon=":material/model_training:", key="open_in_train"):
            current_run.open_run(run.id)
            run_config.use(run.spec)
            st.switch_page("pages/train.py")
        # The token belongs to the button as it was drawn: one click makes one run.
        if st.button(
            "Repeat",
            icon=":material/replay:",
            key="repeat",
            help="Trains a new run with the same plan. On the same machine it comes to the same model.",
            on_click=_repeat,
            args=(run, secrets.token_hex(16)),
        ):
            st.switch_page("pages/train.py")
        with st.popover("Plan as JSON", icon=":material/data_object:"):
            st.code(json.dumps(run.plan, indent=2), language="json", height=320)
        _delete_button([run], mine)
        _clear_button()
    if mine:
        _fields(run, known)


def for_several(several: Sequence[RunSummary]) -> None:
    """Show buttons for several selected runs."""
    mine = [run for run in several if run.owner == identity.owner()]
    with st.container(horizontal=True, vertical_alignment="center", key="run_actions"):
        _delete_button(mine, bool(mine))
        _clear_button()
        st.text_input(
            "Tag for all",
            key="tag_all",
            placeholder="Tag for all",
            label_visibility="collapsed",
            width=180,
            on_change=_tag_all,
            args=(mine,),
            disabled=not mine,
        )


def undo_button() -> None:
    """Bring back what was deleted last; nothing where there is nothing."""
    gone = resources.store().deleted(identity.owner())
    if gone:
        names = ", ".join(r.title for r in gone[:3]) + (" and others" if len(gone) > 3 else "")
        st.button(
            f"Undo delete ({len(gone)})",
            icon=":material/undo:",
            key="undo_delete",
            help=escape_markdown(f"Bring back {names}. Deleted runs are kept for a day."),
            on_click=_restore,
            args=([r.id for r in gone],),
        )


def paste() -> None:
    """Load a plan from pasted JSON."""
    with st.popover("Paste a plan", icon=":material/content_paste:"):
        text = st.text_area(
            "Plan as JSON", key="pasted_plan", height=200, max_chars=LONGEST_PLAN, placeholder='{"train_size": 5000, …}'
        )
        if st.button("Show on Train", key="use_pasted", disabled=not (text or "").strip()):
            try:
                spec = read_plan(text)
            except HdrError as error:
                st.warning(escape_markdown(error), icon=":material/error:")
            else:
                run_config.use(spec)
                st.switch_page("pages/train.py")


def read_plan(text: str) -> RunSpec:
    """Return the plan described by JSON.

    Raises:
        HdrError: the JSON is not a valid plan.
    """
    try:
        data = json.loads(text)
    except RecursionError:
        raise HdrError("This is not a plan: it has lists within lists without end.") from None
    except ValueError as error:
        where = f" in line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else f": {error}"
        raise HdrError(f"This is not JSON{where}.") from None
    spec = RunSpec.from_json(data)
    if spec.dataset not in session_datasets.available():
        known = ", ".join(session_datasets.available())
        raise HdrError(f"There is no data set {catalogue.shorten(spec.dataset)!r} here; there are {known}.")
    return spec


def _fields(run: Run, known: Sequence[RunSummary]) -> None:
    title, tags, note = st.columns([4, 4, 5], gap="small")
    # New keys if another user or another tab has changed the run.
    name = f"{run.id}-{catalogue.key_of([run.title, run.tags_json, run.note])}"
    with title:
        key = f"title-{name}"
        st.text_input("Title", run.title, LONGEST_TITLE, key, on_change=lambda: _edit(run, title=st.session_state[key]))
    with tags:
        key_tags = f"tags-{name}"
        offered = sorted({tag for other in known for tag in other.tags} | set(run.tags))
        st.multiselect(
            "Tags",
            offered,
            list(run.tags),
            key=key_tags,
            accept_new_options=True,
            max_selections=MAX_TAGS,
            placeholder="Words to find it by",
            on_change=lambda: _edit(run, tags=st.session_state[key_tags]),
        )
    with note:
        key_note = f"note-{name}"
        st.text_input(
            "Note",
            run.note,
            LONGEST_NOTE,
            key_note,
            placeholder="What it was for, what came out",
            on_change=lambda: _edit(run, note=st.session_state[key_note]),
        )


def _edit(run: RunSummary, *, title: str | None = None, tags: list[str] | None = None, note: str | None = None) -> None:
    with toast_errors():
        resources.store().edit(run.id, identity.owner(), title=title, tags=tags, note=note)


def _tag_all(several: Sequence[RunSummary]) -> None:
    tag = st.session_state["tag_all"]
    for run in several:
        _edit(run, tags=[*run.tags, tag])
    st.session_state["tag_all"] = ""


def _repeat(run: Run, token: str) -> None:
    try:
        assignment_state.check(run.spec)
        # A user without access to the data must not train on them.
        resources.dataset(run.spec.dataset)
        again = resources.processes().submit(run.spec, identity.owner(), token, run.title)
    except HdrError as error:
        st.toast(escape_markdown(error))
    else:
        current_run.open_run(again.id)
        run_config.use(run.spec)


def _delete_button(several: Sequence[RunSummary], mine: bool) -> None:
    st.button(
        "Delete" if len(several) < 2 else f"Delete {len(several)}",
        icon=":material/delete:",
        key="delete",
        disabled=not mine,
        help="It can be undone for a day. A run that is still being trained is stopped."
        if mine
        else "Only who has started a run can delete it; the default reader belongs to the app.",
        on_click=_delete,
        args=(several,),
    )


def _clear_button() -> None:
    st.button("Clear selection", icon=":material/close:", key="clear", on_click=table.choose_only, args=([],))


def _delete(several: Sequence[RunSummary]) -> None:
    try:
        for run in several:
            if run.active:
                resources.processes().stop(run.id)
        deleted = resources.store().delete([run.id for run in several], identity.owner())
    except HdrError as error:
        st.toast(escape_markdown(error))
        return
    table.choose_only([])
    st.toast(f"{format_count(deleted)} {'run' if deleted == 1 else 'runs'} deleted.", icon=":material/delete:")


def _restore(ids: list[str]) -> None:
    try:
        resources.store().restore(ids, identity.owner())
    except HdrError as error:
        st.toast(escape_markdown(error))
    else:
        table.choose_only(ids)
