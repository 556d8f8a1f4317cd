"""python -m hdr train."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hdr.store.runs import RunStore
from hdr.training.model import TrainedModel
from hdr.training.run_spec import RunSpec
from hdr.types import Step
from tests.cli.conftest import Call
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
SMALL = RunSpec("bundled", 500, classifier=Step("mlp", {"epochs": 3, "units": 20}))


def write(path: Path, spec: RunSpec) -> Path:
    """A plan as a file."""
    path.write_text(json.dumps(spec.to_json()))
    return path


def test_the_last_line_is_what_scripts_need(trained: tuple[Path, dict[str, Any]]) -> None:
    home, summary = trained
    assert summary["classifier"] == "svm" and summary["dataset"] == "bundled" and summary["status"] == "done"
    assert summary["train_size"] == 10_000 and summary["fitted_on"] < 1_500
    assert summary["test_accuracy"] > 0.9 and summary["validation_accuracy"] > 0.9
    assert summary["interval"][0] < summary["test_accuracy"] < summary["interval"][1]
    assert 0 < summary["fit_seconds"] <= summary["total_seconds"] and summary["peak_mb"] > 50
    assert TrainedModel.load(home / "models" / summary["run"]).metrics["test_accuracy"] == summary["test_accuracy"]


def test_a_spec_from_a_file_as_a_table(call: Call, tmp_path: Path) -> None:
    result = call("train", "--spec", write(tmp_path / "spec.json", SMALL))
    assert result.exit_code == 0
    (run,) = RunStore().runs("local")
    assert run.spec == SMALL and run.status == "done"
    rows = dict(line.split(maxsplit=1) for line in result.stdout.splitlines() if line.startswith("Run "))
    assert rows == {"Run": run.id}
    assert f"{run.result['test_accuracy']:.2%} (95% interval" in result.stdout and "500 digits" in result.stdout
    assert "epoch 3 of 3, validation" in result.stderr


def test_every_call_is_a_run_of_its_own(call: Call, tmp_path: Path) -> None:
    path = write(tmp_path / "spec.json", SMALL)
    runs = {json.loads(call("train", "--spec", path, "--json").stdout)["run"] for _ in range(2)}
    assert len(runs) == 2 == len(RunStore().runs())


@pytest.mark.parametrize("arguments", [[], ["--preset", "fast", "--spec", "x.json"]])
def test_one_plan_is_needed(call: Call, arguments: list[str]) -> None:
    result = call("train", *arguments)
    assert result.exit_code == 2 and "either --preset" in result.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "JSON object"),
        ('{"seed": -1}', "whole number from 0 to 2147483647"),
        ('{"dataset": "letters"}', "There is no data set 'letters'; there are mnist, bundled"),
    ],
)
def test_a_bad_spec_is_one_plain_message(call: Call, tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "spec.json").write_text(content)
    result = call("train", "--spec", tmp_path / "spec.json")
    assert result.exit_code == 1 and message in result.stderr and result.stdout == ""
    assert RunStore().runs() == []


def test_unknown_names_list_the_known(call: Call) -> None:
    assert "there are article, fast, best" in call("train", "--preset", "slow").stderr
    assert "there are mnist, bundled" in call("train", "--preset", "fast", "--data", "letters").stderr


def test_missing_data_says_how_to_get_it(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HDR_DATASETS", raising=False)
    result = call("train", "--preset", "fast")
    assert result.exit_code == 1
    assert "python -m hdr data --fetch" in result.stderr and "--data bundled" in result.stderr


def test_a_run_that_fails_is_a_plain_message(call: Call, tmp_path: Path) -> None:
    features = (Step("hog", {"cell": 14, "block": 1, "orientations": 2}),)
    spec = RunSpec("bundled", 500, features=features, reduction=Step("pca", {"components": 200}))
    result = call("train", "--spec", write(tmp_path / "spec.json", spec), "--json")
    assert result.exit_code == 1 and "has failed" in result.stderr and "200 components" in result.stderr


def test_what_does_not_fit_is_refused_with_both_numbers(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDR_MEMORY_MB", "50")
    result = call("train", "--preset", "fast", "--data", "bundled")
    assert result.exit_code == 1 and "Traceback" not in result.output
    assert re.search(r"would hold about \d+ MB of memory, and there are 50 MB", result.stderr)
    assert RunStore().runs() == [], "what is refused is no run"


def _start(tmp_path: Path) -> tuple[subprocess.Popen[str], RunStore, str]:
    slow = RunSpec(
        "bundled", 1500, classifier=Step("mlp", {"epochs": 100, "units": 500, "layers": 4, "batch_size": 16})
    )
    command = [sys.executable, "-m", "hdr", "train", "--json", "--spec", str(write(tmp_path / "spec.json", slow))]
    # A shell that runs tests in the background makes them ignore Ctrl-C, and what they start as well.
    heed = None if os.name == "nt" else lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed
    )
    store = RunStore()

    def begun() -> list[str]:
        assert process.poll() is None
        return [run.id for run in store.runs(statuses=("running",)) if store.events(run.id)]

    return process, store, until(begun, "it learns")[0]


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process on Windows: not tested")
def test_ctrl_c_marks_the_run_as_stopped(call: Call, tmp_path: Path) -> None:
    process, store, run = _start(tmp_path)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 1 and out == "" and err == f"Error: Run {run} was stopped.\n"
    assert store.get(run).status == "stopped"


def test_a_stop_from_elsewhere_is_heard(call: Call, tmp_path: Path) -> None:
    process, store, run = _start(tmp_path)
    store.request_stop(run)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 1 and "was stopped" in err and store.get(run).status == "stopped"
