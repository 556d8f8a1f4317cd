"""The table of all runs: search, filters on the settings of their plans, and the selected rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

import streamlit as st

from hdr import catalogue, datasets
from hdr.analysis.compare_runs import Setting, Value, format_setting, settings
from hdr.formatting import format_count
from hdr.sanitize import escape_csv_formula
from hdr.store.runs import RunSummary
from hdr.store.schema import FIGURES
from hdr.ui.components import arrow_table

PARAMETER, SEPARATOR = "runs", "~"
"""The URL parameter with the selected runs, and the separator between two, which needs no escaping."""

MOST_COMPARED = 10
"""Runs that are compared at once, and that an address names."""

FEW = 12
"""Maximum number of distinct numeric values that a filter lists one by one; above it, the filter is a range."""

LONGEST_SEARCH = 200
"""Characters of a search that count."""

HEIGHT = 388
_CHOSEN, _WRITTEN, _REVISION, _DEFAULT = "_runs_chosen", "_runs_written", "_runs_revision", "_runs_default"


@dataclass(frozen=True)
class Row:
    """A run with its searchable and filterable values.

    Attributes:
        run: the run.
        settings: of its plan, by path.
        values: the filterable values, by path: settings, metrics, the status, and each tag.
    """

    run: RunSummary
    settings: dict[str, Setting]
    values: dict[str, tuple[Value, ...]]

    @property
    def text(self) -> str:
        """The searchable text, in lower case."""
        parts = [self.run.title, self.run.status, self.run.note, *self.run.tags]
        for path, setting in self.settings.items():
            parts += [setting.title, format_setting(setting), path, f"{path.rsplit('.')[-1]}={setting.value}"]
        return " ".join(parts).lower()


_FIGURES = {
    "test_accuracy": ("Test accuracy, %", 100.0),
    "validation_accuracy": ("Validation accuracy, %", 100.0),
    "fit_seconds": ("Fitting, s", 1.0),
    "predict_ms": ("Reading a digit, ms", 1.0),
    "model_bytes": ("Size, MB", 1e-6),
}


@lru_cache(maxsize=4096)
def _settings(spec_json: str) -> dict[str, Setting]:
    # Every search, selection and filter goes through all runs again, whose plans stay as they are.
    return settings(json.loads(spec_json))


def row(run: RunSummary) -> Row:
    """Return a run as a row."""
    found = _settings(run.spec_json)
    values: dict[str, tuple[Value, ...]] = {"status": (run.status,), "tags": run.tags}
    for name, (_, factor) in _FIGURES.items():
        figure = getattr(run, name)
        values[name] = () if figure is None else (figure * factor,)
    return Row(run, found, values | {path: (s.value,) for path, s in found.items()})


def fields(rows: Sequence[Row]) -> dict[str, str]:
    """Return the filterable paths, whose values differ among the runs, with their titles."""
    titles = {"status": "Status", "tags": "Tags"} | {name: title for name, (title, _) in _FIGURES.items()}
    for each in rows:
        titles |= {path: s.title for path, s in each.settings.items() if path not in titles}
    return {path: title for path, title in titles.items() if len({r.values.get(path, ()) for r in rows}) > 1}


def choose(known: Sequence[RunSummary]) -> list[RunSummary]:
    """Show the table with its search and filters; returns the chosen runs, whether they are listed now or not."""
    rows = [row(run) for run in known]
    missing = _follow_address({run.id for run in known})
    if missing:
        one = missing == 1
        st.warning(
            f"{'A run' if one else f'{missing} runs'} in this address {'is' if one else 'are'} not here: deleted, or "
            "somebody else's.",
            icon=":material/link_off:",
        )
    with st.container(horizontal=True, vertical_alignment="center", key="runs_row"):
        found = _searched(rows)
        found, extra = _filtered(found, rows)
        st.download_button(
            "CSV",
            lambda: to_csv([r.run for r in found]),
            "runs.csv",
            "text/csv",
            key="runs_csv",
            icon=":material/download:",
            help="The listed runs with all their settings and figures.",
            on_click="ignore",
        )
        of = "" if len(found) == len(rows) else f"{format_count(len(found))} of "
        st.caption(f"{of}{format_count(len(rows))} {'run' if len(rows) == 1 else 'runs'}", width="content")
    if found:
        _select(_table(found, extra), [r.run.id for r in found])
    else:
        st.html('<div class="hdr-empty">No run is like this. Take a word or a filter away.</div>')
    by_id = {run.id: run for run in known}
    _write_address()
    return [by_id[name] for name in chosen() if name in by_id]


def chosen() -> list[str]:
    """Return the ids of the selected runs, in the order of selection."""
    return st.session_state.get(_CHOSEN, [])


def choose_only(ids: Sequence[str]) -> None:
    """Choose these runs and no others."""
    st.session_state[_CHOSEN] = list(ids)
    st.session_state[_REVISION] = st.session_state.get(_REVISION, 0) + 1


def _follow_address(known: set[str]) -> int:
    text = st.query_params.get(PARAMETER)
    missing = 0
    if text is not None and text != st.session_state.get(_WRITTEN):
        wanted = list(dict.fromkeys(text[:1000].split(SEPARATOR)))[:MOST_COMPARED]
        choose_only([name for name in wanted if name in known])
        missing = len(wanted) - len(chosen())
    elif set(chosen()) - known:
        choose_only([name for name in chosen() if name in known])
    return missing


def _write_address() -> None:
    text = SEPARATOR.join(chosen()[:MOST_COMPARED])
    st.session_state[_WRITTEN] = text
    if not text:
        st.query_params.pop(PARAMETER, None)
    elif st.query_params.get(PARAMETER) != text:
        st.query_params[PARAMETER] = text


def _searched(rows: list[Row]) -> list[Row]:
    words = st.text_input(
        "Search",
        key="runs_search",
        type="search",
        live=True,
        persist_state="session",
        placeholder="Search titles, tags, notes, settings: hog epochs=20",
        label_visibility="collapsed",
        width=380,
    )
    wanted = (words or "").lower()[:LONGEST_SEARCH].split()
    return [r for r in rows if all(word in r.text for word in wanted)] if wanted else rows


def _filtered(rows: list[Row], every: list[Row]) -> tuple[list[Row], dict[str, str]]:
    titles = fields(every)
    with st.popover("Filter", icon=":material/filter_list:", key="runs_filter"):
        paths = st.multiselect(
            "Filter by",
            # A filter in use stays, even if all runs now have the same value.
            list(dict.fromkeys([*titles, *st.session_state.get("runs_fields", [])])),
            format_func=lambda path: titles.get(path, path),
            key="runs_fields",
            persist_state="session",
            placeholder="Any setting or figure",
            select_all=False,
            help="Whatever the runs differ in. It becomes a column, too, by which they can be sorted.",
        )
        for path in paths:
            rows = _narrowed(rows, every, path, titles.get(path, path))
    return rows, {path: titles.get(path, path) for path in paths}


def _narrowed(rows: list[Row], every: list[Row], path: str, title: str) -> list[Row]:
    values = {value for r in every for value in r.values.get(path, ())}
    numbers = {value for value in values if isinstance(value, (int, float))}
    if len(values) > FEW and numbers == values:
        low, high = _range(path, title, min(numbers), max(numbers))
        within = {number for number in numbers if low <= number <= high}
        return [r for r in rows if any(v in within for v in r.values.get(path, ()))]
    picked = st.multiselect(
        title,
        sorted(map(catalogue.format_value, values), key=_by_number),
        key=f"runs_filter_{path}",
        placeholder="All",
    )
    if not picked:
        return rows
    return [r for r in rows if any(catalogue.format_value(v) in picked for v in r.values.get(path, ()))]


def _range(path: str, title: str, low: float, high: float) -> tuple[float, float]:
    left, right = st.columns(2)
    ends = []
    for place, word, end in ((left, "from", low), (right, "to", high)):
        with place:
            ends.append(
                st.number_input(
                    f"{title} {word}", value=None, key=f"runs_filter_{path}_{word}", placeholder=f"{end:.6g}"
                )
            )
    return (-float("inf") if ends[0] is None else ends[0]), (float("inf") if ends[1] is None else ends[1])


def _by_number(text: str) -> tuple[bool, float, str]:
    try:
        return False, float(text), ""
    except ValueError:
        return True, 0.0, text


def _table(found: list[Row], extra: dict[str, str]) -> list[int]:
    now = datetime.now(UTC)
    ids = [r.run.id for r in found]
    # Selections are by row index: when rows are added or removed, reset the table with the selected runs.
    key = f"runs-{st.session_state.get(_REVISION, 0)}-{catalogue.key_of(ids)}"
    if st.session_state.get(_DEFAULT, ("",))[0] != key:
        st.session_state[_DEFAULT] = key, [place for place, name in enumerate(ids) if name in chosen()]
    number = st.column_config.NumberColumn
    columns: dict[str, Any] = {
        # First, so that a phone shows both.
        "accuracy": number("Test accuracy", format="%.2f %%"),
        "title": st.column_config.TextColumn("Run", width="large"),
        "status": "Status",
        "tags": st.column_config.ListColumn("Tags"),
        "fit": number("Fitting", format="%.2f s"),
        "read": number("A digit", format="%.3f ms", help="What reading one digit takes."),
        "size": number("Size", format="%.2f MB"),
        "digits": number("Digits", format="localized"),
        "data": "Data",
        "classifier": "Classifier",
        "created": st.column_config.DatetimeColumn("Started", format="distance"),
        "note": "Note",
        **extra,
    }
    height: int | Literal["auto"] = HEIGHT if len(found) > 10 else "auto"
    event = st.dataframe(
        arrow_table.of_rows([_cells(each, extra, now) for each in found]),
        column_config=columns,
        hide_index=True,
        height=height,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": st.session_state[_DEFAULT][1]}},
        placeholder="",
        key=key,
        alt="All runs",
        lazy=False,
    )
    return [place for place in event["selection"]["rows"] if place < len(found)]


def _cells(each: Row, extra: dict[str, str], now: datetime) -> dict[str, Any]:
    run, said = each.run, each.settings
    cells = {
        "accuracy": None if run.test_accuracy is None else run.test_accuracy * 100,
        "title": run.title,
        "status": run.status,
        "tags": list(run.tags),
        "fit": run.fit_seconds,
        "read": run.predict_ms,
        "size": None if run.model_bytes is None else run.model_bytes / 1e6,
        "digits": run.fitted_on or run.plan.get("train_size"),
        "data": datasets.title(str(run.plan.get("dataset", ""))),
        "classifier": said["classifier"].value if "classifier" in said else "",
        "created": datetime.fromtimestamp(min(run.created, now.timestamp()), UTC),
        "note": run.note,
    }
    for path in extra:
        # One kind of value to a column: numbers sort as numbers.
        values = each.values.get(path, ())
        numbers = bool(values) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
        cells[path] = values[0] if numbers else ", ".join(map(catalogue.format_value, values)) or None
    return cells


def _select(places: list[int], ids: list[str]) -> None:
    wanted, listed = [ids[place] for place in places], set(ids)
    # Runs hidden by a search stay selected, so that runs from different searches can be compared.
    before = [name for name in chosen() if name not in listed or name in wanted]
    st.session_state[_CHOSEN] = before + [name for name in wanted if name not in before]


def to_csv(runs: Sequence[RunSummary]) -> str:
    """Return runs as CSV, one line each: name, unrounded metrics, all settings, and the plan."""
    rows = [row(run) for run in runs]
    paths = list(dict.fromkeys(path for each in rows for path in each.settings))
    names = ["id", "title", "status", "created", "tags", "note", *FIGURES, *paths, "plan"]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    for each in rows:
        run = each.run
        writer.writerow(
            {
                "id": run.id,
                "title": escape_csv_formula(run.title),
                "status": run.status,
                "created": datetime.fromtimestamp(run.created, UTC).isoformat(timespec="seconds"),
                "tags": escape_csv_formula(" ".join(run.tags)),
                "note": escape_csv_formula(run.note),
                **{name: getattr(run, name) for name in FIGURES},
                **{path: s.value for path, s in each.settings.items()},
                "plan": json.dumps(run.plan),
            }
        )
    return stream.getvalue()
