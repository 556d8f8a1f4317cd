"""What pages do where the home cannot be written to when the server starts."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from hdr import paths
from hdr.store.runs import Run, RunStore
from hdr.ui.state import resources
from tests.pages.conftest import ROOT, Open, healthy, text, unescaped
from tests.pages.test_draw import CANVAS, ONE, on_canvas

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
WAYS = ["temporary", "nothing"]


@pytest.fixture
def barred(tmp_path: Path, fresh: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that cannot be made, since a file lies where its folder should be."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setenv("HDR_DATASETS", os.environ.get("HDR_DATASETS", ""))
    monkeypatch.setattr(paths, "_makeshift", None)
    monkeypatch.setattr(paths, "_temporary", None)
    return tmp_path / "file" / "home"


def bar(way: str, barred: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing at all can be written, not even a temporary folder can be made."""
    if way == "nothing":
        monkeypatch.setattr(tempfile, "tempdir", str(barred))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_works_and_says_in_one_sentence_that_nothing_is_kept(
    open_page: Open, barred: Path, monkeypatch: pytest.MonkeyPatch, page: str, way: str
) -> None:
    bar(way, barred, monkeypatch)
    app = open_page(page)
    (said,) = [unescaped(w.value) for w in app.warning]
    assert said == paths.makeshift().sentence and paths.makeshift().way == way
    assert str(barred) in said and "set HDR_HOME to a folder that can" in said
    assert len(text(app)) > 100


def test_about_does_not_promise_to_keep_runs(open_page: Open, barred: Path) -> None:
    said = text(open_page("about"))
    assert f"{paths.makeshift().consequence}." in said and "until you delete them" not in said


@pytest.mark.parametrize("way", WAYS)
def test_a_drawing_is_read_and_a_chain_is_followed(
    open_page: Open, barred: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    bar(way, barred, monkeypatch)
    app = open_page("draw")
    app.session_state[CANVAS] = on_canvas(ONE)
    healthy(app.run())
    assert '<div class="hdr-answer">1</div>' in text(app)
    assert text(open_page("preprocess", {"chain": "otsu"})).count("data:image/png") >= 2
    assert "HOG" in text(open_page("features", {"feature": "hog"}))


def test_a_run_is_taken_into_a_temporary_home(open_page: Open, barred: Path) -> None:
    app = open_page("train")
    app.button(key="train").click().run()
    healthy(app)
    (run,) = RunStore().listed()
    assert run.status == "queued" and (paths.home() / paths.STORE).exists() and not barred.exists()


def test_where_nothing_can_be_kept_train_says_so_until_it_can(
    open_page: Open, barred: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bar("nothing", barred, monkeypatch)
    monkeypatch.setattr(resources, "LOOK_SECONDS", 0.0)
    with caplog.at_level(logging.WARNING, "hdr"):
        app = open_page("train")
        for _ in range(2):
            app.button(key="train").click().run()
            assert [unescaped(t.value) for t in app.toast] == ["Nothing can be kept or trained here."]
    assert [r.message for r in caplog.records if r.name.startswith("hdr")] == [paths.makeshift().sentence]
    barred.parent.unlink()
    healthy(app.run())
    assert not app.warning and paths.makeshift() is None
    app.button(key="train").click().run()
    healthy(app)
    assert [run.status for run in RunStore().listed()] == ["queued"] and (barred / paths.STORE).exists()


def test_runs_that_can_only_be_read_are_shown_and_stay(
    open_page: Open, model: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(folder: Path) -> OSError:
        return OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(paths, "_refusal", refused)
    monkeypatch.setattr(paths, "_makeshift", None)
    app = open_page("runs", {"runs": model.id}, result="Take it along")
    (said,) = [unescaped(w.value) for w in app.warning]
    assert said.startswith(f"Nothing new can be kept or trained here, because {tmp_path / 'home'} cannot be written")
    assert "Model card" in text(app)
    app.button(key="delete").click().run()
    assert [unescaped(t.value) for t in app.toast] == ["Nothing new can be kept or trained here."] and not app.exception
    assert [run.id for run in RunStore().listed()] == [model.id]


def test_a_store_that_can_be_neither_read_nor_written_makes_way_for_a_temporary_one(
    open_page: Open, model: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, refusal = tmp_path / "home", paths._refusal
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setenv("HDR_DATASETS", os.environ.get("HDR_DATASETS", ""))
    monkeypatch.setattr(paths, "_refusal", lambda place: error if place == folder else refusal(place))
    monkeypatch.setattr(paths, "_makeshift", None)
    monkeypatch.setattr(paths, "_temporary", None)
    (folder / paths.STORE).unlink()
    # SQLite takes no folder for a database.
    (folder / paths.STORE).mkdir()
    (said,) = [unescaped(w.value) for w in open_page("home").warning]
    assert paths.makeshift().way == "temporary" and f"{folder} cannot be written to (No space left on device)" in said
    shutil.rmtree(folder / paths.STORE)


def test_visitors_of_a_demo_are_not_told_where_the_host_keeps_runs(
    open_page: Open, barred: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HDR_PROFILE", "demo")
    app = open_page("home")
    (said,) = [unescaped(w.value) for w in app.warning]
    assert said == "Nothing that is trained or fetched here is kept after this server ends."
    assert str(barred) in caplog.text, "the host finds it in the log"
