"""Text that may hold what a visitor or an address said, made safe to show and to keep."""

from __future__ import annotations

import re
import unicodedata

# They turn the direction of what stands beside them, or have no look of their own: one name could pass for another.
# Joiners within emoji and within words of some scripts stay.
_UNSEEN = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]")
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def escape_markdown(message: object) -> str:
    """A message for a place that takes Markdown, to be shown letter by letter.

    An address may hold anything. What it holds must not become a picture from another host, or a link, and not turn the
    direction of the words around it.
    """
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", strip_unprintable(str(message)))
    # Bare addresses become links even so: a joiner, which has no width, keeps them apart.
    return re.sub(r"(\\:\\/\\/|\\@|(?i:www)\\\.)", "\u2060\\1\u2060", escaped)


def clean(text: str) -> str:
    """A name as it is kept: no control characters, nothing unseen, every stretch of space as one space."""
    return " ".join(strip_unprintable(text).split())


def clean_lines(text: str) -> str:
    """A note as it is kept: each of its lines as a name is, without empty ones at either end."""
    return "\n".join(clean(line) for line in text.split("\n")).strip("\n")


def escape_csv_formula(text: str) -> str:
    """A text for a table that a spreadsheet may open, which takes what begins like a formula for one."""
    seen = text.lstrip(" \t\r\n\0\u00a0")
    return f"'{text}" if seen.startswith(_FORMULA) or text.startswith(("\t", "\r", "\n")) else text


def strip_unprintable(text: str) -> str:
    """A text without what cannot be sent to a browser, or would be felt there without being seen."""
    # Half a surrogate pair, as JSON can spell it, cannot be sent to a browser at all.
    whole = _UNSEEN.sub("", text.encode("utf-8", "replace").decode("utf-8"))
    return "".join(" " if unicodedata.category(c) == "Cc" and c not in "\n\t" else c for c in whole)
