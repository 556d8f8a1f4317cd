"""The guide: a name in *asterisks* is one that the app shows, and a link to a page has the page's title.

What is only stressed has _underscores_.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

import hdr.features
import hdr.models
import hdr.preprocessing  # noqa: F401
from hdr import catalogue
from hdr.training.run_spec import PRESETS
from hdr.ui.draw import mode
from hdr.ui.preprocess import step_details
from hdr.ui.results import tabs
from hdr.ui.state import train_mode
from tests.docs.conftest import PAGES, ROOT, prose

GUIDE = [*(page for page in PAGES if page.parent.name == "guide"), ROOT / "docs" / "class.md"]
SCRIPTS = [*(ROOT / "hdr" / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
NO_LABELS = {"key", "help", "icon", "type", "placeholder", "alt"}
"""Arguments whose texts are on no tab and no button."""

NAME = re.compile(r"(?<!\*)\*(?!\*|\s)([^*]+?)(?<!\s)\*(?!\*)")

TABS = {
    "train.md": (*tabs.SECTIONS, train_mode.TUNE),
    "draw.md": tuple(mode.TITLES.values()),
    "preprocess.md": (step_details.FAMILY, step_details.CLASSES_TAB, step_details.WORTH, step_details.CODE),
}
"""What must not be left out of a page of the guide."""


def by_name(page: Path) -> str:
    return page.name


def texts(node: ast.AST) -> Iterator[str]:
    """Every text of a script that may be a label: whole ones, and none that only says what code does."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.keyword) and child.arg in NO_LABELS:
            continue
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.JoinedStr):
            continue
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value.strip("*")
        yield from texts(child)


@cache
def shown() -> frozenset[str]:
    """The names that the app shows: labels in its scripts, titles in the catalogue, presets."""
    labels = {label for path in SCRIPTS for label in texts(ast.parse(path.read_text("utf-8")))}
    titles = {entry.title for kind in get_args(catalogue.Kind) for entry in catalogue.entries(kind)}
    return frozenset(labels | titles | {preset.title for preset in PRESETS.values()})


@cache
def titles() -> dict[str, str]:
    """The title of each page in the navigation, by the name of its script."""
    tree = ast.parse((ROOT / "streamlit_app.py").read_text("utf-8"))
    (pages,) = [
        ast.literal_eval(n.value) for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "PAGES"
    ]
    return {name: name.capitalize() for name in pages}


def names(page: Path) -> list[str]:
    """The names that a page of the guide has in asterisks."""
    return [" ".join(name.split()) for name in NAME.findall(re.sub(r"`[^`\n]*`", "", prose(page)))]


@pytest.mark.parametrize("page", GUIDE, ids=by_name)
def test_what_the_guide_names_is_in_the_app(page: Path) -> None:
    known = shown() | set(titles().values())
    assert [name for name in names(page) if name not in known] == []


@pytest.mark.parametrize("page", TABS)
def test_the_guide_names_every_tab(page: str) -> None:
    named = names(ROOT / "docs" / "guide" / page)
    assert [tab for tab in TABS[page] if tab not in named] == []


@pytest.mark.parametrize("page", GUIDE, ids=by_name)
def test_a_link_to_a_page_has_its_title(page: Path) -> None:
    linked = re.findall(r"(?<!!)\[([^\]]+)\]\((?:guide/)?(\w+)\.md\)", prose(page))
    wrong = [(words, name) for words, name in linked if name in titles() and words != titles()[name]]
    assert wrong == []


def test_keys_and_names_of_earlier_versions_are_no_labels() -> None:
    assert {"Suspect labels", "Show me the code", "Fast", "Deskew", "Tune"} <= shown()
    assert not {"Learning curves", "understand_open", "tune_train"} & shown()
