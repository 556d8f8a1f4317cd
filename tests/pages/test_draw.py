"""The Draw page with a canvas that holds what a test puts there."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from hdr import datasets
from hdr.reading import collecting, counterfactual, ready
from hdr.store.runs import Run, RunStore
from hdr.types import Step
from hdr.ui.draw import explanation_jobs
from tests.pages.conftest import SMALL, Open, explained, healthy, text, unescaped
from tests.support import small_reader
from tests.support.waiting import PATIENCE, until

CANVAS = "drawn"
"""As in `hdr.ui.inputs.canvas`, which can only be imported where Streamlit runs."""

ONE = [{"type": "Path", "path": [["M", 168, 60], ["Q", 168, 60, 168, 160], ["L", 166, 280]]}]
ZERO_ROUND = [
    [168, 70],
    [110, 110],
    [95, 180],
    [120, 260],
    [168, 285],
    [220, 260],
    [245, 180],
    [225, 110],
    [168, 70],
]
ZERO = [{"type": "Path", "path": [["M", *ZERO_ROUND[0]], *(["L", *p] for p in ZERO_ROUND[1:])]}]
HOSTILE: dict[str, list[Any]] = {
    "no points": [{"type": "Path", "path": []}],
    "no path": [{"type": "Path"}],
    "words for numbers": [{"type": "Path", "path": [["M", "a", "b"]]}],
    "not a number": [{"type": "Path", "path": [["M", float("nan"), 1]]}],
    "out of all bounds": [{"type": "Path", "path": [["M", 1e300, 1]]}],
    "an unknown command": [{"type": "Path", "path": [["Z"]]}],
    "no list": [{"type": "Path", "path": {"M": 1}}],
    "too many objects": ONE * 1000,
    "too many points": [{"type": "Path", "path": [["M", 1, 1], *([["L", 2, 2]] * 200_000)]}],
    "scaled out of sight": [{**ONE[0], "scaleX": 1e9}],
    "markup": [{"type": "Path", "path": [["<script>alert(1)</script>", 1, 1]]}],
}


@pytest.fixture(scope="session")
def small_reader_file(own_home: Path) -> Path:
    """The ONNX file of a reader that knows the bundled digits."""
    return small_reader.write(own_home / "drawn.onnx", small_reader.fit(datasets.load("bundled").train))


@pytest.fixture(autouse=True)
def no_reader(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the ready-made reader's file, but where a test asks for it."""
    monkeypatch.setattr(ready, "FILE", tmp_path / "reader.onnx")


