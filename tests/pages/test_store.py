"""What pages say where the run store cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hdr.store.runs import RunStore
from hdr.training.run_spec import RunSpec
from hdr.ui.state import resources
from tests.pages.conftest import Open


@pytest.fixture
def file() -> Path:
    """A store with three runs, closed."""
    store = RunStore()
    for token in "abc":
        store.create(RunSpec("bundled", 500), "local", token)
    store.database.engine.dispose()
    return Path(os.environ["HDR_HOME"]) / "runs.sqlite"


@pytest.mark.parametrize("name", ["home", "runs"])
def test_a_store_that_was_damaged_is_said_to_have_been_in_one_sentence(file: Path, name: str, open_page: Open) -> None:
    with open(file, "r+b") as written:
        written.write(bytes(100))
    said = [c.value for c in open_page(name).caption if "damaged" in c.value]
    assert len(said) == 1 and "3 runs and 0 searches" in said[0] and "runs-damaged-20" in said[0].replace("\\", "")


def test_a_store_that_breaks_while_it_is_used_costs_one_click(file: Path, open_page: Open) -> None:
    app = open_page()
    resources.store().database.engine.dispose()
    with open(file, "r+b") as written:
        written.write(bytes(4096))
    app.run()
    # Here a page runs without the entry script, which says why.
    assert app.exception
    app.run()
    assert not app.error and not app.exception and any("damaged" in c.value for c in app.caption)
