"""A reader learns a hand: it gets better at that one, hardly worse at others, and the original stays as it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hdr import datasets
from hdr.reading import adaptation, read_strokes, ready
from hdr.reading.adaptation import MOST_LOST, Adaptation, AdaptationError, adapt
from hdr.reading.ready import Looking, Reader, Seen
from hdr.reading.windows import Windows
from hdr.types import Images, Split
from tests.reading.conftest import SEVEN


@pytest.fixture(scope="module")
def ordinary() -> Split:
    """Digits as the small reader knows them."""
    train = datasets.load("bundled").train
    return Split(train.images[:400], train.labels[:400])


@pytest.fixture(scope="module")
def leaning() -> Split:
    """Somebody who writes as if on the deck of a ship."""
    test = datasets.load("bundled").test
    lean = np.array([[1, 0.9, -0.9 * 14], [0, 1, 0]])
    return Split(np.stack([cv2.warpAffine(i, lean, (28, 28)) for i in test.images]), test.labels)


def first(digits: Split, each: int) -> tuple[Split, Split]:
    """The first few of each digit, and all others."""
    taken = np.concatenate([np.flatnonzero(digits.labels == label)[:each] for label in range(10)])
    rest = np.setdiff1d(np.arange(len(digits)), taken)
    return tuple(Split(digits.images[i], digits.labels[i]) for i in (taken, rest))  # type: ignore[return-value]


def accuracy(reader: Looking, digits: Split) -> float:
    return float((reader.predict_proba(digits.images).argmax(axis=1) == digits.labels).mean())


def learned(small: Reader, ordinary: Split, leaning: Split, each: int) -> Adaptation:
    return adapt(small, first(leaning, each)[0], ordinary)


@pytest.mark.parametrize(("each", "gain"), [(1, 0.0), (3, 0.03), (10, 0.08)])
def test_a_hand_is_learned(small: Reader, ordinary: Split, leaning: Split, each: int, gain: float) -> None:
    found = learned(small, ordinary, leaning, each)
    rest = first(leaning, each)[1]
    assert accuracy(found.reader, rest) > accuracy(small, rest) + gain
    assert found.ordinary_after >= found.ordinary_before - MOST_LOST
    assert accuracy(found.reader, ordinary) == pytest.approx(found.ordinary_after)
    assert accuracy(small, ordinary) == pytest.approx(found.ordinary_before)


def test_what_is_measured_is_what_new_drawings_get(small: Reader, ordinary: Split, leaning: Split) -> None:
    own, rest = first(leaning, 10)
    measured = adapt(small, own, ordinary).measured
    assert measured is not None and measured.count == 100
    assert measured.before == round(accuracy(small, own) * 100)
    assert measured.after == measured.before + measured.mended - measured.spoiled
    # Every drawing was held out in its turn: so it comes near to the others' accuracy, not to that on what was learned.
    adapted = adapt(small, own, ordinary).reader
    assert abs(measured.after / 100 - accuracy(adapted, rest)) < 0.08
    assert measured.after / 100 <= accuracy(adapted, own)


def test_one_correction_is_kept_and_hurts_nobody(small: Reader, ordinary: Split, leaning: Split) -> None:
    wrong = np.flatnonzero(small.predict_proba(leaning.images).argmax(axis=1) != leaning.labels)[:1]
    one = Split(leaning.images[wrong], leaning.labels[wrong])
    found = adapt(small, one, ordinary)
    assert found.measured is None
    assert found.reader.predict_proba(one.images).argmax() == one.labels[0]
    before, after = small.predict_proba(ordinary.images), found.reader.predict_proba(ordinary.images)
    assert (before.argmax(axis=1) != after.argmax(axis=1)).mean() <= MOST_LOST


def test_what_is_read_rightly_anyway_changes_little(small: Reader, ordinary: Split) -> None:
    sure = small.predict_proba(ordinary.images).max(axis=1) > 0.999
    own = Split(ordinary.images[sure][:30], ordinary.labels[sure][:30])
    found = adapt(small, own, ordinary)
    assert np.abs(found.reader.predict_proba(ordinary.images) - small.predict_proba(ordinary.images)).max() < 0.05


class RefusesFours(Looking):
    """Has never seen a four."""

    threshold = 0.5

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def look(self, images: Images) -> Seen:
        seen = self.reader.look(images)
        return replace(seen, digit=np.where(seen.probabilities.argmax(axis=1) == 4, 0.05, seen.digit))

    def wholes(self, windows: Windows) -> NDArray[np.float64]:
        return self.reader.wholes(windows)


def test_what_was_refused_is_taken_after_it_was_corrected(small: Reader, ordinary: Split) -> None:
    reader = RefusesFours(small)
    fours = ordinary.images[(ordinary.labels == 4) & ~reader.accepts(ordinary.images)]
    own = Split(fours[:10], np.full(10, 4, np.uint8))
    others = ordinary.labels != 4
    found = adapt(reader, own, Split(ordinary.images[others], ordinary.labels[others]))
    assert found.reader.accepts(fours[:10]).all() and found.reader.accepts(fours[10:]).mean() > 0.8
    assert not found.reader.accepts(np.zeros((1, 28, 28), np.uint8)).any()


def test_the_original_stays(small: Reader, ordinary: Split, leaning: Split) -> None:
    before = small.look(leaning.images)
    found = learned(small, ordinary, leaning, 3)
    after = small.look(leaning.images)
    assert np.array_equal(before.probabilities, after.probabilities)
    assert np.array_equal(found.reader.features(leaning.images), before.features)
    assert found.reader.original is small


def test_contradictions_do_no_harm(small: Reader, ordinary: Split, leaning: Split) -> None:
    # The same digit 500 times, half of the time as this and half of the time as that.
    images = np.repeat(leaning.images[:1], 500, axis=0)
    labels = np.where(np.arange(500) % 2, 3, 5).astype(np.uint8)
    found = adapt(small, Split(images, labels), ordinary)
    probabilities = found.reader.predict_proba(images[:1])[0]
    assert np.isfinite(probabilities).all() and probabilities.sum() == pytest.approx(1)
    assert found.ordinary_after >= found.ordinary_before - MOST_LOST


def test_wrong_labels_all_over_are_not_believed(small: Reader, ordinary: Split) -> None:
    # Somebody plays: every digit is called the next one. Other people's digits stay what they are.
    wrong = Split(ordinary.images[:200], ((ordinary.labels[:200] + 1) % 10).astype(np.uint8))
    found = adapt(small, wrong, Split(ordinary.images[200:], ordinary.labels[200:]))
    assert found.ordinary_after >= found.ordinary_before - MOST_LOST


def test_it_reads_as_the_original_does(small: Reader, ordinary: Split, leaning: Split) -> None:
    reader = learned(small, ordinary, leaning, 3).reader
    many = reader.look(leaning.images[: ready.CHUNK + 9])
    assert np.allclose(many.probabilities.sum(axis=1), 1) and ((many.digit >= 0) & (many.digit <= 1)).all()
    assert np.allclose(reader.predict_proba(leaning.images[5:6])[0], many.probabilities[5], atol=1e-5)
    assert reader.predict_proba(leaning.images[:0]).shape == (0, 10)
    assert [s.title for s in read_strokes(SEVEN, reader).digits[0].stages] == ["captured"]
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda _: reader.look(leaning.images[:50]).probabilities, range(8)))
    assert all(np.array_equal(a, again[0]) for a in again)


def test_the_same_twice(small: Reader, ordinary: Split, leaning: Split) -> None:
    one, two = (learned(small, ordinary, leaning, 3) for _ in range(2))
    assert one.measured == two.measured
    assert np.array_equal(one.reader.predict_proba(leaning.images), two.reader.predict_proba(leaning.images))


def test_nothing_to_learn_from(small: Reader, ordinary: Split) -> None:
    none = Split(ordinary.images[:0], ordinary.labels[:0])
    for own, others in ((none, ordinary), (ordinary, none)):
        with pytest.raises(AdaptationError, match="at least one drawing"):
            adapt(small, own, others)


def test_groups_where_there_are_many(small: Reader, ordinary: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Split(ordinary.images[:60], ordinary.labels[:60])
    each = adapt(small, own, ordinary).measured
    monkeypatch.setattr(adaptation, "FOLDS", 10)
    groups = adapt(small, own, ordinary).measured
    assert each is not None and groups is not None and each.count == groups.count == 60
    assert abs(each.after - groups.after) <= 3


def test_the_page_reader_learns_the_hand_too(small_reader_file: Path, ordinary: Split, leaning: Split) -> None:
    reader = ready.load(small_reader_file, pages=small_reader_file)
    own, rest = first(leaning, 10)
    found = adapt(reader, own, ordinary).reader
    # Here both are the same network, so that they learn the same.
    assert found.on_pages is not found
    assert np.allclose(found.on_pages.predict_proba(rest.images), found.predict_proba(rest.images))
    assert accuracy(found.on_pages, rest) > accuracy(reader.on_pages, rest)
