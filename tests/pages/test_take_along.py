"""Taking a run along: four downloads, each with what it is, and plain words where one cannot be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from hdr.export.onnx import ExportError
from hdr.export.training_script import RecipeError
from hdr.store.runs import Run
from hdr.ui.results import export
from tests.pages.conftest import healthy, text, unescaped
from tests.support.waiting import PATIENCE, until


def page(run):
    """The section alone."""
    from hdr.ui.results import export

    export.section(run)


def settled(app: AppTest, there: Callable[[], object]) -> AppTest:
    """The page once something is there; it runs again by itself in a browser."""

    def arrived() -> bool:
        if there():
            return True
        healthy(app.run())
        return False

    until(arrived, lambda: text(app))
    return app


def downloads(app: AppTest) -> list[str]:
    return [b.proto.label for b in app.get("download_button")]


@pytest.fixture
def section(model: Run) -> AppTest:
    """The section of a run that is done, as it is opened, with what is made at once."""
    app = AppTest.from_function(page, args=(model,), default_timeout=PATIENCE).run()
    healthy(app)
    return settled(app, lambda: len(downloads(app)) == 3)


def test_card_script_and_plan_are_there_at_once_and_each_says_what_it_is(section: AppTest, model: Run) -> None:
    name = model.spec.key[:8]
    assert downloads(section) == [
        f"Download {file}" for file in (f"model-card-{name}.md", f"train-{name}.py", f"spec-{name}.json")
    ]
    for title in ("Model as ONNX", "Model card", "Training script", "Plan as JSON"):
        assert f"**{title}**" in text(section)
    assert [c.value for c in section.code] == [f"python -m hdr train --spec spec-{name}.json"]


def test_the_onnx_file_is_written_when_asked_for_and_says_how_it_agrees(section: AppTest, model: Run) -> None:
    section.button(key="write_onnx").click().run()
    settled(section, lambda: len(downloads(section)) == 4)
    assert downloads(section)[0] == f"Download model-{model.spec.key[:8]}.zip"
    assert "Checked: on 450 of 450 test digits it says what the model says." in text(section)


def test_what_cannot_be_had_is_said_in_words(
    model: Run, monkeypatch: pytest.MonkeyPatch, section: AppTest, fresh: None
) -> None:
    def no_file(*_: object) -> None:
        raise ExportError("There is no converter for *this*.")

    def no_script(*_: object) -> None:
        raise RecipeError("A script cannot load it.")

    monkeypatch.setattr(export, "export_model", no_file)
    monkeypatch.setattr(export, "recipe", no_script)
    # A new name, so that nothing that was made for the other tests is taken.
    app = AppTest.from_function(page, args=(replace(model, id="another", title="Another"),), default_timeout=PATIENCE)
    monkeypatch.setattr(export.resources, "model", lambda run: None)
    monkeypatch.setattr(export, "card", lambda *_: "# card")
    app.run().button(key="write_onnx").click().run()
    settled(app, lambda: "no converter" in text(app) and "A script cannot load it" in unescaped(text(app)))
    assert "There is no converter for *this*." in unescaped(text(app)) and len(downloads(app)) == 2


def test_a_run_that_is_not_done_has_nothing_to_take_along(model: Run) -> None:
    app = AppTest.from_function(page, args=(replace(model, status="running"),)).run()
    healthy(app)
    assert "once the training has ended" in text(app) and not downloads(app)
