"""Files that GitHub, Docker and pre-commit read: valid, in agreement with the project, and with least rights."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tests.docs.conftest import ROOT
from tools import architecture

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(set((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) - {GITHUB / "ISSUE_TEMPLATE" / "config.yml"})
SCHEMAS = {
    "github-workflows": WORKFLOWS,
    "github-issue-forms": FORMS,
    "github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "dependabot": [GITHUB / "dependabot.yml"],
    "compose-spec": [ROOT / "compose.yaml"],
    "citation-file-format": [ROOT / "CITATION.cff"],
}
PINNED = re.compile(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
SVG = "{http://www.w3.org/2000/svg}"


def read_yaml(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text("utf-8"))


def steps(workflow: Path) -> list[dict[str, Any]]:
    return [step for job in read_yaml(workflow)["jobs"].values() for step in job["steps"]]


def ci_pythons() -> list[str]:
    return read_yaml(GITHUB / "workflows" / "ci.yml")["jobs"]["test"]["strategy"]["matrix"]["python"]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_match_their_schema(schema: str) -> None:
    files = SCHEMAS[schema]
    assert files, f"there is no file for {schema}"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_least_rights_and_a_time_limit(workflow: Path) -> None:
    found = read_yaml(workflow)
    assert found["permissions"] == {}, "a right that one job needs is granted in that job"
    assert found["concurrency"]["group"]
    for name, job in found["jobs"].items():
        assert job["permissions"] == {"contents": "read"}, name
        assert job["timeout-minutes"] <= 180, name


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_to_a_commit(workflow: Path) -> None:
    lines = [line.strip().removeprefix("- ") for line in workflow.read_text("utf-8").splitlines()]
    used = [line for line in lines if line.startswith("uses:")]
    assert used
    for line in used:
        assert PINNED.match(line), f"{line}: write the full commit, and its version as a comment"


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_call_targets_and_scripts_that_exist(workflow: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    commands = "\n".join(step.get("run", "") for step in steps(workflow))
    called = set(re.findall(r"^make ([a-z-]+)", commands, re.M))
    assert called and called <= targets, sorted(called - targets)
    for script in re.findall(r"^python (\S+\.py)", commands, re.M):
        assert (ROOT / script).is_file(), script


def test_pythons_agree() -> None:
    pythons = ci_pythons()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    supported = SpecifierSet(project["requires-python"])
    assert pythons == [f"3.{minor}" for minor in range(40) if f"3.{minor}" in supported]
    badge = ElementTree.parse(ROOT / "docs" / "pictures" / "badge-python.svg").findtext(f"{SVG}title")
    assert badge == f"Python: {pythons[0]} – {pythons[-1]}"


def test_the_image_and_the_devcontainer_have_one_tested_python() -> None:
    stages = re.findall(r"^FROM python:(3\.\d+)-slim-(\w+)", (ROOT / "Dockerfile").read_text("utf-8"), re.M)
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))["image"]
    (base,) = set(stages)
    assert container.endswith("python:{}-{}".format(*base))
    assert base[0] in ci_pythons()


def test_the_build_context_has_no_secrets_and_all_that_the_image_copies() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] not in ("", "#")]
    assert rules[0] == "*", "everything is left out, except what is named"
    kept = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    for path in kept:
        assert (ROOT / path).exists(), path
    assert ".streamlit" not in kept, "it may hold secrets.toml"
    for source in re.findall(r"^COPY (?!--from)(\S+) ", (ROOT / "Dockerfile").read_text("utf-8"), re.M):
        assert source == "." or source in kept, source


def test_the_picture_of_the_architecture_is_that_of_the_import_rules() -> None:
    drawn = architecture.PICTURE.read_text("utf-8")
    assert drawn == architecture.picture(), "Draw it again with: python -m tools.architecture"
    boxes = {box.get("id"): box.find(f"{SVG}rect") for box in ElementTree.fromstring(drawn).iter(f"{SVG}g")}
    rows = [{float(boxes[name].get("y")) for name in layer} for layer in architecture.layers()]
    assert all(len(row) == 1 for row in rows), "a layer is one row"
    assert all(max(upper) < min(lower) for upper, lower in pairwise(rows)), "upper layers are above"
    packages = {f"hdr.{path.parent.name}" for path in (ROOT / "hdr").glob("*/__init__.py")}
    assert packages <= boxes.keys(), sorted(packages - boxes.keys())
