"""What speaks for an answer: asked of models whose reasons are known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from hdr.preprocessing.size_normalisation import from_strokes
from hdr.reading import occlusion
from hdr.reading.occlusion import PIECES, evidence, pieces, stroke_evidence
from hdr.reading.ready import Reader
from hdr.types import Images, Split, Strokes
from tests.reading.conftest import FOUR, SEVEN, drawings
from tests.support.fakes import SaysSeven


class LikesInk(SaysSeven):
    """Says 7 the more surely, the more ink there is in its rows and columns, and the less in those that it dislikes."""

    def __init__(self, likes: tuple[slice, slice], dislikes: tuple[slice, slice] | None = None) -> None:
        super().__init__()
        self.likes, self.dislikes = likes, dislikes

    def predict_proba(self, images: Images) -> NDArray[np.float64]:
        self.shown.append(images)
        ink = images[:, *self.likes].sum(axis=(1, 2)) / 2000
        if self.dislikes:
            ink = ink - images[:, *self.dislikes].sum(axis=(1, 2)) / 2000
        seven = 1 / (1 + np.exp(-ink))
        found = np.repeat((1 - seven[:, None]) / 9, 10, axis=1)
        found[:, 7] = seven
        return found


ABOVE, BELOW = np.s_[0:10, :], np.s_[18:28, :]


def test_evidence_lies_where_the_reason_lies() -> None:
    image = from_strokes(FOUR)
    model = LikesInk(ABOVE, BELOW)
    found = evidence(image, model, 7)
    assert found.label == 7 and found.map.shape == (28, 28)
    ink = image > 100
    assert (found.map[:9][ink[:9]] > 0).all() and (found.map[20:][ink[20:]] < 0).all()
    assert np.allclose(found.map[13], 0) and len(model.shown) == 1
    # Against any other answer speaks what speaks for this one.
    other = evidence(image, model, 3)
    assert (other.map[:9][ink[:9]] < 0).all()


def test_a_model_without_reasons_and_a_blank_digit() -> None:
    assert not evidence(from_strokes(SEVEN), SaysSeven()).map.any()
    assert not evidence(np.zeros((28, 28), np.uint8), LikesInk(ABOVE)).map.any()
    assert evidence(from_strokes(SEVEN), SaysSeven()).label == 7


def test_every_pixel_with_ink_is_hidden_several_times(digits: Split) -> None:
    for image in digits.images[:20]:
        count = np.zeros((28, 28), int)
        for r in occlusion.regions(image):
            count[r.top : r.bottom, r.left : r.right] += 1
        assert (count[image > 0] >= 4).all() and len(occlusion.regions(image)) <= 15 * 15


def test_the_stroke_that_matters() -> None:
    # An H: its bar lies in the middle rows, and most of the other strokes above and below.
    bar = np.array([[60.0, 150], [180, 150]])
    strokes = [np.array([[60.0, 40], [60, 260]]), bar, np.array([[180.0, 40], [180, 260]])]
    model = LikesInk(np.s_[11:17, :])
    found = stroke_evidence(strokes, model, 7)
    assert int(np.argmax([p.evidence for p in found.strokes])) == 1 and found.strokes[1].evidence > 0.5
    assert max(found.pieces, key=lambda p: p.evidence).stroke == 1
    assert np.array_equal(found.strokes[1].points, bar) and len(model.shown) == 1


def test_with_a_single_stroke_nothing_is_left_without_it(small: Reader) -> None:
    found = stroke_evidence([np.zeros((0, 2)), *SEVEN], small)
    assert [p.evidence for p in found.strokes] == [0.0] and any(p.evidence for p in found.pieces)
    dot = stroke_evidence([np.array([[5.0, 5.0]])], small)
    assert [p.evidence for p in dot.strokes + dot.pieces] == [0.0, 0.0]


@settings(max_examples=40 * settings().max_examples // 100)
@given(drawings)
def test_pieces_make_up_the_strokes(strokes: Strokes) -> None:
    found = pieces(strokes)
    assert len(strokes) <= len(found) <= PIECES
    for i, stroke in enumerate(strokes):
        own = [p.points for p in found if p.stroke == i]
        assert np.allclose(own[0][0], stroke[0]) and np.allclose(own[-1][-1], stroke[-1])
        assert all(np.allclose(a[-1], b[0]) for a, b in pairwise(own))
        assert sum(map(length, own)) == pytest.approx(length(stroke))


def length(line: np.ndarray) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def test_scribbles_do_not_take_for_ever(small: Reader) -> None:
    rng = np.random.default_rng(0)
    long = stroke_evidence([rng.uniform(0, 300, (20_000, 2))], small)
    assert len(long.pieces) == PIECES and sum(len(p.points) for p in long.pieces) < 700
    many = stroke_evidence([rng.uniform(0, 300, (9, 2)) for _ in range(PIECES + 1)], small)
    assert many.pieces == many.strokes == ()


def test_the_same_twice(small: Reader) -> None:
    one, two = (stroke_evidence(FOUR, small) for _ in range(2))
    assert [p.evidence for p in one.pieces] == [p.evidence for p in two.pieces]
    assert np.array_equal(evidence(from_strokes(FOUR), small).map, evidence(from_strokes(FOUR), small).map)
