"""What the fast preset promises on MNIST, and what else such a model is needed for: the command trains it once."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hdr.analysis.label_errors import MNIST_TEST, find_label_errors
from hdr.paths import dataset_folders
from hdr.training.model import load_test_probabilities
from hdr.types import Dataset
from tests.cli.conftest import Call
from tests.cli.test_read import ROOT, lines


@pytest.fixture(scope="module")
def on_mnist(mnist: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The fast preset trained on MNIST by the command."""
    home = tmp_path_factory.mktemp("mnist")
    command = [sys.executable, "-m", "hdr", "train", "--preset", "fast", "--json"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HDR_HOME", str(home))
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return home, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_fast_on_mnist_is_as_good_as_promised(on_mnist: tuple[Path, dict[str, Any]]) -> None:
    assert on_mnist[1]["test_accuracy"] >= 0.988 and on_mnist[1]["fitted_on"] == 10_000


def test_it_reads_pen_strokes_that_it_never_learned_from(
    call: Call, on_mnist: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = dataset_folders()[0] / "strokes" / "pendigits-train.jsonl.gz"
    if not source.exists():
        pytest.skip("the pen strokes are not in HDR_DATASETS: not tested on real drawings")
    with gzip.open(source, "rt") as stream:
        rows = stream.readlines()[::5]
    labels = [json.loads(row)["label"] for row in rows]
    (tmp_path / "pen.jsonl").write_text("".join(rows))
    monkeypatch.setenv("HDR_HOME", str(on_mnist[0]))
    found = lines(call("read", "--json", "--run", on_mnist[1]["run"], "--strokes", tmp_path / "pen.jsonl").stdout)
    right = [f["number"] == str(label) for f, label in zip(found, labels, strict=True)]
    assert np.mean(right) >= 0.93


def test_labels_of_mnist_that_people_doubt_are_near_the_top(
    mnist: Dataset, on_mnist: tuple[Path, dict[str, Any]]
) -> None:
    home, said = on_mnist
    listed = find_label_errors(mnist.test.labels, load_test_probabilities(home / "models" / said["run"])).index.tolist()
    assert len(listed) < 200, "of 10,000"
    # By chance it would be none.
    assert len(set(MNIST_TEST) & set(listed[:5])) >= 2
    assert len(set(MNIST_TEST) & set(listed)) >= 8
