"""Confident learning, by hand and on labels that were made wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hdr.analysis.label_errors import cross_validated, find_label_errors
from hdr.training.run_spec import RunSpec
from hdr.types import Dataset, Split, Step


def rows(*shares: tuple[float, float]) -> np.ndarray:
    out = np.zeros((len(shares), 10))
    out[:, :2] = shares
    return out


def test_the_joint_by_hand() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1], np.uint8)
    p = rows((0.9, 0.1), (0.8, 0.2), (0.1, 0.9), (0.1, 0.9), (0.45, 0.55), (0.6, 0.4))
    found = find_label_errors(labels, p)
    # Means of the own probabilities: (0.9 + 0.8 + 0.1) / 3 and (0.9 + 0.55 + 0.4) / 3.
    np.testing.assert_allclose(found.thresholds[:2], [0.6, 1.85 / 3])
    assert np.isinf(found.thresholds[2:]).all(), "there are no digits of these classes"
    np.testing.assert_array_equal(found.joint[:2, :2], [[2, 1], [1, 1]])
    np.testing.assert_array_equal(found.index, [2, 5])
    np.testing.assert_array_equal(found.label, [0, 1])
    np.testing.assert_array_equal(found.guess, [1, 0])
    np.testing.assert_allclose(found.own, [0.1, 0.4])
    np.testing.assert_allclose(found.other, [0.9, 0.6])
    assert found.confident.all()


def test_what_is_called_otherwise_without_confidence_comes_too_and_says_so() -> None:
    labels = np.array([0, 0, 1, 1], np.uint8)
    found = find_label_errors(labels, rows((0.9, 0.1), (0.45, 0.55), (0.05, 0.95), (0.1, 0.9)))
    np.testing.assert_array_equal(found.index, [1])
    assert not found.confident[0] and found.guess[0] == 1
    assert len(find_label_errors(labels, rows((0.9, 0.1), (0.8, 0.2), (0.1, 0.9), (0.1, 0.9)))) == 0


def test_cross_validation_finds_labels_made_wrong(bundled: Dataset) -> None:
    spec = RunSpec("bundled", 1000, classifier=Step("svm"))
    wrong = np.random.default_rng(1).permutation(len(bundled.train))[:60]
    labels = bundled.train.labels.copy()
    labels[wrong] = (labels[wrong] + 3) % 10
    spoilt = replace(bundled, train=Split(bundled.train.images, labels))
    seen: list[float] = []
    index, p = cross_validated(spec, spoilt, most=900, report=lambda words, share: seen.append(share))
    assert p.shape == (900, 10) and len(index) == len(set(index.tolist())) == 900
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert seen == [0, 0.2, 0.4, 0.6, 0.8]
    found = find_label_errors(labels[index], p)
    there = set(wrong.tolist()) & set(index.tolist())
    top = index[found.index[: len(there)]].tolist()
    assert len(there & set(top)) >= 0.8 * len(there)
