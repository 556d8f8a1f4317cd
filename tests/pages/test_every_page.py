"""Every page of a fresh app, and what they say without MNIST."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hdr.datasets.public import background_download
from hdr.reading import ready
from tests.pages.conftest import Open, key_of, text
from tests.support.waiting import until

PAGES = ["home", "preprocess", "train", "runs", "draw"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_a_fresh_app_runs_and_has_one_title(page: str, open_page: Open) -> None:
    app = open_page(page)
    assert len(app.header) == 1
    assert not app.warning


@pytest.mark.parametrize("page", PAGES)
def test_a_page_with_a_model_runs(page: str, open_page: Open, model: object) -> None:
    assert not open_page(page).warning


def test_pages_can_be_visited_in_any_order_within_one_session(open_page: Open, model: object) -> None:
    app = open_page()
    for page in ["draw", "train", "preprocess", "home", "runs", "train", "draw", "preprocess"]:
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, page
        assert not app.error, page
        assert not app.warning, page


def test_home_shows_a_digit_on_its_way_to_a_question_mark_until_a_reader_is_there(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "FILE", tmp_path / "none.onnx")
    app = open_page()
    assert text(app).count('<img class="hdr-digit"') == 5
    assert '<div class="hdr-home-answer hdr-dim">?</div>' in text(app)
    assert {link.value for link in app.page_link} >= {
        "Captured",
        "Median filter",
        "Otsu threshold",
        "Features",
        "Answer",
    }


def test_home_ends_in_an_answer_where_a_reader_is_there(open_page: Open, model: object) -> None:
    app = open_page(_journey=(3, 7))
    answer = text(app).split('<div class="hdr-home-answer">')[1]
    assert answer[0].isdigit()
    assert re.search(r"% sure, (and right|but it is a \d)", text(app))


def test_another_digit_goes_on_its_way_only_when_asked(open_page: Open) -> None:
    app = open_page()
    first = app.session_state["_journey"]
    shown = text(app)
    app.run()
    assert text(app) == shown, "the digit stays while other things change"
    app.button(key="another_digit").click().run()
    assert app.session_state["_journey"] != first
    assert text(app) != shown


@pytest.fixture
def without_mnist(fresh: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without MNIST and without a network."""
    monkeypatch.delenv("HDR_DATASETS", raising=False)
    monkeypatch.setenv("HDR_MIRRORS", "http://127.0.0.1:9/")
    monkeypatch.setattr(background_download, "_progress", {})


def failed_fetch() -> None:
    """Try to fetch MNIST and wait until that has failed."""
    background_download.start()
    until(lambda: background_download.progress().state != "running", "the fetch ends")
    assert background_download.progress().state == "failed"


@pytest.mark.parametrize("page", PAGES)
def test_without_mnist_every_page_runs_on_the_small_digits_and_says_so(
    page: str, open_page: Open, without_mnist: None
) -> None:
    failed_fetch()
    said = text(open_page(page))
    assert "MNIST could not be fetched, so a small set of digits stands in." in said
    assert "127.0.0.1" in said, "the message says where it was looked for"


def test_without_mnist_the_digits_are_labelled_as_what_they_are(open_page: Open, without_mnist: None) -> None:
    app = open_page("preprocess")
    assert "from Small digits (offline)" in text(app)
    assert app.get("segmented_control")[0].options == ["Small digits (offline)", "My drawing", "A photo"]
    app.switch_page("pages/train.py").run()
    assert app.selectbox(key=key_of(app, "data")).options == ["Small digits (offline)"]
    assert app.selectbox(key=key_of(app, "data")).help, "a note says what they are"


def test_a_download_shows_how_far_it_is(open_page: Open, without_mnist: None, monkeypatch: pytest.MonkeyPatch) -> None:
    half = background_download.FetchProgress("running", "train-images-idx3-ubyte", 27_000_000, 54_000_000)
    monkeypatch.setattr(background_download, "_progress", {"mnist": half})
    app = open_page()
    assert app.progress[0].value == 50
    assert "27 of 54 MB" in app.progress[0].text


def test_a_failed_fetch_can_be_tried_again(open_page: Open, without_mnist: None) -> None:
    failed_fetch()
    app = open_page()
    before = background_download.progress()
    app.button(key="retry_download").click().run()
    assert not app.exception
    assert background_download.progress() is not before
    failed_fetch()
