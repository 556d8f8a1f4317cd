"""python -m hdr read."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hdr.store.runs import RunStore
from hdr.training.run_spec import RunSpec
from tests.cli.conftest import Call

ROOT = Path(__file__).parents[2]
ONE = {"strokes": [[[50, 10 + y] for y in range(0, 200, 5)]], "label": 1}


def lines(text: str) -> list[dict[str, Any]]:
    """Every line as the object that it is."""
    return [json.loads(line) for line in text.splitlines()]


def strokes_file(path: Path, *content: object) -> Path:
    """A file with a line for each: text as it is, anything else as JSON."""
    path.write_text("\n".join(c if isinstance(c, str) else json.dumps(c) for c in content) + "\n")
    return path


def test_pictures_as_json_lines(with_model: Call, tmp_path: Path) -> None:
    picture = np.full((120, 100), 255, np.uint8)
    picture[20:100, 45:53] = 0
    Image.fromarray(picture).save(tmp_path / "one.png")
    Image.new("L", (50, 50), 255).save(tmp_path / "blank.jpg")
    (tmp_path / "text.png").write_text("no picture")
    names = [tmp_path / n for n in ("text.png", "one.png", "missing.png", "blank.jpg")]
    result = with_model("read", *names, "--json")
    text, one, missing, blank = lines(result.stdout)
    assert result.exit_code == 1
    assert [x["source"] for x in (text, one, missing, blank)] == [str(n) for n in names]
    assert "not a picture" in text["error"] and "no file" in missing["error"]
    assert set(text) == {"source", "error"}
    assert blank == {"source": str(names[3]), "number": "", "digits": [], "abstained": True}
    (digit,) = one["digits"]
    assert set(one) == {"source", "number", "digits", "abstained"} and one["abstained"] is False
    assert set(digit) == {"label", "probability", "probabilities", "box"}
    assert one["number"] == str(digit["label"]) == "1" and len(digit["probabilities"]) == 10
    assert digit["probability"] == max(digit["probabilities"]) and abs(sum(digit["probabilities"]) - 1) < 1e-6
    assert digit["box"] == [45, 20, 8, 80]


def test_drawings_with_line_numbers(with_model: Call, tmp_path: Path) -> None:
    path = strokes_file(
        tmp_path / "x.jsonl",
        ONE,
        "",
        "{",
        {"strokes": []},
        {"points": []},
        '{"strokes": [[[NaN, 1]]]}',
        '{"strokes": [[[' + "9" * 400 + ", 1]]]}",
        "[" * 50_000,
        [1],
        "\x00\x01",
        ONE,
    )
    result = with_model("read", "--strokes", path, "--json")
    found = lines(result.stdout)
    assert result.exit_code == 1
    assert [f["source"] for f in found] == [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert [f["source"] for f in found if "error" in f] == [3, 5, 6, 7, 8, 9, 10]
    assert found[0]["number"] == "1" == found[-1]["number"] and found[2]["abstained"] is True
    assert found[0] | {"source": 11} == found[-1]


def test_all_well_is_exit_code_0_and_plain_lines(with_model: Call, tmp_path: Path) -> None:
    result = with_model("read", "--strokes", strokes_file(tmp_path / "x.jsonl", ONE, {"strokes": []}))
    assert result.exit_code == 0
    first, second = result.stdout.splitlines()
    assert first.startswith("1: 1 (") and first.endswith("%)") and second == "2: nothing to read"


def test_a_line_without_end_is_not_read_whole(with_model: Call, tmp_path: Path) -> None:
    path = strokes_file(tmp_path / "x.jsonl", ONE, "[" * 9_000_000, ONE)
    found = lines(with_model("read", "--strokes", path, "--json").stdout)
    assert [f["source"] for f in found] == [1, 2, 3]
    assert "too long" in found[1]["error"] and found[2]["number"] == "1"


def test_compressed_and_damaged_and_missing_files(with_model: Call, tmp_path: Path) -> None:
    data = gzip.compress((json.dumps(ONE) + "\n").encode() * 600)
    whole, half = tmp_path / "whole.jsonl.gz", tmp_path / "half.jsonl.gz"
    whole.write_bytes(data)
    half.write_bytes(data[:-20])
    assert len(lines(with_model("read", "--strokes", whole, "--json").stdout)) == 600
    for path in (half, tmp_path / "missing.jsonl", tmp_path):
        result = with_model("read", "--strokes", path, "--json")
        assert result.exit_code == 1 and lines(result.stdout)[-1]["source"] == str(path)
        assert "cannot be read" in lines(result.stdout)[-1]["error"]


def test_something_to_read_is_needed(call: Call) -> None:
    assert call("read").exit_code == 2


@pytest.fixture
def without_reader(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No ready-made reader is there."""
    monkeypatch.setattr("hdr.reading.ready.FILE", tmp_path / "reader.onnx")


