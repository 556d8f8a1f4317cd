"""What is taken along works alone: ONNX files and scripts give the labels of the model, without this project."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import onnxruntime
import pytest
from threadpoolctl import threadpool_limits

from hdr.export import onnx
from hdr.export.onnx import ExportedModel, ExportError, export_model
from hdr.export.training_script import RecipeError, load_mnist, recipe
from hdr.features.extract import extract
from hdr.training.fitting import fit
from hdr.training.model import TrainedModel
from hdr.types import Dataset, Split, Step
from tests.support.exported_archive import MORE, SPECS, labels_of, run_python, small, write_idx

# skl2onnx looks at what scikit-learn and onnx are about to change.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

READ_ALL = """
import json, os, runpy, sys
import numpy as np
import onnxruntime
sys.modules["hdr"] = None
images = np.load("images.npy")
found = {}
for folder in json.load(open("folders.json")):
    space = runpy.run_path(os.path.join(folder, "features.py"))
    session = onnxruntime.InferenceSession(os.path.join(folder, "model.onnx"))
    inputs = {"features": space["features"](space["preprocess"](images))}
    label, probabilities = session.run(["label", "probabilities"], inputs)
    assert probabilities.shape == (len(images), 10) and np.allclose(probabilities.sum(axis=1), 1, atol=1e-3)
    found[folder] = label
np.savez("labels.npz", **found)
"""

RUN_ALL = """
import json, runpy, sys
sys.modules["hdr"] = None
for name in json.load(open("scripts.json")):
    sys.argv = [f"{name}.py", "data", f"{name}.txt"]
    runpy.run_path(f"{name}.py", run_name="__main__")
