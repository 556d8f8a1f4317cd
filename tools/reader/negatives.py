"""What is no digit, made: letters, shapes, scribbles, specks, several digits in one, patterns.

Some kinds never train the net and only measure it (`UNSEEN`), so that what is measured is whether it refuses what it
has not been shown. Their figures chose nothing in how it is trained: those of others did (`LATER`). Letters and signs
that some people's digits look like (O, l, Z, S, b, q, a slash) are of none of them.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.preprocessing.size_normalisation import from_pixels, from_strokes
from hdr.types import SIDE, Images, Strokes
from tools.reader import glyphs
from tools.reader.data import Pen
from tools.reader.draw import bend, ink, pen_width, printed, worsen

Made = Callable[[np.random.Generator, Pen], NDArray[np.uint8]]

LATER_LETTERS = ("A", "E", "K", "M", "R", "a", "h", "x")
LATER_SHAPES = ("star", "heart", "note", "fish", "face", "bolt", "infinity", "hash", "anchor", "envelope", "pi")
LATER = (*LATER_LETTERS, *LATER_SHAPES, "hatching", "rings", "word")
"""Kinds that join in the last cycle only. Before it they tell whether more kinds are needed."""

UNSEEN = (*glyphs.UNSEEN, "cursive", "rainbow")
"""Kinds that the net never trains on."""


def make(kind: str, random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    """One non-digit of a kind in `KINDS`, uint8 (28, 28), by the capture rule.

    Args:
        kind: its name.
        random: what decides.
        pen: digits that some kinds are put together from.
    """
    return KINDS[kind](random, pen)


def unseen(n: int, seed: int, pen: Pen) -> tuple[Images, NDArray[np.str_]]:
    """Non-digits of all kinds that never train the net, in turn: uint8 (n, 28, 28), and the kind of each."""
    random = np.random.default_rng(seed)
    kinds = np.array([UNSEEN[i % len(UNSEEN)] for i in range(n)])
    return np.stack([make(str(kind), random, pen) for kind in kinds]), kinds


def _glyph(forms: tuple[str, ...], rounds: float = 0.25) -> Made:
    def made(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
        return ink(bend(glyphs.write(str(random.choice(forms)), random, rounds=rounds), random), random)

    return made


def _letter(name: str) -> Made:
    drawn = _glyph(glyphs.LETTERS[name])

    def made(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
        return drawn(random, pen) if random.random() < 0.8 else _maybe_worse(printed(name, random), random)

    return made


def _maybe_worse(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    return worsen(image, random) if random.random() < 0.3 else image


def _walk(random: np.random.Generator, n: int, turn: float) -> NDArray[np.float64]:
    """A line that goes on and turns a little at every step, float64 (n, 2)."""
    way = random.uniform(0, 2 * np.pi) + np.cumsum(
        np.cumsum(random.normal(0, turn / 4, n)) / 3 + random.normal(0, turn, n)
    )
    return np.cumsum(np.stack([np.cos(way), np.sin(way)], axis=1) * random.uniform(2, 8), axis=0)


def _scribble(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    # Long and winding, so that none is a digit by chance.
    strokes = [_walk(random, int(random.integers(120, 260)), random.uniform(0.15, 0.5))]
    if random.random() < 0.3:
        strokes.append(_walk(random, int(random.integers(30, 120)), 0.3) + random.normal(0, 60, 2))
    return from_strokes(strokes, pen_width(random))


def _crossing_out(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    n = int(random.integers(6, 16))
    x = np.linspace(0, 100, n) + random.normal(0, 4, n)
    y = np.where(np.arange(n) % 2, 0, random.uniform(30, 100)) + random.normal(0, 8, n)
    return from_strokes(bend([np.stack([x, y], axis=1)], random, 2.0), pen_width(random))


def _loops(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    turns = random.integers(3, 8)
    t = np.linspace(0, 2 * np.pi * turns, 40 * int(turns))
    x = 10 * random.uniform(0.3, 1.5) * t + 30 * np.cos(t)
    return from_strokes(bend([np.stack([x, 40 * np.sin(t)], axis=1)], random), pen_width(random))


def _dots(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    places = random.uniform(0, 100, (int(random.integers(2, 8)), 2))
    strokes: Strokes = [place + random.normal(0, 1.5, (3, 2)) for place in places]
    return from_strokes(strokes, pen_width(random))


def _dot(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    return from_strokes([np.full((1, 2), 50.0)], random.uniform(1.2, 5.0))


def _blot(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    angles = np.sort(random.uniform(0, 2 * np.pi, 14))
    edge = random.uniform(0.6, 1, 14)[:, None] * np.stack(
        [np.cos(angles) * random.uniform(0.75, 1.4), np.sin(angles)], axis=1
    )
    sheet = np.zeros((64, 64), np.uint8)
    cv2.fillPoly(sheet, [np.rint(32 + 26 * edge).astype(np.int32)], 255, cv2.LINE_AA)
    return from_pixels(cv2.GaussianBlur(sheet, (0, 0), random.uniform(0.5, 5))[None])[0]


def _block(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    sheet = np.zeros((64, 64), np.uint8)
    # None is upright, or it would be a 1.
    w = int(random.integers(20, 60))
    h = int(random.integers(4, min(60, round(1.4 * w))))
    sheet[2 : 2 + h, 2 : 2 + w] = 255
    return _maybe_worse(from_pixels(sheet[None])[0], random)


def _line(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    angle = np.deg2rad(random.uniform(-32, 32))
    t = np.linspace(-100, 100, 20)
    line = np.stack([t * np.cos(angle), t * np.sin(angle)], axis=1) + random.normal(0, random.uniform(0.5, 6), (20, 2))
    return from_strokes([line], pen_width(random))


def _noise(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    grain = random.normal(0, 1, (SIDE, SIDE))
    smooth = cv2.GaussianBlur(grain, (0, 0), random.uniform(0.3, 3))
    lines = smooth > np.quantile(smooth, random.uniform(0.5, 0.97))
    kind = random.random()
    if kind < 0.3:
        lines[: int(random.integers(4, 12))], lines[-int(random.integers(4, 12)) :] = False, False
    out = (random.integers(120, 256) * lines).astype(np.uint8)
    return from_pixels(out[None])[0] if random.random() < 0.7 else out


def _ruled(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    sheet = np.zeros((60, 60), np.uint8)
    gap, width = int(random.integers(8, 25)), int(random.integers(1, 4))
    for at in range(int(random.integers(0, gap)), 60, gap):
        cv2.line(sheet, (0, at), (59, at), 255, width, cv2.LINE_AA)
        if gap > 11 and random.random() < 0.9:
            cv2.line(sheet, (at, 0), (at, 59), 255, width, cv2.LINE_AA)
    return _maybe_worse(from_pixels(sheet[None])[0], random)


def _blank(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    return (random.random((SIDE, SIDE)) * random.integers(1, 40) * (random.random() < 0.5)).astype(np.uint8)


def _row(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    """Two or three digits in one frame."""
    strokes: Strokes = []
    at = 0.0
    for i in random.integers(0, len(pen.strokes), int(random.integers(2, 4))):
        digit = bend(pen.strokes[i], random)
        points = np.concatenate(digit)
        low, high = points.min(axis=0), points.max(axis=0)
        strokes += [s - low + [at, random.normal(0, 10)] for s in digit]
        at += float(high[0] - low[0]) + random.uniform(5, 70)
    return ink(strokes, random)


def _stack(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    """One digit written over another that is not like it."""
    first, second = (bend(pen.strokes[i], random) for i in random.choice(_many_turns(pen), 2))
    return ink([*first, *(s + random.normal(0, 30, 2) for s in second), _walk(random, 40, 0.3)], random)


def _many_turns(pen: Pen) -> NDArray[np.int64]:
    return np.flatnonzero(np.isin(pen.labels, (2, 3, 4, 5, 7)))


def _lying(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    """A 3, 4 or 5 on its side."""
    i = random.choice(np.flatnonzero(np.isin(pen.labels, (3, 4, 5))))
    way = 1 if random.random() < 0.5 else -1
    return ink([s[:, ::-1] * [way, -way] for s in bend(pen.strokes[i], random)], random)


def _framed(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    """A digit in a box or a ring."""
    # No 1 among them: in a ring it is a 0 with a slash.
    digit = bend(pen.strokes[int(random.choice(_many_turns(pen)))], random)
    points = np.concatenate(digit)
    middle, reach = (points.min(axis=0) + points.max(axis=0)) / 2, random.uniform(125, 190)
    if random.random() < 0.5:
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1.0]])
        edge = corners * reach * [random.uniform(0.7, 1), 1] + random.normal(0, 6, (5, 2))
    else:
        t = np.linspace(0, 2 * np.pi, 40)[:, None]
        edge = reach * np.hstack([np.cos(t), np.sin(t)])
    return ink([*digit, middle + edge], random)


def _polygon(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    """Straight lines between places anywhere."""
    places = random.uniform(0, 100, (int(random.integers(6, 13)), 2))
    return ink([places], random)


def _sticks(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    strokes = [random.uniform(0, 100, (2, 2)) for _ in range(int(random.integers(4, 9)))]
    return ink(strokes, random)


def _monogram(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    """Two letters or shapes over each other."""
    names = random.choice(_SEEN_GLYPHS, 2)
    pairs = [glyphs.write(str(random.choice(_FORMS[str(name)])), random) for name in names]
    return ink([*bend(pairs[0], random), *(s + random.normal(0, 40, 2) for s in bend(pairs[1], random))], random)


def _outline(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    """A closed line with corners, in places smooth, and never nearly round."""
    n = int(random.integers(4, 10))
    angles = (np.arange(n) + random.uniform(-0.35, 0.35, n)) * 2 * np.pi / n + random.uniform(0, 6)
    radii = np.where(np.arange(n) % 2, random.uniform(0.2, 0.5, n), random.uniform(0.75, 1, n))
    places = 50 + 50 * np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
    return _written([np.vstack([places, places[:1]])], 0.5, random)


def _lobes(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    """A closed line that swings out and in, three to seven times."""
    t = np.linspace(0, 2 * np.pi, 80)
    depth, lobes = random.uniform(0.25, 0.9), int(random.integers(3, 8))
    radius = 1 + depth * np.cos(lobes * t + random.uniform(0, 6))
    return ink(bend([60 * np.stack([radius * np.cos(t), radius * np.sin(t)], axis=1)], random), random)


def _character(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    """Strokes of an unknown script: lines, hooks and arcs on a grid of nine places."""
    strokes = []
    for _ in range(int(random.integers(3, 7))):
        cells = random.choice(9, int(random.integers(2, 4)), replace=False)
        strokes.append(50.0 * np.stack([cells % 3, cells // 3], axis=1) + random.normal(0, 7, (len(cells), 2)))
    return _written(strokes, 0.6, random)


def _squiggle(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    """One line through many places, some of them corners."""
    return _written([random.uniform(0, 100, (int(random.integers(7, 14)), 2))], 0.3, random)


def _two_signs(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    """Two letters or shapes side by side."""
    strokes: Strokes = []
    for place, name in enumerate(random.choice(_SEEN_GLYPHS, 2)):
        sign = glyphs.write(str(random.choice(_FORMS[str(name)])), random, rounds=0.0)
        strokes += [s * [0.8, 1] + [place * random.uniform(85, 120), 0] for s in sign]
    return ink(bend(strokes, random), random)


def _written(strokes: Strokes, corners: float, random: np.random.Generator) -> NDArray[np.uint8]:
    """Places joined by lines that have corners at a share of them."""
    drawn = []
    for places in strokes:
        turns = np.flatnonzero(random.random(len(places)) < corners)
        drawn.append(glyphs.line(places, sorted({0, len(places) - 1, *turns.tolist()})))
    return ink(bend(drawn, random), random)


def _hatching(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    n = int(random.integers(4, 8))
    t = np.linspace(0, 100, n)
    lines = [np.array([[v, 0], [v + random.normal(0, 4), 100]]) for v in t]
    if random.random() < 0.5:
        lines += [line[:, ::-1].copy() for line in lines]
    return ink(bend([line + random.normal(0, 3, (2, 2)) for line in lines], random, 1.5), random)


def _rings(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    t = np.linspace(0, 2 * np.pi, 30)[:, None]
    ring = np.hstack([np.cos(t), np.sin(t)])
    if random.random() < 0.5:
        strokes = [100 * ring, random.uniform(40, 60) * ring, 15 * ring][: int(random.integers(2, 4))]
    else:
        strokes = [50 * ring + [i * random.uniform(70, 110), random.normal(0, 20)] for i in range(3)]
    return ink(bend(strokes, random), random)


def _word(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    strokes: Strokes = []
    for place in range(int(random.integers(2, 5))):
        letter = glyphs.write(glyphs.LETTERS[str(random.choice(list("aehmnrtw")))][0], random)
        strokes += [s * [0.8, 1] + [place * 95, 0] for s in letter]
    return ink(bend(strokes, random), random)


def _cursive(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    """A signature: waves and loops of one line."""
    t = np.linspace(0, random.uniform(4, 9) * np.pi, 120)
    tall = np.interp(t, np.linspace(0, t[-1], 8), random.uniform(8, 45, 8))
    x = random.uniform(7, 12) * t + random.uniform(4, 16) * np.sin(t + random.uniform(0, 6))
    return ink(bend([np.stack([x, tall * np.sin(t)], axis=1)], random), random)


def _rainbow(random: np.random.Generator, pen: Pen) -> NDArray[np.uint8]:
    """Arches within arches."""
    t = np.linspace(np.pi, 2 * np.pi, 20)
    arch = np.stack([np.cos(t), np.sin(t)], axis=1)
    radii = np.linspace(100, random.uniform(20, 50), int(random.integers(3, 5)))
    return ink(bend([radius * arch for radius in radii], random), random)


_FORMS = {**glyphs.LETTERS, **glyphs.SHAPES}
_SEEN_GLYPHS = tuple(name for name in _FORMS if name not in LATER)

KINDS: dict[str, Made] = {
    **{name: _letter(name) for name in glyphs.LETTERS},
    # A square with round corners is a 0.
    **{name: _glyph(forms, rounds=0.0) for name, forms in glyphs.SHAPES.items()},
    "scribble": _scribble,
    "crossing out": _crossing_out,
    "loops": _loops,
    "dots": _dots,
    "dot": _dot,
    "blot": _blot,
    "block": _block,
    "line": _line,
    "noise": _noise,
    "ruled": _ruled,
    "blank": _blank,
    "row of digits": _row,
    "digits over each other": _stack,
    "digit on its side": _lying,
    "digit in a frame": _framed,
    "polygon": _polygon,
    "sticks": _sticks,
    "monogram": _monogram,
    "outline": _outline,
    "lobes": _lobes,
    "character": _character,
    "squiggle": _squiggle,
    "two signs": _two_signs,
    "hatching": _hatching,
    "rings": _rings,
    "word": _word,
    **{name: _glyph(forms, rounds=0.0) for name, forms in glyphs.UNSEEN.items()},
    "cursive": _cursive,
    "rainbow": _rainbow,
}
"""How each kind is made."""

SEEN = tuple(kind for kind in KINDS if kind not in UNSEEN)
"""Kinds that the net trains on."""

_OTHERS = tuple(kind for kind in SEEN if kind not in _FORMS and kind not in LATER)

_ENDLESS = ("outline", "lobes", "character", "squiggle", "polygon", "sticks", "monogram", "scribble")
# No two of these are alike, so that they teach most about what has not been shown.


def seen_kind(random: np.random.Generator, later: bool = False) -> str:
    """A kind to train on: a letter or a shape, something that is never twice the same, or one of the rest.

    Args:
        random: what decides.
        later: whether those of `LATER` may be drawn: then a third of all are.
    """
    if later and random.random() < 0.33:
        return LATER[int(random.integers(len(LATER)))]
    chosen = random.random()
    pool = _SEEN_GLYPHS if chosen < 0.42 else _ENDLESS if chosen < 0.76 else _OTHERS
    return pool[int(random.integers(len(pool)))]
