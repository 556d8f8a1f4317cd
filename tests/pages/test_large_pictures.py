"""The selected step, large: before, after and change, thresholds, quality, and a result that is kept."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from hdr import datasets
from hdr.preprocessing.image_quality import quality
from hdr.preprocessing.pipeline import chain
from tests.pages.conftest import Open, healthy, key_of, text
from tests.pages.looking import click, disturb, look_at, panels, pictures, select

CHANGE, EDGE, KEPT = "Change", "Before | after", "Kept | now"


def view(app: AppTest) -> str:
    """Which third picture is chosen."""
    return third(app).value


def third(app: AppTest) -> object:
    """The choice of the third picture."""
    (found,) = [g for g in app.get("button_group") if (g.key or "").startswith("view-")]
    return found


def choose(app: AppTest, name: str) -> AppTest:
    """Choose the third picture."""
    third(app).set_value(name).run()
    healthy(app)
    return app


def kinds(app: AppTest) -> list[str]:
    """What the large pictures are."""
    return [p["kind"] for p in panels(app)]


@pytest.mark.parametrize("index", [0, 2, 5])
def test_before_after_and_change_of_the_selected_step(index: int, open_page: Open) -> None:
    app = select(open_page("preprocess"), index)
    strip = pictures(app)
    before, after, change = panels(app)
    assert np.array_equal(before["pictures"][0], strip[index])
    assert np.array_equal(after["pictures"][0], strip[index + 1])
    assert change["kind"] == "change"
    assert [p.tolist() for p in change["pictures"]] == [strip[index].tolist(), strip[index + 1].tolist()]
    changed = np.abs(strip[index].astype(int) - strip[index + 1])
    notes = [f"{(changed > 0).mean():.0%} of the pixels changed,", f"by at most {changed.max()} of 255"]
    assert change["notes"] == notes


def test_a_step_that_is_off_shows_that_nothing_changes(open_page: Open) -> None:
    before, after, change = panels(select(open_page("preprocess", {"chain": "median~_otsu"}), 1))
    assert np.array_equal(before["pictures"][0], after["pictures"][0])
    assert change["notes"] == ["0% of the pixels changed,", "by at most 0 of 255"]
    assert before["notes"] == [], "a threshold that is off applies to nothing"


def test_before_and_after_can_be_laid_over_each_other(open_page: Open) -> None:
    app = choose(select(open_page("preprocess"), 2), EDGE)
    divider = panels(app)[2]
    assert (divider["kind"], divider["title"]) == ("divider", EDGE)
    assert [p.tolist() for p in divider["pictures"]] == [p.tolist() for p in pictures(app)[2:4]]
    assert choose(app, CHANGE) and panels(app)[2]["kind"] == "change"


@pytest.mark.parametrize("step", ["crop", "pad", "resize"])
def test_a_step_that_changes_the_size_shows_no_difference(step: str, open_page: Open) -> None:
    app = select(open_page("preprocess", {"chain": f"{step}~otsu"}), 0)
    assert kinds(app) == ["plain", "plain"]
    choose(app, EDGE)
    assert kinds(app) == ["plain", "plain"]
    before, after = panels(app)
    assert before["pictures"][0].shape == (28, 28) != after["pictures"][0].shape
    assert kinds(select(app, 1)) == ["plain", "plain", "divider"], "the next step keeps the size"


@pytest.mark.parametrize("step", ["sobel_x", "gradient_direction"])
def test_what_has_another_meaning_is_not_subtracted(step: str, open_page: Open) -> None:
    app = select(open_page("preprocess", {"chain": step}), 0)
    assert kinds(app) == ["plain", "plain"]
    assert [p["display"] for p in panels(app)] == ["intensity", "signed" if step == "sobel_x" else "angle"]


def test_the_threshold_that_otsu_finds_is_said_and_drawn(open_page: Open) -> None:
    app = select(open_page("preprocess", {"chain": "median~otsu"}), 1)
    before, after, _ = panels(app)
    level, _ = cv2.threshold(pictures(app)[1], 0, 255, cv2.THRESH_OTSU)
    assert before["notes"] == [f"threshold {level:.0f}"]
    assert after["notes"] == []
    assert before["histogram"] != panels(select(app, 0))[1]["histogram"], "that of the same picture without it"


def test_a_threshold_follows_its_slider(open_page: Open) -> None:
    app = select(open_page("preprocess", {"chain": "threshold"}), 0)
    first = panels(app)[0]
    app.slider(key=key_of(app, "0-level")).set_value(200).run()
    healthy(app)
    second = panels(app)[0]
    assert (first["notes"], second["notes"]) == (["threshold 127"], ["threshold 200"])
    assert first["histogram"] != second["histogram"]


def test_thresholds_that_differ_by_place_are_said_as_a_range(open_page: Open) -> None:
    app = select(open_page("preprocess", {"chain": "adaptive_mean"}), 0)
    (note,) = panels(app)[0]["notes"]
    low, high = map(int, re.fullmatch(r"threshold (-?\d+) to (\d+), by place", note).groups())
    assert low < high


def test_quality_is_shown_only_of_what_was_disturbed(open_page: Open) -> None:
    app = select(open_page("preprocess"), 2)
    assert "PSNR " not in text(app) and not any(p["notes"] and "PSNR" in p["notes"][0] for p in panels(app))
    disturb(app)
    split = datasets.load(datasets.available()[0]).test
    steps = chain("median", "contrast_stretching", "otsu")
    found = quality(steps.apply(split.images[:1])[0], pictures(app)[3])
    (note,) = panels(app)[1]["notes"]
    assert note == f"PSNR {found.psnr:.1f}\xa0dB · SSIM {found.ssim:.2f}"
    over = re.findall(r'<div class="hdr-over" title="(\d)[^"]*PSNR ([\d.]+)', text(app))
    assert [int(number) for number, _ in over] == [1, 2, 3, 4, 5, 6]
    assert over[2][1] == f"{found.psnr:.1f}"
    assert "the higher, the more of it is left" in text(app)
    next(b for b in app.button if b.label == "Undisturbed").click().run()
    healthy(app)
    assert "PSNR " not in text(app)


def test_the_source_says_how_far_it_was_spoiled(open_page: Open) -> None:
    app = disturb(open_page("preprocess"), "salt_and_pepper.share", 30)
    clean = datasets.load(datasets.available()[0]).test.images[0]
    found = quality(clean, pictures(app)[0])
    assert f"PSNR {found.psnr:.1f} dB · SSIM {found.ssim:.2f}" in text(app)


def test_a_result_is_kept_and_compared_with_other_settings(open_page: Open) -> None:
    app = select(open_page("preprocess", {"chain": "threshold-level-60"}), 0)
    low = pictures(app)[1]
    assert third(app).options == [CHANGE, EDGE]
    click(app, "keep")
    assert third(app).options == [CHANGE, EDGE, KEPT] and view(app) == KEPT, "it is shown at once"
    app.slider(key=key_of(app, "0-level")).set_value(220).run()
    healthy(app)
    divider = panels(app)[2]
    assert (divider["kind"], divider["title"]) == ("divider", KEPT)
    assert np.array_equal(divider["pictures"][0], low)
    assert np.array_equal(divider["pictures"][1], pictures(app)[1])
    assert not np.array_equal(*divider["pictures"])
    assert divider["notes"] == ["left: Fixed threshold, level 60", "right: Fixed threshold, level 220"]


def test_two_steps_are_compared(open_page: Open) -> None:
    app = click(select(open_page("preprocess", {"chain": "median~otsu"}), 0), "keep")
    divider = panels(select(app, 1))[2]
    assert np.array_equal(divider["pictures"][0], pictures(app)[1])
    assert np.array_equal(divider["pictures"][1], pictures(app)[2])
    assert divider["notes"] == ["left: Median filter, size 3 px", "right: Otsu threshold"]


def test_what_is_kept_is_the_chain_and_runs_on_what_is_looked_at_now(open_page: Open) -> None:
    app = click(select(open_page("preprocess", {"chain": "median~otsu"}), 0), "keep")
    select(app, 1)
    app.number_input(key=key_of(app, "index-.*")).set_value(3).run()
    healthy(app)
    digit = datasets.load(datasets.available()[0]).test.images[3]
    assert np.array_equal(panels(app)[2]["pictures"][0], chain("median").apply(digit[None])[0])
    disturb(app)
    assert np.array_equal(panels(app)[2]["pictures"][0], chain("median").apply(pictures(app)[0][None])[0])


def test_another_result_takes_its_place(open_page: Open) -> None:
    app = click(select(open_page("preprocess", {"chain": "median~gaussian~otsu"}), 0), "keep")
    assert app.button(key="keep").label == "Keep this instead"
    click(select(app, 1), "keep")
    divider = panels(select(app, 2))[2]
    assert divider["notes"][0] == "left: Gaussian filter, sigma 1 px"


def test_what_was_kept_can_be_let_go(open_page: Open) -> None:
    app = click(click(select(open_page("preprocess"), 0), "keep"), "let_go")
    assert third(app).options == [CHANGE, EDGE] and view(app) == CHANGE
    assert panels(app)[2]["kind"] == "change"
    assert app.button(key="keep").label == "Keep this result"
    assert not [b for b in app.button if b.key == "let_go"]


def test_the_other_pictures_can_be_seen_while_something_is_kept(open_page: Open) -> None:
    app = click(select(open_page("preprocess"), 0), "keep")
    assert panels(choose(app, CHANGE))[2]["kind"] == "change"
    assert panels(choose(app, EDGE))[2]["title"] == EDGE
    assert panels(choose(app, KEPT))[2]["title"] == KEPT


def test_a_kept_result_of_another_size_is_no_error(open_page: Open) -> None:
    app = click(select(open_page("preprocess", {"chain": "resize~otsu"}), 0), "keep")
    look_at(app, "bundled")
    app.query_params["chain"] = "median"
    app.run()
    healthy(app)
    assert kinds(app) == ["plain", "plain", "plain"], "it stands beside them, as it cannot be laid over them"


def test_a_step_that_is_off_can_be_kept(open_page: Open) -> None:
    app = click(select(open_page("preprocess", {"chain": "median~_otsu"}), 1), "keep")
    app.toggle(key=key_of(app, "1-on")).set_value(True).run()
    healthy(app)
    left, right = panels(app)[2]["pictures"]
    assert np.array_equal(left, pictures(app)[1]) and np.array_equal(right, pictures(app)[2])


def test_nothing_is_kept_of_another_visitor(open_page: Open) -> None:
    click(select(open_page("preprocess"), 0), "keep")
    assert third(select(open_page("preprocess"), 0)).options == [CHANGE, EDGE]
