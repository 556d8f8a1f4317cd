"""python -m hdr tune."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hdr.store.runs import RunStore
from hdr.store.searches import SearchStore
from hdr.training.run_spec import RunSpec
from tests.cli.conftest import Call

SEARCH: dict[str, Any] = {
    "base": {"dataset": "bundled", "train_size": 500, "classifier": {"name": "naive_bayes"}},
    "space": [{"path": "classifier.naive_bayes.smoothing", "low": 1e-3, "high": 1.0}],
    "most_trials": 3,
}


def write(path: Path, **changes: Any) -> Path:
    """A search as a file."""
    path.write_text(json.dumps(SEARCH | changes))
    return path


def test_the_best_as_a_table_and_for_scripts(call: Call, tmp_path: Path) -> None:
    file = write(tmp_path / "search.json")
    said = json.loads(call("tune", "--space", file, "--json").stdout)
    (search,) = SearchStore(RunStore()).searches("local")
    assert (said["search"], said["trials"], said["best"]) == (search.id, 3, search.best)
    assert said["validation_accuracy"] == search.best_value > 0.7
    assert RunSpec.from_json(said["spec"]).classifier.params["smoothing"] == next(iter(said["values"].values()))

    table = call("tune", "--space", file)
    assert table.exit_code == 0 and f"validation accuracy {search.best_value:.2%}" in table.stdout
    assert "classifier.naive_bayes.smoothing" in table.stdout and "trial 2: " in table.stderr


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": []}, "at least one dimension"),
        ({"base": {"dataset": "letters"}, "space": [{"path": "classifier"}]}, "There is no data set 'letters'"),
        ({"space": [{"path": "classifier.tea"}]}, "no 'classifier.tea' that could vary"),
    ],
)
def test_a_search_that_is_not_one_is_a_plain_message(
    call: Call, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    result = call("tune", "--space", write(tmp_path / "search.json", **changes))
    assert result.exit_code == 1 and message in result.stderr and result.stdout == ""
    assert SearchStore(RunStore()).searches() == []


def test_nothing_that_can_be_fitted_says_why(call: Call, tmp_path: Path) -> None:
    base = {**SEARCH["base"], "features": [{"name": "ink_amount"}], "reduction": {"name": "pca", "components": 50}}
    result = call("tune", "--space", write(tmp_path / "search.json", base=base))
    assert result.exit_code == 1 and "None of 3 trials came to an end" in result.stderr
    assert "No such file" in call("tune", "--space", tmp_path / "none.json").stderr
