"""About: what the host has set is said there, and only who knows the word may do more."""

from __future__ import annotations

import time

import pytest
from streamlit.testing.v1 import AppTest

from hdr import settings
from hdr.jobs import admin as job_admin
from hdr.store.runs import RunStore
from hdr.training.run_spec import RunSpec
from hdr.ui.about import admin as admin_panel
from hdr.ui.about import server_limits
from hdr.ui.components import queue_position
from tests.pages.conftest import ROOT, Open, text
from tests.support.waiting import PATIENCE

WORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _tries():
    admin_panel._wrong.clear()


def test_on_ones_own_machine_nothing_is_limited(open_page: Open):
    said = text(open_page("about"))
    assert "no limit" in said and "MIT licence" in said and "Alpaydin" in said and "LeCun" in said
    assert "For the host" not in said


def test_every_limit_of_the_demo_is_said_and_follows_the_settings(open_page: Open, monkeypatch):
    monkeypatch.setenv("HDR_PROFILE", "demo")
    monkeypatch.setenv("HDR_RUN_MINUTES", "17")
    monkeypatch.setenv("HDR_UPLOADS", "off")
    said = text(open_page("about"))
    rules = settings.current()
    for shown in ("20,000", "17 min", "450 MB", "500 MB", "7 days", f"{rules.trainings_per_day:,}"):
        assert shown in said, shown
    assert "no limit" not in said and "A data set of your own is" not in said
    monkeypatch.setenv("HDR_KEEP_DRAWINGS", "on")
    assert "until you withdraw" in text(open_page("about"))


def test_a_setting_that_cannot_be_is_said_on_the_page(monkeypatch):
    monkeypatch.setenv("HDR_RUN_MINUTES", "soon")
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=PATIENCE).run()
    assert not app.exception
    assert "soon" in app.error[0].value and "a number of minutes" in app.error[0].value


def test_every_number_that_limits_is_on_the_page():
    marked = {name: 1234 + n for n, name in enumerate(settings.NAMES) if _is_number(name)}
    said = server_limits.table(server_limits.limits(settings.from_values({"profile": "demo", **marked}), 3)).replace(
        ",", ""
    )
    for name, value in marked.items():
        assert name == "own_data_mb" or str(value) in said, name


def _is_number(name: str) -> bool:
    # How nice trainings are limits nobody.
    value = None if name == "niceness" else settings.default(name, "demo")
    return isinstance(value, int | float) and not isinstance(value, bool)


def enter(app, word: str):
    app.text_input(key="admin_said").set_value(word)
    return next(b for b in app.button if b.label == "Unlock").click().run()


def test_the_word_opens_deleting_and_publishing_and_wrong_ones_are_counted(
    open_page: Open, store: RunStore, monkeypatch
):
    monkeypatch.setenv("HDR_PROFILE", "demo")
    monkeypatch.setenv("HDR_ADMIN_WORD", WORD)
    store.create(RunSpec("bundled", 500), "ann", "1", title="<b>one</b> of Ann's")
    app = enter(open_page("about"), "guess")
    assert [e.value for e in app.error] == ["This is not the admin word."] and not app.dataframe
    app = enter(app, WORD)
    assert not app.error and app.dataframe[0].value["Title"].tolist() == ["<b>one</b> of Ann's"]
    monkeypatch.setenv("HDR_ADMIN_WORD", WORD + "!")
    assert not app.run().dataframe, "another word, and what was open is closed"


def test_guessing_is_slowed_down_for_everybody(monkeypatch):
    monkeypatch.setattr(admin_panel.st, "session_state", {})
    monkeypatch.setenv("HDR_ADMIN_WORD", WORD)
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    for _ in range(admin_panel.MOST_TRIES):
        assert admin_panel.log_in("no") == "This is not the admin word."
    assert admin_panel.log_in(WORD) == "There were 5 wrong words. Try again in 10 min." and not admin_panel.unlocked()
    now[0] += admin_panel.TRY_SECONDS + 1
    assert admin_panel.log_in(WORD) == "" and admin_panel.unlocked()
    monkeypatch.delenv("HDR_ADMIN_WORD")
    assert not admin_panel.unlocked()


def test_anybodys_runs_are_published_and_deleted(store: RunStore):
    ann, bob = (store.create(RunSpec("bundled", 500), owner, owner) for owner in ("ann", "bob"))
    assert job_admin.publish(store, [ann.id], True) == 1 and store.get(ann.id, "bob").published
    assert job_admin.publish(store, [ann.id], False) == 1 and len(store.listed("bob")) == 1
    assert job_admin.delete(store, [ann.id, bob.id, "none"]) == 2 and not store.listed()
    assert store.restore([ann.id], "ann") == 1


def test_places_in_the_line(open_page: Open, store: RunStore, monkeypatch):
    assert [queue_position.ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"
    ]  # fmt: skip
    run = store.create(RunSpec("bundled", 500), "local", "1", title="Mine")
    from hdr.ui.state import resources

    monkeypatch.setattr(resources.LocalScheduler, "place", lambda self, name: 3 if name == run.id else None)
    assert "3rd in line" in text(open_page("train"))
    assert "Mine is 3rd in line" in text(open_page("runs"))
