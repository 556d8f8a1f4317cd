"""The Preprocess page: the digit, the chain, and its address."""

from __future__ import annotations

import numpy as np
import pytest

from hdr import catalogue, datasets
from hdr.preprocessing import PRESETS, Pipeline
from hdr.preprocessing.pipeline import LONGEST, chain
from hdr.ui.state import resources
from tests.pages.conftest import Open, healthy, key_of, text, unescaped
from tests.pages.looking import add, click, look_at, pictures, select, steps, titles

DEFAULT = list(PRESETS["Default"])


def test_it_starts_with_the_default_chain_in_strip_and_address(open_page: Open) -> None:
    app = open_page("preprocess")
    assert steps(app) == DEFAULT
    assert titles(app) == [catalogue.get("step", name).title for name in DEFAULT]
    digit = datasets.load(datasets.available()[0]).test.images[0]
    shown = pictures(app)
    assert np.array_equal(shown[0], digit)
    for picture, stage in zip(shown[1:], chain(*DEFAULT).trace(digit), strict=True):
        assert np.array_equal(picture, stage.image), stage.title


@pytest.mark.parametrize("entry", catalogue.entries("step"), ids=lambda e: e.name)
def test_every_step_can_be_added_after_the_selected_one_with_its_widgets_and_its_words(
    entry: catalogue.Entry, open_page: Open
) -> None:
    app = add(select(open_page("preprocess"), 1), entry.name)
    assert steps(app) == [*DEFAULT[:2], entry.name, *DEFAULT[2:]]
    assert entry.caption in text(app), "the step that was added is the one that is shown large"
    labels = {w.label for kind in ("slider", "select_slider", "toggle", "button_group") for w in app.get(kind)}
    assert {p.title for p in entry.parameters} <= labels


def test_steps_can_be_added_up_to_the_longest_chain(open_page: Open) -> None:
    app = open_page("preprocess", {"chain": "~".join(["deskew"] * LONGEST)}, add_menu=True)
    assert len(steps(app)) == LONGEST
    assert app.button(key="add-median").disabled


def test_a_step_can_be_taken_out(open_page: Open) -> None:
    app = click(select(open_page("preprocess"), 0), "remove")
    assert steps(app) == DEFAULT[1:]
    assert "Contrast stretching" in app.button(key="select-0").label


def test_all_steps_can_be_taken_out_and_others_put_in(open_page: Open) -> None:
    app = open_page("preprocess")
    for _ in DEFAULT:
        click(app, "remove")
    assert app.query_params["chain"] == ""
    assert len(pictures(app)) == 1
    assert "The chain is empty" in text(app)
    app.run()
    assert app.query_params["chain"] == "", "an empty chain stays empty"
    add(app, "otsu")
    assert steps(app) == ["otsu"]


def test_steps_change_places_and_stop_at_the_ends(open_page: Open) -> None:
    app = select(open_page("preprocess"), 0)
    assert app.button(key="left").disabled
    click(app, "right")
    assert steps(app)[:2] == ["contrast_stretching", "median"]
    assert "**2. Median filter**" in text(app), "the step that was moved stays selected"
    click(app, "left")
    assert steps(app) == DEFAULT
    assert app.button(key="right").disabled is False
    assert select(app, len(DEFAULT) - 1).button(key="right").disabled


def test_order_matters_to_the_pictures(open_page: Open) -> None:
    app = open_page("preprocess", {"chain": "sobel_magnitude~otsu"})
    before = pictures(app)[-1]
    select(app, 0)
    click(app, "right")
    assert steps(app) == ["otsu", "sobel_magnitude"]
    assert not np.array_equal(pictures(app)[-1], before)


def test_a_step_that_is_switched_off_changes_nothing_and_can_be_switched_on(open_page: Open) -> None:
    app = select(open_page("preprocess"), 2)
    on = pictures(app)
    app.toggle(key=key_of(app, "2-on")).set_value(False).run()
    healthy(app)
    assert "~_otsu~" in app.query_params["chain"]
    off = pictures(app)
    assert np.array_equal(off[3], off[2]), "its picture is the one before it"
    assert not np.array_equal(off[3], on[3])
    app.toggle(key=key_of(app, "2-on")).set_value(True).run()
    assert [p.tolist() for p in pictures(app)] == [p.tolist() for p in on]


