"""The recipe of the ready-made reader, but for the training itself, which takes an hour."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from hdr.types import Split
from tools.reader import data, draw, glyphs, measures, negatives, variants


def drawings(n: int) -> list[tuple[int, list[np.ndarray]]]:
    """Digits written from the recipe's own points."""
    random = np.random.default_rng(3)
    return [(i % 10, glyphs.write(str(random.choice(glyphs.DIGITS[i % 10])), random)) for i in range(n)]


def pen(n: int = 60) -> data.Pen:
    """Made digits in the place of the real ones, which are not on every machine."""
    made = drawings(n)
    labels = np.array([label for label, _ in made], np.uint8)
    return data.Pen([strokes for _, strokes in made], labels, np.arange(n) % 30 + 1)


def test_edits_leave_a_drawing_that_can_be_drawn() -> None:
    random = np.random.default_rng(1)
    for label, strokes in drawings(300):
        edited = draw.bend(variants.vary(strokes, label, random), random)
        assert edited and all(s.ndim == 2 and s.shape[1] == 2 and np.isfinite(s).all() for s in edited)
        assert draw.ink(edited, random).max() > 100
        assert draw.written(edited, random).max() > 100


def test_pictures_stay_pictures(digits: Split) -> None:
    random = np.random.default_rng(1)
    for image, label in zip(digits.images[:200], digits.labels[:200].tolist(), strict=True):
        habit = draw.habit(image, label, random)
        for changed in (draw.warp(habit, random), draw.enlarged(habit, random)):
            assert changed.shape == (28, 28) and changed.dtype == np.uint8 and changed.max() > 60


def test_every_kind_of_non_digit_is_made() -> None:
    random = np.random.default_rng(2)
    for kind in negatives.KINDS:
        made = np.stack([negatives.make(kind, random, pen()) for _ in range(5)])
        assert made.shape == (5, 28, 28) and made.dtype == np.uint8
        assert kind == "blank" or made.any(axis=(1, 2)).all()


def test_kinds_that_measure_never_train() -> None:
    random = np.random.default_rng(2)
    first = {negatives.seen_kind(random) for _ in range(8000)}
    last = {negatives.seen_kind(random, later=True) for _ in range(8000)}
    assert first == set(negatives.SEEN) - set(negatives.LATER)
    assert last == set(negatives.SEEN)
    assert not last & set(negatives.UNSEEN)
    images, kinds = negatives.unseen(60, 1, pen())
    assert images.shape == (60, 28, 28) and set(kinds) == set(negatives.UNSEEN)


def test_held_out_writers_do_not_train() -> None:
    try:
        material = data.load()
    except Exception as error:
        pytest.skip(f"the recipe's data are not here: {str(error).splitlines()[0]}")
    assert not set(material.pen.writers) & set(data.HELD_OUT)
    assert set(material.held_out.writers) == set(data.HELD_OUT)
    assert len(material.labels) == 55_000 and len(material.val_labels) == 5_000


def test_uci_file_is_converted(tmp_path: Path) -> None:
    original = tmp_path / "pendigits-orig.tra"
    original.write_text(
        '.SEGMENT DIGIT ? "8"\n.COMMENT 8 12\n.PEN_DOWN\n10 90\n 12 80\n.PEN_UP\n.PEN_DOWN\n 20 95\n.PEN_UP\n.DT 100\n'
        '.SEGMENT DIGIT ? "3"\n.COMMENT 3 13\n.PEN_DOWN\n1 1\n.PEN_UP\n'
    )
    target = tmp_path / "strokes" / "out.jsonl.gz"
    assert data.convert(original, target) == 2
    first, second = map(json.loads, gzip.decompress(target.read_bytes()).splitlines())
    assert first == {"label": 8, "writer": 12, "strokes": [[[0, 5], [2, 15]], [[10, 0]]]}
    assert second == {"label": 3, "writer": 13, "strokes": [[[0, 0]]]}


def test_temperature_and_calibration_error() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(0, 2, (20_000, 10))
    labels = np.array([random.choice(10, p=p) for p in np.exp(truth) / np.exp(truth).sum(1, keepdims=True)], np.uint8)
    assert measures.temperature(truth * 2, labels) == pytest.approx(2, rel=0.05)
    right = np.exp(truth) / np.exp(truth).sum(axis=1, keepdims=True)
    assert measures.calibration_error(right, labels) < 0.02
    sure = np.eye(10)[truth.argmax(axis=1)]
    assert measures.calibration_error(sure, labels) == pytest.approx((truth.argmax(1) != labels).mean())
