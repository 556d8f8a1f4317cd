"""The search on the Train page: its space as widgets, what it shows of trials, and addresses that anybody may write."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from hdr.store.runs import RunStore
from hdr.store.searches import SearchStore
from hdr.training.run_spec import MAX_DIGITS, PRESETS, RunSpec
from hdr.tuning.records import Search
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import dimension
from hdr.types import Step
from hdr.ui.state import resources, search_config
from hdr.ui.tune import formatting, parallel_brush, trial_table
from tests.pages.conftest import Open, Queue, healthy, text, unescaped

BASE = replace(PRESETS["fast"].spec, dataset="bundled", train_size=500)


class SearchQueue(Queue):
    """Takes searches too, and starts none."""

    def __init__(self, store: RunStore, **_: Any) -> None:
        super().__init__(store)
        self._searches = SearchStore(store)

    def submit_search(self, *args: Any, **kwargs: Any) -> Search:
        """As `LocalScheduler.submit_search`, without a process."""
        return self._searches.create(*args, **kwargs)

    def stop_search(self, search_id: str) -> None:
        """As `LocalScheduler.stop_search`, without a process."""
        self._searches.request_stop(search_id)

    def resume_search(self, search_id: str) -> bool:
        """As `LocalScheduler.resume_search`, without a process."""
        return self._searches.resume(search_id)


@pytest.fixture(autouse=True)
def queue(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is started."""
    monkeypatch.setattr(resources, "LocalScheduler", SearchQueue)


@pytest.fixture
def searches(store: RunStore) -> SearchStore:
    """The searches of the app's store."""
    return SearchStore(store)


def spec(**values: Any) -> SearchSpec:
    """A search over four things of all kinds."""
    space = (
        dimension(BASE, "pipeline.1.on"),
        dimension(BASE, "classifier.svm.kernel", choices=["rbf", "linear"]),
        dimension(BASE, "classifier.svm.C", 0.1, 100.0),
        dimension(BASE, "reduction.pca.components", 10, 60),
    )
    return SearchSpec(BASE, space, **{"method": "random", "most_trials": 20, **values})


def made(searches: SearchStore, n: int = 8, status: str = "stopped", owner: str = "local", **values: Any) -> Search:
    """A search with trials of all kinds: the third one best, the second pruned, the fourth refused."""
    search = searches.create(spec(**values), owner, f"made-{n}-{status}-{owner}")
    claim = searches.claim(search.id, 1)
    for i in range(n):
        tried = {
            "pipeline.1.on": i % 2 == 0,
            "classifier.svm.kernel": "linear" if i == 4 else "rbf",
            "classifier.svm.C": 0.1 * (i + 1),
            "reduction.pca.components": 10 + i,
        }
        number = searches.begin(search.id, claim, tried).number
        accuracy = 0.97 if i == 2 else 0.9 + 0.005 * i
        if i == 3:
            searches.settle(search.id, claim, number, "refused", message="There are only 9 features.")
        elif i == 1:
            searches.settle(search.id, claim, number, "pruned", 0.7, [(25, 0.7)], 1.0)
        else:
            searches.settle(search.id, claim, number, "done", accuracy, [(50, accuracy - 0.02), (100, accuracy)], 2.0)
    if status != "running":
        searches.end(search.id, status)
    return searches.get(search.id)


def tune(open_page: Open, **address: str) -> AppTest:
    """The Train page with the switch on Tune."""
    app = open_page("train", address or None)
    if not address:
        group(app, "train_mode-0").set_value("Tune").run()
        healthy(app)
    return app


def group(app: AppTest, key: str) -> Any:
    """Pills or a segmented control, by how its key begins or what it ends with."""
    return next(g for g in app.get("button_group") if (g.key or "").startswith(key) or (g.key or "").endswith(key))


def draft(app: AppTest) -> search_config.SearchConfig:
    """The search that is being planned."""
    return app.session_state["_space"]


def paths(app: AppTest) -> list[str]:
    """What is ticked."""
    return [d.path for d in draft(app).space]


def pills(app: AppTest, title: str) -> Any:
    """What may be ticked of one part of the plan."""
    return next(g for g in app.get("button_group") if g.label == title)


