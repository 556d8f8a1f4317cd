"""My handwriting: kept as it was drawn, written out and taken in again."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr.preprocessing.size_normalisation import from_strokes
from hdr.reading import handwriting
from hdr.reading.handwriting import Handwriting, HandwritingError, strokes_of
from hdr.types import HdrError, Strokes
from tests.reading.conftest import FOUR, SEVEN, drawings

ONE = b'{"label": 1, "strokes": [[[50, 10], [50, 200]]]}'


def two() -> Handwriting:
    """A seven and a four."""
    return Handwriting().with_drawing(SEVEN, 7).with_drawing(FOUR, 4)


def test_a_collection_is_a_value() -> None:
    empty = Handwriting()
    one = empty.with_drawing(SEVEN, 7)
    both = one.with_drawing(FOUR, np.uint8(4))
    assert [len(c) for c in (empty, one, both)] == [0, 1, 2]
    assert both.counts.tolist() == [0, 0, 0, 0, 1, 0, 0, 1, 0, 0] and empty.counts.tolist() == [0] * 10
    assert [d.label for d in both.without(0).drawings] == [4]
    assert [d.label for d in both.relabelled(1, 9).drawings] == [7, 9] and both.drawings[1].label == 4
    with pytest.raises(ValueError, match="read-only"):
        both.drawings[0].strokes[0][0, 0] = 1


def test_a_drawing_does_not_change_with_what_it_was_made_of() -> None:
    mine = [s.copy() for s in SEVEN]
    kept = Handwriting().with_drawing(mine, 7)
    mine[0][:] = 0
    assert np.array_equal(kept.drawings[0].strokes[0], SEVEN[0])


def test_as_digits() -> None:
    split = two().split()
    assert split.labels.tolist() == [7, 4] and split.images.shape == (2, 28, 28)
    assert np.array_equal(split.images[0], from_strokes(SEVEN))
    assert len(Handwriting().split()) == 0


@given(st.lists(st.tuples(drawings, st.integers(0, 9)), max_size=4))
def test_what_is_written_out_can_be_taken_in(content: list[tuple[Strokes, int]]) -> None:
    mine = Handwriting()
    for strokes, label in content:
        mine = mine.with_drawing(strokes, label)
    text = mine.to_lines()
    assert text.count("\n") == len(content)
    if content:
        back = Handwriting().with_lines(text.encode())
        assert back.to_lines() == text
        assert [d.label for d in back.drawings] == [label for _, label in content]


def test_a_digit_of_a_photo_is_kept_as_a_picture_beside_drawings() -> None:
    picture = from_strokes(FOUR)
    mine = two().with_picture(picture, 4)
    before = picture.copy()
    picture[:] = 0
    assert np.array_equal(mine.drawings[2].captured, before) and mine.counts[4] == 2
    back = Handwriting().with_lines(mine.to_lines().encode())
    assert back.to_lines() == mine.to_lines()
    assert np.array_equal(back.split().images, mine.split().images)
    assert np.array_equal(mine.relabelled(2, 9).split().images[2], before)
    assert [d.label for d in mine.without(0).drawings] == [4, 4]
    with pytest.raises(HandwritingError, match="blank"):
        mine.with_picture(picture, 4)
    with pytest.raises(ValueError, match="28, 28"):
        mine.with_picture(np.ones((28, 27), np.uint8), 4)


def test_lines_are_those_of_the_command() -> None:
    for line in two().to_lines().splitlines():
        assert len(strokes_of(line.encode())) in (1, 2)
    with pytest.raises(HdrError, match="an object such as"):
        strokes_of(two().with_picture(from_strokes(FOUR), 4).drawings[2].line)


def test_lines_come_behind_what_is_there() -> None:
    more = two().with_lines(b"\xef\xbb\xbf" + ONE + b"\r\n\n" + ONE)
    assert [d.label for d in more.drawings] == [7, 4, 1, 1]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no drawings"),
        (b"\n \n", "no drawings"),
        (b"\xff\xfe\x00", "not text"),
        (b"\x00", "Line 1: This is not JSON"),
        (ONE + b"\n{", "Line 2: This is not JSON"),
        (b"[" * 100_000, "Line 1"),
        (b"[1]", "an object such as"),
        (b'{"strokes": [[[1, 2]]]}', "an object such as"),
        (b'{"label": 10, "strokes": [[[1, 2]]]}', "from 0 to 9, not '10'"),
        (b'{"label": true, "strokes": [[[1, 2]]]}', "from 0 to 9"),
        (b'{"label": "1", "strokes": [[[1, 2]]]}', "from 0 to 9"),
        (b'{"label": 1}', "an object such as"),
        (b'{"label": 1, "pixels": 5}', "28 rows"),
        (b'{"label": 1, "pixels": "AAAA"}', "28 rows"),
        (b'{"label": 1, "pixels": "@@@@"}', "28 rows"),
        (b'{"label": 1, "pixels": "' + base64.b64encode(bytes(784)) + b'"}', "blank"),
        (b'{"label": 10, "pixels": "' + base64.b64encode(bytes([9] * 784)) + b'"}', "from 0 to 9"),
        (b'{"label": 1, "strokes": []}', "empty"),
        (b'{"label": 1, "strokes": [[]]}', "empty"),
        (b'{"label": 1, "strokes": [[[NaN, 2]]]}', "finite"),
        (b'{"label": 1, "strokes": [[[1e300, 2]]]}', "finite"),
        (b'{"label": 1, "strokes": [[[' + b"9" * 5000 + b", 2]]]}", "Line 1"),
        (b'{"label": 1, "strokes": "x"}', "list of strokes"),
        (b'{"label": 1, "strokes": [[["1", 2]]]}', "finite"),
        (b"\n".join([ONE] * 501), "501 drawings and there is room for 500"),
        (b" " * 12_000_001, "bytes"),
    ],
)
def test_a_hostile_file_is_refused_whole(data: bytes, words: str) -> None:
    with pytest.raises(HandwritingError, match=words):
        Handwriting().with_lines(data)


@given(st.binary(max_size=200))
def test_any_file_gives_drawings_or_a_message(data: bytes) -> None:
    with pytest.raises(HandwritingError):
        Handwriting().with_lines(data)


def test_limits() -> None:
    full = Handwriting(two().drawings * 250)
    with pytest.raises(HandwritingError, match="Delete some"):
        full.with_drawing(SEVEN, 7)
    with pytest.raises(HandwritingError, match="room for 0"):
        full.with_lines(ONE)
    with pytest.raises(HandwritingError, match="20,001 points"):
        Handwriting().with_drawing([np.zeros((20_001, 2))], 1)
    long = Handwriting().with_drawing([np.zeros((20_000, 2))], 1)
    with pytest.raises(HandwritingError, match="together"):
        Handwriting(long.drawings * (handwriting.MOST_COLLECTED_POINTS // 20_000 + 1))
    line = json.dumps({"label": 1, "strokes": [[[1, 2]] * 20_000]}).encode()
    with pytest.raises(HandwritingError, match="points"):
        Handwriting().with_lines(b"\n".join([line] * 30))


@pytest.mark.parametrize("index", [-1, 2])
def test_a_drawing_that_is_not_there(index: int) -> None:
    with pytest.raises(HandwritingError, match="no drawing"):
        two().without(index)
    with pytest.raises(HandwritingError, match="no drawing"):
        two().relabelled(index, 1)
