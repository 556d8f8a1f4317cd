"""Photos on the Draw page: found, corrected, deleted and added digits."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from hdr import datasets
from hdr.plots.html_images import png
from hdr.reading import ready
from hdr.store.runs import Run
from hdr.types import Split
from hdr.ui.inputs import clipboard
from tests.pages.conftest import Open, explained, healthy, text, unescaped
from tests.support import small_reader

LABELS = (0, 1, 7)


@pytest.fixture(autouse=True)
def reader(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small reader in place of the one that comes with the app."""
    path = own_home / "photographed.onnx"
    if not path.is_file():
        small_reader.write(path, small_reader.fit(datasets.load("bundled").train))
    monkeypatch.setattr(ready, "FILE", path)
    # A component belongs to one server, as far as AppTest has one.
    clipboard._component.clear()


@pytest.fixture(scope="module")
def photo(digits: Split) -> bytes:
    """Three digits on bright paper, 560 pixels wide."""
    paper = np.full((260, 560), 235, np.uint8)
    for place, label in enumerate(LABELS):
        image = digits.images[int(np.flatnonzero(digits.labels == label)[0])]
        large = cv2.resize(image, (140, 140), interpolation=cv2.INTER_CUBIC)
        x = 30 + 170 * place
        paper[60:200, x : x + 140] -= (large * 0.8).astype(np.uint8)
    return png(paper)


def upload(app: AppTest, data: bytes, name: str = "photo.png") -> AppTest:
    """Choose a file and wait until it is read."""
    app.get("file_uploader")[0].set_value((name, data, "image/png")).run()
    for _ in range(40):
        if "Looking for digits" not in text(app):
            break
        app.run()
    healthy(app)
    return app


def number(app: AppTest) -> str:
    """The answer as it is shown."""
    (found,) = re.findall(r'<div class="hdr-answer[^"]*">(.*?)</div>', text(app))
    return found


def open_photo(open_page: Open, photo: bytes) -> AppTest:
    """The page with a photo that was read."""
    return upload(open_page("draw", address={"what": "photo"}), photo)


def test_every_digit_of_a_photo_is_found_with_its_box(open_page: Open, photo: bytes) -> None:
    app = open_page("draw", address={"what": "photo"})
    assert "Take, choose or paste a photo" in unescaped(text(app))
    upload(app, photo)
    # A reader that has learned next to nothing may cut one digit into two.
    assert re.fullmatch(r"\d{3,6}", number(app))
    count = len(number(app))
    assert f"The photo with {count} boxes" in text(app)
    assert f"sure of the whole, {count} digits" in text(app)


def test_a_digit_is_corrected_and_deleted(open_page: Open, photo: bytes) -> None:
    app = open_photo(open_page, photo)
    before = number(app)
    app.button(key="page-1").click().run()
    healthy(app)
    (pills,) = [w for w in app.get("button_group") if (w.key or "").startswith("meant")]
    pills.set_value(8).run()
    healthy(app)
    assert number(app) == f"{before[0]}8{before[2:]}"
    assert "You have named 1 of them" in text(app)
    (kept,) = app.session_state["_handwriting"].drawings
    assert kept.label == 8 and kept.picture is not None, "as it was captured: a photo has no strokes"
    pills.set_value(None).run()
    assert number(app) == before, "a second click takes it back"
    assert len(app.session_state["_handwriting"]) == 0
    pills.set_value(8).run()
    app.button(key="page_delete").click().run()
    healthy(app)
    assert number(app) == before[0] + before[2:]


def test_a_digit_of_a_photo_has_its_why_and_its_vote(open_page: Open, photo: bytes, model: Run) -> None:
    app = open_photo(open_page, photo)
    app.button(key="page-1").click().run()
    explained(app)
    shown = re.findall(r'<figure><div class="hdr-over">(.*?)</div>', text(app))
    assert shown[0] == "Place by place" and shown[-1] == "Without capture"
    assert "Stroke by stroke" not in shown
    assert "The box around it made small" in text(app)
    app.session_state["opened_tab"] = "A vote"
    app.run()
    explained(app)
    assert text(app).count('<div class="hdr-vote') == 2
    app.session_state["photo_tab"] = "How they were found"
    app.run()
    healthy(app)
    assert "hdr-vote" not in text(app), "only the open tab is computed"


def test_a_digit_is_added_by_a_box(open_page: Open, photo: bytes) -> None:
    app = open_photo(open_page, photo)
    before = number(app)
    app.button(key="page-0").click().run()
    app.button(key="page_delete").click().run()
    assert number(app) == before[1:]
    app.toggle(key="page_add").set_value(True).run()
    box = {"type": "Rect", "left": 30, "top": 60, "width": 140, "height": 140, "originX": "left", "originY": "top"}
    key = f"page_boxes-{app.session_state['_page_round']}"
    app.session_state[key] = {"drawing": {"raw": {"objects": [box]}, "data": None}, "backgroundFit": None}
    app.run()
    healthy(app)
    assert re.fullmatch(r"\d" + before[1:], number(app))


FAR = {"left": 1e300, "top": 1, "width": 1, "height": 1}


@pytest.mark.parametrize("objects", [None, "x", [None], [{"left": "a"}], [FAR]])
def test_boxes_that_are_nonsense_are_left_out(objects: object, open_page: Open, photo: bytes) -> None:
    app = open_photo(open_page, photo)
    before = number(app)
    app.toggle(key="page_add").set_value(True).run()
    key = f"page_boxes-{app.session_state['_page_round']}"
    app.session_state[key] = {"drawing": {"raw": {"objects": objects}, "data": None}, "backgroundFit": None}
    app.run()
    healthy(app)
    assert number(app) == before


def test_a_file_that_is_no_picture_is_refused_plainly(open_page: Open, photo: bytes) -> None:
    app = upload(open_page("draw", address={"what": "photo"}), b"no picture at all", "a.png")
    assert "not a picture that can be opened" in unescaped(text(app))
    assert number(app) == ""


def test_a_blank_photo_has_no_digits(open_page: Open) -> None:
    app = open_photo(open_page, png(np.full((200, 300), 240, np.uint8)))
    assert "No digits were found" in text(app)


def test_a_photo_stays_while_another_page_is_looked_at(open_page: Open, photo: bytes, model: Run) -> None:
    app = open_photo(open_page, photo)
    before = number(app)
    app.switch_page("pages/home.py").run()
    app.switch_page("pages/draw.py").run()
    healthy(app)
    assert number(app) == before


def test_a_picture_is_pasted(open_page: Open, photo: bytes) -> None:
    app = open_page("draw", address={"what": "photo"})
    app.get("button_group")[1].set_value("The clipboard").run()
    healthy(app)
    app.session_state["page_paste"] = {"picture": base64.b64encode(photo).decode()}
    app.run()
    for _ in range(40):
        if number(app):
            break
        app.run()
    healthy(app)
    assert re.fullmatch(r"\d{3,6}", number(app))


@pytest.mark.parametrize("sent", ["@@@", "", base64.b64encode(b"no picture").decode(), 5, {"a": 1}])
def test_what_is_pasted_and_is_no_picture_is_refused_plainly(sent: object, open_page: Open) -> None:
    app = open_page("draw", address={"what": "photo"})
    app.get("button_group")[1].set_value("The clipboard").run()
    app.session_state["page_paste"] = {"picture": sent}
    app.run()
    healthy(app)
    assert number(app) == ""
