"""The Runs page, and whose runs it lists."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from hdr.jobs.worker import execute
from hdr.paths import home
from hdr.store.runs import Run, RunStore
from hdr.training.run_spec import PRESETS, RunSpec
from hdr.types import HdrError, Step
from hdr.ui.runs import actions
from hdr.ui.runs import table as runs_table
from tests.pages.conftest import SMALL, Open, healthy, text, unescaped


def statuses(app: AppTest) -> dict[str, str]:
    """The status of each run in the table, by its title."""
    table = app.dataframe[0].value
    return dict(zip(table["title"], table["status"], strict=True))


def select(app: AppTest, *rows: int) -> AppTest:
    """Select rows, as clicks would."""
    app.session_state[app.dataframe[0].key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    app.run()
    return app


def titles(app: AppTest) -> list[str]:
    """The titles of the listed runs."""
    return list(app.dataframe[0].value["title"])


def field(app: AppTest, kind: str, name: str) -> Any:
    """A widget whose key begins so."""
    (found,) = [w for w in app.get(kind) if (w.key or "").startswith(name)]
    return found


def create(store: RunStore, title: str, spec: RunSpec = SMALL, owner: str = "local") -> str:
    """The id of a run that waits."""
    return store.create(spec, owner, title, title).id


@pytest.fixture
def second(model: Run) -> Run:
    """A second run that is done, on the same digits, with fewer epochs."""
    store = RunStore()
    spec = replace(SMALL, classifier=Step("mlp", {"epochs": 2, "units": 10}))
    run = create(store, "The quick one", spec)
    assert execute(store, run)
    return store.get(run)


def test_before_the_first_run_it_says_what_will_be_listed(open_page: Open) -> None:
    app = open_page("runs")
    assert "Nothing has been trained yet" in text(app)
    assert not app.dataframe
    assert app.page_link[0].value == "Train a model"


def test_runs_of_every_outcome_are_listed_the_newest_first(open_page: Open, model: Run) -> None:
    store = RunStore()
    store.end(store.create(SMALL, "local", "1", "The broken one").id, "failed", "There was not enough memory.")
    store.create(SMALL, "local", "2", "The waiting one")
    app = open_page("runs")
    assert list(statuses(app).items()) == [
        ("The waiting one", "queued"),
        ("The broken one", "failed"),
        ("The small one", "done"),
    ]
    table = app.dataframe[0].value
    assert table["accuracy"].iloc[2] == pytest.approx(model.result["test_accuracy"] * 100)
    assert table["accuracy"].isna().tolist() == [True, True, False]
    assert list(table["digits"]) == [500, 500, 500]


def test_a_selected_run_is_shown_and_opens_on_train(open_page: Open, model: Run) -> None:
    app = select(open_page("runs"), 0)
    healthy(app)
    assert "test digits that it got wrong" in text(app)
    app.button(key="open_in_train").click().run()
    healthy(app)
    assert app.header[0].value == "Train a model and watch it learn"
    assert app.query_params["run"] == model.id
    assert app.session_state["_plan"] == model.spec


def test_a_failed_run_says_why(open_page: Open) -> None:
    store = RunStore()
    store.end(store.create(SMALL, "local", "1", "The broken one").id, "failed", "There was not enough memory.")
    app = select(open_page("runs"), 0)
    assert not app.exception
    assert [unescaped(e.value) for e in app.error] == ["There was not enough memory."]


def test_a_selected_row_that_is_gone_is_no_error(open_page: Open, model: Run) -> None:
    healthy(select(open_page("runs"), 99))


def test_on_a_shared_host_one_sees_ones_own_runs_and_the_published_ones(
    open_page: Open, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_PROFILE", "demo")
    store.create(SMALL, "somebody", "1", "Somebody's")
    store.create(SMALL, "me", "2", "Mine")
    store.create(SMALL, "default", "3", "For all", published=True)
    app = open_page("runs", _owner="me")
    assert set(statuses(app)) == {"Mine", "For all"}
    assert set(statuses(open_page("runs", _owner="other"))) == {"For all"}
    assert "may lose its disk" in text(app)


def test_on_ones_own_machine_every_tab_sees_every_run(open_page: Open, store: RunStore) -> None:
    store.create(SMALL, "local", "1", "Mine")
    for _ in range(2):
        assert set(statuses(open_page("runs"))) == {"Mine"}


def test_on_a_shared_host_nobody_opens_somebody_elses_run(
    open_page: Open, model: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_PROFILE", "demo")
    app = open_page("train", {"run": model.id}, _owner="other")
    assert len(app.warning) == 1
    assert "belongs to somebody else" in app.warning[0].value
    assert "test accuracy" not in text(app)
    app = open_page("draw", _owner="other", reader=model.id)
    chooser = app.selectbox(key="reader")
    assert (chooser.value, len(chooser.options)) == ("ready", 1), "nor reads with its model"


def test_on_a_shared_host_a_training_belongs_to_its_visitor(
    open_page: Open, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_PROFILE", "demo")
    first, second = open_page("train"), open_page("train")
    first.button(key="train").click().run()
    healthy(first)
    (run,) = store.runs()
    assert len(run.owner) == 32
    second.run()
    assert "run" not in second.query_params, "another visitor does not come upon it"
    assert not second.button(key="train").disabled


def test_a_search_takes_words_of_titles_tags_notes_and_settings(open_page: Open, store: RunStore) -> None:
    fast = create(store, "One", PRESETS["fast"].spec)
    create(store, "Two")
    store.edit(fast, "local", tags=["Keeper"], note="for the talk")
    for words, expected in [
        ("one", ["One"]),
        ("keeper", ["One"]),
        ("TALK hog", ["One"]),
        ("multilayer", ["Two"]),
        ("epochs=5", ["Two"]),
        ("train_size=500", ["Two"]),
        ("hog multilayer", []),
        ("queued", ["Two", "One"]),
    ]:
        app = open_page("runs")
        app.text_input(key="runs_search").set_value(words).run()
        healthy(app)
        assert (titles(app) if app.dataframe else []) == expected, words
    app.text_input(key="runs_search").set_value("no such thing").run()
    assert "No run is like this" in text(app)


def test_runs_are_filtered_by_whatever_their_plans_differ_in(open_page: Open, store: RunStore) -> None:
    for seed in range(20):
        create(store, f"seed {seed}", replace(SMALL, seed=seed))
    create(store, "other", PRESETS["fast"].spec)
    app = open_page("runs")
    offered = app.multiselect(key="runs_fields")
    assert "Classifier" in offered.options and "Seed" in offered.options and "Threads" not in offered.options
    offered.set_value(["classifier", "seed"]).run()
    app.multiselect(key="runs_filter_classifier").set_value(["Multilayer perceptron"]).run()
    assert len(titles(app)) == 20 and list(app.dataframe[0].value["seed"]) == list(range(19, -1, -1))
    app.number_input(key="runs_filter_seed_from").set_value(3).run()
    app.number_input(key="runs_filter_seed_to").set_value(5).run()
    healthy(app)
    assert titles(app) == ["seed 5", "seed 4", "seed 3"] and "3 of 21 runs" in text(app)
    app.multiselect(key="runs_fields").set_value([]).run()
    assert len(titles(app)) == 21


def test_a_run_is_renamed_tagged_and_noted(open_page: Open, store: RunStore) -> None:
    run = create(store, "Old name")
    app = select(open_page("runs"), 0)
    field(app, "text_input", "title-").set_value("New name").run()
    field(app, "multiselect", "tags-").set_value(["good", "mlp"]).run()
    field(app, "text_input", "note-").set_value("for later").run()
    healthy(app)
    found = store.get(run)
    assert (found.title, found.tags, found.note) == ("New name", ("good", "mlp"), "for later")
    assert titles(app) == ["New name"] and list(app.dataframe[0].value["tags"].iloc[0]) == ["good", "mlp"]
    assert field(app, "text_input", "title-").value == "New name", "it is still open"


def test_several_runs_are_tagged_and_deleted_together_and_come_back(open_page: Open, store: RunStore) -> None:
    ids = [create(store, name) for name in ("a", "b", "c")]
    store.edit(ids[0], "local", tags=["old"])
    app = select(open_page("runs"), 1, 2)
    app.text_input(key="tag_all").set_value("new").run()
    assert store.get(ids[0]).tags == ("old", "new") and store.get(ids[1]).tags == ("new",)
    assert store.get(ids[2]).tags == ()
    assert app.button(key="delete").label == "Delete 2"
    app.button(key="delete").click().run()
    healthy(app)
    assert titles(app) == ["c"] and "runs" not in app.query_params
    app.button(key="undo_delete").click().run()
    healthy(app)
    assert titles(app) == ["c", "b", "a"] and "2 runs side by side" in [s.value for s in app.subheader]
    assert {r.status for r in store.listed()} == {"queued", "stopped"}, "what was deleted does not begin by itself"


def test_all_runs_can_be_deleted_and_brought_back(open_page: Open, store: RunStore) -> None:
    create(store, "only")
    app = select(open_page("runs"), 0)
    app.button(key="delete").click().run()
    assert not app.dataframe and "Nothing has been trained yet" in text(app)
    app = open_page("runs")
    app.button(key="undo_delete").click().run()
    assert titles(app) == ["only"]


def test_what_is_published_is_not_a_visitors_to_change(
    open_page: Open, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_PROFILE", "demo")
    store.create(SMALL, "default", "3", "For all", published=True)
    app = select(open_page("runs", _owner="me"), 0)
    healthy(app)
    assert app.button(key="delete").disabled
    assert not [w for w in app.text_input if (w.key or "").startswith("title-")]
    assert not app.button(key="repeat").disabled


def test_two_runs_are_compared_and_their_address_shares_it(open_page: Open, model: Run, second: Run) -> None:
    app = select(open_page("runs"), 0, 1)
    healthy(app)
    assert app.query_params["runs"] == f"{second.id}~{model.id}"
    for found in (app, open_page("runs", {"runs": f"{second.id}~{model.id}"})):
        table = found.dataframe[1].value
        assert list(table["letter"]) == ["A", "B"] and list(table["title"]) == ["The quick one", "The small one"]
        assert list(table["classifier.mlp.epochs"]) == ["2", "5"] and "dataset" not in table
        assert "B is better" in text(found) and "McNemar's exact test: p" in text(found)
        wrong = model.result["tested_on"] - round(second.test_accuracy * second.tested_on)
        (left,) = re.findall(r"B has them right and A wrong: (\d+)", text(found))
        (right,) = re.findall(r"A has them right and B wrong: (\d+)", text(found))
        assert int(left) - int(right) == wrong - model.result["wrong"]
        assert len(found.get("plotly_chart")) == 4


def test_a_digit_that_two_models_dispute_opens_in_preprocess(open_page: Open, model: Run, second: Run) -> None:
    app = open_page("runs", {"runs": f"{second.id}~{model.id}"})
    button = next(b for b in app.button if (b.key or "").startswith("disputed-B-"))
    index = button.key.split("-")[-1]
    button.click().run()
    healthy(app)
    assert app.query_params["digit"] == f"bundled-test-any-{index}"


def test_runs_of_every_outcome_and_different_data_can_be_compared(open_page: Open, model: Run) -> None:
    store = RunStore()
    create(store, "waits", PRESETS["fast"].spec)
    store.end(create(store, "failed"), "failed", "Why not.")
    app = select(open_page("runs"), 0, 1, 2)
    healthy(app)
    assert "3 runs side by side" in [s.value for s in app.subheader]
    app = select(open_page("runs"), 0, 1)
    healthy(app)
    assert "None of these runs has a curve." in str(app.get("plotly_chart")[0].proto)


def test_what_a_search_hides_stays_chosen(open_page: Open, store: RunStore) -> None:
    for name in ("apple", "pear", "plum"):
        create(store, name)
    app = open_page("runs")
    app.text_input(key="runs_search").set_value("apple").run()
    select(app, 0)
    app.text_input(key="runs_search").set_value("plum").run()
    assert "apple" in field(app, "text_input", "title-").value
    select(app, 0)
    assert list(app.dataframe[1].value["title"]) == ["apple", "plum"]
    app.button(key="clear").click().run()
    assert len(app.dataframe) == 1 and "runs" not in app.query_params


def test_an_address_with_runs_that_are_gone_says_so(open_page: Open, model: Run) -> None:
    app = open_page("runs", {"runs": f"{model.id}~{'0' * 24}"})
    assert len(app.warning) == 1 and "A run in this address is not here" in app.warning[0].value
    assert app.button(key="repeat"), "the other one is open"
    assert app.query_params["runs"] == model.id


def test_a_run_is_repeated_with_its_own_plan(open_page: Open, model: Run) -> None:
    app = select(open_page("runs"), 0)
    app.button(key="repeat").click().run()
    healthy(app)
    again = RunStore().listed("local", ("queued",))
    assert len(again) == 1 and again[0].spec == model.spec and again[0].title == model.title
    assert app.header[0].value == "Train a model and watch it learn" and app.query_params["run"] == again[0].id


def test_the_json_of_a_run_makes_the_same_plan(open_page: Open, model: Run) -> None:
    app = select(open_page("runs"), 0)
    (code,) = app.code
    app = open_page("runs")
    app.text_area(key="pasted_plan").set_value(code.value).run()
    app.button(key="use_pasted").click().run()
    healthy(app)
    assert app.header[0].value == "Train a model and watch it learn"
    assert app.session_state["_plan"] == model.spec


@pytest.mark.parametrize(
    ("pasted", "message"),
    [
        ("{", "not JSON in line 1"),
        ("[1]", "a JSON object"),
        ('{"train_size": 5}', "from 500 to 60000"),
        ('{"classifier": {"name": "oracle"}}', "no classifier 'oracle'"),
        ('{"dataset": "letters"}', "no data set 'letters' here; there are"),
        ('{"speed": 9}', "has no 'speed'"),
        ("[" * 9000, "lists within lists"),
    ],
)
def test_what_is_no_plan_is_refused_in_words(pasted: str, message: str) -> None:
    with pytest.raises(HdrError, match=message):
        actions.read_plan(pasted)


def test_a_wrong_plan_is_said_on_the_page(open_page: Open, store: RunStore) -> None:
    app = open_page("runs")
    app.text_area(key="pasted_plan").set_value('{"train_size": 5}').run()
    app.button(key="use_pasted").click().run()
    healthy(app)
    assert "from 500 to 60000" in unescaped(app.warning[0].value) and app.header[0].value == "All runs"


def test_the_csv_has_a_line_for_each_run_with_all_its_settings(model: Run) -> None:
    store = RunStore()
    create(store, "=HYPERLINK(1)", PRESETS["fast"].spec)
    store.edit(model.id, "local", tags=["a b", "c"], note='he said "no",\nand left')
    fast, small = csv.DictReader(io.StringIO(runs_table.to_csv(store.listed())))
    assert fast["title"] == "'=HYPERLINK(1)", "no spreadsheet takes it for a formula"
    assert small["note"] == 'he said "no",\nand left' and fast["test_accuracy"] == ""
    assert float(small["test_accuracy"]) == model.result["test_accuracy"]
    assert small["classifier.mlp.epochs"] == "5" and fast["classifier.mlp.epochs"] == ""
    assert RunSpec.from_json(json.loads(small["plan"])) == model.spec


def test_lists_and_choices_of_runs_never_look_into_results(open_page: Open, model: Run) -> None:
    with sqlite3.connect(home() / "runs.sqlite") as database:
        database.execute("UPDATE runs SET result = 'unreadable'")
    app = open_page("runs")
    assert app.dataframe[0].value["accuracy"].iloc[0] == pytest.approx(model.test_accuracy * 100)
    app = open_page("draw")
    assert "The small one" in app.selectbox(key="reader").options[1], "after the ready-made reader"
