"""A model card as Markdown: training data and method, test results, limitations and usage.

Every figure comes from the run. The only user input, the run's title, is escaped, so that it is shown letter
by letter.

Source: Mitchell et al., Model cards for model reporting (2019), doi:10.1145/3287560.3287596.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hdr import catalogue
from hdr.analysis.calibration import reliability
from hdr.catalogue import Kind
from hdr.export.preprocessing_script import chain_in_words, in_words, numbered
from hdr.formatting import format_percent
from hdr.sanitize import escape_markdown
from hdr.training.model import TrainedModel
from hdr.types import Dataset, Step

CONFUSIONS = 10
"""Pairs of digits that are listed, those confused most often first."""

MISTAKES = 5
"""Single mistakes that are listed, the most confident first."""

SURE = 0.99
"""From this probability on a model is called nearly certain."""


def card(title: str, model: TrainedModel, dataset: Dataset, probabilities: NDArray[np.floating] | None) -> str:
    """The model card of a run that is done.

    Args:
        title: the run's title.
        model: with its metrics.
        dataset: its training data.
        probabilities: float (n, 10), its predictions for the test digits; if None, the card has no section
            on calibration.
    """
    sections = [
        [f"# Model card: {escaped(title)}", "", f"Reads one handwritten digit: {model.spec.summary}."],
        _made_of(model, dataset),
        _doing(model),
        _calibration(model, dataset, probabilities),
        _failing(model),
        _using(model, dataset),
    ]
    return "\n".join("\n".join([*lines, ""]) for lines in sections if lines)


def escaped(text: str) -> str:
    """A text of one line for Markdown, to be shown letter by letter: no picture, link, heading or HTML comes of it."""
    return escape_markdown(" ".join(text.split()))


def _made_of(model: TrainedModel, dataset: Dataset) -> list[str]:
    spec, metrics = model.spec, model.metrics
    lines = ["## What it was made from", ""]
    lines += _table(
        ("", ""),
        [
            ("Data", f"{dataset.title}. {dataset.note}"),
            ("Learned from", f"{metrics['fitted_on']:,} of {len(dataset.train):,} training digits, drawn by seed"),
            ("Validated on", f"{metrics['validated_on']:,} other training digits"),
            ("Tested on", f"{metrics['tested_on']:,} test digits, which had no say in anything"),
            ("Seed", str(spec.seed)),
            ("Threads", str(spec.threads)),
        ],
    )
    lines += ["", "Pictures of 28x28 px, light ink on dark, are prepared:", "", *_list(chain_in_words(spec.pipeline))]
    features = numbered(in_words("feature", step) for step in spec.features)
    lines += ["", f"They become {metrics['features']:,} numbers each, by:", "", *_list(features)]
    optional: list[tuple[Kind, Step | None]] = [("augmentation", spec.augmentation), ("reduction", spec.reduction)]
    for kind, step in optional:
        lines += [f"- {in_words(kind, step)}"] if step else []
    lines += ["", "What learns:", "", f"- {in_words('classifier', spec.classifier)}"]
    return lines + _steering(model)


def _steering(model: TrainedModel) -> list[str]:
    titles = {p.name: p.title.lower() for p in catalogue.get("classifier", model.spec.classifier.name).parameters}
    lines = []
    for change in model.spec.changes:
        lines += [f"- from epoch {change.epoch} on: {titles[n]} {catalogue.format_value(v)}" for n, v in change.values]
    if early := model.metrics.get("stopped_early"):
        reason = {"patience": "since validation had not become better"}.get(early["by"], "since somebody asked it to")
        unit = "epochs" if early["unit"] == "epoch" else early["unit"]
        lines += [f"- it ended after {early['step']:,} of {early['of']:,} {unit}, {reason}"]
    if best := model.metrics.get("kept_epoch"):
        lines += [f"- the weights are those of epoch {best}, the best on the validation digits"]
    return ["", "While it learned:", "", *lines] if lines else []


def _doing(model: TrainedModel) -> list[str]:
    metrics = model.metrics
    low, high = metrics["interval"]
    lines = [
        "## How well it does",
        "",
        f"**Test accuracy {format_percent(metrics['test_accuracy'])}**, 95% interval {format_percent(low)} to "
        f"{format_percent(high)}. "
        f"Wrong: {metrics['wrong']:,} of {metrics['tested_on']:,} test digits. "
        f"Training accuracy {format_percent(metrics['train_accuracy'])}, validation accuracy "
        f"{format_percent(metrics['validation_accuracy'])}.",
        "",
    ]
    rows = [
        (
            str(r["digit"]),
            format_percent(r["precision"]),
            format_percent(r["recall"]),
            format_percent(r["f1"]),
            f"{r['count']:,}",
        )
        for r in metrics["per_class"]
    ]
    lines += _table(("Digit", "Precision", "Recall", "F1", "Test digits"), rows)
    memory = f", at most {metrics['peak_mb']:,.0f} MB of memory" if metrics.get("peak_mb") else ""
    return [
        *lines,
        "",
        f"Fitting took {metrics['fit_seconds']:.2g} s{memory}; reading a digit takes {metrics['predict_ms']:.2g} ms, "
        "on the machine that it was trained on.",
    ]


def _calibration(model: TrainedModel, dataset: Dataset, probabilities: NDArray[np.floating] | None) -> list[str]:
    if probabilities is None:
        return []
    labels = dataset.test.labels
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    groups = reliability(labels, probabilities)
    sure = confidence >= SURE
    lines = [
        "## Whether its probabilities can be believed",
        "",
        f"- Mean confidence: {format_percent(confidence.mean())}. Correct answers: {format_percent(right.mean())}.",
        f"- Expected calibration error: {format_percent(groups.ece)}, over {len(groups.count)} bins of confidence.",
        f"- {format_percent(sure.mean())} of the test digits have a confidence of {format_percent(SURE, 0)} or more"
        + (f"; of these, {format_percent(right[sure].mean())} are called rightly." if sure.any() else "."),
    ]
    if not hasattr(model.classifier, "predict_proba"):
        lines += [
            f"- The probabilities come from margins, divided by a temperature of {model.temperature:.3g} that was "
            "fitted on the validation digits."
        ]
    return lines


def _failing(model: TrainedModel) -> list[str]:
    metrics = model.metrics
    matrix = np.array(metrics["confusion"])
    counts = matrix.sum(axis=1)
    off = matrix - np.diag(matrix.diagonal())
    order = np.argsort(-off, axis=None, kind="stable")[:CONFUSIONS]
    pairs = [(int(i), int(j)) for i, j in zip(*np.unravel_index(order, off.shape), strict=True) if off[i, j] > 0]
    lines = ["## Where it fails", ""]
    if not pairs:
        return [*lines, "It called every test digit by its right name; other digits will be harder."]
    lines += _table(
        ("A", "is called", "how often", "of all of its kind"),
        [(str(i), str(j), f"{off[i, j]:,}", format_percent(off[i, j] / counts[i])) for i, j in pairs],
    )
    worst = min((r for r in metrics["per_class"] if r["count"]), key=lambda r: r["recall"])
    lines += ["", f"It misses the {worst['digit']} most often: {format_percent(1 - worst['recall'])} of them.", ""]
    lines += ["Its most confident mistakes, by their place in the test split, counted from 0:", ""]
    lines += [
        f"- {m['index']:,}: a {m['label']} read as {m['said']}, with a confidence of {format_percent(m['probability'])}"
        for m in metrics["mistakes"][:MISTAKES]
    ]
    return [
        *lines,
        "",
        "All of this is about digits of the same source as those that it learned from. Other pens, papers, cameras "
        "and countries were not tested. It has no word for what is not a digit: it gives every picture one of ten "
        "names.",
    ]


def _using(model: TrainedModel, dataset: Dataset) -> list[str]:
    spec = json.dumps(model.spec.to_json(), indent=2)
    versions = ", ".join(f"{name} {version}" for name, version in model.versions.items())
    return [
        "## How to make it again",
        "",
        f"With {versions}. Save this as `spec.json`, then: `python -m hdr train --spec spec.json`",
        "",
        "```json",
        *spec.splitlines(),
        "```",
        "",
        f"The same plan, data ({dataset.title}) and versions give the same weights on the same machine.",
    ]


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _list(lines: Iterable[str]) -> list[str]:
    return [line.strip() for line in lines]
