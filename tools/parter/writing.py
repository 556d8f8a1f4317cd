"""Made lines of writing, and which digit every pixel is of: what the parter learns from.

Digits stand apart, close together, over each other's feet, or touch; they lean, rise and fall, and are crossed by
strokes that are none of them. Nothing here is shared with the pages that the tests read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.morphology import skeletonize

from tools.reader import data, draw, glyphs, variants

Ink = NDArray[np.float32]


@dataclass(frozen=True)
class Hands:
    """Who writes.

    Attributes:
        sources: where a hand's digits are from, and how often: MNIST's as they are ("images"), and drawn anew along
            their middle with the hand's own pen ("thin"); the pen strokes; made ones ("glyphs"); each digit from
            another one of images, strokes and glyphs ("mixed").
        bent: how far strokes are bent, see `tools.reader.draw.bend`.
    """

    sources: dict[str, float]
    bent: float


FEW = Hands({"images": 0.42, "strokes": 0.38, "glyphs": 0.05, "mixed": 0.15}, 0.7)
MANY = Hands({"images": 0.26, "thin": 0.24, "strokes": 0.3, "glyphs": 0.05, "mixed": 0.15}, 1.0)
"""The pen strokes are of 24 writers only, whose shapes a net learns by heart; MNIST's digits are of hundreds."""

ENLARGED = 4
"""Pixels of a digit's middle line per pixel of MNIST's picture."""


@dataclass(frozen=True)
class Written:
    """A sheet with writing on it.

    Attributes:
        ink: uint8 (h, w), ink 255 on 0.
        owners: int16 (h, w): 0 where no digit's ink is, else 1 + the number of the digit.
        labels: uint8 (n,), which digits they are.
    """

    ink: NDArray[np.uint8]
    owners: NDArray[np.int16]
    labels: NDArray[np.uint8]


def write(random: np.random.Generator, material: data.Material, hands: Hands = MANY) -> Written:
    """One line of one to six digits."""
    tall = float(random.uniform(45, 110))
    hand = _Hand(random, material, tall, hands)
    count = int(random.choice(6, p=[0.06, 0.3, 0.24, 0.2, 0.12, 0.08])) + 1
    labels, parts = zip(*(hand.digit(random) for _ in range(count)), strict=True)
    places = _placed(list(parts), tall, random)
    margin = int(0.5 * tall)
    low = np.array(places).min(axis=0) - margin
    ends = np.array([(x + p.shape[1], y + p.shape[0]) for (x, y), p in zip(places, parts, strict=True)])
    width, height = (ends.max(axis=0) + margin - low).tolist()
    ink, owners = np.zeros((height, width), np.float32), np.zeros((height, width), np.int16)
    for k, (part, place) in enumerate(zip(parts, places, strict=True)):
        x, y = (np.array(place) - low).tolist()
        box = np.s_[y : y + part.shape[0], x : x + part.shape[1]]
        owners[box][part > np.maximum(ink[box], 0.3)] = k + 1
        np.maximum(ink[box], part, out=ink[box])
    _besides(ink, tall, random)
    return Written(_worn(ink, tall, random), owners, np.array(labels, np.uint8))


