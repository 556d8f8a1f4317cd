"""What the pages say of a run whose model is missing or damaged: the run stays, and says so in words."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from hdr.store.runs import Run
from hdr.ui.state import resources
from tests.pages.conftest import Open


def gone(run: Run) -> None:
    shutil.rmtree(run.folder)


def emptied(run: Run) -> None:
    for path in run.folder.iterdir():
        path.write_bytes(b"")


def scribbled(run: Run) -> None:
    for path in run.folder.iterdir():
        path.write_bytes(bytes(path.stat().st_size))


def cut(run: Run) -> None:
    for path in run.folder.iterdir():
        path.write_bytes(path.read_bytes()[:-100])


def a_file(run: Run) -> None:
    gone(run)
    run.folder.write_bytes(b"")


@pytest.mark.parametrize("harm", [gone, emptied, scribbled, cut, a_file], ids=lambda f: f.__name__)
def test_a_run_says_that_its_model_cannot_be_read(model: Run, harm: Callable[[Run], None], open_page: Open) -> None:
    harm(model)
    # Another test of this process may have shown the same run whole.
    resources._test_probabilities.clear()
    app = open_page("train", {"run": model.id})
    assert any("was not kept" in c.value and "Train it again" in c.value for c in app.caption)


@pytest.mark.parametrize("page", ["home", "runs", "draw"])
def test_every_other_page_does_without_it(model: Run, page: str, open_page: Open) -> None:
    cut(model)
    open_page(page)