def open_tab(app: AppTest, name: str) -> AppTest:
    app.session_state["tune_tabs"] = name
    app.run()
    healthy(app)
    return app


def test_one_run_is_planned_first_and_no_search_is_run(open_page: Open) -> None:
    app = open_page("train")
    assert group(app, "train_mode").value == "One run"
    assert "space" not in app.query_params and "search" not in app.query_params
    assert not [b for b in app.button if b.key == "tune_start"], "what is not shown is not run"


def test_tuning_begins_around_the_plan_with_what_tells_most(open_page: Open) -> None:
    app = tune(open_page)
    assert draft(app).base == app.session_state["_plan"]
    assert paths(app) == ["classifier.svm.C", "classifier.svm.gamma"]
    assert [(d.low, d.high) for d in draft(app).space] == [(0.2, 100.0), (0.05, 20.0)]
    assert not [b for b in app.button if b.key == "train"]
    assert "press <b>Search</b>" in text(app)
    assert search_config.from_text(app.query_params["space"]) == draft(app)


def test_every_part_of_the_plan_may_be_ticked_and_narrowed(open_page: Open) -> None:
    app = tune(open_page)
    titles = ["Preprocessing", "Features", "Reduction", "Classifier", "Distorted copies"]
    assert [g.label for g in app.get("button_group") if g.label in titles] == titles
    pills(app, "Preprocessing").set_value(["pipeline.1.on"]).run()
    healthy(app)
    assert paths(app) == ["pipeline.1.on", "classifier.svm.C", "classifier.svm.gamma"], "in the order of the data's way"
    pills(app, "Classifier").set_value(["classifier.svm.C", "classifier.svm.kernel"]).run()
    healthy(app)
    assert paths(app) == ["pipeline.1.on", "classifier.svm.kernel", "classifier.svm.C"]
    slider = next(s for s in app.select_slider if s.label == "C")
    slider.set_value((1.0, 10.0)).run()
    healthy(app)
    assert (draft(app).space[-1].low, draft(app).space[-1].high) == (1.0, 10.0)
    pills(app, "Kernel").set_value(["poly", "rbf"]).run()
    healthy(app)
    assert draft(app).space[1].choices == ("rbf", "poly")
    assert json.loads(app.query_params["space"])["space"][1]["choices"] == ["rbf", "poly"]


def test_a_range_of_one_value_and_no_choice_at_all_are_refused(open_page: Open) -> None:
    app = tune(open_page)
    pills(app, "Classifier").set_value(["classifier.svm.kernel", "classifier.svm.C"]).run()
    pills(app, "Kernel").set_value([]).run()
    healthy(app)
    assert draft(app).space[0].choices == ("rbf", "linear", "poly")
    assert "1 to 40 values" in unescaped(app.toast[0].value)
    next(s for s in app.select_slider if s.label == "C").set_value((5.0, 5.0)).run()
    assert draft(app).space[1].low < draft(app).space[1].high
    assert next(s for s in app.select_slider if s.label == "C").value == (0.2, 100.0), "the widget shows what counts"


def test_what_hangs_on_another_choice_appears_with_it(open_page: Open) -> None:
    app = tune(open_page)
    pills(app, "Classifier").set_value([*paths(app), "classifier"]).run()
    chosen = next(g for g in app.get("button_group") if (g.key or "").endswith("-classifier"))
    assert draft(app).space[0].choices == ("svm",)
    chosen.set_value(["svm", "k_nearest_neighbours"]).run()
    healthy(app)
    offered = pills(app, "Classifier").options
    assert any("neighbours" in o.lower() for o in offered if ":" in o)
    chosen = next(g for g in app.get("button_group") if (g.key or "").endswith("-classifier"))
    chosen.set_value(["k_nearest_neighbours"]).run()
    healthy(app)
    assert paths(app) == ["classifier"], "C and gamma would never be asked for"


