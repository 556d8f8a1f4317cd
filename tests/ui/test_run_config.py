"""The plan of a run in a session."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from hdr import catalogue
from hdr.training.run_spec import PRESETS, Change, RunSpec
from hdr.types import Step
from tests.support.waiting import PATIENCE


def page() -> None:
    """The smallest page that has a plan."""
    import streamlit as st

    from hdr.ui.state import run_config

    if "act" in st.session_state:
        name, arguments, options = st.session_state.pop("act")
        getattr(run_config, name)(*arguments, **options)
    st.session_state["plan"] = run_config.current()
    st.session_state["preset_name"] = run_config.preset_name()


def app() -> AppTest:
    """A session of that page."""
    return run(AppTest.from_function(page, default_timeout=PATIENCE))


def run(found: AppTest, name: str = "", *arguments: object, **options: object) -> AppTest:
    """Run the page, maybe with a call to a function of the plan before it."""
    if name:
        found.session_state["act"] = (name, arguments, options)
    found.run()
    assert not found.exception, found.exception
    return found


def test_it_begins_as_the_fast_preset(own_home: Path) -> None:
    assert app().session_state["preset_name"] == "fast"


def test_without_mnist_it_begins_on_the_small_digits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HDR_DATASETS", str(tmp_path))
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "home"))
    found = app()
    assert found.session_state["plan"] == replace(PRESETS["fast"].spec, dataset="bundled")
    assert found.session_state["preset_name"] == "fast"


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_is_recognised_until_something_is_changed(name: str) -> None:
    found = run(app(), "use_preset", name)
    assert found.session_state["preset_name"] == name
    run(found, "change", seed=5)
    assert found.session_state["preset_name"] is None
    run(found, "change", seed=0)
    assert found.session_state["preset_name"] == name


def test_a_preset_keeps_the_data_set_that_is_chosen() -> None:
    found = run(app(), "change", dataset="bundled")
    run(found, "use_preset", "best")
    assert found.session_state["plan"].dataset == "bundled"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train_size": 10**9}, "from 500 to 60000"),
        ({"train_size": 0}, "from 500 to 60000"),
        ({"seed": -1}, "whole number"),
        ({"features": ()}, "1 to 4 features"),
        ({"features": (Step("pixels"),) * 5}, "1 to 4 features"),
        ({"classifier": Step("oracle")}, "no classifier"),
    ],
    ids=str,
)
def test_what_a_spec_refuses_is_said_and_changes_nothing(change: dict[str, object], said: str) -> None:
    found = app()
    before = found.session_state["plan"]
    run(found, "change", **change)
    assert found.session_state["plan"] == before
    assert said in found.toast[0].value.replace("\\", "")


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [("feature", "cell", 7), ("reduction", "components", 40), ("classifier", "C", 2.0)],
)
def test_a_parameter_takes_the_value_of_its_widget(kind: str, name: str, value: float) -> None:
    found = app()
    found.session_state["widget"] = value
    run(found, "set_parameter", kind, 0, name, "widget")
    plan = found.session_state["plan"]
    step = plan.features[0] if kind == "feature" else getattr(plan, kind)
    assert step.params[name] == value
    assert {**step.params, name: 0} == {**before_of(kind).params, name: 0}, "and nothing else has changed"


def before_of(kind: str) -> Step:
    """The step of the fast preset."""
    spec = PRESETS["fast"].spec
    return spec.features[0] if kind == "feature" else getattr(spec, kind)


@pytest.mark.parametrize(("kind", "name"), [("feature", "cell"), ("reduction", "components"), ("classifier", "C")])
def test_a_value_that_the_declaration_refuses_is_said_and_changes_nothing(kind: str, name: str) -> None:
    found = app()
    before = found.session_state["plan"]
    found.session_state["widget"] = -1
    run(found, "set_parameter", kind, 0, name, "widget")
    assert found.session_state["plan"] == before
    assert f"{name} is '-1'" in found.toast[0].value.replace("\\", "")


def test_features_keep_their_parameters_while_others_come_and_go() -> None:
    found = app()
    found.session_state["widget"] = 7
    run(found, "set_parameter", "feature", 0, "cell", "widget")
    run(found, "set_features", ["pixels", "hog"])
    run(found, "set_features", ["hog"])
    assert found.session_state["plan"].features[0].params["cell"] == 7
    run(found, "set_features", [])
    assert [s.name for s in found.session_state["plan"].features] == ["hog"]


def test_the_chain_of_preprocess_is_taken_without_what_is_off() -> None:
    found = app()
    found.session_state["_chain"] = pipeline("gaussian~_otsu")
    run(found, "use_pipeline")
    assert [s.name for s in found.session_state["plan"].pipeline.steps] == ["gaussian"]


def pipeline(text: str):
    """A chain from its address."""
    from hdr.preprocessing import Pipeline

    return Pipeline.from_text(text)


def test_the_plan_of_an_earlier_run_is_used_as_it_was() -> None:
    spec = RunSpec("bundled", 700, seed=3, classifier=catalogue.with_defaults("classifier", Step("decision_tree")))
    assert run(app(), "use", spec).session_state["plan"] == spec


@pytest.fixture
def modest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that allows 3,200 training digits."""
    monkeypatch.setenv("HDR_TRAINING_DIGITS", "3200")


def test_a_plan_of_more_digits_than_the_server_allows_takes_those_and_says_so(modest: None) -> None:
    found = app()
    assert found.session_state["plan"].train_size == 3_000 and not found.toast
    run(found, "use", RunSpec("bundled", 40_000))
    assert found.session_state["plan"] == RunSpec("bundled", 3_000)
    assert found.toast[0].value == (
        "This plan asks for 40,000 training digits, and this server allows 3,200: it has 3,000 now."
    )
    # Distorted copies count.
    run(found, "change", augmentation=Step("distort", {"copies": 2}))
    assert found.session_state["plan"].train_size == 1_000
    assert "3,200, distorted copies counted: it has 1,000 now" in found.toast[-1].value
    # A thing that is repeated with fewer digits is not repeated.
    steered = RunSpec("bundled", 9_000, classifier=Step("mlp"), changes=(Change(2, (("learning_rate", 0.01),)),))
    run(found, "use", steered)
    assert found.session_state["plan"] == replace(steered, train_size=3_000, changes=())


def test_a_plan_that_is_allowed_is_taken_as_it_is(modest: None) -> None:
    found = app()
    for spec in (RunSpec("bundled", 3_000), RunSpec("bundled", 1_234, augmentation=Step("distort", {"copies": 1}))):
        run(found, "use", spec)
        assert found.session_state["plan"] == spec and not found.toast


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_is_recognised_by_what_of_it_is_allowed(name: str, modest: None) -> None:
    found = run(app(), "use_preset", name)
    assert found.session_state["preset_name"] == name
    run(found, "change", seed=5)
    assert found.session_state["preset_name"] is None