def test_a_step_that_found_nothing_to_do_says_so(open_page: Open) -> None:
    words = "There was nothing to do here: before and after are equal."
    app = open_page("preprocess", {"chain": "wavelet_denoising"})
    assert np.array_equal(pictures(app)[1], pictures(app)[0]) and words in text(app)
    assert words not in text(open_page("preprocess", {"chain": "_wavelet_denoising"})), "one that is off did nothing"
    app = open_page("preprocess", {"chain": "wavelet_denoising", "gaussian_noise.sigma": "40"})
    assert not np.array_equal(pictures(app)[1], pictures(app)[0]) and words not in text(app)


def test_a_slider_changes_the_picture_and_the_address(open_page: Open) -> None:
    app = select(open_page("preprocess", {"chain": "threshold"}), 0)
    before = pictures(app)[-1]
    app.slider(key=key_of(app, "0-level")).set_value(250).run()
    healthy(app)
    assert app.query_params["chain"] == "threshold-level-250"
    assert (pictures(app)[-1] > 0).sum() < (before > 0).sum()


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_replaces_the_chain(name: str, open_page: Open) -> None:
    app = click(open_page("preprocess", {"chain": "sobel_magnitude"}), f"preset-{name}")
    assert app.query_params["chain"] == chain(*PRESETS[name]).to_text()
    assert len(pictures(app)) == 1 + len(PRESETS[name])


@pytest.mark.parametrize("digit", [0, 4, 9])
def test_a_digit_can_be_chosen_by_class_and_number(digit: int, open_page: Open) -> None:
    app = open_page("preprocess")
    app.selectbox(key=key_of(app, "class")).select(digit).run()
    app.number_input(key=key_of(app, "index-.*")).set_value(5).run()
    healthy(app)
    split = datasets.load(datasets.available()[0]).test
    assert np.array_equal(pictures(app)[0], split.images[np.flatnonzero(split.labels == digit)[5]])
    assert f"a {digit} from" in text(app)


def test_a_number_that_the_next_class_does_not_have_falls_back_to_the_first(open_page: Open) -> None:
    app = open_page("preprocess")
    split = datasets.load(datasets.available()[0]).test
    app.number_input(key=key_of(app, "index-.*")).set_value(len(split) - 1).run()
    assert np.array_equal(pictures(app)[0], split.images[-1])
    app.selectbox(key=key_of(app, "class")).select(5).run()
    healthy(app)
    assert np.array_equal(pictures(app)[0], split.images[np.flatnonzero(split.labels == 5)[0]])


