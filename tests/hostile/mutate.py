"""Damage and malice, drawn from a seed: bytes, JSON and texts of addresses."""

from __future__ import annotations

import copy
import json
import random
import struct
import zlib
from typing import Any

MARKUP = (
    "<script>document.title='pwned'</script>",
    "<img src=x onerror=\"document.title='pwned'\">",
    "![a](https://example.com/a.png) [b](javascript:alert(1)) https://example.com www.example.com a@example.com",
    ":material/skull: :red[blood] :smile: $x^2$ $$y$$ **bold** `code`",
    '"><svg onload=alert(1)>',
    "</script><!--",
    "{{7*7}} ${7*7} %s %n {0} \\u202e",
)
"""Texts that would be more than text somewhere: in HTML, in Markdown, in a template."""

STRANGE = (
    "\0",
    "\x1b[31m",
    "\u202egnp.exe",
    "a\u200bb\u2060c\ufeff",
    "\ud800",
    "é" * 300,
    "𝟙𝟚",
    "٣",
    "½",
    "\r\n",
    "\u2028",
)
"""Control characters, marks that turn the direction, nothing that has a width, half a character, other digits."""

FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "＝1+1", " =1")
"""Texts that a spreadsheet could take for a formula."""

NUMBERS = (0, -1, 1, 2**31, 2**63, -(2**63), 10**400, 1e308, -1e308, 1e-320, float("nan"), float("inf"), -0.0, 0.1, 3.0)

VALUES: tuple[Any, ...] = (
    *MARKUP,
    *STRANGE,
    *FORMULAS,
    *NUMBERS,
    None,
    True,
    False,
    "",
    [],
    {},
    [[]],
    {"": {}},
    "a" * 10_000,
)

_MAGIC = (
    b"\0",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\x80\0\0\0",
    b"\0\0\0\0",
    b"\r\n",
    b"%s%n",
    b"../",
)


def damaged(random: random.Random, data: bytes) -> bytes:
    """Bytes with one to eight changes: flipped, cut, doubled, moved, overwritten."""
    out = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        if not out:
            return bytes(out)
        at, length = random.randrange(len(out)), random.choice((1, 1, 2, 4, 16, 200))
        match random.randrange(8):
            case 0:
                out[at] ^= 1 << random.randrange(8)
            case 1:
                out[at] = random.randrange(256)
            case 2:
                del out[at : at + length]
            case 3:
                out[at:at] = out[at : at + length] * random.choice((1, 2, 50))
            case 4:
                magic = random.choice(_MAGIC)
                out[at : at + len(magic)] = magic
            case 5:
                del out[at:]
            case 6:
                out[at:at] = random.randbytes(length)
            case 7:
                # Headers are where sizes and formats are.
                out[min(at, len(out) - 1) % 64 % len(out)] = random.randrange(256)
    return bytes(out)


def nasty(random: random.Random, data: Any) -> Any:
    """A JSON value with one to four changes of its parts: another value, a missing or doubled one, one too deep."""
    changed = copy.deepcopy(data)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        changed = _changed(random, changed)
    return changed


def _changed(random: random.Random, data: Any) -> Any:
    if not isinstance(data, (dict, list)) or not data or random.random() < 0.2:
        return _value(random, data)
    key = random.choice(list(data)) if isinstance(data, dict) else random.randrange(len(data))
    match random.randrange(7):
        case 0:
            del data[key]
        case 1 if isinstance(data, dict):
            data[_text(random)] = data[key] if random.random() < 0.5 else data.pop(key)
        case 1 | 2 if isinstance(data, list):
            data[key:key] = [data[key]] * random.choice((1, 30, 2_000))
        case 3:
            data[key] = _deep(random, data[key])
        case _:
            data[key] = _changed(random, data[key])
    return data


def _value(random: random.Random, old: Any) -> Any:
    if isinstance(old, (int, float)) and not isinstance(old, bool) and random.random() < 0.35:
        # A small change: what gets through the first check meets those behind it.
        return old + random.choice((-2, -1, 1, 2)) if isinstance(old, int) else old * random.choice((0.1, 0.5, 1.5, 9))
    if isinstance(old, (int, float)) and not isinstance(old, bool) and random.random() < 0.5:
        return random.choice((old + 1, -old, old * 1_000_003, old / 3 if abs(old) < 1e300 else old, str(old), [old]))
    if isinstance(old, str) and random.random() < 0.5:
        return random.choice((old + old, old[:-1], old.upper(), old + "\0", " " + old, old * 100, [old], {old: old}))
    return copy.deepcopy(random.choice(VALUES))


def _text(random: random.Random) -> str:
    return random.choice((*MARKUP, *STRANGE, "__class__", "__init__", "self", "name", "on", "path", "a" * 5_000))


def _deep(random: random.Random, data: Any) -> Any:
    for _ in range(random.choice((1, 3, 90))):
        data = [data] if random.random() < 0.5 else {"name": data}
    return data


def written(random: random.Random, data: Any) -> bytes:
    """A JSON value as text, now and then damaged, with a value twice, or nested without end."""
    if random.random() < 0.02:
        depth = random.choice((500, 5_000, 100_000))
        return (b"[" * depth if random.random() < 0.5 else b'{"a":' * depth) + b"]" * random.choice((0, depth))
    text = json.dumps(data, ensure_ascii=random.random() < 0.7)
    if random.random() < 0.05 and text.startswith("{"):
        text = text[:-1] + ", " + text[1:]
    if random.random() < 0.05:
        text = text.replace("0", random.choice(("1" * 5_000, "1e999", "0x10", "-")), 1)
    out = text.encode("utf-8", "surrogatepass")
    return damaged(random, out) if random.random() < 0.25 else out


def reworded(random: random.Random, text: str, alphabet: str) -> str:
    """A text of an address with one to six changes."""
    out = text
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        at = random.randrange(len(out) + 1)
        end = at + random.choice((1, 1, 3, 20))
        match random.randrange(6):
            case 0:
                out = out[:at] + random.choice(alphabet) + out[at + 1 :]
            case 1:
                out = out[:at] + out[end:]
            case 2:
                out = out[:at] + out[at:end] * random.choice((2, 3, 60)) + out[end:]
            case 3:
                word = random.choice((*MARKUP, *STRANGE, *"-_~", "--", "nan", "inf", "9" * 400, "1e999"))
                out = out[:at] + word + random.choice((out[at:], out[end:], ""))
            case 4:
                out = out[:at]
            case 5:
                out = out[:at] + "".join(random.choices(alphabet, k=8)) + out[at:]
    return out


def png(width: int, height: int, pixels: bytes, colour: int = 0, depth: int = 8, **more: bytes) -> bytes:
    """A PNG that claims a size; `pixels` is what is packed inside, `more` are chunks before it."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [_chunk(b"IHDR", header)] + [_chunk(name.encode(), data) for name, data in more.items()]
    body = b"".join(chunks) + _chunk(b"IDAT", zlib.compress(pixels, 6)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def repaired(data: bytes) -> bytes:
    """A damaged PNG whose checksums are right again, so that its decoder looks at what is inside."""
    out, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if at + 12 + length > len(data):
            break
        out += _chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + length])
        at += 12 + length
    return bytes(out) + data[at:]


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
