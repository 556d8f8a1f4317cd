"""Chain and features as a module of their own: it runs without this project and gives the same numbers."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hdr.features  # noqa: F401 - registers the extractors
from hdr import catalogue
from hdr.export.preprocessing_script import features_script
from hdr.features.extract import extract
from hdr.preprocessing.pipeline import Pipeline, chain
from hdr.types import Features, Images, Split, Step

EXTRACTORS = catalogue.entries("feature")

RUN_ALL = """
import json, sys
import numpy as np
sys.modules["hdr"] = None
images = np.load("images.npy")
results = {}
for name, text in json.loads(open("scripts.json", encoding="utf-8").read()).items():
    space = {"__name__": "features"}
    exec(compile(text, name, "exec"), space)
    results[name] = space["features"](space["preprocess"](images.copy()))
np.savez("results.npz", **results)
"""

ALONE = {e.name: (chain("deskew"), (Step(e.name),)) for e in EXTRACTORS}
# Groups of four, the most that a run may join, so that names of different modules meet.
JOINED = {f"joined {i}": (chain("otsu"), tuple(Step(e.name) for e in EXTRACTORS[i : i + 4])) for i in range(0, 20, 4)}
TWICE = {"two scales": (chain("deskew"), (Step("hog"), Step("hog", {"cell": 7, "block": 2})))}
ALL: dict[str, tuple[Pipeline, tuple[Step, ...]]] = ALONE | TWICE | {name: p for name, p in JOINED.items() if p[1]}


def text_of(name: str) -> str:
    pipeline, features = ALL[name]
    return features_script(pipeline, [*map(complete, features)])


@pytest.fixture(scope="module")
def images(digits: Split) -> Images:
    """Digits, a blank and a full picture."""
    odd = np.stack([np.zeros((28, 28)), np.full((28, 28), 255)]).astype(np.uint8)
    return np.concatenate([digits.images[:30], odd])


@pytest.fixture(scope="module")
def results(images: Images, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Features]:
    """What every module makes of the pictures, in a Python that does not know this project."""
    folder = tmp_path_factory.mktemp("features")
    (folder / "scripts.json").write_text(json.dumps({name: text_of(name) for name in ALL}), "utf-8")
    np.save(folder / "images.npy", images)
    done = subprocess.run(
        [sys.executable, "-I", "-c", RUN_ALL], cwd=folder, capture_output=True, text=True, timeout=250
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(np.load(folder / "results.npz"))


@pytest.mark.parametrize("name", ALL)
def test_a_module_gives_the_same_numbers(name: str, results: dict[str, Features], images: Images) -> None:
    pipeline, features = ALL[name]
    assert results[name].dtype == np.float32
    np.testing.assert_array_equal(results[name], extract(images, pipeline, [*map(complete, features)]))


def complete(step: Step) -> Step:
    return catalogue.with_defaults("feature", step)


def test_every_module_is_as_ruff_would_have_it(tmp_path: Path) -> None:
    for i, name in enumerate(ALL):
        (tmp_path / f"module{i}.py").write_text(text_of(name), "utf-8")
    for command in (["format", "--diff"], ["check", "--select", "E,F,I", "--quiet"]):
        options = ["--isolated", "--no-cache", "--target-version", "py311", "--line-length", "120", "."]
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *options], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def test_a_module_says_what_it_does_and_needs_nothing_of_ours() -> None:
    text = features_script(
        chain(Step("median", {"size": 5})), (complete(Step("hog", {"cell": 7})), complete(Step("pixels")))
    )
    assert "#   1. Median filter: size 5 px\n" in text and "#   1. HOG: cell 7 px" in text and "#   2. Pixels\n" in text
    assert "hdr" not in text and "register" not in text and "Annotated" not in text
    names = [n.name for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
    assert names[-2:] == ["preprocess", "features"] and "_draw" not in names and "_columns" not in names
    assert "#   pip install numpy opencv-python-headless\n" in text
