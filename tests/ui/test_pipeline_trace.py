"""The way through the chain: of a digit, of a photo that is cut, and of the clean twin of what was spoiled."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hdr import catalogue
from hdr.preprocessing import Pipeline
from hdr.preprocessing.corruptions import spoil
from hdr.preprocessing.image_quality import Quality, quality
from hdr.preprocessing.pipeline import chain
from hdr.reading.cutting import cut, find_digits
from hdr.types import Split, Stage, Step
from hdr.ui.inputs import pipeline_trace
from hdr.ui.inputs.image_source import ImageSource


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """No stage of a photo is left from another test."""
    pipeline_trace._kept.clear()
    yield
    pipeline_trace._kept.clear()


@pytest.fixture(scope="module")
def digit(digits: Split) -> NDArray[np.uint8]:
    """One digit of a data set."""
    return digits.images[3]


@pytest.fixture(scope="module")
def photo(digits: Split) -> NDArray[np.uint8]:
    """Three digits in a row, bright on dark, uint8 (120, 340)."""
    picture = np.zeros((120, 340), np.uint8)
    for i, digit in enumerate(digits.images[:3]):
        joined = cv2.morphologyEx(digit, cv2.MORPH_CLOSE, np.ones((5, 5)))
        picture[15:99, 10 + i * 110 : 94 + i * 110] = cv2.resize(joined, (84, 84))
    return picture


def digit_source(image: NDArray[np.uint8], *spoilers: Step) -> ImageSource:
    """A digit, maybe spoiled."""
    return source_of(image, "", *spoilers)


def source_of(image: NDArray[np.uint8], photo: str, *spoilers: Step) -> ImageSource:
    """A picture, maybe spoiled."""
    stage = Stage("the source", image)
    if not spoilers:
        return ImageSource(stage, None, photo)
    return ImageSource(Stage("the source", spoil(image[None], spoilers, 0)[0]), stage, photo)


NOISE = Step("salt_and_pepper", {"share": 20})


def images(found: pipeline_trace.PipelineTrace) -> list[NDArray[np.uint8]]:
    """What each step made."""
    return [p.after.image for p in found.passages]


def test_a_digit_goes_through_every_step(digit: NDArray[np.uint8]) -> None:
    pipeline = chain("median", "otsu", "deskew", "centre_by_mass")
    found = pipeline_trace.trace(digit_source(digit), pipeline)
    assert [p.step for p in found.passages] == list(pipeline.steps)
    assert [p.title for p in found.passages] == ["Median filter", "Otsu threshold", "Deskew", "Centre by mass"]
    for image, stage in zip(images(found), pipeline.trace(digit), strict=True):
        assert np.array_equal(image, stage.image)
    assert found.passages[0].before.image is digit
    for one, following in zip(found.passages, found.passages[1:], strict=False):
        assert following.before is one.after
    assert (found.boxes, found.cut_at, found.digits) == ((), None, None), "a digit is not cut"


def test_no_step_is_no_passage(digit: NDArray[np.uint8], photo: NDArray[np.uint8]) -> None:
    for start in (digit_source(digit), source_of(photo, "p")):
        found = pipeline_trace.trace(start, Pipeline())
        assert (found.start, found.passages, found.cut_at) == (start, (), None)


@pytest.mark.parametrize("name", ["", "photo"])
def test_a_step_that_is_off_is_there_and_passed_by(name: str, photo: NDArray[np.uint8]) -> None:
    found = pipeline_trace.trace(source_of(photo, name), chain("median", Step("otsu", on=False), "gaussian"))
    first, off, last = found.passages
    assert off.step.on is False and off.title == "Otsu threshold"
    assert off.before is off.after is first.after is last.before
    expected = chain("median", "gaussian").apply(photo[None])[0]
    assert np.array_equal(last.after.image, expected)


@pytest.mark.parametrize("name", ["", "photo"])
def test_the_first_step_may_be_off(name: str, photo: NDArray[np.uint8]) -> None:
    off, on = pipeline_trace.trace(source_of(photo, name), chain(Step("median", on=False), "otsu")).passages
    assert off.after is off.before is on.before
    assert np.array_equal(on.after.image, chain("otsu").apply(photo[None])[0])


def test_digits_share_nothing(digits: Split) -> None:
    for image in digits.images[:3]:
        (found,) = images(pipeline_trace.trace(digit_source(image), chain("median")))
        assert np.array_equal(found, chain("median").apply(image[None])[0])


@pytest.mark.parametrize("name", ["", "photo"])
def test_displays_are_those_of_the_steps(name: str, photo: NDArray[np.uint8]) -> None:
    found = pipeline_trace.trace(source_of(photo, name), chain("sobel_x", "otsu"))
    assert [p.before.display for p in found.passages] == ["intensity", "signed"]
    assert [p.after.display for p in found.passages] == ["signed", "intensity"]


def test_without_disturbance_there_is_no_twin_and_no_quality(digit: NDArray[np.uint8]) -> None:
    for passage in pipeline_trace.trace(digit_source(digit), chain("median", "otsu")).passages:
        assert (passage.clean, passage.clean_before, passage.quality) == (None, None, None)


@pytest.mark.parametrize("name", ["", "photo"])
def test_the_clean_twin_goes_through_the_same_steps(name: str, photo: NDArray[np.uint8]) -> None:
    start = source_of(photo, name, NOISE)
    pipeline = chain("median", Step("gaussian", on=False), "otsu")
    found = pipeline_trace.trace(start, pipeline)
    median = chain("median").apply(photo[None])[0]
    assert np.array_equal(found.passages[0].clean_before.image, photo)
    assert np.array_equal(found.passages[0].clean.image, median)
    assert found.passages[1].clean is found.passages[0].clean is found.passages[2].clean_before
    assert np.array_equal(found.passages[2].clean.image, pipeline.apply(photo[None])[0])
    assert np.array_equal(found.passages[2].after.image, pipeline.apply(start.stage.image[None])[0])
    assert found.passages[0].quality == quality(median, found.passages[0].after.image)


def test_a_step_that_mends_brings_it_nearer_to_the_clean_one(digit: NDArray[np.uint8]) -> None:
    start = digit_source(digit, NOISE)
    (passage,) = pipeline_trace.trace(start, chain("median")).passages
    assert passage.quality.psnr > pipeline_trace.image_quality(start.clean, start.stage).psnr + 3


@pytest.mark.parametrize(("step", "shape"), [("crop", (20, 20)), ("pad", (32, 32)), (Step("resize"), (14, 14))])
def test_steps_that_change_the_size(step: Step | str, shape: tuple[int, int], digit: NDArray[np.uint8]) -> None:
    first, last = pipeline_trace.trace(digit_source(digit, NOISE), chain(step, "otsu")).passages
    assert first.before.image.shape == (28, 28)
    assert first.after.image.shape == first.clean.image.shape == last.after.image.shape == shape
    assert first.quality is not None, "the twin has the same size"


def test_a_photo_is_cut_before_the_first_step_that_works_on_one_digit(photo: NDArray[np.uint8]) -> None:
    pipeline = chain("median", "otsu", "centre_by_mass", "gaussian")
    found = pipeline_trace.trace(source_of(photo, "photo"), pipeline)
    whole = chain("median", "otsu").apply(photo[None])[0]
    boxes = find_digits(whole)
    assert len(boxes) == 3
    assert (found.boxes, found.cut_at, found.chosen) == (tuple(boxes), 2, 0)
    assert np.array_equal(found.digits, cut(whole, boxes))
    assert [image.shape for image in images(found)] == [photo.shape, photo.shape, (28, 28), (28, 28)]
    assert found.passages[2].before.title == "digit 1 of 3"
    assert np.array_equal(found.passages[2].before.image, found.digits[0])
    for image, stage in zip(images(found)[2:], chain("centre_by_mass", "gaussian").trace(found.digits[0]), strict=True):
        assert np.array_equal(image, stage.image)


def test_a_photo_may_be_cut_at_once(photo: NDArray[np.uint8]) -> None:
    found = pipeline_trace.trace(source_of(photo, "photo"), chain("deskew", "otsu"))
    assert (found.cut_at, len(found.boxes)) == (0, 3)
    assert np.array_equal(found.digits, cut(photo, find_digits(photo)))


@pytest.mark.parametrize("pipeline", [chain("median", "otsu"), chain("otsu", Step("deskew", on=False))])
def test_without_such_a_step_a_photo_stays_whole(pipeline: Pipeline, photo: NDArray[np.uint8]) -> None:
    found = pipeline_trace.trace(source_of(photo, "photo"), pipeline)
    assert (found.cut_at, found.boxes, found.digits) == (None, (), None)
    assert all(image.shape == photo.shape for image in images(found))


@pytest.mark.parametrize(("asked", "taken"), [(0, 0), (2, 2), (3, 2), (99, 2)])
def test_another_digit_can_go_on_and_the_last_one_where_there_are_fewer(
    asked: int, taken: int, photo: NDArray[np.uint8]
) -> None:
    found = pipeline_trace.trace(source_of(photo, "photo"), chain("otsu", "deskew"), asked)
    assert found.chosen == taken
    assert found.passages[1].before.title == f"digit {taken + 1} of 3"
    assert np.array_equal(found.passages[1].before.image, found.digits[taken])


def test_the_twin_of_a_photo_is_cut_at_the_same_place(photo: NDArray[np.uint8]) -> None:
    found = pipeline_trace.trace(
        source_of(photo, "photo", Step("gaussian_noise", {"sigma": 30})), chain("otsu", "deskew"), 1
    )
    clean = chain("otsu").apply(photo[None])[0]
    one = found.passages[1]
    assert np.array_equal(one.clean_before.image, cut(clean, [found.boxes[1]])[0])
    assert not np.array_equal(one.clean_before.image, one.before.image)
    assert one.quality == quality(chain("deskew").apply(one.clean_before.image[None])[0], one.after.image)


def test_a_photo_without_a_digit_goes_on_as_nothing() -> None:
    blank = np.full((100, 150), 90, np.uint8)
    found = pipeline_trace.trace(source_of(blank, "blank"), chain("deskew", "centre_by_mass"), 4)
    assert (found.boxes, found.cut_at, found.digits.shape, found.chosen) == ((), 0, (0, 28, 28), 0)
    assert [(i.shape, i.any()) for i in images(found)] == [((28, 28), False)] * 2
    twin = pipeline_trace.trace(ImageSource(Stage("", blank), Stage("", blank), "blank"), chain("deskew"))
    assert twin.passages[0].quality is None, "there is nothing to compare"


def test_of_a_photo_only_steps_from_the_changed_one_on_run_again(
    photo: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []
    trace = Pipeline.trace
    monkeypatch.setattr(
        Pipeline, "trace", lambda self, image: ran.extend(s.name for s in self.steps) or trace(self, image)
    )
    start = source_of(photo, "photo")
    pipeline_trace.trace(start, chain("median", "gaussian", "otsu"))
    assert ran == ["median", "gaussian", "otsu"]
    ran.clear()
    pipeline_trace.trace(start, chain("median", "gaussian", "otsu"))
    assert ran == []
    found = pipeline_trace.trace(start, chain("median", Step("gaussian", {"sigma": 3.0}), "otsu"))
    assert ran == ["gaussian", "otsu"]
    ran.clear()
    assert np.array_equal(
        images(found)[-1], chain("median", Step("gaussian", {"sigma": 3.0}), "otsu").apply(photo[None])[0]
    )
    pipeline_trace.trace(source_of(255 - photo, "another photo"), chain("median"))
    assert ran[:1] == ["median"], "another photo shares nothing"


def test_what_is_kept_of_a_photo_cannot_be_changed(photo: NDArray[np.uint8]) -> None:
    (passage,) = pipeline_trace.trace(source_of(photo, "photo"), chain("median")).passages
    with pytest.raises(ValueError, match="read-only"):
        passage.after.image[0, 0] = 1


@pytest.mark.parametrize("entry", catalogue.entries("step"), ids=lambda e: e.name)
def test_a_photo_passes_every_step(entry: catalogue.Entry, photo: NDArray[np.uint8]) -> None:
    found = pipeline_trace.trace(source_of(photo, f"photo-{entry.name}", NOISE), chain(entry.name, "deskew"))
    assert len(found.passages) == 2
    assert found.passages[-1].after.image.ndim == 2


def test_pictures_of_two_sizes_are_not_compared() -> None:
    small, large = Stage("", np.zeros((14, 14), np.uint8)), Stage("", np.zeros((28, 28), np.uint8))
    assert pipeline_trace.image_quality(small, large) is None
    assert pipeline_trace.image_quality(None, large) is None
    assert pipeline_trace.image_quality(large, large) == Quality(math.inf, 1.0)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, ""),
        (Quality(21.26, 0.876), "PSNR 21.3\xa0dB · SSIM 0.88"),
        (Quality(21.26, None), "PSNR 21.3\xa0dB"),
        (Quality(math.inf, 1.0), "equal"),
        (Quality(math.inf, None), "equal"),
    ],
)
def test_a_quality_in_words(found: Quality | None, words: str) -> None:
    assert pipeline_trace.describe(found) == words
