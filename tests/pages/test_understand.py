"""The sections that explain a model, each on a page of its own, on a small model of the bundled digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from hdr.analysis import corruption_robustness
from hdr.analysis.calibration import at_threshold
from hdr.analysis.learning_curves import Point
from hdr.jobs.worker import execute
from hdr.store.runs import Run, RunStore
from hdr.training.run_spec import RunSpec
from hdr.types import Step, no_progress
from hdr.ui.results import confusion
from hdr.ui.results.confusion import ANY, cell_indices
from hdr.ui.results.learning_curves import interpretation
from hdr.ui.state import resources
from tests.pages.conftest import healthy, text
from tests.support.waiting import PATIENCE, until


def page() -> None:
    """A page with one section about one run; a button leads to Preprocess through the real app only."""
    import importlib

    import streamlit as st

    from hdr.ui.state import resources

    section = importlib.import_module(f"hdr.ui.results.{st.session_state['section']}").section
    section(resources.store().get(st.session_state["run_id"]))


def shown(section: str, run: Run) -> AppTest:
    app = AppTest.from_function(page, default_timeout=PATIENCE)
    app.session_state["section"], app.session_state["run_id"] = section, run.id
    return settled(app)


def settled(app: AppTest) -> AppTest:
    until(lambda: "hdr-waiting" not in text(app.run()), lambda: text(app))
    healthy(app)
    return app


def choose(app: AppTest, key: str, value: str) -> AppTest:
    (found,) = [
        w for kind in ("selectbox", "segmented_control") for w in app.get(kind) if (w.key or "").startswith(key)
    ]
    found.set_value(value)
    return settled(app)


def cards(app: AppTest, name: str) -> list[int]:
    keys = [b.key for b in app.button if (b.key or "").startswith(f"{name}-")]
    return [int(k.rsplit("-", 1)[1]) for k in keys]


def trained(classifier: Step, reduction: Step | None = None, title: str = "Another") -> Run:
    store = RunStore()
    run = store.create(RunSpec("bundled", 500, reduction=reduction, classifier=classifier), "local", title, title)
    assert execute(store, run.id)
    return store.get(run.id)


def test_digits_of_a_cell_by_hand() -> None:
    labels = np.array([4, 4, 4, 9, 9], np.uint8)
    said = np.zeros((5, 10), np.float32)
    for row, (call, p) in enumerate([(4, 0.9), (9, 0.6), (9, 0.8), (9, 0.7), (4, 0.95)]):
        said[row, call] = p
    assert cell_indices(labels, said, "4", "9").tolist() == [2, 1], "the most confident mistake first"
    assert cell_indices(labels, said, "4", "4").tolist() == [0]
    assert cell_indices(labels, said, "9", "9").tolist() == [3]
    assert cell_indices(labels, said, ANY, ANY).tolist() == [4, 2, 1], "only mistakes"
    assert cell_indices(labels, said, ANY, "4").tolist() == [4]
    assert cell_indices(labels, said, "4", ANY).tolist() == [2, 1]
    assert not len(cell_indices(labels, said, "1", "2"))


def test_the_matrix_begins_with_all_mistakes_and_shows_one_digit_in_full(model: Run) -> None:
    app = shown("confusion", model)
    wrong = model.result["wrong"]
    assert f"The {wrong} test digits that it got wrong" in text(app)
    listed = cards(app, "understand-cell")
    assert listed == [m["index"] for m in model.result["mistakes"]][: len(listed)]
    first = model.result["mistakes"][0]
    assert f"A **{first['label']}**, number {first['index']} of the test split, called **{first['said']}**" in text(app)
    assert "nearest of 500 of its training digits" in text(app)
    second = model.result["mistakes"][1]
    app.button(key=f"understand-cell-{second['index']}").click()
    assert f"number {second['index']} of the test split" in text(settled(app))
    app.button(key="understand_more").click()
    assert len(cards(settled(app), "understand-cell")) == min(wrong, 2 * confusion.SHOWN)


def test_a_cell_is_chosen_from_the_keyboard(model: Run) -> None:
    app = shown("confusion", model)
    matrix = np.array(model.result["confusion"])
    np.fill_diagonal(matrix, 0)
    really, called = np.unravel_index(matrix.argmax(), matrix.shape)
    choose(app, "understand_really", str(really))
    choose(app, "understand_called", str(called))
    assert f"{matrix.max()} test digits are a {really} and were called {called}" in text(app)
    labels = resources.dataset("bundled").test.labels
    assert (labels[cards(app, "understand-cell")] == really).all()
    choose(app, "understand_called", str(really))
    assert f"are a {really} and were called so" in text(app)
    empty = np.argwhere(np.array(model.result["confusion"]) == 0)[0]
    choose(app, "understand_really", str(empty[0]))
    choose(app, "understand_called", str(empty[1]))
    assert "None of the test digits is here" in text(app)


def test_a_click_on_a_cell_moves_the_boxes(model: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    state = {"chart": {"selection": {"points": [{"x": "9", "y": "4"}]}}}
    monkeypatch.setattr(confusion.st, "session_state", state)
    confusion._take_click(model, "chart")
    assert [state[key] for key in confusion._keys(model)] == ["4", "9"]
    state["chart"] = {"selection": {"points": []}}
    confusion._take_click(model, "chart")
    assert [state[key] for key in confusion._keys(model)] == ["4", "9"], "a new figure selects nothing"


def test_without_kept_probabilities_a_line_says_so(model: Run) -> None:
    (model.folder / "test.npy").unlink()
    resources._test_probabilities.clear()
    for section in ("confusion", "calibration", "label_errors"):
        assert "not kept" in text(shown(section, model)).replace("\\", "")
    resources._test_probabilities.clear()


def test_calibration_reads_off_a_threshold(model: Run) -> None:
    app = shown("calibration", model)
    assert len(app.get("plotly_chart")) == 3
    found = app.session_state  # the slider begins at 90 %
    assert found[f"understand_threshold-{model.id}"] == 0.9
    app.select_slider[0].set_value(0.0).run()
    healthy(app)
    wrong, total = model.result["wrong"], model.result["tested_on"]
    assert f"It answers **{total}** of {total} test digits (100.00%) and is wrong on **{wrong}**" in text(app)


def test_a_machine_without_probabilities_is_scaled_by_its_margins(fresh: None) -> None:
    run = trained(Step("svm"))
    app = shown("calibration", run)
    assert "has no probabilities of its own" in text(app)
    labels = resources.dataset("bundled").test.labels
    answered, wrong = at_threshold(labels, resources.test_probabilities(run), 0.9)
    assert f"It answers **{answered}** of {len(labels)} test digits" in text(app) and f"wrong on **{wrong}**" in text(
        app
    )


def test_robustness_is_measured_once_and_kept(model: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert corruption_robustness.load(model.folder) is None
    app = shown("robustness", model)
    found = corruption_robustness.load(model.folder)
    assert found is not None and f"{found.mean * 100:.1f}%" in text(app)
    assert len(app.get("plotly_chart")) == len(corruption_robustness.SWEEPS)
    monkeypatch.setattr(corruption_robustness, "measure", None)
    assert len(shown("robustness", model).get("plotly_chart")) == len(corruption_robustness.SWEEPS)


def test_runs_are_compared(model: Run) -> None:
    other = trained(Step("decision_tree"), title="The tree")
    app = shown("robustness", model)
    app.multiselect[0].set_value([other.id])
    settled(app)
    table = app.dataframe[0].value
    assert table["run"].tolist() == [model.title, "The tree"]
    assert table["mean"].tolist() == [
        pytest.approx(corruption_robustness.load(r.folder).mean * 100) for r in (model, other)
    ]


def test_a_folder_that_cannot_be_written_to_is_no_error(model: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path, found: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(corruption_robustness, "save", full)
    assert len(shown("robustness", model).get("plotly_chart")) == len(corruption_robustness.SWEEPS)


VIEWS = [
    (Step("mlp", {"epochs": 2, "units": 12}), None, "Weights", "The units of the first layer"),
    (Step("logistic_regression"), Step("pca", {"components": 20}), "Weights", "carried back through the reduction"),
    (Step("logistic_regression"), Step("pca", {"components": 20}), "Components", "in the **20 components**"),
    (Step("decision_tree"), None, "A digit's way", "questions"),
    (Step("svm"), None, "Support vectors", "training digits are support vectors"),
    (Step("k_nearest_neighbours"), None, "Who votes", "who votes"),
    (Step("decision_tree"), None, "Mean digits", "the mean that is nearest"),
    (Step("decision_tree"), None, "What it looks at", "covers one place after another"),
]


@pytest.mark.parametrize(
    ("classifier", "reduction", "view", "words"), VIEWS, ids=[f"{v[0].name}-{v[2]}" for v in VIEWS]
)
def test_every_view_of_the_inside(
    classifier: Step, reduction: Step | None, view: str, words: str, fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hdr.analysis.occlusion_importance.of_model.__defaults__", (20, *_silent()))
    app = shown("model_internals", trained(classifier, reduction))
    choose(app, "understand_inside", view)
    assert words in text(app)


def _silent() -> tuple[object, ...]:

    return (no_progress,)


def test_weights_that_are_not_of_pixels_are_not_shown(fresh: None) -> None:
    store = RunStore()
    spec = RunSpec("bundled", 500, features=(Step("hog"),), classifier=Step("mlp", {"epochs": 2, "units": 12}))
    run = store.create(spec, "local", "hog", "HOG")
    assert execute(store, run.id)
    assert "not pixels" in text(shown("model_internals", store.get(run.id)))


def test_suspect_labels_of_test_and_training_digits(model: Run) -> None:
    app = shown("label_errors", model)
    listed = cards(app, "understand-suspect")
    assert set(listed) <= {m["index"] for m in model.result["mistakes"]}
    assert "are suspect** by confident learning" in text(app)
    assert "people agreed with" not in text(app), "that is known of MNIST only"
    app.button(key=f"understand-suspect-{listed[1]}").click()
    assert f"number {listed[1]} of the test split" in text(settled(app))
    choose(app, "understand_where", "training")
    assert "appear here" in text(app)
    app.button(key="understand_fold").click()
    assert "of the training split" in text(settled(app))


def test_what_a_learning_curve_says_goes_by_mistakes() -> None:
    by_heart = Point(8000, 1.0, 0.984, 2000, 1.0)
    assert "more digits usually help" in interpretation(by_heart), "1.6 points apart, and yet learned by heart"
    assert "more freedom" in interpretation(Point(8000, 0.92, 0.9, 2000, 1.0))
    assert "more freedom" in interpretation(Point(8000, 1.0, 1.0, 2000, 1.0))


def test_curves_are_drawn_on_demand(model: Run) -> None:
    app = shown("learning_curves", model)
    assert not app.get("plotly_chart")
    app.button(key=f"ask-learning-{model.id}").click()
    assert len(settled(app).get("plotly_chart")) == 1
    choose(app, "understand_parameter", "classifier.activation")
    app.button(key=f"ask-validation-{model.id}-classifier.activation").click()
    assert len(settled(app).get("plotly_chart")) == 2
    assert "Held fixed: everything else of the plan" in text(app)
