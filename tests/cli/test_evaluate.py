"""python -m hdr evaluate: a run on other digits than those it was made for."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from hdr import datasets
from hdr.analysis.cross_dataset import transfer
from hdr.cli.main import main
from hdr.jobs.worker import execute
from hdr.store.runs import RunStore
from hdr.training.model import TrainedModel
from hdr.training.run_spec import RunSpec
from hdr.types import Step


@pytest.fixture(scope="module")
def run_id(tmp_path_factory: pytest.TempPathFactory) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HDR_HOME", str(tmp_path_factory.mktemp("evaluate")))
        store = RunStore()
        run = store.create(
            RunSpec("bundled", 500, classifier=Step("mlp", {"epochs": 3, "units": 20})), "local", "a", ""
        )
        assert execute(store, run.id)
        yield run.id


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    test = datasets.load("bundled").test
    stream = io.BytesIO()
    np.savez(stream, images=255 - test.images[:200], labels=test.labels[:200])
    path = tmp_path / "mine.npz"
    path.write_bytes(stream.getvalue())
    return path


def test_a_run_is_measured_on_a_file_of_ones_own(run_id: str, own_file: Path) -> None:
    done = CliRunner().invoke(main, ["evaluate", "--run", run_id, "--file", str(own_file), "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["learned_from"] == "bundled" and said["tested_on"] > 30
    assert said["test_accuracy"] == pytest.approx(np.trace(said["confusion"]) / said["tested_on"])
    table = CliRunner().invoke(main, ["evaluate", "--run", run_id, "--data", "bundled"])
    assert "450 of 450 test digits" in table.stdout and "95% interval" in table.stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "Say what to test on"),
        (["--data", "imagenet"], "there is no data set"),
        (["--file", "nowhere.zip"], "cannot be read"),
        (["--data", "own-123456789abc"], "not here any more"),
        (["--run", "nonsense", "--data", "bundled"], "no such run"),
    ],
)
def test_what_cannot_be_done_is_said(run_id: str, arguments: list[str], why: str) -> None:
    done = CliRunner().invoke(main, ["evaluate", *arguments])
    assert done.exit_code != 0 and why in done.output and "Traceback" not in done.output


def test_of_many_test_digits_the_same_are_drawn_and_mistakes_are_found_again(run_id: str) -> None:
    model, data = TrainedModel.load(RunStore().get(run_id).folder), datasets.load("bundled")
    found, again = (transfer(model, data, most=100) for _ in range(2))
    assert found == again and found.figures["tested_on"] == 100 and found.of == 450
    for mistake in found.figures["mistakes"]:
        assert data.test.labels[mistake["index"]] == mistake["label"]
        said = model.predict_proba(data.test.images[[mistake["index"]]])[0]
        assert said.argmax() == mistake["said"] != mistake["label"]
    whole = transfer(model, data)
    assert whole.figures["test_accuracy"] == pytest.approx(model.metrics["test_accuracy"])
