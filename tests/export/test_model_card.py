"""Model cards: every figure is the run's, and what a visitor wrote is shown letter by letter."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from hdr.analysis.calibration import reliability
from hdr.export.model_card import card, escaped
from hdr.formatting import format_percent
from hdr.training.fitting import fit
from hdr.training.model import TrainedModel
from hdr.training.run_spec import PRESETS, Change, RunSpec
from hdr.types import Dataset, Step


@pytest.fixture(scope="module")
def model(bundled: Dataset) -> TrainedModel:
    """A network that was steered, with copies of its digits."""
    spec = RunSpec(
        "bundled",
        500,
        augmentation=Step("distort", {"copies": 1}),
        reduction=Step("pca", {"components": 20}),
        classifier=Step("mlp", {"epochs": 6, "keep_best": True}),
        changes=(Change(2, (("learning_rate", 0.005),)), Change(5, (), True)),
    )
    return fit(spec, bundled)


def test_a_card_says_what_a_model_was_made_from(model: TrainedModel, bundled: Dataset) -> None:
    text, metrics = card("Mine", model, bundled, model.test_probabilities), model.metrics
    assert text.startswith("# Model card: Mine\n")
    assert bundled.note in text and f"| {metrics['fitted_on']:,} of 1,347 training digits" in text
    assert f"| {metrics['validated_on']} other training digits |" in text and "| Seed | 0 |" in text
    assert "  nothing is done" not in text and "nothing is done, the chain has no step." in text
    assert "1. Pixels" in text and "- Distorted copies: copies 1, shift 1.0 px" in text
    assert "- Principal components (PCA): components 20, standardise first false" in text
    assert "- Multilayer perceptron: hidden layers 1, units per layer 100, activation relu" in text
    assert "- from epoch 2 on: learning rate 0.005" in text
    assert (
        "- it ended after 4 of 6 epochs, since somebody asked" in text
        and f"those of epoch {metrics['kept_epoch']}," in text
    )
    for name, version in model.versions.items():
        assert f"{name} {version}" in text
    (spec,) = re.findall(r"```json\n(.+?)```", text, re.S)
    assert RunSpec.from_json(json.loads(spec)) == model.spec


def test_a_card_says_how_well_it_does_and_where_it_fails(model: TrainedModel, bundled: Dataset) -> None:
    text, metrics = card("Mine", model, bundled, model.test_probabilities), model.metrics
    low, _ = metrics["interval"]
    assert (
        f"**Test accuracy {format_percent(metrics['test_accuracy'])}**, 95% interval {format_percent(low)} to" in text
    )
    assert f"Wrong: {metrics['wrong']} of 450 test digits." in text
    for row in metrics["per_class"]:
        assert f"| {row['digit']} | {format_percent(row['precision'])} | {format_percent(row['recall'])} |" in text
    matrix = np.array(metrics["confusion"])
    off = matrix - np.diag(matrix.diagonal())
    a, b = (int(i) for i in np.unravel_index(off.argmax(), off.shape))
    assert f"| A | is called | how often | of all of its kind |\n| --- | --- | --- | --- |\n| {a} | {b} | " in text
    first = metrics["mistakes"][0]
    assert f"- {first['index']}: a {first['label']} read as {first['said']}, with a confidence of" in text


def test_a_card_says_whether_probabilities_can_be_believed(bundled: Dataset) -> None:
    model = fit(replace(PRESETS["fast"].spec, dataset="bundled", train_size=500), bundled)
    text = card("Mine", model, bundled, model.test_probabilities)
    ece = reliability(bundled.test.labels, model.test_probabilities).ece
    assert f"Expected calibration error: {format_percent(ece)}" in text
    assert f"a temperature of {model.temperature:.3g}" in text
    assert "believed" not in card("Mine", model, bundled, None)


def test_a_perfect_model_has_a_card(bundled: Dataset, model: TrainedModel) -> None:
    counts = np.bincount(bundled.test.labels, minlength=10)
    metrics = {**model.metrics, "confusion": np.diag(counts).tolist(), "wrong": 0, "mistakes": []}
    text = card("Mine", replace(model, metrics=metrics), bundled, None)
    assert "It called every test digit by its right name" in text


@pytest.mark.parametrize(
    "title",
    ["<script>alert(1)</script>", "![x](http://a.b/c.png)", "a\n# b\n\n- c", "[x](http://a.b)", "*a* `b` | c", "$x$"],
)
def test_what_a_visitor_wrote_is_shown_letter_by_letter(title: str, model: TrainedModel, bundled: Dataset) -> None:
    shown = escaped(title)
    assert not re.search(r"[!-/:-@\[-`{-~]", re.sub(r"\\.", "", shown)) and "\n" not in shown
    assert shown.replace("\\", "").replace("\u2060", "") == " ".join(title.split())
    assert card(title, model, bundled, None).splitlines()[0] == f"# Model card: {shown}"
