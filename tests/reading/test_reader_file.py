"""The ready-made reader's file: what it says of itself, and whether that is true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from hdr.reading import ready
from hdr.types import Dataset, Images
from tools.reader import card, data, measures, negatives

MOST_BYTES = 1_000_000
CARD = Path(__file__).parents[2] / "docs" / "reader.md"


@pytest.fixture(scope="module")
def content() -> bytes:
    return ready.FILE.read_bytes()


@pytest.fixture(scope="module")
def known(content: bytes) -> dict:
    return card.metadata(content)


@pytest.fixture(scope="module")
def pen() -> data.Pen:
    try:
        found, _ = data.load_pen()
    except FileNotFoundError:
        pytest.skip("the pen strokes are not in a data folder: not tested on them")
    return found


def test_it_is_small_and_a_valid_model(content: bytes) -> None:
    assert len(content) <= MOST_BYTES
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    assert {o.domain: o.version for o in model.opset_import}[""] >= 17
    assert [i.name for i in model.graph.input] == ["images"]
    assert [o.name for o in model.graph.output] == ["probabilities", "digit", "features"]


def test_it_says_what_made_it(known: dict) -> None:
    assert known["recipe_version"] and len(known["recipe_sha256"]) == 64
    assert len(known["data_sha256"]) == 5 and all(len(v) == 64 for v in known["data_sha256"].values())
    assert known["held_out_writers"] == list(data.HELD_OUT)
    assert tuple(known["kinds_unseen"]) == negatives.UNSEEN
    assert all(name in known["attribution"] for name in ("Alpaydin", "LeCun", "CC BY 4.0"))


def test_its_figures_are_those_wanted(known: dict) -> None:
    m = known["metrics"]
    assert 0 < known["threshold"] < 1
    assert m["mnist_test_ece"] <= 0.01 and m["held_out_writers_ece"] <= 0.01
    assert m["refused"] >= 0.95 and m["counts"]["negatives"] == 1000


def test_the_card_is_what_the_recipe_writes(content: bytes) -> None:
    assert CARD.read_text(encoding="utf-8") == card.text(content)


def some(n: int) -> Images:
    random = np.random.default_rng(0)
    return (random.random((n, 28, 28)) * random.integers(0, 256, (n, 1, 1))).astype(np.uint8)


def test_a_batch_is_its_digits_one_by_one() -> None:
    reader = ready.load()
    images = some(40)
    together = reader.look(images)
    apart = [reader.look(image[None]) for image in images]
    assert np.abs(together.probabilities - np.concatenate([a.probabilities for a in apart])).max() < 1e-5
    assert np.abs(together.digit - np.concatenate([a.digit for a in apart])).max() < 1e-5
    assert np.abs(together.features - np.concatenate([a.features for a in apart])).max() < 1e-3


def test_the_same_picture_gets_the_same_answer(content: bytes) -> None:
    images = some(40)
    first, second = (measures.Session(content).run(images) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_accuracy_on_mnist(mnist: Dataset, content: bytes, known: dict) -> None:
    probabilities, digit = measures.Session(content).run(mnist.test.images)
    right = float((probabilities.argmax(axis=1) == mnist.test.labels).mean())
    assert right >= 0.996
    # Other processors round sums in another way.
    assert right == pytest.approx(known["metrics"]["mnist_test"], abs=3e-4)
    assert measures.calibration_error(probabilities, mnist.test.labels) <= 0.01
    assert (digit >= known["threshold"]).mean() == pytest.approx(known["metrics"]["mnist_test_kept"], abs=1e-3)


def test_accuracy_on_writers_it_never_saw(pen: data.Pen, content: bytes, known: dict) -> None:
    chosen = pen.of(np.isin(pen.writers, data.HELD_OUT))
    probabilities, digit = measures.Session(content).run(measures.drawn(chosen.strokes))
    right = float((probabilities.argmax(axis=1) == chosen.labels).mean())
    assert right == pytest.approx(known["metrics"]["held_out_writers"], abs=1.5e-3)
    assert measures.calibration_error(probabilities, chosen.labels) <= 0.01
    assert (digit >= known["threshold"]).mean() >= 0.985


def test_it_refuses_what_is_no_digit(pen: data.Pen, content: bytes, known: dict) -> None:
    images, _ = negatives.unseen(1000, measures.NEGATIVE_SEED, pen.of(np.isin(pen.writers, data.HELD_OUT)))
    _, digit = measures.Session(content).run(images)
    assert (digit < known["threshold"]).mean() >= 0.95
