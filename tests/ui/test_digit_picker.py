"""The digit that a page looks at, as an address names it."""

from __future__ import annotations

import pytest

from hdr import datasets
from hdr.types import HdrError
from hdr.ui.inputs import digit_picker


@pytest.mark.parametrize("name", ["12", "", "012", "-1", "x", "٣"])
def test_what_is_no_class_is_refused_in_words(name: str) -> None:
    with pytest.raises(HdrError, match=r"0 to 9|right would be"):
        digit_picker._from_text(f"{datasets.available()[0]}-test-{name}-0")


@pytest.mark.parametrize("name", ["any", "0", "9"])
def test_a_class_goes_through_the_address(name: str) -> None:
    text = f"{datasets.available()[0]}-test-{name}-7"
    assert digit_picker._to_text(digit_picker._from_text(text)) == text
