"""A class's link as something hostile: whatever stands in it, it is refused in words or sets a whole task."""

from __future__ import annotations

import base64
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdr.classroom.assignment import AssignmentError
from hdr.classroom.assignment_link import MAX_BYTES, MAX_CHARACTERS, from_text, to_text
from hdr.types import HdrError
from tests.classroom.test_assignment import any_task, packed


@st.composite
def mutated_link(draw: st.DrawFn) -> str:
    """A good link with a few changes: letters put in, taken out, swapped, cut, doubled; or what was packed in it."""
    text = to_text(draw(any_task()))
    if draw(st.booleans()):
        padded = text + "=" * (-len(text) % 4)
        content = bytearray(zlib.decompress(base64.urlsafe_b64decode(padded)[1:]))
        for _ in range(draw(st.integers(1, 4))):
            place, new = draw(st.integers(0, len(content) - 1)), draw(st.binary(max_size=6))
            content[place : place + draw(st.integers(0, 6))] = new or b" "
        return packed(bytes(content))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 40)))
        text = text[:start] + draw(st.text(max_size=20) | st.just(text[start:end] * 2)) + text[end:]
    return text


@settings(max_examples=3 * settings().max_examples)
@given(mutated_link() | st.text(max_size=2 * MAX_CHARACTERS))
def test_no_link_does_more_than_be_refused_in_words_or_set_a_task_that_is_whole(text: str) -> None:
    try:
        task = from_text(text)
    except HdrError as error:
        assert len(str(error)) < 1_000
    else:
        assert len(text) <= MAX_CHARACTERS
        task.check(task.plan)
        assert from_text(to_text(task)) == task


@settings(max_examples=40 * settings().max_examples // 100)
@given(st.integers(MAX_BYTES + 1, 3_000_000), st.sampled_from([b" ", b"[", b'{"a":', b"0", b'"\\u0000"']))
def test_a_link_that_unpacks_to_very_much_is_refused_before_it_does(size: int, letters: bytes) -> None:
    text = packed((letters * (size // len(letters) + 1))[:size])
    tracemalloc.start()
    try:
        with pytest.raises(AssignmentError):
            from_text(text)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