@pytest.fixture
def reader(no_reader: None, small_reader_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small reader in place of the one that comes with the app."""
    monkeypatch.setattr(ready, "FILE", small_reader_file)


def on_canvas(objects: Any) -> dict[str, Any]:
    """What the canvas component keeps in the session when it holds these objects."""
    return {"drawing": {"raw": {"objects": objects}, "data": None}, "backgroundFit": None}


def draw(app: AppTest, objects: Any) -> AppTest:
    """Put objects on the canvas, as a stroke would, and run the page."""
    app.session_state[CANVAS] = on_canvas(objects)
    app.run()
    return app


def answer(app: AppTest) -> str:
    """The answer as it is shown; empty where there is none."""
    (found,) = re.findall(r'<div class="hdr-answer">(.*?)</div>', text(app))
    return found


def seen(app: AppTest) -> list[str]:
    """What stands below the pictures of what the model sees."""
    (shown,) = re.findall(r'<div class="hdr-sheet hdr-way">(.*?)</div>', text(app))
    return re.findall(r"<figcaption>([^<]+)</figcaption>", shown)


def test_a_drawing_is_read(open_page: Open, model: Run) -> None:
    app = open_page("draw")
    healthy(draw(app, ZERO))
    assert answer(app) == "0"
    healthy(draw(app, ONE))
    assert answer(app) == "1"


def test_an_empty_canvas_says_so_and_has_no_answer(open_page: Open, model: Run) -> None:
    app = open_page("draw")
    assert answer(app) == ""
    assert "The canvas is empty" in text(app)
    assert "%</span>" not in text(app), "nor a probability"
    assert app.button(key="undo").disabled
    assert app.button(key="open_in_preprocess").disabled
    assert answer(draw(app, [])) == ""


def test_an_answer_comes_with_bars_guesses_and_what_the_model_sees(open_page: Open, model: Run) -> None:
    app = draw(open_page("draw"), ZERO)
    said = text(app)
    assert said.count('class="hdr-bar"') == 9
    assert said.count("hdr-best") == 1
    assert re.search(r"\*\*[\d.]+%\*\* sure\. Next guesses: \d \([\d.]+%\) and \d \(", said)
    assert seen(app) == ["captured"], "this model has no steps"
    assert "The canvas is empty" not in said


def test_what_the_model_sees_has_every_step_of_its_own_pipeline(open_page: Open, store: RunStore) -> None:
    from dataclasses import replace

    from hdr.jobs.worker import execute
    from hdr.preprocessing.pipeline import chain

    steps = chain("gaussian", "deskew")
    spec = replace(SMALL, pipeline=steps, classifier=Step("decision_tree"))
    assert execute(store, store.create(spec, "local", "1").id)
    app = draw(open_page("draw"), ONE)
    healthy(app)
    assert seen(app) == ["captured", "Gaussian filter", "Deskew"]


def test_a_drawing_can_be_there_before_the_page_is(open_page: Open, model: Run) -> None:
    assert answer(open_page("draw", **{CANVAS: on_canvas(ZERO)})) == "0"


def test_undo_takes_the_last_stroke_and_updates_the_answer(open_page: Open, model: Run) -> None:
    app = draw(open_page("draw"), [*ONE, *ZERO])
    app.button(key="undo").click().run()
    healthy(app)
    assert answer(app) == "1"
    assert app.session_state["_strokes"] == ONE
    app.button(key="undo").click().run()
    assert answer(app) == ""
    assert "The canvas is empty" in text(app)
    assert app.button(key="undo").disabled


def test_clear_takes_everything_and_updates_the_answer(open_page: Open, model: Run) -> None:
    app = draw(open_page("draw"), [*ONE, *ZERO])
    app.button(key="clear").click().run()
    healthy(app)
    assert answer(app) == ""
    assert app.session_state["_strokes"] == []
    healthy(draw(app, ZERO))
    assert answer(app) == "0"


def test_a_drawing_survives_a_change_of_page(open_page: Open, model: Run) -> None:
    app = draw(open_page("draw"), ZERO)
    app.switch_page("pages/train.py").run()
    app.switch_page("pages/draw.py").run()
    healthy(app)
    assert answer(app) == "0"


def test_a_drawing_opens_in_preprocess(open_page: Open, model: Run) -> None:
    app = draw(open_page("draw"), ZERO)
    app.button(key="open_in_preprocess").click().run()
    healthy(app)
    assert app.header[0].value == "What the machine sees, step by step"
    assert app.get("segmented_control")[0].value == "drawing"
    assert "your drawing" in text(app)


def test_a_drawing_on_ones_own_model_or_another(open_page: Open, model: Run) -> None:
    from hdr.jobs.worker import execute

    store = RunStore()
    other = store.create(SMALL, "local", "other", "The other one")
    assert execute(store, other.id)
    app = draw(open_page("draw"), ZERO)
    box = app.selectbox(key="reader")
    assert [o.split(" · ")[0] for o in box.options] == ["The other one", "The small one"]
    box.select(model.id).run()
    healthy(app)
    assert answer(app) == "0"
    app.switch_page("pages/home.py").run()
    app.switch_page("pages/draw.py").run()
    assert app.selectbox(key="reader").value == model.id, "the choice is kept"


def test_a_reader_that_is_gone_is_no_error(open_page: Open, model: Run) -> None:
    assert open_page("draw", reader="nonsense").selectbox(key="reader").value == model.id


def test_the_ready_made_reader_reads_before_anything_is_trained(open_page: Open, reader: None) -> None:
    app = draw(open_page("draw"), ZERO)
    healthy(app)
    assert answer(app) == "0"
    assert app.selectbox(key="reader").options == ["Ready-made reader"]
    assert "is being trained" not in text(app)


def test_the_ready_made_reader_comes_first_and_runs_stand_beside_it(open_page: Open, reader: None, model: Run) -> None:
    app = draw(open_page("draw"), ZERO)
    box = app.selectbox(key="reader")
    assert box.value == "ready"
    assert [o.split(" · ")[0] for o in box.options] == ["Ready-made reader", "The small one"]
    box.select(model.id).run()
    healthy(app)
    assert answer(app) == "0"


def test_what_is_no_digit_is_said_with_what_it_resembles(open_page: Open, reader: None) -> None:
    dot = [{"type": "Path", "path": [["M", 168, 168], ["L", 168.5, 168]]}]
    app = draw(open_page("draw"), dot)
    healthy(app)
    assert "Not a digit" in answer(app)
    assert re.search(r"does not look like a digit: [\d.<]+% sure that it is one. It resembles a \*\*\d", text(app))
    assert answer(draw(app, ZERO)) == "0"


def test_a_missing_reader_is_said_and_runs_read(open_page: Open, model: Run) -> None:
    app = draw(open_page("draw"), ZERO)
    assert "The ready-made reader is missing" in unescaped(text(app))
    assert answer(app) == "0"


def test_a_damaged_reader_is_said_and_runs_read(open_page: Open, model: Run) -> None:
    ready.FILE.write_bytes(b"nonsense")
    app = draw(open_page("draw"), ZERO)
    healthy(app)
    assert "cannot be used" in text(app)
    assert answer(app) == "0"


def test_before_there_is_a_reader_one_can_draw_and_is_told_why_nothing_is_read(open_page: Open) -> None:
    app = draw(open_page("draw"), ZERO)
    healthy(app)
    assert answer(app) == ""
    assert "The first model is being trained" in text(app)
    assert app.session_state["_strokes"] == ZERO


@pytest.mark.parametrize("objects", HOSTILE.values(), ids=HOSTILE)
def test_a_canvas_that_sends_nonsense_gets_a_plain_message_and_no_answer(
    objects: list[Any], open_page: Open, model: Run
) -> None:
    app = draw(open_page("draw"), objects)
    assert not app.exception
    assert answer(app) == ""
    certainty = app.container(key="certainty").markdown[0].value
    assert re.search(r"stroke|drawing", certainty, re.IGNORECASE), certainty
    assert len(certainty) < 400
    app.button(key="clear").click().run()
    healthy(app)
    assert answer(draw(app, ZERO)) == "0", "after Clear everything works again"


@pytest.mark.parametrize("objects", [None, "abc", 5, {"a": 1}], ids=str)
def test_objects_that_are_no_list_are_an_empty_canvas(objects: Any, open_page: Open, model: Run) -> None:
    app = draw(open_page("draw"), objects)
    healthy(app)
    assert answer(app) == ""
    assert "The canvas is empty" in text(app)


@pytest.mark.parametrize("objects", [[None], ["abc"], [5], [{"type": "Circle"}]], ids=str)
def test_objects_that_are_no_strokes_are_left_out(objects: Any, open_page: Open, model: Run) -> None:
    app = draw(open_page("draw"), objects)
    healthy(app)
    assert answer(app) == ""
    assert "The canvas is empty" in text(app)


def figures(app: AppTest) -> dict[str, str]:
    """The pictures that explain an answer: what stands over each, and what below."""
    found = re.findall(r'<figure><div class="hdr-over">(.*?)</div>.*?<figcaption>(.*?)</figcaption>', text(app))
    return dict(found)


def test_why_it_is_read_so(open_page: Open, reader: None) -> None:
    app = explained(draw(open_page("draw"), ZERO))
    shown = figures(app)
    second = next(title for title in shown if title.startswith("To be read as a "))
    assert list(shown) == ["Place by place", "Stroke by stroke", second, "Without capture"]
    assert re.search(r"it would be a \d, [\d.]+% sure", shown["Without capture"])
    assert "most alike for this model among" in text(app)
    assert "Draw a digit, and see" in text(draw(app, []))


def test_an_answer_waits_for_no_explanation_and_a_new_drawing_cancels_it(
    open_page: Open, reader: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explanation_jobs, "REST_SECONDS", 0.0)
    explanation_jobs.pool.clear()
    begun, finish, cancelled = threading.Event(), threading.Event(), threading.Event()

    def explain(drawing: Any, model: Any, accept: Any) -> None:
        begun.set()
        assert finish.wait(PATIENCE)
        try:
            model.predict_proba(np.zeros((1, 28, 28), np.uint8))
        except BaseException:
            cancelled.set()
            raise

    with monkeypatch.context() as blocked:
        blocked.setattr(counterfactual, "of_strokes", explain)
        app = draw(open_page("draw"), ZERO)
        until(lambda: begun.is_set() or (app.run() and begun.is_set()))
        assert answer(app) == "0" and not figures(app)
        assert answer(draw(app, ONE)) == "1" and not figures(app), "while the explanation of the 0 is under way"
    finish.set()
    until(cancelled.is_set)
    assert figures(explained(app))


def test_the_explanation_of_the_drawing_before_stays_until_the_new_one_is_there(open_page: Open, reader: None) -> None:
    app = explained(draw(open_page("draw"), ZERO))
    before = figures(app)
    draw(app, ONE)
    assert answer(app) == "1" and figures(app) == before
    assert figures(explained(app)) != before


def test_why_a_model_of_ones_own_reads_it_so(open_page: Open, model: Run) -> None:
    app = explained(draw(open_page("draw"), ZERO))
    assert len(figures(app)) == 4
    assert "most alike for this model among" in text(app)


def test_a_vote_has_everybodys_answer_and_marks_who_differs(open_page: Open, reader: None, model: Run) -> None:
    app = open_page("draw", draw_tab="A vote")
    assert "side by side" in text(app)
    draw(app, ZERO)
    explained(app)
    said = re.findall(r'<div class="(hdr-vote[^"]*)"><span[^>]*>(.*?)</span>', text(app))
    assert [word for _, word in said] == ["0", "0"]
    assert "All 2 read a **0**" in text(app)
    assert "figcaption>Place" not in text(app), "only the open tab is computed"
    dot = [{"type": "Path", "path": [["M", 168, 168], ["L", 168.5, 168]]}]
    said = re.findall(r'<div class="(hdr-vote[^"]*)"><span[^>]*>(.*?)</span>', text(explained(draw(app, dot))))
    assert said[0][1] == "no digit"
    assert said[1][1].isdigit()
    assert sum("hdr-differs" in kind for kind, _ in said) == 1


def pills(app: AppTest, name: str) -> Any:
    """One of the rows of small buttons."""
    (found,) = [w for w in app.get("button_group") if (w.key or "").startswith(name)]
    return found


def mine(app: AppTest) -> list[int]:
    """What the drawings of the collection were meant to be."""
    if "_handwriting" not in app.session_state:
        return []
    return [d.label for d in app.session_state["_handwriting"].drawings]


def test_one_click_says_what_a_drawing_was_and_keeps_it(open_page: Open, reader: None) -> None:
    app = open_page("draw")
    assert pills(app, "meant").disabled
    draw(app, ZERO)
    pills(app, "meant").set_value(6).run()
    healthy(app)
    assert mine(app) == [6]
    assert "Kept as a 6" in text(app)
    pills(app, "meant").set_value(0).run()
    assert mine(app) == [0], "said otherwise, it is still one drawing"
    draw(app, ONE)
    assert pills(app, "meant").value is None, "another drawing was not named yet"
    pills(app, "meant").set_value(1).run()
    assert mine(app) == [0, 1]
    pills(app, "meant").set_value(None).run()
    healthy(app)
    assert mine(app) == [0], "a second click takes it back"


def test_what_was_said_of_the_drawing_before_is_not_taken_for_the_next(open_page: Open, reader: None) -> None:
    app = draw(open_page("draw"), ZERO)
    before = pills(app, "meant")
    before.set_value(6).run()
    draw(app, ONE)
    # A browser that is late sends the old buttons' state again.
    before.set_value(6).run()
    healthy(app)
    assert mine(app) == [6]
    assert pills(app, "meant").value is None


def test_the_collection_is_shown_looked_through_and_deleted(open_page: Open, reader: None) -> None:
    app = open_page("draw", draw_tab="My handwriting")
    assert "Nothing is here yet" in text(app)
    for drawn, label in ((ZERO, 0), (ONE, 1), ([*ONE, *ONE], 1)):
        pills(draw(app, drawn), "meant").set_value(label).run()
    assert re.findall(r'alt="Your (\d)"', text(app)) == ["0", "1", "1"]
    pills(app, "hand_digit").set_value(1).run()
    app.button(key="hand-delete-1").click().run()
    healthy(app)
    assert mine(app) == [0, 1]
    app.button(key="hand_clear").click().run()
    healthy(app)
    assert mine(app) == []


def test_the_collection_goes_to_a_file_and_comes_back(open_page: Open, reader: None) -> None:
    app = open_page("draw", draw_tab="My handwriting")
    pills(draw(app, ZERO), "meant").set_value(0).run()
    data = app.session_state["_handwriting"].to_lines().encode()
    app.get("file_uploader")[0].set_value(("mine.jsonl", data, "application/jsonl")).run()
    healthy(app)
    assert mine(app) == [0, 0]
    app.get("file_uploader")[0].set_value(("mine.jsonl", b"nonsense", "application/jsonl")).run()
    healthy(app)
    assert mine(app) == [0, 0], "nothing is lost"
    assert "Line 1" in app.toast[0].value


def test_the_reader_learns_a_hand_and_the_original_stays(open_page: Open, reader: None) -> None:
    app = open_page("draw", draw_tab="My handwriting")
    assert app.button(key="learn_hand").disabled
    for shift in range(6):
        path = [[c[0], c[1] + shift * 3 * (k % 2), *c[2:]] for k, c in enumerate(ZERO[0]["path"])]
        pills(draw(app, [{**ZERO[0], "path": path}]), "meant").set_value(0).run()
    app.button(key="learn_hand").click().run()
    healthy(app)
    assert app.selectbox(key="reader").value == "hand"
    assert "your 6 drawings, each held out | 6 (100.0%) | 6 (100.0%)" in text(app)
    assert re.search(r"1,000 digits of others \| [\d.]+% \| [\d.]+%", text(app))
    assert answer(app) == "0"
    assert app.button(key="learn_hand").disabled, "nothing is new"
    app.button(key="switch_hand").click().run()
    assert app.selectbox(key="reader").value == "ready"
    assert answer(app) == "0"


def test_without_the_reader_there_is_nothing_to_learn_with(open_page: Open, model: Run) -> None:
    app = open_page("draw", draw_tab="My handwriting")
    pills(draw(app, ZERO), "meant").set_value(0).run()
    assert "is missing" in text(app)
    assert mine(app) == [0]


def link(app: AppTest) -> dict[str, str]:
    """What the link on the Share tab carries."""
    (found,) = [c.value for c in app.code if "drawing=" in c.value]
    return dict(parse_qsl(urlsplit(found).query))


def test_a_link_opens_the_same_drawing_with_the_same_reading(open_page: Open, reader: None, model: Run) -> None:
    app = draw(open_page("draw", draw_tab="Share", reader=model.id), [*ZERO, *ONE])
    healthy(app)
    carried, said = link(app), app.container(key="certainty").markdown[0].value
    assert carried["reader"] == model.id
    other = open_page("draw", address=carried)
    assert answer(other) == answer(app)
    assert other.container(key="certainty").markdown[0].value == said
    assert other.selectbox(key="reader").value == model.id
    assert "drawing" in other.query_params
    healthy(draw(other, ONE))
    assert "drawing" not in other.query_params, "another drawing is not what the link leads to"


def test_a_link_to_a_model_that_is_not_here_is_read_by_another(open_page: Open, reader: None) -> None:
    app = draw(open_page("draw", draw_tab="Share"), ZERO)
    other = open_page("draw", address={**link(app), "reader": "f" * 24})
    healthy(other)
    assert "is not here" in other.warning[0].value
    assert answer(other) == "0"


@pytest.mark.parametrize("text", ["", "<script>alert(1)</script>", "A" * 5000, "AQIB", "%00", "[a](http://b.c)"])
def test_a_link_that_is_damaged_is_refused_plainly(text: str, open_page: Open, reader: None) -> None:
    app = open_page("draw", address={"drawing": text, "reader": "ready"})
    healthy(app)
    assert len(app.warning) == 1
    assert len(app.warning[0].value) < 600
    assert answer(app) == ""
    assert "drawing" not in app.query_params
    healthy(draw(app, ZERO))
    assert answer(app) == "0"


def collected() -> str:
    """All that the host has."""
    folder = collecting.folder()
    return "".join(p.read_text() for p in sorted(folder.iterdir())) if folder.exists() else ""


def test_nothing_is_asked_for_or_kept_where_the_host_has_not_turned_it_on(open_page: Open, reader: None) -> None:
    app = open_page("draw", draw_tab="My handwriting")
    pills(draw(app, ZERO), "meant").set_value(0).run()
    assert "host" not in text(app)
    assert not [b for b in app.button if b.key == "consent"]
    assert not collecting.folder().exists()


def test_the_host_keeps_drawings_only_of_who_agrees_and_until_withdrawn(
    open_page: Open, reader: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDR_KEEP_DRAWINGS", "on")
    app = open_page("draw", draw_tab="My handwriting")
    assert not [b for b in app.button if b.key == "consent"], "nobody is asked who has named nothing"
    pills(draw(app, ZERO), "meant").set_value(0).run()
    assert "May the host of this server keep your drawings" in text(app)
    assert collected() == ""
    app.button(key="consent").click().run()
    healthy(app)
    assert collected() == app.session_state["_handwriting"].to_lines()
    pills(draw(app, ONE), "meant").set_value(7).run()
    assert collected().count("\n") == 2
    pills(app, "meant").set_value(1).run()
    assert '"label":1' in collected() and '"label":7' not in collected()
    assert "2 so far" in text(app)
    app.button(key="withdraw_consent").click().run()
    healthy(app)
    assert collected() == ""
    assert mine(app) == [0, 1], "what the visitor has stays"
    pills(draw(app, [*ONE, *ONE]), "meant").set_value(1).run()
    assert collected() == ""


def test_a_no_is_not_asked_again(open_page: Open, reader: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDR_KEEP_DRAWINGS", "on")
    app = open_page("draw", draw_tab="My handwriting")
    pills(draw(app, ZERO), "meant").set_value(0).run()
    assert "asks for drawings, too" in text(app)
    app.button(key="no_consent").click().run()
    healthy(app)
    assert "asks for drawings, too" not in text(app)
    assert collected() == ""


NUMBER = "drawn_number"


def aside(objects: list[dict[str, Any]], dx: float) -> list[dict[str, Any]]:
    """The same strokes further to the right."""
    return [
        {**o, "path": [[c[0], *(v + dx * (k % 2 == 0) for k, v in enumerate(c[1:]))] for c in o["path"]]}
        for o in objects
    ]


def write(app: AppTest, objects: Any) -> AppTest:
    """Put objects on the wide canvas and run the page."""
    app.session_state[NUMBER] = on_canvas(objects)
    app.run()
    return app


def test_a_number_is_read_digit_by_digit(open_page: Open, reader: None) -> None:
    app = open_page("draw", address={"what": "number"})
    assert "Write a number" in text(app)
    write(app, [*aside(ZERO, -60), *aside(ONE, 150), *aside(ZERO, 350)])
    healthy(app)
    said = re.search(r'<div class="hdr-answer">(\d+)</div>', text(app))
    assert said and said[1] == "010"
    assert "sure of the whole" in text(app)
    assert [app.button(key=f"number-{k}").label for k in range(3)] == ["0", "1", "0"]
    assert app.query_params["what"] == "number"
    app.button(key="undo").click().run()
    assert re.search(r'<div class="hdr-answer">(\d+)</div>', text(app))[1] == "01"
    app.button(key="clear").click().run()
    healthy(app)
    assert "Write a number" in text(app)


def test_every_digit_of_a_number_has_its_why_its_vote_and_its_correction(
    open_page: Open, reader: None, model: Run
) -> None:
    app = write(open_page("draw", address={"what": "number"}), [*aside(ZERO, -60), *aside(ONE, 150), *aside(ZERO, 350)])
    assert not figures(app), "nothing is opened"
    app.button(key="number-1").click().run()
    explained(app)
    assert list(figures(app))[:2] == ["Place by place", "Stroke by stroke"]
    assert "The box around it made small" in figures(app)["Without capture"]
    assert mine(app) == []
    pills(app, "meant").set_value(7).run()
    healthy(app)
    assert mine(app) == [7]
    assert '<div class="hdr-answer">070</div>' in text(app)
    assert "You have named 1 of them" in text(app)
    (kept,) = app.session_state["_handwriting"].drawings
    assert kept.picture is None and len(kept.strokes) == 1, "its own strokes alone"
    app.button(key="number-2").click().run()
    assert pills(app, "meant").value is None, "another digit was not named yet"
    pills(app, "meant").set_value(6).run()
    assert mine(app) == [7, 6]
    app.session_state["opened_tab"] = "A vote"
    app.run()
    explained(app)
    assert text(app).count('<div class="hdr-vote') == 2
    app.button(key="undo").click().run()
    healthy(app)
    assert '<div class="hdr-answer">07</div>' in text(app), "what was said of a digit stays while others come and go"
    app.session_state["number_tab"] = "My handwriting"
    app.run()
    healthy(app)
    assert sorted(re.findall(r'alt="Your (\d)"', text(app))) == ["6", "7"]
    app.button(key="hand_clear").click().run()
    app.session_state["number_tab"] = "Digit by digit"
    app.run()
    assert mine(app) == []
    assert '<div class="hdr-answer">07</div>' in text(app), "the number is not the collection's"


def test_a_model_of_ones_own_reads_a_number(open_page: Open, model: Run) -> None:
    app = write(open_page("draw", address={"what": "number"}), [*aside(ZERO, -60), *aside(ONE, 150)])
    healthy(app)
    assert re.search(r'<div class="hdr-answer">\d+</div>', text(app))


def test_the_switch_keeps_both_drawings(open_page: Open, reader: None) -> None:
    app = draw(open_page("draw"), ZERO)
    app.get("button_group")[0].set_value("number").run()
    healthy(app)
    assert app.query_params["what"] == "number"
    write(app, ONE)
    app.get("button_group")[0].set_value("digit").run()
    assert "what" not in app.query_params
    assert answer(app) == "0"
    app.get("button_group")[0].set_value("number").run()
    assert app.session_state["_number"] == ONE


@pytest.mark.parametrize("objects", HOSTILE.values(), ids=HOSTILE)
def test_a_wide_canvas_that_sends_nonsense_gets_a_plain_message(
    objects: list[Any], open_page: Open, reader: None
) -> None:
    app = write(open_page("draw", address={"what": "number"}), objects)
    assert not app.exception
    assert re.search(r"stroke|drawing", app.container(key="certainty").markdown[0].value, re.IGNORECASE)
    app.button(key="clear").click().run()
    healthy(app)


def test_an_address_that_asks_for_nonsense_shows_one_digit(open_page: Open, reader: None) -> None:
    assert answer(draw(open_page("draw", address={"what": "<b>x</b>"}), ZERO)) == "0"


def test_a_link_opens_the_same_number(open_page: Open, reader: None) -> None:
    app = open_page("draw", address={"what": "number"}, number_tab="Share")
    assert "Write a number, and" in text(app)
    write(app, [*aside(ZERO, -60), *aside(ONE, 150)])
    healthy(app)
    carried = link(app)
    assert carried["what"] == "number"
    other = open_page("draw", address=carried)
    assert '<div class="hdr-answer">01</div>' in text(other)