def test_without_anything_ticked_and_with_too_large_a_grid_it_says_why(open_page: Open) -> None:
    app = tune(open_page)
    pills(app, "Classifier").set_value([]).run()
    healthy(app)
    assert app.button(key="tune_start").disabled
    assert "at least one dimension" in text(app)
    assert search_config.from_text(app.query_params["space"]).space == ()
    pills(app, "Classifier").set_value(["classifier.svm.C", "classifier.svm.gamma", "classifier.svm.degree"]).run()
    pills(app, "Reduction").set_value(["reduction.pca.components"]).run()
    group(app, "-method").set_value("grid").run()
    healthy(app)
    assert app.button(key="tune_start").disabled
    assert "at most 1,000 are allowed" in text(app)
    assert search_config.from_text(app.query_params["space"]) == draft(app), "its link is a link all the same"


def test_a_grid_says_how_many_combinations_it_has(open_page: Open) -> None:
    app = tune(open_page)
    group(app, "-method").set_value("grid").run()
    healthy(app)
    size = draft(app).spec.grid_size
    assert f"A grid of {size} combinations; 30 of them are tried" in text(app)


def test_one_click_makes_one_search_and_the_address_names_it(open_page: Open, searches: SearchStore) -> None:
    app = tune(open_page)
    group(app, "-validation").set_value(3).run()
    app.number_input(key=next(n.key for n in app.number_input if n.label == "Trials at most")).set_value(7).run()
    app.button(key="tune_start").click().run()
    healthy(app)
    (search,) = searches.searches("local")
    assert app.query_params["search"] == search.id
    assert search.spec == draft(app).spec
    assert (search.spec.validation, search.spec.most_trials) == (3, 7)
    assert "Waiting" in text(app)


def test_another_classifier_brings_its_own_settings(open_page: Open) -> None:
    app = tune(open_page)
    app.session_state["_plan"] = RunSpec("bundled", 500, classifier=Step("mlp"))
    app.run()
    healthy(app)
    assert paths(app) == ["classifier.mlp.learning_rate", "classifier.mlp.penalty"]


def test_a_search_shows_its_best_with_what_varied(open_page: Open, searches: SearchStore) -> None:
    search = made(searches)
    app = tune(open_page, search=search.id)
    said = unescaped(text(app))
    assert "97.00%" in said
    assert "Deskew on · Components 12 · Kernel rbf · C 0.3" in said
    assert "8 of 20 trials** (1 stopped early, 1 refused)" in said
    assert draft(app).spec == search.spec, "the left side shows what this search varies"
    assert {b.key for b in app.button} >= {"tune_go", "tune_delete"}


@pytest.mark.parametrize("tab", ["Trials", "One setting at a time", "Two settings together", "Take it along"])
def test_every_tab_of_a_search_can_be_looked_at(tab: str, open_page: Open, searches: SearchStore) -> None:
    app = tune(open_page, search=made(searches, n=20).id)
    open_tab(app, tab)
    assert len(app.get("plotly_chart")) >= {"One setting at a time": 6, "Two settings together": 3}.get(tab, 2)


def test_a_search_without_trials_says_what_will_appear(open_page: Open, searches: SearchStore) -> None:
    app = tune(open_page, search=searches.create(spec(), "local", "empty").id)
    assert "When the first trials have ended" in text(app)


def test_the_table_has_every_trial_with_its_curve(open_page: Open, searches: SearchStore) -> None:
    app = tune(open_page, search=made(searches).id)
    table = app.dataframe[0].value
    assert list(table["number"]) == list(range(1, 9))
    assert table["accuracy"][2] == pytest.approx(97)
    assert table["curve"][0] == pytest.approx([88, 90])
    assert list(table["status"])[:4] == ["done", "stopped early", "done", "refused"]
    assert table["pipeline.1.on"][1] == "off" and table["classifier.svm.C"][2] == pytest.approx(0.3)
    assert "only 9 features" in table["message"][3]


