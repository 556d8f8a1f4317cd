"""Pages with numbers: paper, ruling, lines, digits that touch, and what is hostile."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hdr.reading import read_page, ready
from hdr.reading.cutting import MOST_DIGITS
from hdr.reading.ink_parting import MOST_HYPOTHESES, even_pen
from hdr.reading.lines import MARGIN, TALL, find_lines
from hdr.reading.paper import MOST_PIXELS, to_sheet
from hdr.reading.splitting import to_atoms
from hdr.types import Classifier, Reading, Split
from tests.support.fakes import SaysSeven
from tests.support.fast_model import fast_model
from tests.support.synthetic_pages import Page, Pool, blank_page, from_images, make_page

FEW, MANY = 10, 60
"""Pages that are read. Of few, one more or less is a tenth, so less is asked of their shares."""

slow = pytest.mark.slow


@pytest.fixture(scope="module")
def model() -> Classifier:
    """What reads."""
    return fast_model()


@pytest.fixture(scope="module")
def pool(digits: Split) -> Pool:
    """Digits that the model has not seen."""
    return from_images(Split(digits.images[500:], digits.labels[500:]))


def share(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Intersection over union of two boxes."""
    w = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    h = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    both = max(w, 0) * max(h, 0)
    return both / (one[2] * one[3] + other[2] * other[3] - both)


def parted(reading: Reading, page: Page) -> bool:
    """Whether every digit was found where it is, and nothing else."""
    return len(reading.digits) == len(page.boxes) and all(
        share(d.box, box) > 0.5 for d, box in zip(reading.digits, page.boxes, strict=True)
    )


# The shares are those of a model that cannot tell what is no digit at all.
@pytest.mark.parametrize(
    ("count", "are_parted", "are_read"), [(FEW, 0.7, 0.6), pytest.param(MANY, 0.8, 0.75, marks=slow)]
)
def test_separate_numbers_are_read(
    count: int, are_parted: float, are_read: float, model: Classifier, pool: Pool
) -> None:
    pages = [make_page(pool, seed, lines=1 + (seed % 10 == 9)) for seed in range(count)]
    readings = [read_page(page.image, model) for page in pages]
    assert np.mean([parted(r, p) for r, p in zip(readings, pages, strict=True)]) >= are_parted
    assert np.mean([r.number == p.number for r, p in zip(readings, pages, strict=True)]) >= are_read


@pytest.mark.parametrize(("count", "are_parted"), [(FEW, 0.4), pytest.param(MANY, 0.45, marks=slow)])
def test_touching_numbers_are_parted(count: int, are_parted: float, model: Classifier, pool: Pool) -> None:
    pages = [make_page(pool, 1000 + seed, touching=True) for seed in range(count)]
    readings = [read_page(page.image, model) for page in pages]
    assert np.mean([parted(r, p) for r, p in zip(readings, pages, strict=True)]) >= are_parted


@pytest.mark.parametrize("paper", ["plain", "ruled", "squared"])
def test_on_blank_paper_nothing_is_read(paper: str) -> None:
    said = SaysSeven()
    for seed in range(8):
        assert read_page(blank_page(seed, paper).image, said).abstained
    assert said.shown == []


@pytest.fixture(scope="module")
def plain(pool: Pool) -> Page:
    """Five digits apart."""
    return make_page(pool, 11, paper="plain", digits=5)


def numbers_and_boxes(reading: Reading) -> tuple[str, list[tuple[int, ...]]]:
    """What was read, and where."""
    return reading.number, [d.box for d in reading.digits]


def test_either_polarity_reads_the_same(plain: Page, model: Classifier) -> None:
    number, boxes = numbers_and_boxes(read_page(plain.image, model))
    turned, others = numbers_and_boxes(read_page(255 - plain.image, model))
    assert number == turned
    assert all(share(a, b) > 0.8 for a, b in zip(boxes, others, strict=True))


