"""Names, notes, tags and addresses that would be more than text: on every page they are text."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from streamlit.testing.v1 import AppTest

from hdr.export.model_card import card
from hdr.store.runs import LONGEST_TITLE, Run, RunStore
from hdr.types import HdrError
from hdr.ui.results import tabs
from hdr.ui.results.tabs import SECTIONS
from hdr.ui.runs import actions, table
from hdr.ui.state import resources
from tests.hostile.mutate import FORMULAS, MARKUP, STRANGE
from tests.pages.conftest import SMALL, Open, healthy
from tests.pages.conftest import text as text_of
from tests.support.waiting import until

NAMES = (*MARKUP, *STRANGE, *FORMULAS, "a" * 10_000, "w" * 60 + "/" * 60)

AS_TEXT = {
    ("text_input", "default"),
    ("text_input", "value"),
    ("text_area", "value"),
    ("multiselect", "options"),
    ("multiselect", "rawValues"),
    ("selectbox", "options"),
    ("selectbox", "rawValue"),
    ("code", "codeText"),
}
"""Fields of elements that browsers show letter by letter; tables are pictures of text anyway."""

TAKES_TAGS_ALONE = {("html", "body"), ("plotly_chart", "spec")}
"""Fields in which Markdown is text, and tags are not."""


def strings(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Every text within a message, with the field that it is in."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from strings(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part, field)
    elif field == "spec":
        # Plotly's JSON writes a tag with escapes.
        for _, text in strings(json.loads(value)):
            yield field, text
    elif isinstance(value, str):
        yield field, value


def shows(name: str, text: str) -> bool:
    """Whether a text says it as it is; what has a backslash before it is text to Markdown."""
    return re.search(r"(?<!\\)" + re.escape(name), text) is not None


def raw(app: AppTest, name: str) -> set[tuple[str, str]]:
    """Where a page sends a name as it is to a place that could take it for more than text."""
    found = set()
    for element in [*app.main, *app.sidebar]:
        if getattr(element, "proto", None) is None or element.type in ("arrow_data_frame", "bidi_component"):
            continue
        for field, text in strings(MessageToDict(element.proto)):
            place = (element.type, field)
            harmless = place in AS_TEXT or (place in TAKES_TAGS_ALONE and not name.startswith("<"))
            if shows(name, text) and not harmless:
                found.add(place)
    return found


def told(app: AppTest) -> dict[str, set[tuple[str, str]]]:
    """What of our names a page would show as more than text, and where."""
    return {name: where for name in TELLING if (where := raw(app, name))}


@pytest.fixture
def named(model: Run) -> Run:
    """A run that is done, whose names mean harm."""
    owner = RunStore()
    owner.edit(model.id, "local", title=" ".join(MARKUP[:3]), tags=MARKUP, note=" ".join(MARKUP))
    found = owner.get(model.id)
    assert "onerror" in found.title and any("onerror" in tag for tag in found.tags)
    return found


TELLING = ("<script>", "<img src", "![a](", "[b](javascript", ":material/skull:", ":red[blood]", "$x^2$", "**bold**")


@pytest.mark.parametrize("page", ["home", "preprocess", "features", "train", "runs", "draw"])
def test_a_run_with_a_hostile_name_is_text_on_every_page(open_page: Open, named: Run, page: str) -> None:
    app = open_page(page, {"run": named.id} if page == "train" else {"runs": named.id} if page == "runs" else {})
    assert told(app) == {}


def test_it_is_text_beside_another_run_and_after_it_was_deleted(open_page: Open, named: Run) -> None:
    other = RunStore().create(named.spec, "local", "other", MARKUP[1])
    app = open_page("runs", {"runs": f"{named.id}~{other.id}"})
    assert told(app) == {}
    app.button(key="delete").click().run()
    assert told(app) == {}
    help_text = app.button(key="undo_delete").proto.help
    assert "onerror" in help_text and not shows("<img", help_text)


def settled(app: AppTest) -> AppTest:
    """The page once nothing is being computed for it."""
    until(lambda: "hdr-waiting" not in text_of(app.run()), lambda: text_of(app))
    healthy(app)
    return app


def content(elements: Iterable[Any]) -> list[tuple[str, str | None, str]]:
    """Type, key, and label or text of elements, without the containers that hold them."""
    shown = [e for e in elements if getattr(e, "proto", None) is not None and not hasattr(e, "children")]
    return [(e.type, e.key, str(getattr(e, "label", "") or getattr(e, "value", ""))) for e in shown]


def part(app: AppTest) -> tuple[str, list[Any]]:
    """The label and the elements of the tab that is open."""
    (shown,) = [t for t in app.tabs if len(t.children) > 0]
    return shown.label, list(shown)


@pytest.mark.parametrize("tab", SECTIONS)
def test_it_is_text_in_every_part_of_its_result(
    open_page: Open, named: Run, tab: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tabs, "SECTIONS", {tab: SECTIONS[tab]})
        _, own = part(settled(open_page("runs", {"runs": named.id})))
    app = settled(open_page("runs", {"runs": named.id}, result=tab))
    label, shown = part(app)
    assert label == tab
    assert content(shown) == content(own) and len(content(own)) > 1
    assert told(app) == {}


def test_it_is_text_in_the_curves_of_two_runs(open_page: Open, named: Run) -> None:
    other = RunStore().create(named.spec, "local", "other", MARKUP[1])
    shutil.copytree(named.folder, other.folder)
    assert RunStore().claim(other.id, 1) and RunStore().finish(other.id, named.result)
    beside = {f"understand_beside-{named.id}": [other.id]}
    app = settled(open_page("runs", {"runs": named.id}, result="Robustness", **beside))
    label, shown = part(app)
    assert label == "Robustness"
    assert any("onerror" in told for e in shown if e.type == "html" for _, told in strings(MessageToDict(e.proto)))
    assert told(app) == {}


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_what_is_kept_of_a_name_has_nothing_unseen_and_is_no_formula(name: str, store: RunStore) -> None:
    run = store.create(SMALL, "local", "1")
    store.edit(run.id, "local", title=name, tags=[name], note=name)
    kept = store.get(run.id)
    assert len(kept.title) <= LONGEST_TITLE and kept.title.isprintable()
    (row,) = csv.DictReader(io.StringIO(table.to_csv(store.listed()), newline=""))
    for field in ("title", "tags", "note"):
        assert not row[field].lstrip().startswith(("=", "+", "-", "@", "＝"))


def test_a_model_card_has_a_hostile_title_as_text(named: Run) -> None:
    text = card(named.title, resources.model(named), resources.dataset("bundled"), None)
    assert [name for name in TELLING if shows(name, text)] == []
    assert text.splitlines()[0].startswith("# Model card: \\<script\\>")


ADDRESSES = [("preprocess", "chain"), ("preprocess", "digit"), ("features", "feature"), ("train", "run")]
ADDRESSES += [("train", "space"), ("train", "search"), ("runs", "runs"), ("draw", "drawing"), ("draw", "reader")]


@pytest.mark.parametrize(("page", "parameter"), ADDRESSES)
@pytest.mark.parametrize("value", [MARKUP[1], MARKUP[2], MARKUP[3], "\0\u202e\u200b" * 9, "a" * 10_000], ids=range(5))
def test_what_an_address_says_is_echoed_as_text(open_page: Open, page: str, parameter: str, value: str) -> None:
    app = open_page(page, {parameter: value})
    assert told(app) == {}
    assert all(len(one.value) < 1_500 for one in app.warning)
    assert not any("\u202e" in one.value or "\0" in one.value for one in app.warning)


@pytest.mark.parametrize("value", [*MARKUP, "\\ud800", "\u202e" * 9, "9" * 400])
def test_a_plan_that_says_such_things_is_answered_in_text(open_page: Open, value: str) -> None:
    for text in (f'{{"dataset": "{value}"}}', f'{{"{value}": 1}}', value):
        try:
            actions.read_plan(text)
        except HdrError as error:
            app = open_page("runs")
            app.text_area(key="pasted_plan").set_value(text).run()
            app.button(key="use_pasted").click().run()
            assert not app.exception and len(app.warning) == 1
            assert told(app) == {}
            app.warning[0].value.encode()
            assert len(str(error)) < 600
