"""What is installed: ranges, pins and the lock file agree, and an unsupported Python is refused in one sentence."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from hdr import __version__
from tools import check_python

ROOT = Path(__file__).resolve().parents[2]
PROJECT_FILE = (ROOT / "pyproject.toml").read_text("utf-8")
PROJECT = tomllib.loads(PROJECT_FILE)["project"]
LOCK = ROOT / "requirements" / "lock.txt"
AGAIN = "requirements/lock.txt does not match requirements.txt. Write it again with: make lock"


def requirements(path: Path) -> list[Requirement]:
    """The requirements of a file, without those of the files that it names."""
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def pins(path: Path) -> dict[str, str]:
    """Exact versions by name."""
    found = {}
    for required in requirements(path):
        (specifier,) = required.specifier
        assert specifier.operator == "==", f"{path.name}: {required} is no exact version"
        found[canonicalize_name(required.name)] = specifier.version
    return found


def on_this_python(found: list[Requirement]) -> dict[str, str]:
    return {
        canonicalize_name(r.name): next(iter(r.specifier)).version for r in found if not r.marker or r.marker.evaluate()
    }


@pytest.mark.parametrize(
    ("file", "ranges"),
    [
        ("requirements.txt", PROJECT["dependencies"]),
        *((f"requirements/{name}.txt", ranges) for name, ranges in PROJECT["optional-dependencies"].items()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_pin_is_in_its_range_and_every_range_has_a_pin(file: str, ranges: list[str]) -> None:
    pinned, allowed = pins(ROOT / file), {canonicalize_name(r.name): r.specifier for r in map(Requirement, ranges)}
    assert pinned.keys() == allowed.keys(), f"{file} and pyproject.toml name different packages"
    for name, version in pinned.items():
        assert version in allowed[name], f"{name} {version} of {file} is not in {allowed[name]} of pyproject.toml"


def test_the_lock_file_has_the_versions_of_requirements_txt() -> None:
    direct = re.findall(r"^([\w.-]+)==(\S+) .*-r requirements\.txt\b", LOCK.read_text("utf-8"), re.M)
    assert {canonicalize_name(name): version for name, version in direct} == pins(ROOT / "requirements.txt"), AGAIN


def test_the_lock_file_has_all_that_its_packages_need() -> None:
    locked, seen = on_this_python(requirements(LOCK)), set()
    for name, version in locked.items():
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if distribution.version != version:
            # Another version's needs say nothing about this one's.
            continue
        seen.add(name)
        for needed in map(Requirement, distribution.requires or ()):
            if needed.marker and not needed.marker.evaluate({**default_environment(), "extra": ""}):
                continue
            chosen = locked.get(canonicalize_name(needed.name))
            assert chosen is not None, f"{name} needs {needed.name}. {AGAIN}"
            assert needed.specifier.contains(chosen, prereleases=True), f"{name} needs {needed}. {AGAIN}"
    if not pins(ROOT / "requirements.txt").keys() <= seen:
        pytest.skip("other versions than those of requirements.txt are installed: their needs were not compared")


def test_the_lock_file_is_for_every_system_and_names_no_address() -> None:
    text = LOCK.read_text("utf-8")
    assert not re.search(r"://|@|^--|/[a-z]+/", text, re.M)
    elsewhere = {canonicalize_name(r.name) for r in requirements(LOCK) if r.marker and "win32" in str(r.marker)}
    assert "colorama" in elsewhere, "locked on one system for that system alone: use make lock"


def test_the_classifiers_name_the_supported_pythons() -> None:
    named = {line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", line)}
    supported = SpecifierSet(PROJECT["requires-python"])
    assert named == {f"3.{n}" for n in range(40) if f"3.{n}" in supported}


@pytest.mark.parametrize("version", [(2, 7), (3, 10), (3, 15), (4, 0)])
def test_another_python_is_refused_in_one_sentence(version: tuple[int, int]) -> None:
    said = check_python.check(version, PROJECT_FILE)
    assert said.startswith(f"This is Python {version[0]}.{version[1]}, and hdr needs Python 3.11 to 3.14; name one")
    assert "\n" not in said and said.endswith("make clean run PYTHON=python3.12")


def test_supported_pythons_are_taken() -> None:
    assert [check_python.check((3, n), PROJECT_FILE) for n in (11, 12, 13, 14)] == [None] * 4


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed: its rules were not tested")
@pytest.mark.parametrize("there", [False, True], ids=["new environment", "environment of that Python"])
def test_make_refuses_it_before_anything_is_installed(tmp_path: Path, there: bool) -> None:
    for name in ("Makefile", "pyproject.toml", "requirements", "tools"):
        (tmp_path / name).symlink_to(ROOT / name)
    old = tmp_path / (".venv/bin/python" if there else "python3.10")
    old.parent.mkdir(parents=True, exist_ok=True)
    code = "import sys, runpy; sys.version_info = (3, 10); runpy.run_path('tools/check_python.py', run_name='__main__')"
    old.write_text(f'#!/bin/sh\n[ "$1" = tools/check_python.py ] || exit 99\nexec {sys.executable} -c "{code}"\n')
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "run", f"PYTHON={old}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")},
    )
    said = done.stderr.splitlines()
    assert done.returncode != 0 and said[0].startswith("This is Python 3.10, and hdr needs Python 3.11 to 3.14;")
    assert all(line.startswith("make: ***") for line in said[1:]) and not done.stdout.strip()


def test_the_version_is_declared_once() -> None:
    assert (
        "version" not in PROJECT and PROJECT["dynamic"] == ["version"] and re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    )