@pytest.mark.parametrize("scale", [0.4, 1.7, 3.0])
def test_size_does_not_matter(scale: float, plain: Page, model: Classifier) -> None:
    number, boxes = numbers_and_boxes(read_page(plain.image, model))
    image = cv2.resize(plain.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    other, found = numbers_and_boxes(read_page(image, model))
    assert other == number
    for a, b in zip(boxes, found, strict=True):
        assert share(tuple(v * scale for v in a), b) > 0.75


@pytest.mark.parametrize("margins", [(90, 0, 0, 0), (0, 40, 70, 10), (5, 5, 200, 120)])
def test_place_does_not_matter(margins: tuple[int, int, int, int], plain: Page, model: Classifier) -> None:
    number, boxes = numbers_and_boxes(read_page(plain.image, model))
    image = cv2.copyMakeBorder(plain.image, *margins, cv2.BORDER_REPLICATE)
    top, _, left, _ = margins
    other, found = numbers_and_boxes(read_page(image, model))
    assert other == number
    assert all(share((x + left, y + top, w, h), b) > 0.75 for (x, y, w, h), b in zip(boxes, found, strict=True))


@pytest.mark.parametrize("angle", [-7, 5])
def test_a_page_that_was_held_askew_is_read(angle: float, plain: Page, model: Classifier) -> None:
    h, w = plain.image.shape
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), angle, 0.9)
    image = cv2.warpAffine(plain.image, turn, (w, h), borderMode=cv2.BORDER_REPLICATE)
    assert read_page(image, model).number == read_page(plain.image, model).number


def test_lines_come_from_top_to_bottom(pool: Pool, model: Classifier) -> None:
    page = make_page(pool, 5, paper="plain", lines=3, digits=3)
    reading = read_page(page.image, model)
    assert reading.lines == (3, 3, 3) and parted(reading, page)
    assert [len(row) for row in reading.number.split("\n")] == [3, 3, 3]


def test_every_stage_can_be_looked_at(pool: Pool, model: Classifier) -> None:
    page = make_page(pool, 3, paper="squared")
    reading = read_page(page.image, model)
    assert [s.title for s in reading.stages] == ["page", "light and paper taken off", "ruling taken off"]
    assert all(s.image.dtype == np.uint8 and s.image.ndim == 2 for s in reading.stages)
    assert reading.digits[0].stages[0].title == "captured"
    assert len(reading.digits[0].stages) == 1 + len(model.stages(reading.digits[0].stages[0].image))


