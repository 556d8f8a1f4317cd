"""The page for teachers, beyond the link itself: what it says of the plan, and the link as a picture for phones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from hdr.classroom.assignment import build
from hdr.store.runs import Run
from hdr.training.run_spec import RunSpec
from hdr.types import Step
from hdr.ui.classroom import assignment_builder, banner
from tests.pages.conftest import SMALL, Open, healthy, text
from tests.pages.test_class import as_in_a_browser

__all__ = ["as_in_a_browser"]


def test_the_target_is_above_what_the_plan_reaches_and_one_below_it_is_said(open_page: Open, model: Run) -> None:
    app = open_page("teach", _plan=SMALL)
    known = model.result["test_accuracy"]
    field = next(n for n in app.number_input if n.key.startswith("teach_target"))
    assert known < field.value / 100 <= known + 0.2 * (1 - known) + 0.001
    assert "as it is." in text(app)
    field.set_value(10.0).run()
    healthy(app)
    assert "nobody has to change anything" in text(app)


def test_a_plan_that_nobody_has_trained_has_no_target(open_page: Open) -> None:
    app = open_page("teach", _plan=RunSpec("bundled", 700))
    assert next(n for n in app.number_input if n.key.startswith("teach_target")).value is None
    assert "Train the plan once" in text(app)


@pytest.mark.parametrize("page", ["home", "about"])
def test_home_and_about_lead_to_it(page: str, open_page: Open) -> None:
    assert [link for link in open_page(page).get("page_link") if "teachers" in link.proto.label]


def test_whose_runs_a_banner_counts_is_said(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "everybody shares all runs" in text(open_page("teach"))
    monkeypatch.setenv("HDR_PROFILE", "demo")
    assert "everybody shares all runs" not in text(open_page("teach"))


def test_the_link_is_a_picture_that_can_be_read() -> None:
    address = "http://127.0.0.1:8501/train?class=AXjaXZLBbqswEEV-_xfIaobR9XSSbLvIZVYQGPMAoxkb2pLQv4t_fNemrU"
    squares = assignment_builder._squares(address)
    assert set(np.unique(squares)) == {0, 255}
    frame = assignment_builder.MARGIN * assignment_builder.SQUARE
    assert (squares[:frame] == 255).all()
    assert (squares[:, :frame] == 255).all()
    assert cv2.QRCodeDetector().detectAndDecode(squares)[0] == address
    assert assignment_builder._squares("x" * 5_000) is None


def test_what_stays_is_said_in_a_line_for_each_part() -> None:
    plan = RunSpec("bundled", 1_000, features=(Step("hog"),), reduction=Step("pca"), classifier=Step("svm"))
    task = build(title="T", plan=plan, free=("classifier.svm.C", "reduction.pca.standardise"))
    fixed, free = dict(banner.fixed(task)), dict(banner.changeable(task))
    assert fixed["Reduction"].startswith("Principal components (PCA) (components ")
    assert "standardise" not in fixed["Reduction"]
    assert "soft counts yes" in fixed["Features"]
    assert " C " not in fixed["Classifier"]
    assert "gamma" in fixed["Classifier"]
    assert free["Support vector machine: C"] == "0.001 to 1000"
    assert free["Principal components (PCA): Standardise first"] == "yes or no"
    several = build(title="T", plan=plan, classifiers=("mlp",))
    assert dict(banner.fixed(several))["Support vector machine"].startswith("kernel rbf")
    assert "Classifier" not in dict(banner.fixed(several))
