"""The Markdown files of this repository, and what stands in their code blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: the word behind the fence, such as "python"; empty where there is none.
        text: what is between the fences, ending in a newline.
    """

    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in their order."""
    found = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", page.read_text("utf-8"), re.M | re.S)
    return [Block(language, text) for language, text in found]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"^```.*?^```\s*$", "", page.read_text("utf-8"), flags=re.M | re.S)