class _Hand:
    """Somebody who writes: with one pen and one slant, and digits of one or several sources."""

    def __init__(self, random: np.random.Generator, material: data.Material, tall: float, hands: Hands) -> None:
        self.material, self.tall, self.bent = material, tall, hands.bent
        self.pen = float(np.exp(random.uniform(np.log(0.035), np.log(0.15))))
        self.slant = float(random.normal(0, 0.12))
        self.source = str(random.choice(list(hands.sources), p=list(hands.sources.values())))
        self.thicker = float(random.normal(0, 0.012))

    def digit(self, random: np.random.Generator) -> tuple[int, Ink]:
        """A label, and ink 0 to 1 cut close."""
        source = str(random.choice(["images", "strokes", "glyphs"])) if self.source == "mixed" else self.source
        height = self.tall * float(random.uniform(0.8, 1.2))
        write = {"images": self._image, "thin": self._thin, "strokes": self._stroke, "glyphs": self._glyph}[source]
        label, ink = write(random, height)
        if random.random() < 0.1:
            ink = cv2.resize(ink, None, fx=float(random.uniform(0.7, 1.4)), fy=1.0, interpolation=cv2.INTER_LINEAR)
        return label, close_cut(ink)

    def _mnist(self, random: np.random.Generator) -> tuple[int, Ink]:
        i = int(random.integers(len(self.material.labels)))
        image, label = self.material.images[i], int(self.material.labels[i])
        if random.random() < 0.08 and label in (0, 1, 7):
            image = draw.habit(image, label, random, 0.7 * draw.FLAG)
        return label, close_cut(image.astype(np.float32) / 255)

    def _enlarged(self, picture: Ink, scale: float, random: np.random.Generator) -> Ink:
        """A picture so many times as large, leaning."""
        h, w = (int(np.ceil(v * scale)) for v in picture.shape)
        lean = self.slant + random.normal(0, 0.04)
        matrix = np.array([[scale, -lean * scale, 0], [0, scale, 0]], np.float64)
        # Half a pixel of either grid lies between the middles of their first pixels.
        matrix[:, 2] = (scale - 1) / 2
        matrix[0, 2] += lean * h / 2
        return cv2.warpAffine(picture, matrix, (w, h), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)

    def _image(self, random: np.random.Generator, height: float) -> tuple[int, Ink]:
        label, digit = self._mnist(random)
        scale = height / max(digit.shape)
        digit = cv2.copyMakeBorder(digit, 4, 4, 4, 4, cv2.BORDER_CONSTANT)
        large = cv2.GaussianBlur(self._enlarged(digit, scale, random), (0, 0), 0.45 * scale)
        level = 0.45 - 6 * self.thicker
        return label, np.clip((large - level) * scale * 0.9 + 0.5, 0, 1).astype(np.float32)

    def _thin(self, random: np.random.Generator, height: float) -> tuple[int, Ink]:
        label, digit = self._mnist(random)
        around = 6 * ENLARGED
        large = cv2.resize(digit, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
        large = cv2.copyMakeBorder(large, around, around, around, around, cv2.BORDER_CONSTANT)
        middle = skeletonize(cv2.GaussianBlur(large, (0, 0), 0.4 * ENLARGED) > 0.4)
        away = cv2.distanceTransform((~middle).view(np.uint8), cv2.DIST_L2, 3)
        spans: list[Any] = [np.ptp(v) for v in np.nonzero(middle)] if middle.any() else []
        scale = height / max(1, *spans) if spans else 1.0
        away = self._enlarged(away, scale, random) * scale
        return label, np.clip(max(1.0, self.pen * height) / 2 - away + 0.5, 0, 1).astype(np.float32)

    def _stroke(self, random: np.random.Generator, height: float) -> tuple[int, Ink]:
        pen = self.material.pen
        i = int(random.integers(len(pen.labels)))
        label = int(pen.labels[i])
        strokes = variants.vary(pen.strokes[i], label, random, 0.7 * variants.FLAG)
        return label, self._drawn(draw.bend(strokes, random, self.bent), height, random)

    def _glyph(self, random: np.random.Generator, height: float) -> tuple[int, Ink]:
        label = int(random.integers(10))
        strokes = glyphs.write(str(random.choice(glyphs.DIGITS[label])), random)
        return label, self._drawn(draw.bend(strokes, random, self.bent), height, random)

    def _drawn(self, strokes: list[NDArray[np.float64]], height: float, random: np.random.Generator) -> Ink:
        points = np.concatenate(strokes)
        low, extent = points.min(axis=0), np.ptp(points, axis=0)
        width = max(1.0, self.pen * height)
        # A lying stroke is a digit that was bent too far; a tall one sets the size.
        scale = (height - width) / max(float(extent[1]), 0.6 * float(extent[0]), 1.0)
        lean = np.array([[1, 0], [-self.slant, 1]])
        lines = [((s - low) * scale) @ lean for s in strokes]
        low = np.concatenate(lines).min(axis=0) - 2 * width
        size = np.ceil(np.concatenate(lines).max(axis=0) - low + 2 * width).astype(int)
        canvas = np.zeros((size[1], size[0]), np.uint8)
        for line in lines:
            drawn = np.rint((line - low) * 16).astype(np.int32)
            drawn = np.repeat(drawn, 2, axis=0) if len(drawn) == 1 else drawn
            cv2.polylines(canvas, [drawn], False, 255, max(1, round(width)), cv2.LINE_AA, 4)
        return canvas.astype(np.float32) / np.float32(255)


def close_cut(ink: Ink, level: float = 0.3) -> Ink:
    """The box around what is above a level."""
    x, y, w, h = cv2.boundingRect((ink > level).view(np.uint8))
    return np.ascontiguousarray(ink[y : y + h, x : x + w]) if w else np.ones((3, 3), np.float32)


def _placed(parts: list[Ink], tall: float, random: np.random.Generator) -> list[tuple[int, int]]:
    """Where each digit's first pixel goes: x, y."""
    style = random.random()
    usual = random.uniform(0.03, 0.45)
    rise = random.normal(0, 0.03)
    places: list[tuple[int, int]] = []
    for k, part in enumerate(parts):
        if not places:
            places.append((0, -part.shape[0]))
            continue
        x0, y0 = places[-1]
        before = parts[k - 1]
        middle = x0 + before.shape[1]
        y = round(-part.shape[0] + tall * random.normal(0, 0.07) + rise * middle)
        met = _meeting(before, (x0, y0), part, y)
        boxed = x0 + before.shape[1]
        # How far a digit may reach over or under its neighbour.
        met = max(met, boxed - round(0.45 * before.shape[1]), x0 + 3)
        touches = style < 0.55 and random.random() < 0.65
        if touches:
            x = met - round(tall * random.choice([random.uniform(0, 0.03), random.uniform(0, 0.1)]))
        elif style < 0.75:
            x = met + max(2, round(tall * random.uniform(0.01, 0.15)))
        else:
            x = max(met + 2, boxed + round(tall * usual * random.uniform(0.6, 1.4)))
        places.append((max(x, x0 + 2), y))
    return places


def _meeting(before: Ink, place: tuple[int, int], part: Ink, y: int) -> int:
    """The x at which the ink of two digits meets when the right one is pushed to the left."""
    x0, y0 = place
    top, bottom = max(y0, y), min(y0 + before.shape[0], y + part.shape[0])
    if bottom - top < 3:
        return x0 + before.shape[1]
    left, right = before[top - y0 : bottom - y0] > 0.5, part[top - y : bottom - y] > 0.5
    rows = left.any(axis=1) & right.any(axis=1)
    if not rows.any():
        return x0 + before.shape[1]
    last = left.shape[1] - left[:, ::-1].argmax(axis=1)
    return x0 + int((last - right.argmax(axis=1))[rows].max())


def _besides(ink: Ink, tall: float, random: np.random.Generator) -> None:
    """What is on sheets besides digits: specks, commas, what is left of a ruled line."""
    h, w = ink.shape
    for _ in range(int(random.integers(0, 4)) if random.random() < 0.4 else 0):
        x, y = int(random.integers(w)), int(random.integers(h))
        cv2.circle(ink, (x, y), max(1, round(tall * random.uniform(0.008, 0.04))), 1.0, -1, cv2.LINE_AA)
    if random.random() < 0.15:
        x, y = int(random.uniform(0.2, 0.98) * w), round(h - 0.5 * tall + tall * random.uniform(-0.1, 0.1))
        tip = (x - round(tall * random.uniform(0, 0.1)), y + round(tall * random.uniform(0.08, 0.25)))
        cv2.line(ink, (x, y), tip, 1.0, max(2, round(0.07 * tall)), cv2.LINE_AA)
    if random.random() < 0.08:
        y, thick = int(random.integers(h)), 1 + int(random.integers(2))
        start = int(random.integers(w))
        cv2.line(ink, (start, y), (start + int(tall * random.uniform(0.1, 0.6)), y), 0.8, thick)
    if random.random() < 0.12:
        # A ruled line that was taken away, and some of the strokes with it.
        y, thick = int(random.uniform(0.2, 0.8) * h), 1 + int(random.integers(max(2, round(0.03 * tall))))
        ink[y : y + thick] *= random.uniform(0, 0.7)


def _worn(ink: Ink, tall: float, random: np.random.Generator) -> NDArray[np.uint8]:
    """What lens, paper and thresholds leave of it, uint8."""
    out = cv2.GaussianBlur(ink, (0, 0), float(random.uniform(0.3, 0.015 * tall + 0.3)))
    kind = random.random()
    if kind < 0.25:
        rough = cv2.GaussianBlur(random.normal(0, 1, out.shape).astype(np.float32), (0, 0), 1.0)
        out = out * np.clip(0.9 + random.uniform(0.1, 0.5) * rough, 0.2, 1.2)
    if kind > 0.5:
        out = (out - random.uniform(0, 0.25)) * random.uniform(1.0, 1.6)
    return np.rint(np.clip(out, 0, 1) * 255).astype(np.uint8)
