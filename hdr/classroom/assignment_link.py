"""A class's task as text that is short enough for a link; it may come from anybody, and is checked when it is read.

What is written is the JSON of the task, packed by zlib, whose own check shows what was cut off; the first byte is the
version; all bytes are written as base64 in the letters that addresses allow.
"""

from __future__ import annotations

import base64
import zlib

from pydantic import ValidationError

from hdr import catalogue
from hdr.classroom.assignment import Assignment, AssignmentError, validation_message

MAX_CHARACTERS = 4_000
"""Longest text that is written or read; browsers, servers and messengers all take addresses of that length."""

MAX_BYTES = 20_000
"""What would grow longer than this is not unpacked."""

_VERSION = 1


def to_text(task: Assignment) -> str:
    """Letters, digits, "-" and "_"; a usual task takes about 500.

    Raises:
        AssignmentError: it is too long.
    """
    content = zlib.compress(task.model_dump_json(exclude_defaults=True).encode(), 9)
    text = base64.urlsafe_b64encode(bytes([_VERSION]) + content).decode().rstrip("=")
    if len(text) > MAX_CHARACTERS:
        raise AssignmentError(
            f"This task is too long for a link: {len(text):,} characters, and {MAX_CHARACTERS:,} are allowed. "
            "Leave fewer things free, or begin with fewer steps."
        )
    return text


def from_text(text: str) -> Assignment:
    """The task that `to_text` wrote.

    Raises:
        AssignmentError: it is not such a text, or not all of it, or the task is not one that can be set.
    """
    if not isinstance(text, str) or not 0 < len(text) <= MAX_CHARACTERS:
        raise AssignmentError(f"A class link is 1 to {MAX_CHARACTERS:,} characters of text.")
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise AssignmentError(
            f"A class link is made of letters, digits, - and _, not {catalogue.shorten(text)!r}."
        ) from None
    if content[:1] != bytes([_VERSION]):
        raise AssignmentError(f"The class link, {catalogue.shorten(text)!r}, is none that this version can read.")
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(content[1:], MAX_BYTES)
    except zlib.error:
        data = b""
    # Messengers cut long addresses off.
    if not unpacking.eof or unpacking.unused_data:
        raise AssignmentError("The class link is damaged or was cut off: ask for the whole link.")
    try:
        return Assignment.model_validate_json(data)
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] == "json_invalid":
            raise AssignmentError("The class link is damaged: what it holds is not JSON.") from None
        raise AssignmentError(validation_message(error)) from None
