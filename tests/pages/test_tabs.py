"""Below the selected step: its whole family, all ten digits, what it is worth, and the code."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from hdr import catalogue, datasets
from hdr.analysis.step_ablation import ablate_step
from hdr.export.preprocessing_script import script
from hdr.formatting import format_count, format_percent
from hdr.preprocessing import PRESETS, Pipeline
from hdr.preprocessing.corruptions import spoil
from hdr.preprocessing.pipeline import chain
from hdr.types import Step
from tests.pages.conftest import Open, healthy, key_of, text, unescaped
from tests.pages.looking import click, decoded, disturb, images, look_at, open_tab, pictures, select
from tests.support.waiting import until

FAMILY, CLASSES, WORTH, CODE = "Its whole family", "All ten digits", "Does it help?", "Show me the code"
TABS = [FAMILY, CLASSES, WORTH, CODE]


def relatives(app: AppTest) -> dict[str, NDArray[np.uint8]]:
    """The pictures of the family by the name of the step."""
    names = [b.key.removeprefix("instead-") for b in app.button if (b.key or "").startswith("instead-")]
    return dict(zip(names, images(app, 112), strict=True))


def grid(app: AppTest) -> dict[str, list[NDArray[np.uint8]]]:
    """The rows of all ten digits, by their titles."""
    (html,) = re.findall(r'<div class="hdr-grid">(.*?)</div>\s*(?:\n|$)', text(app))
    rows = re.split(r'<div class="hdr-over">([^<]*)</div>', html)[1:]
    found = zip(rows[::2], rows[1::2], strict=True)
    return {title: [decoded(d) for d in re.findall(r'base64,([^"]+)"', row)] for title, row in found}


def test_the_family_is_open_and_only_what_is_open_is_computed(open_page: Open) -> None:
    app = open_page("preprocess")
    assert [t.label for t in app.tabs] == TABS
    assert relatives(app) and "hdr-grid" not in text(app) and not app.code
    assert not [b for b in app.button if b.key == "measure"]
    open_tab(app, CODE)
    assert app.code and not relatives(app)
    open_tab(app, CLASSES)
    assert "hdr-grid" in text(app) and not app.code
    open_tab(app, WORTH)
    assert app.button(key="measure") and "hdr-grid" not in text(app)


@pytest.mark.parametrize("tab", TABS)
def test_the_open_tab_stays_open_while_the_chain_changes(tab: str, open_page: Open) -> None:
    app = select(open_tab(open_page("preprocess"), tab), 3)
    assert [t.label for t in app.tabs if len(t.children) > 0] == [tab]


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_of_an_empty_chain_says_something(tab: str, open_page: Open) -> None:
    app = open_tab(open_page("preprocess", {"chain": ""}), tab)
    (shown,) = [t for t in app.tabs if len(t.children) > 0]
    assert shown.label == tab
    if tab in (FAMILY, WORTH):
        assert "Add a step" in text(app)
    if tab == CLASSES:
        assert list(grid(app)) == ["source"]
    if tab == CODE:
        assert "nothing is done" in app.code[0].value


@pytest.mark.parametrize("index", range(len(PRESETS["Default"])))
def test_every_step_is_shown_beside_all_others_of_its_family(index: int, open_page: Open) -> None:
    app = select(open_page("preprocess"), index)
    own = catalogue.get("step", PRESETS["Default"][index])
    family = [e for e in catalogue.entries("step") if e.family == own.family]
    before = pictures(app)[index]
    found = relatives(app)
    assert list(found) == [e.name for e in family]
    assert {b.label for b in app.button if (b.key or "").startswith("instead-")} == {e.title for e in family}
    for entry in family:
        if entry.display == "intensity":
            assert np.array_equal(found[entry.name], entry(before[None])[0]), entry.name


def test_the_selected_step_has_its_own_values_in_the_family(open_page: Open) -> None:
    app = select(open_page("preprocess", {"chain": "threshold-level-220"}), 0)
    assert np.array_equal(relatives(app)["threshold"], pictures(app)[1])
    app.slider(key=key_of(app, "0-level")).set_value(20).run()
    healthy(app)
    assert np.array_equal(relatives(app)["threshold"], pictures(app)[1])


def test_a_click_in_the_family_exchanges_the_step(open_page: Open) -> None:
    app = select(open_page("preprocess", {"chain": "median-size-5~otsu~deskew"}), 0)
    wanted = relatives(app)["bilateral"]
    click(app, "instead-bilateral")
    expected = chain("bilateral", "otsu", "deskew")
    assert app.query_params["chain"] == expected.to_text(), "with its usual values"
    assert np.array_equal(pictures(app)[1], wanted)
    assert "**1. Bilateral filter**" in text(app), "it is the selected one"
    click(app, "instead-median")
    assert app.query_params["chain"] == chain("median", "otsu", "deskew").to_text()
    click(select(app, 1), "instead-triangle")
    assert app.query_params["chain"] == chain("median", "triangle", "deskew").to_text()


def test_a_click_on_the_step_itself_keeps_its_values(open_page: Open) -> None:
    app = select(open_page("preprocess", {"chain": "median-size-7~otsu"}), 0)
    click(app, "instead-median")
    assert app.query_params["chain"] == "median-size-7~otsu"


def test_a_step_that_is_off_is_exchanged_for_one_that_is_on(open_page: Open) -> None:
    app = select(open_page("preprocess", {"chain": "_median~otsu"}), 0)
    click(app, "instead-mean")
    assert app.query_params["chain"] == chain("mean", "otsu").to_text()


def test_the_family_has_its_quality_only_where_something_was_disturbed(open_page: Open) -> None:
    app = select(open_page("preprocess"), 0)
    assert " dB" not in text(app)
    disturb(app, "salt_and_pepper.share", 30)
    told = re.findall(r'<div class="hdr-over hdr-below">PSNR ([\d.]+) dB', text(app))
    assert len(told) == len(relatives(app))
    by_name = dict(zip(relatives(app), map(float, told), strict=True))
    assert by_name["median"] > by_name["mean"], "a median is for specks"


def test_all_ten_digits_go_down_the_chain(open_page: Open) -> None:
    app = open_tab(open_page("preprocess", {"chain": "median~_gaussian~otsu~deskew"}), CLASSES)
    split = datasets.load(datasets.available()[0]).test
    sources = np.stack([split.images[np.flatnonzero(split.labels == d)[0]] for d in range(10)])
    rows = grid(app)
    assert list(rows) == ["source", "Median filter", "Otsu threshold", "Deskew"], "what is off has no row"
    for row, names in zip(
        rows.values(), ([], ["median"], ["median", "otsu"], ["median", "otsu", "deskew"]), strict=True
    ):
        assert np.array_equal(np.stack(row), chain(*names).apply(sources))


def test_another_number_is_another_ten_digits_and_all_are_spoiled(open_page: Open) -> None:
    app = open_tab(open_page("preprocess", {"chain": "otsu"}), CLASSES)
    first = np.stack(grid(app)["source"])
    app.number_input(key=key_of(app, "index-.*")).set_value(2).run()
    healthy(app)
    second = np.stack(grid(app)["source"])
    assert not any(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    disturb(app)
    spoiled = np.stack(grid(app)["source"])
    assert np.array_equal(spoiled, spoil(second, [Step("gaussian_noise", {"sigma": 40})], 0))


@pytest.mark.parametrize("number", [0, 43, 44, 49, 300])
def test_a_small_set_has_ten_digits_for_every_number(number: int, open_page: Open) -> None:
    app = open_tab(look_at(open_page("preprocess"), "bundled"), CLASSES)
    app.number_input(key=key_of(app, "index-.*")).set_value(number).run()
    healthy(app)
    assert len(grid(app)["source"]) == 10


def test_the_code_is_the_chain_and_gives_the_same_picture(open_page: Open) -> None:
    app = open_tab(open_page("preprocess", {"chain": "gaussian-sigma-1.5~_median~otsu~centre_by_mass"}), CODE)
    code = app.code[0].value
    assert code.strip() == script(Pipeline.from_text(app.query_params["chain"])).strip()
    assert "hdr" not in code
    names: dict = {"__name__": "a script"}
    exec(compile(code, "preprocess.py", "exec"), names)
    source, *_, last = pictures(app)
    assert np.array_equal(names["preprocess"](source[None])[0], last)
    assert [b.proto.label for b in app.get("download_button")] == ["Download the script", "Download this picture"]


def test_the_code_follows_a_slider(open_page: Open) -> None:
    app = open_tab(select(open_page("preprocess", {"chain": "threshold-level-60"}), 0), CODE)
    assert "level=60" in app.code[0].value
    app.slider(key=key_of(app, "0-level")).set_value(211).run()
    healthy(app)
    assert "level=211" in app.code[0].value and "level=60" not in app.code[0].value


def answered(app: AppTest) -> AppTest:
    """Run the page until no work is under way."""

    def ended() -> bool:
        if 'class="hdr-waiting"' not in text(app):
            return True
        healthy(app.run())
        return False

    until(ended, "the work ends")
    return app


@pytest.fixture
def small(open_page: Open) -> AppTest:
    """The tab that measures, on the small digits, with a median that is selected."""
    app = look_at(open_page("preprocess", {"chain": "median~otsu"}), "bundled")
    return open_tab(select(app, 0), WORTH)


def test_nothing_is_trained_before_somebody_asks(small: AppTest) -> None:
    assert "What the step is worth appears here" in text(small)
    assert "hdr-figure" not in text(small) and "hdr-waiting" not in text(small)
    assert small.button(key="measure").label == "Measure Median filter"
    assert "3,000 digits of Small digits (offline):" in text(small)


def test_what_a_step_is_worth_is_said_with_an_interval_and_the_digits_that_change(small: AppTest) -> None:
    disturb(small, "salt_and_pepper.share", 30)
    assert "all spoiled in the same way (Salt and pepper 30%)" in text(small)
    answered(click(small, "measure"))
    data = datasets.load("bundled")
    found = ablate_step(data, chain("median", "otsu"), 0, disturbances=[Step("salt_and_pepper", {"share": 30})])
    assert found.interval[0] > 0
    said = text(small)
    assert "**Median filter helps** here" in said
    assert (
        f"{format_percent(found.accuracy_with)} with it, {format_percent(found.accuracy_without)} without".replace(
            "\xa0", " "
        )
        in said
    )
    figure = f"+{found.difference * 100:.2f}"
    assert f'<div class="hdr-figure">{figure}</div>' in said
    low, high = (f"+{edge * 100:.2f}" for edge in found.interval)
    assert f"on {format_count(found.validated_on)} digits; 95% interval {low} to {high}, for new digits" in said
    assert f"**Wrong without it, right with it: {len(found.mended)}**" in said
    assert f"**Right without it, wrong with it: {len(found.broken)}**" in said
    shown = images(small, 56)
    expected = [*found.mended[:30], *found.broken[:30]]
    assert np.array_equal(np.stack(shown), data.train.images[[c.index for c in expected]])
    captions = re.findall(r"<figcaption>([^<]*)</figcaption>", said)
    assert captions == [f"{c.label}: {c.said_without} → {c.said_with}" for c in expected]


def test_a_step_that_hurts_is_said_to_hurt(small: AppTest) -> None:
    small.query_params["chain"] = "threshold-level-254"
    answered(click(small.run(), "measure"))
    assert "**Fixed threshold hurts** here" in text(small)
    assert re.search(r'<div class="hdr-figure">−\d', text(small))


def test_a_step_that_changes_nothing_makes_no_difference(small: AppTest) -> None:
    small.query_params["chain"] = "otsu~threshold"
    select(small.run(), 1)
    answered(click(small, "measure"))
    assert "**Fixed threshold makes no difference that this many digits can show** here" in text(small)
    assert '<div class="hdr-figure">±0.00</div>' in text(small)
    assert "None." in text(small)


def test_the_answer_belongs_to_one_chain_and_is_kept_for_it(small: AppTest) -> None:
    answered(click(small, "measure"))
    answer = re.search(r"\*\*Median filter.*?It took [^\n]*", text(small), re.S)[0]
    select(small, 1)
    assert "What the step is worth appears here" in text(small), "of another step nothing is known"
    select(small, 0)
    assert answer in text(small), "it is not measured again, for even the time is the same"
    small.query_params["chain"] = "median~_otsu"
    small.run()
    healthy(small)
    assert answer not in text(small)
    small.query_params["chain"] = "median~otsu"
    assert answer in text(small.run())


def test_pictures_that_cannot_be_compared_are_explained(small: AppTest) -> None:
    small.query_params["chain"] = "crop-margin-14"
    answered(click(small.run(), "measure"))
    said = unescaped(text(small))
    assert "With Crop, the chain makes pictures of 2x2 pixels that cannot be compared" in said
    assert [b for b in small.button if b.label == "Try again"]
