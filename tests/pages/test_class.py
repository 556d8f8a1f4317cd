"""A class: what its link leaves of the app, on every page; and the page on which a teacher makes it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from hdr.classroom.assignment import Assignment, build
from hdr.classroom.assignment_link import from_text, to_text
from hdr.store.runs import Run, RunStore
from hdr.training.run_spec import RunSpec
from hdr.types import Step
from tests.pages.conftest import SMALL, Open, healthy, key_of, text, unescaped

PLAN = RunSpec("bundled", 500, classifier=Step("mlp", {"epochs": 5, "units": 50}))


@pytest.fixture(autouse=True)
def as_in_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are run by the entry script; by itself AppTest runs those of a folder named ``pages`` without it."""
    begin = PagesManager.__init__

    def made(self: PagesManager, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", made)


def task(**values: Any) -> Assignment:
    """A task in which only the epochs are free."""
    return build(
        **{
            "title": "Mind the epochs",
            "instruction": "Change one thing.",
            "plan": PLAN,
            "free": ("classifier.mlp.epochs",),
            "pages": ("draw",),
            **values,
        }
    )


def keys(app: AppTest) -> set[str]:
    """What follows the number in the keys of the plan's widgets."""
    kinds = ("multiselect", "slider", "select_slider", "toggle", "button_group", "selectbox", "number_input")
    return {w.key.split("-", 2)[2] for kind in kinds for w in app.get(kind) if (w.key or "").startswith("plan-")}


def in_class(open_page: Open, page: str = "train", **values: Any) -> AppTest:
    """A session that has opened the link."""
    return open_page(page, {"class": to_text(task(**values))})


def test_the_train_page_of_a_class_shows_the_task_and_only_what_is_free(open_page: Open) -> None:
    app = in_class(open_page, target=0.9)
    assert "Mind the epochs" in text(app)
    assert "Reach 90.00% test accuracy. You have no run yet." in text(app)
    assert keys(app) == {"mlp-0-epochs"}
    assert app.session_state["_plan"] == PLAN
    assert "Set by your teacher" in text(app)
    assert not [g for g in app.get("button_group") if g.key and "train_mode" in g.key], "no searches"
    assert not [link for link in app.get("page_link") if "teachers" in link.proto.label]


def test_what_is_free_is_changed_and_trained(open_page: Open, store: RunStore) -> None:
    app = in_class(open_page)
    app.slider(key=key_of(app, "mlp-0-epochs")).set_value(7).run()
    app.button(key="train").click().run()
    healthy(app)
    (run,) = store.runs()
    assert run.spec.classifier.params["epochs"] == 7
    app.button(key="class_plan").click().run()
    assert app.session_state["_plan"] == PLAN


def test_a_plan_from_elsewhere_that_lies_outside_is_refused_in_words(open_page: Open, store: RunStore) -> None:
    app = in_class(open_page)
    app.session_state["_plan"] = RunSpec("bundled", 1_000, classifier=PLAN.classifier)
    app.run()
    app.button(key="train").click().run()
    assert "allows 500 training digits, not 1,000" in unescaped(app.toast[0].value)
    assert not store.runs()


def test_the_task_stays_over_pages_and_is_in_the_address_of_each(open_page: Open) -> None:
    app = in_class(open_page)
    for page in ("draw", "about", "train"):
        app.switch_page(f"pages/{page}.py").run()
        healthy(app)
        assert "Mind the epochs" in text(app)
        assert from_text(app.query_params["class"]) == task()


@pytest.mark.parametrize("page", ["home", "preprocess", "runs", "teach"])
def test_a_page_that_the_class_does_without_says_so(page: str, open_page: Open) -> None:
    app = in_class(open_page)
    app.switch_page("pages/home.py" if page == "home" else f"pages/{page}.py").run()
    healthy(app)
    assert app.header[0].value == "Not part of this class"


def test_leaving_brings_everything_back_and_the_address_is_rid_of_it(open_page: Open) -> None:
    app = in_class(open_page)
    app.button(key="leave_class").click().run()
    healthy(app)
    assert "Mind the epochs" not in text(app)
    assert "class" not in app.query_params
    assert {"classifier", "size", "seed", "data"} <= keys(app)


def test_own_runs_count_towards_the_target_where_they_lie_within(open_page: Open, model: Run) -> None:
    assert model.spec == SMALL
    reached = in_class(open_page, target=0.5)
    assert "your run. <b>Reached.</b>" in text(reached)
    assert "Reached" not in text(in_class(open_page, target=1.0))
    other = RunSpec("bundled", 600, classifier=PLAN.classifier)
    assert "You have no run yet" in text(in_class(open_page, plan=other))


def test_choices_are_narrowed_and_come_with_the_values_of_the_class(open_page: Open) -> None:
    app = in_class(
        open_page,
        classifiers=("svm",),
        sizes=(500, 900),
        features=("pixels", "hog"),
        free=("seed", "pipeline", "reduction", "augmentation"),
    )
    assert keys(app) >= {"size", "seed", "features", "reduction", "classifier", "augmentation"}
    chosen = app.selectbox(key=key_of(app, "classifier"))
    assert len(chosen.options) == 2
    chosen.select("svm").run()
    healthy(app)
    app.selectbox(key=key_of(app, "classifier")).select("mlp").run()
    assert app.session_state["_plan"].classifier == PLAN.classifier
    assert (app.slider(key=key_of(app, "size")).min, app.slider(key=key_of(app, "size")).max) == (500, 900)


def test_searches_vary_what_is_free_alone(open_page: Open) -> None:
    app = in_class(open_page, tune=True)
    mode = next(g for g in app.get("button_group") if (g.key or "").startswith("train_mode"))
    mode.set_value("Tune").run()
    healthy(app)
    assert [d.path for d in app.session_state["_space"].space] == ["classifier.mlp.epochs"]


@pytest.mark.parametrize("address", ["", "x", "<b>", "AXic", to_text(task())[:-9], "A" * 5_000])
def test_a_link_that_cannot_be_read_says_so_and_leaves_everything(address: str, open_page: Open) -> None:
    app = open_page("train", {"class": address})
    assert "This class cannot be opened" in app.warning[0].value
    assert "classifier" in keys(app)


def test_a_class_on_data_that_are_not_here_says_so(open_page: Open) -> None:
    app = in_class(open_page, plan=RunSpec("nowhere"))
    assert "nowhere" in app.warning[0].value


def test_markup_in_a_task_is_shown_as_text(open_page: Open) -> None:
    app = in_class(open_page, title="<img src=x>", instruction="<script>1</script>")
    assert "&lt;img" in text(app)
    assert "<script" not in text(app)


def test_a_teacher_makes_a_link_of_the_plan_and_it_opens(open_page: Open) -> None:
    app = open_page("teach", _plan=PLAN)
    app.text_input(key="teach_title").set_value("Ours").run()
    healthy(app)
    address = app.code[0].value
    made = from_text(parse_qs(urlsplit(address).query)["class"][0])
    assert (made.title, made.plan, made.target, made.pages) == ("Ours", PLAN, None, ("runs", "draw"))
    assert "Ours" in text(app)
    assert "They choose" in text(app)
    pupil = open_page("train", {"class": to_text(made)})
    assert "Ours" in text(pupil)
    app.text_input(key="teach_title").set_value(" ").run()
    assert "1 to 60 letters" in unescaped(app.warning[0].value)


def test_train_leads_to_the_page_for_teachers(open_page: Open) -> None:
    assert [link for link in open_page("train").get("page_link") if "teachers" in link.proto.label]


def test_a_link_that_asks_for_more_digits_than_the_server_allows(
    open_page: Open, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = RunSpec("bundled", 1_400, classifier=PLAN.classifier)
    monkeypatch.setenv("HDR_TRAINING_DIGITS", "1000")
    # What the class may choose from has a part that is allowed.
    app = in_class(open_page, plan=large, sizes=(500, 1_400))
    healthy(app)
    assert "asks for 1,400 training digits, and this server allows 1,000: it has 1,000 now" in app.toast[0].value
    size = app.slider(key=key_of(app, "size"))
    assert (size.min, size.max, size.value) == (500, 1_000, 1_000)
    assert "The plan of your class." in text(app)
    assert app.button(key="class_plan").disabled, "it is the teacher's as far as it can be"
    # Nothing of it is allowed: it is refused where it would start.
    app = in_class(open_page, plan=large)
    healthy(app)
    app.button(key="train").click().run()
    assert "learns from 1,078 digits; this server allows 1,000" in unescaped(app.toast[0].value)
    assert not store.runs()
