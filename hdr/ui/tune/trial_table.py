"""The table of a search's trials, the actions on a trial, and the search's file exports."""

from __future__ import annotations

import csv
import io
import json
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from hdr.formatting import format_count
from hdr.sanitize import escape_markdown
from hdr.training.limits import check_memory
from hdr.training.run_spec import MAX_DIGITS
from hdr.tuning.records import Search, Trial
from hdr.tuning.space import Dimension
from hdr.types import HdrError
from hdr.ui.components import arrow_table
from hdr.ui.state import assignment_state, current_run, identity, resources, run_config, search_config, train_mode
from hdr.ui.tune import formatting

HEIGHT = 388
STATUS = {"running": "running", "done": "done", "pruned": "stopped early", "refused": "refused", "failed": "failed"}
LONGEST_TITLE = 160


def show(search: Search, trials: Sequence[Trial]) -> None:
    """Show the trials, and the buttons of the selected one."""
    space = search.spec.space
    titles, number = formatting.names(space), st.column_config.NumberColumn
    scores = [100 * score for t in trials for _, score in t.scores]
    # Sparklines are compared: all have one scale.
    low, high = (min(scores), max(*scores, min(scores) + 0.1)) if scores else (0.0, 100.0)
    event = st.dataframe(
        arrow_table.of_rows([_cells(t, space) for t in trials]),
        column_config={
            "accuracy": number("Validation", format="%.2f %%"),
            "number": number("Trial", width="small"),
            "curve": st.column_config.LineChartColumn("Its curve", width="small", y_min=low, y_max=high),
            "status": "Status",
            **{d.path: _column(d, titles[d.path]) for d in space},
            "seconds": number("Took", format="%.1f s"),
            "message": st.column_config.TextColumn("Why", width="medium"),
        },
        column_order=[
            "accuracy", "number", "curve", *(d.path for d in space), "seconds", "status",
            *(["message"] if any(t.message for t in trials) else []),
        ],
        hide_index=True,
        height=HEIGHT if len(trials) > 10 else "auto",
        on_select="rerun",
        selection_mode="single-row",
        placeholder="",
        key=f"tune-trials-{search.id}",
        alt="All trials of the search",
        lazy=False,
    )  # fmt: skip
    if rows := _selected(event, trials):
        _actions(search, trials[rows[0]])
    else:
        st.html('<div class="hdr-note">Select a trial to train it on everything, or to make it the plan.</div>')


def _selected(event: Any, trials: Sequence[Trial]) -> list[int]:
    return [row for row in event["selection"]["rows"] if row < len(trials)]


def _column(one: Dimension, title: str) -> Any:
    if not one.ranged:
        return st.column_config.TextColumn(title)
    unit = f" {one.parameter.unit.replace('%', '%%')}" if one.parameter.unit else ""
    whole = "%d" if one.parameter.type is int else "%.3g"
    return st.column_config.NumberColumn(title, format=whole + unit)


def _cells(trial: Trial, space: Sequence[Dimension]) -> dict[str, Any]:
    again = f"Begun {trial.attempts} times. " if trial.attempts > 1 else ""
    return {
        "number": trial.number + 1,
        "accuracy": None if trial.value is None else 100 * trial.value,
        "curve": [100 * score for _, score in trial.scores],
        "status": STATUS[trial.status],
        "seconds": trial.seconds or None,
        "message": (again + trial.message).strip() or None,
        **{d.path: _cell(d, trial.values.get(d.path)) for d in space},
    }


def _cell(one: Dimension, value: Any) -> Any:
    return value if value is None or one.ranged else formatting.show(one, value)


