"""Searches in this process: what is tried, what is pruned, what counts, and where they go on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import pytest

from hdr import datasets
from hdr.jobs import search_runner as module
from hdr.jobs.search_runner import execute
from hdr.store.runs import RunStore, StoreError
from hdr.store.searches import SearchStore
from hdr.training.fitting import fit
from hdr.training.run_spec import RunSpec
from hdr.tuning.objective import Objective
from hdr.tuning.records import Search, Trial
from hdr.tuning.sampler import _passed, _pruner, importance, should_prune, suggest
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import dimension
from hdr.types import Dataset, Split, Step

NETWORK = RunSpec("bundled", 500, classifier=Step("mlp", {"epochs": 8, "units": 15, "batch_size": 64}))
RATE = (dimension(NETWORK, "classifier.mlp.learning_rate"),)
MIXED = RunSpec("bundled", 500, features=(Step("hog"),), reduction=Step("pca", {"components": 20}))


@pytest.fixture(autouse=True)
def loaded(bundled: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundled digits are read once for all tests."""
    load = datasets.load
    monkeypatch.setattr(datasets, "load", lambda name, *owner: bundled if name == bundled.name else load(name, *owner))


def spec(base: RunSpec = NETWORK, space: Any = RATE, method: Any = "random", **options: Any) -> SearchSpec:
    """A search of a moment."""
    return SearchSpec(base, space, method, **{"most_trials": 6, "prune": False, **options})


def run(store: RunStore, plan: SearchSpec, token: str = "t", **options: Any) -> tuple[Search, list[Trial]]:
    """Do a search, and what has come of it."""
    searches = SearchStore(store)
    search = searches.create(plan, "ann", token).id
    assert execute(store, search, **options)
    return searches.get(search), searches.trials(search)


def made(number: int, value: float | None, values: dict[str, Any], status: Any = "done", scores: Any = "[]") -> Trial:
    """A trial as it could stand in the table."""
    return Trial("s", number, json.dumps(values), status, scores, value, 1.0, 0.0, 1, 0.0, 1.0, "", None)


@pytest.mark.parametrize(("method", "trials"), [("random", 5), ("grid", 7), ("tpe", 12), ("halving", 6)])
def test_every_method_finds_better_than_the_worst_and_says_what_it_took(
    store: RunStore, method: str, trials: int, bundled: Dataset
) -> None:
    search, found = run(store, spec(method=method, most_trials=trials))
    assert search.status == "done" and search.ended == len(found) == trials
    assert [t.number for t in found] == list(range(trials))
    best = found[search.best]
    assert best.value == search.best_value == max(t.value for t in found if t.status == "done")
    assert best.value > min(t.value for t in found) + 0.1
    assert len({t.values["classifier.mlp.learning_rate"] for t in found}) == trials, "nothing is tried twice"
    assert search.seconds == pytest.approx(sum(t.seconds for t in found))
    assert all(p <= q for t in found for (p, _), (q, _) in zip(t.scores, t.scores[1:], strict=False))
    # A run of the same plan comes to the same.
    assert fit(best.spec(search), bundled).metrics["validation_accuracy"] == best.value


def test_the_plan_itself_comes_first_where_it_lies_within(store: RunStore) -> None:
    _, found = run(store, spec(most_trials=2))
    assert found[0].values == {"classifier.mlp.learning_rate": 1e-3}
    outside = spec(space=(RATE[0].narrow(1e-2, 1e-1),))
    assert suggest(outside, [], 0)["classifier.mlp.learning_rate"] >= 1e-2


def test_pruning_ends_what_is_worse_than_others_at_the_same_point(store: RunStore) -> None:
    search, found = run(store, spec(prune=True, most_trials=9))
    early = [t for t in found if t.status == "pruned"]
    assert early and found[0].status == "done"
    for trial in early:
        assert 12.5 <= trial.scores[-1][0] <= 75 and trial.value == trial.scores[-1][1] < search.best_value


