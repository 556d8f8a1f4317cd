"""A training that runs, on the Train page: what its buttons and sliders ask for. The store answers; no process does."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from hdr.jobs.worker import execute
from hdr.store.run_commands import RunCommands
from hdr.store.runs import Run, RunStore
from hdr.training.run_spec import Change, RunSpec
from hdr.types import Step
from tests.pages.conftest import Open, healthy, key_of, text

NETWORK = RunSpec("bundled", 500, classifier=Step("mlp", {"epochs": 10}))
BUTTONS = {"pause": "Pause", "go": "Go on", "step": "One epoch", "keep": "Stop and keep", "stop": "Stop"}


def running(store: RunStore, spec: RunSpec = NETWORK) -> Run:
    """A run that a process has taken, with two points."""
    run = store.create(spec, "local", "running")
    store.claim(run.id, 1)
    score = {"phase": "fitting", "unit": "epoch", "of": 10, "loss": 0.5}
    for number, epoch in enumerate((1, 2)):
        point = {"step": epoch, "elapsed": float(epoch), "train_accuracy": 0.9, "validation_accuracy": 0.8}
        store.add_event(run.id, number, score | point)
    return store.get(run.id)


def shown(app: AppTest) -> dict[str, str]:
    """The buttons that steer, by key, with their words."""
    return {b.key: b.label for b in app.button if b.key in BUTTONS}


def sliders(app: AppTest) -> dict[str, Any]:
    """The sliders of what may change, by parameter."""
    return {s.key.split("-")[2]: s for s in app.get("select_slider") if (s.key or "").startswith("live-")}


def sent(store: RunStore, run: Run) -> list[tuple[str, dict[str, Any]]]:
    """The commands in the store."""
    return [(c.kind, dict(c.values)) for c in RunCommands(store).commands(run.id)]


def click(app: AppTest, key: str) -> AppTest:
    """Press a button."""
    app.button(key=key).click().run()
    healthy(app)
    return app


def test_pause_and_go_on_take_turns(open_page: Open, store: RunStore) -> None:
    run, app = running(store), open_page("train")
    assert set(shown(app)) == {"pause", "step", "keep", "stop"} and shown(app).items() <= BUTTONS.items()
    click(app, "pause")
    assert sent(store, run) == [("pause", {})] and "pausing as soon as" in text(app)
    assert set(shown(app)) == {"go", "step", "keep", "stop"}
    store.add_event(run.id, 2, {"phase": "paused"})
    app.run()
    assert "Paused after epoch 2 of 10" in text(app) and "orange-badge" in text(app) and "left" not in text(app)
    click(app, "go")
    assert sent(store, run) == [("pause", {}), ("go", {})] and "pause" in shown(app)


def test_one_epoch_and_what_comes_after_it(open_page: Open, store: RunStore) -> None:
    run, app = running(store), open_page("train")
    click(app, "step")
    assert sent(store, run) == [("step", {})] and "pause" in shown(app)
    store.add_event(run.id, 2, {"phase": "paused"})
    app.run()
    assert "go" in shown(app)
    click(app, "step")
    assert sent(store, run) == [("step", {})] * 2


def test_stop_and_keep_is_asked_for_once(open_page: Open, store: RunStore) -> None:
    run, app = running(store), open_page("train")
    click(app, "keep")
    assert sent(store, run) == [("keep", {})] and app.button(key="keep").disabled
    assert "stopping, and keeping what is finished" in text(app)
    assert store.get(run.id).status == "running" and store.heartbeat(run.id)


def test_sliders_of_a_network_send_changes_and_keep_their_value(open_page: Open, store: RunStore) -> None:
    run, app = running(store), open_page("train")
    assert {name: s.value for name, s in sliders(app).items()} == {
        "learning_rate": 1e-3,
        "batch_size": 200,
        "penalty": 1e-4,
    }
    sliders(app)["learning_rate"].set_value(0.01).run()
    healthy(app)
    assert sent(store, run) == [("change", {"learning_rate": 0.01})]
    assert sliders(app)["learning_rate"].value == 0.01
    app.run()
    assert sliders(app)["learning_rate"].value == 0.01 and len(sent(store, run)) == 1


def test_a_slider_shows_what_another_tab_has_chosen(open_page: Open, store: RunStore) -> None:
    run, app = running(store), open_page("train")
    RunCommands(store).send(run.id, "change", "elsewhere", {"batch_size": 500})
    app.run()
    healthy(app)
    assert sliders(app)["batch_size"].value == 500 and len(sent(store, run)) == 1


def test_other_classifiers_go_by_stages_and_have_no_sliders(open_page: Open, store: RunStore) -> None:
    running(store, RunSpec("bundled", 500, classifier=Step("svm")))
    app = open_page("train")
    assert not sliders(app) and shown(app)["step"] == "One stage" and "when this stage is finished" in text(app)


def test_a_change_is_a_mark_in_the_curve(open_page: Open, store: RunStore) -> None:
    run = running(store)
    store.add_event(run.id, 2, {"phase": "fitting", "epoch": 3, "changed": {"learning_rate": 0.01}})
    app = open_page("train")
    assert "learning rate 0.01" in app.get("plotly_chart")[0].proto.spec
    assert "Dotted: what was changed" in text(app)


def test_a_run_that_waits_can_only_be_thrown_away(open_page: Open, store: RunStore) -> None:
    store.create(NETWORK, "local", "waiting")
    app = open_page("train")
    assert set(shown(app)) == {"stop"} and not sliders(app)


def test_a_result_says_how_far_it_came_and_what_is_kept(open_page: Open, store: RunStore) -> None:
    spec = RunSpec("bundled", 500, classifier=Step("mlp", {"epochs": 4, "units": 10, "keep_best": True}))
    run = store.create(spec.with_change(Change(3, stop=True)), "local", "t")
    assert execute(store, run.id)
    app = open_page("train", {"run": run.id})
    assert "It ended early, after 2 of 4 epochs: somebody stopped it." in text(app)
    assert "Its weights are those of epoch" in text(app)


@pytest.mark.parametrize("key", ["pause", "step", "keep"])
def test_a_run_that_has_ended_meanwhile_takes_no_command_amiss(key: str, open_page: Open, store: RunStore) -> None:
    run, app = running(store), open_page("train")
    store.end(run.id, "stopped")
    app.button(key=key).click().run()
    assert not app.exception
    assert "was stopped" in app.info[0].value


def test_a_published_run_of_somebody_else_can_be_watched_and_not_steered(
    open_page: Open, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_PROFILE", "demo")
    run = store.create(NETWORK, "default", "theirs", published=True)
    store.claim(run.id, 1)
    app = open_page("train", {"run": run.id})
    assert "Loading the digits" in text(app) and not shown(app) and not sliders(app)


def test_a_plan_that_repeats_a_steered_run_says_so_and_its_changes_go_when_it_is_altered(open_page: Open) -> None:
    steered = NETWORK.with_change(Change(2, (("learning_rate", 0.01),)))
    app = open_page("train", _plan=steered)
    assert "A repeat of a steered run" in text(app)
    app.selectbox(key=key_of(app, "classifier")).select("svm").run()
    healthy(app)
    assert not app.toast and app.session_state["_plan"].changes == () and "A repeat" not in text(app)
