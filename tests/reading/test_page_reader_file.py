"""The page reader's file: what it says of itself, and whether that is true."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest

from hdr.reading import ready
from tools.page_reader import card, measures
from tools.reader import data, negatives
from tools.reader.card import metadata
from tools.reader.chunks import Chunk
from tools.reader.measures import NEGATIVE_SEED, calibration_error

CARD = Path(__file__).parents[2] / "docs" / "page_reader.md"


@pytest.fixture(scope="module")
def content() -> bytes:
    return ready.PAGES.read_bytes()


@pytest.fixture(scope="module")
def material() -> data.Material:
    try:
        return data.load()
    except Exception as error:
        pytest.skip(f"the recipe's data are not here: {str(error).splitlines()[0]}")


@pytest.fixture(scope="module")
def captured(material: data.Material) -> Chunk:
    return measures.captured(material, test=True)


def test_it_is_small_and_a_valid_model(content: bytes) -> None:
    assert len(content) <= 1_000_000
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    assert [i.name for i in model.graph.input] == ["images"]
    assert [o.name for o in model.graph.output] == list(ready.OUTPUTS)


def test_it_says_what_made_it(content: bytes) -> None:
    known = metadata(content)
    assert known["recipe_version"] and len(known["recipe_sha256"]) == 64
    assert known["data_sha256"][ready.FILE.name] == hashlib.sha256(ready.FILE.read_bytes()).hexdigest()
    assert known["held_out_writers"] == list(data.HELD_OUT)
    assert all(name in known["attribution"] for name in ("Alpaydin", "LeCun", "CC BY 4.0"))
    assert known["metrics"]["ece"] <= 0.01 and known["metrics"]["refused"] >= 0.95


def test_the_card_is_what_the_recipe_writes(content: bytes) -> None:
    assert CARD.read_text(encoding="utf-8") == card.text(content)


@pytest.mark.slow
def test_it_reads_digits_of_pages_better_than_the_reader_of_drawings(content: bytes, captured: Chunk) -> None:
    known, reader, (images, classes) = metadata(content)["metrics"], ready.load(), captured
    seen = reader.on_pages.look(images)
    right = (seen.probabilities.argmax(axis=1) == classes).mean()
    # Other processors round sums in another way.
    assert right == pytest.approx(known["read_right"], abs=1e-3)
    assert right > (reader.predict_proba(images).argmax(axis=1) == classes).mean()
    assert calibration_error(seen.probabilities, classes.astype(np.uint8)) <= 0.01
    assert (seen.digit >= reader.on_pages.threshold).mean() >= 0.99


def test_it_refuses_what_is_no_digit(material: data.Material) -> None:
    images, _ = negatives.unseen(1000, NEGATIVE_SEED, material.held_out)
    assert (~ready.load().on_pages.accepts(images)).mean() >= 0.95


@pytest.mark.slow
def test_what_measures_it_is_the_same_in_every_run(material: data.Material, captured: Chunk) -> None:
    images, classes = captured
    again = measures.captured(material, test=True)
    assert (images == again[0]).all() and (classes == again[1]).all()
    assert images.shape == (len(classes), 28, 28) and set(classes) == set(range(10))
