"""What would have to change: what is found works, and where nothing is found, it says so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from hdr.preprocessing.size_normalisation import from_strokes
from hdr.reading import counterfactual
from hdr.reading.counterfactual import MOST_CHANGED, additions, of_image, of_strokes
from hdr.reading.ready import Reader
from hdr.types import Images, Split, Strokes
from tests.reading.conftest import FOUR, SEVEN, drawings
from tests.support.fakes import SaysSeven


class BarsInTheMiddle(SaysSeven):
    """A 7 with much ink in the middle rows, a 1 with little."""

    def predict_proba(self, images: Images) -> NDArray[np.float64]:
        self.shown.append(images)
        ink = images[:, 12:16].sum(axis=(1, 2)) / 255
        found = np.full((len(images), 10), 0.01)
        found[:, 7] = 0.92 * ink / (ink + 4)
        found[:, 1] = 0.92 - found[:, 7]
        return found


BARRED: Strokes = [np.array([[x0, y], [x1, y]]) for x0, x1, y in ((60.0, 200, 60), (100, 160, 155), (60, 200, 250))]


def test_the_bar_is_what_has_to_go() -> None:
    model = BarsInTheMiddle()
    found = of_strokes(BARRED, model)
    assert found is not None and found.label == 1 and not found.added
    assert np.concatenate(found.removed)[:, 1].tolist() == [155.0] * sum(map(len, found.removed))
    assert found.share == pytest.approx(60 / 340) and found.probabilities.argmax() == 1
    assert len(model.shown) <= 3


def test_a_line_that_has_to_come() -> None:
    apart: Strokes = [np.array([[130.0, 60], [130, 118]]), np.array([[130.0, 190], [130, 250]])]
    found = of_strokes(apart, BarsInTheMiddle())
    assert found is not None and found.label == 7 and not found.removed
    (line,) = found.added
    assert (line[:, 0] == 130).all() and np.hypot(*np.diff(line, axis=0).T).sum() <= 0.4 * 190 + 1e-9


def test_an_image_without_strokes() -> None:
    image = from_strokes(BARRED)
    found = of_image(image, BarsInTheMiddle())
    assert found is not None and found.label == 1 and 0 < found.share <= MOST_CHANGED
    assert found.image[12:16].sum() < image[12:16].sum() and np.array_equal(found.image[:8], image[:8])


def test_nothing_is_found_where_nothing_helps(small: Reader) -> None:
    assert of_strokes(FOUR, SaysSeven()) is None and of_image(from_strokes(FOUR), SaysSeven()) is None
    # What it is read as anyway needs no change.
    assert of_strokes(SEVEN, SaysSeven(), target=7) is None
    assert of_image(np.zeros((28, 28), np.uint8), small) is None


def test_what_is_no_digit_any_more_does_not_count() -> None:
    none = lambda images: np.zeros(len(images), bool)  # noqa: E731
    assert of_strokes(BARRED, BarsInTheMiddle(), accept=none) is None
    assert of_image(from_strokes(BARRED), BarsInTheMiddle(), accept=none) is None
    assert of_strokes(BARRED, BarsInTheMiddle(), accept=lambda images: np.ones(len(images), bool)) is not None


def test_what_is_found_works(small: Reader, digits: Split) -> None:
    count = 0
    for image in digits.images[:30]:
        order = small.predict_proba(image[None])[0].argsort(kind="stable")
        found = of_image(image, small)
        if found is None:
            continue
        count += 1
        assert small.predict_proba(found.image[None])[0].argmax() == found.label == order[-2]
        assert found.removed or found.added
        assert found.share <= MOST_CHANGED
    assert count > 10


@settings(max_examples=30 * settings().max_examples // 100)
@given(drawings)
def test_any_drawing(small: Reader, strokes: Strokes) -> None:
    found = of_strokes(strokes, small)
    if found is not None:
        assert small.predict_proba(found.image[None])[0].argmax() == found.label
    extent = max(float(np.ptp(np.concatenate(strokes), axis=0).max()), 1e-9)
    assert all(np.hypot(*np.diff(line, axis=0).T).sum() <= extent / 2 + 1e-6 for line in additions(strokes))


def test_dots_and_scribbles(small: Reader) -> None:
    assert of_strokes([np.array([[5.0, 5.0]])], small) is None
    assert of_strokes([np.zeros((3, 2)), np.zeros((1, 2))], small) is None
    rng = np.random.default_rng(0)
    assert of_strokes([rng.uniform(0, 300, (9, 2)) for _ in range(60)], small) is None
    found = of_strokes([rng.uniform(0, 300, (20_000, 2))], small)
    assert found is None or found.share <= MOST_CHANGED


def test_the_least_change_is_taken(small: Reader) -> None:
    # Of all that work alone, none is smaller than the one that was taken.
    found = of_strokes(SEVEN, small)
    again = of_strokes(SEVEN, small)
    assert found is not None and again is not None
    assert found.share == again.share and np.array_equal(found.image, again.image)
    assert len(found.removed) + len(found.added) <= counterfactual.CHAINED
