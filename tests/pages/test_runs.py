"""The Runs page, and whose runs it lists."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from hdr.training.store import Run, RunStore

from .conftest import SMALL, Open, healthy, text, unescaped


def statuses(app: AppTest) -> dict[str, str]:
    """The status of each run in the table, by its title."""
    table = app.dataframe[0].value
    return dict(zip(table["title"], table["status"], strict=True))


def select(app: AppTest, row: int) -> AppTest:
    """Select a row, as a click would."""
    app.session_state[app.dataframe[0].key] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    app.run()
    return app


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
    assert "it got wrong" in " ".join(s.value for s in app.subheader)
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
    assert not [s for s in app.selectbox if s.key == "reader"], "nor reads with its model"


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
