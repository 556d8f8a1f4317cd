"""Figures against scikit-learn and against closed values."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from hdr.training.metrics import MAX_MISTAKES, confusion, evaluate, mcnemar, paired_interval, per_class, wilson_interval


@pytest.mark.parametrize("classes", [10, 4])
def test_confusion_and_shares_as_in_scikit_learn(classes: int) -> None:
    rng = np.random.default_rng(classes)
    labels, said = (rng.integers(0, classes, 500).astype(np.uint8) for _ in range(2))
    said[:300] = labels[:300]
    said[said == 2] = 3
    matrix = confusion(labels, said)
    assert (matrix == confusion_matrix(labels, said, labels=range(10))).all()
    expected = precision_recall_fscore_support(labels, said, labels=range(10), zero_division=0)
    found = [[row[name] for row in per_class(matrix)] for name in ("precision", "recall", "f1", "count")]
    assert np.allclose(found, expected)


def test_the_interval_against_closed_values() -> None:
    # With all or none right, the bound is z^2 / (n + z^2); in the middle it is symmetric.
    z = 1.959964
    assert wilson_interval(0, 10) == pytest.approx((0, z * z / (10 + z * z)))
    assert wilson_interval(10, 10) == pytest.approx((10 / (10 + z * z), 1))
    assert wilson_interval(5, 10) == pytest.approx((0.236593, 0.763407), abs=1e-6)
    # Both bounds are where the share lies z standard errors off: the roots of one quadratic equation.
    for bound in wilson_interval(9882, 10_000):
        assert abs(0.9882 - bound) == pytest.approx(z * (bound * (1 - bound) / 10_000) ** 0.5)
    assert wilson_interval(0, 0) == (0.0, 1.0)


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_the_interval_holds_the_share_and_narrows(total: int, share: float) -> None:
    right = round(total * share)
    low, high = wilson_interval(right, total)
    assert 0 <= low <= right / total + 1e-12 and right / total - 1e-12 <= high <= 1
    wider = wilson_interval(right, total, z=3)
    assert wider[0] <= low + 1e-12 and high <= wider[1] + 1e-12


def test_the_paired_interval_against_values_by_hand() -> None:
    # Two polls of 1,600 people, from Agresti's Categorical Data Analysis: 150 changed one way and 86 the other. With
    # half a person more in each cell: 64 / 1602, give or take z * sqrt(150.5 + 86.5 - 64^2 / 1602) / 1602.
    assert paired_interval(86, 150, 1600) == pytest.approx((-0.058683, -0.021217), abs=1e-6)
    # No digit changes: only the halves are left, z * sqrt(0.5 + 0.5) / 102.
    assert paired_interval(0, 0, 100) == pytest.approx((-1.959964 / 102, 1.959964 / 102))
    assert paired_interval(0, 0, 0) == (-1.0, 1.0)


@given(st.integers(1, 10**6), st.floats(0, 1), st.floats(0, 1))
def test_the_paired_interval_holds_the_difference_and_has_two_sides(total: int, changed: float, better: float) -> None:
    gained = round(total * changed * better)
    lost = round(total * changed) - gained
    low, high = paired_interval(gained, lost, total)
    assert -1 <= low <= (gained - lost) / total + 1e-12 and (gained - lost) / total - 1e-12 <= high <= 1
    assert paired_interval(lost, gained, total) == pytest.approx((-high, -low))


def test_the_paired_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    gains, losses, _ = rng.multinomial(300, [0.03, 0.01, 0.96], 4000).T
    bounds = [paired_interval(gain, loss, 300) for gain, loss in zip(gains.tolist(), losses.tolist(), strict=True)]
    assert 0.94 < np.mean([low <= 0.02 <= high for low, high in bounds]) < 0.975


def test_mcnemar_against_values_by_hand() -> None:
    # Ten coins, one head or fewer, or nine or more: 2 * (1 + 10) / 2^10.
    assert mcnemar(9, 1) == mcnemar(1, 9) == pytest.approx(22 / 1024)
    assert mcnemar(4, 0) == pytest.approx(2 / 16)
    assert mcnemar(5, 5) == mcnemar(0, 0) == 1


def test_everything_the_result_page_needs() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 3000).astype(np.uint8)
    probabilities = rng.dirichlet(np.ones(10), 3000)
    found = evaluate(labels, probabilities)
    said = probabilities.argmax(axis=1)
    assert found["test_accuracy"] == accuracy_score(labels, said)
    assert found["tested_on"] == 3000 and found["wrong"] == (said != labels).sum()
    assert found["interval"][0] < found["test_accuracy"] < found["interval"][1]
    mistakes = found["mistakes"]
    assert len(mistakes) == MAX_MISTAKES
    assert all(said[m["index"]] == m["said"] != m["label"] == labels[m["index"]] for m in mistakes)
    sure = [m["probability"] for m in mistakes]
    assert sure == sorted(sure, reverse=True) and sure[0] == probabilities[said != labels].max()
    assert json.loads(json.dumps(found)) == found
