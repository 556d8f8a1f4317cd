"""What docs/extending.md shows does what it says: each example goes into a copy of the app as one new file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.conftest import ROOT, blocks

EXAMPLES = {
    re.match(r"# (hdr/\S+\.py)\n", block.text)[1]: block.text
    for block in blocks(ROOT / "docs" / "extending.md")
    if block.language == "python"
}
CONTRACTS = (
    "tests/preprocessing/test_contract.py",
    "tests/features/test_contract.py",
    "tests/models/test_models.py",
    "tests/pages/test_preprocess.py",
    "tests/pages/test_train.py",
)
NAMES = ("posterise", "crossings", "ridge")

DECLARED = """
import hdr.features, hdr.models, hdr.preprocessing
from hdr import catalogue
from hdr.features.extract import columns
from hdr.export.preprocessing_script import script
from hdr.preprocessing.pipeline import chain
from hdr.tuning.space import dimension
from hdr.training.run_spec import RunSpec
from hdr.types import Step

assert [p.expected for p in catalogue.get("step", "posterise").parameters] == ["a whole number from 2 to 16"]
assert catalogue.step_to_text(catalogue.step_from_text("step", "posterise-levels-7")) == "posterise-levels-7"
assert "rounded[images]" in script(chain("otsu", "posterise"))
assert len(columns((Step("crossings"),), (28, 28))) == 56
assert catalogue.get("classifier", "ridge").parameters[0].log
assert dimension(RunSpec(classifier=Step("ridge")), "classifier.ridge.alpha", 0.01, 100.0)
print("declared")
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the app with the examples in it."""
    folder = tmp_path_factory.mktemp("extended")
    for name in ("hdr", "pages", "tests", ".streamlit"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "secrets.toml"))
    for name in ("streamlit_app.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    for path, text in EXAMPLES.items():
        assert not (folder / path).exists(), path
        (folder / path).write_text(text, "utf-8")
    return folder


def run(folder: Path, *command: str) -> str:
    """What a fresh process in the copy prints; it must end well."""
    env = os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1", "HDR_HOME": str(folder / "home")}
    done = subprocess.run([sys.executable, *command], cwd=folder, env=env, capture_output=True, text=True, timeout=580)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def test_there_is_one_example_of_each() -> None:
    assert sorted(Path(path).parent.name for path in EXAMPLES) == ["features", "models", "preprocessing"]
    assert all(name in "".join(EXAMPLES.values()) for name in NAMES)


@pytest.mark.timeout(600)
def test_every_example_passes_the_contract_and_has_its_widgets(extended: Path) -> None:
    found = run(extended, "-m", "pytest", "-p", "no:cacheprovider", "-vv", "-k", " or ".join(NAMES), *CONTRACTS)
    passed = re.findall(r"(tests/\S+?)::\S*(posterise|crossings|ridge)\S* PASSED", found)
    assert {path for path, _ in passed} == set(CONTRACTS), found[-4000:]
    assert {name for _, name in passed} == set(NAMES)


def test_every_example_is_in_the_catalogue_as_it_is_declared(extended: Path) -> None:
    assert run(extended, "-c", DECLARED).strip() == "declared"


def test_every_example_is_written_as_the_app_is(extended: Path) -> None:
    run(extended, "-m", "ruff", "check", *EXAMPLES)
    run(extended, "-m", "ruff", "format", "--check", *EXAMPLES)
