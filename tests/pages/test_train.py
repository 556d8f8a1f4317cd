"""The Train page: the plan as widgets, one run for a click, and what becomes of it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from hdr import catalogue
from hdr.jobs.cost_estimate import Estimate
from hdr.store.runs import Run, RunStore
from hdr.training.run_spec import MAX_DIGITS, PRESETS, RunSpec
from hdr.types import HdrError, Step
from hdr.ui.components import run_estimate
from tests.pages.conftest import SMALL, Open, healthy, key_of, text, unescaped


def plan(app: AppTest) -> RunSpec:
    """The plan that the session holds."""
    return app.session_state["_plan"]


def group(app: AppTest, key: str):
    """A segmented control or pills."""
    return next(g for g in app.get("button_group") if g.key == key)


def widget(app: AppTest, key: str):
    """A widget of any kind."""
    return app.get_by_key(key)


def hyperparameters(app: AppTest) -> list[str]:
    """The names of the classifiers' hyperparameters that have a widget, by their keys."""
    names = "|".join(e.name for e in catalogue.entries("classifier"))
    keys = [w.key or "" for kind in ("slider", "select_slider", "toggle", "button_group") for w in app.get(kind)]
    shown = [found for key in keys if (found := re.fullmatch(rf"plan-\d+-({names})-0-(.+)", key))]
    assert {found[1] for found in shown} <= {plan(app).classifier.name}, "only those of the one that is chosen"
    return [found[2] for found in shown]


def train(app: AppTest) -> AppTest:
    """Click on Train."""
    app.button(key="train").click().run()
    healthy(app)
    return app


def test_it_starts_with_the_fast_preset_and_an_invitation(open_page: Open) -> None:
    app = open_page("train")
    assert group(app, key_of(app, "preset-.*")).value == "fast"
    assert plan(app).classifier == PRESETS["fast"].spec.classifier
    assert "Press <b>Train</b>" in text(app)
    assert PRESETS["fast"].note in text(app)


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_sets_every_widget(name: str, open_page: Open) -> None:
    app = open_page("train")
    group(app, key_of(app, "preset-.*")).set_value(name).run()
    healthy(app)
    spec = replace(PRESETS[name].spec, dataset=plan(app).dataset)
    assert plan(app) == spec
    assert group(app, key_of(app, "preset-.*")).value == name
    assert PRESETS[name].note in text(app)
    assert app.slider(key=key_of(app, "size")).value == spec.train_size
    assert app.number_input(key=key_of(app, "seed")).value == spec.seed
    assert app.multiselect(key=key_of(app, "features")).value == list(dict.fromkeys(s.name for s in spec.features))
    assert app.selectbox(key=key_of(app, "reduction")).value == (spec.reduction.name if spec.reduction else "none")
    assert app.selectbox(key=key_of(app, "classifier")).value == spec.classifier.name
    for parameter, value in spec.classifier.params.items():
        assert widget(app, key_of(app, f"{spec.classifier.name}-0-{parameter}")).value == value


def test_the_presets_that_the_page_promises_are_there(open_page: Open) -> None:
    app = open_page("train")
    assert group(app, key_of(app, "preset-.*")).options == ["The article", "Fast", "Best"]


@pytest.mark.parametrize("entry", catalogue.entries("classifier"), ids=lambda e: e.name)
def test_every_classifier_shows_its_own_hyperparameters_and_its_words(entry: catalogue.Entry, open_page: Open) -> None:
    app = open_page("train")
    app.selectbox(key=key_of(app, "classifier")).select(entry.name).run()
    healthy(app)
    assert plan(app).classifier == catalogue.with_defaults("classifier", Step(entry.name))
    assert sorted(hyperparameters(app)) == sorted(p.name for p in entry.parameters)
    assert entry.caption in text(app)


CLASSIFIER_PARAMETERS = [(e, p) for e in catalogue.entries("classifier") for p in e.parameters]


@pytest.mark.parametrize(("entry", "parameter"), CLASSIFIER_PARAMETERS, ids=lambda v: v.name)
def test_every_hyperparameter_can_be_changed(
    entry: catalogue.Entry, parameter: catalogue.Parameter, open_page: Open
) -> None:
    app = open_page("train", _plan=RunSpec(classifier=Step(entry.name)))
    if parameter.choices:
        value = next(c for c in reversed(parameter.choices) if c != parameter.default)
    elif parameter.type is bool:
        value = not parameter.default
    else:
        at_end = parameter.default == parameter.maximum
        value = parameter.type(parameter.minimum if at_end else parameter.maximum)
    widget(app, key_of(app, f"{entry.name}-0-{parameter.name}")).set_value(value).run()
    healthy(app)
    assert not app.toast
    assert plan(app).classifier.params == {**entry.validate(), parameter.name: value}
    assert widget(app, key_of(app, f"{entry.name}-0-{parameter.name}")).value == value