def test_a_classifier_without_epochs_is_compared_by_its_smaller_fits(store: RunStore) -> None:
    base = replace(MIXED, classifier=Step("svm"))
    space = (dimension(base, "classifier.svm.C"),)
    _, found = run(store, spec(base, space, "halving"))
    assert [p for p, _ in found[0].scores] == pytest.approx([12.5, 25, 50, 100], abs=0.5)
    assert any(t.status == "pruned" and len(t.scores) < 4 for t in found)
    _, plain = run(store, spec(base, space, most_trials=1), "u")
    assert [p for p, _ in plain[0].scores] == [100.0], "nobody prunes: no smaller fit is needed"
    assert plain[0].value == found[0].value


def test_different_curves_meet_at_the_rungs() -> None:
    tenths = "[[10, 0.9], [20, 0.9], [30, 0.9], [40, 0.9], [50, 0.9], [100, 0.9]]"
    others = [made(k, 0.9, {}, scores=tenths) for k in range(4)]
    plan = spec(prune=True)
    assert should_prune(plan, others, [(12.5, 0.5)])
    assert not should_prune(plan, others, [(12.5, 0.95)])
    assert not should_prune(plan, others, [(10.0, 0.5)]), "the first rung is not reached"
    assert not should_prune(plan, others, [(12.5, 0.5), (20.0, 0.5)]), "asked once at each rung"
    assert should_prune(plan, others, [(12.5, 0.5), (25.0, 0.6)])
    assert not should_prune(plan, others, [(12.5, 0.5), (100.0, 0.5)]), "at the end there is nothing to save"
    assert not should_prune(plan, others[:3], [(12.5, 0.5)]), "three are too few to judge by"
    assert not should_prune(spec(), others, [(12.5, 0.5)])


def test_optuna_notes_the_rungs_of_a_trial_under_the_names_that_we_give_it() -> None:
    """Optuna keeps them in attributes that it does not document: a version that names them otherwise fails here."""
    plan = spec(method="halving")
    study = optuna.create_study(direction="maximize", pruner=_pruner(plan))
    for values in ([0.7, 0.8, 0.9], [0.75, 0.85], [0.5]):
        trial = study.ask()
        for step, value in zip((1, 2, 4), values, strict=False):
            trial.report(value, step)
            trial.should_prune()
        study.tell(trial, values[-1])
    told = [_passed(dict(t.intermediate_values)) for t in study.trials]
    assert told == [t.system_attrs for t in study.trials] and all(told)


def test_successive_halving_ends_a_trial_where_optuna_ends_it() -> None:
    plan, shares = spec(method="halving", prune=True), (12.5, 25.0, 50.0)
    study = optuna.create_study(direction="maximize", pruner=_pruner(plan))
    draw, trials, ended = np.random.default_rng(0), [], []
    for number in range(30):
        trial, scores, hopeless_here = study.ask(), [], False
        for step, percent in zip((1, 2, 4), shares, strict=True):
            scores.append((percent, float(draw.random())))
            trial.report(scores[-1][1], step)
            hopeless_here = trial.should_prune()
            assert should_prune(plan, trials, scores) == hopeless_here, (number, scores)
            if hopeless_here:
                break
        study.tell(trial, scores[-1][1])
        ended.append(len(scores))
        status = "pruned" if hopeless_here else "done"
        trials.append(made(number, scores[-1][1], {}, status, json.dumps(scores)))
    assert set(ended) == {1, 2, 3}, "some end at each rung"


@pytest.mark.parametrize("folds", [3, 5])
def test_folds_give_the_mean_after_each(store: RunStore, folds: Any) -> None:
    _, found = run(store, spec(validation=folds, most_trials=2))
    for trial in found:
        assert [p for p, _ in trial.scores] == pytest.approx([100 * k / folds for k in range(1, folds + 1)])
        assert trial.value == trial.scores[-1][1]
    by_split = run(store, spec(most_trials=1), "u")[1][0]
    assert found[0].values == by_split.values and found[0].value != by_split.value


