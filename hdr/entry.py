"""Where the entry script is, with its pages and its configuration beside it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

SCRIPT = "streamlit_app.py"

ROOT = Path(__file__).resolve().parents[1]
"""The folder that holds this package: a checkout, or the folder that pip installs into."""


@cache
def is_checkout(folder: Path) -> bool:
    """Whether a folder is a checkout of this project."""
    return (folder / SCRIPT).is_file() and (folder / "hdr" / Path(__file__).name).is_file()


def folder() -> Path:
    """Return the folder of the entry script: the checkout, or the copy that a wheel carries (pyproject.toml)."""
    return ROOT if is_checkout(ROOT) else ROOT / "hdr" / "app"
