"""Steering: commands in the store, each taken once, and what a training makes of them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from hdr.jobs.worker import execute
from hdr.store.run_commands import RunCommands, watch
from hdr.store.runs import RunStore, UnknownRunError
from hdr.training import strategies
from hdr.training.controller import StoppedEarlyError, TrainingController
from hdr.training.fitting import fit
from hdr.training.model import TrainedModel
from hdr.training.run_spec import Change, RunSpec
from hdr.types import Dataset, HdrError, Step
from tests.support.waiting import PATIENCE, until

EPOCHS = 5
NETWORK = RunSpec("bundled", 500, classifier=Step("mlp", {"epochs": EPOCHS, "units": 10, "batch_size": 64}))


class Training:
    """A fit in a thread, with all its events, that is told what to do at chosen events."""

    def __init__(
        self, spec: RunSpec, dataset: Dataset, at: Callable[[dict[str, Any], TrainingController], None]
    ) -> None:
        self.events: list[dict[str, Any]] = []
        self.control = TrainingController(spec, steered=True)
        self.model: TrainedModel | None = None

        def report(event: dict[str, Any]) -> None:
            self.events.append(event)
            at(event, self.control)

        def run() -> None:
            self.model = fit(spec, dataset, report, self.control)

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    @property
    def steps(self) -> list[int]:
        """The points of its curve."""
        return [e["step"] for e in self.events if "step" in e]

    @property
    def paused(self) -> bool:
        """Whether it waits."""
        return bool(self.events) and self.events[-1]["phase"] == "paused"

    def end(self) -> TrainedModel:
        """Its model, once it is done."""
        self._thread.join(PATIENCE)
        assert self.model is not None
        return self.model


def weights(model: TrainedModel) -> list[np.ndarray]:
    """All weights of a network."""
    return [*model.classifier.coefs_, *model.classifier.intercepts_]


def same(one: TrainedModel, other: TrainedModel) -> bool:
    """Whether two networks have the same weights, bit for bit."""
    return all((a == b).all() for a, b in zip(weights(one), weights(other), strict=True))


def nothing(*_: Any) -> None:
    """No command."""


def after(step: int, *commands: tuple[Any, ...]) -> Callable[[dict[str, Any], TrainingController], None]:
    """Give commands when an epoch is finished."""

    def at(event: dict[str, Any], control: TrainingController) -> None:
        if event.get("step") == step:
            for command in commands:
                control.obey(*command)

    return at


def test_pausing_and_single_steps_change_nothing(bundled: Dataset) -> None:
    training = Training(NETWORK, bundled, after(2, ("pause",)))
    until(lambda: training.paused)
    assert training.steps == [1, 2]
    training.control.obey("step")
    until(lambda: training.paused and training.steps == [1, 2, 3])
    time.sleep(0.1)
    assert training.paused, "one epoch is one epoch"
    training.control.obey("go")
    model = training.end()
    assert training.steps == [1, 2, 3, 4, 5] and "stopped_early" not in model.metrics
    assert model.spec == NETWORK and same(model, fit(NETWORK, bundled))


def test_a_network_pauses_within_an_epoch(bundled: Dataset) -> None:
    batches: list[int] = []

    class Counting(TrainingController):
        def batch(self) -> None:
            batches.append(1)
            if len(batches) == 12:
                self.obey("pause")
                threading.Timer(0.1, lambda: self.obey("go")).start()
            super().batch()

    control = Counting(NETWORK, steered=True)
    events: list[dict[str, Any]] = []
    model = fit(NETWORK, bundled, events.append, control)
    (pause,) = [i for i, e in enumerate(events) if e["phase"] == "paused"]
    # 500 digits are 8 batches: the twelfth is in the middle of the second epoch.
    assert [e["step"] for e in events[:pause] if "step" in e] == [1]
    assert events[pause + 1]["paused_seconds"] > 0.09 and same(model, fit(NETWORK, bundled))


def test_times_are_without_pauses(bundled: Dataset) -> None:
    began = time.monotonic()
    training = Training(NETWORK, bundled, after(2, ("pause",)))
    until(lambda: training.paused)
    time.sleep(0.2)
    training.control.obey("go")
    metrics = training.end().metrics
    took = time.monotonic() - began
    waited = next(e["paused_seconds"] for e in training.events if "paused_seconds" in e)
    points = [e["elapsed"] for e in training.events if "elapsed" in e]
    assert 0.19 < waited < took and points == sorted(points)
    assert points[-1] <= metrics["total_seconds"] < took - waited + 0.01
    assert metrics["fit_seconds"] < metrics["total_seconds"]


def test_changes_hold_from_the_next_epoch_on_and_a_repeat_makes_them_again(bundled: Dataset) -> None:
    def at(event: dict[str, Any], control: TrainingController) -> None:
        if event.get("step") == 1:
            control.obey("change", {"learning_rate": 0.01})
        if event.get("step") == 3:
            control.obey("change", {"batch_size": 16})
            control.obey("change", {"batch_size": 32, "penalty": 0.1})

    training = Training(NETWORK, bundled, at)
    model = training.end()
    assert model.spec.to_json()["changes"] == [
        {"epoch": 2, "learning_rate": 0.01},
        {"epoch": 4, "batch_size": 32, "penalty": 0.1},
    ]
    marks = [(e["epoch"], e["changed"]) for e in training.events if "changed" in e]
    assert marks == [(2, {"learning_rate": 0.01}), (4, {"batch_size": 32, "penalty": 0.1})]
    again = fit(RunSpec.from_json(json.loads(json.dumps(model.spec.to_json()))), bundled)
    assert same(model, again) and again.spec == model.spec
    assert not same(model, fit(NETWORK, bundled))


@pytest.mark.parametrize("paused", [False, True])
def test_stop_and_keep_keeps_the_last_finished_epoch(paused: bool, bundled: Dataset) -> None:
    training = Training(NETWORK, bundled, after(3, *([("pause",)] if paused else []), ("keep",)))
    model = training.end()
    assert training.steps == [1, 2, 3]
    assert model.metrics["stopped_early"] == {"step": 3, "of": EPOCHS, "unit": "epoch", "by": "request"}
    assert model.spec.changes == (Change(4, stop=True),)
    assert model.metrics["tested_on"] == len(bundled.test) and same(model, fit(model.spec, bundled))


def test_keep_in_the_middle_of_the_first_epoch_waits_for_its_end(bundled: Dataset) -> None:
    training = Training(NETWORK, bundled, lambda e, c: c.obey("keep") if e["phase"] == "features" else None)
    assert training.end().metrics["stopped_early"]["step"] == 1 == training.steps[-1]


def test_keep_does_not_wait_for_a_fit_that_cannot_be_interrupted(
    bundled: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.svm import SVC

    begun, hold, real = threading.Event(), threading.Event(), SVC.fit

    def slow(self: SVC, features: np.ndarray, labels: np.ndarray) -> SVC:
        if len(labels) == 500:
            begun.set()
            hold.wait(PATIENCE)
        return real(self, features, labels)

    monkeypatch.setattr(SVC, "fit", slow)
    spec = RunSpec("bundled", 500, classifier=Step("svm"))
    training = Training(spec, bundled, nothing)
    until(begun.is_set)
    training.control.obey("keep")
    until(lambda: training.events[-1]["phase"] == "testing")
    assert not hold.is_set(), "the fit still goes on"
    model = training.end()
    hold.set()
    assert model.metrics["fitted_on"] == 250 and model.metrics["stopped_early"]["step"] == 250
    assert model.spec.changes == (Change(4, stop=True),)


def test_a_forest_that_is_kept_holds_only_the_trees_that_were_scored(bundled: Dataset) -> None:
    spec = RunSpec("bundled", 500, classifier=Step("random_forest", {"trees": 20}))
    training = Training(spec, bundled, after(6, ("keep",)))
    model = training.end()
    assert len(model.classifier.estimators_) == 6
    repeated = fit(model.spec, bundled).predict_proba(bundled.test.images)
    assert (model.predict_proba(bundled.test.images) == repeated).all()


def test_an_error_in_a_fit_of_its_own_thread_comes_out(bundled: Dataset) -> None:
    control = TrainingController(NETWORK, steered=True)
    with pytest.raises(ZeroDivisionError):
        control.alone(lambda: 1 // 0)


def test_the_loop_over_batches_leaves_the_estimator_as_it_was_when_it_ends_early() -> None:
    class Network:
        def _backprop(self) -> str:
            return "real"

    def leave() -> None:
        raise StoppedEarlyError

    network = Network()
    with pytest.raises(StoppedEarlyError), strategies._asking(network, leave):
        network._backprop()
    assert vars(network) == {} and network._backprop() == "real"


def test_commands_are_numbered_kept_in_order_and_counted_once(store: RunStore, small: RunSpec) -> None:
    steering, run = RunCommands(store), store.create(small, "ann", "t").id
    steering.send(run, "pause", "one")
    steering.send(run, "pause", "one")
    steering.send(run, "change", "two", {"learning_rate": 0.01})
    other = store.create(small, "ann", "u").id
    steering.send(other, "go", "one")
    found = RunCommands(RunStore()).commands(run)
    assert [(c.number, c.kind, c.values) for c in found] == [(0, "pause", {}), (1, "change", {"learning_rate": 0.01})]
    assert [c.number for c in steering.commands(run, after=0)] == [1]
    assert [c.kind for c in steering.commands(other)] == ["go"]


def test_commands_from_many_threads_all_arrive(store: RunStore, small: RunSpec) -> None:
    steering, run = RunCommands(store), store.create(small, "ann", "t").id

    def many(name: str) -> None:
        for i in range(10):
            steering.send(run, "step", f"{name}-{i}")

    threads = [threading.Thread(target=many, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [c.number for c in steering.commands(run)] == list(range(40))


@pytest.mark.parametrize(
    ("values", "named"), [({"units": 20}, "units"), ({"learning_rate": 7}, "0.1"), ({"learning_rate": "x"}, "x")]
)
def test_what_cannot_be_changed_is_refused_where_it_is_asked(
    values: dict[str, Any], named: str, store: RunStore, small: RunSpec
) -> None:
    steering, run = RunCommands(store), store.create(small, "ann", "t").id
    with pytest.raises(HdrError, match=named):
        steering.send(run, "change", "one", values)
    assert steering.commands(run) == []
    with pytest.raises(UnknownRunError):
        steering.send("no such run", "pause", "one")


def test_a_run_that_is_removed_takes_its_commands_along(store: RunStore, small: RunSpec) -> None:
    steering, run = RunCommands(store), store.create(small, "ann", "t").id
    steering.send(run, "pause", "one")
    with store.database.writing() as connection:
        connection.execute(sa.text("DELETE FROM runs"))
    assert steering.commands(run) == []


def test_what_sliders_show_is_what_the_next_epoch_will_have(store: RunStore) -> None:
    steering, spec = RunCommands(store), NETWORK.with_change(Change(4, (("learning_rate", 0.05),)))
    run = store.create(spec, "ann", "t").id
    assert steering.wanted(spec, [], 2)["learning_rate"] == 1e-3
    assert steering.wanted(spec, [], 3)["learning_rate"] == 0.05
    steering.send(run, "change", "one", {"learning_rate": 0.02})
    assert steering.wanted(spec, steering.commands(run), 3)["learning_rate"] == 0.02


def test_the_watch_passes_each_command_on_once_and_tells_of_a_stop(store: RunStore, small: RunSpec) -> None:
    steering, run, told = RunCommands(store), store.create(small, "ann", "t").id, []

    class Listening(TrainingController):
        def obey(self, kind: str, values: Any = None) -> None:
            told.append((kind, dict(values)))

    store.claim(run, 1)
    stopped, ended = threading.Event(), threading.Event()
    arguments = (steering, run, Listening(small), ended, stopped.set)
    thread = threading.Thread(target=watch, args=arguments, daemon=True)
    thread.start()
    steering.send(run, "pause", "one")
    until(lambda: told)
    steering.send(run, "change", "two", {"penalty": 0.5})
    until(lambda: len(told) == 2)
    time.sleep(0.3)
    assert told == [("pause", {}), ("change", {"penalty": 0.5})] and not stopped.is_set()
    store.request_stop(run)
    until(stopped.is_set)
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_commands_that_were_given_while_it_waited_count_from_the_start(store: RunStore) -> None:
    steering, run = RunCommands(store), store.create(NETWORK, "ann", "t").id
    steering.send(run, "change", "one", {"learning_rate": 0.01})
    steering.send(run, "pause", "two")
    worker = threading.Thread(target=execute, args=(store, run), daemon=True)
    worker.start()
    until(lambda: [e for e in store.events(run) if e["phase"] == "paused"])
    steering.send(run, "go", "three")
    worker.join(PATIENCE)
    done = store.get(run)
    assert done.status == "done" and done.spec.key == TrainedModel.load(done.folder).spec.key
    assert [dict(c.values) for c in done.spec.changes] == [{"learning_rate": 0.01}]
