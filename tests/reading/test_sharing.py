"""A drawing as text and back."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr.preprocessing.size_normalisation import from_strokes
from hdr.reading import sharing
from hdr.reading.ready import Reader
from hdr.reading.sharing import LinkError, from_text, to_text
from hdr.types import Strokes
from tests.reading.conftest import FOUR, SEVEN, drawings


@given(drawings)
def test_what_comes_back_is_what_was_drawn(strokes: Strokes) -> None:
    text = to_text(strokes)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", text) and len(text) <= sharing.MOST_CHARACTERS
    back = from_text(text)
    assert len(back) == len(strokes)
    for old, new in zip(strokes, back, strict=True):
        assert np.abs(old[[0, -1]] - new[[0, -1]]).max() <= 0.13
        assert new.dtype == np.float64 and new.shape[1] == 2 and len(new) <= max(1, len(old))
    # Thinning a second time may take a point more, so that only the drawing stays the same, not its text.
    assert len(from_text(to_text(back))) == len(back)


@given(drawings)
def test_no_point_is_farther_from_the_line_than_promised(strokes: Strokes) -> None:
    for old, new in zip(strokes, from_text(to_text(strokes)), strict=True):
        assert far(old, new) <= 1


def far(points: np.ndarray, line: np.ndarray) -> float:
    """The largest distance of a point from a line of several pieces."""
    if len(line) == 1:
        return float(np.hypot(*(points - line[0]).T).max())
    start, along = line[:-1], np.diff(line, axis=0)
    length = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip(((points[:, None] - start) * along).sum(axis=2) / length, 0, 1)
    return float(np.linalg.norm(points[:, None] - start - share[..., None] * along, axis=2).min(axis=1).max())


@pytest.mark.parametrize("size", [0.02, 0.1, 1, 5])
def test_a_drawing_of_any_size_stays_what_it_is(size: float) -> None:
    for drawing in (SEVEN, FOUR):
        strokes = [s * size for s in drawing]
        difference = np.abs(from_strokes(strokes).astype(float) - from_strokes(from_text(to_text(strokes))))
        assert difference.mean() < 1.5


def test_real_digits_are_read_as_before(written: list[tuple[Strokes, int]], small: Reader) -> None:
    texts = [to_text(strokes) for strokes, _ in written]
    assert max(map(len, texts)) <= 300 and np.median([len(t) for t in texts]) <= 160
    before = small.predict_proba(np.array([from_strokes(s) for s, _ in written]))
    after = small.predict_proba(np.array([from_strokes(from_text(t)) for t in texts]))
    # A reader that wavers may fall to the other side.
    sure = before.max(axis=1) > 0.7
    assert np.array_equal(before.argmax(axis=1)[sure], after.argmax(axis=1)[sure])
    assert np.abs(before - after).mean() < 0.002


def test_what_is_not_good_enough_is_written_more_finely(written: list[tuple[Strokes, int]], small: Reader) -> None:
    def read(strokes: Strokes) -> int:
        return int(small.predict_proba(from_strokes(strokes)[None])[0].argmax())

    for strokes, _ in written[:100]:
        # Between whole pixels, as a canvas has them.
        drawn = [s * 0.37 + 0.123 for s in strokes]
        assert read(from_text(to_text(drawn, lambda s, drawn=drawn: read(s) == read(drawn)))) == read(drawn)
    lengths = [len(to_text(SEVEN)), len(to_text(SEVEN, lambda _: False))]
    assert lengths[0] < lengths[1]
    shown: list[Strokes] = []
    to_text(SEVEN, lambda s: bool(shown.append(s)))
    assert len(shown) == len(sharing.FINENESS)


def test_what_does_not_fit_more_finely_stays_coarse() -> None:
    t = np.linspace(0, 60, 3000)
    spiral = [np.stack([150 + 2 * t * np.cos(t), 150 + 2 * t * np.sin(t)], axis=1)]
    assert to_text(spiral, lambda _: False) and len(to_text(spiral, lambda _: False)) <= sharing.MOST_CHARACTERS


def test_dots_and_empty_strokes() -> None:
    back = from_text(to_text([np.zeros((0, 2)), np.array([[3.0, 4.0]])]))
    assert len(back) == 1 and back[0].tolist() == [[3.0, 4.0]]


@pytest.mark.parametrize(
    ("strokes", "words"),
    [
        ([], "nothing to share"),
        ([np.zeros((0, 2))], "nothing to share"),
        ([np.array([[np.nan, 1.0]])], "at most"),
        ([np.array([[1e6, 1.0]])], "at most"),
        ([np.random.default_rng(0).uniform(0, 300, (5000, 2))], "too long"),
        ([np.zeros((20_001, 2))], "at most"),
    ],
)
def test_what_cannot_be_shared(strokes: Strokes, words: str) -> None:
    with pytest.raises(LinkError, match=words):
        to_text(strokes)


@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(lambda b: base64.urlsafe_b64encode(b).decode())))
def test_any_text_gives_a_plain_message(text: str) -> None:
    with pytest.raises(LinkError):
        from_text(text)


@given(st.binary(max_size=80))
def test_any_content_with_a_right_check_is_a_drawing_or_refused(content: bytes) -> None:
    content = bytes([1]) + content
    text = base64.urlsafe_b64encode(content + sharing._check(content)).decode().rstrip("=")
    try:
        strokes = from_text(text)
    except LinkError:
        return
    assert strokes and all(len(s) and np.isfinite(s).all() for s in strokes)
    assert max(np.abs(s).max() for s in strokes) <= sharing.FARTHEST


@given(drawings, st.data())
def test_a_link_that_was_cut_off_or_changed_is_noticed(strokes: Strokes, data: st.DataObject) -> None:
    text = to_text(strokes)
    with pytest.raises(LinkError):
        from_text(text[: data.draw(st.integers(0, len(text) - 2))])
    at = data.draw(st.integers(2, len(text) - 3))
    with pytest.raises(LinkError):
        from_text(text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :])


@pytest.mark.parametrize("text", ["", "é" * 5, "A" * 5000, "a b", "AAAA\n", None, 5, "=" * 8])
def test_hostile_texts(text: str) -> None:
    with pytest.raises(LinkError):
        from_text(text)
