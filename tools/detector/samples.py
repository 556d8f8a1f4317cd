"""Made pieces of pages, and a box for everything on them: the training samples of the detector."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.reading.detector import LARGEST, SMALLEST, evened
from tools.detector import sheets
from tools.detector.digits import Hand, Ink, Material, close_cut, ink_of, material

HIGH, WIDE = 96, 192
"""Pixels of a sample."""

LEAST_SEEN = 0.6
"""Least difference between ink and paper, in evened grey levels."""

MOST = 48
"""Most boxes of a sample."""

POINT, DASH, SLASH, COLON, OTHER, IGNORED = range(10, 16)
"""Classes after the ten digits; `IGNORED` is for ink that the border cuts, and counts neither way."""


@dataclass(frozen=True)
class Part:
    """Ink of one class, and where its first pixel goes."""

    kind: int
    ink: Ink
    x: int
    y: int


def make(random: np.random.Generator, known: Material | None = None) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """One sample: a piece of a page, or as many small pictures as fit.

    Args:
        random: the source of chance.
        known: whose digits are written; those that train where none are given.

    Returns:
        uint8 (HIGH, WIDE): evened pictures, 128 + 31 of their values; float32 (MOST, 5): class, x, y, width and height
        of each box, the class -1 where there is none.
    """
    known = known or material()
    out = np.full((HIGH, WIDE), 128, np.uint8)
    picture, boxes = _picture(random, known, crop=random.random() > 0.42)
    h, w = picture.shape
    out[:h, :w] = picture
    # Small pictures beside and below the first.
    free = [(0, w + 8, h, WIDE - w - 8), (h + 8, 0, HIGH - h - 8, WIDE)]
    for y, x, high, wide in free:
        if high < 22 or wide < 24:
            continue
        picture, more = _picture(random, known, crop=True)
        if picture.shape[0] <= high and picture.shape[1] <= wide:
            out[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
            boxes += [(k, bx + x, by + y, bw, bh) for k, bx, by, bw, bh in more]
    found = np.full((MOST, 5), -1, np.float32)
    if boxes:
        found[: len(boxes)] = boxes[:MOST]
    return out, found


def _picture(
    random: np.random.Generator, known: Material, crop: bool
) -> tuple[NDArray[np.uint8], list[tuple[float, ...]]]:
    """A picture close around a row, or a piece of a page; the boxes of all that the detector has to find in it."""
    kind = random.random()
    height = float(np.exp(random.uniform(np.log(SMALLEST), np.log(LARGEST))))
    parts: list[Part] = []
    shape = (HIGH, WIDE)
    if crop:
        parts, shape = _cropped(_row(random, known, height, one=True), height, random)
    else:
        if kind < 0.14:
            height = float(random.uniform(80, 260))
        elif kind < 0.2:
            height = float(random.uniform(5, 10))
        if kind < 0.88:
            parts = _page(random, known, height)
    ink = np.zeros(shape, np.float32)
    boxes: list[tuple[float, ...]] = []
    for part in parts:
        seen = _put(ink, part)
        if SMALLEST <= height <= LARGEST:
            boxes.append((_class(part, seen, shape), *seen))
    if random.random() < 0.5:
        _stray(ink, height, boxes, random, known)
    soft, hard = sheets.ground(shape, min(height, 60), random)
    grey = sheets.photographed(ink, soft, hard, min(height, 60), random)
    picture = evened(grey)
    boxes = [(b[0] if _shows(picture, ink, b) else IGNORED, *b[1:]) for b in boxes if b[0] >= 0]
    return np.rint(128 + 31 * picture).astype(np.uint8), boxes


def _shows(picture: NDArray[np.float32], ink: Ink, box: tuple[float, ...]) -> bool:
    """Whether the ink in a box can be seen: a digit that is asked for in mere grain is seen in grain everywhere."""
    x, y, w, h = (int(v) for v in box[1:])
    part, drawn = picture[y : y + h, x : x + w], ink[y : y + h, x : x + w]
    inked, bare = part[drawn > 0.5], part[drawn < 0.1]
    return len(inked) == 0 or len(bare) == 0 or abs(float(inked.mean() - bare.mean())) > LEAST_SEEN


def _class(part: Part, seen: tuple[int, int, int, int], shape: tuple[int, int]) -> int:
    """The class of a part: most of its box has to be in the picture."""
    share = seen[2] * seen[3] / part.ink.size
    if share > 0.6:
        return part.kind
    return IGNORED if share > 0.3 else -1


def _put(ink: Ink, part: Part) -> tuple[int, int, int, int]:
    h, w = part.ink.shape
    x0, y0 = max(part.x, 0), max(part.y, 0)
    x1, y1 = min(part.x + w, ink.shape[1]), min(part.y + h, ink.shape[0])
    if x1 <= x0 or y1 <= y0:
        return 0, 0, 0, 0
    inside = part.ink[y0 - part.y : y1 - part.y, x0 - part.x : x1 - part.x]
    np.maximum(ink[y0:y1, x0:x1], inside, out=ink[y0:y1, x0:x1])
    return x0, y0, x1 - x0, y1 - y0


def _page(random: np.random.Generator, known: Material, height: float) -> list[Part]:
    """Rows below one another, anywhere in the picture."""
    parts: list[Part] = []
    y = random.uniform(-0.3, 1.5) * height
    while y < HIGH + height and len(parts) < 150:
        row = _row(random, known, height, one=random.random() < 0.4)
        shift = (
            round(random.uniform(-0.6, 0.5) * WIDE) if random.random() < 0.7 else round(random.uniform(0, 0.3) * WIDE)
        )
        if height > LARGEST:
            shift = round(random.uniform(-2.5, 0.5) * height)
        parts += [Part(p.kind, p.ink, p.x + shift, p.y + round(y)) for p in row]
        y += height * random.uniform(1.3, 2.6)
    return parts


def _cropped(parts: list[Part], height: float, random: np.random.Generator) -> tuple[list[Part], tuple[int, int]]:
    """A picture close around a row; sometimes it cuts through digits."""
    boxes = np.array([(p.x, p.y, p.x + p.ink.shape[1], p.y + p.ink.shape[0]) for p in parts])
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    loose = random.choice([0.08, 0.3, 0.8])
    margins = (
        np.abs(random.normal(0, loose, 4)) * height - (random.random(4) < 0.12) * random.uniform(0, 0.25, 4) * height
    )
    low = low - np.rint(margins[:2]).astype(int)
    high = high + np.rint(margins[2:]).astype(int)
    size = np.minimum(np.maximum(high - low, 12), (WIDE, HIGH))
    if high[0] - low[0] > WIDE and random.random() < 0.5:
        low[0] = high[0] - WIDE
    return [Part(p.kind, p.ink, p.x - int(low[0]), p.y - int(low[1])) for p in parts], (int(size[1]), int(size[0]))


def _signs(random: np.random.Generator) -> list[int | str]:  # noqa: C901 - a list of cases reads best in one place
    """The signs of a row: digits as numbers, -1 for any; marks and letters as their names."""
    kind = random.random()
    n = int(random.choice(8, p=[0, 0.1, 0.22, 0.22, 0.18, 0.14, 0.09, 0.05]))
    digits: list[int | str] = [-1] * n
    if random.random() < 0.25:
        zeros = int(random.integers(1, max(2, n)))
        digits[n - zeros :] = [0] * zeros
    if kind < 0.22 and n > 3:
        mark = "point" if random.random() < 0.7 else "comma"
        at = n - 3
        digits[at:at] = [mark]
        if random.random() < 0.15:
            digits += ["comma", -1, -1]
    elif kind < 0.34 and n > 1:
        at = int(random.integers(1, n))
        digits[at:at] = [str(random.choice(["point", "comma", "comma", "colon"]))]
    elif kind < 0.42 and n > 1:
        at = int(random.integers(1, n))
        digits[at:at] = [str(random.choice(["slash", "dash", "slash", "colon", "sign"]))]
        if n > 4 and random.random() < 0.5:
            digits[2:2] = [digits[at]]
    elif kind < 0.47:
        digits[0:0] = [str(random.choice(["dash", "dash", "sign", "letter"]))]
    elif kind < 0.52:
        return ["letter"] * int(random.integers(1, 7))
    elif kind < 0.55:
        digits = [t if random.random() < 0.5 else "letter" for t in digits]
    if random.random() < 0.2:
        digits += [
            ["point"],
            ["dash"],
            ["point", "dash"],
            ["slash", "slash"],
            ["sign"],
            ["dash", "dash"],
            ["comma"],
            ["slash"],
        ][int(random.choice(8, p=[0.3, 0.22, 0.2, 0.06, 0.08, 0.05, 0.07, 0.02]))]
    return digits


def _row(random: np.random.Generator, known: Material, height: float, one: bool) -> list[Part]:
    """A row of one number, or of several apart; its foot is at y 0."""
    hand = Hand(random, height, known)
    style = random.random()
    gap = float(random.uniform(0.03, 0.5)) if random.random() < 0.8 else float(random.uniform(0.5, 1.6))
    touching = 0.0 if style < 0.4 else float(random.uniform(0.15, 0.9)) if style < 0.8 else 0.1
    close = style > 0.6
    rise, unsteady = random.normal(0, 0.06), float(random.choice([0.03, 0.1]))
    parts: list[Part] = []
    end = 0.0
    while True:
        for sign in _signs(random):
            kind, ink, up = _written(hand, sign, random)
            h, w = ink.shape
            y = round(-h - up * height + rise * end + height * random.normal(0, unsteady))
            if not parts:
                x = 0
            else:
                boxed = max(p.x + p.ink.shape[1] for p in parts[-2:])
                met = max(_meeting(p, ink, y) for p in parts[-2:])
                last = parts[-1]
                met = max(met, last.x + last.ink.shape[1] - round(0.5 * min(last.ink.shape[1], w)), last.x + 2)
                if random.random() < touching:
                    x = met - round(height * abs(random.normal(0, 0.05)))
                elif close or kind > 9:
                    x = max(met + 1, met + round(height * random.uniform(0.02, 0.25)))
                else:
                    x = max(met + 2, boxed + round(height * gap * random.uniform(0.5, 1.5)))
            part = Part(kind, ink, int(x), y)
            if parts and random.random() < 0.04 + 0.12 * (touching > 0.1) and kind <= 9 and parts[-1].kind <= 9:
                part = _joined(hand, parts[-1], part, random)
            parts.append(part)
            end = max(end, x + w)
        if one or end > WIDE + 2 * height:
            return parts
        end += height * random.uniform(0.8, 4)
        # The next number begins apart.
        parts.append(Part(-1, np.zeros((2, 2), np.float32), int(end), -2))


def _written(hand: Hand, sign: int | str, random: np.random.Generator) -> tuple[int, Ink, float]:
    """Class, ink, and how far above the foot of the row it is, in heights."""
    h = hand.height
    if isinstance(sign, int):
        label, ink = hand.digit(None if sign < 0 else sign)
        return label, ink, 0.0
    bold = hand.pen * random.uniform(0.9, 1.5)
    if sign == "point":
        size = max(1.2, bold * random.uniform(0.9, 1.7))
        lines = [np.array([[0.0, 0.0], random.normal(0, 0.25, 2) * size])]
        return POINT, ink_of(lines, size), random.uniform(-0.05, 0.15)
    if sign == "comma":
        long = h * random.uniform(0.12, 0.35)
        bent = np.array([[0, 0], [random.uniform(-0.1, 0.25), 0.5], [random.uniform(-0.7, -0.05), 1]]) * long
        return POINT, ink_of([bent], bold), random.uniform(-0.3, -0.05)
    if sign == "colon":
        apart = h * random.uniform(0.25, 0.5)
        dots = [np.array([[0.0, y], random.normal(0, 0.2, 2) * bold + (0, y)]) for y in (0, apart)]
        return COLON, ink_of(dots, max(1.2, bold * random.uniform(0.9, 1.4))), random.uniform(0.0, 0.3)
    if sign == "dash":
        long = h * random.uniform(0.25, 1.3)
        wave = np.linspace(0, 1, 9)
        y = random.normal(0, 0.06) * np.sin(6.28 * wave + random.uniform(0, 6)) + random.normal(0, 0.08) * wave
        return DASH, ink_of([np.stack([wave, y], axis=1) * long], hand.pen), random.uniform(0.25, 0.6)
    if sign == "slash":
        tall = h * random.uniform(1.0, 1.6)
        lean = random.uniform(0.25, 0.75)
        bow = np.array([[lean, 0], [lean / 2 + random.normal(0, 0.03), 0.5], [0, 1]]) * tall
        return SLASH, ink_of([bow], hand.pen), random.uniform(-0.35, 0.0)
    if sign == "sign":
        return OTHER, _sign(hand, random), random.uniform(0.1, 0.3)
    return OTHER, hand.letter(), 0.0


def _sign(hand: Hand, random: np.random.Generator) -> Ink:
    """Plus, times, equals, a percent or currency sign."""
    size = hand.height * random.uniform(0.4, 0.8)
    signs: tuple[list[list[tuple[float, float]]], ...] = (
        [[(0, 0.5), (1, 0.5)], [(0.5, 0), (0.5, 1)]],
        [[(0, 0), (1, 1)], [(1, 0), (0, 1)]],
        [[(0, 0.3), (1, 0.3)], [(0, 0.7), (1, 0.7)]],
        [
            [(1, 0), (0, 1.2)],
            [(0.1, 0.1), (0.3, 0), (0.3, 0.3), (0.1, 0.3), (0.1, 0.1)],
            [(0.7, 0.9), (1, 0.8), (1, 1.2), (0.7, 1.2), (0.7, 0.9)],
        ],
        [[(0.9, 0.1), (0.5, 0), (0.1, 0.3), (0.5, 0.6), (0.9, 0.9), (0.5, 1.2), (0.0, 1.1)], [(0.5, -0.2), (0.5, 1.4)]],
        [[(0.9, 0.1), (0.5, 0), (0.2, 0.5), (0.5, 1.1), (0.9, 1)], [(0, 0.4), (0.6, 0.4)], [(0, 0.65), (0.6, 0.65)]],
        [[(0.3, 0), (0.2, 1.2)], [(0.7, 0), (0.6, 1.2)], [(0, 0.4), (1, 0.4)], [(0, 0.8), (1, 0.8)]],
    )
    chosen = signs[int(random.choice(len(signs), p=[0.25, 0.2, 0.2, 0.1, 0.1, 0.1, 0.05]))]
    lines = [(np.array(line, float) + random.normal(0, 0.06, (len(line), 2))) * size for line in chosen]
    return ink_of(lines, hand.pen)


def _meeting(before: Part, ink: Ink, y: int) -> int:
    """The x at which ink meets a part to its left, coming from the right."""
    end = before.x + before.ink.shape[1]
    top, bottom = max(before.y, y) - 1, min(before.y + before.ink.shape[0], y + ink.shape[0]) + 1
    top, bottom = max(top, before.y, y), min(bottom, before.y + before.ink.shape[0], y + ink.shape[0])
    if bottom - top < 2:
        return before.x + before.ink.shape[1] // 2
    left, right = before.ink[top - before.y : bottom - before.y] > 0.4, ink[top - y : bottom - y] > 0.4
    rows = left.any(axis=1) & right.any(axis=1)
    if not rows.any():
        return end - round(0.3 * before.ink.shape[1])
    last = left.shape[1] - left[:, ::-1].argmax(axis=1)
    return before.x + int((last - right.argmax(axis=1))[rows].max())


def _joined(hand: Hand, before: Part, part: Part, random: np.random.Generator) -> Part:
    """A part with a stroke that comes from the one before, as where the pen is not lifted."""
    rows, columns = np.nonzero(before.ink > 0.5)
    if len(rows) == 0:
        return part
    ends = columns >= np.quantile(columns, 0.9)
    i = int(random.choice(np.flatnonzero(ends)))
    start = np.array([before.x + columns[i], before.y + rows[i]], float)
    rows, columns = np.nonzero(part.ink > 0.5)
    if len(rows) == 0:
        return part
    j = int(random.choice(np.flatnonzero(columns <= np.quantile(columns, 0.15))))
    stop = np.array([part.x + columns[j], part.y + rows[j]], float)
    if np.hypot(*(stop - start)) > 0.7 * hand.height or stop[0] < start[0] - 2:
        return part
    t = np.linspace(0, 1, 7)[:, None]
    line = start + (stop - start) * t + np.array([[0, 1.0]]) * (random.normal(0, 0.12) * hand.height) * 4 * t * (1 - t)
    low = np.floor(line.min(axis=0) - hand.pen).astype(int)
    low = np.minimum(low, (part.x, part.y))
    high = np.maximum(
        np.ceil(line.max(axis=0) + hand.pen + 1).astype(int), (part.x + part.ink.shape[1], part.y + part.ink.shape[0])
    )
    size = high - low
    canvas = np.zeros((2 * size[1], 2 * size[0]), np.uint8)
    cv2.polylines(
        canvas, [np.rint((line - low) * 32).astype(np.int32)], False, 255, max(1, round(2 * hand.pen)), cv2.LINE_AA, 4
    )
    ligature = cv2.resize(canvas, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    # The box of the digit does not grow: the stroke belongs to neither.
    x, y = part.x - int(low[0]), part.y - int(low[1])
    inside = np.s_[y : y + part.ink.shape[0], x : x + part.ink.shape[1]]
    shown = np.maximum(part.ink, ligature[inside])
    mine = before.ink
    bx, by = before.x - int(low[0]), before.y - int(low[1])
    x0, y0 = max(bx, 0), max(by, 0)
    x1, y1 = min(bx + mine.shape[1], int(size[0])), min(by + mine.shape[0], int(size[1]))
    if x1 > x0 and y1 > y0:
        np.maximum(
            mine[y0 - by : y1 - by, x0 - bx : x1 - bx],
            ligature[y0:y1, x0:x1],
            out=mine[y0 - by : y1 - by, x0 - bx : x1 - bx],
        )
    return Part(part.kind, shown, part.x, part.y)


def _stray(
    ink: Ink, height: float, boxes: list[tuple[float, ...]], random: np.random.Generator, known: Material
) -> None:
    """Specks, blots, and strokes that belong to nothing."""
    h, w = ink.shape
    for _ in range(int(random.integers(0, 5))):
        x, y = int(random.integers(w)), int(random.integers(h))
        cv2.circle(ink, (x, y), round(height * random.uniform(0, 0.03)), float(random.uniform(0.3, 1)), -1, cv2.LINE_AA)
    if random.random() < 0.12:
        # A long stroke through or beside the row: from a neighbouring field, or crossing out.
        start = np.array([random.uniform(0, w), random.uniform(0, h)])
        way = random.normal(0, 1, (4, 2)).cumsum(axis=0) * height * random.uniform(0.2, 0.8)
        line = np.rint((start + way) * 16).astype(np.int32)
        thick = max(1, round(height * random.uniform(0.03, 0.1)))
        cv2.polylines(ink, [line], False, float(random.uniform(0.4, 1)), thick, cv2.LINE_AA, 4)
    if random.random() < 0.06:
        radius = height * random.uniform(0.15, 0.4)
        left, top = random.uniform(0, w), random.uniform(0, h)
        angles = np.linspace(0, 6.28, 12, endpoint=False)
        around = radius * random.uniform(0.6, 1.2, 12)
        shape = np.stack([left + around * np.cos(angles), top + around * np.sin(angles)], axis=1)
        clear = all(
            not (b[1] - radius < left < b[1] + b[3] + radius and b[2] - radius < top < b[2] + b[4] + radius)
            for b in boxes
        )
        if clear and SMALLEST <= height <= LARGEST and radius < left < w - radius and radius < top < h - radius:
            cv2.fillPoly(ink, [np.rint(shape * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
            boxes.append((OTHER, left - radius, top - radius, 2 * radius, 2 * radius))
    if random.random() < 0.15:
        # Digits above and below that the picture cuts off: their feet or heads only.
        part = close_cut(Hand(random, min(height, 60), known).digit()[1])
        y = -part.shape[0] + round(0.25 * height) if random.random() < 0.5 else h - round(0.25 * height)
        _put(ink, Part(0, part, int(random.integers(0, max(1, w - 5))), y))
