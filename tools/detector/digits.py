"""Digits and signs as ink at any size, for the made pages that train the detector."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.morphology import skeletonize

from hdr.types import Images, Labels, Strokes
from tools.reader import data, draw, glyphs, variants

Ink = NDArray[np.float32]

SPANISH = "ujipenchars2-half.jsonl.gz"
"""Digits of a tablet PC beside the pen strokes, in the same form (UJI Pen Characters, version 2)."""

SOURCES = {"images": 0.22, "thin": 0.34, "pen": 0.2, "spanish": 0.17, "glyphs": 0.07}
"""Where the digits of a hand are from: MNIST's as they are; drawn again along their middle with the hand's own pen; the
pen strokes of two collections; and made ones."""

MIXED = 0.12
"""How often each digit of a row is from a source of its own."""


@dataclass(frozen=True)
class Material:
    """Whose digits are written: `images` uint8 (n, 28, 28) and their `labels`, and two collections of strokes."""

    images: Images
    labels: Labels
    pen: data.Pen
    spanish: data.Pen
    hashes: dict[str, str]


@cache
def material() -> Material:
    """The digits that train; MNIST's test split and the held-out writers are not among them."""
    return _split()[0]


@cache
def kept_back() -> Material:
    """Digits that measure: MNIST's, kept back from its training split, and of the writers who never train."""
    return _split()[1]


@cache
def _split() -> tuple[Material, Material]:
    known = data.load()
    content = gzip.decompress(spanish_file().read_bytes())
    rows = [json.loads(line) for line in content.decode().splitlines()]
    spanish = data.Pen(
        [[np.array(stroke, np.float64) for stroke in row["strokes"]] for row in rows],
        np.array([row["label"] for row in rows], np.uint8),
        np.array([row["writer"] for row in rows], np.int64),
    )
    hashes = {**known.hashes, SPANISH: hashlib.sha256(content).hexdigest()}
    # All writers of the second collection train: it has 600 digits. The measures take writers of the
    # first collection instead.
    return (
        Material(known.images, known.labels, known.pen, spanish, hashes),
        Material(known.val_images, known.val_labels, known.held_out, known.held_out, hashes),
    )


def spanish_file() -> Path:
    """The file of the second collection, beside the file of the first.

    Raises:
        FileNotFoundError: it is not there.
    """
    path = data.stroke_file().with_name(SPANISH)
    if not path.is_file():
        raise FileNotFoundError(f"There is no {path}: digits of UJI Pen Characters 2 in the form of {data.STROKES}.")
    return path