def test_without_a_run_the_ready_made_reader_reads_and_refuses_a_scribble(call: Call, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    scribble = {"strokes": [random.uniform(0, 300, (60, 2)).tolist()]}
    seven = {"strokes": [[[60, 60], [120, 58], [200, 60], [170, 140], [130, 250]]]}
    result = call("read", "--json", "--strokes", strokes_file(tmp_path / "x.jsonl", ONE, scribble, seven))
    assert result.exit_code == 0
    one, nothing, other = lines(result.stdout)
    assert (one["number"], other["number"]) == ("1", "7")
    assert nothing == {"source": 2, "number": "", "digits": [], "abstained": True}


@pytest.mark.usefixtures("without_reader")
def test_without_a_model_it_says_how_to_train_one(call: Call, tmp_path: Path) -> None:
    result = call("read", "x.png", "--json")
    assert result.exit_code == 1 and "python -m hdr train --preset fast" in result.stderr and result.stdout == ""


def test_a_run_by_its_name(with_model: Call, trained: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    path = strokes_file(tmp_path / "x.jsonl", ONE)
    assert with_model("read", "--run", trained[1]["run"], "--strokes", path).exit_code == 0
    unknown = with_model("read", "--run", "none", "--strokes", path)
    assert unknown.exit_code == 1 and "no such run" in unknown.stderr
    queued = RunStore().create(RunSpec(), "local", "t").id
    assert f"Run {queued} is queued" in with_model("read", "--run", queued, "--strokes", path).stderr
    RunStore().request_stop(queued)


@pytest.mark.usefixtures("without_reader")
def test_without_the_reader_the_newest_model_that_loads_reads(with_model: Call, tmp_path: Path) -> None:
    store, path = RunStore(), strokes_file(tmp_path / "x.jsonl", ONE)
    for owner in ("local", "somebody"):
        lost = store.create(RunSpec(), owner, owner).id
        store.claim(lost, 1)
        store.finish(lost, {})
    assert with_model("read", "--strokes", path).exit_code == 0
    assert "cannot be read" in with_model("read", "--run", lost, "--strokes", path).stderr


def test_help_and_errors_without_importing_what_is_slow() -> None:
    code = (
        "import sys; from hdr.cli.main import main; main(['read', '--help'], standalone_mode=False); "
        "print({'sklearn', 'cv2', 'pydantic', 'sqlalchemy', 'PIL'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip().endswith("set()")


def test_digits_of_the_data_set_as_files(
    with_model: Call, trained: tuple[Path, dict[str, Any]], tmp_path: Path, own_home: Path
) -> None:
    from hdr import datasets

    test = datasets.load("bundled").test
    for i in range(40):
        Image.fromarray(255 - np.kron(test.images[i], np.ones((5, 5), np.uint8))).save(tmp_path / f"{i}.png")
    pictures = [tmp_path / f"{i}.png" for i in range(40)]
    result = with_model("read", "--json", "--run", trained[1]["run"], *pictures)
    right = [f["number"] == str(test.labels[i]) for i, f in enumerate(lines(result.stdout))]
    assert result.exit_code == 0 and np.mean(right) >= 0.85