def test_size_seed_and_data_are_taken(open_page: Open) -> None:
    app = open_page("train")
    app.slider(key=key_of(app, "size")).set_value(MAX_DIGITS).run()
    app.number_input(key=key_of(app, "seed")).set_value(7).run()
    app.selectbox(key=key_of(app, "data")).select("bundled").run()
    healthy(app)
    assert (plan(app).train_size, plan(app).seed, plan(app).dataset) == (MAX_DIGITS, 7, "bundled")
    assert group(app, key_of(app, "preset-.*")).value is None
    assert "Your own plan." in text(app)


def test_a_preset_stays_on_the_data_set_that_is_chosen(open_page: Open) -> None:
    app = open_page("train")
    app.selectbox(key=key_of(app, "data")).select("bundled").run()
    group(app, key_of(app, "preset-.*")).set_value("article").run()
    healthy(app)
    assert plan(app) == replace(PRESETS["article"].spec, dataset="bundled")


def test_features_can_be_joined_and_keep_their_parameters(open_page: Open) -> None:
    app = open_page("train")
    app.slider(key=key_of(app, "hog-0-cell")).set_value(7).run()
    app.multiselect(key=key_of(app, "features")).set_value(["hog", "pixels"]).run()
    healthy(app)
    assert {s.name for s in plan(app).features} == {"hog", "pixels"}
    assert next(s for s in plan(app).features if s.name == "hog").params["cell"] == 7


def test_a_run_keeps_at_least_one_feature(open_page: Open) -> None:
    app = open_page("train")
    app.multiselect(key=key_of(app, "features")).set_value([]).run()
    healthy(app)
    assert [s.name for s in plan(app).features] == ["hog"]
    assert app.multiselect(key=key_of(app, "features")).value == ["hog"], "and the page shows the one that is left"


def test_one_extractor_can_be_there_twice_with_its_own_settings(open_page: Open) -> None:
    app = open_page("train")
    app.button(key=key_of(app, "repeat-0")).click().run()
    app.slider(key=key_of(app, "hog-1-cell")).set_value(7).run()
    healthy(app)
    assert [(s.name, s.params["cell"]) for s in plan(app).features] == [("hog", 4), ("hog", 7)]
    assert app.multiselect(key=key_of(app, "features")).value == ["hog"]
    app.multiselect(key=key_of(app, "features")).set_value(["hog", "pixels"]).run()
    assert [(s.name, s.params.get("cell")) for s in plan(app).features] == [("hog", 4), ("hog", 7), ("pixels", None)]
    app.button(key=key_of(app, "drop-0")).click().run()
    healthy(app)
    assert [(s.name, s.params.get("cell")) for s in plan(app).features] == [("hog", 7), ("pixels", None)]
    app.slider(key=key_of(app, "hog-0-cell")).set_value(5).run()
    assert plan(app).features[0].params["cell"] == 5


def test_distorted_copies_are_shown_and_their_limits_taken(open_page: Open) -> None:
    app = open_page("train")
    assert plan(app).augmentation is None and "copy 1 of it" not in text(app)
    app.toggle(key=key_of(app, "augmentation")).set_value(True).run()
    app.slider(key=key_of(app, "distort-0-copies")).set_value(10).run()
    app.slider(key=key_of(app, "distort-0-shift")).set_value(2.5).run()
    healthy(app)
    assert plan(app).augmentation.params["copies"] == 10 and plan(app).augmentation.params["shift"] == 2.5
    assert text(app).count("copy 3 of it") == 7 and "copy 4 of it" not in text(app)
    app.toggle(key=key_of(app, "augmentation")).set_value(False).run()
    healthy(app)
    assert plan(app).augmentation is None