class Hand:
    """A hand: one pen, one slant, one width, and digits of one source or of several."""

    def __init__(self, random: np.random.Generator, height: float, known: Material) -> None:
        self.random, self.height, self.known = random, height, known
        self.pen = max(1.1, height * float(np.exp(random.uniform(np.log(0.04), np.log(0.16)))))
        self.slant = float(random.normal(0.08, 0.2))
        self.wide = float(np.exp(random.normal(0, 0.15)))
        self.uneven = float(random.choice([0.05, 0.12, 0.2]))
        self.source = self._source()
        self.mixed = random.random() < MIXED
        self.bold = float(random.normal(0, 0.07))

    def _source(self) -> str:
        return str(self.random.choice(list(SOURCES), p=list(SOURCES.values())))

    def digit(self, label: int | None = None) -> tuple[int, Ink]:
        """A label and its ink, 0 to 1, cut close; of any digit where none is named."""
        source = self._source() if self.mixed else self.source
        height = self.height * float(np.exp(self.random.normal(0, self.uneven)))
        small = self.random.random()
        if source in ("images", "thin"):
            label, ink = self._picture(label, source == "thin", height)
        else:
            label, strokes = self._strokes(label, source)
            ink = self.drawn(strokes, height)
        if label == 0 and small < 0.15:
            # Zeros of round amounts are often written small.
            ink = cv2.resize(
                ink, None, fx=float(self.random.uniform(0.55, 0.9)), fy=float(self.random.uniform(0.5, 0.8))
            )
        return label, close_cut(ink)

    def _one_of(self, labels: Labels, label: int | None) -> int:
        if label is None:
            return int(self.random.integers(len(labels)))
        return int(self.random.choice(np.flatnonzero(labels == label)))

    def _picture(self, label: int | None, thin: bool, height: float) -> tuple[int, Ink]:
        known = self.known
        i = self._one_of(known.labels, label)
        label, image = int(known.labels[i]), known.images[i]
        if label in (0, 1, 7) and self.random.random() < 0.15:
            image = draw.habit(image, label, self.random, 0.7 * draw.FLAG)
        source = _middle(image) if thin else image
        inside = np.nonzero(image > 80)
        top, bottom = (int(inside[0].min()), int(inside[0].max())) if len(inside[0]) else (4, 23)
        left, right = (int(inside[1].min()), int(inside[1].max())) if len(inside[1]) else (4, 23)
        tall, broad = bottom - top + 1, right - left + 1
        fine = source.shape[0] / 28
        scale = height / max(tall, 0.6 * broad) / fine
        out = self._bent(
            source, scale, ((left + right + 1) / 2 * fine, (top + bottom + 1) / 2 * fine), max(tall, broad) * fine
        )
        if thin:
            return label, np.clip(self.pen / 2 - out / 16 * scale + 0.5, 0, 1)
        level = 0.47 + self.bold
        return label, np.clip((out / 255 - level) * max(1.4, 1.3 * scale) + 0.5, 0, 1)

    def _bent(self, source: NDArray[np.uint8], scale: float, middle: tuple[float, float], size: float) -> Ink:
        """A picture slanted, turned, stretched, bent and scaled."""
        random = self.random
        slant, turn = self.slant + random.normal(0, 0.05), random.normal(0, 0.06)
        wide = self.wide * np.exp(random.normal(0, 0.06))
        forward = (
            np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            @ np.array([[wide, -slant], [0, 1]])
            * scale
        )
        back = np.linalg.inv(forward)
        reach = np.abs(forward) @ np.full(2, size / 2) + 2 + self.pen / 2
        w, h = (int(2 * np.ceil(v) + 2) for v in reach)
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        x, y = x - (w - 1) / 2, y - (h - 1) / 2
        u = back[0, 0] * x + back[0, 1] * y
        v = back[1, 0] * x + back[1, 1] * y
        wave = 0.03 * size * random.normal(0, 1, 4)
        pace, phase = random.normal(0, 4 / size, (4, 2)), random.uniform(0, 6.3, 4)
        du = wave[0] * np.sin(pace[0, 0] * u + pace[0, 1] * v + phase[0]) + wave[1] * np.sin(pace[1, 0] * u + phase[1])
        dv = wave[2] * np.sin(pace[2, 0] * u + pace[2, 1] * v + phase[2]) + wave[3] * np.sin(pace[3, 1] * v + phase[3])
        filling = 255 if scale and source.shape[0] != 28 else 0
        out = cv2.remap(
            source,
            (u + du + middle[0] - 0.5).astype(np.float32),
            (v + dv + middle[1] - 0.5).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=filling,
        )
        return out.astype(np.float32)

    def _strokes(self, label: int | None, source: str) -> tuple[int, Strokes]:
        if source == "glyphs":
            label = int(self.random.integers(10)) if label is None else label
            return label, draw.bend(
                glyphs.write(str(self.random.choice(glyphs.DIGITS[label])), self.random), self.random, 0.8
            )
        pen = self.known.pen if source == "pen" else self.known.spanish
        i = self._one_of(pen.labels, label)
        label = int(pen.labels[i])
        strokes = pen.strokes[i]
        if self.random.random() < 0.6:
            strokes = variants.vary(strokes, label, self.random, 0.8 * variants.FLAG)
        return label, draw.bend(strokes, self.random, 0.9)

    def drawn(self, strokes: Strokes, height: float, lean: float | None = None) -> Ink:
        """Strokes with this hand's pen and slant, the longer way about `height` tall."""
        points = np.concatenate(strokes)
        low, extent = points.min(axis=0), np.ptp(points, axis=0)
        width = self.pen
        scale = max(height - width, 1.0) / max(float(extent[1]), 0.6 * float(extent[0]), 1e-3)
        slant = self.slant + self.random.normal(0, 0.04) if lean is None else lean
        matrix = np.array([[self.wide if lean is None else 1.0, 0], [-slant, 1]])
        return ink_of([((s - low) * scale) @ matrix for s in strokes], width)

    def letter(self) -> Ink:
        """A letter."""
        name = str(self.random.choice(list(glyphs.LETTERS)))
        strokes = glyphs.write(str(self.random.choice(glyphs.LETTERS[name])), self.random)
        size = 1.0 if name.isupper() or name in "dfhkpt" else 0.65
        return close_cut(self.drawn(draw.bend(strokes, self.random, 0.6), self.height * size))


def _middle(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How far every point of a digit's picture, twice as large, is from the middle of its stroke; in 16ths."""
    large = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    middle = skeletonize(cv2.GaussianBlur(large, (0, 0), 0.9) > 100)
    away = cv2.distanceTransform((~middle).view(np.uint8), cv2.DIST_L2, 3)
    return np.minimum(away * 16, 255).astype(np.uint8)


def ink_of(lines: Sequence[NDArray[np.float64]], width: float) -> Ink:
    """Lines, float64 (n, 2), drawn with a pen of a width, which may be a fraction; cut close."""
    points = np.concatenate(lines)
    low = points.min(axis=0) - width - 2
    size = np.ceil(np.ptp(points, axis=0) + 2 * width + 5).astype(int)
    # Drawn twice as large: widths are whole pixels there.
    canvas = np.zeros((2 * size[1], 2 * size[0]), np.uint8)
    for line in lines:
        drawn = np.rint((line - low) * 32).astype(np.int32)
        drawn = np.repeat(drawn, 2, axis=0) if len(drawn) == 1 else drawn
        cv2.polylines(canvas, [drawn], False, 255, max(1, round(2 * width)), cv2.LINE_AA, 4)
    small = cv2.resize(canvas, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
    return close_cut(small.astype(np.float32) / np.float32(255))


def close_cut(ink: Ink, level: float = 0.25) -> Ink:
    """The box around what is above a level."""
    x, y, w, h = cv2.boundingRect((ink > level).view(np.uint8))
    return np.ascontiguousarray(ink[y : y + h, x : x + w], np.float32) if w else np.ones((2, 2), np.float32)