def test_a_trial_is_trained_on_everything_by_one_click(
    open_page: Open, searches: SearchStore, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = made(searches)
    trial = searches.trial(search.id, 2)
    seen = []
    monkeypatch.setattr(trial_table, "check_memory", lambda spec, data: seen.append(spec))
    app = tune(open_page, search=search.id)
    tune_table_rows(monkeypatch, [2])
    app.run()
    app.button(key="tune_train").click().run()
    healthy(app)
    (run,) = store.runs("local")
    assert run.spec == replace(trial.spec(search), train_size=MAX_DIGITS) == seen[0]
    assert run.title.startswith("Tuned: Deskew on")
    assert app.query_params["run"] == run.id and "search" not in app.query_params
    assert group(app, "train_mode").value == "One run"
    assert app.session_state["_plan"] == run.spec


def tune_table_rows(monkeypatch: pytest.MonkeyPatch, rows: list[int]) -> None:
    """Select rows of the table, which AppTest cannot."""
    monkeypatch.setattr(trial_table, "_selected", lambda event, trials: rows)


def test_a_trial_becomes_the_plan(open_page: Open, searches: SearchStore, monkeypatch: pytest.MonkeyPatch) -> None:
    search = made(searches)
    app = tune(open_page, search=search.id)
    tune_table_rows(monkeypatch, [2])
    app.run()
    app.button(key="tune_use").click().run()
    healthy(app)
    assert app.session_state["_plan"] == searches.trial(search.id, 2).spec(search)
    tune_table_rows(monkeypatch, [3])
    app.run()
    healthy(app)


def test_stop_go_on_and_more(open_page: Open, searches: SearchStore) -> None:
    search = made(searches, status="running")
    app = tune(open_page, search=search.id)
    assert "best so far" in text(app) and "left" in text(app)
    app.button(key="tune_stop").click().run()
    healthy(app)
    searches.end(search.id, "stopped")
    app.run()
    app.button(key="tune_go").click().run()
    healthy(app)
    assert searches.get(search.id).status == "queued"
    searches.request_stop(search.id)
    app.session_state["tune_more"] = True
    app.run()
    app.number_input(key=f"tune-more-trials-{search.id}").set_value(33).run()
    app.button(key="tune_go_more").click().run()
    healthy(app)
    assert searches.get(search.id).spec.most_trials == 33
    assert searches.get(search.id).status == "queued"


def test_a_search_is_deleted_and_brought_back(open_page: Open, searches: SearchStore) -> None:
    search = made(searches)
    app = tune(open_page, search=search.id)
    app.button(key="tune_delete").click().run()
    healthy(app)
    assert searches.searches("local") == [] and "search" not in app.query_params
    app.button(key="tune_undo").click().run()
    healthy(app)
    assert app.query_params["search"] == search.id


def test_what_is_somebody_elses_is_not_shown(
    open_page: Open, searches: SearchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_PROFILE", "demo")
    search = made(searches, owner="a" * 32)
    app = tune(open_page, search=search.id)
    assert "belongs to somebody else" in app.warning[0].value
    assert "97.00%" not in text(app)
    assert not [s for s in app.selectbox if (s.key or "").startswith("tune_open")]


@pytest.mark.parametrize(
    "address",
    [
        "nonsense",
        "[" * 5000,
        "{" + "x" * 20_000,
        "{}",
        '{"base":{},"space":[{"path":"classifier.svm.C","low":1,"high":1e9}]}',
        '{"base":{},"space":[{"path":"![x](https://evil.example/x.png)"}]}',
        '{"base":{"dataset":"<script>alert(1)</script>"},"space":[{"path":"classifier"}]}',
        '{"base":{"dataset":"elsewhere"},"space":[]}',
        '{"base":{},"space":[{"path":"classifier"}],"most_trials":1e308}',
        '{"base":{},"space":[{"path":"classifier"}],"method":["grid"]}',
        '{"base":{},"space":[{"path":"classifier","choices":["svm",{"a":1}]}]}',
        '{"base":{},"space":[{"path":"classifier","choices":[["svm"]]}]}',
        '{"base":{},"space":"all","method":"grid"}',
        '{"base":{},"space":[{"path":"classifier.svm.C","low":NaN}]}',
        '[{"space":[]}]',
        '{"base":{},"space":[{"path":"classifier"}],"seed":' + "9" * 5000 + "}",
    ],
)
def test_a_hostile_space_is_refused_in_words(address: str, open_page: Open) -> None:
    app = tune(open_page, space=address)
    (problem,) = [w.value for w in app.warning]
    assert "cannot be used" in problem and len(problem) < 1200
    assert "](" not in problem and "<script" not in problem.replace("\\<", "")
    assert paths(app) == ["classifier.svm.C", "classifier.svm.gamma"], "what was there before stands"


@pytest.mark.parametrize("name", ["nobody", "<b>x</b>", "a" * 5000])
def test_a_search_that_is_not_here_is_said_to_be_missing(name: str, open_page: Open) -> None:
    app = tune(open_page, search=name)
    assert "not here" in app.warning[0].value and "<b>" not in app.warning[0].value


def test_a_space_from_a_link_is_shown_with_its_plan(open_page: Open) -> None:
    wanted = spec(method="halving", validation=5, most_minutes=3)
    app = tune(open_page, space=json.dumps(wanted.to_json()))
    assert draft(app).spec == wanted
    assert app.session_state["_plan"] == BASE
    assert group(app, "-method").value == "halving"
    assert not app.warning


def test_a_space_around_a_plan_of_more_digits_than_the_server_allows(
    open_page: Open, searches: SearchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_TRAINING_DIGITS", "800")
    wanted = replace(spec(), base=replace(BASE, train_size=1_000))
    app = tune(open_page, space=json.dumps(wanted.to_json()))
    healthy(app)
    assert "asks for 1,000 training digits, and this server allows 800: it has 500 now" in app.toast[0].value
    assert draft(app).spec == replace(wanted, base=BASE)
    app.button(key="tune_start").click().run()
    healthy(app)
    assert [s.spec.base.train_size for s in searches.searches("local")] == [500]


def test_files_hold_what_they_say(searches: SearchStore) -> None:
    search = made(searches)
    assert search_config.from_text(json.dumps(search.spec.to_json())).spec == search.spec
    lines = trial_table.to_csv(search, searches.trials(search.id)).splitlines()
    assert len(lines) == 9
    assert lines[0].startswith("trial,status,validation_accuracy,seconds")
    assert "classifier.svm.C" in lines[0] and lines[3].startswith("3,done,0.97,2.0")


def test_settings_are_named_as_briefly_as_they_can_be_told_apart() -> None:
    double = replace(BASE, features=(Step("hog"), Step("hog", {"cell": 7})))
    space = [dimension(double, p) for p in ("features.hog.cell", "features.hog.2.cell", "classifier.svm.C")]
    assert list(formatting.names(space).values()) == ["HOG: Cell", "HOG (2): Cell", "C"]
    axis = formatting.axes(space)[0]
    assert (axis.title, axis.low, axis.high) == ("HOG: Cell, px", 2, 14)
    assert formatting.show(space[2], 12.345678) == "12.3"
    features = dimension(BASE, "features")
    assert formatting.show(features, "hog+pixels").startswith("HOG + ")


def test_what_a_browser_says_of_a_brush_is_checked() -> None:
    said = {"search": "a", "ranges": [[1, 2], None, [[3, 4], [6, 5]]]}
    assert parallel_brush.parse(said, "a", 3) == [[(1.0, 2.0)], [], [(3.0, 4.0), (5.0, 6.0)]]
    nothing = [[], [], []]
    for wrong in (None, "x", {"search": "b", "ranges": [[1, 2], None, None]}, {"search": "a", "ranges": [[1, 2]]}):
        assert parallel_brush.parse(wrong, "a", 3) == nothing
    assert parallel_brush.parse({"search": "a", "ranges": [["x", 2], {"a": 1}, [True, 2]]}, "a", 3) == nothing


def test_trials_that_run_at_once_are_counted_and_the_newest_is_told(open_page: Open, searches: SearchStore) -> None:
    search = searches.create(spec(), "local", "several").id
    claims = [searches.claim(search, 1), *(searches.claim(search, k, join=True) for k in (2, 3))]
    for k, claim in enumerate(claims):
        searches.begin(search, claim, {"classifier.svm.C": 1.0 + k})
    app = tune(open_page, search=search)
    assert "3 trials at once, the newest of them: Trial 3" in text(app)
    assert searches.died(search, 3) == "running"
    app.run()
    assert "2 trials at once, the newest of them: Trial 2" in text(app), "what is left is nobody's"
