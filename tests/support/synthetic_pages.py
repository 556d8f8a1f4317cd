"""Made pages with numbers of real handwritten digits on paper, and where every digit stands: what readers are tried on.

It shares no code with the reader, so that no mistake is made twice: digits are placed by their outlines, row by row,
and paper, light, ruling and pen are put together here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.types import Split, Strokes

Ink = NDArray[np.float32]
Box = tuple[int, int, int, int]
Paper = Literal["plain", "ruled", "squared"]


@dataclass(frozen=True)
class Page:
    """A made page.

    Attributes:
        image: uint8 (h, w).
        number: its digits, a line of text for each line of the page.
        boxes: x, y, width, height of each digit, in reading order.
        touching: whether digits touch their neighbours somewhere.
        paper: what it is written on.
    """

    image: NDArray[np.uint8]
    number: str
    boxes: tuple[Box, ...]
    touching: bool
    paper: Paper


@dataclass(frozen=True)
class Pool:
    """Digits to write with: `draw(i, height, pen, rng)` gives ink 0 to 1, cut close; `labels` are uint8 (n,)."""

    labels: NDArray[np.uint8]
    draw: Callable[[int, int, float, np.random.Generator], Ink]


def from_images(split: Split) -> Pool:
    """Digits of a data set, enlarged with smooth outlines; the pen stays theirs."""

    def draw(i: int, height: int, pen: float, rng: np.random.Generator) -> Ink:
        digit = _close_cut(split.images[i].astype(np.float32) / 255, 0.3)
        scale = height / max(digit.shape)
        size = (max(3, round(digit.shape[1] * scale)), max(3, round(digit.shape[0] * scale)))
        large = cv2.resize(np.pad(digit, 2), None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        large = cv2.GaussianBlur(large, (0, 0), max(0.5, scale * 0.4))
        sharp = np.clip((large - 0.42) * max(2.0, scale), 0, 1)
        return cv2.resize(_close_cut(sharp, 0.5), size, interpolation=cv2.INTER_AREA)

    return Pool(split.labels, draw)


def from_strokes(drawings: Sequence[Strokes], labels: NDArray[np.uint8]) -> Pool:
    """Digits written on a tablet, drawn with a pen of any width."""

    def draw(i: int, height: int, pen: float, rng: np.random.Generator) -> Ink:
        points = np.concatenate(drawings[i])
        low, extent = points.min(axis=0), max(float(np.ptp(points, axis=0).max()), 1.0)
        width = max(1, round(pen * height))
        scale = (height - width) / extent
        shape = np.ceil(np.ptp(points, axis=0) * scale).astype(int) + 4 * width
        canvas = np.zeros((shape[1], shape[0]), np.uint8)
        for stroke in drawings[i]:
            line = np.rint(((stroke - low) * scale + 2 * width) * 16).astype(np.int32)
            line = np.repeat(line, 2, axis=0) if len(line) == 1 else line
            cv2.polylines(canvas, [line], False, 255, width, cv2.LINE_AA, 4)
        return _close_cut(canvas.astype(np.float32) / 255, 0.5)

    return Pool(labels, draw)


def make_page(
    pool: Pool,
    seed: int,
    *,
    touching: bool = False,
    paper: Paper | None = None,
    lines: int = 1,
    digits: int | None = None,
) -> Page:
    """Write numbers onto paper.

    Args:
        pool: whose digits.
        seed: everything follows from it.
        touching: at least one pair of neighbours in every line touches; otherwise none does.
        paper: plain, ruled or squared; any where it is None.
        lines: how many numbers, one below the other.
        digits: how many digits a number has; 2 to 5 where it is None.
    """
    rng = np.random.default_rng(seed)
    paper = paper or rng.choice(["plain", "plain", "ruled", "squared"])
    height, pen, slant = int(rng.integers(40, 130)), float(rng.uniform(0.05, 0.13)), float(rng.normal(0, 0.08))
    numbers, written = [], []
    for _ in range(lines):
        chosen = rng.integers(0, len(pool.labels), digits or int(rng.integers(2, 6)))
        parts = [_sheared(pool.draw(i, round(height * rng.uniform(0.85, 1.15)), pen, rng), slant) for i in chosen]
        written.append(_in_a_row(parts, height, touching, rng))
        numbers.append("".join(str(pool.labels[i]) for i in chosen))
    layers = _on_a_sheet(written, height, rng)
    dirt = _dirt(layers, height, touching, rng)
    ruling = _ruling(dirt.shape, paper, height, rng)
    layers, dirt, ruling = _turned(layers, dirt, ruling, rng)
    boxes = tuple(_box(layer, place) for layer, place in layers)
    ink = dirt
    for layer, (x, y) in layers:
        part = ink[y : y + layer.shape[0], x : x + layer.shape[1]]
        np.maximum(part, layer, out=part)
    return Page(_photographed(ink, ruling, rng), "\n".join(numbers), boxes, touching, paper)


def blank_page(seed: int, paper: Paper) -> Page:
    """Paper on which nothing is written."""
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(150, 400)), int(rng.integers(200, 600)))
    ruling = _ruling(shape, paper, 60, rng)
    return Page(_photographed(np.zeros(shape, np.float32), ruling, rng), "", (), False, paper)


NESTED = 0.25
"""How far one digit reaches into the box of the one before where both touch, in heights of digits."""

Placed = tuple[Ink, tuple[int, int]]
"""Ink and the x and y of its first pixel."""


def _close_cut(ink: Ink, level: float) -> Ink:
    rows, columns = np.nonzero(ink > level)
    if len(rows) == 0:
        return np.ones((3, 3), np.float32)
    return np.ascontiguousarray(ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])


def _sheared(ink: Ink, slant: float) -> Ink:
    h, w = ink.shape
    room = int(np.ceil(abs(slant) * h)) + 1
    matrix = np.array([[1.0, -slant, room + slant * h / 2], [0.0, 1.0, 0.0]])
    return _close_cut(cv2.warpAffine(ink, matrix, (w + 2 * room, h)), 0.4)


def _in_a_row(parts: list[Ink], height: int, touching: bool, rng: np.random.Generator) -> list[Placed]:
    """Digits side by side. Where two touch, the second is pushed into the first until their ink meets."""
    meets = rng.random(len(parts) - 1) < 0.5
    if len(meets):
        meets[rng.integers(len(meets))] = True
    usual = rng.uniform(0.08, 0.45)
    placed: list[Placed] = []
    for i, part in enumerate(parts):
        y = round(-part.shape[0] + height * rng.normal(0, 0.05))
        if not placed:
            placed.append((part, (0, y)))
        elif touching and meets[i - 1]:
            x = _until_they_meet(placed[-1], part, y, 0) - round(height * rng.uniform(0.01, 0.05))
            if placed[-1][1][0] + placed[-1][0].shape[1] - x > NESTED * height and i + 1 < len(parts):
                # The 4 that would have to slide under the roof of a 7 is nobody's writing: the next pair meets.
                x, meets[i] = placed[-1][1][0] + placed[-1][0].shape[1] + 3, True
            placed.append((part, (x, y)))
        else:
            gap = max(3, round(height * usual * rng.uniform(0.7, 1.3)))
            clear = max(_until_they_meet(before, part, y, max(2, height // 14)) for before in placed[-2:])
            placed.append((part, (clear + gap, y)))
    return placed


def _until_they_meet(before: Placed, part: Ink, y: int, reach: int) -> int:
    """The x at which a part meets one to its left, coming from the right; `reach` widens both upwards and downwards."""
    ink, (x0, y0) = before
    kernel = np.ones((2 * reach + 1, 1), np.uint8)
    left, right = (
        cv2.dilate(np.pad(p > 0.5, ((reach, reach), (0, 0))).astype(np.uint8), kernel) > 0 for p in (ink, part)
    )
    top, bottom = max(y0, y), min(y0 + len(left), y + len(right))
    if bottom <= top:
        return x0 + ink.shape[1]
    left, right = left[top - y0 : bottom - y0], right[top - y : bottom - y]
    both = left.any(axis=1) & right.any(axis=1)
    if not both.any():
        return x0 + ink.shape[1]
    last = left.shape[1] - left[:, ::-1].argmax(axis=1)
    return x0 + int((last - right.argmax(axis=1))[both].max())


def _on_a_sheet(written: list[list[Placed]], height: int, rng: np.random.Generator) -> list[Placed]:
    left, top = (round(height * rng.uniform(0.5, 1.6)) for _ in range(2))
    placed, right, y = [], 0, top
    for row in written:
        indent, low = left + round(height * rng.uniform(0, 0.5)), min(place[1] for _, place in row)
        placed += [(ink, (x + indent, y + py - low)) for ink, (x, py) in row]
        right = max(right, max(x + ink.shape[1] for ink, (x, _) in placed))
        y += round(height * rng.uniform(1.55, 2.0))
    bottom = max(py + ink.shape[0] for ink, (_, py) in placed)
    shape = (bottom + round(height * rng.uniform(0.5, 1.6)), right + round(height * rng.uniform(0.5, 1.6)))
    sheet = np.zeros(shape, np.float32)
    return [*placed, (sheet, (0, 0))]


def _dirt(layers: list[Placed], height: int, touching: bool, rng: np.random.Generator) -> Ink:
    """Specks anywhere, and now and then a comma behind a digit, at its foot."""
    sheet, _ = layers.pop()
    near = np.zeros(sheet.shape, bool)
    for ink, (x, y) in layers:
        near[max(0, y - 6) : y + ink.shape[0] + 6, max(0, x - 6) : x + ink.shape[1] + 6] = True
    for _ in range(rng.integers(0, 6)):
        x, y, r = rng.integers(sheet.shape[1]), rng.integers(sheet.shape[0]), rng.uniform(0.008, 0.03) * height
        if not near[y, x]:
            cv2.circle(sheet, (int(x), int(y)), max(1, round(r)), 1.0, -1, cv2.LINE_AA)
    if rng.random() < 0.25:
        ink, (x, y) = layers[-1]
        tip = (x + ink.shape[1] + round(0.2 * height), y + ink.shape[0] - 2)
        tail = (tip[0] - round(0.05 * height), tip[1] + round(height * rng.uniform(0.1, 0.18)))
        cv2.line(sheet, tip, tail, 1.0, max(2, height // 16), cv2.LINE_AA)
    return sheet


def _ruling(shape: tuple[int, ...], paper: Paper, height: int, rng: np.random.Generator) -> Ink:
    """How dark the lines are, 0 to 1 of full ink."""
    lines = np.zeros(shape, np.float32)
    strength, width = rng.uniform(0.12, 0.5), int(rng.integers(1, max(2, height // 30) + 1))
    if paper == "ruled":
        step = height * rng.uniform(0.9, 1.7)
        for y in np.arange(rng.uniform(0, step), shape[0], step):
            lines[int(y) : int(y) + width] = strength
    elif paper == "squared":
        step = height * rng.uniform(0.4, 0.9)
        for y in np.arange(rng.uniform(0, step), shape[0], step):
            lines[int(y) : int(y) + width] = strength
        for x in np.arange(rng.uniform(0, step), shape[1], step):
            lines[:, int(x) : int(x) + width] = strength
    return lines


def _turned(layers: list[Placed], dirt: Ink, ruling: Ink, rng: np.random.Generator) -> tuple[list[Placed], Ink, Ink]:
    """The sheet as it lay under the camera: turned by a few degrees, the paper going on at its edges."""
    angle = float(np.clip(rng.normal(0, 2), -5, 5))
    h, w = dirt.shape
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), angle, 1.0)
    turned = []
    for ink, (x, y) in layers:
        whole = np.zeros((h, w), np.float32)
        whole[y : y + ink.shape[0], x : x + ink.shape[1]] = ink
        whole = cv2.warpAffine(whole, matrix, (w, h))
        rows, columns = np.nonzero(whole > 0.02)
        top, left = int(rows.min()), int(columns.min())
        turned.append((whole[top : rows.max() + 1, left : columns.max() + 1], (left, top)))
    lines = cv2.warpAffine(ruling, matrix, (w, h), borderMode=cv2.BORDER_REFLECT)
    return turned, cv2.warpAffine(dirt, matrix, (w, h)), lines


def _box(ink: Ink, place: tuple[int, int]) -> Box:
    rows, columns = np.nonzero(ink > 0.5)
    x, y = int(columns.min()), int(rows.min())
    return x + place[0], y + place[1], int(columns.max()) - x + 1, int(rows.max()) - y + 1


def _photographed(ink: Ink, ruling: Ink, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Ink on paper under uneven light, with grain, a soft lens, and in either polarity."""
    h, w = ink.shape
    y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    light = 1 + rng.uniform(-0.2, 0.2) * x + rng.uniform(-0.2, 0.2) * y - rng.uniform(0, 0.15) * (x * x + y * y)
    rough = cv2.resize(rng.normal(0, 1, (h // 8 + 2, w // 8 + 2)), (w, h), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.3:
        depth = rng.uniform(0.25, 0.45)
        # Graphite lies on the tips of the paper's grain only.
        ink = ink * np.clip(0.85 + rng.normal(0, 0.25, (h, w)), 0.3, 1)
    else:
        depth = rng.uniform(0.45, 0.85)
    dark = np.maximum(ink, ruling) * depth
    level = rng.uniform(170, 235)
    grey = level * light * (1 - dark) + rough * rng.uniform(0, 3) + rng.normal(0, rng.uniform(1, 6), (h, w))
    grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.4, 1.0))
    grey = np.clip(grey, 0, 255)
    return np.rint(255 - grey if rng.random() < 0.2 else grey).astype(np.uint8)