def _actions(search: Search, trial: Trial) -> None:
    told = escape_markdown(formatting.summary(trial.values, search.spec.space))
    with st.container(horizontal=True, vertical_alignment="center", key="tune_trial"):
        st.button(
            "Train this on everything",
            icon=":material/model_training:",
            type="primary",
            key="tune_train",
            help="Starts a run with this trial's settings on all training digits, and shows it.",
            on_click=_train,
            # The token belongs to the button as it was drawn: one click makes one run.
            args=(search, trial, secrets.token_hex(16)),
            disabled=trial.status == "refused",
        )
        st.button(
            "Make this the plan",
            icon=":material/checklist:",
            key="tune_use",
            help="The widgets then show this trial's settings, with the training size of the search.",
            on_click=_use,
            args=(search, trial),
            disabled=trial.status == "refused",
        )
        st.markdown(f"**Trial {trial.number + 1}**: {told}", width="stretch")


def _train(search: Search, trial: Trial, token: str) -> None:
    try:
        task = assignment_state.current()
        spec = run_config.clamp_to_quota(
            replace(trial.spec(search), train_size=task.size_range[1] if task else MAX_DIGITS)
        )
        assignment_state.check(spec)
        check_memory(spec, resources.dataset(spec.dataset))
        title = f"Tuned: {formatting.summary(trial.values, search.spec.space)}"[:LONGEST_TITLE]
        run = resources.processes().submit(spec, identity.owner(), token, title)
    except HdrError as error:
        st.toast(escape_markdown(error))
    else:
        run_config.use(spec)
        current_run.open_run(run.id)
        train_mode.leave()


def _use(search: Search, trial: Trial) -> None:
    try:
        run_config.use(trial.spec(search))
    except HdrError as error:
        st.toast(escape_markdown(error))
    else:
        st.toast(f"Trial {trial.number + 1} is the plan now.", icon=":material/checklist:")


def files(search: Search, trials: Sequence[Trial]) -> None:
    """Show downloads of the search as JSON and its trials as CSV."""
    with st.container(horizontal=True, vertical_alignment="center", key="tune_files"):
        st.download_button(
            "The search as JSON",
            json.dumps(search.spec.to_json(), indent=2),
            "search.json",
            "application/json",
            key="tune_json",
            icon=":material/data_object:",
            on_click="ignore",
        )
        st.download_button(
            "The trials as CSV",
            lambda: to_csv(search, trials),
            "trials.csv",
            "text/csv",
            key="tune_csv",
            icon=":material/download:",
            on_click="ignore",
        )
    st.html(
        '<div class="hdr-note">The JSON holds the plan, what varies, how and for how long: “Open a file” reads it '
        "again, here or elsewhere. The address above holds the same for the search on the left.</div>"
    )


def to_csv(search: Search, trials: Sequence[Trial]) -> str:
    """Return trials as CSV, one line each: values by path, the curve, and the result."""
    paths = [d.path for d in search.spec.space]
    fixed = ["trial", "status", "validation_accuracy", "seconds", "seconds_lost", "attempts"]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [*fixed, *paths, "scores", "message"], lineterminator="\n")
    writer.writeheader()
    for t in trials:
        row = dict(zip(fixed, (t.number + 1, t.status, t.value, t.seconds, t.lost, t.attempts), strict=True))
        values = {path: t.values.get(path) for path in paths}
        writer.writerow({**row, **values, "scores": json.dumps(t.scores), "message": t.message})
    return stream.getvalue()


def upload() -> None:
    """Load the draft from an uploaded JSON file of a search."""
    with st.popover("Open a file", icon=":material/upload_file:", type="tertiary", key="tune_upload"):
        st.file_uploader(
            f"JSON of a search, at most {format_count(search_config.LONGEST)} characters",
            type="json",
            key="tune_file",
            on_change=_read,
        )
        if problem := st.session_state.get("_tune_file_problem"):
            st.warning(escape_markdown(problem), icon=":material/error:")


def _read() -> None:
    file, problem = st.session_state["tune_file"], ""
    if file is not None:
        try:
            # One byte more than is read at most tells what is too long.
            text = file.read(4 * search_config.LONGEST + 1).decode("utf-8", "replace")
            search_config.use(search_config.from_text(text))
        except HdrError as error:
            problem = f"This file cannot be used. {error}"
    st.session_state["_tune_file_problem"] = problem