def test_every_digit_is_validated_once_in_folds_and_the_test_split_never(bundled: Dataset) -> None:
    class Untouchable(Split):
        def __getattribute__(self, name: str) -> Any:
            if name in ("images", "labels"):
                raise AssertionError("the test split was looked at")
            return object.__getattribute__(self, name)

    hidden = Split(bundled.test.images, bundled.test.labels)
    object.__setattr__(hidden, "__class__", Untouchable)
    data = replace(bundled, test=hidden)
    for validation in ("split", 3):
        work = Objective(spec(validation=validation), data)
        work.ready(NETWORK)
        assert 0 < work.fit(NETWORK, lambda percent, score: None) <= 1
        parts = work._parts(NETWORK)
        held = np.concatenate([out for _, out in parts])
        assert all(not set(fitted) & set(out) for fitted, out in parts) and len(set(held)) == len(held)
        assert len(held) == (500 if validation == 3 else 269)


def test_trials_that_differ_in_their_classifier_share_their_features(
    bundled: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_for: list[RunSpec] = []
    prepare = module.Objective.fit.__globals__["prepare"]
    monkeypatch.setattr("hdr.tuning.objective.prepare", lambda *a: made_for.append(a[0]) or prepare(*a))
    work = Objective(spec(), bundled)
    plans = [NETWORK, replace(NETWORK, classifier=Step("naive_bayes")), replace(NETWORK, features=(Step("zoning"),))]
    values = [(work.ready(p), work.fit(p, lambda percent, score: None))[1] for p in (*plans, NETWORK)]
    assert made_for == [NETWORK, plans[2]] and values[0] == values[3] != values[1]
    monkeypatch.setattr("hdr.tuning.objective.MAX_CACHED_BYTES", 0)
    work.ready(replace(NETWORK, seed=1))
    assert len(work._kept) == 1, "what is needed now is kept whatever it takes"


def test_what_does_not_go_together_is_refused_and_the_search_goes_on(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = (
        dimension(MIXED, "features", choices=["hog", "ink_amount"]),
        dimension(MIXED, "reduction.pca.components", choices=[3, 20]),
    )
    search, found = run(store, spec(MIXED, space, "grid"))
    refused = [t for t in found if t.status == "refused"]
    assert search.status == "done" and [t.values["features"] for t in refused] == ["ink_amount"]
    assert "20 components cannot be taken from 4 features" in refused[0].message
    assert "nothing left to try after 4 trials" in search.message and search.best is not None

    for error, message in ((MemoryError(), "not enough memory"), (ZeroDivisionError("oh"), "ZeroDivisionError: oh")):

        def fails(*_: Any, error: Exception = error) -> float:
            raise error

        monkeypatch.setattr(Objective, "fit", fails)
        search, found = run(store, spec(most_trials=2), message)
        assert search.status == "done" and search.best is None and "None of 2 trials" in search.message
        assert all(t.status == "failed" and message in t.message for t in found)


def test_a_plan_that_is_too_large_is_refused(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDR_MEMORY_MB", "100")
    _, found = run(store, spec(most_trials=1))
    assert found[0].status == "refused" and "there are 100 MB" in found[0].message


def test_a_store_that_takes_nothing_for_a_moment_costs_no_trial(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.0)
    monkeypatch.setattr("hdr.store.retry.time.sleep", lambda seconds: None)
    refused = {"begin": 0, "report": 0, "settle": 0}
    for name in refused:
        write = getattr(SearchStore, name)

        def at_times(self: SearchStore, *a: Any, name: str = name, write: Any = write) -> Any:
            refused[name] += 1
            if refused[name] % 2:
                raise StoreError("The disk is full.")
            return write(self, *a)

        monkeypatch.setattr(SearchStore, name, at_times)
    _, found = run(store, spec(most_trials=3))
    assert [(t.number, t.status, t.attempts) for t in found] == [(k, "done", 1) for k in range(3)]
    assert all(len(t.scores) == 8 for t in found) and refused["report"] == 24


def test_data_that_is_not_there_fails_the_search(store: RunStore) -> None:
    searches = SearchStore(store)
    search = searches.create(spec(replace(NETWORK, dataset="no such")), "ann", "t").id
    assert not execute(store, search)
    assert searches.get(search).status == "failed" and "no such" in searches.get(search).message


def test_minutes_end_it_and_may_be_raised(store: RunStore) -> None:
    searches = SearchStore(store)
    search, found = run(store, spec(most_minutes=1e-4, most_trials=50))
    assert search.status == "done" and len(found) == 1 and search.exhausted
    assert not searches.resume(search.id)
    searches.extend(search.id, "ann", trials=3, minutes=0)
    assert searches.resume(search.id) and execute(store, search.id)
    assert [t.number for t in searches.trials(search.id)] == [0, 1, 2]
    assert searches.trials(search.id)[0] == found[0], "what has ended stays as it is"


@pytest.mark.parametrize("method", ["random", "tpe", "halving", "grid"])
def test_stopped_and_gone_on_with_it_is_what_it_would_have_been(store: RunStore, method: str) -> None:
    plan = spec(method=method, prune=True, most_trials=12 if method == "tpe" else 6)
    _, whole = run(store, plan)
    searches, seen = SearchStore(store), []
    search = searches.create(plan, "ann", "again").id

    def stop(trial: Trial) -> None:
        seen.append(trial)
        if trial.number in (2, 4):
            searches.request_stop(search)
            searches.end(search, "stopped")

    while searches.get(search).status != "done":
        execute(store, search, report=stop)
        searches.resume(search)
    parts = searches.trials(search)
    assert [t.number for t in seen] == list(range(len(whole)))
    assert [(t.values, t.status, t.value, t.scores, t.attempts) for t in parts] == [
        (t.values, t.status, t.value, t.scores, t.attempts) for t in whole
    ]


def test_a_stop_is_heard_and_its_trial_is_repeated(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.02)
    searches, heard = SearchStore(store), []
    search = searches.create(spec(most_trials=2), "ann", "t").id
    fits: Callable[..., float] = Objective.fit

    def asks_to_stop(self: Objective, plan: RunSpec, seen: Any) -> float:
        searches.request_stop(search)
        while not heard:
            time.sleep(0.01)
        return fits(self, plan, seen)

    with monkeypatch.context() as patch:
        patch.setattr(Objective, "fit", asks_to_stop)
        assert not execute(store, search, stopped=lambda: heard.append(1))
    assert searches.get(search).status == "stopped"
    (left,) = searches.trials(search)
    assert left.status == "running" and left.value is None
    assert searches.resume(search) and execute(store, search)
    first = searches.trial(search, 0)
    assert (first.status, first.attempts, first.values) == ("done", 1, left.values)


def test_a_trial_that_kills_its_process_again_and_again_is_left_behind(store: RunStore) -> None:
    searches = SearchStore(store)
    search = searches.create(spec(most_trials=2), "ann", "t").id
    claim = searches.claim(search, 1)
    searches.begin(search, claim, {"classifier.mlp.learning_rate": 0.002})
    for _ in range(2):
        assert searches.died(search, 1) == "queued"
        assert searches.repeat(search, searches.claim(search, 1), 0)
    assert searches.died(search, 1) == "queued" and execute(store, search)
    first, second = searches.trials(search)
    assert (first.status, first.attempts) == ("failed", 3) and "died 3 times" in first.message
    assert second.status == "done" and searches.get(search).status == "done"


def test_others_get_their_turn_between_two_trials(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TURN_SECONDS", 0.0)
    searches = SearchStore(store)
    search, found = run(store, spec(most_trials=3), polite=True)
    assert len(found) == 3, "nobody waits"
    monkeypatch.setattr(SearchStore, "others_wait", lambda self: True)
    search, found = run(store, spec(most_trials=3), "u", polite=True)
    assert search.status == "queued" and len(found) == 1
    while searches.get(search.id).status == "queued":
        assert execute(store, search.id, polite=True)
    assert [t.attempts for t in searches.trials(search.id)] == [1, 1, 1]


def test_a_search_that_another_has_is_left_alone(store: RunStore) -> None:
    searches = SearchStore(store)
    search = searches.create(spec(), "ann", "t").id
    searches.claim(search, 1)
    assert not execute(store, search) and searches.trials(search) == []


def test_a_small_space_is_tried_out_once(store: RunStore) -> None:
    space = (dimension(NETWORK, "classifier.mlp.activation"), dimension(NETWORK, "classifier.mlp.keep_best"))
    search, found = run(store, spec(replace(NETWORK, classifier=Step("mlp", {"epochs": 1})), space, most_trials=20))
    assert len(found) == 6 and "nothing left to try after 6 trials" in search.message


def test_every_value_that_is_tried_lies_within_and_can_be_read() -> None:
    space = (
        dimension(MIXED, "augmentation.on"),
        dimension(MIXED, "augmentation.shift", 0.3, 2.0),
        dimension(MIXED, "classifier", choices=["svm", "random_forest", "mlp"]),
        dimension(MIXED, "classifier.svm.C", 0.5, 70),
        dimension(MIXED, "classifier.random_forest.trees", 15, 100),
        dimension(MIXED, "reduction.pca.components", choices=[10, 20, 30]),
    )
    for method in ("random", "tpe"):
        plan, trials = spec(MIXED, space, method), []
        for number in range(25):
            values = suggest(plan, trials, number)
            assert list(values) == [d.path for d in plan.asked(values)]
            assert all(one.contains(values[one.path]) for one in plan.asked(values))
            assert all(len(repr(v)) <= 8 for v in values.values() if isinstance(v, float))
            plan.apply(values)
            status = "refused" if number % 5 == 4 else "done"
            trials.append(made(number, number / 30 if status == "done" else None, values, status))
        assert len({t.values_json for t in trials}) == 25


def test_tpe_learns_where_chance_does_not() -> None:
    space = (dimension(NETWORK, "classifier.mlp.learning_rate"), dimension(NETWORK, "classifier.mlp.units"))
    means = {}
    for method in ("tpe", "random"):
        trials: list[Trial] = []
        for number in range(50):
            values = suggest(spec(space=space, method=method, seed=1), trials, number)
            off = abs(np.log10(values["classifier.mlp.learning_rate"]) + 2)
            trials.append(made(number, float(1 - off / 4), values))
        means[method] = np.mean([t.value for t in trials[25:]])
    assert means["tpe"] > means["random"] + 0.1


def test_importance_finds_what_matters() -> None:
    space = tuple(dimension(NETWORK, f"classifier.mlp.{name}") for name in ("learning_rate", "units", "activation"))
    plan, trials = spec(space=space), []
    for number in range(60):
        values = suggest(plan, trials, number)
        off = abs(np.log10(values["classifier.mlp.learning_rate"]) + 3)
        trials.append(made(number, float(1 - off / 5 - 0.001 * values["classifier.mlp.units"] / 500), values))
    found = importance(trials, plan.space)
    assert next(iter(found)) == "classifier.mlp.learning_rate" and found["classifier.mlp.learning_rate"] > 0.8
    assert sum(found.values()) == pytest.approx(1) and len(found) == 3
    assert importance(trials[:1], plan.space) == {} == importance([], plan.space)
    only_some = [made(99, 0.1, {"classifier.mlp.units": 5})]
    assert list(importance(trials + only_some, plan.space)) == ["classifier.mlp.units"]
    assert importance([replace(t, value=0.5) for t in trials], plan.space) == {}