def test_what_it_will_take_is_said_when_the_plan_has_settled(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page("train")
    assert "Measuring what this takes" in text(app)
    monkeypatch.setattr(run_estimate, "SETTLED_SECONDS", 0.0)
    assert "Takes about 20 s, 12 s of it fitting, and 345 MB" in answered(app)
    monkeypatch.setattr(run_estimate, "estimate", refuse)
    app.slider(key=key_of(app, "size")).set_value(700).run()
    assert "This run would hold too much" in answered(app)


def answered(app: AppTest) -> str:
    """What the page says when the estimate has come; it is made in another thread."""
    for _ in range(50):
        app.run()
        healthy(app)
        if "Measuring what this takes" not in text(app):
            break
    return text(app)


def refuse(spec: RunSpec, owner: str) -> Estimate:
    raise HdrError("This run would hold too much.")


def test_a_run_that_does_not_fit_is_refused_with_the_numbers(
    open_page: Open, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("train")
    monkeypatch.setenv("HDR_MEMORY_MB", "200")
    train(app)
    assert store.runs() == [] and "there are 200 MB" in unescaped(app.toast[0].value)
    monkeypatch.setenv("HDR_MEMORY_MB", "4000")
    train(app)
    assert len(store.runs()) == 1


def test_the_reduction_can_be_taken_out_and_put_in(open_page: Open) -> None:
    app = open_page("train")
    app.selectbox(key=key_of(app, "reduction")).select("none").run()
    healthy(app)
    assert plan(app).reduction is None
    assert not [s for s in app.slider if "-pca-0-" in (s.key or "")]
    app.selectbox(key=key_of(app, "reduction")).select("pca").run()
    app.slider(key=key_of(app, "pca-0-components")).set_value(40).run()
    healthy(app)
    assert plan(app).reduction == Step("pca", {**catalogue.get("reduction", "pca").validate(), "components": 40})


def test_the_pipeline_is_a_preset_or_that_of_preprocess(open_page: Open) -> None:
    app = open_page("preprocess", {"chain": "sobel_magnitude"})
    app.switch_page("pages/train.py").run()
    app.selectbox(key=key_of(app, "pipeline-.*")).select("From Preprocess").run()
    healthy(app)
    assert [s.name for s in plan(app).pipeline.steps] == ["sobel_magnitude"]
    app.selectbox(key=key_of(app, "pipeline-.*")).select("MNIST as published").run()
    healthy(app)
    assert plan(app).pipeline.steps == ()


def test_one_click_makes_one_run_of_the_plan(open_page: Open, store: RunStore) -> None:
    app = open_page("train")
    app.slider(key=key_of(app, "size")).set_value(500).run()
    assert store.runs() == []
    train(app)
    (run,) = store.runs()
    assert run.spec == plan(app)
    assert (run.owner, run.status) == ("local", "queued")
    app.run()
    app.switch_page("pages/draw.py").run()
    app.switch_page("pages/train.py").run()
    assert [r.id for r in store.runs()] == [run.id]


def test_a_click_that_arrives_twice_makes_one_run(
    open_page: Open, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As where the connection drops and the browser sends the click again: the button is still the one with this token.
    with monkeypatch.context() as patch:
        patch.setattr("secrets.token_hex", lambda n=16: "5" * 2 * n)
        first, second = open_page("train"), open_page("train")
    train(first)
    train(second)
    assert len(store.runs()) == 1


def test_two_clicks_in_two_tabs_make_two_runs(open_page: Open, store: RunStore) -> None:
    first, second = open_page("train"), open_page("train")
    train(first)
    train(second)
    assert len(store.runs()) == 2


def test_a_run_that_waits_says_so_and_train_cannot_be_pressed_meanwhile(open_page: Open, store: RunStore) -> None:
    app = train(open_page("train"))
    assert "**Waiting**" in text(app)
    assert app.button(key="train").disabled
    assert app.query_params["run"] == store.runs()[0].id, "the address brings back the run"


def running(store: RunStore, owner: str = "local") -> Run:
    """A run in the store that a process has taken, with two points."""
    run = store.create(replace(SMALL, classifier=Step("mlp", {"epochs": 10})), owner, f"running-{owner}")
    store.claim(run.id, 1)
    score = {"phase": "fitting", "unit": "epoch", "of": 10, "loss": 0.5}
    for number, epoch in enumerate((1, 2)):
        point = {"step": epoch, "elapsed": float(epoch), "train_accuracy": 0.9, "validation_accuracy": 0.8}
        store.add_event(run.id, number, score | point)
    return store.get(run.id)


def test_a_running_training_shows_how_far_it_is_and_can_be_stopped(open_page: Open, store: RunStore) -> None:
    run = running(store)
    app = open_page("train")
    assert "**Epoch 2 of 10**" in text(app)
    assert "about 8.0 s left" in text(app)
    assert app.progress[0].value == 20
    assert len(app.get("plotly_chart")) == 1
    app.button(key="stop").click().run()
    assert not store.heartbeat(run.id), "the process is told at its next heartbeat"
    store.end(run.id, "stopped")
    app.run()
    healthy(app)
    assert "was stopped" in app.info[0].value
    assert not app.button(key="train").disabled


def test_a_new_session_comes_back_to_the_training_that_runs(open_page: Open, store: RunStore) -> None:
    run = running(store)
    app = open_page("train")
    assert app.query_params["run"] == run.id


def test_a_waiting_run_can_be_stopped(open_page: Open, store: RunStore) -> None:
    app = train(open_page("train"))
    app.button(key="stop").click().run()
    healthy(app)
    assert store.runs()[0].status == "stopped"
    assert "was stopped" in app.info[0].value
    train(app)
    assert len(store.runs()) == 2, "and the next click makes the next run"


def test_a_result_is_shown_with_its_interval_its_mistakes_and_how_long_it_took(open_page: Open, model: Run) -> None:
    app = open_page("train", {"run": model.id})
    result, said = model.result, text(app)
    assert f"{result['test_accuracy'] * 100:.2f}%" in said
    low, high = (f"{v * 100:.2f}%" for v in result["interval"])
    assert f"95% interval {low} to {high}" in said
    assert {c.key for c in app.get("plotly_chart")} == {f"curve-{model.id}", f"understand_confusion-{model.id}"}
    table = app.dataframe[0].value
    assert list(table["count"]) == [r["count"] for r in result["per_class"]]
    assert list(table["digit"]) == [str(d) for d in range(10)]
    assert list(table["recall"]) == pytest.approx([r["recall"] * 100 for r in result["per_class"]])
    assert f"The {result['wrong']} test digits that it got wrong" in said
    assert "Fitted on 500 digits in" in said


def test_draw_with_it_makes_it_the_reader(open_page: Open, model: Run) -> None:
    app = open_page("train", {"run": model.id})
    app.button(key="draw_with_it").click().run()
    healthy(app)
    assert app.header[0].value == "Draw a digit"
    assert app.selectbox(key="reader").value == model.id


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_a_training_that_went_wrong_says_why(status: str, open_page: Open, store: RunStore) -> None:
    run = running(store)
    store.end(run.id, status, "There was not enough memory.")
    app = open_page()
    app.query_params["run"] = run.id
    app.switch_page("pages/train.py").run()
    assert not app.exception
    assert [unescaped(e.value) for e in app.error] == ["There was not enough memory."]
    assert len(app.get("plotly_chart")) == 1, "the curve is kept as far as it came"
    assert not app.button(key="train").disabled


@pytest.mark.parametrize("address", ["0" * 24, "nonsense", "' OR 1=1 --", "<script>"])
def test_an_address_of_no_run_says_so_and_the_page_works_on(address: str, open_page: Open, store: RunStore) -> None:
    app = open_page("train", {"run": address})
    assert [w.value for w in app.warning] == [
        "The run in this address is not here: it was deleted, or it belongs to somebody else."
    ]
    train(app)
    assert len(store.runs()) == 1
    assert not app.warning


def test_the_slider_offers_what_the_server_allows_and_says_so_at_its_end(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_TRAINING_DIGITS", "3200")
    app = open_page("train", _plan=RunSpec("bundled", 1_000, classifier=Step("mlp")))
    size = app.slider(key=key_of(app, "size"))
    assert (size.min, size.max, size.value) == (500, 3_000, 1_000)
    assert "This server allows" not in text(app)
    size.set_value(3_000).run()
    healthy(app)
    assert "This server allows 3,200 training digits." in plain_spaces(text(app))
    # Distorted copies count, and the slider follows.
    app.toggle(key=key_of(app, "augmentation")).set_value(True).run()
    healthy(app)
    size = app.slider(key=key_of(app, "size"))
    assert (size.max, size.value, plan(app).train_size) == (1_500, 1_500, 1_500)
    assert "3,200, distorted copies counted: it has 1,500 now" in app.toast[0].value
    app.toggle(key=key_of(app, "augmentation")).set_value(False).run()
    healthy(app)
    size = app.slider(key=key_of(app, "size"))
    assert (size.max, size.value) == (3_000, 1_500)
    # The host sets less while somebody plans.
    monkeypatch.setenv("HDR_TRAINING_DIGITS", "1000")
    app.run()
    healthy(app)
    size = app.slider(key=key_of(app, "size"))
    assert (size.max, size.value) == (1_000, 1_000)


def plain_spaces(words: str) -> str:
    """Words with spaces that a keyboard has."""
    return words.replace("\u00a0", " ")


def test_where_even_the_smallest_is_too_much_the_plan_is_refused_in_words(
    open_page: Open, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_TRAINING_DIGITS", "900")
    spec = RunSpec("bundled", 500, classifier=Step("mlp"), augmentation=Step("distort", {"copies": 1}))
    app = open_page("train", _plan=spec)
    healthy(app)
    assert plan(app) == spec
    train(app)
    assert "This plan learns from 1,000 digits, 500 and 1 distorted copy of each; this server allows 900" in unescaped(
        app.toast[0].value
    )
    assert not store.runs()
