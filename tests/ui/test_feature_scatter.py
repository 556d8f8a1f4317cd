"""The sections on many digits, in AppTest, on the bundled digits."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from hdr.ui.components import job_progress
from tests.support.waiting import PATIENCE, until


def features_of(name: str) -> None:
    """An app with the sections on one extractor."""
    import streamlit as st

    from hdr.preprocessing import Pipeline
    from hdr.types import Step
    from hdr.ui.features import class_separability, scatter

    step = (Step(st.session_state.get("extractor", "bounding_box")),)
    scatter.scatter("bundled", Pipeline(), step)
    class_separability.section("bundled", Pipeline(), step)


def components() -> None:
    """An app with the section on principal components."""
    from hdr.preprocessing import Pipeline
    from hdr.ui.features import pca
    from hdr.ui.state import resources

    pca.section("bundled", Pipeline(), resources.dataset("bundled").test.images[0])


def about() -> None:
    """An app with the panel on the data."""
    from hdr.ui.components import dataset_summary

    dataset_summary.panel("bundled")


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Every test has jobs of its own."""
    job_progress.all_jobs.clear()


def settled(app: AppTest) -> AppTest:
    """The app when nothing is computed any more."""
    until(lambda: "hdr-waiting" not in said(app.run()), lambda: said(app))
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    """All that is shown as words or HTML."""
    return "\n".join(str(e.value) for e in app.main if e.type in ("markdown", "html", "caption")).replace("\xa0", " ")


def opened(script: object, **state: object) -> AppTest:
    """An app of one of the functions above, settled."""
    kwargs = {"name": ""} if script is features_of else {}
    app = AppTest.from_function(script, default_timeout=PATIENCE, kwargs=kwargs)
    for key, value in state.items():
        app.session_state[key] = value
    return settled(app)


def test_a_digit_is_shown_before_anybody_clicks() -> None:
    app = opened(features_of)
    text = said(app)
    assert "the one deepest among another class" in text and "of the training split" in text
    assert "1,347 training digits" in text
    assert [b.label for b in app.button] == ["Open in Preprocess"]


def test_the_plane_may_be_that_of_principal_components_or_t_sne() -> None:
    app = opened(features_of)
    (plane,) = [g for g in app.get("button_group") if g.key == "many_plane"]
    plane.set_value("pca")
    settled(app)
    assert "component 1 (" in said(app).replace("\\", "")
    (plane,) = [g for g in app.get("button_group") if g.key == "many_plane"]
    plane.set_value("tsne")
    settled(app)
    assert "t-SNE keeps neighbours together" in said(app)


def test_the_ranking_names_a_pair_and_ranks_by_information_too() -> None:
    app = opened(features_of)
    table = app.dataframe[0].value
    assert list(table["f"]) == sorted(table["f"], reverse=True) and len(table) == len(set(table["column"]))
    assert table["information"].notna().all(), "few columns are estimated unasked"
    (order,) = [g for g in app.get("button_group") if g.key == "many_order"]
    order.set_value("information")
    settled(app)
    table = app.dataframe[0].value
    assert list(table["information"]) == sorted(table["information"], reverse=True)
    assert "has the larger value in" in said(app)


def test_many_columns_are_informed_when_asked_and_pixels_have_a_map() -> None:
    app = opened(features_of, extractor="pixels")
    assert app.dataframe[0].value["information"].isna().all()
    assert "Rank by mutual information to have it estimated too" in said(app)
    assert "every feature at its place" in said(app)


def test_a_job_that_failed_says_why_and_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from hdr.features import feature_ranking
    from hdr.types import HdrError

    def fails(*_: object, **__: object) -> None:
        raise HdrError("This does not fit.")

    whole = feature_ranking.sample
    monkeypatch.setattr(feature_ranking, "sample", fails)
    app = opened(features_of)
    assert said(app).count("This does not fit") == 2, "in either section"
    monkeypatch.setattr(feature_ranking, "sample", whole)
    app.button[0].click()
    settled(app)
    assert "of the training split" in said(app)


def test_a_digit_is_rebuilt_and_a_component_is_walked_along() -> None:
    app = opened(components)
    text = said(app)
    assert "20 numbers instead of 784" in text and "+3 sd" in text and "component 1 alone" in text
    app.select_slider[0].set_value(0)
    settled(app)
    assert "0 numbers instead of 784 hold 0.0%" in said(app)
    app.slider[0].set_value(5)
    settled(app)
    assert "component 5 alone" in said(app)


def test_the_panel_on_the_data_has_figures_and_facts() -> None:
    text = said(opened(about))
    assert "not* standardised" in text and "13 people" in text and "1,347 training digits" in text
    assert text.count("hdr-digit") == 30, "one, mean and deviation of each class"