def test_another_is_another_of_the_same_class(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hdr.ui.inputs.digit_picker.random.randrange", lambda n: 17)
    app = open_page("preprocess")
    app.selectbox(key=key_of(app, "class")).select(3).run()
    click(app, "another")
    split = datasets.load(datasets.available()[0]).test
    assert np.array_equal(pictures(app)[0], split.images[np.flatnonzero(split.labels == 3)[17]])


def test_the_other_data_set_can_be_looked_at(open_page: Open) -> None:
    app = look_at(open_page("preprocess"), "bundled")
    assert np.array_equal(pictures(app)[0], datasets.load("bundled").test.images[0])


def test_without_a_drawing_the_page_says_where_to_draw(open_page: Open) -> None:
    app = look_at(open_page("preprocess"), "drawing")
    assert any("draw a digit first" in link.value for link in app.page_link)
    assert not pictures(app), "no row of black pictures"


DISTURBANCES = [(e, p) for e in catalogue.entries("disturbance") for p in e.parameters if p.name != "seed"]


@pytest.mark.parametrize(("entry", "parameter"), DISTURBANCES, ids=lambda v: v.name)
def test_every_disturbance_changes_the_source_as_its_function_does(
    entry: catalogue.Entry, parameter: catalogue.Parameter, open_page: Open
) -> None:
    app = open_page("preprocess")
    clean = pictures(app)[0]
    key, value = f"{entry.name}.{parameter.name}", parameter.type(parameter.maximum)
    app.slider(key=key).set_value(value).run()
    healthy(app)
    shown = pictures(app)[0]
    assert not np.array_equal(shown, clean)
    assert np.array_equal(shown, entry(clean[None], **{parameter.name: value})[0])
    assert f"{parameter.title} " in text(app), "the strip says what was done to it"


def test_the_seed_gives_other_noise_of_the_same_kind(open_page: Open) -> None:
    app = open_page("preprocess")
    app.slider(key="gaussian_noise.sigma").set_value(40).run()
    first = pictures(app)[0]
    app.number_input(key="seed").set_value(1).run()
    second = pictures(app)[0]
    assert not np.array_equal(first, second)
    app.number_input(key="seed").set_value(0).run()
    assert np.array_equal(pictures(app)[0], first)


def test_undisturbed_takes_every_disturbance_away(open_page: Open) -> None:
    app = open_page("preprocess")
    clean = pictures(app)[0]
    app.slider(key="gaussian_noise.sigma").set_value(40).run()
    app.slider(key="rotation.angle").set_value(20).run()
    next(b for b in app.button if b.label == "Undisturbed").click().run()
    healthy(app)
    assert np.array_equal(pictures(app)[0], clean)


def test_the_address_brings_the_chain(open_page: Open) -> None:
    app = open_page("preprocess", {"chain": "gaussian-sigma-2.5~_otsu"})
    chosen = Pipeline.from_text(app.query_params["chain"]).steps
    assert [(s.name, s.on) for s in chosen] == [("gaussian", True), ("otsu", False)]
    assert chosen[0].params["sigma"] == 2.5
    assert titles(app) == ["Gaussian filter", "Otsu threshold"]


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ("nonsense", "nonsense"),
        ("median-size-4", "size"),
        ("median-size", "name-value"),
        ("median-size-3-size-9999999999999999999999", "size"),
        ("threshold-level-nan", "level"),
        ("~".join(["otsu"] * 500), "at most"),
        ("<script>alert(1)</script>", "no step"),
        ("\x00\ud7ff", "no step"),
    ],
)
def test_a_broken_address_is_named_in_plain_words_and_the_page_works_on(
    broken: str, named: str, open_page: Open
) -> None:
    app = open_page("preprocess", {"chain": broken})
    assert len(app.warning) == 1
    assert "cannot be used" in app.warning[0].value
    assert named in unescaped(app.warning[0].value)
    assert len(app.warning[0].value) < 600
    assert steps(app) == DEFAULT, "the address then says what is shown"
    app.run()
    assert not app.warning, "it is said once"
    assert steps(add(app, "mean"))[3] == "mean"


def test_a_broken_address_keeps_the_chain_of_the_session(open_page: Open) -> None:
    app = open_page("preprocess", {"chain": "sobel_magnitude"})
    app.query_params["chain"] = "nonsense"
    app.run()
    assert len(app.warning) == 1
    assert steps(app) == ["sobel_magnitude"]


def test_use_for_training_takes_the_chain_without_what_is_off(open_page: Open) -> None:
    app = open_page("preprocess", {"chain": "gaussian-sigma-2.5~_otsu"})
    click(app, "use_for_training")
    assert app.header[0].value == "Train a model and watch it learn"
    assert app.selectbox(key=key_of(app, "pipeline-.*")).value == "From Preprocess"
    plan = app.session_state["_plan"]
    assert [(s.name, s.params["sigma"]) for s in plan.pipeline.steps] == [("gaussian", 2.5)]


def test_the_chain_survives_a_visit_to_another_page(open_page: Open) -> None:
    app = open_page("preprocess", {"chain": "sobel_magnitude"})
    del app.query_params["chain"]
    app.switch_page("pages/draw.py").run()
    app.switch_page("pages/preprocess.py").run()
    healthy(app)
    assert steps(app) == ["sobel_magnitude"]


def test_only_the_data_set_that_is_shown_is_loaded(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    resources._published.clear()
    loaded = []
    load = datasets.load
    monkeypatch.setattr(datasets, "load", lambda name: loaded.append(name) or load(name))
    app = open_page("preprocess")
    assert app.get("button_group")[0].options[:2] == [datasets.title(name) for name in datasets.available()[:2]]
    assert loaded == [datasets.available()[0]]
