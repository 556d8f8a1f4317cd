"""Data: files of one's own are checked, shown and used, in the session that brought them and in no other."""

from __future__ import annotations

import gc
import io
import json
import time
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from hdr import datasets
from hdr.datasets.uploads import user_datasets
from hdr.datasets.uploads.clean_and_split import Options
from hdr.datasets.uploads.reader import Upload
from hdr.jobs.worker import execute
from hdr.store.runs import Run, RunStore
from hdr.training.run_spec import RunSpec
from hdr.types import Dataset, HdrError, Split, Step
from hdr.ui.data import page as data_page
from hdr.ui.runs import actions
from hdr.ui.shell import startup
from hdr.ui.state import session_datasets
from tests.pages.conftest import Open, healthy, key_of, text, unescaped


def files(n: int = 400) -> tuple[Upload, ...]:
    train = datasets.load("bundled").train
    stream = io.BytesIO()
    np.savez(stream, images=train.images[:n], labels=train.labels[:n])
    return (Upload("hand.npz", stream.getvalue()),)


def settle(app: AppTest) -> None:
    for _ in range(100):
        app.run()
        if any(b.key == "data_use" for b in app.button):
            return
        time.sleep(0.1)
    raise AssertionError(text(app))


@pytest.fixture(autouse=True)
def no_earlier_sessions() -> None:
    """Sessions of other tests, wherever they still are, are not to hold what this one deletes."""
    gc.collect()
    session_datasets._ended.clear()
    session_datasets._holders.clear()


@pytest.fixture
def brought(open_page: Open) -> AppTest:
    """The page Data of a session that has checked digits and uses them."""
    draft = data_page._Draft(files(), (), Options(), "My <b>hand</b>", "local")
    app = open_page("data", _data_draft=draft)
    settle(app)
    healthy(app)
    assert "400 digits were read" in text(app) and "Nothing had to be left out" in text(app)
    app.button(key="data_use").click().run()
    healthy(app)
    return app


def held(app: AppTest) -> Dataset:
    (found,) = app.session_state["_own_data"].sets.values()
    return found


def test_the_page_says_what_can_be_uploaded(open_page: Open) -> None:
    app = open_page("data")
    assert "folders named 0 to 9" in text(app) and app.button(key="data_check").disabled