"""


@pytest.fixture(scope="module")
def data(request: pytest.FixtureRequest) -> Dataset:
    """MNIST, or where it cannot be had, the bundled digits."""
    try:
        return small(request.getfixturevalue("mnist"))
    except pytest.skip.Exception:
        return small(request.getfixturevalue("bundled"))


@pytest.fixture(scope="module")
def models(data: Dataset) -> dict[str, TrainedModel]:
    """A fitted model for every spec."""
    with threadpool_limits(1):
        return {name: fit(spec, data) for name, spec in (SPECS | MORE).items()}


@pytest.fixture(scope="module")
def archives(models: dict[str, TrainedModel], data: Dataset) -> dict[str, ExportedModel]:
    """An archive of every model that can have one."""
    return {name: export_model(models[name], data.test.images) for name in SPECS}


@pytest.fixture(scope="module")
def unpacked(archives: dict[str, ExportedModel], data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every archive in a folder of its own, and what each calls the test digits."""
    folder = tmp_path_factory.mktemp("onnx")
    np.save(folder / "images.npy", data.test.images)
    for i, found in enumerate(archives.values()):
        zipfile.ZipFile(io.BytesIO(found.data)).extractall(folder / str(i))
    (folder / "folders.json").write_text(json.dumps([str(i) for i in range(len(archives))]))
    done = run_python("-c", READ_ALL, folder=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def scripts(models: dict[str, TrainedModel], data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every script, and what each calls the test digits."""
    folder = tmp_path_factory.mktemp("scripts")
    (folder / "data").mkdir()
    write_idx(data, folder / "data")
    for name, model in models.items():
        (folder / f"{name}.py").write_text(recipe(model), "utf-8")
    (folder / "scripts.json").write_text(json.dumps(list(models)))
    done = run_python("-c", RUN_ALL, folder=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def said(model: TrainedModel) -> np.ndarray:
    return model.test_probabilities.argmax(axis=1)


@pytest.mark.parametrize("name", SPECS)
def test_an_onnx_file_gives_the_models_labels(
    name: str, models: dict[str, TrainedModel], archives: dict[str, ExportedModel], unpacked: Path
) -> None:
    found = np.load(unpacked / "labels.npz")[str(list(SPECS).index(name))]
    differ = int((found != said(models[name])).sum())
    assert differ == 0
    made = archives[name]
    assert (made.compared, made.agreed) == (len(found), len(found) - differ)
    assert made.nbytes == len(made.data) > made.onnx_bytes * 0.05


def test_the_program_of_an_archive_reads_a_picture(
    models: dict[str, TrainedModel], data: Dataset, unpacked: Path
) -> None:
    index = list(SPECS).index("support vectors")
    digit = data.test.images[0]
    photo = 255 - cv2.resize(digit, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    for name, picture in (("digit.png", digit), ("photo.png", np.pad(photo, 40, constant_values=255))):
        cv2.imwrite(str(unpacked / name), picture)
        done = run_python(f"{index}/read.py", name, folder=unpacked)
        # An isolated Python does not look beside the program; everybody else's does.
        assert "No module named 'features'" in done.stderr
        done = subprocess.run(
            [sys.executable, f"{index}/read.py", name], cwd=unpacked, capture_output=True, text=True, timeout=100
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"{said(models['support vectors'])[0]}, probability ")


def test_an_archive_says_what_it_holds(archives: dict[str, ExportedModel], models: dict[str, TrainedModel]) -> None:
    for name, made in archives.items():
        files = zipfile.ZipFile(io.BytesIO(made.data))
        assert files.namelist() == ["model.onnx", "preprocessing.json", "features.py", "read.py"]
        settings, spec = json.loads(files.read("preprocessing.json")), models[name].spec.to_json()
        assert settings["pipeline"] == spec["pipeline"] and settings["features"] == spec["features"]
        assert settings["image"] == {"height": 28, "width": 28, "dtype": "uint8", "ink": 255, "paper": 0}
        for program in ("features.py", "read.py"):
            assert "hdr" not in files.read(program).decode()


def test_the_same_model_gives_the_same_archive(models: dict[str, TrainedModel], data: Dataset) -> None:
    one, other = (export_model(models["tree"], data.test.images) for _ in range(2))
    assert one.data == other.data


@pytest.mark.parametrize("name", ["nearest centroid", "kernel approximation"])
def test_where_there_is_no_converter_the_message_says_so(name: str, models: dict, data: Dataset) -> None:
    with pytest.raises(ExportError, match=r"no ONNX file, since skl2onnx .* has no converter for it \((Nea|Nys)"):
        export_model(models[name], data.test.images)


def test_a_file_that_would_be_too_large_is_refused_with_its_size(models: dict[str, TrainedModel]) -> None:
    for name, part, words in (
        ("nearest neighbours", {"_fit_X": np.empty((60_000, 784))}, "all 60,000 training digits, about 188 MB"),
        ("support vectors", {"support_vectors_": np.empty((20_000, 784)), "dual_coef_": np.empty(0)}, "about 63 MB"),
        ("forest", {"estimators_": [SimpleNamespace(tree_=SimpleNamespace(node_count=10**6))]}, "1,000,000 nodes"),
    ):
        model = replace(models[name], classifier=SimpleNamespace(**part))
        with pytest.raises(ExportError, match=words):
            onnx.check_size(model)


def test_a_file_whose_labels_differ_is_not_offered(
    models: dict[str, TrainedModel], data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx, "labels", lambda data, features: np.zeros(len(features), np.int64))
    with pytest.raises(ExportError, match=r"Decision tree: the ONNX file is not offered, since it calls \d+ of"):
        export_model(models["tree"], data.test.images)


@pytest.mark.parametrize("classes", [(0, 1, 2, 4, 5, 6, 7, 8, 9), (3, 7)], ids=["nine classes", "two classes"])
@pytest.mark.parametrize("name", ["article", "support vectors", "tree"])
def test_a_graph_and_a_script_know_the_classes_that_training_saw(
    name: str, classes: tuple[int, ...], data: Dataset
) -> None:
    known = np.isin(data.train.labels, classes)
    train = Split(data.train.images[known], data.train.labels[known])
    with threadpool_limits(1):
        model = fit(SPECS[name], replace(data, train=train))
        names: dict = {"__name__": "a script"}
        exec(compile(recipe(model), "train.py", "exec"), names)
        called = names["predict"](names["train"](train.images, train.labels), data.test.images)
    said = model.predict_proba(data.test.images)
    assert called.tolist() == said.argmax(axis=1).tolist()

    made = export_model(model, data.test.images)
    assert made.agreed >= made.compared - 1
    session = onnxruntime.InferenceSession(zipfile.ZipFile(io.BytesIO(made.data)).read("model.onnx"))
    features = extract(data.test.images, model.spec.pipeline, model.spec.features)
    (probabilities,) = session.run(["probabilities"], {"features": features})
    unseen = [c for c in range(10) if c not in classes]
    assert not probabilities[:, unseen].any() and not said[:, unseen].any()
    assert np.abs(probabilities - said).max() < 1e-3


@pytest.mark.parametrize("name", SPECS | MORE)
def test_a_script_trains_the_same_model(name: str, models: dict[str, TrainedModel], scripts: Path) -> None:
    np.testing.assert_array_equal(labels_of(scripts / f"{name}.txt"), said(models[name]))


def test_a_script_says_how_it_is_called_and_what_is_missing(scripts: Path, tmp_path: Path) -> None:
    done = run_python("tree.py", folder=scripts)
    assert done.returncode == 1 and done.stderr.startswith("Usage: python train.py FOLDER [labels.txt]")
    with pytest.raises(SystemExit, match="train-images-idx3-ubyte is not there; the folder must hold"):
        load_mnist(str(tmp_path))


def test_a_script_of_the_bundled_digits_is_a_program_that_needs_no_folder(bundled: Dataset, tmp_path: Path) -> None:
    spec = replace(SPECS["support vectors"], dataset="bundled")
    with threadpool_limits(1):
        model = fit(spec, bundled)
    (tmp_path / "train.py").write_text(recipe(model), "utf-8")
    done = run_python("train.py", "labels.txt", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Test accuracy {model.metrics['test_accuracy']:.2%}, 95% interval ")
    np.testing.assert_array_equal(labels_of(tmp_path / "labels.txt"), said(model))


def test_scripts_are_as_ruff_would_have_them_and_import_nothing_of_ours(scripts: Path) -> None:
    options = ["--isolated", "--no-cache", "--target-version", "py311", "--line-length", "120", "."]
    for command in (["format", "--diff"], ["check", "--select", "E,F,I", "--quiet"]):
        ruff = [sys.executable, "-m", "ruff", *command, *options]
        done = subprocess.run(ruff, cwd=scripts, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    for path in scripts.glob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        modules = {str(n.module) for n in nodes if isinstance(n, ast.ImportFrom)}
        modules |= {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
        assert not [m for m in modules if m.split(".")[0] in ("hdr", "pydantic", "streamlit")]


def test_estimators_are_written_with_what_is_not_a_default(models: dict[str, TrainedModel]) -> None:
    text = recipe(models["support vectors"])
    gamma = models["support vectors"].classifier.gamma
    assert f"gamma={gamma!r}" in text and "# gamma suits the variance of these rows" in text
    assert 'reduction = PCA(n_components=40, random_state=0, svd_solver="randomized")' in text
    assert "make_pipeline(" in recipe(models["several features"])


def test_a_data_set_that_a_script_cannot_load_is_refused(models: dict[str, TrainedModel]) -> None:
    model = replace(models["tree"], spec=replace(models["tree"].spec, dataset="mine"))
    with pytest.raises(RecipeError, match="can learn from mnist or bundled, not from 'mine'"):
        recipe(model)


def test_a_reduction_alone_is_written_out(models: dict[str, TrainedModel]) -> None:
    assert models["logistic regression"].spec.reduction == Step("standardise")
    assert "reduction = StandardScaler()\n" in recipe(models["logistic regression"])