@pytest.mark.parametrize("level", [255, 128])
def test_ruling_is_taken_off_and_strokes_stay_whole(level: int) -> None:
    image = np.full((240, 400), 230, np.uint8)
    for at in range(10, 400, 30):
        image[:, at : at + 2] = 160
        if at < 240:
            image[at : at + 2] = 160
    cv2.ellipse(image, (200, 120), (45, 70), 0, 0, 360, 230 - level * 200 // 255, 9, cv2.LINE_AA)
    sheet = to_sheet(image)
    assert sheet.turned is not None
    _, _, stats, _ = cv2.connectedComponentsWithStats((sheet.ink > 100).astype(np.uint8), connectivity=8)
    (ring,) = [s for s in stats[1:] if max(s[2], s[3]) > 8]
    assert abs(ring[2] - 99) <= 4 and abs(ring[3] - 149) <= 4, "the ring hangs together, and nothing else is left"


def test_a_large_7_is_no_ruling() -> None:
    image = np.full((200, 160), 240, np.uint8)
    cv2.polylines(image, [np.array([[20, 30], [140, 30], [80, 180]], np.int32)], False, 30, 8, cv2.LINE_AA)
    sheet = to_sheet(image)
    assert sheet.turned is None and (sheet.ink[28:33, 30:130] > 200).all()


def test_specks_and_commas_are_no_digits(model: Classifier) -> None:
    image = np.full((200, 420), 235, np.uint8)
    for x in (60, 180, 300):
        cv2.line(image, (x + 5, 50), (x, 140), 40, 9, cv2.LINE_AA)
    cv2.line(image, (240, 135), (233, 152), 40, 6, cv2.LINE_AA)
    for at in ((20, 20), (130, 30), (400, 180)):
        cv2.circle(image, at, 3, 40, -1, cv2.LINE_AA)
    assert read_page(image, model).number == "111"


def test_lines_are_brought_to_one_height_and_boxes_back() -> None:
    ink = np.zeros((700, 900), np.uint8)
    for x in (100, 300, 500):
        ink[50:90, x // 2 : x // 2 + 20] = 255
        ink[300:380, x : x + 30] = 255
    small, large = find_lines(ink)
    for line, height in ((small, 40), (large, 80)):
        rows = np.flatnonzero((line.ink > 127).any(axis=1))
        assert abs(len(rows) - TALL) <= 2 and abs(rows[0] - MARGIN) <= 4
        assert abs(line.matrix[1, 1] * TALL - height) < 1


def test_atoms_make_up_the_ink() -> None:
    ink = np.zeros((96, 300), np.uint8)
    cv2.ellipse(ink, (60, 48), (28, 38), 0, 0, 360, 255, 7)
    cv2.ellipse(ink, (118, 48), (28, 38), 0, 0, 360, 255, 7)
    cv2.line(ink, (250, 10), (250, 86), 255, 7)
    atoms = to_atoms(ink)
    assert ((atoms.labels > 0) == (ink > 100)).all()
    assert set(atoms.blots.tolist()) == {0, 1} and np.count_nonzero(atoms.blots == 1) == 1
    assert (atoms.cuts[atoms.blots == 0][1:] > 0).all() and atoms.cuts[0] == atoms.cuts[-1] == 0
    borders = [int(atoms.boxes[k, 0]) for k in range(1, len(atoms) - 1)]
    assert min(abs(b - 89) for b in borders) <= 5, "one of the cuts is where the rings touch"


@pytest.mark.parametrize("width", [1, 3, 9, 22])
def test_pens_of_all_widths_come_out_alike(width: int) -> None:
    ink = np.zeros((100, 70), np.uint8)
    cv2.polylines(ink, [np.array([[15, 15], [55, 15], [30, 85]], np.int32)], False, 255, width)
    rows, columns = np.nonzero(ink)
    image = even_pen(ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])
    assert image.shape == (28, 28) and image.max() > 200
    assert 2.0 <= (image[12:18] / 255).sum(axis=1).mean() <= 4.0


HOSTILE = {
    "nothing": np.zeros((0, 0), np.uint8),
    "no columns": np.zeros((7, 0), np.uint8),
    "one pixel": np.full((1, 1), 9, np.uint8),
    "black": np.zeros((300, 400), np.uint8),
    "white": np.full((300, 400), 255, np.uint8),
    "noise": np.random.default_rng(0).integers(0, 256, (600, 800), np.uint8),
    "coarse noise": cv2.resize(
        np.random.default_rng(1).integers(0, 256, (60, 80), np.uint8), (1600, 1200), interpolation=cv2.INTER_NEAREST
    ),
    "two halves": np.repeat(np.array([[0, 255]], np.uint8), 150, axis=1).repeat(200, axis=0),
    "stripes": np.tile(np.array([0, 255, 255, 255], np.uint8), (300, 100)),
    "a chessboard": np.kron(np.indices((40, 40)).sum(axis=0) % 2, np.ones((9, 9))).astype(np.uint8) * 255,
    "one column": np.random.default_rng(2).integers(0, 256, (5000, 1), np.uint8),
    "one row": np.random.default_rng(3).integers(0, 256, (1, 5000), np.uint8),
    "an endless strip": np.random.default_rng(4).integers(0, 256, (1, 2_000_000), np.uint8),
    "a slope": np.tile(np.linspace(0, 255, 500).astype(np.uint8), (300, 1)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_pictures_take_bounded_work_and_are_no_error(kind: str) -> None:
    image, says = HOSTILE[kind], SaysSeven()
    before = image.copy()
    reading = read_page(image, says)
    assert all(stage.image.size <= MOST_PIXELS * 1.01 for stage in reading.stages[:1])
    assert sum(map(len, says.shown)) <= MOST_HYPOTHESES
    assert len(reading.digits) <= MOST_DIGITS
    assert all(x >= 0 and y >= 0 and w >= 1 and h >= 1 for d in reading.digits for x, y, w, h in [d.box])
    assert all(x + w <= image.shape[1] and y + h <= image.shape[0] for d in reading.digits for x, y, w, h in [d.box])
    assert np.array_equal(image, before)


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_a_blank_page_is_never_predicted(level: int) -> None:
    said = SaysSeven()
    assert read_page(np.full((100, 80), level, np.uint8), said).abstained and said.shown == []


def test_a_giant_photo_is_worked_on_in_small(plain: Page, model: Classifier) -> None:
    scale = (19_000_000 / plain.image.size) ** 0.5
    image: NDArray[np.uint8] = cv2.resize(plain.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    reading = read_page(image, model)
    assert reading.stages[0].image.size <= MOST_PIXELS * 1.01
    assert reading.number == read_page(plain.image, model).number
    for digit, box in zip(reading.digits, plain.boxes, strict=True):
        assert share(digit.box, tuple(v * scale for v in box)) > 0.7


@pytest.mark.parametrize(
    ("touching", "count", "least"),
    [
        (False, FEW, 0.8),
        (True, FEW, 0.7),
        pytest.param(False, MANY, 0.93, marks=slow),
        pytest.param(True, MANY, 0.75, marks=slow),
    ],
)
def test_the_ready_made_reader_reads_numbers(touching: bool, count: int, least: float, pool: Pool) -> None:
    if not ready.FILE.exists():
        pytest.skip("the ready-made reader has not been trained: not tested on it")
    reader = ready.load()
    pages = [make_page(pool, 1000 * touching + seed, touching=touching) for seed in range(count)]
    assert np.mean([read_page(page.image, reader).number == page.number for page in pages]) >= least
