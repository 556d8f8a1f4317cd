"""An assignment as text that is short enough for a link. The text is untrusted input and is validated on reading.

Format: a version byte, then the assignment's JSON compressed by zlib, whose checksum detects truncated links; all bytes
are encoded as URL-safe base64.
"""

from __future__ import annotations

import base64
import zlib

from pydantic import ValidationError

from hdr import catalogue
from hdr.classroom.assignment import Assignment, AssignmentError, validation_message

MAX_CHARACTERS = 4_000
"""Longest text that is written or read; browsers, servers and messengers all accept URLs of this length."""

MAX_BYTES = 20_000
"""Largest decompressed size; longer content is rejected."""

_VERSION = 1


def to_text(task: Assignment) -> str:
    """Encode an assignment as letters, digits, "-" and "_", usually about 500 characters.

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
    """Decode an assignment that `to_text` wrote.

    Raises:
        AssignmentError: the text is malformed or truncated, or the assignment is invalid.
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
    # Messengers truncate long URLs.
    if not unpacking.eof or unpacking.unused_data:
        raise AssignmentError("The class link is damaged or was cut off: ask for the whole link.")
    try:
        return Assignment.model_validate_json(data)
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] == "json_invalid":
            raise AssignmentError("The class link is damaged: what it holds is not JSON.") from None
        raise AssignmentError(validation_message(error)) from None
