"""Text that may hold what a visitor or an address said, made safe to show."""

from __future__ import annotations

import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")


def plain(message: object) -> str:
    """A message as Markdown that shows just its letters: no picture, link or style can come from it."""
    return _MARKDOWN.sub(r"\\\1", str(message))
