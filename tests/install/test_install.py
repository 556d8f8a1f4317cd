"""The wheel and the editable installation, each in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.install import smoke

ROOT = Path(__file__).resolve().parents[2]


def pip(*words: str, python: Path = Path(sys.executable)) -> None:
    """Call pip for another Python; nothing is fetched."""
    command = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", *words]
    done = subprocess.run([*command, "--no-deps", "--no-build-isolation", "--no-index"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--wheel-dir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The Python of a new environment, which sees the packages of this one."""
    venv.create(tmp_path / "venv", symlinks=sys.platform != "win32")
    paths = sysconfig.get_paths("venv", {"base": str(tmp_path / "venv"), "installed_base": str(tmp_path / "venv")})
    Path(paths["purelib"], "tests.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    return Path(paths["scripts"], Path(sys.executable).name)


def test_the_wheel_has_all_that_the_app_needs_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    ours = (path for folder in ("hdr", "pages") for path in (ROOT / folder).rglob("*") if path.is_file())
    files = {path.relative_to(ROOT).as_posix() for path in ours if "__pycache__" not in path.parts}
    wanted = {f"hdr/app/{name}" if name.startswith("pages/") else name for name in files}
    assert names == wanted | {"hdr/app/streamlit_app.py", "hdr/app/.streamlit/config.toml"}
    kinds = {Path(name).suffix for name in names}
    assert {".py", ".onnx", ".css", ".js", ".svg", ".toml"} <= kinds


@pytest.mark.slow
def test_the_wheel_works_from_any_folder(wheel: Path, python: Path) -> None:
    pip("install", str(wheel), python=python)
    assert smoke.check(python).is_relative_to(python.parents[1])


@pytest.mark.slow
def test_an_editable_installation_uses_the_checkout(python: Path) -> None:
    pip("install", "--editable", str(ROOT), python=python)
    assert smoke.check(python) == ROOT