def test_where_uploads_are_off_the_page_says_so(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDR_UPLOADS", "off")
    app = open_page("data")
    assert "takes no uploads" in text(app) and not any(b.key == "data_check" for b in app.button)


def test_what_is_wrong_is_said_in_plain_words(open_page: Open) -> None:
    app = open_page("data", _data_draft=data_page._Draft((Upload("a", b"hello"),), (), Options(), "x", "local"))
    for _ in range(50):
        app.run()
        if "785" in text(app):
            break
        time.sleep(0.1)
    healthy(app)
    assert "in MNIST's layout it is 785" in text(app).replace("\\", "")


def test_they_can_be_chosen_wherever_data_are(brought: AppTest) -> None:
    name = held(brought).name
    brought.switch_page("pages/train.py").run()
    healthy(brought)
    assert "My b hand b" in brought.selectbox(key=key_of(brought, "data")).options
    brought.query_params["digit"] = f"{name}-test-3-0"
    brought.switch_page("pages/preprocess.py").run()
    healthy(brought)
    brought.switch_page("pages/features.py").run()
    healthy(brought)


def test_another_session_sees_nothing_of_them(brought: AppTest, open_page: Open) -> None:
    name = held(brought).name
    other = open_page("data")
    assert "hand" not in text(other).replace("handwritten", "") and name not in text(other)
    other.query_params["digit"] = f"{name}-test-3-0"
    other.switch_page("pages/preprocess.py").run()
    assert not other.exception
    assert "no data set" in " ".join(w.value for w in other.warning) or "right would be" in " ".join(
        w.value.replace("\\", "") for w in other.warning
    )


def trained(store: RunStore, data: Dataset, **values: Any) -> Any:
    spec = RunSpec(data.name, 500, classifier=Step("mlp", {"epochs": 2, "units": 20}))
    run = store.create(spec, "local", "a", "On my own", **values)
    assert execute(store, run.id), store.get(run.id).message
    return store.get(run.id)


def test_a_run_learns_from_them_in_another_process_and_outlives_them(brought: AppTest, store: RunStore) -> None:
    data = held(brought)
    run = trained(store, data)
    assert run.result["tested_on"] == len(data.test)
    for page in ("train", "runs"):
        brought.query_params["run"] = run.id
        brought.switch_page(f"pages/{page}.py").run()
        healthy(brought)
    brought.switch_page("pages/data.py").run()
    brought.button(key=f"remove-{data.name}").click().run()
    brought.run()
    healthy(brought)
    with pytest.raises(datasets.MissingDataError):
        user_datasets.load(data.name, "local")
    brought.query_params["run"] = run.id
    brought.switch_page("pages/train.py").run()
    healthy(brought)
    assert any("not here" in i.value for i in brought.info)
    brought.session_state["reader"] = run.id
    brought.switch_page("pages/draw.py").run()
    healthy(brought)


def test_who_may_not_see_the_data_may_not_learn_from_them(brought: AppTest, store: RunStore, open_page: Open) -> None:
    run = trained(store, held(brought), published=True)
    other = open_page("train", {"run": run.id})
    assert "test accuracy" in text(other) and any("not here" in i.value for i in other.info)
    with pytest.raises(HdrError, match="no data set"):
        actions.read_plan(json.dumps(run.plan))
    actions._repeat(run, "token")
    assert [r.id for r in store.listed("local")] == [run.id]


def test_a_run_is_tested_on_other_data_too(model: Run, brought: AppTest) -> None:
    own_name = held(brought).name
    brought.query_params["run"] = model.id
    brought.session_state["_run"] = model.id
    brought.switch_page("pages/train.py").run()
    brought.session_state["result"] = "On other data"
    brought.run()
    brought.selectbox(key=f"transfer_to-{model.id}").set_value(own_name).run()
    for _ in range(100):
        if "test digits of My b hand b" in text(brought):
            break
        time.sleep(0.1)
        brought.run()
    healthy(brought)
    assert "on the digits it was made for" in text(brought)
    assert "mistakes it was most sure of" in text(brought) or "none of them wrong" in text(brought)


def test_more_data_sets_are_offered_and_fetched_on_request(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(data_page.background_download, "start", lambda retry, name: asked.append(name))
    app = open_page("data")
    app.button(key="get-usps").click().run()
    assert asked == ["usps"]
    failed = data_page.background_download.FetchProgress("failed", message="No <b>mirror</b> had it.")
    monkeypatch.setattr(data_page.background_download, "progress", lambda name="mnist": failed)
    app.run()
    assert any("mirror" in w.value for w in app.warning)
    # Half a gigabyte is not for a visitor to spend.
    monkeypatch.setenv("HDR_PROFILE", "demo")
    app.run()
    assert not [b for b in app.button if (b.key or "").startswith("get-")]
    assert "python -m hdr data" in text(app).replace("\\", "")


def test_all_own_data_together_take_no_more_than_the_host_has_set(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_OWN_DATA_MB", "1")
    train = datasets.load("bundled").train
    others = user_datasets.create("Theirs", "", Split(train.images[:900], train.labels[:900]), Split(*empty()))
    user_datasets.store(others, "bert")

    app = open_page("data", _data_draft=data_page._Draft(files(), (), Options(), "Mine", "local"))
    for _ in range(100):
        app.run()
        said = unescaped(text(app))
        if "This needs" in said:
            break
        time.sleep(0.1)
    assert "This needs 0.31 MB, and visitors' own data take 0.71 of 1 MB on this server" in said
    assert not any(b.key == "data_use" for b in app.button) and len(list(user_datasets._all())) == 1
    user_datasets.delete(others.name, "bert")
    # There is room again.
    settle(open_page("data", _data_draft=data_page._Draft(files(), (), Options(), "Mine", "local")))


def empty() -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8)


def test_a_session_that_only_looked_leaves_nothing(open_page: Open) -> None:
    app = open_page("data", _data_draft=data_page._Draft(files(), (), Options(), "Mine", "local"))
    settle(app)
    assert len(list(user_datasets._all())) == 1
    app.session_state["_data_draft"] = data_page._Draft(files(300), (), Options(), "Mine", "local")
    settle(app)
    assert len(list(user_datasets._all())) == 2
    mine = app.session_state["_own_data"]
    # As when Streamlit lets a session go.
    session_datasets._ended.append(mine.keys)
    startup.cleanup_sessions()
    assert not list(user_datasets._all())


def test_the_end_of_a_session_deletes_what_it_brought(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    train = datasets.load("bundled")
    data = user_datasets.create("x", "", train.train, train.test)
    user_datasets.store(data, "local")
    session: dict[str, Any] = {}
    monkeypatch.setattr(session_datasets.st, "session_state", session)
    session_datasets.attach(data, "local")
    assert session_datasets.names() == (data.name,)
    other: dict[str, Any] = {}
    monkeypatch.setattr(session_datasets.st, "session_state", other)
    session_datasets.attach(data, "local")
    session.clear()
    startup.cleanup_sessions()
    np.testing.assert_array_equal(user_datasets.load(data.name, "local").test.labels, data.test.labels)
    other.clear()
    startup.cleanup_sessions()
    with pytest.raises(datasets.MissingDataError):
        user_datasets.load(data.name, "local")
