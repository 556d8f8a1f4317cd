"""The parter's file: what it says of itself, and whether that is true."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from hdr.reading import ready
from hdr.reading.ready import ReaderError
from hdr.reading.windows import HEIGHT, WIDTH
from tools.parter import card, samples, writing
from tools.reader import data
from tools.reader.card import metadata

CARD = Path(__file__).parents[2] / "docs" / "parter.md"


@pytest.fixture(scope="module")
def content() -> bytes:
    return ready.PARTER.read_bytes()


@pytest.fixture(scope="module")
def material() -> data.Material:
    """Digits that trained nothing, in the place of those for training."""
    try:
        found = data.load()
    except Exception as error:
        pytest.skip(f"the recipe's data are not here: {str(error).splitlines()[0]}")
    return replace(found, images=found.test_images, labels=found.test_labels, pen=found.held_out)


def test_it_is_small_and_a_valid_model(content: bytes) -> None:
    assert len(content) <= 1_000_000
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    assert [i.name for i in model.graph.input] == ["windows"]
    assert [o.name for o in model.graph.output] == ["probabilities"]


def test_it_says_what_made_it(content: bytes) -> None:
    known = metadata(content)
    assert known["recipe_version"] and len(known["recipe_sha256"]) == 64
    assert len(known["data_sha256"]) == 5 and all(len(v) == 64 for v in known["data_sha256"].values())
    assert known["held_out_writers"] == list(data.HELD_OUT)
    assert all(name in known["attribution"] for name in ("Alpaydin", "LeCun", "CC BY 4.0"))
    assert known["metrics"]["ece"] <= 0.03


def test_the_card_is_what_the_recipe_writes(content: bytes) -> None:
    assert CARD.read_text(encoding="utf-8") == card.text(content)


def test_it_knows_whole_digits_from_parts(content: bytes, material: data.Material) -> None:
    known = metadata(content)["metrics"]
    windows, classes = samples.make(7, material=material)
    said = ready.load().wholes(windows)
    digits = classes != samples.NONE
    assert (said[digits, samples.NONE] < 0.5).mean() >= known["taken_for_digits"] - 0.03
    assert (said[~digits, samples.NONE] >= 0.5).mean() >= known["others_refused"] - 0.03
    assert (said[digits, : samples.NONE].argmax(axis=1) == classes[digits]).mean() >= known["read_right"] - 0.03


@pytest.mark.slow
def test_what_it_learns_from_is_the_same_in_every_run(material: data.Material) -> None:
    first, second = (samples.make(3, material=material) for _ in range(2))
    assert (first[0] == second[0]).all() and (first[1] == second[1]).all()
    windows, classes = first
    assert windows.shape == (samples.CHUNK, 2, HEIGHT, WIDTH) and windows.dtype == np.uint8
    assert set(classes) == set(range(11)) and 0.4 < (classes == samples.NONE).mean() < 0.8


def test_a_sheet_says_which_digit_its_ink_is_of(material: data.Material) -> None:
    random = np.random.default_rng(0)
    for _ in range(40):
        sheet = writing.write(random, material)
        found = set(np.unique(sheet.owners)) - {0}
        assert sheet.ink.shape == sheet.owners.shape and sheet.ink.dtype == np.uint8
        assert found == set(range(1, len(sheet.labels) + 1)), "every digit has ink of its own"


@pytest.mark.parametrize("content", [b"", b"no network", ready.FILE.read_bytes()])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "parter.onnx"
    path.write_bytes(content)
    with pytest.raises(ReaderError, match=r"parter\.onnx cannot be used"):
        ready.load(parter=path)
    with pytest.raises(ReaderError, match="missing"):
        ready.load(parter=tmp_path / "none.onnx")


@pytest.mark.parametrize("windows", [np.zeros((1, 2, 32, 32), np.uint8), np.zeros((1, 2, HEIGHT, WIDTH))])
def test_what_are_no_windows_is_a_mistake_of_the_caller(windows: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        ready.load().wholes(windows)
