"""Numbers drawn on a canvas: strokes that are parted into digits, whatever their order, direction, size and place."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdr.paths import dataset_folders
from hdr.reading import read_number, read_numbers, read_strokes
from hdr.reading.cutting import MOST_DIGITS
from hdr.reading.ready import Seen
from hdr.reading.strokes_parting import MOST_STROKES, part_rows
from hdr.types import Classifier, Strokes
from tests.support.fakes import SaysSeven
from tests.support.fast_model import fast_model


def line(*points: tuple[float, float]) -> np.ndarray:
    """A stroke through points, drawn at an even pace."""
    corners = np.array(points, float)
    places = np.arange(len(corners))
    fine = np.linspace(0, len(corners) - 1, 12 * (len(corners) - 1) + 1)
    return np.stack([np.interp(fine, places, corners[:, axis]) for axis in (0, 1)], axis=1)


def ring(x: float, y: float, w: float, h: float) -> np.ndarray:
    """A closed oval in a box."""
    turn = np.linspace(0, 2 * np.pi, 40)
    return np.stack([x + w / 2 * (1 + np.sin(turn)), y + h / 2 * (1 - np.cos(turn))], axis=1)


ONE = [line((0.2, 0), (0.15, 1))]
SEVEN = [line((0, 0.02), (0.6, 0), (0.25, 1)), line((0.15, 0.5), (0.55, 0.48))]
FOUR = [line((0.1, 0), (0, 0.6), (0.6, 0.58)), line((0.42, 0.3), (0.4, 1))]
FIVE = [line((0.1, 0.02), (0.08, 0.42), (0.4, 0.4), (0.55, 0.65), (0.4, 0.95), (0, 0.98)), line((0.1, 0), (0.6, 0.02))]
ZERO = [ring(0, 0, 0.6, 1)]
EIGHT = [ring(0.08, 0, 0.42, 0.48), ring(0, 0.46, 0.6, 0.54)]
DIGITS = {0: ZERO, 1: ONE, 4: FOUR, 5: FIVE, 7: SEVEN, 8: EIGHT}


def written(number: str, size: float = 100.0, gap: float = 0.25) -> Strokes:
    """A number, its lines below each other."""
    strokes: Strokes = []
    for row, labels in enumerate(number.split("\n")):
        x = 0.0
        for label in labels:
            digit = DIGITS[int(label)]
            strokes += [(s + np.array([x, 1.6 * row])) * size + 20 for s in digit]
            x += max(s[:, 0].max() for s in digit) + gap
    return strokes


@pytest.fixture(scope="module")
def model() -> Classifier:
    """What reads."""
    return fast_model()


@pytest.mark.parametrize("label", DIGITS)
def test_a_digit_of_one_or_two_strokes_is_one_digit(label: int, model: Classifier) -> None:
    strokes = written(str(label))
    reading = read_number(strokes, model)
    (digit,) = reading.digits
    (same,) = read_strokes(strokes, model).digits
    assert digit.box == same.box and np.allclose(digit.probabilities, same.probabilities)
    assert [s.title for s in digit.stages] == [s.title for s in same.stages]
    assert all((a.image == b.image).all() for a, b in zip(digit.stages, same.stages, strict=True))


@pytest.mark.parametrize("number", ["10", "705", "5758", "01875", "84", "10\n57", "7\n8\n0"])
def test_numbers_are_parted_into_their_digits(number: str, model: Classifier) -> None:
    reading = read_number(written(number), model)
    assert reading.number == number
    assert reading.lines == tuple(len(row) for row in number.split("\n"))
    lefts = [d.box[0] for d in reading.digits][: reading.lines[0]]
    assert lefts == sorted(lefts)


def test_strokes_of_neighbours_that_touch_stay_apart(model: Classifier) -> None:
    reading = read_number(written("505", gap=-0.02), model)
    assert len(reading.digits) == 3


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15 * settings().max_examples // 100)
def test_order_direction_and_pace_do_not_matter(seed: int) -> None:
    model, rng = fast_model(), np.random.default_rng(seed)
    strokes = written("5708")
    plain = read_number(strokes, model)
    changed = [strokes[k][:: rng.choice([-1, 1])] for k in rng.permutation(len(strokes))]
    # Points that are drawn twice are a slow pace.
    changed = [np.repeat(s, rng.integers(1, 4), axis=0) for s in changed]
    other = read_number(changed, model)
    assert other.number == plain.number == "5708"
    assert [d.box for d in other.digits] == [d.box for d in plain.digits]


@given(scale=st.floats(0.3, 6), x=st.integers(-500, 500), y=st.integers(-500, 500))
@settings(max_examples=15 * settings().max_examples // 100)
def test_size_and_place_do_not_matter(scale: float, x: int, y: int) -> None:
    strokes = [s * scale + [x, y] for s in written("75\n08")]
    assert read_number(strokes, fast_model()).number == "75\n08"


def test_many_drawings_are_read_as_one_by_one(model: Classifier) -> None:
    drawings = [written("57"), [], written("1"), [np.empty((0, 2))], written("0\n4")]
    many = read_numbers(drawings, model)
    single = [read_number(d, model) for d in drawings]
    assert [r.number for r in many] == [r.number for r in single] == ["57", "", "1", "", "0\n4"]
    assert [r.abstained for r in many] == [False, True, False, True, False]


def test_who_decides_and_who_reads_may_be_two(model: Classifier) -> None:
    says = SaysSeven()
    reading = read_number(written("5708"), says, judges=model)
    assert reading.number == "7777"
    assert [len(s) for s in says.shown] == [4], "only the digits are shown to it"


class Knows(SaysSeven):
    """Takes only what is narrow for a digit, by itself or among others."""

    threshold = 0.5

    def __init__(self, alone: bool) -> None:
        super().__init__()
        self.alone = alone

    def look(self, images: np.ndarray) -> Seen:
        """Says 7."""
        narrow = (images.max(axis=1) > 50).sum(axis=1) < 12
        digit = np.where(narrow | (not self.alone), 0.999, 0.001)
        return Seen(self.predict_proba(images), digit, np.zeros((len(images), 1), np.float32))

    def wholes(self, windows: np.ndarray) -> np.ndarray:
        """Says 7, or no whole digit."""
        narrow = (windows[:, 0].max(axis=1) > 50).sum(axis=1) < 12
        out = np.full((len(windows), 11), 1e-4)
        out[:, 7] = np.where(narrow | self.alone, 0.99, 0.001)
        out[:, 10] = 1 - out[:, :10].sum(axis=1)
        return out


@pytest.mark.parametrize("alone", [True, False])
def test_the_certainty_that_it_is_a_whole_digit_counts(alone: bool) -> None:
    strokes = [line((x, 0), (x, 100)) for x in (0, 30)]
    assert len(read_number(strokes, Knows(alone)).digits) == 2


@pytest.mark.parametrize(
    "strokes",
    [
        [np.array([[5.0, 5.0]])],
        [np.array([[5.0, 5.0]])] * 3,
        [np.array([[5.0, 5.0]]), np.array([[900.0, 900.0]])],
        [np.zeros((500, 2))],
        [line((0, 0), (1e6, 0)), line((0, 5), (1e6, 5))],
        [line((0, 0), (0, 1e5))] * 2,
    ],
    ids=["a dot", "a dot three times", "two dots", "a long touch", "two endless lines", "a line twice"],
)
def test_odd_drawings_are_no_error(strokes: Strokes, model: Classifier) -> None:
    reading = read_number(strokes, model)
    assert 1 <= len(reading.digits) <= len(strokes)
    assert all(w >= 1 and h >= 1 for d in reading.digits for _, _, w, h in [d.box])


@pytest.mark.parametrize("count", [MOST_STROKES, MOST_STROKES + 1, 2000])
def test_many_strokes_take_bounded_work(count: int) -> None:
    rng = np.random.default_rng(0)
    strokes = [rng.uniform(0, 900, 2) + rng.normal(0, 30, (8, 2)).cumsum(axis=0) for _ in range(count)]
    says = SaysSeven()
    reading = read_number(strokes, says)
    assert sum(map(len, says.shown)) <= MOST_STROKES
    assert 1 <= len(reading.digits) <= MOST_DIGITS


@given(st.lists(st.lists(st.tuples(*[st.floats(-1e5, 1e5)] * 2), min_size=1, max_size=4), min_size=1, max_size=7))
@settings(max_examples=60 * settings().max_examples // 100)
def test_every_stroke_is_in_exactly_one_line(points: Sequence[Sequence[tuple[float, float]]]) -> None:
    strokes = [np.array(p, float) for p in points]
    rows = part_rows(strokes)
    assert sorted(k for row in rows for k in row) == list(range(len(strokes)))
    assert not read_number(strokes, SaysSeven()).abstained


def test_real_digits_of_several_strokes_are_read_as_one(model: Classifier) -> None:
    source = dataset_folders()[0] / "strokes" / "pendigits-train.jsonl.gz"
    if not source.exists():
        pytest.skip("the pen strokes are not in HDR_DATASETS: not tested on real drawings")
    with gzip.open(source, "rt") as stream:
        rows = [json.loads(row) for row in stream]
    several = [r for r in rows if len(r["strokes"]) > 1][::10]
    readings = read_numbers([[np.array(s, float) for s in r["strokes"]] for r in several], model)
    assert np.mean([len(r.digits) == 1 for r in readings]) >= 0.95
