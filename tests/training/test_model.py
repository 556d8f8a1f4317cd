"""Model files: what was saved predicts as it did, and nothing else is ever loaded."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io

from hdr import catalogue
from hdr.training.fitting import fit
from hdr.training.model import ModelError, TrainedModel, load_test_probabilities
from hdr.training.run_spec import RunSpec
from hdr.types import Dataset, Step

NAMES = [e.name for e in catalogue.entries("classifier")]
SMALL: dict[str, Any] = {
    "mlp": {"epochs": 2},
    "random_forest": {"trees": 10},
    "extra_trees": {"trees": 10},
    "gradient_boosting": {"rounds": 5},
}


@pytest.fixture
def folder(bundled: Dataset, tmp_path: Path) -> Path:
    """A saved model."""
    fit(RunSpec("bundled", 500, classifier=Step("mlp", {"epochs": 1})), bundled).save(tmp_path)
    return tmp_path


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_predicts_as_before(name: str, bundled: Dataset, tmp_path: Path) -> None:
    reduction = Step("pca", {"components": 20}) if name in ("svm", "gradient_boosting") else None
    spec = RunSpec("bundled", 500, reduction=reduction, classifier=Step(name, SMALL.get(name, {})))
    model = fit(spec, bundled)
    size = model.save(tmp_path)
    assert size == (tmp_path / "model.skops").stat().st_size
    again = TrainedModel.load(tmp_path)
    images = bundled.test.images[:100]
    # Not bit for bit: matrix products differ in the last digits with where the numbers lie in memory.
    assert np.allclose(again.predict_proba(images), model.predict_proba(images), rtol=1e-4, atol=1e-7)
    assert (again.predict_proba(images).argmax(axis=1) == model.predict_proba(images).argmax(axis=1)).all()
    assert again.spec == spec and again.metrics == json.loads(json.dumps(dict(model.metrics)))
    assert again.versions == model.versions and set(again.versions) > {"python", "scikit-learn"}


def test_what_it_said_of_the_test_digits_is_kept(folder: Path, bundled: Dataset) -> None:
    kept, metrics = load_test_probabilities(folder), TrainedModel.load(folder).metrics
    right = kept.argmax(axis=1) == bundled.test.labels
    assert kept.shape == (len(bundled.test), 10) and right.mean() == metrics["test_accuracy"]
    for damage in (b"", b"\x93NUMPY rubbish", (folder / "test.npy").read_bytes()[:-100]):
        (folder / "test.npy").write_bytes(damage)
        with pytest.raises(ModelError, match="not kept"):
            load_test_probabilities(folder)
    (folder / "test.npy").unlink()
    with pytest.raises(ModelError, match="not kept"):
        load_test_probabilities(folder)


def test_there_is_no_pickle_in_it(folder: Path) -> None:
    assert sorted(p.name for p in folder.iterdir()) == ["model.json", "model.skops", "test.npy"]
    with zipfile.ZipFile(folder / "model.skops") as archive:
        assert {Path(n).suffix for n in archive.namelist()} == {".json", ".npy"}
        for name in archive.namelist():
            if name.endswith(".npy"):
                with archive.open(name) as stream:
                    np.lib.format.read_magic(stream)
                    assert not np.lib.format.read_array_header_1_0(stream)[2].hasobject


@pytest.mark.parametrize("name", ["model.skops", "model.json"])
@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "missing"])
def test_a_damaged_file_is_refused(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"truncated": data[: len(data) // 2], "empty": b"", "text": b"no model"}[damage])
    with pytest.raises(ModelError, match="train it again"):
        TrainedModel.load(folder)


def test_a_flipped_bit_in_the_weights_is_refused(folder: Path) -> None:
    path = folder / "model.skops"
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda i: i.file_size)
    data = bytearray(path.read_bytes())
    data[largest.header_offset + largest.compress_size // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError):
        TrainedModel.load(folder)


def test_a_type_that_is_not_trusted_is_refused(folder: Path) -> None:
    # A real danger: what this names would be called while the file is read.
    data = skops.io.dumps({"reduction": None, "classifier": shutil.rmtree})
    (folder / "model.skops").write_bytes(data)
    with pytest.raises(ModelError, match="Untrusted"):
        TrainedModel.load(folder)


@pytest.mark.parametrize(
    "change",
    [{"spec": {"classifier": {"name": "os"}}}, {"spec": None}, {"temperature": "hot"}, {"temperature": None}],
)
def test_a_description_that_was_tampered_with_is_refused(folder: Path, change: dict[str, Any]) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelError):
        TrainedModel.load(folder)


def test_a_class_that_training_never_saw_has_probability_zero() -> None:
    class TwoClasses:
        classes_ = np.array([3, 7], np.uint8)

        def predict_proba(self, features: np.ndarray) -> np.ndarray:
            return np.tile([0.25, 0.75], (len(features), 1))

    found = TrainedModel(RunSpec(), None, TwoClasses()).predict_proba(np.zeros((2, 28, 28), np.uint8))
    assert found[:, [3, 7]].tolist() == [[0.25, 0.75]] * 2 and found.sum() == 2
