"""Text that may hold what a visitor or an address said, made safe to show."""

from __future__ import annotations

import re


def plain(message: object) -> str:
    """A message for a place that takes Markdown, to be shown letter by letter.

    An address may hold anything. What it holds must not become a picture from another host, or a link.
    """
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", str(message))
    # Bare addresses become links even so: a joiner, which has no width, keeps them apart.
    return re.sub(r"(\\:\\/\\/|\\@|(?i:www)\\\.)", "\u2060\\1\u2060", escaped)
