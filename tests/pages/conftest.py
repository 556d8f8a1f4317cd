"""The app in AppTest: a home of its own for each test, and nothing that starts processes or fetches data."""

from __future__ import annotations

import math
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from hdr.jobs.cost_estimate import Estimate
from hdr.jobs.worker import execute
from hdr.store.runs import Run, RunStore
from hdr.training.run_spec import RunSpec
from hdr.types import Step
from hdr.ui.components import job_progress, pixel_inspector, run_estimate
from hdr.ui.inputs import pipeline_trace
from hdr.ui.shell import startup
from hdr.ui.state import resources
from tests.support.waiting import PATIENCE, until

ROOT = Path(__file__).resolve().parents[2]
SMALL = RunSpec("bundled", 500, classifier=Step("mlp", {"epochs": 5, "units": 50}))

Open = Callable[..., AppTest]


class Queue:
    """Takes runs and starts none."""

    def __init__(self, store: RunStore, **_: Any) -> None:
        self._store = store

    def submit(self, *args: Any, **kwargs: Any) -> Run:
        """As `LocalScheduler.submit`, without a process."""
        return self._store.create(*args, **kwargs)

    def place(self, name: str) -> int | None:
        """As `LocalScheduler.place`, where nobody waits."""

    def trouble(self) -> str:
        """As `LocalScheduler.trouble`, where there is none."""
        return ""

    def capacity(self) -> int:
        """As `LocalScheduler.capacity`."""
        return 1

    def close(self) -> None:
        """As `LocalScheduler.close`, with nothing to let go."""

    def stop(self, run_id: str) -> None:
        """As `LocalScheduler.stop`, without a process."""
        self._store.request_stop(run_id)


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one run that is done: a small model of the bundled digits."""
    folder = tmp_path_factory.mktemp("taught")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HDR_HOME", str(folder))
        store = RunStore()
        assert execute(store, store.create(SMALL, "local", "taught", "The small one").id)
    return folder


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test has an empty home and a server of its own, as far as AppTest has one."""
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HDR_PROFILE", raising=False)
    monkeypatch.setattr(resources, "LocalScheduler", Queue)
    monkeypatch.setattr(startup, "_prepare", lambda *_: None)
    # No plan is probed by itself: how often a page is drawn until then depends on the machine.
    monkeypatch.setattr(run_estimate, "SETTLED_SECONDS", math.inf)
    monkeypatch.setattr(run_estimate, "estimate", lambda spec, owner: Estimate(12.0, 20.0, 345.0, 10_000, 150, 4_000))
    # Data sets stay: they are the same everywhere, and loading them is what takes long.
    caches = (
        resources.store,
        resources.processes,
        startup.start,
        job_progress.all_jobs,
        pipeline_trace._kept,
        pixel_inspector._component,
    )
    for cache in caches:
        cache.clear()
    yield
    for cache in caches:
        cache.clear()


@pytest.fixture
def store(fresh: None) -> RunStore:
    """The store that the app uses, empty."""
    return RunStore()


@pytest.fixture
def model(taught: Path, tmp_path: Path, fresh: None) -> Run:
    """A run that is done, in the app's store, with its model."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copytree(taught / "models", home / "models")
    with sqlite3.connect(taught / "runs.sqlite") as source, sqlite3.connect(home / "runs.sqlite") as target:
        source.backup(target)
    return RunStore().runs()[0]


@pytest.fixture
def open_page() -> Open:
    """A function that opens a page of a new session, with an address and a session state, and checks that it runs."""

    def open_page(name: str = "home", address: dict[str, str] | None = None, **state: Any) -> AppTest:
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=PATIENCE)
        for key, value in state.items():
            app.session_state[key] = value
        for key, value in (address or {}).items():
            app.query_params[key] = value
        if name != "home":
            app.switch_page(f"pages/{name}.py")
        app.run()
        healthy(app)
        return app

    return open_page


def healthy(app: AppTest) -> None:
    """Nothing went wrong that the page did not expect."""
    assert not app.exception, app.exception
    assert not app.error, [e.value for e in app.error]


def text(app: AppTest) -> str:
    """Everything that a page says in words or HTML, in its order; all kinds of spaces as one."""
    said = (str(e.value) for e in app.main if e.type in ("markdown", "html", "caption", "header", "text"))
    return "\n".join(said).replace("\u2009", " ").replace("\xa0", " ")


def explained(app: AppTest) -> AppTest:
    """Run the page, as its browser would, until nothing on it waits for the background any more."""

    def waits() -> bool:
        return any(e.proto.component_name == "hdr_wake" for e in app.get("bidi_component"))

    until(lambda: not waits() or (app.run() and not waits()), "the explanation")
    healthy(app)
    return app


def key_of(app: AppTest, name: str) -> str:
    """The key of a widget of the plan or the chain; it holds a number that grows with changes from elsewhere.

    Args:
        app: the page.
        name: a regular expression for what follows the number.
    """
    kinds = ("multiselect", "button", "slider", "select_slider", "toggle", "button_group", "selectbox", "number_input")
    keys = [w.key or "" for kind in kinds for w in app.get(kind)]
    (found,) = [key for key in keys if re.fullmatch(rf"(plan|chain|digit|feature)-\d+-{name}", key)]
    return found


def unescaped(message: str) -> str:
    """A message as it is read, without what keeps Markdown from it."""
    return message.replace("\\", "")
